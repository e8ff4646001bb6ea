"""Checkpoints of a run: whole or not at all, never poisoned, checked when they are read.

    checkpoint.weights.h5             the last
    checkpoints/step_000250.weights.h5   good ones before it, to go back to

Beside the weights a file holds, as attributes, the run's state (`RunState`) and a checksum, so
that weights and state cannot contradict each other.
"""

import dataclasses
import json
import os
import shutil
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np

from kgen import files
from kgen.model_folder import checksum
from kgen.training import full_disk

LAST = "checkpoint.weights.h5"
KEPT = "checkpoints"


@dataclass(frozen=True)
class RunState:
    """What a run knows beside its weights.

    Attributes:
        step: Steps taken.
        good: Whether nothing seemed wrong, so that a run may go back here.
        rollbacks: Times that the run has gone back so far.
        figures: What `callbacks.Figures` has summed since the last report.
        watch: What `watch.Watch` has counted.
        best: Step and figures of the best weights so far, where the run is validated.
    """

    step: int
    good: bool = True
    rollbacks: int = 0
    figures: dict[str, Any] = field(default_factory=dict)
    watch: dict[str, Any] = field(default_factory=dict)
    best: dict[str, Any] = field(default_factory=dict)


class DamagedCheckpoint(Exception):
    """A file that is not what was written."""


class Checkpoints:
    """The checkpoints of one run.

    Args:
        run: The run's folder.
        num_kept: Good checkpoints kept beside the last.
    """

    def __init__(self, run: Path, num_kept: int):
        self.last_path = run / LAST
        self.folder = run / KEPT
        self.num_kept = num_kept
        self.last = None  # the state in `last_path`, where that is known to be whole

    def write(self, gan: keras.Model, state: RunState) -> None:
        """Writes the last checkpoint; the one that it replaces is kept, if it was good.

        A process killed at any moment of this leaves the checkpoint before or this one.

        Raises:
            OSError: It cannot be written; the checkpoint before is still there.
        """
        if self.num_kept and self.last and self.last.good and self.last.step < state.step:
            kept = self.folder / _name(self.last.step)
            with full_disk.explained(kept), files.whole_file(kept) as beside:
                _link(self.last_path, beside)
        write_weights(gan, self.last_path, dataclasses.asdict(state))
        self.last = state
        for path in self._kept()[self.num_kept :]:
            path.unlink()

    def exist(self) -> bool:
        """Whether there is any."""
        return self.last_path.is_file() or bool(self._kept())

    def load(self, gan: keras.Model, good: bool = False) -> tuple[RunState, list[str]]:
        """Loads the newest checkpoint that can be read.

        Args:
            gan: What to load it into.
            good: Whether to pass over those at which something seemed wrong, if there are others.

        Returns:
            Its state, and a line for each damaged file that was passed over.

        Raises:
            ValueError: None can be read, or they are of another configuration.
        """
        whole, lines = [], []
        for path in (self.last_path, *self._kept()):
            try:
                whole.append((path, read_state(path)))
            except (FileNotFoundError, DamagedCheckpoint) as error:
                lines.append(str(error))
        if not whole:
            raise ValueError(
                f"{self.last_path}: no checkpoint of this run can be read ({' '.join(lines)}) "
                "Restore one, or train in another folder."
            )
        path, state = next((one for one in whole if good and one[1].good), whole[0])
        load_weights(gan, path)
        # Versions of kgen that wrote no state did not name the step.
        state = dataclasses.replace(state, step=int(gan.steps_taken))
        self.last = state if path == self.last_path else None
        return state, [f"{line} Going on from {path.name}, step {state.step}." for line in lines]

    def _kept(self):
        """Newest first."""
        found = self.folder.glob("step_*.weights.h5")
        return sorted(found, key=lambda path: (len(path.name), path.name), reverse=True)


def write_weights(model: keras.Model, path: Path, state: dict[str, Any]) -> None:
    """Writes weights with a state and a checksum, whole or not at all.

    Raises:
        OSError: They cannot be written.
    """
    needed = sum(int(np.prod(v.shape)) * 4 for v in all_variables(model))
    if path.is_file():  # with what HDF5 adds
        needed = max(needed, path.stat().st_size)
    with full_disk.explained(path, needed), files.whole_file(path) as beside:
        full_disk.check_room(path, needed)  # HDF5 prints traces when it finds out by itself
        model.save_weights(beside)
        with h5py.File(beside, "r+") as file:
            file.attrs["state"] = json.dumps(state)
            file.attrs["checksum"] = checksum(file)


def read_state(path: Path) -> RunState:
    """The state in a checkpoint, once its checksum was found right.

    Raises:
        FileNotFoundError: There is no such file.
        DamagedCheckpoint: It is not what was written.
    """
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing.")
    try:
        with h5py.File(path, "r") as file:
            if "checksum" not in file.attrs:
                return RunState(step=-1)  # of a version of kgen that wrote none
            if int(file.attrs["checksum"]) != checksum(file):
                raise DamagedCheckpoint(f"{path} is damaged (its checksum is wrong).")
            return RunState(**json.loads(file.attrs["state"]))
    except (OSError, RuntimeError, KeyError, TypeError, ValueError) as error:
        first = str(error).splitlines()[0].rstrip(".")
        raise DamagedCheckpoint(f"{path} is damaged ({first}).") from None


def load_weights(gan: keras.Model, path: Path) -> None:
    """Loads all weights and optimizers.

    Raises:
        ValueError: They are of other networks.
    """
    try:
        with warnings.catch_warnings():
            # Keras warns of layers that a file lacks and leaves them as they were first set.
            warnings.filterwarnings("error", message="Skipping")
            gan.load_weights(path)
    except (OSError, ValueError, KeyError, UserWarning) as error:
        raise ValueError(
            f"{path}: these are not the weights of the configuration beside it "
            f"({str(error).splitlines()[0].partition('. ')[0].rstrip('.')}). Put the run's own "
            "config.json and vocabulary.txt back, or train in another folder."
        ) from None


def not_finite(gan: keras.Model) -> list[str]:
    """Names of all weights and optimizers' variables that hold NaN or an infinity."""
    return [v.path for v in all_variables(gan) if not np.isfinite(v.numpy()).all()]


def all_variables(model: keras.Model) -> list[keras.Variable]:
    """A model's weights and, if it is a GAN, both optimizers' variables."""
    names = ("generator_optimizer", "discriminator_optimizer")
    optimizers = [getattr(model, name) for name in names if hasattr(model, name)]
    return [*model.variables, *(v for optimizer in optimizers for v in optimizer.variables)]


def _name(step):
    return f"step_{step:06d}.weights.h5"


def _link(source, target):
    """The same file under a second name; a copy where the file system knows no links."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
