"""python -m benchmarks.precisions --out runs/precisions: float32 beside bfloat16, step by step.

Each precision learns the same scenes from nothing, by the same seeds, for as many steps. On the
way the averaged model draws held-out captions, and a classifier of real pictures says how often
they are obeyed. The curves stand in one plot.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import importlib.util
import itertools
import statistics
import time
from pathlib import Path

import click
import keras
import numpy as np

from benchmarks.ablation_judging import ATTRIBUTES
from benchmarks.ablation_training import make_ready, pictures_of
from benchmarks.machine import describe
from kgen import files
from kgen.config import DataConfig
from kgen.evaluation.attribute_classifier import train_classifier
from kgen.evaluation.attributes import measure_obedience
from kgen.presets import preset_config

DATA = DataConfig(captions="text,text_zh", num_scenes=12_000)
SIZE, BATCH_SIZE = 64, 32
NUM_JUDGED = 512  # held-out pictures, in both languages
LOSSES = {"d_loss": "D's loss", "g_loss": "G's loss"}
COLOURS = {"float32": "#1f5fa8", "bfloat16": "#d9721c", "float16": "#3d8f4a"}
LINES = ("-", "--", ":")  # by seed


class Curves(keras.callbacks.Callback):
    """Means of the losses, and what is obeyed, after every `interval` steps.

    Attributes:
        points: One dictionary for each: `step`, `seconds` of training, the losses, and the share
            of right attributes by their names.
    """

    def __init__(self, ready, interval, judge):
        super().__init__()
        self._ready, self._interval, self._judge = ready, interval, judge
        self.points, self._seen, self._steps = [], [], []

    def on_train_batch_begin(self, batch, logs=None):
        self._began = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        self._steps.append(time.perf_counter() - self._began)
        self._seen.append([float(logs[name]) for name in LOSSES])
        if (batch + 1) % self._interval == 0:
            losses = dict(zip(LOSSES, np.mean(self._seen, axis=0).tolist()))
            obeyed = self._judge(self._ready.painter())
            point = {"step": batch + 1, "seconds": sum(self._steps), **losses, **obeyed}
            self.points.append(point)
            self._seen = []

    @property
    def pictures_per_second(self) -> float:
        """By the median step."""
        return BATCH_SIZE / statistics.median(self._steps)


@click.command()
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), required=True)
@click.option("--steps", default=1500, show_default=True)
@click.option("--interval", default=150, show_default=True, help="Steps between two points.")
@click.option("--precision", "precisions", multiple=True, default=("float32", "bfloat16"))
@click.option("--seeds", default=2, show_default=True)
@click.option("--plot", type=click.Path(dir_okay=False), help="PNG file for the curves.")
def main(out, steps, interval, precisions, seeds, plot):
    """Train what is not yet in OUT; print where each ends."""
    if plot and importlib.util.find_spec("matplotlib") is None:
        told = "needs matplotlib: pip install '.[benchmarks]'"
        raise click.BadParameter(told, param_hint="--plot")
    test = pictures_of(DATA, SIZE, 0, "test")
    test = test.in_memory(np.arange(min(NUM_JUDGED, len(test))))
    judge = None
    curves = {}
    for seed, precision in itertools.product(range(seeds), precisions):
        file = out / f"{precision}_{seed}_{steps}.json"
        if not file.is_file():
            judge = judge or _judge(test)
            out.mkdir(parents=True, exist_ok=True)
            files.write_json(file, _train(precision, seed, steps, interval, judge))
        curves[precision, seed] = files.read_json(file)
    if plot:
        draw(curves, plot)
    click.echo(as_markdown(curves))


def _judge(test):
    classifier = train_classifier(pictures_of(DATA, SIZE, 0, "train"), ATTRIBUTES["scenes"])

    def judge(painter):
        found = measure_obedience(painter, test, classifier)
        return {name: float(np.mean(of["generated"])) for name, of in found.items()}

    return judge


def _train(precision, seed, steps, interval, judge):
    config = preset_config("pictures_64").updated({
        "networks": {"image_size": SIZE},
        "training": {"batch_size": BATCH_SIZE, "precision": precision, "seed": seed},
    })  # fmt: skip
    config = config.updated({"data": {"captions": DATA.captions, "num_scenes": DATA.num_scenes}})
    ready = make_ready(config)
    curves = Curves(ready, interval, judge)
    ready.fit(steps, [curves])
    rate = curves.pictures_per_second
    return {"machine": describe(), "pictures_per_second": rate, "points": curves.points}


def draw(curves: dict, path: str) -> None:
    """Writes the plot: a colour for each precision, a line for each seed."""
    from matplotlib.figure import Figure  # of the extra `benchmarks`

    names = [*LOSSES, *_attributes(curves)]
    columns = -(-len(names) // 2)
    figure = Figure(figsize=(3.6 * columns, 6), layout="constrained")
    axes = figure.subplots(2, columns)
    for axis, name in itertools.zip_longest(axes.flat, names):
        if name is None:
            axis.set_axis_off()
            continue
        for (precision, seed), of in curves.items():
            steps = [point["step"] for point in of["points"]]
            values = [point[name] for point in of["points"]]
            values = values if name in LOSSES else [100 * value for value in values]
            axis.plot(steps, values, LINES[seed % len(LINES)], color=COLOURS[precision],
                      label=f"{precision}, seed {seed}")  # fmt: skip
        axis.set_title(LOSSES.get(name, f"{name}: obeyed, %"))
        axis.set_xlabel("steps")
        axis.grid(alpha=0.3)
    axes.flat[0].legend(fontsize=8)
    with files.whole_file(path) as unfinished:
        figure.savefig(unfinished, dpi=110, format="png")


def as_markdown(curves: dict) -> str:
    """Where each run ends: losses, and what is obeyed."""
    attributes = _attributes(curves)
    first = next(iter(curves.values()))
    head = ["", "steps", "pictures/s", *LOSSES.values(), *(f"{name}, %" for name in attributes)]
    lines = [first["machine"], "", f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    for (precision, seed), of in curves.items():
        last = of["points"][-1]
        cells = [f"{precision}, seed {seed}", last["step"], f"{of['pictures_per_second']:.0f}"]
        cells += [f"{last[name]:.2f}" for name in LOSSES]
        cells += [f"{100 * last[name]:.1f}" for name in attributes]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)


def _attributes(curves):
    (point, *_) = next(iter(curves.values()))["points"]
    return [name for name in point if name not in ("step", "seconds", *LOSSES)]


if __name__ == "__main__":
    main()
