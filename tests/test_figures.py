"""Figures of a report: numbers worked out by hand, and intervals that contain them."""

import numpy as np
import pytest

from kgen.evaluation.figures import (
    bootstrap_figure,
    figure,
    mean_figure,
    plain,
    ratio_figure,
    set_figures,
    share_figure,
)


def test_numbers_that_are_none_become_none():
    assert plain(None) is None
    assert plain(float("inf")) is None
    assert type(plain(np.float32(0.5))) is float
    assert figure(float("nan"), None, 1, 3) == {"value": None, "low": None, "high": 1.0, "num": 3}


def test_a_share_and_wilsons_interval():
    # p = 1/2, n = 4, z = 1.96: (1/2 + z²/8 ± z √(1/16 + z²/64)) / (1 + z²/4)
    # = (0.98018 ± 0.68605) / 1.96036 = 0.15004 and 0.84996
    found = share_figure(np.array([True, False, True, False]))
    assert (found["value"], found["num"]) == (0.5, 4)
    assert found["low"] == pytest.approx(0.15004, abs=2e-4)
    assert found["high"] == pytest.approx(0.84996, abs=2e-4)
    assert share_figure(np.array([])) is None


def test_ties_count_in_part_and_lie_within():
    found = share_figure(np.array([1, 0.5, 0.5, 0.5]))
    assert found["value"] == 0.625
    assert found["low"] <= 0.625 <= found["high"]


def test_a_ratio_is_of_the_sums():
    # 3 right of generated, 4 of real: 3/4
    found = ratio_figure(np.array([1, 1, 1, 0, 0]), np.array([1, 1, 1, 1, 0]))
    assert found["value"] == 0.75
    assert found["low"] < 0.75 <= found["high"] <= 1
    assert ratio_figure(np.zeros(5), np.zeros(5)) is None


def test_a_ratio_of_equal_hits_is_not_sure():
    # Nobody disagrees in 4: Wilson's upper bound of 0/4 is z²/4 / (1 + z²/4) = 0.48990; the mean
    # of `of` is 1/2, so 1 ± 0.9798, at most 2.
    found = ratio_figure(np.array([1, 1, 0, 0]), np.array([1, 1, 0, 0]))
    assert (found["value"], found["num"]) == (1.0, 4)
    assert found["low"] == pytest.approx(1 - 2 * 0.48990, abs=1e-3)
    assert found["high"] == pytest.approx(1 + 2 * 0.48990, abs=1e-3)
    # All right: nobody can be above 1.
    assert ratio_figure(np.ones(4), np.ones(4))["high"] == 1.0


def test_a_mean_lies_in_its_interval_and_the_seed_fixes_it():
    values = np.array([0.0, 1.0, 5.0, 2.0])
    found = mean_figure(values, seed=3)
    assert found["value"] == 2.0
    assert found["low"] < 2.0 < found["high"]
    assert mean_figure(values, seed=3) == found != mean_figure(values, seed=4)


def test_a_statistic_without_a_number_for_some_draw_has_no_interval():
    found = bootstrap_figure(lambda a, b: a.sum() / b.sum() if b.sum() else np.nan,
                             np.array([1.0, 1.0]), np.array([1.0, 0.0]))  # fmt: skip
    assert found == {"value": 2.0, "low": None, "high": None, "num": 2}


def test_figures_of_sets_lie_within_their_bounds():
    rng = np.random.default_rng(0)
    sets = rng.standard_normal((2, 30, 3))

    def statistic(a, b):
        return np.array([np.linalg.norm(a.mean(0) - b.mean(0)), 0.5])

    found = set_figures(statistic, ([0, 0], [np.inf, 1]), *sets, seed=1)
    assert found[0]["value"] == pytest.approx(np.linalg.norm(sets[0].mean(0) - sets[1].mean(0)))
    assert 0 <= found[0]["low"] <= found[0]["value"] <= found[0]["high"]
    assert found[1] == {"value": 0.5, "low": 0.5, "high": 0.5, "num": 30}
