"""How a run ends when it is asked to: Ctrl-C, or SIGTERM from whoever manages the machine."""

import contextlib
import signal
import threading
from collections.abc import Iterator

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stopped(KeyboardInterrupt):
    """A run was asked to stop, and did after a whole step.

    Args:
        number: The signal that asked; 128 + `number` is the exit status by convention.
        step: Steps taken, all of them in the checkpoint.
    """

    def __init__(self, number: int, step: int):
        super().__init__(f"stopped at step {step} by {signal.Signals(number).name}")
        self.number = number
        self.step = step


class Notice:
    """Whether the run has been asked to stop: `number` is the signal's, or None."""

    number: int | None = None


@contextlib.contextmanager
def noticed_signals() -> Iterator[Notice]:
    """Turns the first SIGINT or SIGTERM into a notice; the second ends the process as ever.

    Signals that the process was started to ignore (`nohup`, a job in the background) stay
    ignored. Outside of the main thread Python takes no handlers, and nothing is noticed.
    """
    notice, before = Notice(), {}

    def put_back():
        for number, handler in before.items():
            signal.signal(number, handler)

    def notices(number, frame):
        notice.number = number
        put_back()

    if threading.current_thread() is threading.main_thread():
        for number in SIGNALS:
            if signal.getsignal(number) not in (signal.SIG_IGN, None):
                before[number] = signal.signal(number, notices)
    try:
        yield notice
    finally:
        put_back()
