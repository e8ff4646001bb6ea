"""What a run finds wrong with itself, and how it says so."""

import time
import warnings
from pathlib import Path

from tqdm import tqdm

from kgen import checks

FINDINGS = "findings.txt"


class FindingWarning(checks.ToldWarning):
    """Something that whoever started a run should know of while it goes on."""


class WentWrong(Exception):
    """Training cannot go on from here, but can from an earlier checkpoint.

    Args:
        finding: What was seen, with the step and the figures.
        hint: What to change should it come again.
    """

    def __init__(self, finding: str, hint: str):
        super().__init__(finding)
        self.finding = finding
        self.hint = hint


class RunFailed(ValueError):
    """A run has gone back as often as it may, and ended with its last good weights."""


def tell(run: Path, text: str) -> None:
    """Says a line as a `FindingWarning`, clear of any bar, and adds it to the run's
    `findings.txt` with the time, for whoever comes back in the morning.
    """
    with tqdm.external_write_mode():
        warnings.warn(text, FindingWarning, stacklevel=2)
    with (run / FINDINGS).open("a", encoding="utf-8") as file:
        file.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')}  {text}\n")
