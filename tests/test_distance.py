"""Fréchet and kernel distance: numbers by hand and closed forms."""

import numpy as np
import pytest

from kgen.evaluation.distance import frechet_distance, kernel_distance, squared_distances


def gaussian(num, mean, covariance, seed):
    """Samples whose own mean and covariance are exactly the given ones."""
    free = np.random.default_rng(seed).standard_normal((num, len(mean)))
    free -= free.mean(axis=0)
    white = np.linalg.solve(np.linalg.cholesky(np.cov(free, rowvar=False)), free.T).T
    return white @ np.linalg.cholesky(covariance).T + mean


def test_frechet_distance_of_gaussians_is_the_closed_form():
    # Of a 2 x 2 matrix A with eigenvalues a, b: tr A^½ = √a + √b = √(tr A + 2 √det A).
    # Σ Σ' = [[2, 1], [1, 2]] [[3, 0], [0, 1]] = [[6, 1], [3, 2]]: trace 8, determinant 9, so
    # tr (Σ Σ')^½ = √(8 + 6) = √14, and d² = 3² + 4² + (4 + 4 - 2 √14) = 33 - 2 √14.
    one = gaussian(500, [0, 0], [[2, 1], [1, 2]], seed=0)
    other = gaussian(300, [3, 4], [[3, 0], [0, 1]], seed=1)
    assert frechet_distance(one, other) == pytest.approx(33 - 2 * 14**0.5)
    assert frechet_distance(other, one) == pytest.approx(33 - 2 * 14**0.5)


def test_kernel_distance_by_hand():
    # k = (x y + 1)³. Within 0, 1: k = 1. Within 2, 3: 7³ = 343. Across: 1, 1, 3³ = 27, 4³ = 64,
    # mean 93/4. d² = 1 + 343 - 93/2.
    assert kernel_distance([[0.0], [1]], [[2.0], [3]]) == pytest.approx(297.5)
    # Two features halve the product. Within (0,0), (1,1): 1. Within (1,1), (4,0): (4/2 + 1)³ = 27.
    # Across: 1, 1, (2/2 + 1)³ = 8, 27; mean 37/4. d² = 1 + 27 - 37/2.
    assert kernel_distance([[0.0, 0], [1, 1]], [[1.0, 1], [4, 0]]) == pytest.approx(9.5)


def test_equal_sets_are_near_and_others_are_not():
    features = np.random.default_rng(0).standard_normal((400, 8))
    assert frechet_distance(features, features) == pytest.approx(0, abs=1e-9)
    # Across, each picture also meets itself: -2/N (k(x, x) - k(x, y)) on average. u = ‖x‖²/8 has
    # E u, u², u³ = 1, 10/8, 10·12/64: E (u + 1)³ = 9.625. E (⟨x, y⟩/8 + 1)³ = 1 + 3/8. So it is
    # -2 * 8.25/400.
    assert kernel_distance(features, features) == pytest.approx(-0.04125, rel=0.05)
    assert kernel_distance(features, features + 1) > 1
    assert frechet_distance(features, features + 1) == pytest.approx(8)


def test_kernel_distance_is_unbiased():
    """With 10 pictures each its mean is 0 between equal distributions; Fréchet's is far above."""
    rng = np.random.default_rng(0)
    pairs = rng.standard_normal((2000, 2, 10, 4))
    values = [kernel_distance(one, other) for one, other in pairs]
    error = np.std(values) / len(values) ** 0.5
    assert abs(np.mean(values)) < 3 * error
    assert np.mean([frechet_distance(one, other) for one, other in pairs[:200]]) > 0.5


def test_large_sets_are_drawn_from_by_the_seed():
    one, other = np.random.default_rng(0).standard_normal((2, 300, 3)) + [[[0.0]], [[1.0]]]
    whole = kernel_distance(one, other)
    drawn = kernel_distance(one, other, subset_size=100, num_subsets=40, seed=1)
    assert drawn == kernel_distance(one, other, subset_size=100, num_subsets=40, seed=1)
    assert drawn != kernel_distance(one, other, subset_size=100, num_subsets=40, seed=2)
    assert drawn == pytest.approx(whole, rel=0.15) and drawn != whole


def test_blocks_of_distances_are_all_distances():
    rng = np.random.default_rng(0)
    one, other = rng.standard_normal((1500, 3)) + 100, rng.standard_normal((7, 3)) + 100
    squared = np.zeros((1500, 7))
    for rows, block in squared_distances(one, other):
        squared[rows] = block
    expected = np.sum((one[:, None] - other) ** 2, axis=2)
    np.testing.assert_allclose(squared, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("distance", [frechet_distance, kernel_distance])
@pytest.mark.parametrize(
    ("others", "error", "message"),
    [
        (np.ones((1, 2)), ValueError, "`others` must be features of 2 pictures or more"),
        (np.ones((3, 5)), ValueError, r"`others` must be of shape \(N, 2\)"),
        (np.ones(3), ValueError, r"`others` must be of shape \(N, F\)"),
        (np.full((3, 2), np.nan), ValueError, "`others` must be finite"),
        (np.array([["红", "猫"]] * 3), TypeError, "`others` must be numbers"),
    ],
)
def test_bad_features_are_told_in_one_line(distance, others, error, message):
    with pytest.raises(error, match=message) as told:
        distance(np.eye(2), others)
    assert "\n" not in str(told.value)
