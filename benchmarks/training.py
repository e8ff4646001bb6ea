"""How many pictures a second the training step takes, and how near that is to the peak."""

import itertools
import statistics
import time

import keras
import numpy as np

from benchmarks.flop import encoder_flop, forward_flop, generator_flop
from benchmarks.machine import convolution_peak
from kgen.data.batches import make_batches, tokenize_captions
from kgen.data.scenes import load_scenes
from kgen.presets import preset_config
from kgen.text.tokenizer import CaptionTokenizer
from kgen.text.vocabulary import learn_vocabulary
from kgen.training.run import build_gan
from kgen.training.swapped_words import swaps_for


def measure(precision: str, steps: int, settings: dict | None = None) -> dict:
    """Trains `scenes_64` for a few steps through `fit`; the peak is measured before and after.

    Args:
        precision: Of the networks' arithmetic.
        steps: To time.
        settings: Other settings than those of `scenes_64`, by section.

    Returns:
        `pictures_per_second` (by the median step), `gflops`, `peak_gflops`, `share_of_peak`,
        `pipeline_ratio` (the data pipeline's pictures/s over training's), `parameters`.
    """
    config = preset_config("scenes_64").updated(settings or {})
    config = config.updated({"training": {"precision": precision}})
    pictures = load_scenes(1000, config.networks.image_size, seed=0)
    captions = (caption for pair in pictures.captions for caption in pair)
    vocabulary = learn_vocabulary(captions, config.text.vocabulary_size)
    tokenizer = CaptionTokenizer(vocabulary, config.text.caption_length)
    token_ids = tokenize_captions(tokenizer, pictures.captions)
    batch_size = config.training.batch_size
    swaps = swaps_for(config.training, token_ids, vocabulary)
    gan = build_gan(config, len(vocabulary), swaps=swaps)
    batches = make_batches(pictures, token_ids, batch_size, seed=0)

    gan.fit(batches, steps_per_epoch=3, verbose=0, shuffle=False)  # traces
    before = convolution_peak(precision)
    clock = _Clock()
    gan.fit(batches, steps_per_epoch=steps, verbose=0, shuffle=False, callbacks=[clock])
    peak = statistics.mean([before, convolution_peak(precision)])
    # The mean over whole intervals of the lazy penalty would be as fair; the median leaves out
    # what other processes take.
    seconds = statistics.median(np.diff(clock.times))
    rate = batch_size / seconds
    gflops = rate * _flop_per_picture(gan) / 1e9
    return {
        "pictures_per_second": rate,
        "gflops": gflops,
        "peak_gflops": peak,
        "share_of_peak": gflops / peak,
        "pipeline_ratio": _pipeline_rate(batches, batch_size) / rate,
        "parameters": {
            name: getattr(gan, name).count_params()
            for name in ("encoder", "generator", "discriminator")
        },
    }


class _Clock(keras.callbacks.Callback):
    def on_train_begin(self, logs=None):
        self.times = []

    def on_train_batch_end(self, batch, logs=None):
        self.times.append(time.perf_counter())


def _pipeline_rate(batches, batch_size, num=200):
    began = time.perf_counter()
    for _ in itertools.islice(batches, num):
        pass
    return num * batch_size / (time.perf_counter() - began)


def _flop_per_picture(gan):
    """Floating-point operations of a step by picture: convolutions, dense layers, LSTMs, attention.

    A pass forward costs F, its gradient by inputs F, by weights F. G runs once with both
    gradients (3 G), and for the diversity loss again for a quarter of the batch; D sees x and y
    with both (6 D), and y again with the gradient by its inputs (2 D); T reads captions, and where
    D is taught by swapped ones these, too (3 T each). The lazy penalty is left out: the median step
    has none.
    """
    of_g = 3 * (1.25 if gan.training.diversity_weight else 1) * generator_flop(gan.generator)
    of_t = 3 * (1 if gan.swaps is None else 2) * encoder_flop(gan.encoder)
    return of_g + of_t + 8 * forward_flop(gan.discriminator)
