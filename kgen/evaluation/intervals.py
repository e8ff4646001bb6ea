"""How sure a figure is that was measured on so many samples."""

from collections.abc import Callable
from statistics import NormalDist

import numpy as np

from kgen.checks import check_int, check_real, wrong

Bound = float | np.ndarray


def share_interval(num_right: int, num: int, level: float = 0.95) -> tuple[float, float]:
    """Interval of a share such as an accuracy, right also near 0 and 1 and for few samples.

    Formula:
        (p + z²/2n ± z √(p(1-p)/n + z²/4n²)) / (1 + z²/n),  p = num_right / n

        where a standard normal number is in [-z, z] with probability `level`.

    Args:
        num_right: Samples that count, in [0, num].
        num: n, samples.
        level: How often such intervals contain the true share.

    Returns:
        low, high, in [0, 1]; the share lies within.

    Raises:
        TypeError, ValueError: The numbers are no counts, or there are no samples.

    Source: Wilson 1927; compared with others in Brown, Cai and DasGupta 2001, eq. 4.

    Example:
        >>> low, high = share_interval(45, 50)
        >>> print(f"90 % (95 % interval {100 * low:.0f} to {100 * high:.0f} %, 50 samples)")
        90 % (95 % interval 79 to 96 %, 50 samples)
    """
    check_int("num", num, 1)
    check_int("num_right", num_right, 0, num)
    _check_level(level)
    share = num_right / num
    z = NormalDist().inv_cdf((1 + level) / 2)
    middle = share + z**2 / (2 * num)
    width = z * np.sqrt(share * (1 - share) / num + z**2 / (4 * num**2))
    low, high = (float((middle + side * width) / (1 + z**2 / num)) for side in (-1, 1))
    return max(0.0, min(low, share)), min(1.0, max(high, share))  # whatever rounding does


def bootstrap_interval(
    statistic: Callable[..., Bound],
    *arrays: np.ndarray,
    num_resamples: int = 1000,
    level: float = 0.95,
    seed: int = 0,
    paired: bool = False,
) -> tuple[Bound, Bound]:
    """Interval of a mean, median, ratio of these and the like: percentiles of the bootstrap.

    Not for distances between sets, nor for what asks for neighbours: rows that are drawn twice
    lie at distance 0 and shift them all, often past the figure itself. These have
    `half_sample_interval`.

    Formula:
        quantiles (1 ∓ level)/2 of statistic(rows drawn with replacement, as many as there are)

    Args:
        statistic: Makes a number, or an array of numbers, of arrays like `arrays`.
        *arrays: (N, ...), a row a sample.
        num_resamples: Draws.
        level: How often such intervals contain the true value, if samples are many.
        seed: Fixes the draws.
        paired: Whether rows of equal index belong together and are drawn together, as with two
            models' figures for the same captions. Otherwise each array is drawn from alone.

    Returns:
        low, high; arrays if `statistic` gives arrays.

    Raises:
        TypeError: `num_resamples` or `level` is no number.
        ValueError: No arrays, empty ones, unequal ones that should be paired, or a statistic that
            is not finite for some draw.

    Source: Efron and Tibshirani 1993, An Introduction to the Bootstrap, section 13.3.

    Example:
        >>> low, high = bootstrap_interval(np.mean, np.arange(100))
        >>> low < 49.5 < high
        True
    """
    drawn = _statistics(statistic, arrays, num_resamples, level, seed, paired, halves=False)
    return _quantiles(drawn, level)


