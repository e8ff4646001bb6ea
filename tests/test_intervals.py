"""Intervals contain what is true as often as they say, and shrink with the samples."""

import numpy as np
import pytest

from kgen.evaluation.distance import frechet_distance
from kgen.evaluation.intervals import bootstrap_interval, half_sample_interval, share_interval
from kgen.evaluation.neighbourhoods import compare_neighbourhoods


def four_figures(real, generated):
    return list(vars(compare_neighbourhoods(real, generated)).values())


def test_share_interval_by_hand():
    # p = 1/2, n = 100, z = 1.959964, z² = 3.841459: middle (0.5 + 0.0192073) / 1.0384146 = 0.5;
    # half-width 1.959964 √(0.0025 + 0.0000960365) / 1.0384146 = 0.0961685.
    low, high = share_interval(50, 100)
    assert low == pytest.approx(0.5 - 0.0961685, abs=1e-6)
    assert high == pytest.approx(0.5 + 0.0961685, abs=1e-6)
    # p = 0, n = 10: from 0 to (z²/20 + z²/20) / (1 + z²/10) = 0.3841459 / 1.3841459 = 0.2775328.
    assert share_interval(0, 10) == pytest.approx((0, 0.2775328), abs=1e-6)
    assert share_interval(10, 10) == pytest.approx((1 - 0.2775328, 1), abs=1e-6)
    assert share_interval(3, 10, level=0.5)[0] > share_interval(3, 10)[0]


def test_share_intervals_contain_the_share():
    rng = np.random.default_rng(0)
    intervals = [share_interval(right, 60) for right in rng.binomial(60, 0.9, 1000)]
    assert 0.92 < np.mean([low <= 0.9 <= high for low, high in intervals]) < 0.98


def test_bootstrap_intervals_contain_the_mean():
    rng = np.random.default_rng(0)
    inside = 0
    for trial in range(200):
        sample = rng.exponential(2.0, 80)
        low, high = bootstrap_interval(np.mean, sample, num_resamples=300, seed=trial)
        assert low < sample.mean() < high
        inside += low <= 2.0 <= high
    assert 0.88 < inside / 200 < 0.99


def test_bootstrap_width_is_the_textbook_one_and_shrinks():
    # A mean of 400 numbers of deviation 1: 2 * 1.96 / √400 = 0.196; of 100: twice as wide.
    sample = np.random.default_rng(0).standard_normal(400)
    sample = (sample - sample.mean()) / sample.std()
    low, high = bootstrap_interval(np.mean, sample, num_resamples=4000)
    assert high - low == pytest.approx(0.196, rel=0.07)
    few = sample[:100] / sample[:100].std()
    low_of_few, high_of_few = bootstrap_interval(np.mean, few, num_resamples=4000)
    assert high_of_few - low_of_few == pytest.approx(0.392, rel=0.07)


def test_pairs_are_drawn_together():
    first = np.random.default_rng(0).standard_normal(200)

    def difference(one, other):
        return np.mean(other - one)

    low, high = bootstrap_interval(difference, first, first + 0.5, paired=True)
    assert (low, high) == pytest.approx((0.5, 0.5))
    low, high = bootstrap_interval(difference, first, first + 0.5)
    assert high - low > 0.2
    low, high = half_sample_interval(difference, first, first + 0.5, paired=True)
    assert (low, high) == pytest.approx((0.5, 0.5))


def test_halves_vary_as_whole_samples_do():
    # As above: a mean of 400 numbers, 0.196 wide.
    sample = np.random.default_rng(0).standard_normal(400)
    sample /= sample.std()
    low, high = half_sample_interval(np.mean, sample, num_resamples=4000)
    assert high - low == pytest.approx(0.196, rel=0.07)


def test_half_sample_intervals_contain_the_frechet_distance():
    """Of 60 pictures each, its mean; drawing rows twice would shift it out of the interval."""
    rng = np.random.default_rng(0)

    def draw():
        return rng.standard_normal((60, 8)), 1.3 * rng.standard_normal((60, 8)) + 0.3

    expected = np.mean([frechet_distance(*draw()) for _ in range(300)])
    inside = inside_of_bootstrap = 0
    for trial in range(50):
        sets = draw()
        low, high = half_sample_interval(frechet_distance, *sets, num_resamples=60, seed=trial)
        assert low <= frechet_distance(*sets) <= high
        inside += low <= expected <= high
        low, high = bootstrap_interval(frechet_distance, *sets, num_resamples=60, seed=trial)
        inside_of_bootstrap += low <= expected <= high
    assert inside / 50 > 0.85
    assert inside_of_bootstrap / 50 < 0.6


def test_half_sample_intervals_shrink():
    real, generated = np.random.default_rng(0).standard_normal((2, 800, 4))
    widths = []
    for num in (100, 800):
        sets = real[:num], generated[:num] + 1
        low, high = half_sample_interval(frechet_distance, *sets, num_resamples=100)
        widths.append(high - low)
    assert 2 < widths[0] / widths[1] < 4  # √8 = 2.8


def test_several_figures_at_once_within_bounds():
    real, generated = np.random.default_rng(0).standard_normal((2, 80, 2))
    low, high = half_sample_interval(
        four_figures, real, generated, num_resamples=40, bounds=(0, [1, 1, np.inf, 1])
    )
    value = np.array(four_figures(real, generated))
    assert low.shape == high.shape == (4,)
    assert np.all((low <= value) & (value <= high) & (low < high))
    assert np.all(high[[0, 1, 3]] <= 1)


@pytest.mark.parametrize("interval", [bootstrap_interval, half_sample_interval])
def test_the_seed_decides(interval):
    sample = np.random.default_rng(0).standard_normal(50)
    assert interval(np.mean, sample, seed=3) == interval(np.mean, sample, seed=3)
    assert interval(np.mean, sample, seed=3) != interval(np.mean, sample, seed=4)
    wide, narrow = (interval(np.mean, sample, level=level) for level in (0.99, 0.8))
    assert wide[0] < narrow[0] < narrow[1] < wide[1]


@pytest.mark.parametrize("interval", [bootstrap_interval, half_sample_interval])
def test_what_cannot_be_drawn_from_is_told(interval):
    with pytest.raises(ValueError, match="`arrays` must be 1 array or more"):
        interval(np.mean)
    with pytest.raises(ValueError, match="`arrays` must be of . rows? or more"):
        interval(np.mean, [])
    with pytest.raises(ValueError, match="`arrays` must be of equal length"):
        interval(lambda a, b: 0.0, [1, 2], [1, 2, 3], paired=True)
    with pytest.raises(ValueError, match="`level` must be"):
        interval(np.mean, [1, 2], level=95)
    with pytest.raises(ValueError, match="`statistic` must be finite"):
        interval(lambda a: np.nan, [1, 2])
    with pytest.raises(ValueError, match="`num` must be"):
        share_interval(0, 0)
    with pytest.raises(ValueError, match="`num_right` must be"):
        share_interval(5, 4)
