"""At full size: kill -9 loses nothing. Slow (minutes): pytest -m slow."""

import signal
import subprocess
import sys
import time

import h5py
import numpy as np
import pytest

OPTIONS = [
    "--preset", "scenes_64", "--precision", "float32", "--set", "data.num_scenes=256",
    "--set", "training.report_interval=8", "--set", "training.penalty_interval=4", "--steps", "24",
]  # fmt: skip


def start(out, *more):
    return subprocess.Popen(
        [sys.executable, "-m", "kgen.cli", "train", "--out", out, *OPTIONS, *more],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def arrays(path):
    found = {}
    with h5py.File(path) as file:
        file.visititems(
            lambda name, item: found.update({name: item[()]})
            if isinstance(item, h5py.Dataset)
            else None
        )
    return found


@pytest.mark.slow
def test_a_run_killed_at_full_size_ends_with_the_same_weights(tmp_path):
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    assert start(whole).wait() == 0

    child = start(killed)
    while not (killed / "checkpoint.weights.h5").is_file():
        assert child.poll() is None
        time.sleep(0.2)
    time.sleep(1.5)  # into the steps after the checkpoint
    child.send_signal(signal.SIGKILL)
    assert child.wait() == -signal.SIGKILL
    assert not (killed / "samples" / "step_000024.png").exists()
    assert start(killed, "--resume").wait() == 0

    for name in ("checkpoint.weights.h5", "model.weights.h5"):
        left, right = arrays(whole / name), arrays(killed / name)
        assert left.keys() == right.keys()
        assert len(left) > 50
        for key in left:
            np.testing.assert_array_equal(left[key], right[key], err_msg=f"{name}: {key}")
