"""Calls timed in turns, since a machine's speed changes from minute to minute."""

import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np


def in_turns(
    calls: Mapping[Any, Callable], rounds: int, repeats: Callable[[Any], int] = lambda name: 5
) -> dict[Any, list[float]]:
    """Seconds of every call, all of them in every round.

    Args:
        calls: What to time, by name.
        rounds: Turns that each gets.
        repeats: How often a call is timed in its turn.
    """
    seconds = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            call()  # another one has been in the caches
            for _ in range(repeats(name)):
                began = time.perf_counter()
                call()
                seconds[name].append(time.perf_counter() - began)
    return seconds


def summary(seconds: list[float]) -> dict[str, float]:
    """Milliseconds: median, 95 % within, and between which the middle half lies.

    Example:
        >>> summary([0.001, 0.002, 0.003])["median_ms"]
        2.0
    """
    low, high, most = 1e3 * np.percentile(seconds, [25, 75, 95])
    median = 1e3 * statistics.median(seconds)
    return {"median_ms": median, "p95_ms": most, "low_ms": low, "high_ms": high}
