"""Whether a model draws anew or repeats its training pictures."""

from dataclasses import dataclass

import numpy as np

from kgen.checks import check_real, wrong
from kgen.evaluation.distance import check_features
from kgen.evaluation.neighbourhoods import nearest_neighbours

LEAST_RATIO = 0.8
MOST_NEAR = 0.1  # 0.01 expected; of as few as 50 test pictures, by chance in 1 case of 200
GRID, SIDE = 32, 8  # cells to move pictures by, and to compare them by
MOVES = range(-2, 3)  # cells of the grid: at 64 pixels up to 4
LEAST_CONTRAST = 1.0  # grey level


@dataclass(frozen=True)
class Memorisation:
    """How near generated pictures are to training pictures, measured by unseen real ones.

    Attributes:
        ratio: Median distance of a generated picture to its nearest training picture, over the
            same for test pictures; at least 0. About 1: as far from training as unseen real
            pictures are. Near 0: copied.
        share_near: Share of generated pictures no farther from training than the nearest 1 % of
            test pictures, in [0, 1]. About 0.01 where nothing is copied.
        nearest: int64 (M,). For each generated picture, its nearest training picture.
        distances: float64 (M,), at least 0: how far that is.
        test_distances: float64 (K,), at least 0: the same for test pictures.
        is_memorised: Whether `ratio` or `share_near` is past its limit.
    """

    ratio: float
    share_near: float
    nearest: np.ndarray
    distances: np.ndarray
    test_distances: np.ndarray
    is_memorised: bool

    def closest_pairs(self, num: int) -> list[tuple[int, int, float]]:
        """The `num` nearest pairs, to be looked at: generated, training, distance."""
        order = np.argsort(self.distances, kind="stable")[:num]
        return [(int(i), int(self.nearest[i]), float(self.distances[i])) for i in order]


def distance_ratio(distances: np.ndarray, test_distances: np.ndarray) -> float:
    """Median of `distances` over median of `test_distances`: the ratio of `Memorisation`.

    Its interval: `bootstrap_interval(distance_ratio, found.distances, found.test_distances)`.

    Example:
        >>> distance_ratio([1.0, 2.0, 9.0], [4.0])
        0.5
    """
    return float(np.median(distances) / np.median(test_distances))


def measure_memorisation(
    generated: np.ndarray,
    train: np.ndarray,
    test: np.ndarray,
    least_ratio: float = LEAST_RATIO,
    most_near: float = MOST_NEAR,
) -> Memorisation:
    """Compares nearest training pictures of generated pictures with those of test pictures.

    The ratio tells of a model that repeats most of what it draws, the share also of one that
    repeats a part. Pictures of little variety may lie near training pictures without being
    copies: look at the closest pairs.

    Formula:
        ratio      = median_i min_j ‖g_i - x_j‖ / median_i min_j ‖t_i - x_j‖
        share_near = 1/M #{i: min_j ‖g_i - x_j‖ ≤ first percentile of min_j ‖t_i - x_j‖}

        is_memorised = ratio < least_ratio or share_near > most_near

    Args:
        generated: float (M, F). g.
        train: float (N, F). x; all pictures that the model was trained on, or those that it may
            have copied: of a part, only that part's copies are found.
        test: float (K, F). t; real pictures of the same kind that no training has seen. 100 or
            more, for their first percentile to mean something.
        least_ratio: Smallest ratio that is not called memorised.
        most_near: Greatest share that is not called memorised.

    Returns:
        The figures, the verdict and each picture's nearest.

    Raises:
        TypeError: The features are no numbers.
        ValueError: They differ in width, are empty or not finite; or more than half of the test
            pictures are training pictures.

    Source: the three-sample comparison of Meehan et al. 2020 (A Non-Parametric Test to Detect
        Data-Copying in Generative Models), with medians for their rank test.

    Example:
        >>> train, test = np.random.default_rng(0).standard_normal((2, 200, 3))
        >>> measure_memorisation(train[:50], train, test).is_memorised
        True
    """
    generated, train, test = check_features(1, generated=generated, train=train, test=test)
    nearest, distances = nearest_neighbours(generated, train)
    _, test_distances = nearest_neighbours(test, train)
    return _judged(nearest, distances, test_distances, least_ratio, most_near)


