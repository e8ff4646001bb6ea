"""Adversarial and contrastive losses: pure functions of tensors.

x image, t token ids, c caption vector, c' another picture's caption vector, z noise,
T G D the networks, f the feature that D saw, B the batch size.
"""

from keras import ops


def hinge_discriminator_loss(real, fake, mismatched, is_mismatch):
    """What D loses on real, generated and wrongly captioned pictures.

    Formula:
        L_D = E[max(0, 1 - D(x, c))] + ½ E[max(0, 1 + D(G(z, c), c))] + ½ E[max(0, 1 + D(x, c'))]

        where the last mean runs over the pairs that really are mismatched.

    Args:
        real: float32 (B, 1). Logits of real pictures with their captions.
        fake: float32 (B, 1). Logits of generated pictures with their captions.
        mismatched: float32 (B, 1). Logits of real pictures with other pictures' captions.
        is_mismatch: bool or float (B,). False where the other picture has the same caption.

    Returns:
        float32 (), at least 0.

    Source: hinge: Lim & Ye 2017, eq. 12; the third term: Reed et al. 2016, Algorithm 1.
    """
    weight = ops.cast(is_mismatch, mismatched.dtype)[:, None]
    wrong = ops.sum(weight * ops.relu(1 + mismatched)) / ops.maximum(ops.sum(weight), 1)
    return ops.mean(ops.relu(1 - real)) + 0.5 * ops.mean(ops.relu(1 + fake)) + 0.5 * wrong


def hinge_generator_loss(fake):
    """What G loses when D sees through it.

    Formula:
        L_G = -E[D(G(z, c), c)]

    Args:
        fake: float32 (B, 1). Logits of generated pictures with their captions.

    Returns:
        float32 (), unbounded.

    Source: Lim & Ye 2017, eq. 13.
    """
    return -ops.mean(fake)


def contrastive_loss(feature, caption_vector, same_caption, scale=10.0):
    """How hard it is to find a picture's caption among the batch's, and a caption's picture.

    Formula:
        s_ij = scale · cos(f_i, c_j)
        L = ½ (-1/B Σ_i log(exp s_ii / Σ_j exp s_ij) - 1/B Σ_j log(exp s_jj / Σ_i exp s_ij))

        where the sums leave out j ≠ i (i ≠ j) with the same caption.

    Args:
        feature: float32 (B, C). What D saw in the pictures.
        caption_vector: float32 (B, C).
        same_caption: bool (B, B). True where two rows have equal captions.
        scale: One over the temperature.

    Returns:
        float32 (), at least 0.

    Source: Zhang et al. 2021 (XMC-GAN), eq. 4 and 5, made symmetric as in ConVIRT (Zhang et
        al. 2020, eq. 4).
    """
    logits = scale * ops.matmul(_unit(feature), ops.transpose(_unit(caption_vector)))
    diagonal = ops.eye(ops.shape(logits)[0], dtype=logits.dtype)
    left_out = ops.cast(same_caption, logits.dtype) * (1 - diagonal)
    logits = logits - 1e9 * left_out
    both_ways = ops.concatenate([logits, ops.transpose(logits)])  # (2B, B)
    matching = ops.sum(both_ways * ops.tile(diagonal, (2, 1)), axis=1)
    return ops.mean(ops.logsumexp(both_ways, axis=1) - matching)


def diversity_loss(image, other, noise, other_noise, most=0.15):
    """How little two noises change the picture of one caption.

    Formula:
        L = -E[ min(most, mean|y - y'| / mean|z - z'|) ]

    Args:
        image: float32 (K, H, W, 3), in [-1, 1]. G(z, c).
        other: float32 (K, H, W, 3), in [-1, 1]. G(z', c).
        noise: float32 (K, Z). z.
        other_noise: float32 (K, Z). z'.
        most: Ratio from which more is not asked for.

    Returns:
        float32 (), in [-most, 0].

    Source: Yang et al. 2019 (DSGAN), eq. 2, with means for norms.
    """
    moved = ops.mean(ops.abs(image - other), axis=(1, 2, 3))
    apart = ops.mean(ops.abs(noise - other_noise), axis=1)
    return -ops.mean(ops.minimum(most, moved / apart))


def same_captions(token_ids):
    """Which rows of a batch have equal captions.

    Args:
        token_ids: int32 (B, L).

    Returns:
        bool (B, B).
    """
    return ops.all(token_ids[:, None, :] == token_ids[None, :, :], axis=-1)


def _unit(vectors):
    """Rows scaled to length 1; a row of zeros stays one."""
    return vectors * ops.rsqrt(ops.sum(ops.square(vectors), axis=-1, keepdims=True) + 1e-12)
