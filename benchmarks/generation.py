"""python -m benchmarks.generation EXPORTED --threads 2: drawing, by runtime and batch, as JSON.

A process of its own for each number of threads, which TensorFlow takes once. All in turns, beside
the convolution peak.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import itertools
import json
import statistics
from pathlib import Path

import click
import tensorflow as tf
import tensorflow_text  # noqa: F401  the SavedModel's operators

from benchmarks.flop import picture_flop
from benchmarks.machine import convolution_peak
from benchmarks.timing import in_turns, summary
from kgen.noise import sample_noise
from kgen.pipeline import TextToImage
from kgen.real_captions import real_captions
from kgen.runtime.painter import RuntimePainter
from kgen.runtime.precisions import PRECISIONS

BATCHES = (1, 8, 64)
PREDICT, TRACED = "Keras predict", "traced function"
TEXT_TO_IMAGE, SAVED_MODEL = "TextToImage", "SavedModel"
AGAIN = ", captions again"


@click.command()
@click.argument("exported", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--preset", default="scenes_64", show_default=True)
@click.option("--threads", default=2, show_default=True)
@click.option("--rounds", default=10, show_default=True, help="Turns of each.")
def main(exported, preset, threads, rounds):
    """Print milliseconds, pictures a second and shares of the peak."""
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)
    painter = TextToImage.from_preset(preset)
    calls = _calls(painter, exported, threads)
    peaks, seconds = [], {}
    for _ in range(rounds):
        peaks.append(convolution_peak("float32", repeats=3))
        for name, several in in_turns(calls, 1, lambda name: _repeats(name[1])).items():
            seconds.setdefault(name, []).extend(several)
    peak, flop = statistics.median(peaks), picture_flop(painter.model)
    rows = []
    for (name, batch), several in seconds.items():
        took = summary(several)
        rate = 1e3 * batch / took["median_ms"]
        rows.append({
            "name": name, "batch": batch, "threads": threads, **took, "pictures_per_second": rate,
            "share_of_peak": rate * flop / peak / 1e9,
            "ratio": statistics.median(seconds[PREDICT, batch]) / statistics.median(several),
        })  # fmt: skip
    click.echo(json.dumps({"peak_gflops": peak, "flop": flop, "rows": rows}))


def _repeats(batch):
    return {1: 20, 8: 6}.get(batch, 3)


def _calls(painter, exported, threads):
    """What is timed, by runtime and batch."""
    runtimes = {f"LiteRT {p}": RuntimePainter(exported, threads, p) for p in PRECISIONS}
    painters = {TEXT_TO_IMAGE: painter} | runtimes
    captions = real_captions(painter)
    # More than a painter keeps the encodings of, so that none of those is found again.
    captions = [*dict.fromkeys((*captions.calibration, *captions.proof))]
    served = tf.saved_model.load(_version(exported, painter.name)).signatures["from_ids"]
    calls = {}
    for batch in BATCHES:
        given = {
            "token_ids": painter.tokenizer(captions[:batch]),
            "noise": tf.constant(sample_noise(batch, painter.config.networks.noise_dim, seed=0)),
        }
        calls |= {
            (PREDICT, batch): lambda given=given: painter.model.predict(given, verbose=0),
            (TRACED, batch): lambda given=given: painter.generate_images(**given).numpy(),
            (SAVED_MODEL, batch): lambda given=given: served(**given)["image"].numpy(),
        }
    for (name, each), batch in itertools.product(painters.items(), BATCHES):
        calls[name, batch] = _new_captions(each, captions, batch)
        calls[name + AGAIN, batch] = lambda each=each, some=captions[:batch]: each.generate(some)
    return calls


def _new_captions(painter, captions, batch):
    firsts = itertools.cycle(range(0, len(captions) - batch + 1, batch))

    def call():
        first = next(firsts)
        return painter.generate(captions[first : first + batch], seed=first)

    return call


def _version(exported, name):
    """The newest version of the SavedModel in an export."""
    versions = (exported / "serving" / name).iterdir()
    return os.fspath(max(versions, key=lambda path: int(path.name)))


if __name__ == "__main__":
    main()