def measure_memorisation_in_pixels(
    generated: np.ndarray,
    train: np.ndarray,
    test: np.ndarray,
    least_ratio: float = LEAST_RATIO,
    most_near: float = MOST_NEAR,
) -> Memorisation:
    """`measure_memorisation` by what pictures look like, without any judge.

    Pictures are compared coarsely, without brightness and contrast, mirrored or not, and moved by
    up to 1/16 of their side, so that a changed copy is found, too. It takes seconds for 200 against
    2000 pictures, and longer by the product of their numbers.

    Formula:
        as `measure_memorisation`, with the least over 25 moves of a picture and both sides of x,
        of the features (p - mean(p)) / max(deviation(p), 1), p = means of 8 x 8 cells

    Args:
        generated: uint8 (M, H, W, 3), in [0, 255]; H and W multiples of 32 pixels.
        train: uint8 (N, H, W, 3), in [0, 255].
        test: uint8 (K, H, W, 3), in [0, 255].
        least_ratio: Smallest ratio that is not called memorised.
        most_near: Greatest share that is not called memorised.

    Returns:
        As `measure_memorisation`; `nearest` is in [0, N - 1], mirrored or not.

    Raises:
        TypeError: The pictures are not uint8.
        ValueError: They have other shapes or sides; and as `measure_memorisation`.
    """
    cells = {
        name: _cells(name, pixels)
        for name, pixels in (("generated", generated), ("train", train), ("test", test))
    }
    both = _coarse(np.concatenate([cells["train"], cells["train"][:, :, ::-1]]))
    nearest, distances = _nearest_of_moved(cells["generated"], both)
    _, test_distances = _nearest_of_moved(cells["test"], both)
    nearest %= len(cells["train"])
    return _judged(nearest, distances, test_distances, least_ratio, most_near)


def _nearest_of_moved(cells, others):
    """`nearest_neighbours` of pictures, wherever they are moved to."""
    nearest, least = np.zeros(len(cells), np.int64), np.full(len(cells), np.inf)
    for down in MOVES:
        for right in MOVES:
            indices, distances = nearest_neighbours(_coarse(_moved(cells, down, right)), others)
            nearest = np.where(distances < least, indices, nearest)
            least = np.minimum(distances, least)
    return nearest, least


def _moved(cells, down, right):
    """Pictures moved by cells of the grid; what comes in repeats the edge."""
    places = np.arange(GRID)
    rows, columns = (np.clip(places - move, 0, GRID - 1) for move in (down, right))
    return cells[:, rows][:, :, columns]


def _cells(name, pixels):
    """float32 (N, 32, 32, 3), in [0, 255]: means of the grid's cells."""
    pixels = np.asarray(pixels)
    if pixels.dtype != np.uint8:
        raise TypeError(wrong(name, "uint8", pixels.dtype, "Call `to_pixels` on images."))
    if pixels.ndim != 4 or pixels.shape[3] != 3 or 0 in pixels.shape:
        raise ValueError(wrong(name, "pictures (N, H, W, 3)", pixels.shape, "Stack them."))
    num, height, width, _ = pixels.shape
    if height % GRID or width % GRID:
        expected = f"pictures with sides of multiples of {GRID} pixels"
        raise ValueError(wrong(name, expected, pixels.shape, "Resize them."))
    tiles = pixels.reshape(num, GRID, height // GRID, GRID, width // GRID, 3)
    return tiles.mean(axis=(2, 4), dtype=np.float32)


def _coarse(cells):
    """float64 (N, 192): what remains without detail, brightness and contrast."""
    num, of = len(cells), GRID // SIDE
    tiles = cells.reshape(num, SIDE, of, SIDE, of, 3)
    flat = tiles.mean(axis=(2, 4), dtype=np.float64).reshape(num, -1)
    flat -= flat.mean(axis=1, keepdims=True)
    return flat / np.maximum(flat.std(axis=1, keepdims=True), LEAST_CONTRAST)


def _judged(nearest, distances, test_distances, least_ratio, most_near):
    check_real("least_ratio", least_ratio, 0, 1)
    check_real("most_near", most_near, 0, 1)
    if np.median(test_distances) == 0:
        raise ValueError(
            wrong(
                "test",
                "pictures that are not in `train`",
                f"{np.sum(test_distances == 0)} of {len(test_distances)} that are",
                "Remove what occurs twice.",
            )
        )
    ratio = distance_ratio(distances, test_distances)
    share_near = float(np.mean(distances <= np.percentile(test_distances, 1)))
    return Memorisation(
        ratio=ratio,
        share_near=share_near,
        nearest=nearest,
        distances=distances,
        test_distances=test_distances,
        is_memorised=bool(ratio < least_ratio or share_near > most_near),
    )
