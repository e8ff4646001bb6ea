"""One run of an ablation: so many seconds of the processor's time."""

import functools
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import keras
import numpy as np

from kgen.config import Config
from kgen.data.batches import captions_to_learn_from, make_batches, tokenize_captions
from kgen.data.captioned_pictures import CaptionedPictures
from kgen.data.loading import load_pictures
from kgen.model_folder import build_model
from kgen.pipeline import TextToImage
from kgen.presets import model_folder
from kgen.text.tokenizer import CaptionTokenizer
from kgen.text.vocabulary import learn_vocabulary
from kgen.text.word_vectors import fill_embedding, read_word_vectors, words_of
from kgen.training.allowed_augmentations import choose_augmentations
from kgen.training.building import build_gan
from kgen.training.swapped_words import swaps_for
from kgen.training.transfer import start_from_model

FIRST_STEPS = 3  # the graph is made in them


@functools.lru_cache(maxsize=4)
def pictures_of(data, image_size: int, seed: int, split: str):
    """Captioned pictures, read once in a process."""
    pictures = load_pictures(data, image_size, seed, split=split)
    return pictures.in_memory(np.arange(len(pictures)))


class ProcessorTime(keras.callbacks.Callback):
    """Ends training when the process has used so many seconds since its first steps."""

    def __init__(self, seconds: float):
        super().__init__()
        self.seconds = seconds

    def on_train_batch_end(self, batch, logs=None):
        if batch + 1 == FIRST_STEPS:
            self.began = time.process_time()
        if batch >= FIRST_STEPS and time.process_time() - self.began >= self.seconds:
            self.model.stop_training = True


@dataclass(frozen=True)
class Ready:
    """What is ready to be trained.

    Attributes:
        config: Of the networks.
        gan: They themselves.
        batches: Endless.
        pictures: That the batches are of.
        vocabulary: T's tokens.
    """

    config: Config
    gan: keras.Model
    batches: Iterable
    pictures: CaptionedPictures
    vocabulary: Sequence[str]

    def fit(self, steps: int, callbacks: Sequence[keras.callbacks.Callback] = ()) -> None:
        """Trains for some steps, or until a callback ends it."""
        self.gan.fit(
            self.batches, steps_per_epoch=steps, shuffle=False, verbose=0, callbacks=[*callbacks]
        )

    def painter(self) -> TextToImage:
        """The averaged model as it is now."""
        model = build_model(self.config, len(self.vocabulary))
        model.get_layer("encoder").set_weights(self.gan.averaged_encoder.get_weights())
        model.get_layer("generator").set_weights(self.gan.averaged_generator.get_weights())
        return TextToImage(self.config, self.vocabulary, model)


def make_ready(config: Config, num_pictures: int | None = None) -> Ready:
    """Pictures read, networks built.

    Args:
        config: What to train.
        num_pictures: Some of the set's pictures are learned from; None: all.
    """
    keras.backend.clear_session()
    pictures = pictures_of(config.data, config.networks.image_size, 0, "train")
    if num_pictures:
        chosen = np.random.default_rng(0).permutation(len(pictures))[:num_pictures]
        pictures = pictures.in_memory(np.sort(chosen))
    vocabulary = learn_vocabulary(
        captions_to_learn_from(pictures.captions), config.text.vocabulary_size
    )
    tokenizer = CaptionTokenizer.from_config(vocabulary, config.text)
    token_ids = tokenize_captions(tokenizer, pictures.captions)
    augmentations, _ = choose_augmentations(
        config.training,
        captions_to_learn_from(pictures.captions),
        len(pictures),
        config.networks.pixel_size,
    )
    swaps = swaps_for(config.training, token_ids, vocabulary)
    gan = build_gan(config, len(vocabulary), augmentations, swaps=swaps)
    if config.data.word_vectors:
        vectors = read_word_vectors(config.data.word_vectors, words_of(vocabulary))
        (table,) = gan.encoder.get_layer("embedding").get_weights()
        table, _ = fill_embedding(table, vocabulary, vectors)
        for encoder in (gan.encoder, gan.averaged_encoder):
            encoder.get_layer("embedding").set_weights([table])
    if config.training.start_from:
        start_from_model(gan, vocabulary, model_folder(config.training.start_from))
    batches = make_batches(
        pictures, token_ids, config.training.batch_size, config.training.seed, 0
    )
    return Ready(config, gan, batches, pictures, vocabulary)


def train(
    config: Config, seconds: float, num_pictures: int | None = None
) -> tuple[TextToImage, dict, CaptionedPictures]:
    """Trains, and gives the averaged model, its steps, and the pictures that it learned from.

    Args:
        config: What to train.
        seconds: Of the processor's time.
        num_pictures: Some of the set's pictures are learned from; None: all.
    """
    ready = make_ready(config, num_pictures)
    ready.fit(10**9, [ProcessorTime(seconds)])
    painter = ready.painter()
    steps = int(ready.gan.steps_taken)
    seen = steps * config.training.batch_size
    finite = all(np.isfinite(w).all() for w in painter.model.get_weights())
    told = {"steps": steps, "pictures": seen, "finite": bool(finite)}
    return painter, told, ready.pictures
