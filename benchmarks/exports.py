"""python -m benchmarks.exports: LiteRT files beside each other, Keras, and the runtime.

All in one run, in turns, since the machine's speed changes from minute to minute.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import itertools
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click
from ai_edge_litert.interpreter import Interpreter

from benchmarks.machine import describe
from benchmarks.timing import in_turns, summary
from kgen.export.litert.exporting import export_litert
from kgen.export.proof import latency
from kgen.noise import sample_noise
from kgen.pipeline import TextToImage
from kgen.real_captions import real_captions
from kgen.runtime.painter import RuntimePainter
from kgen.runtime.precisions import PRECISIONS, file_name

CAPTIONS = ["two red boats on a calm lake at dawn, with mountains behind", "正午的大海，左边是太阳"]
THREADS = (1, 2)
ROUNDS, IN_A_ROUND = 60, 5


@click.command()
@click.argument("preset", default="scenes_64")
@click.option("--litert", type=click.Path(exists=True, file_okay=False, path_type=Path),
              help="The ladder of an export of the preset; exported anew if left out.")  # fmt: skip
def main(preset, litert):
    """Sizes of a preset's LiteRT files, and times of one picture."""
    click.echo(describe())
    painter = TextToImage.from_preset(preset)
    with tempfile.TemporaryDirectory() as folder:
        if litert is None:
            export_litert(painter, folder, real_captions(painter))
            litert = Path(folder) / "litert"
        _sizes(painter, litert)
        _times(painter, litert)
        _warm(litert)
        _cold(litert)


def _sizes(painter, litert):
    parameters = painter.model.count_params()
    click.echo(f"{parameters:,} parameters")
    for precision in PRECISIONS:
        size = (litert / file_name("model", precision)).stat().st_size
        click.echo(f"{precision}: {size:,} bytes, {size / parameters:.2f} a parameter")


def _times(painter, litert):
    token_ids = painter.tokenizer(CAPTIONS[:1]).numpy()
    noise = sample_noise(1, painter.config.networks.noise_dim, seed=0)
    given = {"token_ids": token_ids, "noise": noise}
    calls = {}
    for precision in PRECISIONS:
        for threads in THREADS:
            path = str(litert / file_name("model", precision))
            run = Interpreter(path, num_threads=threads).get_signature_runner("serving_default")
            calls[precision, threads] = lambda run=run: run(**given)
    took = _medians(calls, ROUNDS)
    predict = _medians({"": lambda: painter.model.predict(given, verbose=0)}, 6)[""]
    for threads in THREADS:
        fastest = took["int8", threads]
        each = ", ".join(f"{name} {took[name, threads]:.2f} ms" for name in PRECISIONS)
        click.echo(
            f"one picture, {threads} thread{'s' * (threads > 1)}: {each}; int8 is "
            f"{took['float32', threads] / fastest:.1f} times as fast as float32, and "
            f"{predict / fastest:.0f} times as fast as Keras' predict ({predict:.0f} ms)"
        )


def _warm(litert):
    """From a caption to pixels, by `RuntimePainter`."""
    each = []
    for precision in PRECISIONS:  # one after the other: in turns none would be warm
        painter = RuntimePainter(litert, precision=precision)
        # Each another, or its encoding would be found again.
        captions = (f"{c} {n}" for n, c in enumerate(itertools.cycle(CAPTIONS)))
        median, most = latency(lambda: painter.generate(next(captions), seed=7), num=400)  # noqa: B023
        each.append(f"{precision} {median:.2f} ms (95 % within {most:.2f})")
    click.echo(f"a warm picture from its caption, 2 threads: {', '.join(each)}")


def _cold(litert):
    """From the shell to a PNG, by `kgen generate`."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "kgen.cli", "generate", CAPTIONS[1], "--out", folder]
        took = []
        for _ in range(7):
            began = time.perf_counter()
            subprocess.run([*command, "--preset", litert], check=True, capture_output=True)
            took.append(time.perf_counter() - began)
    click.echo(
        f"kgen generate, cold: {statistics.median(took):.2f} s, at most {max(took):.2f} s"
    )


def _medians(calls, rounds):
    """Median milliseconds of each call."""
    taken = in_turns(calls, rounds, lambda name: IN_A_ROUND)
    return {name: summary(seconds)["median_ms"] for name, seconds in taken.items()}


if __name__ == "__main__":
    main()
