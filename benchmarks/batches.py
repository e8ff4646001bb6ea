"""python -m benchmarks.batches: pictures a second by batch and threads, TensorFlow beside LiteRT.

All of a number of threads in one process and in turns, beside the convolution peak, since the
machine's speed changes from minute to minute.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import itertools
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click
import tensorflow as tf

from benchmarks.flop import picture_flop
from benchmarks.machine import convolution_peak, describe
from kgen.export.litert.exporting import export_litert
from kgen.noise import sample_noise
from kgen.pipeline import TextToImage
from kgen.real_captions import real_captions
from kgen.runtime.painter import RuntimePainter
from kgen.runtime.precisions import PRECISIONS

BATCHES = (1, 8, 64)
THREADS = (1, 2)
MOST = max(BATCHES)
FUNCTION, PEAK = "traced function", "peak"


@click.command()
@click.argument("preset", default="scenes_64")
@click.option("--litert", type=click.Path(exists=True, file_okay=False, path_type=Path),
              help="The ladder of an export of the preset; exported anew if left out.")  # fmt: skip
@click.option("--rounds", default=15, show_default=True, help="Turns of each.")
@click.option("--stream", "num_streamed", default=0, help="Pictures to stream, too.")
@click.option("--only-threads", type=int, hidden=True)
def main(preset, litert, rounds, num_streamed, only_threads):
    """Pictures a second of a preset, and what of the convolution peak that is."""
    if only_threads:
        click.echo(json.dumps(_measured(preset, litert, rounds, only_threads)))
        return
    with tempfile.TemporaryDirectory() as folder:
        if litert is None:
            painter = TextToImage.from_preset(preset)
            export_litert(painter, folder, real_captions(painter))
            litert = Path(folder) / "litert"
        for threads in THREADS:
            command = ["batches", preset, "--rounds", rounds, "--only-threads", threads]
            _tell(threads, json.loads(_run([*command, "--litert", litert]).splitlines()[-1]))
        if num_streamed:
            click.echo(_run(["streaming", litert, "--num", num_streamed]))


def _run(command):
    """What another benchmark prints, in a process of its own."""
    command = [sys.executable, "-m", f"benchmarks.{command[0]}", *map(str, command[1:])]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.rstrip()


def _measured(preset, litert, rounds, threads):
    """Median seconds a call, by name and batch; the peak, in GFLOP/s; FLOP of a picture."""
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    painter = TextToImage.from_preset(preset)
    painters = {"TextToImage": painter} | {
        f"LiteRT {p}": RuntimePainter(litert, threads, p) for p in PRECISIONS
    }
    captions = [*dict.fromkeys(real_captions(painter).proof)]
    calls = {(FUNCTION, batch): _function(painter, captions, batch) for batch in BATCHES}
    for (name, each), batch in itertools.product(painters.items(), BATCHES):
        calls[name, batch] = _new_captions(each, captions, batch)
        calls[f"{name}, captions again", batch] = _same_captions(each, captions, batch)
    seconds, peaks = {call: [] for call in calls}, []
    for _ in range(rounds):
        peaks.append(convolution_peak("float32", repeats=3))
        for name, call in calls.items():
            seconds[name].append(_seconds(call, MOST // name[1] if name[1] > 1 else 8))
    medians = [[*name, statistics.median(several)] for name, several in seconds.items()]
    flop = picture_flop(painter.model)
    return {"machine": describe(), PEAK: statistics.median(peaks), "flop": flop, "rows": medians}


def _function(painter, captions, batch):
    token_ids = painter.tokenizer(captions[:batch])
    noise = sample_noise(batch, painter.config.networks.noise_dim, seed=0)
    return lambda: painter.generate_images(token_ids, noise).numpy()


def _new_captions(painter, captions, batch):
    numbered = (f"{caption} {n}" for n, caption in enumerate(itertools.cycle(captions)))
    return lambda: painter.generate([*itertools.islice(numbered, batch)])


def _same_captions(painter, captions, batch):
    return lambda: painter.generate(captions[:batch])


def _seconds(call, times):
    call()  # another one has been in the caches
    began = time.perf_counter()
    for _ in range(times):
        call()
    return (time.perf_counter() - began) / times


def _tell(threads, figures):
    seconds = {(name, batch): took for name, batch, took in figures["rows"]}
    peak, flop = figures[PEAK], figures["flop"]
    click.echo(f"{figures['machine']}: {threads} thread{'s' * (threads > 1)}")
    click.echo(f"convolution peak {peak:.0f} GFLOP/s; {flop / 1e6:.0f} MFLOP a picture")
    click.echo("| pictures/s | " + " | ".join(f"batch {batch}" for batch in BATCHES) + " |")
    click.echo("|---|" + "---|" * len(BATCHES))
    for name in dict.fromkeys(name for name, _ in seconds):
        rates = [batch / seconds[name, batch] for batch in BATCHES]
        cells = [f"{rate:.0f} ({100 * rate * flop / peak / 1e9:.0f} % of peak)" for rate in rates]
        click.echo(f"| {name} | " + " | ".join(cells) + " |")
    ratio = seconds[FUNCTION, MOST] / seconds["LiteRT int8", MOST]
    click.echo(
        f"batch {MOST}: LiteRT int8 draws {ratio:.1f} times as fast as the traced function\n"
    )


if __name__ == "__main__":
    main()
