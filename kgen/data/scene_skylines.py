"""Upper edges of land, y as a function of x: rolling hills, rows of firs, dunes, roofs.

A skyline is asked for at any x, so that what stands on it stands on it, and drawn once at the
canvas's fine columns.
"""

from collections.abc import Callable

import numpy as np

Skyline = Callable[[np.ndarray], np.ndarray]  # x -> y, both float (...), in fractions


def hills(base: float, high: float, waves: float, rng: np.random.Generator) -> Skyline:
    """Rolling hills about y = `base`, at most `high` up and down, `waves` of them in the width."""
    first, second = rng.uniform(0, 2 * np.pi, 2)
    share = rng.uniform(0.25, 0.4)

    def skyline(x):
        slow = np.sin(2 * np.pi * waves * x + first)
        return base + high * (
            (1 - share) * slow + share * np.sin(2 * np.pi * 1.9 * waves * x + second)
        )

    return skyline


def under(skyline: Skyline, clear: Callable) -> Skyline:
    """The skyline, lowered by `clear(x, y)` -> y where it would reach too high."""
    return lambda x: clear(x, skyline(x))


def firs(ground: Skyline, num: int, high: float, rng: np.random.Generator, wide=1.0) -> Skyline:
    """A row of `num` firs on `ground`, about `high` tall."""
    at = (np.arange(num) + 0.5 + rng.uniform(-0.32, 0.32, num)) / num
    tall = high * rng.uniform(0.55, 1.0, num)
    at, tall = at.astype(np.float32), tall.astype(np.float32)
    slope = 1 / (wide * 0.36)  # the same for all, so that a fir's height at x is a difference

    def skyline(x):
        above = tall - slope * np.abs(np.asarray(x, np.float32)[..., None] - at)
        return ground(x) - np.maximum(above.max(-1), 0)

    return skyline


def peaks(at, tops, base: float, slope: float) -> Skyline:
    """Straight-sided mountains: peak i at (`at[i]`, `tops[i]`), falling to `base`."""

    def skyline(x):
        return np.minimum(base, np.min(tops + slope * np.abs(x[..., None] - at), -1))

    return skyline


def roofs(base: float, lefts, rights, tops) -> Skyline:
    """Flat-roofed buildings: building i spans `lefts[i]`..`rights[i]` and reaches `tops[i]`."""

    def skyline(x):
        within = (x[..., None] >= lefts) & (x[..., None] < rights)
        return np.min(np.where(within, tops, base), -1)

    return skyline
