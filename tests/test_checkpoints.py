"""Checkpoints are whole or not there, and say what they are."""

import errno
import os

import h5py
import keras
import numpy as np
import pytest

from kgen import files
from kgen.training import checkpoints, full_disk
from kgen.training.checkpoints import Checkpoints, RunState


class Steps(keras.Model):
    """The smallest thing that has weights and counts steps."""

    def __init__(self, width=3):
        super().__init__()
        self.dense = keras.layers.Dense(width)
        self.dense.build((None, 2))
        self.counter = self.add_weight(shape=(), dtype="int32", trainable=False, name="counter")
        self.built = True

    @property
    def steps_taken(self):
        return self.counter

    def call(self, inputs):
        return self.dense(inputs)


def at(step, width=3):
    model = Steps(width)
    model.counter.assign(step)
    model.dense.kernel.assign(np.full((2, width), step))
    return model


def written(run, steps, num_kept=2, bad=()):
    kept = Checkpoints(run, num_kept)
    for step in steps:
        kept.write(at(step), RunState(step, good=step not in bad))
    return kept


def names(run):
    return sorted(path.name for path in (run / checkpoints.KEPT).glob("*"))


def test_what_was_written_comes_back(tmp_path):
    state = RunState(7, good=False, rollbacks=2, figures={"sums": {"损失": 0.1}}, watch={"a": [1]})
    Checkpoints(tmp_path, 2).write(at(7), state)
    model = Steps()
    assert Checkpoints(tmp_path, 2).load(model) == (state, [])
    assert model.dense.kernel.numpy().tolist() == [[7, 7, 7]] * 2


def test_the_last_good_ones_are_kept_beside_the_last(tmp_path):
    written(tmp_path, (0, 10, 20, 30, 40))
    assert names(tmp_path) == ["step_000020.weights.h5", "step_000030.weights.h5"]
    assert checkpoints.read_state(tmp_path / checkpoints.LAST).step == 40


def test_suspicious_ones_do_not_push_out_good_ones(tmp_path):
    kept = written(tmp_path, (10, 20, 30, 40), bad=(30, 40))
    assert names(tmp_path) == ["step_000010.weights.h5", "step_000020.weights.h5"]
    model = Steps()
    assert kept.load(model, good=True)[0].step == int(model.counter) == 20
    assert kept.load(model)[0].step == int(model.counter) == 40


def test_without_a_good_one_the_last_is_taken(tmp_path):
    kept = written(tmp_path, (10,), bad=(10,))
    assert kept.load(Steps(), good=True)[0].step == 10


def test_none_need_be_kept(tmp_path):
    written(tmp_path, (10, 20), num_kept=0)
    assert not (tmp_path / checkpoints.KEPT).exists()


def cut(path):
    path.write_bytes(path.read_bytes()[:-500])


def flip(path):
    """Changes a number deep inside, which HDF5 does not notice."""
    data = bytearray(path.read_bytes())
    place = data.index(np.full(6, 20, "float32").tobytes())
    data[place + 2] ^= 1
    path.write_bytes(bytes(data))


def empty(path):
    path.write_bytes(b"")


def remove(path):
    path.unlink()


@pytest.mark.parametrize("damage", [cut, flip, empty, remove])
def test_a_damaged_last_one_falls_back_to_the_one_before(tmp_path, damage):
    written(tmp_path, (10, 20))
    last = tmp_path / checkpoints.LAST
    damage(last)
    model = Steps()
    again = Checkpoints(tmp_path, 2)
    assert again.exist()
    state, (line,) = again.load(model)
    assert state.step == int(model.counter) == 10
    assert str(last) in line and "Going on from step_000010.weights.h5, step 10." in line
    assert "\n" not in line
    # What is damaged is never kept as a good one.
    again.write(at(20), RunState(20))
    assert names(tmp_path) == ["step_000010.weights.h5"]
    assert Checkpoints(tmp_path, 2).load(model) == (RunState(20), [])


def test_all_damaged_is_an_error_and_no_fresh_start(tmp_path):
    written(tmp_path, (10, 20))
    for path in tmp_path.rglob("*.h5"):
        cut(path)
    with pytest.raises(ValueError, match="no checkpoint of this run can be read") as raised:
        Checkpoints(tmp_path, 2).load(Steps())
    assert "\n" not in str(raised.value)


