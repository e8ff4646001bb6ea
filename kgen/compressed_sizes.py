"""How large, and how fast, a model of some configuration will be, before it is trained."""

import os
import time

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from kgen.config import Config
from kgen.export.captions import made_up
from kgen.export.litert.metadata import finished, metadata_of
from kgen.export.litert.rungs import RUNGS
from kgen.export.litert.writing import Conversions
from kgen.model_folder import build_model
from kgen.networks.generator import FIRST_SIZE, channels_at
from kgen.noise import sample_noise
from kgen.pipeline import TextToImage

ROUNDS = 200


class Sizes:
    """Sizes of models that read the captions of a trained one, by `model_dynamic.tflite`.

    Args:
        folder: The trained model's.
    """

    def __init__(self, folder: str | os.PathLike):
        self._trained = TextToImage.from_preset(folder)
        self._overhead = None

    def kilobytes(self, config: Config) -> float:
        """Kilobytes (1000 bytes), nearly: a byte a parameter, and what a first file had besides."""
        painter = self._untrained(config)
        parameters = painter.model.count_params()
        if self._overhead is None:
            self._overhead = len(self._converted(painter)) - parameters
        return (parameters + self._overhead) / 1000

    def milliseconds(self, config: Config) -> float:
        """Median milliseconds of one picture from its token ids, on one thread."""
        painter = self._untrained(config)
        interpreter = Interpreter(model_content=self._converted(painter), num_threads=1)
        draw = interpreter.get_signature_runner("serving_default")
        token_ids = painter.tokenizer(made_up(painter).proof[:1]).numpy()
        noise = sample_noise(1, config.networks.noise_dim, seed=0)
        took = []
        for _ in range(ROUNDS):
            began = time.perf_counter()
            draw(token_ids=token_ids, noise=noise)
            took.append(time.perf_counter() - began)
        return 1e3 * float(np.median(took[ROUNDS // 10 :]))

    def _untrained(self, config):
        vocabulary = self._trained.vocabulary
        return TextToImage(config, vocabulary, build_model(config, len(vocabulary)))

    def _converted(self, painter):
        conversions = Conversions(painter, made_up(painter))
        _, contents = next(conversions.versions(RUNGS["dynamic"], ("model",)))
        return finished(contents["model"], metadata_of(painter))


def multiplications(config: Config) -> int:
    """Multiplications of G's convolutions for one picture: what a model is capable of, about."""
    networks = config.networks
    drawn_size = networks.drawn_size
    total, size = 0, FIRST_SIZE
    before = channels_at(size, drawn_size, networks.width, networks.most_channels)
    while size < drawn_size:
        channels = channels_at(2 * size, drawn_size, networks.width, networks.most_channels)
        total += size**2 * before * channels * (1 + 4 * 4)  # the shortcut, and the enlargement
        size *= 2
        total += size**2 * channels**2 * 3 * 3
        before = channels
    return total + size**2 * before * 3 * 3 * 3 * networks.pixel_shuffle**2
