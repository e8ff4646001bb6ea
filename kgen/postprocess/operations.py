"""The operations of post-processing: images float32 (B, H, W, 3), in [-1, 1], to the same.

H and W are known when a graph is traced, so that LiteRT's builtin operators do for all of them.
Every picture is treated for itself: what else is in the batch changes nothing.
"""

import numpy as np
from keras import ops

LUMA = (0.2126, 0.7152, 0.0722)
RADIUS = 2  # pixels, of the bilateral filter
SPATIAL_SIGMA = 1.5  # pixels
MOST_GAIN = 1.5
DARKEST = 1e-3  # stands for 0 where a channel's mean divides


def luma(image):
    """How bright each pixel looks.

    Formula:
        luma = 0.2126 R + 0.7152 G + 0.0722 B

    Args:
        image: float32 (B, H, W, 3), in [-1, 1].

    Returns:
        float32 (B, H, W, 1), in [-1, 1].

    Source: ITU-R BT.709-6, item 3.2; its primaries are sRGB's.
    """
    return ops.sum(image * np.asarray(LUMA, np.float32), axis=-1, keepdims=True)


def denoise(image, strength: float):
    """Bilateral filter: smooths what differs little and keeps edges.

    Formula:
        y(p) = sum_q w(p, q) x(q) / sum_q w(p, q), over the 5 x 5 pixels q around p
        w(p, q) = exp(-|p - q|² / (2 · 1.5²)) exp(-d(p, q)² / (2 (2 strength)²))

        where d² is the mean over the channels of (x(p) - x(q))². Outside the picture lies its
        mirror image.

    Args:
        image: float32 (B, H, W, 3), in [-1, 1]. H and W are at least 2.
        strength: Difference from which on two pixels count as an edge, as a share of the range
            from black to white. Twice the noise's standard deviation removes most of it.

    Returns:
        float32 (B, H, W, 3), in [-1, 1].

    Source: Tomasi and Manduchi 1998, eq. 5 and section 2.1, with RGB in place of CIE-Lab.
    """
    _, height, width, _ = image.shape
    around = ((0, 0), (RADIUS, RADIUS), (RADIUS, RADIUS), (0, 0))
    padded = ops.pad(image, around, mode="symmetric")
    total, weights = image, 1.0  # the pixel itself
    for dy, dx in np.ndindex(2 * RADIUS + 1, 2 * RADIUS + 1):
        distance = (dy - RADIUS) ** 2 + (dx - RADIUS) ** 2
        if not distance:
            continue
        other = padded[:, dy : dy + height, dx : dx + width]
        difference = ops.mean(ops.square(other - image), axis=-1, keepdims=True)  # (B, H, W, 1)
        near = distance / (2 * SPATIAL_SIGMA**2)
        weight = ops.exp(difference * (-1 / (8 * strength**2)) - near)
        total, weights = total + weight * other, weights + weight
    return total / weights


def contrast(image, factor: float):
    """Stretches (or flattens) each picture about its own mean grey, so that night stays night.

    Formula:
        y = clip(m + factor (x - m), -1, 1),  m = mean over the picture of its luma

    Args:
        image: float32 (B, H, W, 3), in [-1, 1].
        factor: 1 changes nothing; 0 leaves an even grey.

    Returns:
        float32 (B, H, W, 3), in [-1, 1].

    Source: Haeberli and Voorhies 1994, Image Processing by Interpolation and Extrapolation.
    """
    middle = ops.mean(luma(image), axis=(1, 2), keepdims=True)  # (B, 1, 1, 1)
    return _clipped(middle + factor * (image - middle))


def saturation(image, factor: float):
    """Strengthens (or pales) colours; the luma stays, up to clipping.

    Formula:
        y = clip(g + factor (x - g), -1, 1),  g = luma of the pixel

    Args:
        image: float32 (B, H, W, 3), in [-1, 1].
        factor: 1 changes nothing; 0 leaves greys.

    Returns:
        float32 (B, H, W, 3), in [-1, 1].

    Source: Haeberli and Voorhies 1994, with the luma of BT.709.
    """
    grey = luma(image)
    return _clipped(grey + factor * (image - grey))


