"""python -m benchmarks.streaming LITERT: memory and speed of pictures that do not end.

By the cheapest path: 8 bits, without TensorFlow, every caption another.
"""

import itertools
import os
import time

import click

from kgen.runtime.painter import RuntimePainter

CAPTIONS = [
    "two red boats on a calm lake at dawn",
    "正午的大海，左边是太阳",
    "a snowy night",
    "深夜",
]
A_MILLION, IN_A_PART = 1_000_000, 1000


@click.command()
@click.argument("litert", type=click.Path(exists=True, file_okay=False))
@click.option("--num", default=20_000, show_default=True, help="Pictures to draw.")
@click.option("--precision", default="int8", show_default=True)
@click.option("--threads", default=2, show_default=True)
@click.option("--price", default=0.04, show_default=True, help="Of a core for an hour.")
def main(litert, num, precision, threads, price):
    """Memory after every 1,000 pictures, and pictures a second."""
    painter = RuntimePainter(litert, threads, precision)
    numbered = (f"{c} {i}" for i, c in enumerate(itertools.cycle(CAPTIONS)))
    pictures = painter.stream(numbered)
    next(pictures)
    sizes, began = [], time.perf_counter()
    for n, _ in enumerate(itertools.islice(pictures, num), start=1):
        if n % IN_A_PART == 0:
            sizes.append(_resident_megabytes())
    rate = num / (time.perf_counter() - began)
    pictures.close()
    click.echo(
        f"{precision}, {threads} threads: {rate:.0f} pictures/s, each of a caption of its own"
    )
    click.echo("MB after every 1,000 pictures: " + " ".join(f"{size:.1f}" for size in sizes))
    core_hours = threads * A_MILLION / rate / 3600
    click.echo(
        f"on paper, a million captions: {A_MILLION / rate / 60:.1f} minutes, {core_hours:.2f} "
        f"hours of a core, {price * core_hours:.3f} at {price:g} an hour"
    )


def _resident_megabytes():
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


if __name__ == "__main__":
    main()
