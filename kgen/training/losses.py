"""Adversarial and contrastive losses: pure functions of tensors.

x image, t token ids, c caption vector, c' another picture's caption vector, z noise,
T G D the networks, f the feature that D saw, B the batch size.
"""

from keras import ops


def hinge_discriminator_loss(real, fake, mismatched, is_mismatch):
    """What D loses on real, generated and wrongly captioned pictures.

    Formula:
        L_D = E[max(0, 1 - D(x, c))] + ½ E[max(0, 1 + D(G(z, c), c))] + ½ E[max(0, 1 + D(x, c'))]

        where the last mean runs over the pairs that really are mismatched, M for each picture.

    Args:
        real: float32 (B, 1). Logits of real pictures with their captions.
        fake: float32 (B, 1). Logits of generated pictures with their captions.
        mismatched: float32 (B, M). Logits of real pictures with other pictures' captions.
        is_mismatch: bool or float (B, M). False where the other picture has the same caption.

    Returns:
        float32 (), at least 0.

    Source: hinge: Lim & Ye 2017, eq. 12; the third term: Reed et al. 2016, Algorithm 1.
    """
    wrong = _mean_of(ops.relu(1 + mismatched), is_mismatch)
    return ops.mean(ops.relu(1 - real)) + 0.5 * ops.mean(ops.relu(1 + fake)) + 0.5 * wrong


def hinge_generator_loss(fake, real=None):
    """What G loses when D sees through it.

    Formula:
        L_G = -E[D(G(z, c), c)]

    Args:
        fake: float32 (B, 1). Logits of generated pictures with their captions.
        real: Unused; the relativistic loss takes it.

    Returns:
        float32 (), unbounded.

    Source: Lim & Ye 2017, eq. 13.
    """
    return -ops.mean(fake)


def relativistic_discriminator_loss(real, fake, mismatched, is_mismatch):
    """What D loses where it does not set real pictures above generated and wrongly captioned ones.

    Formula:
        L_D = E[softplus(D(G(z, c), c) - D(x, c))] + E[softplus(D(x, c') - D(x, c))]

        where the last mean runs over the pairs that really are mismatched, M for each picture.

    Args:
        real, fake, mismatched, is_mismatch: As of `hinge_discriminator_loss`.

    Returns:
        float32 (), at least 0.

    Source: Jolicoeur-Martineau 2018, eq. 3, with the pairing of Huang et al. 2024 (R3GAN), eq. 2;
        the second term is ours, after Reed et al. 2016.
    """
    wrong = _mean_of(ops.softplus(mismatched - real), is_mismatch)
    return ops.mean(ops.softplus(fake - real)) + wrong


def relativistic_generator_loss(fake, real):
    """What G loses where D sets real pictures above its own.

    Formula:
        L_G = E[softplus(D(x, c) - D(G(z, c), c))]

    Args:
        fake: float32 (B, 1). Logits of generated pictures with their captions.
        real: float32 (B, 1). Logits of real pictures with the same captions.

    Returns:
        float32 (), at least 0.

    Source: Huang et al. 2024 (R3GAN), eq. 2.
    """
    return ops.mean(ops.softplus(real - fake))


ADVERSARIAL = {  # by `training.loss`: of D and of G
    "hinge": (hinge_discriminator_loss, hinge_generator_loss),
    "relativistic": (relativistic_discriminator_loss, relativistic_generator_loss),
}


