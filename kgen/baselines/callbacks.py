"""What ends the training of the article's model, and what is kept of its loss."""

import json
import math
import time
from collections.abc import Iterator

import keras

from kgen import checks
from kgen.config import MOST_STEPS


class StopAt(keras.callbacks.Callback):
    """Ends training at a step or at a time, whichever comes first.

    Args:
        steps: Steps, or None.
        seconds: Seconds from the start of `fit`, or None.
    """

    def __init__(self, steps: int | None = None, seconds: float | None = None):
        super().__init__()
        self.steps = MOST_STEPS if steps is None else steps
        self.seconds = math.inf if seconds is None else seconds
        self.steps_taken = 0

    def on_train_begin(self, logs=None):
        self.began = time.monotonic()

    def on_train_batch_end(self, batch, logs=None):
        self.steps_taken += 1
        late = time.monotonic() - self.began >= self.seconds
        if late or self.steps_taken >= self.steps:
            self.model.stop_training = True


class Losses(keras.callbacks.Callback):
    """Keeps the mean loss of each epoch.

    Raises:
        ValueError: It is NaN or infinite; raised out of `fit`.
    """

    def __init__(self):
        super().__init__()
        self.reports, self.steps_taken = [], 0

    def on_train_begin(self, logs=None):
        self.began = time.monotonic()

    def on_train_batch_end(self, batch, logs=None):
        self.steps_taken += 1

    def on_epoch_end(self, epoch, logs=None):
        loss = float(logs["loss"])
        if not math.isfinite(loss):
            hint = f"It is not at step {self.steps_taken}: lower learning_rate."
            raise ValueError(checks.wrong("loss", "finite", loss, hint))
        seconds = round(time.monotonic() - self.began, 3)
        self.reports.append({"step": self.steps_taken, "seconds": seconds, "loss": loss})

    def lines(self) -> Iterator[str]:
        """The reports as lines of JSON."""
        return (json.dumps(report) + "\n" for report in self.reports)
