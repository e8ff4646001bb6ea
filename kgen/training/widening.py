"""A layer's weights put into a wider layer that does what the narrower one did.

Source: function-preserving growth, Chen et al. 2016 (Net2Net); where they split channels, the new
ones start as fresh ones that nothing listens to yet.
"""

import keras
import numpy as np

from kgen.networks.layers import Modulation, WordAttention

# What an axis of a weight counts. Of a layer that none of these names nothing is widened: a Dense
# behind a Flatten counts places and channels in one axis.
CONV, TRANSPOSED, DENSE, VECTOR = "hwio", "hwoi", "io", "o"


def widened(layer: keras.Layer, fresh: np.ndarray, trained: np.ndarray):
    """The weight of a wider layer, from its fresh value and a narrower layer's trained one.

    Formula:
        W'[i, o] = W[i, o] for old i and o,  0 for new i and old o,  fresh for new o
        (of a modulation 0 for new o, as a trained caption vector is too long for a fresh one)

        so that the old outputs see the old inputs alone. Scales and shifts of a modulation, which
        lie one behind the other, are widened apart. Attention alone is not preserved wholly: its
        norm is over all channels, new ones too.

    Args:
        layer: The wider layer.
        fresh: One of its weights, as initialised.
        trained: The narrower layer's weight in the same place.

    Returns:
        The value, as `fresh` in shape and dtype; None where no axis grows, one shrinks, or the
        layer is of no kind that this can be said of.

    Example:
        >>> layer = keras.layers.Conv2D(2, 1)
        >>> fresh, trained = np.full((1, 1, 2, 2), 5.0), np.full((1, 1, 1, 1), 3.0)
        >>> widened(layer, fresh, trained)[0, 0].tolist()
        [[3.0, 5.0], [0.0, 5.0]]
    """
    axes = _axes(layer, fresh.ndim)
    if axes is None or not _grows(fresh.shape, trained.shape):
        return None
    if isinstance(layer, Modulation):
        none = np.split(np.zeros_like(fresh), 2, axis=-1)
        halves = zip(none, np.split(trained, 2, axis=-1), strict=True)
        return np.concatenate([_wider(*half, axes) for half in halves], axis=-1)
    return _wider(fresh, trained, axes)


def _wider(fresh, trained, axes):
    value = fresh.copy()
    if "i" in axes:
        old = [slice(None)] * fresh.ndim
        old[axes.index("o")] = slice(trained.shape[axes.index("o")])
        value[tuple(old)] = 0
    value[tuple(slice(size) for size in trained.shape)] = trained
    return value


def _grows(shape, trained):
    return len(shape) == len(trained) and shape != trained and all(
        mine >= theirs for mine, theirs in zip(shape, trained, strict=True)
    )


def _axes(layer, rank):
    if isinstance(layer, keras.layers.Conv2DTranspose):
        matrix = TRANSPOSED
    elif isinstance(layer, keras.layers.Conv2D):
        matrix = CONV
    elif isinstance(layer, Modulation | WordAttention):
        matrix = DENSE
    else:
        return None
    return matrix if rank == len(matrix) else VECTOR if rank == 1 else None
