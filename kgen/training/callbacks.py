"""What happens around the steps: figures, samples, the state on disk, the end."""

import contextlib
import json
import time
from collections.abc import Callable
from pathlib import Path

import keras
import tensorflow as tf
from tqdm import tqdm

from kgen import files


class StopAt(keras.callbacks.Callback):
    """Ends training at a step or at a time, whichever comes first.

    Args:
        step: Steps in all, over resumed runs.
        seconds: Seconds from the start of `fit`, or None.
    """

    def __init__(self, step: int, seconds: float | None = None):
        super().__init__()
        self.step = step
        self.seconds = seconds

    def on_train_begin(self, logs=None):
        self.began = time.monotonic()

    def on_train_batch_end(self, batch, logs=None):
        late = self.seconds is not None and time.monotonic() - self.began >= self.seconds
        if late or int(self.model.steps_taken) >= self.step:
            self.model.stop_training = True


class Progress(keras.callbacks.Callback):
    """A bar with pictures/s and the time left.

    Args:
        steps: Steps in all.
        batch_size: Pictures in a step.
        seconds: Seconds after which training ends even so, or None.
    """

    def __init__(self, steps: int, batch_size: int, seconds: float | None = None):
        super().__init__()
        self.steps = steps
        self.batch_size = batch_size
        self.seconds = seconds

    def on_train_begin(self, logs=None):
        ends = self.seconds and time.strftime("%H:%M", time.localtime(time.time() + self.seconds))
        self.bar = tqdm(
            desc=f"until {ends}" if ends else None,
            total=None if ends else self.steps * self.batch_size,
            initial=int(self.model.steps_taken) * self.batch_size,
            unit=" pictures",
            unit_scale=True,
            smoothing=0.05,
        )

    def on_train_batch_end(self, batch, logs=None):
        self.bar.update(self.batch_size)

    def on_train_end(self, logs=None):
        self.bar.close()


class Figures(keras.callbacks.Callback):
    """Means of the losses since the last report: to `metrics.jsonl` and to TensorBoard.

    Args:
        run: The run's folder.
        batch_size: Pictures in a step.
        seconds: Seconds that the run has trained before it was resumed.
    """

    def __init__(self, run: Path, batch_size: int, seconds: float):
        super().__init__()
        self.path = run / "metrics.jsonl"
        self.writer = tf.summary.create_file_writer(str(run / "tensorboard"))
        self.batch_size = batch_size
        self.seconds = seconds

    def on_epoch_begin(self, epoch, logs=None):
        self.sums, self.count, self.began = {}, 0, time.monotonic()

    def on_train_batch_end(self, batch, logs=None):
        self.count += 1
        for name, value in (logs or {}).items():
            self.sums[name] = self.sums.get(name, 0.0) + float(value)

    def on_epoch_end(self, epoch, logs=None):
        passed = time.monotonic() - self.began
        self.seconds += passed
        step = int(self.model.steps_taken)
        rate = self.count * self.batch_size / passed
        line = {"step": step, "seconds": round(self.seconds, 1), "pictures_per_second": rate}
        line |= {name: total / self.count for name, total in self.sums.items()}
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
        with self.writer.as_default(step):
            for name, value in line.items():
                tf.summary.scalar(name, value)
        self.writer.flush()


class Report(keras.callbacks.Callback):
    """Calls `write` after every so many steps, and at the end.

    Args:
        write: Called with the step.
    """

    def __init__(self, write: Callable[[int], None]):
        super().__init__()
        self.write = write

    def on_epoch_end(self, epoch, logs=None):
        self.write(int(self.model.steps_taken))


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