def contrastive_losses(feature, caption_vector, same_caption, scale=10.0, swapped=None):
    """How hard it is to find each picture's caption among the batch's, and each caption's picture.

    Formula:
        s_ij = scale · cos(f_i, c_j)
        ℓ_i = -log(exp s_ii / Σ_j exp s_ij),  ℓ_{B+j} = -log(exp s_jj / Σ_i exp s_ij)

        where the sums leave out j ≠ i (i ≠ j) with the same caption. A swapped caption c' of
        picture i stands in the first sum as one more j.

    Args:
        feature: float32 (B, C). What D saw in the pictures.
        caption_vector: float32 (B, C).
        same_caption: bool (B, B). True where two rows have equal captions.
        scale: One over the temperature.
        swapped: None, or of the captions with one word swapped their vectors float32 (B, C), and
            which have such a word, bool (B,).

    Returns:
        float32 (2B,), at least 0; their mean is the contrastive loss.

    Source: Zhang et al. 2021 (XMC-GAN), eq. 4 and 5, made symmetric as in ConVIRT (Zhang et
        al. 2020, eq. 4); swapped words as Yuksekgonul et al. 2023 (NegCLIP), section 4.
    """
    f, c = _unit(feature), _unit(caption_vector)
    logits = scale * ops.matmul(f, ops.transpose(c))
    diagonal = ops.eye(ops.shape(logits)[0], dtype=logits.dtype)
    left_out = ops.cast(same_caption, logits.dtype) * (1 - diagonal)
    logits = logits - 1e9 * left_out
    both_ways = ops.concatenate([logits, ops.transpose(logits)])  # (2B, B)
    matching = ops.sum(both_ways * ops.tile(diagonal, (2, 1)), axis=1)
    if swapped is not None:
        near, has_one = swapped
        near = scale * ops.sum(f * _unit(near), axis=1)
        near = ops.where(has_one, near, -1e9)
        near = ops.concatenate([near, ops.full_like(near, -1e9)])
        both_ways = ops.concatenate([both_ways, near[:, None]], axis=1)  # (2B, B + 1)
    return ops.logsumexp(both_ways, axis=1) - matching


def contrastive_loss(feature, caption_vector, same_caption, scale=10.0, swapped=None):
    """The mean of `contrastive_losses`, float32 ()."""
    return ops.mean(contrastive_losses(feature, caption_vector, same_caption, scale, swapped))


def word_losses(logits, token_ids):
    """How hard it is to tell each caption's words from its picture.

    Formula:
        n_v = share of the batch's captions that hold the word v
        ω_iv = (1 - n_v) [v in caption i], 0 for what no vocabulary knows
        ℓ_i = -Σ_v ω_iv log softmax(logits_i)_v / (Σ_iv ω_iv / B)

        Words that every caption of the batch holds count nothing; rare ones count fully.

    Args:
        logits: float32 (B, V). What D tells from the pictures.
        token_ids: int32 (B, L), in [0, V), 0 = padding, 1 = unknown.

    Returns:
        float32 (B,), at least 0; their mean is the word loss.

    Source: Joulin et al. 2016, eq. 2 (a softmax over the bag of a caption's words); the weights
        are ours. As a loss of G, too: Odena et al. 2017 (AC-GAN), eq. 2.
    """
    ids = ops.cast(token_ids, "int32")
    # Compared with each other rather than with the vocabulary, which may be a hundred times longer.
    in_caption = ops.any(ids[:, :, None, None] == ids[None, None], axis=-1)  # (B, L, B)
    share = ops.mean(ops.cast(in_caption, logits.dtype), axis=-1)  # (B, L)
    before = ops.tril(ops.ones((ids.shape[1], ids.shape[1]), "bool"), -1)
    again = ops.any((ids[:, :, None] == ids[:, None, :]) & before, axis=-1)  # (B, L)
    weight = ops.cast((ids > 1) & ~again, logits.dtype) * (1 - share)
    likely = ops.take_along_axis(ops.log_softmax(logits, axis=-1), ids, axis=1)
    usual = ops.maximum(ops.mean(ops.sum(weight, axis=1)), 1e-6)
    return -ops.sum(weight * likely, axis=1) / usual


def word_loss(logits, token_ids):
    """The mean of `word_losses`, float32 ()."""
    return ops.mean(word_losses(logits, token_ids))


def capped_by_real(generated, real):
    """How much less clearly generated pictures show their captions than real pictures do.

    A real picture shows more than its caption says, so it is not told from the caption without
    fail; asking G for more may ask it to leave out all that is not said. (At 3 minutes of nouns64
    the cap changed little, one seed: docs/ablations.md, capped.)

    Formula:
        L = mean_i max(ℓ_i(y), ℓ_i(x)),  no gradient to ℓ_i(x)

    Args:
        generated: float32 (N,). A loss of generated pictures y.
        real: float32 (N,). The same of the real pictures x of the same captions.

    Returns:
        float32 ().

    Source: ours.
    """
    return ops.mean(ops.maximum(generated, ops.stop_gradient(real)))


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


