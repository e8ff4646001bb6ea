"""python -m benchmarks.failing_runs: runs that are made to fail, and what they say of it."""

import dataclasses
import os
import tempfile
import time
import warnings
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import click
import numpy as np

from kgen.data.scenes import load_scenes
from kgen.presets import preset_config

# What each run is given beside the preset `scenes_32`.
FAILURES = {
    "healthy": {},
    "nan": {"generator_rate": 1.0, "discriminator_rate": 1.0},
    # D does not learn, so that G can please it with one picture.
    "collapse": {
        "generator_rate": 0.01,
        "discriminator_rate": 0.0,
        "contrastive_weight": 0.0,
        "batch_size": 8,
    },
    "captions": {},
    "winning": {"generator_rate": 0.1},
}


def fail(name: str, out: Path, steps: int, interval: int) -> str | None:
    """Trains a small model that is made to fail.

    Args:
        name: A key of `FAILURES`.
        out: The run's folder, a new one.
        steps: Steps in all.
        interval: Steps between two reports.

    Returns:
        The line with which the run ended, if it ended badly.
    """
    from kgen.training.run import train

    pictures = load_scenes(4000, 32, seed=0)
    if name == "captions":
        order = np.random.default_rng(0).permutation(len(pictures))
        captions = tuple(pictures.captions[i] for i in order)
        pictures = dataclasses.replace(pictures, captions=captions)
    training = {"steps": steps, "report_interval": interval, **FAILURES[name]}
    config = preset_config("scenes_32").updated({"training": training})
    try:
        train(config, out, pictures=pictures, progress=False)
    except ValueError as error:
        return str(error)
    return None


@click.command()
@click.argument("names", nargs=-1)
@click.option("--steps", default=2000, show_default=True)
@click.option("--interval", default=250, show_default=True, help="Steps between two reports.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder to keep the runs in.")
def main(names, steps, interval, out):
    """Trains, for each of NAMES (all by default), a small run that fails in that way."""
    warnings.showwarning = lambda text, *_where, **_to: click.echo(f"  {text}")
    for name in names or FAILURES:
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            click.echo(f"{name}: {FAILURES[name] or 'the preset as it is'}")
            end = fail(name, (out or Path(folder)) / name, steps, interval)
        ended = "ended as failed" if end else "ran to its end"
        click.echo(f"  {ended} after {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
