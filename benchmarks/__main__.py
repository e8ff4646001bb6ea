"""python -m benchmarks: drawing, training and starting, beside this machine's own peak."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import click

from benchmarks import machine, starting, training
from benchmarks.table import as_markdown, compared
from kgen import files
from kgen.export.exporting import export
from kgen.pipeline import TextToImage
from kgen.real_captions import real_captions
from kgen.runtime.precisions import PRECISIONS

PRESET = "scenes_64"
THREADS = (1, 2)
OFFERED = ("float32", "bfloat16")


@click.command()
@click.option(
    "--exported",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help=f"An export of {PRESET}, of SavedModel and ladder; made anew if left out.",
)
@click.option("--rounds", default=10, show_default=True, help="Turns of each way to draw.")
@click.option("--steps", default=48, show_default=True, help="Training steps to time.")
@click.option("--out", type=click.Path(dir_okay=False), help="JSON file for the figures.")
@click.option("--table", type=click.Path(dir_okay=False), help="Markdown file for the table.")
@click.option(
    "--article",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="What `python -m benchmarks.article` left, for the table.",
)
@click.option("--compare", type=click.Path(exists=True, dir_okay=False), help="JSON of before.")
def main(exported, rounds, steps, out, table, article, compare):
    """Measure everything; minutes. Nothing else should run meanwhile."""
    for part in ("serving", "litert"):
        if exported and not (exported / part).is_dir():
            told = f"{exported} has no {part}: export {PRESET} with --formats saved_model,litert"
            raise click.BadParameter(told, param_hint="--exported")
    beside = files.read_json(article / "figures.json") if article else None
    with tempfile.TemporaryDirectory() as folder:
        if exported is None:
            exported = Path(folder)
            painter = TextToImage.from_preset(PRESET)
            export(painter, exported, ["saved_model", "litert"], real_captions(painter))
        figures = measure(exported, rounds, steps)
    if beside:
        figures["article"] = beside
    if out:
        files.write_json(out, figures)
    if table:
        files.write_text(table, as_markdown(figures))
    click.echo(as_markdown(figures))
    if compare:
        click.echo(compared(files.read_json(compare), figures))


def measure(exported: Path, rounds: int, steps: int) -> dict:
    """All figures, JSON-ready."""
    figures = {
        "machine": machine.describe(),
        "peaks": {
            "matmul": {name: machine.matmul_peak(name) for name in OFFERED},
            "convolution": {name: machine.convolution_peak(name) for name in OFFERED},
        },
        "generation": [
            json.loads(_run("generation", exported, "--threads", n, "--rounds", rounds))
            for n in THREADS
        ],
        "memory": [
            {"name": name, "peak_mb": float(_run("memory", exported, name))}
            for name in ("TextToImage", *PRECISIONS)
        ],
        "training": [{"name": name, **training.measure(name, steps)} for name in OFFERED],
        "starting": starting.measure(exported),
    }
    first = figures["training"][0]["pictures_per_second"]
    for row in figures["training"]:
        row["ratio"] = row["pictures_per_second"] / first
    return figures


def _run(name, *arguments):
    """What another benchmark prints last, in a process of its own."""
    command = [sys.executable, "-m", f"benchmarks.{name}", *map(str, arguments)]
    ran = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return ran.stdout.splitlines()[-1]


if __name__ == "__main__":
    main()