def pixel_loss(image, imitated):
    """How far a picture is from a teacher's, as seen from afar: where what is, in which colours.

    Formula:
        L_pixel = E|m(y - y')|, m the means of the squares of 4 x 4 pixels

    What is within a square is D's to judge. Of single pixels the likeliest colour is best, and that
    is none of a snowflake's or a star's, of whose place a small G is never quite sure.

    Args:
        image: float32 (B, H, W, 3), in [-1, 1]. y = G(z, c).
        imitated: float32 (B, H, W, 3), in [-1, 1]. y', the teacher's of the same caption and noise.

    Returns:
        float32 (), in [0, 2].

    Source: Aguinaldo et al. 2019 (Compressing GANs using Knowledge Distillation), section 3.1, with
        absolute differences as in Isola et al. 2017, eq. 3, which blur less than squared ones.
    """
    return ops.mean(ops.abs(ops.average_pool(image - imitated, 4)))


def laplacian_loss(imitated, image):
    """How far a picture is from a teacher's at every scale: small things count as much as large.

    Formula:
        L = Σ_j E|L_j(y) - L_j(y')|, L_j(y) = y_j - up(y_{j+1}), the last of them y_J itself,
        y_0 = y, y_{j+1} the means of the squares of 2 x 2 pixels of y_j

    Args:
        imitated: float32 (B, H, W, 3), in [-1, 1]. y', the teacher's.
        image: float32 (B, H, W, 3), in [-1, 1]. y. In this order Keras' `compile` wants them.

    Returns:
        float32 (), at least 0. J = 3.

    Source: Bojanowski et al. 2018 (GLO), eq. 3, of means in place of sums, with squares of pixels
        for the Gaussian.
    """
    difference = image - imitated  # each level is linear
    total = 0.0
    for _ in range(3):
        mean = ops.average_pool(difference, 2)
        total += ops.mean(ops.abs(difference - ops.repeat(ops.repeat(mean, 2, axis=1), 2, axis=2)))
        difference = mean
    return total + ops.mean(ops.abs(difference))


def feature_loss(features, imitated):
    """How far what D sees in pictures is from what it sees in those of a teacher.

    Formula:
        L_feature = Σ_s E|f_s - f'_s| / E|f'_s|

    Args:
        features: f(y): of each size s float32 or bfloat16 (B, S, S, C) or (B, C).
        imitated: f(y'), of the same shapes.

    Returns:
        float32 (), at least 0; about the number of sizes for pictures that have nothing in common.

    Source: feature matching of Wang et al. 2018 (pix2pixHD), eq. 4, with the teacher's picture for
        the real one, as Aguinaldo et al. 2019, section 3.2, compare D's features; relative to the
        teacher's, since D's grow as it learns.
    """
    total = 0.0
    for feature, wanted in zip(features, imitated, strict=True):
        wanted = ops.cast(wanted, "float32")
        apart = ops.mean(ops.abs(ops.cast(feature, "float32") - wanted))
        total += apart / (ops.mean(ops.abs(wanted)) + 1e-6)
    return total


def same_captions(token_ids):
    """Which rows of a batch have equal captions.

    Args:
        token_ids: int32 (B, L).

    Returns:
        bool (B, B).
    """
    return ops.all(token_ids[:, None, :] == token_ids[None, :, :], axis=-1)


def _mean_of(values, chosen):
    """Mean of the chosen values; 0 where none is."""
    weight = ops.cast(chosen, values.dtype)
    return ops.sum(weight * values) / ops.maximum(ops.sum(weight), 1)


def _unit(vectors):
    """Rows scaled to length 1; a row of zeros stays one."""
    return vectors * ops.rsqrt(ops.sum(ops.square(vectors), axis=-1, keepdims=True) + 1e-12)
