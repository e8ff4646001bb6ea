"""A figure as a report holds it: the value, its 95 % interval and the number of samples."""

from collections.abc import Callable
from typing import Any

import numpy as np

from kgen.evaluation.intervals import bootstrap_interval, half_sample_interval, share_interval

MOST_NARROW = 512  # features; of more, and of more pictures, intervals take fewer draws
MOST_FEW = 1500  # pictures
DRAWS, FEW_DRAWS = 100, 24


def figure(value: float, low: float | None, high: float | None, num: int) -> dict[str, Any]:
    """JSON-ready: `value`, `low`, `high`, floats or None where there is no number; `num`.

    Example:
        >>> figure(0.5, np.float32(0.25), float("nan"), 4)
        {'value': 0.5, 'low': 0.25, 'high': None, 'num': 4}
    """
    return {"value": plain(value), "low": plain(low), "high": plain(high), "num": int(num)}


def plain(value: float | None) -> float | None:
    """A float of Python; None for what is no finite number."""
    return None if value is None or not np.isfinite(value) else float(value)


def share_figure(hits: np.ndarray) -> dict[str, Any] | None:
    """The share of hits, with Wilson's interval; None where nothing was asked.

    Args:
        hits: bool or float (N,), in [0, 1]; ties may be parts of a hit.

    Example:
        >>> share_figure(np.array([1.0, 0.5]))["value"]
        0.75
    """
    hits = np.asarray(hits, np.float64)
    if not len(hits):
        return None
    value = float(hits.mean())
    low, high = share_interval(int(round(hits.sum())), len(hits))
    return figure(value, min(low, value), max(high, value), len(hits))


def mean_figure(values: np.ndarray, seed: int = 0) -> dict[str, Any]:
    """The mean of float (N,), with the bootstrap's interval."""
    return bootstrap_figure(np.mean, values, seed=seed)


def bootstrap_figure(
    statistic: Callable[..., float], *arrays: np.ndarray, seed: int = 0, paired: bool = False
) -> dict[str, Any]:
    """Any mean, median or ratio of these; without an interval where draws give no number.

    `num` are the rows of the first array.
    """
    value = statistic(*arrays)
    try:
        low, high = bootstrap_interval(statistic, *arrays, seed=seed, paired=paired)
    except ValueError:
        return figure(value, None, None, len(arrays[0]))
    return figure(value, min(low, value), max(high, value), len(arrays[0]))


def ratio_figure(right: np.ndarray, of: np.ndarray, seed: int = 0) -> dict[str, Any] | None:
    """Hits over hits of the same captions; None where there are none to divide by.

    Formula:
        value = Σ right / Σ of

        where all rows agree no draw of the bootstrap differs; then value ± u / mean(of), with u
        Wilson's upper bound of the share of rows that disagree, and at most 1 / mean(of).

    Args:
        right: bool (N,). Of generated pictures.
        of: bool (N,). Of the real ones of the same captions.
        seed: Fixes the draws.
    """
    right, of = np.asarray(right, np.float64), np.asarray(of, np.float64)
    if not of.sum():
        return None
    found = bootstrap_figure(_ratio, right, of, seed=seed, paired=True)
    if found["low"] is None or found["low"] == found["high"]:
        value, most = found["value"], 1 / of.mean()
        apart = share_interval(int(np.sum(right != of)), len(right))[1] * most
        found = figure(value, max(0.0, value - apart), min(value + apart, most), len(right))
    return found


def set_figures(
    statistic: Callable[..., np.ndarray],
    bounds: tuple[np.ndarray, np.ndarray],
    *sets: np.ndarray,
    seed: int = 0,
) -> list[dict[str, Any]]:
    """Several figures that compare sets of features, with intervals of half samples.

    Args:
        statistic: From the sets to float (S,).
        bounds: Least and greatest values, float (S,) each.
        *sets: float (N, F).
        seed: Fixes the draws.
    """
    few = sets[0].shape[1] <= MOST_NARROW and max(map(len, sets)) <= MOST_FEW
    low, high = half_sample_interval(
        statistic, *sets, num_resamples=DRAWS if few else FEW_DRAWS, seed=seed, bounds=bounds
    )
    num = min(map(len, sets))
    return [figure(*three, num) for three in zip(statistic(*sets), low, high)]


def _ratio(right, of):
    return float(np.sum(right) / np.sum(of)) if np.sum(of) else float("nan")