def white_balance(image, strength: float):
    """Draws the channels' means towards each other, within limits.

    Formula:
        y = clip(gain_c (x + 1) - 1, -1, 1)
        gain_c = clip(m / m_c, 1 / 1.5, 1.5) ^ strength

        where m_c is the mean of (x + 1) / 2 over channel c, and m the mean of the three. Grey-world
        alone (no limit, strength 1) would turn a sunset grey.

    Args:
        image: float32 (B, H, W, 3), in [-1, 1].
        strength: In [0, 1]; 0 changes nothing, 1 makes the means equal where the limit allows.

    Returns:
        float32 (B, H, W, 3), in [-1, 1].

    Source: Buchsbaum 1980, A Spatial Processor Model for Object Colour Perception. The gains act
        on coded values, not on light; under a power law those are gains, too.
    """
    light = 0.5 * (image + 1)
    means = ops.maximum(ops.mean(light, axis=(1, 2), keepdims=True), DARKEST)  # (B, 1, 1, 3)
    gains = ops.mean(means, axis=-1, keepdims=True) / means
    gains = ops.exp(strength * ops.log(ops.clip(gains, 1 / MOST_GAIN, MOST_GAIN)))
    return _clipped(gains * (image + 1) - 1)


def sharpen(image, strength: float):
    """Unsharp mask: adds what a blur takes away.

    Formula:
        y = clip(x + strength (x - blur(x)), -1, 1)

        where blur weighs 3 x 3 pixels by [1 2 1]ᵀ [1 2 1] / 16; the border pixels repeat outside.

    Args:
        image: float32 (B, H, W, 3), in [-1, 1].
        strength: 0 changes nothing.

    Returns:
        float32 (B, H, W, 3), in [-1, 1].

    Source: Gonzalez and Woods 2018, Digital Image Processing, section 3.6.
    """
    x = ops.pad(image, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="symmetric")
    x = 0.25 * x[:, :-2] + 0.5 * x[:, 1:-1] + 0.25 * x[:, 2:]
    blurred = 0.25 * x[:, :, :-2] + 0.5 * x[:, :, 1:-1] + 0.25 * x[:, :, 2:]
    return _clipped(image + strength * (image - blurred))


def upscale(image, factor: int):
    """Enlarges pictures by bicubic interpolation, down the columns, then along the rows.

    Formula:
        y_i = clip(sum_k w_ik x_k / sum_k w_ik, -1, 1)
        w_ik = cubic((i + 0.5) / factor - 0.5 - k), over the pixels k of the picture

        TensorFlow's and Pillow's bicubic enlargements give the same, but LiteRT has no operator
        for it. Every `factor`-th row has the same weights, so each of these phases is a sum of
        shifted pictures.

    Args:
        image: float32 (B, H, W, 3), in [-1, 1].
        factor: Height and width grow by it.

    Returns:
        float32 (B, factor H, factor W, 3), in [-1, 1].

    Source: Keys 1981, eq. 15 (a = -1/2).
    """
    factor = int(factor)
    return _clipped(_stretched(_stretched(image, factor, axis=1), factor, axis=2))


def bicubic_weights(factor: int) -> np.ndarray:
    """For each of `factor` new pixels in one old pixel, the weights of the 5 old ones around it.

    Returns:
        float64 (factor, 5); each row sums to 1.

    Example:
        >>> (128 * bicubic_weights(2)).tolist()
        [[-3.0, 29.0, 111.0, -9.0, 0.0], [0.0, -9.0, 111.0, 29.0, -3.0]]
    """
    places = (np.arange(factor) + 0.5) / factor - 0.5
    return _cubic(np.abs(places[:, None] - np.arange(-2, 3)))


def _stretched(x, factor, axis):
    """Enlarges along one axis, height (1) or width (2)."""
    size = x.shape[axis]
    weights = bicubic_weights(factor)
    padded = ops.pad(x, [(2, 2) if n == axis else (0, 0) for n in range(4)])
    shifted = [
        padded[:, n : n + size] if axis == 1 else padded[:, :, n : n + size] for n in range(5)
    ]
    phases = [sum(float(w) * s for w, s in zip(row, shifted) if w) for row in weights]
    shape = [-1, *x.shape[1:]]
    shape[axis] *= factor
    y = ops.reshape(ops.stack(phases, axis=axis + 1), shape)
    # Beyond the border lie zeros: what they were weighed by is given to those within.
    within = np.pad(np.ones(size), 2)
    within = sum(np.outer(within[n : n + size], weights[:, n]) for n in range(5)).ravel()
    return y * (1 / within).astype(np.float32).reshape([-1, 1, 1] if axis == 1 else [-1, 1])


def _cubic(distance):
    """Keys' kernel, by how far a pixel is."""
    near = 1.5 * distance**3 - 2.5 * distance**2 + 1
    far = -0.5 * distance**3 + 2.5 * distance**2 - 4 * distance + 2
    return np.where(distance <= 1, near, np.where(distance < 2, far, 0.0))


def _clipped(image):
    return ops.clip(image, -1.0, 1.0)
