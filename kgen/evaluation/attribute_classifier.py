"""A network that names the attributes of pictures, trained on real ones."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import keras
import numpy as np
from keras import layers, ops

from kgen import checks
from kgen.data.captioned_pictures import CaptionedPictures
from kgen.networks.feature_map import map_of_features
from kgen.pictures import to_image

STATES = "states_"  # before an attribute's name: whether the captions say it, "yes" or "no"
UNKNOWN = ""
MAX_CLASSES = 300
MIN_PICTURES = 10  # of a class, for it to be learned
LEAST_COVERED = 0.5  # share of pictures in such classes below which a column is free text
LOOKED_AT = 64  # pixels; pictures of twice that or more are shrunk
BATCH_SIZE = 64
MAX_SHOWN = 80_000  # pictures in a training, so that sets of any size take the same time
MAX_EPOCHS = 20
MOVED = 1 / 16  # of a picture's side, at most
RATE = 2e-3
WEIGHT_DECAY = 1e-2
SMOOTHING = 0.1
HEAD_CHANNELS = 32


@dataclass(frozen=True)
class AttributeClassifier:
    """A network that names the attributes of pictures.

    Attributes:
        classes: For each attribute the names of its classes.
        network: From `image` float32 (B, H, W, 3), in [-1, 1], to a dictionary of logits float32
            (B, number of classes), under `head_0` for the first attribute, and so on.
    """

    classes: dict[str, tuple[str, ...]]
    network: keras.Model

    def classify(self, pixels: np.ndarray) -> dict[str, np.ndarray]:
        """Names each attribute of pixels uint8 (B, H, W, 3): arrays of B class names."""
        best = {name: [np.zeros(0, np.int64)] for name in self.classes}
        for first in range(0, len(pixels), BATCH_SIZE):
            logits = self.network.predict_on_batch(to_image(pixels[first : first + BATCH_SIZE]))
            for i, name in enumerate(self.classes):
                best[name].append(np.argmax(logits[_head(i)], axis=1))
        return {name: np.array(of)[np.concatenate(best[name])] for name, of in self.classes.items()}


def commonest_classes(values: Sequence[str], num_classes: int = MAX_CLASSES) -> tuple[str, ...]:
    """The classes of an attribute that can be learned.

    Args:
        values: N class names of training pictures; "" where unknown.
        num_classes: Most classes.

    Returns:
        The names, sorted, of the commonest classes among those of at least 10 pictures.

    Example:
        >>> commonest_classes(["梨"] * 10 + ["苹果"] * 12 + ["李子"] * 11 + ["fig"], 2)
        ('李子', '苹果')
    """
    checks.check_int("num_classes", num_classes, 2)
    common = _common(values)
    return tuple(sorted(sorted(common, key=lambda of: (-common[of], of))[:num_classes]))


def attribute_names(pictures: CaptionedPictures) -> tuple[str, ...]:
    """The attributes that are categories, and can be classified.

    That is at least two classes of 10 pictures or more, which hold at least half of the pictures
    of which the attribute is known: names of files and free text repeat themselves too seldom.
    """
    return tuple(
        name
        for name, values in pictures.attributes.items()
        if not name.startswith(STATES) and _is_category(values)
    )


def train_classifier(
    pictures: CaptionedPictures,
    names: Sequence[str],
    epochs: int | None = None,
    seed: int = 0,
    num_classes: int = MAX_CLASSES,
) -> AttributeClassifier:
    """Trains a small convolutional network on real pictures.

    Pictures are moved by some pixels, and a picture counts for an attribute only where its class
    is one of the attribute's `commonest_classes`.

    Formula:
        L = Σ_a 1/B Σ_i k_ai CE((1 - s) onehot(y_ai) + s/C_a, p_ai)

        with k_ai = 1 where picture i has a known class y_ai of attribute a, else 0; C_a classes,
        and s = 0.1.

    Args:
        pictures: Real training pictures with attributes; H and W multiples of 8.
        names: Attributes to learn, one softmax each.
        epochs: Passes over the pictures; None: 20, or as many as show 80 000 pictures.
        seed: Fixes first weights, order and movements.
        num_classes: Most classes of an attribute; the commonest are taken.

    Raises:
        ValueError: The pictures have no attribute of such a name, `names` is empty, or an
            attribute has fewer than two classes of 10 pictures.

    Source: label smoothing, Szegedy et al. 2016, section 7.
    """
    if not names:
        raise ValueError("These pictures have no attributes: there is nothing to obey.")
    for name in names:
        checks.check_choice("attributes", name, pictures.attributes)
    if epochs is not None:
        checks.check_int("epochs", epochs, 1)
    classes = {name: commonest_classes(pictures.attributes[name], num_classes) for name in names}
    for name, of in classes.items():
        if len(of) < 2:
            expected = f"of two classes with {MIN_PICTURES} pictures or more"
            hint = f"It has {len(of)}: leave it out, or bring more pictures."
            raise ValueError(checks.wrong("attributes", expected, name, hint))
    keras.utils.set_random_seed(seed)
    network = _build_network(pictures.pixels.shape[1:], classes)
    batches = _Batches(pictures, classes, epochs, seed)
    warm_up = -(-len(batches) // 20)
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, max(1, len(batches) - warm_up), warmup_target=RATE, warmup_steps=warm_up
    )
    network.compile(
        keras.optimizers.AdamW(rate, weight_decay=WEIGHT_DECAY),
        loss={_head(i): smoothed_cross_entropy for i in range(len(classes))},
    )
    network.fit(batches, epochs=1, verbose=0, shuffle=False)
    return AttributeClassifier(classes, network)


def smoothed_cross_entropy(labels, logits, smoothing: float = SMOOTHING):
    """Cross entropy of softened labels, 0 where a label is unknown.

    Formula:
        ℓ_i = -Σ_c ((1 - s) [c = y_i] + s/C) log softmax(logits_i)_c, and 0 where y_i = -1

    Args:
        labels: int32 (B,) or (B, 1). y, in [-1, C).
        logits: float32 (B, C).
        smoothing: s, in [0, 1].

    Returns:
        float32 (B,), at least 0.
    """
    labels = ops.reshape(ops.cast(labels, "int32"), (-1,))
    num_classes = logits.shape[-1]
    known = ops.cast(labels >= 0, logits.dtype)
    sure = ops.one_hot(ops.maximum(labels, 0), num_classes, dtype=logits.dtype)
    wanted = (1 - smoothing) * sure + smoothing / num_classes
    return -known * ops.sum(wanted * ops.log_softmax(logits, axis=-1), axis=-1)


def moved(image: np.ndarray, rng: np.random.Generator, most: int) -> np.ndarray:
    """Moves each picture by whole pixels, which repeats its edge.

    Args:
        image: (B, H, W, 3).
        rng: Draws one movement in [-most, most] down and one to the right for each picture.
        most: Pixels, at least 0.

    Returns:
        (B, H, W, 3), of the same type.
    """
    height, width = image.shape[1:3]
    padded = np.pad(image, ((0, 0), (most, most), (most, most), (0, 0)), mode="edge")
    starts = rng.integers(0, 2 * most + 1, (len(image), 2))
    return np.stack(
        [one[y : y + height, x : x + width] for one, (y, x) in zip(padded, starts, strict=True)]
    )


class _Batches(keras.utils.PyDataset):
    """Batches of moved pictures with their labels, in another order on every pass.

    Batch k is drawn from (seed, k) alone. Pictures without any label are left out.
    """

    def __init__(self, pictures, classes, epochs, seed):
        super().__init__()
        self.pictures, self.seed = pictures, seed
        self.index = {n: {c: i for i, c in enumerate(of)} for n, of in classes.items()}
        known = [labels >= 0 for labels in self._labels(pictures).values()]
        self.rows = np.flatnonzero(np.any(known, axis=0))
        shown = min(MAX_SHOWN, MAX_EPOCHS * len(self.rows))
        if epochs is not None:
            shown = epochs * len(self.rows)
        self.num = -(-shown // BATCH_SIZE)
        self.most = int(pictures.pixels.shape[1] * MOVED)
        self.orders = {}

    def __len__(self):
        return self.num

    def __getitem__(self, index):
        places = index * BATCH_SIZE + np.arange(BATCH_SIZE)
        passes, places = np.divmod(places, len(self.rows))
        rows = [self._order(p)[k] for p, k in zip(passes.tolist(), places, strict=True)]
        some = self.pictures.in_memory(np.array(rows))
        rng = np.random.default_rng([self.seed, index])
        return to_image(moved(some.pixels, rng, self.most)), self._labels(some)

    def _order(self, number):
        if number not in self.orders:
            self.orders = {k: o for k, o in self.orders.items() if k >= number - 1}
            rng = np.random.default_rng([self.seed, number, 1])
            self.orders[number] = rng.permutation(self.rows)
        return self.orders[number]

    def _labels(self, pictures):
        return {
            _head(i): np.array([index.get(v, -1) for v in pictures.attributes[name]], np.int32)
            for i, (name, index) in enumerate(self.index.items())
        }


def _build_network(shape, classes):
    """One head for each attribute, on what is where, on what is anywhere, and on the colours."""
    image = keras.Input(shape, name="image")
    h = image
    if shape[0] >= 2 * LOOKED_AT:
        h = layers.AveragePooling2D(shape[0] // LOOKED_AT)(h)
    colours = layers.Flatten()(layers.AveragePooling2D(8)(h))
    h = map_of_features(h)  # (B, H/8, W/8, 128)
    anywhere = [layers.GlobalAveragePooling2D()(h), layers.GlobalMaxPooling2D()(h)]
    outputs = {}
    for i, of in enumerate(classes.values()):
        there = layers.Conv2D(HEAD_CHANNELS, 1, activation="relu")(h)
        all_of_it = layers.Concatenate()([layers.Flatten()(there), *anywhere, colours])
        outputs[_head(i)] = layers.Dense(len(of))(layers.Dropout(0.3)(all_of_it))
    return keras.Model(image, outputs, name="attribute_classifier")


def _head(number: int) -> str:
    """TensorFlow takes no Chinese names; columns of metadata may have some."""
    return f"head_{number}"


def _common(values: Sequence[str]) -> Counter:
    counted = Counter(str(value) for value in values)
    del counted[UNKNOWN]
    return Counter({of: num for of, num in counted.items() if num >= MIN_PICTURES})


def _is_category(values: Sequence[str]) -> bool:
    common = _common(values)
    known = sum(str(value) != UNKNOWN for value in values)
    return len(common) >= 2 and sum(common.values()) >= LEAST_COVERED * known
