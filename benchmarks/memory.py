"""python -m benchmarks.memory EXPORTED RUNTIME: the peak memory of a process that draws, in MB."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from pathlib import Path

import click

from kgen.runtime.painter import RuntimePainter

CAPTIONS = ["two red boats on a calm lake at dawn", "正午的大海，左边是太阳"] * 32
TIMES = 5


@click.command()
@click.argument("exported", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.argument("runtime")
@click.option("--preset", default="scenes_64", show_default=True)
@click.option("--batch", default=64, show_default=True)
def main(exported, runtime, preset, batch):
    """Draw some batches by TensorFlow or by a LiteRT precision, and print the most that it took."""
    painter = _painter(exported, runtime, preset)
    for _ in range(TIMES):
        painter.generate(CAPTIONS[:batch])
    click.echo(_peak_megabytes())


def _peak_megabytes():
    """Not by `getrusage`, which counts what the process was forked from, too."""
    with open("/proc/self/status", encoding="ascii") as file:
        (line,) = (line for line in file if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024 / 1e6


def _painter(exported, runtime, preset):
    if runtime != "TextToImage":
        return RuntimePainter(exported, precision=runtime)
    from kgen.pipeline import TextToImage  # half a gigabyte, which is what is measured

    return TextToImage.from_preset(preset)


if __name__ == "__main__":
    main()
