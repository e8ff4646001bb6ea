"""A run that is stopped, by whatever and at any moment, ends as if it had not been."""

import json
import os
import resource
import signal
import subprocess
import sys
import time

import h5py
import numpy as np
import pytest
from test_run import drawn_pictures

from kgen import files, model_folder
from kgen.config import Config
from kgen.training import checkpoints, run

TESTS = os.path.dirname(__file__)

# Trains, tells each step, and then waits a little, so that the parent can hit a moment.
CHILD = """
import signal, sys, time
sys.path.insert(0, {tests!r})
# A job in the background may have inherited that Ctrl-C is ignored, which the run would respect.
signal.signal(signal.SIGINT, signal.default_int_handler)
from kgen import files
from kgen.config import Config
from kgen.training import callbacks, run, stopping
from test_run import drawn_pictures

class Told(callbacks.StopAt):
    def on_train_batch_end(self, batch, logs=None):
        super().on_train_batch_end(batch, logs)
        print(int(self.model.steps_taken), flush=True)
        time.sleep({pause})

callbacks.StopAt = Told
config = Config.from_dict(files.read_json({config!r}))
try:
    run.train(config, {out!r}, resume=True, progress=False, pictures=drawn_pictures())
except stopping.Stopped as stop:
    print("stopped", stop.step, flush=True)
    sys.exit(128 + stop.number)
"""


def start(config, out, pause=0.3, **options):
    path = out.with_suffix(".json")
    files.write_json(path, config.to_dict())
    code = CHILD.format(tests=TESTS, config=str(path), out=str(out), pause=pause)
    return subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def wait_for_step(child, step):
    for line in child.stdout:
        if line == f"{step}\n":
            return
    pytest.fail(f"ended before step {step}: {child.stderr.read()[-2000:]}")


def written(out):
    """What must not depend on stops: figures' steps and losses, and the bytes of every sample."""
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    for line in lines:
        del line["seconds"], line["pictures_per_second"]
    samples = {p.name: p.read_bytes() for p in sorted((out / "samples").iterdir())}
    return lines, samples


def arrays(path):
    found = {}
    with h5py.File(path) as file:
        file.visititems(
            lambda n, x: found.update({n: x[()]}) if isinstance(x, h5py.Dataset) else None
        )
    return found


@pytest.fixture(scope="module")
def config(tiny_config) -> Config:
    return tiny_config.updated({"training": {"report_interval": 3}})


@pytest.fixture(scope="module")
def uninterrupted(config, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "whole"
    return run.train(config, out, progress=False, pictures=drawn_pictures())


def test_a_run_killed_starved_and_stopped_ends_as_if_it_had_not_been(
    uninterrupted, config, tmp_path
):
    out = tmp_path / "run"
    last = out / checkpoints.LAST

    child = start(config, out)
    wait_for_step(child, 3)  # the report of step 3 is about to be written
    time.sleep(0.35)
    child.kill()
    assert child.wait() == -signal.SIGKILL
    assert last.is_file()

    before, size = last.read_bytes(), last.stat().st_size
    # No file may become as large as a checkpoint: to the process, a full disk.
    child = start(config, out, preexec_fn=limit_files(size - 1))
    _, errors = child.communicate()
    assert child.returncode == 1
    line = errors.strip().splitlines()[-1]
    assert line.startswith(f"OSError: {last}: no room to write it (")
    assert " needed, " in line and " free)" in line and "--resume" in line
    assert last.read_bytes() == before
    assert [p for p in out.rglob(".*")] == []

    child = start(config, out)
    wait_for_step(child, 4)
    child.send_signal(signal.SIGINT)
    told, _ = child.communicate()
    assert child.returncode == 130
    step = int(told.split()[-1])
    assert told.split()[-2] == "stopped"
    assert 4 <= checkpoints.read_state(last).step == step < 8

    assert start(config, out, pause=0).wait() == 0
    for name in (checkpoints.LAST, model_folder.WEIGHTS):
        left, right = arrays(uninterrupted / name), arrays(out / name)
        assert left.keys() == right.keys() and len(left) > 20
        assert [key for key in left if not np.array_equal(left[key], right[key])] == []
    # Also the means of steps 4 to 6, in the midst of which it was stopped.
    assert written(out) == written(uninterrupted)


def limit_files(size):
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))


def test_a_first_signal_waits_for_the_step_and_a_second_does_not(config, tmp_path):
    child = start(config, tmp_path / "run", pause=60)
    wait_for_step(child, 1)
    child.send_signal(signal.SIGTERM)
    with pytest.raises(subprocess.TimeoutExpired):
        child.wait(timeout=1)
    child.send_signal(signal.SIGTERM)
    assert child.wait(timeout=30) == -signal.SIGTERM
    assert checkpoints.read_state(tmp_path / "run" / checkpoints.LAST).step == 0
