"""python -m benchmarks.widths: how the share of the peak grows with the channels, as a table.

`scenes_64` has 16 channels at full size and 128 at most. Convolutions take time by the square of
the channels, all else by the channels themselves: the wider the networks, the nearer they come to
the peak of a convolution. Untrained networks, since numbers do not matter to time.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import statistics

import click
import tensorflow as tf

from benchmarks import training
from benchmarks.flop import picture_flop
from benchmarks.machine import convolution_peak, describe, median_seconds
from kgen.model_folder import build_model
from kgen.noise import sample_noise
from kgen.pipeline import TextToImage
from kgen.presets import preset_config

BATCH, VOCABULARY = 64, 200


@click.command()
@click.option("--width", "widths", type=int, multiple=True, default=(16, 32, 64))
@click.option("--steps", default=32, show_default=True, help="Training steps to time.")
@click.option("--rounds", default=10, show_default=True, help="Turns of drawing and peak.")
def main(widths, steps, rounds):
    """Print the table; nothing else should run meanwhile."""
    lines = [
        describe(), "",
        "| channels at full size | MFLOP a picture | drawing 64, pictures/s | share of peak "
        "| training, pictures/s | share of peak |",
        "|---|---|---|---|---|---|",
    ]  # fmt: skip
    for width in widths:
        settings = {"networks": {"width": width, "discriminator_width": width}}
        flop, drawn, of_drawing = _drawing(settings, rounds)
        trained = training.measure("float32", steps, settings)
        lines.append(
            f"| {width} | {flop / 1e6:.0f} | {drawn:.0f} | {of_drawing:.0%} "
            f"| {trained['pictures_per_second']:.0f} | {trained['share_of_peak']:.0%} |"
        )
    click.echo("\n".join(lines))


def _drawing(settings, rounds):
    """Flop a picture, pictures/s of the traced function, and its share of the peak."""
    config = preset_config("scenes_64").updated(settings)
    words = tuple(f"word{n}" for n in range(VOCABULARY))
    painter = TextToImage(config, ("[PAD]", "[UNK]", *words), build_model(config, VOCABULARY + 2))
    ids = tf.random.uniform((BATCH, config.text.caption_length), 2, VOCABULARY, "int32")
    noise = tf.constant(sample_noise(BATCH, config.networks.noise_dim, seed=0))
    painter.generate_images(ids, noise)  # traces
    peaks, seconds = [], []
    for _ in range(rounds):
        peaks.append(convolution_peak("float32", repeats=3))
        seconds.append(median_seconds(lambda: painter.generate_images(ids, noise), repeats=3))
    rate = BATCH / statistics.median(seconds)
    flop = picture_flop(painter.model)
    return flop, rate, rate * flop / statistics.median(peaks) / 1e9


if __name__ == "__main__":
    main()
