"""Obedience: does a classifier trained on real pictures find what the caption said?"""

from collections.abc import Sequence
from dataclasses import dataclass

import keras
import numpy as np
from keras import layers

from kgen import checks
from kgen.data.captioned_pictures import CaptionedPictures
from kgen.evaluation.trunk import look_at
from kgen.pictures import to_image
from kgen.pipeline import TextToImage

STATES = "states_"
MAX_CLASSES = 300


@dataclass(frozen=True)
class AttributeClassifier:
    """A network that names the attributes of pictures.

    Attributes:
        classes: For each attribute the names of its classes.
        network: From `image` float32 (B, H, W, 3), in [-1, 1], to a dictionary of logits
            float32 (B, number of classes).
    """

    classes: dict[str, tuple[str, ...]]
    network: keras.Model

    def classify(self, pixels: np.ndarray) -> dict[str, np.ndarray]:
        """Names each attribute of pixels uint8 (B, H, W, 3): arrays of B class names."""
        logits = self.network.predict(to_image(pixels), batch_size=64, verbose=0)
        return {
            name: np.array(self.classes[name])[np.argmax(logits[name], axis=1)]
            for name in self.classes
        }


def attribute_names(pictures: CaptionedPictures) -> tuple[str, ...]:
    """Attributes that can be classified: 2 to 300 classes, known for every picture."""
    counted = {
        name: set(values)
        for name, values in pictures.attributes.items()
        if not name.startswith(STATES)
    }
    return tuple(n for n, c in counted.items() if 2 <= len(c) <= MAX_CLASSES and "" not in c)


def train_classifier(
    pictures: CaptionedPictures, names: Sequence[str], epochs: int = 6, seed: int = 0
) -> AttributeClassifier:
    """Trains a small convolutional network on real pictures.

    Args:
        pictures: Real pictures with attributes.
        names: Attributes to learn, one softmax each.
        epochs: Passes over the pictures.
        seed: Fixes first weights and order.

    Raises:
        ValueError: The pictures have no attribute of such a name, or `names` is empty.
    """
    if not names:
        raise ValueError("These pictures have no attributes: there is nothing to obey.")
    for name in names:
        checks.check_choice("attributes", name, pictures.attributes)
    classes = {name: tuple(sorted(set(pictures.attributes[name]))) for name in names}
    labels = {n: np.searchsorted(classes[n], pictures.attributes[n]) for n in names}
    keras.utils.set_random_seed(seed)
    network = _build_network(pictures.pixels.shape[1:], classes)
    steps = epochs * -(-len(pictures) // 64)
    network.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(1e-3, steps)),
        loss={n: keras.losses.SparseCategoricalCrossentropy(from_logits=True) for n in names},
    )
    network.fit(to_image(pictures.pixels), labels, batch_size=64, epochs=epochs, verbose=0)
    return AttributeClassifier(classes, network)


def measure_obedience(
    painter: TextToImage,
    pictures: CaptionedPictures,
    classifier: AttributeClassifier,
    seed: int = 0,
) -> dict[str, dict]:
    """Draws the pictures' captions and asks the classifier what it sees.

    Only captions that state an attribute count for it (pictures without "states_" attributes
    are taken to state all).

    Args:
        painter: The model to judge.
        pictures: Test pictures, captions and attributes; no training may have seen them.
        classifier: Trained on real training pictures.
        seed: Of the first picture's noise.

    Returns:
        For each attribute: `real`, the classifier's accuracy on the real test pictures, and for
        each caption column `generated`, `num` pictures drawn; shares in [0, 1].
    """
    num_columns = max(len(captions) for captions in pictures.captions)
    real = classifier.classify(pictures.pixels)
    seen = []
    for column in range(num_columns):
        captions = [several[min(column, len(several) - 1)] for several in pictures.captions]
        seen.append(classifier.classify(_draw(painter, captions, seed + column * len(captions))))
    report = {}
    for name in classifier.classes:
        truth = pictures.attributes[name]
        stated = pictures.attributes.get(STATES + name, np.full(len(truth), "yes")) == "yes"
        report[name] = {
            "num": int(stated.sum()),
            "real": float(np.mean(real[name] == truth)),
            "generated": [float(np.mean((of[name] == truth)[stated])) for of in seen],
        }
    return report


def _draw(painter, captions, seed, batch_size=64):
    parts = [
        painter.generate(captions[i : i + batch_size], seed=seed + i)
        for i in range(0, len(captions), batch_size)
    ]
    return np.concatenate(parts)


def _build_network(shape, classes):
    image = keras.Input(shape, name="image")
    h = look_at(image)
    outputs = {name: layers.Dense(len(of), name=name)(h) for name, of in classes.items()}
    return keras.Model(image, outputs, name="attribute_classifier")
