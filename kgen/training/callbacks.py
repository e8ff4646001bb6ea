"""What happens around the steps: figures, reports, the end."""

import contextlib
import json
import math
import time
from pathlib import Path
from typing import Any

import keras
import tensorflow as tf

from kgen import files
from kgen.training import full_disk
from kgen.training.findings import WentWrong
from kgen.training.stopping import Notice

SMALLER_RATES = "Lower training.generator_rate and training.discriminator_rate."


class StopAt(keras.callbacks.Callback):
    """Ends training at a step, at a time or when asked to, whichever comes first.

    Args:
        step: Steps in all, over resumed runs.
        seconds: Seconds from the start of the first `fit`, or None.
        notice: Says when the run is asked to stop.
    """

    def __init__(self, step: int, seconds: float | None = None, notice: Notice | None = None):
        super().__init__()
        self.step = step
        self.seconds = seconds
        self.notice = notice or Notice()
        self.began = None

    def on_train_begin(self, logs=None):
        self.began = self.began or time.monotonic()

    def on_train_batch_end(self, batch, logs=None):
        asked = self.notice.number is not None
        if asked or self.is_late() or int(self.model.steps_taken) >= self.step:
            self.model.stop_training = True

    def is_late(self) -> bool:
        """Whether the time is up."""
        if self.seconds is None or self.began is None:
            return False
        return time.monotonic() - self.began >= self.seconds


class Figures(keras.callbacks.Callback):
    """Means of the losses since the last report: to `metrics.jsonl` and to TensorBoard.

    Args:
        run: The run's folder.
        batch_size: Pictures in a step.

    Raises:
        WentWrong: A loss is NaN or infinite; raised out of `fit` at that very step.
    """

    def __init__(self, run: Path, batch_size: int):
        super().__init__()
        self.path = run / "metrics.jsonl"
        self.writer = None  # it makes a file at once, which a run that cannot begin shall not have
        self.batch_size = batch_size
        self.put_back({})

    def state(self) -> dict[str, Any]:
        """What `put_back` takes, as JSON can hold it: exactly, so that means do not depend on
        stops.
        """
        self._read_clock()
        names = ("seconds", "passed", "sums", "count")
        return {name: getattr(self, name) for name in names}

    def put_back(self, state: dict[str, Any]) -> None:
        """Goes on from a state; an empty one is the beginning."""
        self.seconds = state.get("seconds", 0.0)  # until the last report
        self.passed = state.get("passed", 0.0)  # since
        self.sums, self.count = dict(state.get("sums", {})), state.get("count", 0)
        self.began = None

    def on_train_batch_begin(self, batch, logs=None):
        if self.began is None:
            self.began = time.monotonic()

    def on_train_batch_end(self, batch, logs=None):
        bad = [name for name, value in logs.items() if not math.isfinite(value)]
        if bad:
            values = ", ".join(f"{name} is {logs[name]}" for name in bad)
            raise WentWrong(f"step {int(self.model.steps_taken)}: {values}", SMALLER_RATES)
        self.count += 1
        for name, value in logs.items():
            self.sums[name] = self.sums.get(name, 0.0) + float(value)

    def write(self, step: int, more: dict[str, float]) -> dict[str, float]:
        """Writes a line of means and of what `more` says, and begins anew.

        Returns:
            The line.

        Raises:
            OSError: There is no room.
        """
        self._read_clock()
        self.seconds += self.passed
        rate = self.count * self.batch_size / self.passed
        line = {"step": step, "seconds": round(self.seconds, 1), "pictures_per_second": rate}
        line |= {name: total / self.count for name, total in self.sums.items()} | more
        self.passed, self.sums, self.count = 0.0, {}, 0
        with full_disk.explained(self.path):
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
            if self.writer is None:
                folder = self.path.with_name("tensorboard")
                self.writer = tf.summary.create_file_writer(str(folder))
            with self.writer.as_default(step):
                for name, value in line.items():
                    tf.summary.scalar(name, value)
            self.writer.flush()
        return line

    def _read_clock(self):
        if self.began is not None:
            self.passed += time.monotonic() - self.began
            self.began = None


class Report(keras.callbacks.Callback):
    """Has a report written after every so many steps, and at the end; where the run was asked to
    stop, the checkpoint alone.

    Args:
        reporter: Its `report` and `save` are called with the step.
        interval: Steps between two reports.
        notice: Says when the run is asked to stop.
    """

    def __init__(self, reporter, interval: int, notice: Notice):
        super().__init__()
        self.reporter = reporter
        self.interval = interval
        self.notice = notice

    def on_train_begin(self, logs=None):
        self.reported = int(self.model.steps_taken)

    def on_train_batch_end(self, batch, logs=None):
        step = int(self.model.steps_taken)
        if step % self.interval == 0:
            self.reporter.report(step)
            self.reported = step

    def on_train_end(self, logs=None):
        step = int(self.model.steps_taken)
        if step == self.reported:
            return
        if self.notice.number is None:
            self.reporter.report(step)
        else:
            self.reporter.save(step)


def read_figures(path: Path, last_step: int) -> list[dict]:
    """Lines of `metrics.jsonl` up to a step; what a killed run wrote after it is left out, be it
    a whole line or half a one.
    """
    if not path.is_file():
        return []
    lines = []
    for text in path.read_text(encoding="utf-8").splitlines():
        with contextlib.suppress(json.JSONDecodeError):
            lines.append(json.loads(text))
    return [line for line in lines if line["step"] <= last_step]


def keep_figures(path: Path, last_step: int) -> float:
    """Cuts `metrics.jsonl` back to a step; gives the seconds trained until then."""
    lines = read_figures(path, last_step)
    files.write_text(path, "".join(json.dumps(line) + "\n" for line in lines))
    return max((line["seconds"] for line in lines), default=0.0)
