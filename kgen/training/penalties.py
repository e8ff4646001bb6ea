"""Penalties on D's gradient: pure functions of tensors."""

from keras import ops


def r1_penalty(gradient):
    """How steep D is at the real pictures.

    Formula:
        R1 = ½ E[ Σ_pixels (∂D(x, c)/∂x)² ]

    Args:
        gradient: float32 (B, H, W, 3). Each logit's gradient by its own picture.

    Returns:
        float32 (), at least 0. To be multiplied by γ, and by the interval when it is evaluated
        lazily.

    Source: Mescheder et al. 2018, eq. 9; lazily: Karras et al. 2020, section 3.1.
    """
    return 0.5 * ops.mean(ops.sum(ops.square(gradient), axis=(1, 2, 3)))
