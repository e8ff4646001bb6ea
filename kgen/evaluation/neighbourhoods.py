"""Whether pictures look real, and whether they show all that is real, by nearest neighbours."""

from dataclasses import dataclass

import numpy as np

from kgen.checks import check_int, wrong
from kgen.evaluation.distance import check_features, squared_distances

# Distances that differ by rounding only are equal: 1e-5 of the features' spread, squared.
SLACK = 1e-10


@dataclass(frozen=True)
class Neighbourhoods:
    """How two sets of pictures overlap.

    Attributes:
        precision: Share of generated pictures within the real ones' reach, in [0, 1]: how many
            look real.
        recall: Share of real pictures within the generated ones' reach, in [0, 1]: how much of
            what is real can be generated.
        density: Mean number of real pictures within whose reach a generated one is, over k; at
            least 0. About 1 for new pictures like the real ones. Unlike precision, an odd real
            picture with a wide reach counts little.
        coverage: Share of real pictures with a generated one within their reach, in [0, 1].
            Unlike recall, an odd generated picture counts little.
    """

    precision: float
    recall: float
    density: float
    coverage: float


def compare_neighbourhoods(
    real: np.ndarray,
    generated: np.ndarray,
    num_neighbours: int = 3,
    num_neighbours_of_coverage: int = 5,
) -> Neighbourhoods:
    """Precision, recall, density and coverage of generated pictures.

    Formula:
        r_k(x) = distance from x to its k-th nearest neighbour in its own set, x left out

        precision = 1/M #{j: ‖g_j - x_i‖ ≤ r_k(x_i) for some i}
        recall    = 1/N #{i: ‖x_i - g_j‖ ≤ r_k(g_j) for some j}
        density   = 1/(kM) Σ_j #{i: ‖g_j - x_i‖ ≤ r_k(x_i)}
        coverage  = 1/N #{i: ‖g_j - x_i‖ ≤ r_k(x_i) for some j}

        A set against itself has precision = recall = coverage = 1 and density = (k + 1)/k, since
        each picture is also in its own reach; against new pictures of the same kind, density is 1
        on average, and coverage is for N = M near 1 - 2^-k.

    Args:
        real: float (N, F). x; more than k pictures.
        generated: float (M, F). g; more than k pictures.
        num_neighbours: k of precision and recall.
        num_neighbours_of_coverage: k of density and coverage.

    Returns:
        The four figures. Comparable only for the same features, N, M and k.

    Raises:
        TypeError: The features are no numbers.
        ValueError: A set has fewer than k + 1 pictures, so that some have no k-th neighbour; or
            the sets have different widths, or are not finite.

    Source: Kynkäänniemi et al. 2019, eq. 1 and 2; Naeem et al. 2020, eq. 3 and 4, where k = 5.
        There it stays open whether the edge belongs to the reach; here it does, as in eq. 1.

    Example:
        >>> compare_neighbourhoods(np.eye(9), np.eye(9) + 7).precision
        0.0
    """
    k, k_of_coverage = num_neighbours, num_neighbours_of_coverage
    check_int("num_neighbours", k, 1)
    check_int("num_neighbours_of_coverage", k_of_coverage, 1)
    real, generated = check_features(1, real=real, generated=generated)
    _check_enough("real", real, max(k, k_of_coverage))
    _check_enough("generated", generated, k)
    slack = SLACK * np.mean(np.sum((real - real.mean(axis=0)) ** 2, axis=1))
    reach, reach_of_coverage = (r + slack for r in _squared_reaches(real, k, k_of_coverage))
    (generated_reach,) = (r + slack for r in _squared_reaches(generated, k))
    recalled, covered = np.zeros((2, len(real)), bool)
    precise = dense = 0
    for rows, squared in squared_distances(generated, real):  # (rows, N)
        precise += np.any(squared <= reach, axis=1).sum()
        inside = squared <= reach_of_coverage
        dense += inside.sum()
        covered |= np.any(inside, axis=0)
        recalled |= np.any(squared <= generated_reach[rows, None], axis=0)
    return Neighbourhoods(
        precision=float(precise / len(generated)),
        recall=float(recalled.mean()),
        density=float(dense / (k_of_coverage * len(generated))),
        coverage=float(covered.mean()),
    )


def nearest_neighbours(features: np.ndarray, others: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each picture the nearest of others.

    Args:
        features: float (N, F).
        others: float (M, F).

    Returns:
        int64 (N,), in [0, M - 1]: which one, the first of several equally near; and float64 (N,):
        its Euclidean distance, exactly 0 for a copy.

    Raises:
        TypeError: The features are no numbers.
        ValueError: They are no two sets of one width, empty, or not finite.
    """
    features, others = check_features(1, features=features, others=others)
    indices = np.concatenate([s.argmin(axis=1) for _, s in squared_distances(features, others)])
    distances = [np.linalg.norm(f - others[i]) for f, i in zip(features, indices)]
    return indices, np.array(distances)


def _squared_reaches(features, *ks):
    """For each k, float64 (N,): squared distances to the k-th nearest neighbour."""
    parts = []
    for rows, squared in squared_distances(features, features):
        squared[np.arange(len(squared)), np.arange(rows.start, rows.stop)] = np.inf
        order = np.partition(squared, [k - 1 for k in ks], axis=1)
        parts.append([order[:, k - 1] for k in ks])
    return np.concatenate(parts, axis=1)


def _check_enough(name, features, k):
    if len(features) <= k:
        raise ValueError(
            wrong(
                name,
                f"features of {k + 1} pictures or more",
                len(features),
                f"With fewer, none has {k} neighbour{'s' * (k > 1)}: take more, or a lower k.",
            )
        )
