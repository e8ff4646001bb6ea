"""How near generated pictures are to real ones, beside how near other real ones are."""

from typing import Any

import numpy as np

from kgen.evaluation.distance import frechet_distance, kernel_distance
from kgen.evaluation.features import FeatureNetwork
from kgen.evaluation.figures import set_figures
from kgen.evaluation.neighbourhoods import compare_neighbourhoods

DISTANCES = ("frechet", "kernel")
NEIGHBOURHOODS = ("precision", "recall", "density", "coverage")
FEWEST, FEWEST_NEIGHBOURS = 4, 12  # pictures, so that half of them still has a figure
MOST_COMPARED = 5000  # pictures


def distance_figures(
    network: FeatureNetwork,
    training: np.ndarray,
    generated: np.ndarray,
    test: np.ndarray | None,
    seed: int = 0,
) -> dict[str, Any]:
    """Fréchet and kernel distance, precision, recall, density and coverage.

    Generated pictures are compared with real training pictures; test pictures with the same
    ones: no model can be expected to come nearer than unseen real pictures do. All sets are cut
    to one size, since the figures depend on it.

    Args:
        network: Gives the features.
        training: uint8 (N, H, W, 3).
        generated: uint8 (M, H, W, 3).
        test: uint8 (K, H, W, 3); None: there are none that no training has seen.
        seed: Fixes the intervals' draws.

    Returns:
        JSON-ready: `num` of pictures in a set; for each figure `generated` and `real` (None
        without test pictures); and under `left_out_figures` why others are not there.
    """
    sets = [s for s in (training, generated, test) if s is not None]
    num = min(MOST_COMPARED, *map(len, sets))
    if num < FEWEST:
        return {"left_out": f"it takes {FEWEST} pictures or more of each kind; there are {num}"}
    features = [np.asarray(network(s[:num]), np.float64) for s in sets]
    found = {"features": network.name, "note": network.note, "num": num, "left_out_figures": ""}
    groups = [(DISTANCES, _distances, ([0, -np.inf], [np.inf, np.inf]))]
    if num >= FEWEST_NEIGHBOURS:
        groups.append((NEIGHBOURHOODS, _neighbourhoods, ([0] * 4, [1, 1, np.inf, 1])))
    else:
        found["left_out_figures"] = (
            f"{', '.join(NEIGHBOURHOODS)}: they take {FEWEST_NEIGHBOURS} pictures or more"
        )
    reference, *compared = features
    for names, statistic, bounds in groups:
        columns = [set_figures(statistic, bounds, reference, s, seed=seed) for s in compared]
        for i, name in enumerate(names):
            real = columns[1][i] if len(columns) > 1 else None
            found[name] = {"generated": columns[0][i], "real": real}
    return found


def _distances(real, generated):
    return np.array([frechet_distance(real, generated), kernel_distance(real, generated)])


def _neighbourhoods(real, generated):
    found = compare_neighbourhoods(real, generated)
    return np.array([getattr(found, name) for name in NEIGHBOURHOODS])
