"""python -m benchmarks.widths: how the share of the peak grows with the channels, as a table.

`scenes_64` has 16 channels at full size and 128 at most. Convolutions take time by the square of
the channels, all else by the channels themselves: the wider the networks, the nearer they come to
the peak of a convolution. Untrained networks, since numbers do not matter to time.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import itertools
import statistics
import tempfile

import click
import tensorflow as tf

from benchmarks import training
from benchmarks.flop import picture_flop
from benchmarks.machine import convolution_peak, describe
from benchmarks.timing import in_turns
from kgen.data.scenes import load_scenes
from kgen.export.litert.exporting import export_litert
from kgen.model_folder import build_model
from kgen.noise import sample_noise
from kgen.pipeline import TextToImage
from kgen.presets import preset_config
from kgen.real_captions import real_captions
from kgen.runtime.painter import RuntimePainter
from kgen.text.vocabulary import learn_vocabulary

BATCH, THREADS = 64, 2
TRACED, INT8 = "traced", "int8"


@click.command()
@click.option("--width", "widths", type=int, multiple=True, default=(16, 32, 48, 64))
@click.option("--steps", default=32, show_default=True, help="Training steps to time.")
@click.option("--rounds", default=10, show_default=True, help="Turns of drawing and peak.")
def main(widths, steps, rounds):
    """Print the table; nothing else should run meanwhile."""
    lines = [
        describe(), "",
        "| channels at full size | MFLOP a picture | drawing 64, pictures/s | share of peak "
        "| int8, times as fast | training, pictures/s | share of peak |",
        "|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    for width in widths:
        settings = {"networks": {"width": width, "discriminator_width": width}}
        flop, drawn, of_drawing, times = _drawing(settings, rounds)
        trained = training.measure("float32", steps, settings)
        lines.append(
            f"| {width} | {flop / 1e6:.0f} | {drawn:.0f} | {of_drawing:.0%} | {times:.2f} "
            f"| {trained['pictures_per_second']:.0f} | {trained['share_of_peak']:.0%} |"
        )
    click.echo("\n".join(lines))


def _drawing(settings, rounds):
    """Flop a picture, pictures/s of the traced function, its share of the peak, and how many times
    as fast int8 is. The traced function is given token ids, int8 captions, each another.
    """
    painter = _untrained(preset_config("scenes_64").updated(settings))
    captions = real_captions(painter)
    batches = itertools.cycle(_batches([*captions.calibration, *captions.proof]))
    noise = tf.constant(sample_noise(BATCH, painter.config.networks.noise_dim, seed=0))
    ids = painter.tokenizer(next(batches))
    with tempfile.TemporaryDirectory() as folder:
        export_litert(painter, folder, captions, [INT8])
        runtime = RuntimePainter(folder, THREADS, INT8)
        calls = {
            TRACED: lambda: painter.generate_images(ids, noise).numpy(),
            INT8: lambda: runtime.generate(next(batches)),
        }
        peaks, seconds = [], {name: [] for name in calls}
        for _ in range(rounds):
            peaks.append(convolution_peak("float32", repeats=3))
            for name, several in in_turns(calls, 1, lambda name: 3).items():
                seconds[name] += several
    took = {name: statistics.median(several) for name, several in seconds.items()}
    rate, flop = BATCH / took[TRACED], picture_flop(painter.model)
    share = rate * flop / statistics.median(peaks) / 1e9
    return flop, rate, share, took[TRACED] / took[INT8]


def _batches(captions):
    """Of captions each another, more than a painter keeps the encodings of."""
    captions = [*dict.fromkeys(captions)]
    return [captions[n : n + BATCH] for n in range(0, len(captions) - BATCH + 1, BATCH)]


def _untrained(config):
    scenes = load_scenes(1000, config.networks.image_size, seed=0)
    vocabulary = learn_vocabulary(itertools.chain(*scenes.captions), config.text.vocabulary_size)
    return TextToImage(config, vocabulary, build_model(config, len(vocabulary)))


if __name__ == "__main__":
    main()
