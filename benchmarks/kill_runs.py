"""python -m benchmarks.kill_runs: kills small runs at random moments, and compares what is left.

A run is killed (SIGKILL), resumed, killed again… until it ends; then its weights, figures and
samples are compared, bit for bit, with those of a run that nobody killed. The checkpoint that a
kill leaves must be whole, and of a step that the run has taken.
"""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import click
import h5py
import numpy as np

from kgen import files, model_folder
from kgen.config import Config
from kgen.training import checkpoints

# The smallest model that has every part, with a report at every other step, so that much of the
# time goes into writing.
CONFIG = {
    "name": "killed",
    "text": {"encoder": "bag", "caption_length": 8, "embedding_dim": 8, "caption_dim": 8},
    "networks": {"image_size": 32, "noise_dim": 8, "width": 4, "discriminator_width": 4},
    "training": {"batch_size": 4, "penalty_interval": 2, "report_interval": 2},
    "data": {"num_scenes": 24},
}
CHILD = """
import sys
from pathlib import Path
from kgen import files
from kgen.config import Config
from kgen.training import callbacks, run

class Told(callbacks.Report):
    def on_train_begin(self, logs=None):
        super().on_train_begin(logs)
        print("trains", flush=True)

callbacks.Report = Told
out = Path(sys.argv[1])
run.train(Config.from_dict(files.read_json(sys.argv[2])), out, resume=True, progress=False)
"""


def start(config: Path, out: Path) -> subprocess.Popen:
    """A process that trains, or goes on training, in `out`."""
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", CHILD, str(out), str(config)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def seconds_of_training(child: subprocess.Popen) -> float:
    """Waits for the end; seconds from the first step's begin on."""
    child.stdout.readline()
    began = time.monotonic()
    if child.wait():
        raise RuntimeError(f"a run that nobody killed ended with {child.returncode}")
    return time.monotonic() - began


def kill_once(config: Path, out: Path, after: float, from_the_start: bool) -> str | None:
    """Trains until `after` seconds have passed, then kills.

    Args:
        config: The run's configuration, a file.
        out: Its folder.
        after: Seconds to wait.
        from_the_start: Whether to count them from the process's start, not from its first step.

    Returns:
        What the kill left half written or half done, in words; None if the run ended before.
    """
    child = start(config, out)
    if not from_the_start:
        child.stdout.readline()
    try:
        child.wait(timeout=after)
    except subprocess.TimeoutExpired:
        child.send_signal(signal.SIGKILL)
        child.wait()
        return _left(out)
    if child.returncode:
        raise RuntimeError(f"a resumed run ended with {child.returncode}")
    return None


def differences(whole: Path, killed: Path) -> list[str]:
    """Names of all that differs between two runs' folders; empty if they are equal."""
    found = []
    for name in (checkpoints.LAST, model_folder.WEIGHTS):
        left, right = _arrays(whole / name), _arrays(killed / name)
        found += [f"{name}: {key}" for key in left.keys() ^ right.keys()]
        both = left.keys() & right.keys()
        found += [f"{name}: {k}" for k in both if not np.array_equal(left[k], right[k])]
    names = [sorted(p.name for p in (run / "samples").iterdir()) for run in (whole, killed)]
    found += ["names of samples"] * (names[0] != names[1])
    found += [
        f"samples/{name}"
        for name in set(names[0]) & set(names[1])
        if (whole / "samples" / name).read_bytes() != (killed / "samples" / name).read_bytes()
    ]
    return found + ["metrics.jsonl"] * (_figures(whole) != _figures(killed))


def _left(out):
    path = out / checkpoints.LAST
    if not path.is_file():
        return "no checkpoint yet"
    step = checkpoints.read_state(path).step  # raises where it is damaged
    unfinished = [p.name.split(".", 2)[2] for p in out.rglob(".*") if p.is_file()]
    while_writing = f", while writing {unfinished[0]}" if unfinished else ""
    return f"step {step}{while_writing}"


def _arrays(path):
    found = {}
    with h5py.File(path) as file:
        file.visititems(
            lambda n, x: found.update({n: x[()]}) if isinstance(x, h5py.Dataset) else None
        )
    return found


def _figures(run):
    lines = map(json.loads, (run / "metrics.jsonl").read_text().splitlines())
    timed = ("seconds", "pictures_per_second")
    return [{k: v for k, v in line.items() if k not in timed} for line in lines]


@click.command()
@click.option("--times", default=30, show_default=True, help="Kills in all.")
@click.option("--seed", default=0, show_default=True)
@click.option("--steps", default=40, show_default=True, help="Steps of a run.")
def main(times, seed, steps):
    """Kills runs so often; exits with 1 if any ends with other weights."""
    rng = random.Random(seed)
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "config.json"
        settings = CONFIG | {"training": CONFIG["training"] | {"steps": steps}}
        files.write_json(config, Config.from_dict(settings).to_dict())
        whole = Path(folder) / "whole"
        length = seconds_of_training(start(config, whole))
        click.echo(f"a run of {steps} steps trains and writes for {length:.1f} s")
        click.echo("kill  run  after      left behind")
        kills, run, bad = 0, 0, 0
        while kills < times:
            run += 1
            out = Path(folder) / f"run{run}"
            ended = False
            while kills < times and not ended:
                # One in five falls anywhere after the start of the process, loading included.
                early = rng.random() < 0.2
                after = rng.uniform(0, length + 3 * early)
                left = kill_once(config, out, after, early)
                ended = left is None
                if not ended:
                    kills += 1
                    click.echo(f"{kills:4}  {run:3}  {after:5.1f} s{'*' * early:1}   {left}")
            if not ended:
                seconds_of_training(start(config, out))
            found = differences(whole, out)
            bad += bool(found)
            click.echo(f"      {run:3}  ended: {', '.join(found) if found else 'equal'}")
        click.echo(f"{kills} kills, {run} runs, {bad} of them not equal (* from the start)")
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
