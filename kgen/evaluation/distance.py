"""How far two sets of pictures are apart, in the features of a judge."""

import numpy as np


def frechet_distance(features: np.ndarray, others: np.ndarray) -> float:
    """Fréchet distance between two sets of features, each taken as normally distributed.

    Formula:
        d² = ‖μ - μ'‖² + tr(Σ + Σ' - 2 (Σ Σ')^½)

    Args:
        features: float (N, F).
        others: float (M, F).

    Returns:
        float, at least 0. d²; smaller is nearer. Comparable only for the same features and
        numbers of pictures.

    Source: Heusel et al. 2017, eq. 6; the trace of (Σ Σ')^½ by the eigenvalues of Σ^½ Σ' Σ^½,
        which are the same and of a symmetric matrix.
    """
    features, others = (np.asarray(f, np.float64) for f in (features, others))
    covariance, other_covariance = (np.atleast_2d(np.cov(f, rowvar=False)) for f in
                                    (features, others))  # fmt: skip
    values, vectors = np.linalg.eigh(covariance)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    of_both = np.linalg.eigvalsh(root @ other_covariance @ root)
    apart = np.sum((features.mean(axis=0) - others.mean(axis=0)) ** 2)
    spread = np.trace(covariance) + np.trace(other_covariance)
    return float(max(0.0, apart + spread - 2 * np.sum(np.sqrt(np.maximum(of_both, 0)))))
