"""python -m benchmarks: prints the table, and writes JSON where asked."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import click

from benchmarks import generation, machine, training
from kgen import files
from kgen.config import PRECISIONS


@click.command()
@click.option("--steps", default=60, show_default=True, help="Training steps to time.")
@click.option("--precision", "precisions", multiple=True, type=click.Choice(PRECISIONS))
@click.option("--out", type=click.Path(dir_okay=False), help="JSON file for the figures.")
def main(steps, precisions, out):
    """Training and generation at 64 px, beside this machine's own convolution peak."""
    figures = {"machine": machine.describe()}
    click.echo(figures["machine"])
    for precision in precisions or PRECISIONS:
        row = training.measure(precision, steps)
        figures[f"training {precision}"] = row
        click.echo(
            f"training, {precision}: {row['pictures_per_second']:.0f} pictures/s "
            f"({row['gflops']:.0f} GFLOP/s, {100 * row['share_of_peak']:.0f} % of the convolution "
            f"peak of {row['peak_gflops']:.0f}); the data pipeline alone gives "
            f"{row['pipeline_ratio']:.0f} times as many"
        )
        blocks = training.measure(precision, steps, pixel_size=2)["pictures_per_second"]
        figures[f"pixel art {precision}"] = blocks
        click.echo(
            f"pixel art in blocks of 2 x 2, {precision}: "
            f"{blocks / row['pictures_per_second']:.1f} times as many pictures/s"
        )
    row = generation.measure()
    figures["generation"] = row
    click.echo(
        f"one warm picture: {row['traced_ms']:.2f} ms traced, {row['compiled_ms']:.2f} ms "
        f"compiled by XLA, {row['predict_ms']:.1f} ms by "
        f"Keras' predict ({row['predict_ms'] / row['traced_ms']:.0f} times as long)"
    )
    if out:
        files.write_json(out, figures)


if __name__ == "__main__":
    main()