def half_sample_interval(
    statistic: Callable[..., Bound],
    *arrays: np.ndarray,
    num_resamples: int = 200,
    level: float = 0.95,
    seed: int = 0,
    paired: bool = False,
    bounds: tuple[float, float] = (-np.inf, np.inf),
) -> tuple[Bound, Bound]:
    """Interval of Fréchet and kernel distance, precision, recall, density, coverage and the like.

    Such figures depend on how many samples there are: the Fréchet distance grows as they get
    fewer, and rows that occur twice are nobody's neighbours. So each draw takes half of the rows,
    none twice, and the draws are moved to have the figure itself as their median. Halves without
    replacement vary as much as whole samples do: (1/(N/2)) (1 - (N/2)/N) σ² = σ²/N.

    The interval thus says how far the figure would move with other samples, as many as these. It
    takes nothing off what few samples add to a Fréchet distance.

    Formula:
        v + quantiles (1 ∓ level)/2 of (v_b - median of all v_b), within bounds

        v = statistic(all rows), v_b = statistic(floor(N/2) rows drawn without replacement)

    Args:
        statistic: Makes a number, or an array of numbers, of arrays like `arrays`.
        *arrays: (N, ...), a row a sample; 2 or more. The statistic must do with half of them.
        num_resamples: Draws.
        level: How often such intervals contain the statistic's mean for N samples.
        seed: Fixes the draws.
        paired: Whether rows of equal index are drawn together.
        bounds: Least and greatest value there can be, such as (0, 1) for a share.

    Returns:
        low, high; arrays if `statistic` gives arrays. The figure itself lies within.

    Raises:
        TypeError, ValueError: As `bootstrap_interval`.

    Source: Politis and Romano 1994 (subsampling), with halves as in McCarthy 1969.

    Example:
        >>> from kgen.evaluation.distance import frechet_distance
        >>> real, generated = np.random.default_rng(0).standard_normal((2, 100, 4))
        >>> low, high = half_sample_interval(frechet_distance, real, generated, bounds=(0, np.inf))
        >>> low <= frechet_distance(real, generated) <= high
        True
    """
    drawn = _statistics(statistic, arrays, num_resamples, level, seed, paired, halves=True)
    value = np.asarray(statistic(*map(np.asarray, arrays)), np.float64)
    _check_finite(value)
    low, high = _quantiles(value + drawn - np.median(drawn, axis=0), level)
    # Rounding must not leave the figure outside.
    low, high = np.clip(np.minimum(low, value), *bounds), np.clip(np.maximum(high, value), *bounds)
    return (low, high) if low.ndim else (float(low), float(high))


def _statistics(statistic, arrays, num_resamples, level, seed, paired, halves):
    """float64 (num_resamples, ...): the statistic of each draw."""
    arrays = [np.asarray(array) for array in arrays]
    _check_level(level)
    check_int("num_resamples", num_resamples, 2)
    check_int("seed", seed, 0)
    least = 2 if halves else 1
    if not arrays:
        raise ValueError(wrong("arrays", "1 array or more", 0, "Pass what was measured."))
    for array in arrays:
        if not array.ndim or len(array) < least:
            expected = f"of {least} row{'s' * halves} or more"
            raise ValueError(wrong("arrays", expected, array.shape, "Measure more samples."))
    lengths = [len(array) for array in arrays]
    if paired and len(set(lengths)) > 1:
        raise ValueError(wrong("arrays", "of equal length to be paired", lengths, "Pair them."))
    rng = np.random.default_rng(seed)

    def draw(num):
        return rng.permutation(num)[: num // 2] if halves else rng.integers(0, num, num)

    values = []
    for _ in range(num_resamples):
        rows = [draw(lengths[0])] * len(arrays) if paired else [draw(num) for num in lengths]
        values.append(statistic(*(array[chosen] for array, chosen in zip(arrays, rows))))
    values = np.asarray(values, np.float64)
    _check_finite(values)
    return values


def _quantiles(values, level):
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return (low, high) if low.ndim else (float(low), float(high))


def _check_level(level):
    check_real("level", level, 0.5, 0.999)


def _check_finite(values):
    if not np.isfinite(values).all():
        raise ValueError(
            wrong("statistic", "finite for every draw", "NaN or infinity", "Measure more samples.")
        )
