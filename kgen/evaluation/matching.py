"""Does a picture match its caption? Asked of a judge that no generator has learned from."""

from collections.abc import Sequence
from dataclasses import dataclass

import keras
import numpy as np
from keras import layers, ops

from kgen.config import TextConfig
from kgen.data.captioned_pictures import CaptionedPictures
from kgen.evaluation.trunk import look_at
from kgen.pictures import to_image
from kgen.text.encoders import build_encoder
from kgen.text.tokenizer import CaptionTokenizer
from kgen.text.vocabulary import learn_vocabulary
from kgen.training.losses import contrastive_loss, same_captions

VECTOR_DIM = 128
TEXT = TextConfig(encoder="bag", caption_length=48, vocabulary_size=8000, caption_dim=VECTOR_DIM)
BATCH_SIZE = 128


@dataclass(frozen=True)
class Matcher:
    """Puts pictures and captions into one space, near each other where they match.

    Attributes:
        tokenizer: Of the captions.
        of_images: From float32 (B, H, W, 3), in [-1, 1], to vectors float32 (B, 128).
        of_captions: From token ids int32 (B, L) to vectors float32 (B, 128).
    """

    tokenizer: CaptionTokenizer
    of_images: keras.Model
    of_captions: keras.Model

    def picture_vectors(self, pixels: np.ndarray) -> np.ndarray:
        """Unit vectors float32 (B, 128) of pixels uint8 (B, H, W, 3)."""
        parts = [
            self.of_images.predict_on_batch(to_image(pixels[i : i + BATCH_SIZE]))
            for i in range(0, len(pixels), BATCH_SIZE)
        ]
        return _unit(np.concatenate(parts))

    def caption_vectors(self, captions: Sequence[str]) -> np.ndarray:
        """Unit vectors float32 (B, 128) of captions."""
        return _unit(np.asarray(self.of_captions(self.tokenizer(captions), training=False)))


def train_matcher(pictures: CaptionedPictures, epochs: int = 30, seed: int = 0) -> Matcher:
    """Trains a small image-text network on real pictures and their captions.

    Its text side is a bag of wordpieces and single Chinese characters, whatever the judged model
    reads, so that it favours no tokenizer or encoder that is compared.

    Args:
        pictures: Real training pictures. One caption of each is drawn for every epoch.
        epochs: Passes over the pictures.
        seed: Fixes first weights and order.

    Source: the symmetric contrastive loss of `kgen.training.losses` (ConVIRT, Zhang et al. 2020).
    """
    keras.utils.set_random_seed(seed)
    vocabulary = learn_vocabulary(
        (c for several in pictures.captions for c in several), TEXT.vocabulary_size
    )
    tokenizer = CaptionTokenizer.from_config(vocabulary, TEXT)
    image = keras.Input(pictures.pixels.shape[1:], name="image")
    moved = layers.RandomTranslation(0.1, 0.1, fill_mode="nearest", seed=seed)(image)
    of_images = keras.Model(image, layers.Dense(VECTOR_DIM)(look_at(moved)))
    encoder = build_encoder(TEXT, len(vocabulary))
    of_captions = keras.Model(encoder.input, encoder.output["caption_vector"])
    both = ops.stack([of_images(image), of_captions(encoder.input)], axis=1)  # (B, 2, 128)
    network = keras.Model({"image": image, "token_ids": encoder.input}, both)
    batches = _Batches(pictures, tokenizer, seed)
    rate = keras.optimizers.schedules.CosineDecay(2e-3, epochs * len(batches))
    network.compile(
        keras.optimizers.AdamW(rate, weight_decay=1e-3),
        loss=lambda ids, two: contrastive_loss(two[:, 0], two[:, 1], same_captions(ids)),
    )
    network.fit(batches, epochs=epochs, verbose=0, shuffle=False)
    return Matcher(tokenizer, of_images, of_captions)


def r_precision(
    picture_vectors: np.ndarray,
    caption_vectors: np.ndarray,
    captions: Sequence[str],
    num_candidates: int = 100,
    seed: int = 0,
) -> float:
    """How often a picture's own caption is the nearest of many.

    Formula:
        R = 1/B #{i: ⟨f_i, c_i⟩ ≥ ⟨f_i, c_j⟩ for all j in J_i}

        where J_i are 99 of the other captions, drawn anew for each picture among those that
        differ from its own (all, where there are fewer).

    Args:
        picture_vectors: float32 (B, 128), of length 1. f.
        caption_vectors: float32 (B, 128), of length 1. c.
        captions: The B captions.
        num_candidates: Captions to choose from, the picture's own among them.
        seed: Fixes which.

    Returns:
        float, in [0, 1].

    Source: Xu et al. 2018 (AttnGAN), section 4, with R = 1 and 99 mismatched captions.
    """
    rng = np.random.default_rng(seed)
    captions = np.asarray(captions, object)
    scores = picture_vectors @ caption_vectors.T  # (B, B)
    right = 0
    for i, row in enumerate(scores):
        others = np.unique(captions[captions != captions[i]])
        chosen = rng.permutation(others)[: num_candidates - 1]
        against = row[np.isin(captions, chosen)]
        right += not len(against) or row[i] >= against.max()
    return right / len(captions)


class _Batches(keras.utils.PyDataset):
    """Batches of pictures with one of each one's captions, in another order every epoch."""

    def __init__(self, pictures, tokenizer, seed):
        super().__init__()
        self.pictures, self.tokenizer = pictures, tokenizer
        self.rng = np.random.default_rng(seed)
        self.on_epoch_end()

    def __len__(self):
        return max(1, len(self.pictures) // BATCH_SIZE)

    def on_epoch_end(self):
        self.order = self.rng.permutation(len(self.pictures))

    def __getitem__(self, index):
        chosen = self.order[index * BATCH_SIZE : (index + 1) * BATCH_SIZE]
        captions = [self.rng.choice(self.pictures.captions[i]) for i in chosen]
        token_ids = self.tokenizer(captions)
        image = to_image(self.pictures.pixels[chosen])
        return {"image": image, "token_ids": token_ids}, token_ids


def _unit(vectors):
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
