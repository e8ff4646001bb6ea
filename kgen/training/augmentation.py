"""Differentiable augmentation in front of D: pure functions of tensors.

Real and generated pictures are changed alike, so D cannot learn a small set by heart, and G,
through which the gradient flows, does not learn the changes as long as they leave a picture alone
often enough.

Source: Zhao et al. 2020 (DiffAugment), section 3.2 and appendix C for the ranges; Karras et al.
2020 (ADA), sections 2.2 and 3 for the chance and its adaptation. Theirs is a list of separate
image operations; here flip, crop and translation are one bilinear resampling by matrices.
"""

from keras import ops

TRANSLATION = 1 / 8  # of the picture's side
LEAST_CROP = 3 / 4
CUTOUT = 1 / 2
BRIGHTNESS = 0.5
CONTRAST = 0.5
NUM_DRAWS = 15  # random numbers for each picture
TARGET = 0.6
PICTURES_TO_CERTAINTY = 100_000


def augment(image, names, chance, draws):
    """Changes each picture by each of the named augmentations with a chance of its own.

    Formula:
        flip: mirrors left and right, with half the chance
        crop: a square of 3/4 to 1 of the side, anywhere in the picture, enlarged
        translation: by up to 1/8 of the side; what comes into view is 0, mid grey
        cutout: a square of half the side, anywhere, is 0
        colour: brightness + U[-½, ½], saturation · U[0, 2], contrast · U[½, 1½]

    Args:
        image: float32 (B, H, W, 3), in [-1, 1].
        names: Some of `kgen.config.AUGMENTATIONS`.
        chance: float or float32 (), in [0, 1].
        draws: float32 (B, 15), U[0, 1). They decide all.

    Returns:
        float32 (B, H, W, 3), in [-1, 1] but for brightness and contrast.
    """
    u = ops.split(draws, NUM_DRAWS, axis=1)  # each (B, 1)
    if "colour" in names:
        image = _recoloured(image, u[0] < chance, *u[1:4])
    rows, columns = image.shape[1:3]
    step_x = step_y = ops.ones_like(u[0])
    start_x = start_y = ops.zeros_like(u[0])
    if "crop" in names:
        size = ops.where(u[4] < chance, LEAST_CROP + (1 - LEAST_CROP) * u[5], 1.0)
        step_x = step_y = size
        start_x = (columns - 1) * (1 - size) * u[6]
        start_y = (rows - 1) * (1 - size) * u[7]
    if "translation" in names:
        moves = ops.cast(u[8] < chance, "float32")
        start_x = start_x + ops.round(moves * (2 * u[9] - 1) * TRANSLATION * columns)
        start_y = start_y + ops.round(moves * (2 * u[10] - 1) * TRANSLATION * rows)
    if "flip" in names:
        flips = u[11] < chance / 2
        start_x = ops.where(flips, start_x + step_x * (columns - 1), start_x)
        step_x = ops.where(flips, -step_x, step_x)
    if {"crop", "translation", "flip"} & set(names):
        image = _resampled(image, step_x, start_x, step_y, start_y)
    if "cutout" in names:
        image = image * _outside_square(u[12] < chance, u[13], u[14], rows, columns)
    return image


def overfitting(real_logit):
    """How sure D is of the training pictures.

    Formula:
        r = E[sign(D(x, c))]

    Args:
        real_logit: float32 (B, 1). Logits of real pictures with their captions.

    Returns:
        float32 (), in [-1, 1]; 1 where D is sure of all.

    Source: Karras et al. 2020 (ADA), eq. 1.
    """
    return ops.mean(ops.sign(real_logit))


def adapted_chance(chance, r, num_pictures, most):
    """The chance after one more batch: it rises while D overfits, and falls where it does not.

    Formula:
        p ← min(most, max(0, p + sign(r - 0.6) B / 100 000))

    Args:
        chance: float32 (), in [0, 1]. p.
        r: float32 (), in [-1, 1]. From `overfitting`.
        num_pictures: int. B.
        most: float, in [0, 1].

    Returns:
        float32 (), in [0, most].

    Source: Karras et al. 2020 (ADA), section 3.1; theirs takes 500 000 pictures from 0
        to 1, with sets and runs a hundred times as large.
    """
    step = ops.cast(num_pictures, "float32") / PICTURES_TO_CERTAINTY
    return ops.clip(chance + ops.sign(r - TARGET) * step, 0.0, most)


def _recoloured(image, chosen, u_brightness, u_saturation, u_contrast):
    strength = ops.cast(chosen, "float32")[:, :, None, None]
    brightness, saturation, contrast = (
        u[:, :, None, None] for u in (u_brightness, u_saturation, u_contrast)
    )
    image = image + strength * BRIGHTNESS * (2 * brightness - 1)
    grey = ops.mean(image, axis=3, keepdims=True)
    image = grey + (image - grey) * (1 + strength * (2 * saturation - 1))
    middle = ops.mean(image, axis=(1, 2, 3), keepdims=True)
    return middle + (image - middle) * (1 + strength * CONTRAST * (2 * contrast - 1))


def _resampled(image, step_x, start_x, step_y, start_y):
    """Pixel (i, j) of the result is the picture at row start_y + step_y i, column start_x +
    step_x j, between pixels by bilinear weights, outside 0.
    """
    _, rows, columns, channels = image.shape
    image = ops.matmul(_weights(start_y, step_y, rows), ops.reshape(image, (-1, rows, columns * 3)))
    image = ops.reshape(image, (-1, rows, columns, channels))
    return ops.matmul(_weights(start_x, step_x, columns)[:, None], image)


def _weights(start, step, size):
    """max(0, 1 - |start + step i - j|): float32 (B, size, size), row i's share of each j."""
    places = ops.arange(size, dtype="float32")
    wanted = (start + step * places)[:, :, None]  # (B, size, 1), from (B, 1) and (size,)
    return ops.relu(1 - ops.abs(wanted - places))


def _outside_square(chosen, u_x, u_y, rows, columns):
    """0 in a square of half the side about a place, if chosen, else 1: float32 (B, H, W, 1)."""
    inside_y = ops.abs(ops.arange(rows, dtype="float32") + 0.5 - u_y * rows) < CUTOUT / 2 * rows
    inside_x = ops.abs(ops.arange(columns, dtype="float32") + 0.5 - u_x * columns) < (
        CUTOUT / 2 * columns
    )
    inside = inside_y[:, :, None] & inside_x[:, None, :] & chosen[:, :, None]
    return 1 - ops.cast(inside, "float32")[..., None]
