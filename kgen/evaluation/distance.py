"""How far two sets of pictures are apart, in the features of a judge."""

from collections.abc import Iterator

import numpy as np

from kgen.checks import check_int, wrong

ROWS = 1024  # of a block of distances, 40 MB against 5000 pictures


def frechet_distance(features: np.ndarray, others: np.ndarray) -> float:
    """Fréchet distance between two sets of features, each taken as normally distributed.

    Few pictures make it too large, the more so the more features there are: compare it between
    equal numbers of pictures only.

    Formula:
        d² = ‖μ - μ'‖² + tr(Σ + Σ' - 2 (Σ Σ')^½)

    Args:
        features: float (N, F), of 2 pictures or more.
        others: float (M, F), of 2 pictures or more.

    Returns:
        float, at least 0. d²; smaller is nearer. Comparable only for the same features and
        numbers of pictures.

    Raises:
        TypeError: The features are no numbers.
        ValueError: They are no two sets of one width, too few, or not finite.

    Source: Heusel et al. 2017, eq. 6; the trace of (Σ Σ')^½ by the eigenvalues of Σ^½ Σ' Σ^½,
        which are the same and of a symmetric matrix.
    """
    features, others = check_features(2, features=features, others=others)
    covariance, other_covariance = (np.atleast_2d(np.cov(f, rowvar=False)) for f in
                                    (features, others))  # fmt: skip
    values, vectors = np.linalg.eigh(covariance)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    of_both = np.linalg.eigvalsh(root @ other_covariance @ root)
    apart = np.sum((features.mean(axis=0) - others.mean(axis=0)) ** 2)
    spread = np.trace(covariance) + np.trace(other_covariance)
    return float(max(0.0, apart + spread - 2 * np.sum(np.sqrt(np.maximum(of_both, 0)))))


def kernel_distance(
    features: np.ndarray,
    others: np.ndarray,
    subset_size: int = 5000,
    num_subsets: int = 10,
    seed: int = 0,
) -> float:
    """Kernel distance between two sets of features: right on average for any number of pictures.

    Formula:
        d² = 1/(n(n-1)) Σ_{i≠j} k(x_i, x_j) + 1/(m(m-1)) Σ_{i≠j} k(y_i, y_j)
             - 2/(nm) Σ_{i,j} k(x_i, y_j)

        k(x, y) = (⟨x, y⟩/F + 1)³

    Args:
        features: float (N, F), of 2 pictures or more. x.
        others: float (M, F), of 2 pictures or more. y.
        subset_size: Sets of up to so many pictures are compared whole; of larger ones, so many
            are drawn without replacement.
        num_subsets: Draws that are averaged where a set is larger.
        seed: Fixes the draws.

    Returns:
        float. d²; smaller is nearer. Sets that are alike give numbers around 0, also below.

    Raises:
        TypeError: The features are no numbers.
        ValueError: They are no two sets of one width, too few, or not finite.

    Source: Bińkowski et al. 2018 (KID), section 4, with the unbiased estimator of Gretton et al.
        2012, eq. 3. There 100 subsets of 1000; whole sets have the smaller variance.

    Example:
        >>> kernel_distance([[0.0], [1.0]], [[2.0], [3.0]])  # 1 + 343 - 2 * (1+1+27+64) / 4
        297.5
    """
    features, others = check_features(2, features=features, others=others)
    check_int("subset_size", subset_size, 2)
    check_int("num_subsets", num_subsets, 1)
    check_int("seed", seed, 0)
    if max(len(features), len(others)) <= subset_size:
        return _squared_discrepancy(features, others)
    rng = np.random.default_rng(seed)
    return float(
        np.mean(
            [
                _squared_discrepancy(*(_draw(rng, f, subset_size) for f in (features, others)))
                for _ in range(num_subsets)
            ]
        )
    )


def squared_distances(
    features: np.ndarray, others: np.ndarray
) -> Iterator[tuple[slice, np.ndarray]]:
    """Squared Euclidean distances, a block of rows at a time.

    Args:
        features: float (N, F).
        others: float (M, F).

    Yields:
        Which rows of `features`, and float64 (up to 1024, M), at least 0: their distances to all
        of `others`. Rounding errors are about 1e-15 times the squared spread of the features.
    """
    middle = others.mean(axis=0)  # smaller numbers, smaller rounding errors
    others = others - middle
    lengths = np.sum(others**2, axis=1)
    for start in range(0, len(features), ROWS):
        some = features[start : start + ROWS] - middle
        squared = np.sum(some**2, axis=1)[:, None] + lengths - 2 * (some @ others.T)
        yield slice(start, start + len(some)), np.maximum(squared, 0)


def check_features(least: int, **named: np.ndarray) -> list[np.ndarray]:
    """Features as float64, once they are known to fit together.

    Args:
        least: Fewest pictures that a set may have.
        **named: Sets of features float (N, F), by the names of their arguments.

    Raises:
        TypeError: A set does not consist of real numbers.
        ValueError: A set is not (N, F), has fewer pictures than `least`, another F than the
            first, or holds NaN or infinity.

    Example:
        >>> check_features(2, real=np.ones((1, 4)))
        Traceback (most recent call last):
        ...
        ValueError: `real` must be features of 2 pictures or more, received: 1. Take more pictures.
    """
    checked = []
    for name, features in named.items():
        features = np.asarray(features)
        if features.dtype.kind not in "fiu":
            raise TypeError(wrong(name, "numbers", features.dtype, "Pass a judge's features."))
        if features.ndim != 2 or not features.shape[1]:
            raise ValueError(wrong(name, "of shape (N, F)", features.shape, "A row a picture."))
        if len(features) < least:
            expected = f"features of {least} picture{'s' * (least > 1)} or more"
            raise ValueError(wrong(name, expected, len(features), "Take more pictures."))
        if checked and features.shape[1] != checked[0].shape[1]:
            width = checked[0].shape[1]
            raise ValueError(
                wrong(name, f"of shape (N, {width})", features.shape, "Take them from one judge.")
            )
        if not np.isfinite(features).all():
            raise ValueError(wrong(name, "finite", "NaN or infinity", "Did training diverge?"))
        checked.append(features.astype(np.float64))
    return checked


def _squared_discrepancy(x, y):
    """The unbiased estimate of the squared maximum mean discrepancy."""
    return float(
        _kernel_sum(x, x, without_diagonal=True) / (len(x) * (len(x) - 1))
        + _kernel_sum(y, y, without_diagonal=True) / (len(y) * (len(y) - 1))
        - 2 * _kernel_sum(x, y) / (len(x) * len(y))
    )


def _kernel_sum(x, y, without_diagonal=False):
    width = x.shape[1]
    total = sum(np.sum((x[i : i + ROWS] @ y.T / width + 1) ** 3) for i in range(0, len(x), ROWS))
    return total - np.sum((np.sum(x * x, axis=1) / width + 1) ** 3) if without_diagonal else total


def _draw(rng, features, num):
    return features[rng.permutation(len(features))[:num]]