def test_other_networks_are_refused_in_one_line(tmp_path):
    written(tmp_path, (10,))
    with pytest.raises(ValueError, match="not the weights of the configuration") as raised:
        Checkpoints(tmp_path, 2).load(Steps(width=4))
    assert "\n" not in str(raised.value)


def test_a_checkpoint_of_an_older_version_is_read(tmp_path):
    at(12).save_weights(tmp_path / checkpoints.LAST)
    kept = Checkpoints(tmp_path, 2)
    assert kept.load(Steps())[0] == RunState(12)
    kept.write(at(24), RunState(24))
    assert names(tmp_path) == ["step_000012.weights.h5"]


def test_what_is_not_finite_is_named():
    model = at(1)
    assert checkpoints.not_finite(model) == []
    model.dense.bias.assign([0.0, np.inf, 0.0])
    assert checkpoints.not_finite(model) == [model.dense.bias.path]


def test_a_file_system_without_links_gets_copies(tmp_path, monkeypatch):
    def link(source, target):
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", link)
    written(tmp_path, (10, 20))
    assert names(tmp_path) == ["step_000010.weights.h5"]


# No room


def test_without_room_the_last_one_stays_whole(tmp_path, monkeypatch):
    kept = written(tmp_path, (10,))

    def full(self, path):
        path.write_bytes(b"half")
        # As h5py words it: no errno of its own, the system's in the text.
        raise OSError("Can't synchronously write data (errno = 28, error message = "
                      "'No space left on device')")  # fmt: skip

    monkeypatch.setattr(Steps, "save_weights", full)
    with pytest.raises(OSError, match="no room to write it") as raised:
        kept.write(at(20), RunState(20))
    message = str(raised.value)
    size = full_disk.in_bytes((tmp_path / checkpoints.LAST).stat().st_size)
    assert str(tmp_path / checkpoints.LAST) in message and f"({size} needed, " in message
    assert "free)" in message and "--resume" in message and "\n" not in message
    assert Checkpoints(tmp_path, 2).load(Steps()) == (RunState(10), [])
    assert [p.name for p in tmp_path.glob(".*")] == []


def test_room_is_looked_for_before_anything_is_written(tmp_path, monkeypatch):
    usage = full_disk.shutil.disk_usage(tmp_path)
    monkeypatch.setattr(full_disk.shutil, "disk_usage", lambda path: usage._replace(free=39))
    monkeypatch.setattr(Steps, "save_weights", lambda *_: pytest.fail("it was begun"))
    # 2 · 3 + 3 + 1 numbers of 4 bytes.
    with pytest.raises(OSError, match=r"no room to write it \(40 B needed, 39 B free\)"):
        Checkpoints(tmp_path, 2).write(at(10), RunState(10))


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_every_way_to_have_no_room_is_explained(tmp_path, number):
    with pytest.raises(OSError, match="no room"), full_disk.explained(tmp_path / "图.png"):
        try:
            raise OSError(number, os.strerror(number))
        except OSError as error:  # as a library may hide it
            raise RuntimeError("Can't decrement id ref count") from error


def test_other_failures_keep_their_words(tmp_path):
    with pytest.raises(PermissionError, match="denied"), full_disk.explained(tmp_path):
        raise PermissionError(errno.EACCES, "Permission denied")


def test_a_kept_one_is_the_very_file(tmp_path):
    """A link: keeping costs no time and, until the last is replaced, no room."""
    kept = written(tmp_path, (10,))
    before = os.stat(tmp_path / checkpoints.LAST).st_ino
    kept.write(at(20), RunState(20))
    assert os.stat(tmp_path / checkpoints.KEPT / "step_000010.weights.h5").st_ino == before


def test_state_and_weights_are_one_file(tmp_path):
    written(tmp_path, (10,))
    with h5py.File(tmp_path / checkpoints.LAST) as file:
        assert set(file.attrs) >= {"state", "checksum"}
    files.remove_unfinished(tmp_path)
    assert (tmp_path / checkpoints.LAST).is_file()
