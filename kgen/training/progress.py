"""The bar of a training."""

import sys
import time

import keras
from tqdm import tqdm


class Progress(keras.callbacks.Callback):
    """A bar with pictures/s and the time left.

    Args:
        steps: Steps in all.
        batch_size: Pictures in a step.
        seconds: Seconds after which training ends even so, or None.
        title: A line to say above the bar.
    """

    def __init__(self, steps: int, batch_size: int, seconds: float | None = None, title: str = ""):
        super().__init__()
        self.steps = steps
        self.batch_size = batch_size
        self.seconds = seconds
        self.title = title
        self.bar = None

    def on_train_begin(self, logs=None):
        if self.title:
            tqdm.write(self.title, file=sys.stderr)
        self.bar = None

    def _begin(self):
        """Only after the first step, whose graph is made anew: it would make any guess wrong."""
        ends = self.seconds and time.strftime("%H:%M", time.localtime(time.time() + self.seconds))
        self.bar = tqdm(
            desc=f"until {ends}" if ends else None,
            total=None if ends else self.steps * self.batch_size,
            initial=int(getattr(self.model, "steps_taken", 0)) * self.batch_size,
            unit=" pictures",
            unit_scale=True,
            smoothing=0.05,
            mininterval=0.1 if sys.stderr.isatty() else 30.0,  # a log is to stay short
        )

    def on_train_batch_end(self, batch, logs=None):
        if self.bar is None:
            self._begin()
        else:
            self.bar.update(self.batch_size)

    def on_train_end(self, logs=None):
        self.close()

    def close(self):
        """Also for a training that an error ended, which Keras tells no callback."""
        if self.bar is not None:
            self.bar.close()
