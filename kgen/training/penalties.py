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


def matching_aware_penalty(of_image, of_caption_vector):
    """How steep D is at real pictures with their captions, in both.

    Formula:
        MAGP = E[ (‖∂D(x, c)/∂x‖ + ‖∂D(x, c)/∂c‖)⁶ ]

    Args:
        of_image: float32 (B, H, W, 3). Each logit's gradient by its picture.
        of_caption_vector: float32 (B, C). Each logit's gradient by its caption vector.

    Returns:
        float32 (), at least 0. To be multiplied by k.

    Source: Tao et al. 2022 (DF-GAN), eq. 1, with p = 6.
    """
    steepness = _norm(ops.reshape(of_image, (ops.shape(of_image)[0], -1)))
    return ops.mean((steepness + _norm(of_caption_vector)) ** 6)


def lecam_penalty(real, fake, usual_real, usual_fake):
    """How far D's logits lie from what is usual for the other side.

    Formula:
        R = E[(D(x) - α_F)²] + E[(D(G(z)) - α_R)²]

    Args:
        real: float32 (B, 1). Logits of real pictures.
        fake: float32 (B, 1). Logits of generated pictures.
        usual_real: float32 (). α_R, moving average of real pictures' logits.
        usual_fake: float32 (). α_F, moving average of generated pictures' logits.

    Returns:
        float32 (), at least 0.

    Source: Tseng et al. 2021 (LeCam), eq. 5.
    """
    return ops.mean(ops.square(real - usual_fake)) + ops.mean(ops.square(fake - usual_real))


def _norm(rows):
    # Not 0 at 0, where the square root has no gradient.
    return ops.sqrt(ops.sum(ops.square(rows), axis=1) + 1e-12)
