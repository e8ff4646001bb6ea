"""Precision, recall, density and coverage: numbers by hand, and what they should tell."""

import numpy as np
import pytest

from kgen.evaluation.neighbourhoods import compare_neighbourhoods, nearest_neighbours


def points(*values):
    return np.array(values, float)[:, None]


def normal(num, dims=2, seed=0):
    return np.random.default_rng(seed).standard_normal((num, dims))


def test_by_hand():
    # Nearest neighbours of 0, 1, 3, 7, -10 are 1, 1, 2, 4, 10 away: [-1, 1], [0, 2], [1, 5],
    # [3, 11], [-20, 0]. 1.5 and 6 lie within some, 20 and 30 in none: precision 2/4.
    # Those of 1.5, 6, 20, 30 are 4.5, 4.5, 10, 10 away: [-3, 6], [1.5, 10.5], [10, 30], [20, 40].
    # All real ones but -10 lie within some: recall 4/5.
    # Second nearest are 3, 2, 3, 6, 11 away: [-3, 3], [-1, 3], [0, 6], [1, 13], [-21, 1]. 1.5 is
    # within four, 6 within two (one at its edge): density 6/(2 * 4). All but the last hold one:
    # coverage 4/5.
    found = compare_neighbourhoods(points(0, 1, 3, 7, -10), points(1.5, 6, 20, 30), 1, 2)
    assert found.precision == pytest.approx(2 / 4)
    assert found.recall == pytest.approx(4 / 5)
    assert found.density == pytest.approx(6 / 8)
    assert found.coverage == pytest.approx(4 / 5)


def test_a_set_against_itself():
    found = compare_neighbourhoods(normal(300), normal(300))
    assert (found.precision, found.recall, found.coverage) == (1, 1, 1)
    # Each picture is within its own reach and, of 5 others, at the edge or nearer: (5 + 1)/5.
    assert found.density == pytest.approx(6 / 5)


def test_new_pictures_of_the_same_kind():
    # A new picture is among the k nearest of N others with probability k/N: density 1. None of N
    # new ones is, with 2N - 1 others in all, if the k nearest are all of the own N - 1:
    # coverage 1 - (N-1)...(N-k)/((2N-1)...(2N-k)), for N = 1000, k = 5: 0.9688.
    found = compare_neighbourhoods(normal(1000, seed=1), normal(1000, seed=2))
    expected = 1 - np.prod([(1000 - i) / (2000 - i) for i in range(1, 6)])
    assert found.coverage == pytest.approx(expected, abs=0.02)
    assert found.density == pytest.approx(1, abs=0.05)
    assert found.precision > 0.9 and found.recall > 0.9


def test_disjoint_sets_share_nothing():
    found = compare_neighbourhoods(normal(200), normal(200) + 1000)
    assert (found.precision, found.recall, found.density, found.coverage) == (0, 0, 0, 0)


def test_a_collapsed_set_is_precise_and_shows_nothing():
    real = normal(500)
    found = compare_neighbourhoods(real, np.repeat(real[:1] + 1e-3, 200, axis=0))
    assert found.precision == 1
    assert found.recall == 0
    assert found.coverage < 0.05


def test_half_of_what_is_real():
    """Only the right half is drawn: all that is drawn looks real, half of the real is missing."""
    real, more = normal(1000, seed=1), normal(2000, seed=2)
    found = compare_neighbourhoods(real, more[more[:, 0] > 0])
    assert found.precision > 0.9
    assert 0.4 < found.recall < 0.65 and 0.4 < found.coverage < 0.65


def test_offset_and_block_do_not_count():
    """Several blocks of 1024 rows, far from 0, in float32."""
    real, generated = normal(1300, 3, seed=1), normal(1100, 3, seed=2)
    near = compare_neighbourhoods(real, generated)
    far = compare_neighbourhoods(real + 1e4, generated + 1e4)
    assert vars(far) == pytest.approx(vars(near), abs=1e-3)
    # Worked without blocks.
    parts = [np.linalg.norm(real[:, None] - g, axis=2) for g in (real, generated)]
    reach = np.sort(parts[0], axis=1)[:, 3]  # the nearest is itself
    assert near.precision == pytest.approx(np.mean(np.any(reach >= parts[1].T, axis=1)))


def test_nearest_neighbours_by_hand():
    indices, distances = nearest_neighbours(points(0, 4, 10), points(10, 1, 6))
    assert indices.tolist() == [1, 2, 0]
    assert distances.tolist() == [1, 2, 0]  # a copy is at exactly 0


def test_copies_are_at_exactly_0():
    features = normal(100, 50, seed=3) * 1e3 + 1e3
    indices, distances = nearest_neighbours(features[::-1], features)
    assert indices.tolist() == list(range(99, -1, -1))
    assert not distances.any()


def test_too_few_for_a_kth_neighbour():
    with pytest.raises(ValueError, match="`real` must be features of 6 pictures or more.*: 5"):
        compare_neighbourhoods(normal(5), normal(9))
    with pytest.raises(ValueError, match="`generated` must be features of 4 pictures or more"):
        compare_neighbourhoods(normal(9), normal(3))
    compare_neighbourhoods(normal(6), normal(4))
    with pytest.raises(ValueError, match="`num_neighbours` must be"):
        compare_neighbourhoods(normal(9), normal(9), num_neighbours=0)
    with pytest.raises(ValueError, match=r"`generated` must be of shape \(N, 2\)"):
        compare_neighbourhoods(normal(9), normal(9, 3))
