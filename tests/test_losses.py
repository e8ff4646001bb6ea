"""Losses, penalties and averages against numbers worked by hand."""

from math import exp, log

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from kgen.training.averaging import update_average, warm_decay
from kgen.training.losses import (
    capped_by_real,
    contrastive_loss,
    contrastive_losses,
    diversity_loss,
    hinge_discriminator_loss,
    hinge_generator_loss,
    relativistic_discriminator_loss,
    relativistic_generator_loss,
    same_captions,
    word_loss,
    word_losses,
)
from kgen.training.penalties import lecam_penalty, matching_aware_penalty, r1_penalty


def column(*numbers):
    return np.array(numbers, "float32")[:, None]


# Hinge


def test_hinge_of_discriminator_is_the_sum_of_its_three_terms():
    loss = hinge_discriminator_loss(
        real=column(2.0, 0.5, -1.0),  # max(0, 1 - r) = 0, 0.5, 2: mean 2.5/3
        fake=column(-2.0, 0.0, 1.0),  # max(0, 1 + f) = 0, 1, 2: mean 1
        mismatched=column(-3.0, 1.0, 0.0),  # max(0, 1 + m) = 0, 2, 1: mean 1
        is_mismatch=np.array([[True], [True], [True]]),
    )
    assert loss.shape == ()
    assert float(loss) == pytest.approx(2.5 / 3 + 0.5 * 1 + 0.5 * 1)


def test_hinge_leaves_out_pairs_whose_captions_are_equal():
    loss = hinge_discriminator_loss(
        real=column(1.0, 1.0, 1.0),  # 0
        fake=column(-1.0, -1.0, -1.0),  # 0
        mismatched=column(100.0, 1.0, 0.0),  # the first is no mismatch: (2 + 1) / 2 = 1.5
        is_mismatch=np.array([[False], [True], [True]]),
    )
    assert float(loss) == pytest.approx(0.5 * 1.5)


def test_hinge_of_a_batch_with_one_caption_has_no_third_term():
    loss = hinge_discriminator_loss(
        real=column(0.0, 0.0),  # 1
        fake=column(0.0, 0.0),  # 1
        mismatched=column(7.0, 8.0),
        is_mismatch=np.array([[False], [False]]),
    )
    assert float(loss) == pytest.approx(1 + 0.5)


def test_hinge_of_discriminator_is_zero_beyond_its_margins():
    everywhere = np.array([True, True])
    loss = hinge_discriminator_loss(column(1, 9), column(-1, -9), column(-1, -9), everywhere)
    assert float(loss) == 0.0


def test_hinge_of_generator_is_minus_the_mean_logit():
    # -(2 - 5 + 0) / 3 = 1: no margin, and no maximum with 0
    assert float(hinge_generator_loss(column(2.0, -5.0, 0.0))) == pytest.approx(1.0)


# Contrastive loss


def test_contrastive_loss_of_two_pairs():
    # Lengths do not count: the rows' directions are f1 = (1, 0), f2 = (0, 1),
    # c1 = (1, 0), c2 = (0.6, 0.8). With scale 2, s = 2 [[1, 0.6], [0, 0.8]].
    feature = np.array([[3, 0], [0, 0.5]], "float32")
    caption_vector = np.array([[2, 0], [6, 8]], "float32")
    # So s = [[2, 1.2], [0, 1.6]].
    # Rows (a picture looks for its caption), then columns (a caption for its picture):
    rows = -log(exp(2.0) / (exp(2.0) + exp(1.2))) - log(exp(1.6) / (exp(0.0) + exp(1.6)))
    columns = -log(exp(2.0) / (exp(2.0) + exp(0.0))) - log(exp(1.6) / (exp(1.2) + exp(1.6)))
    by_hand = 0.5 * (rows / 2 + columns / 2)
    assert by_hand == pytest.approx(0.2987, abs=1e-4)
    loss = contrastive_loss(feature, caption_vector, np.eye(2, dtype=bool), scale=2.0)
    assert float(loss) == pytest.approx(by_hand, rel=1e-5)


def test_contrastive_losses_of_each_picture_and_each_caption():
    """Picture 1 lies between both captions, picture 2 on its own: cosines (0, 0) and (0, 1).
    Picture 1 is told by chance, as is caption 1; picture 2 by e / (1 + e), as is caption 2.
    """
    feature, caption = np.array([[0, 0, 1.0], [0, 1, 0]]), np.array([[1.0, 0, 0], [0, 1, 0]])
    rows = contrastive_losses(feature, caption, np.eye(2, dtype=bool), scale=1.0)
    sure = log(1 + exp(-1))
    np.testing.assert_allclose(rows, [log(2), sure, log(2), sure], rtol=1e-5)


def test_what_real_pictures_do_not_show_is_not_asked_of_generated_ones():
    """max(3, 2) and max(1, 2), over two; only the first is above what the real picture has."""
    generated, real = tf.Variable([3.0, 1.0]), tf.Variable([2.0, 2.0])
    with tf.GradientTape() as tape:
        loss = capped_by_real(generated, real)
    assert float(loss) == 2.5
    of_generated, of_real = tape.gradient(loss, [generated, real])
    assert of_generated.numpy().tolist() == [0.5, 0.0] and of_real is None


def test_contrastive_loss_of_vectors_that_say_nothing_is_log_of_the_batch():
    # All cosines are equal, so each softmax is uniform over B = 4: log 4.
    ones = np.ones((4, 8), "float32")
    assert float(contrastive_loss(ones, ones, np.eye(4, dtype=bool))) == pytest.approx(log(4))


def test_contrastive_loss_leaves_out_equal_captions():
    # Captions 1 and 2 are equal, so row 1 compares s11, s13 only, row 2 s22, s23, row 3 all.
    same = np.array([[1, 1, 0], [1, 1, 0], [0, 0, 1]], bool)
    ones = np.ones((3, 5), "float32")
    # Uniform over 2, 2 and 3, both ways: (log 2 + log 2 + log 3) / 3.
    assert float(contrastive_loss(ones, ones, same)) == pytest.approx((2 * log(2) + log(3)) / 3)


def test_contrastive_loss_of_one_caption_is_zero():
    ones = np.ones((3, 5), "float32")
    assert float(contrastive_loss(ones, ones, np.ones((3, 3), bool))) == pytest.approx(0, abs=1e-6)


def test_contrastive_scale_is_ten_unless_told():
    # f = c = (e1, e2): s = 10 [[1, 0], [0, 1]]: log(1 + exp(-10)) both ways.
    e = np.eye(2, dtype="float32")
    loss = float(contrastive_loss(e, e, np.eye(2, dtype=bool)))
    assert loss == pytest.approx(log(1 + exp(-10)), rel=0.02)  # 4.5e-5, float32 near 10


def test_contrastive_loss_of_an_empty_caption_has_a_finite_gradient():
    """A caption without tokens may have the vector 0, which has no direction."""
    c = tf.Variable([[0.0, 0.0], [1.0, 2.0]])
    with tf.GradientTape() as tape:
        loss = contrastive_loss(tf.constant([[1.0, 0.0], [0.0, 1.0]]), c, tf.eye(2) > 0)
    assert np.isfinite(float(loss))
    assert np.isfinite(tape.gradient(loss, c).numpy()).all()


def test_same_captions_compares_whole_rows():
    ids = np.array([[1, 2, 0], [1, 2, 0], [1, 2, 3], [2, 1, 0]], "int32")
    expected = [[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]
    assert ops.convert_to_numpy(same_captions(ids)).astype(int).tolist() == expected


# R1


def test_r1_of_numbers():
    # Two pictures of 1 x 2 pixels: squares sum to 1 + 4 + 9 + 0 + 0 + 1 = 15, and to 6 · 0.25;
    # ½ (15 + 1.5) / 2 = 4.125
    gradient = np.array([[[[1, 2, 3], [0, 0, -1]]], [[[0.5] * 3, [-0.5] * 3]]], "float32")
    assert gradient.shape == (2, 1, 2, 3)
    assert float(r1_penalty(gradient)) == pytest.approx(4.125)


def gradient_by_picture(critic, x):
    with tf.GradientTape() as tape:
        tape.watch(x)
        logit = critic(x)
    return tape.gradient(logit, x)


def test_r1_of_a_linear_critic_is_half_its_squared_length():
    # D(x) = ⟨w, x⟩ has gradient w everywhere: ½ |w|², whatever the pictures and their number.
    w = tf.random.stateless_normal((4, 4, 3), (1, 2))
    x = tf.random.stateless_normal((5, 4, 4, 3), (3, 4))
    critic = lambda x: tf.reduce_sum(w * x, axis=(1, 2, 3))[:, None]
    penalty = r1_penalty(gradient_by_picture(critic, x))
    assert float(penalty) == pytest.approx(0.5 * float(tf.reduce_sum(w**2)), rel=1e-5)


def test_r1_of_a_quadratic_critic():
    # D(x) = ½ a |x|² has gradient a x: ½ a² E|x|². With a = 3 and pictures of 12 numbers that
    # all are 1, or all 2: ½ · 9 · (12 + 48) / 2 = 135.
    x = tf.stack([tf.ones((2, 2, 3)), 2 * tf.ones((2, 2, 3))])
    critic = lambda x: 1.5 * tf.reduce_sum(x**2, axis=(1, 2, 3))[:, None]
    assert float(r1_penalty(gradient_by_picture(critic, x))) == pytest.approx(135.0)


# Averages


@pytest.mark.parametrize(
    ("decay", "step", "expected"),
    [
        (0.995, 0, 1 / 10),
        (0.995, 1, 2 / 11),
        (0.995, 90, 91 / 100),
        (0.995, 1_789, 1_790 / 1_799),  # 0.994997: the last step at which the ramp is lower
        (0.995, 1_791, 0.995),
        (0.995, 10**6, 0.995),
        (0.0, 50, 0.0),
    ],
)
def test_decay_rises_to_its_end(decay, step, expected):
    assert float(warm_decay(decay, step)) == pytest.approx(expected, abs=1e-6)


def test_average_moves_towards_its_variable():
    averages = [keras.Variable([1.0, 2.0]), keras.Variable(10.0)]
    variables = [keras.Variable([5.0, 0.0]), keras.Variable(0.0)]
    update_average(averages, variables, 0.75)
    # 1 + ¼ (5 - 1) = 2;  2 + ¼ (0 - 2) = 1.5;  10 + ¼ (0 - 10) = 7.5
    assert averages[0].numpy().tolist() == [2.0, 1.5]
    assert float(averages[1]) == 7.5
    assert variables[0].numpy().tolist() == [5.0, 0.0]


def test_average_refuses_lists_of_different_lengths():
    with pytest.raises(ValueError):
        update_average([keras.Variable(1.0)], [], 0.5)


def test_diversity_by_hand():
    image = tf.stack([tf.zeros((2, 2, 3)), tf.zeros((2, 2, 3))])
    other = tf.stack([tf.fill((2, 2, 3), 0.1), tf.fill((2, 2, 3), -0.9)])
    noise, other_noise = tf.zeros((2, 4)), tf.fill((2, 4), 2.0)
    # Picture 1 moved by 0.1 / 2 = 0.05; picture 2 by 0.9 / 2 = 0.45, of which 0.15 counts:
    # -(0.05 + 0.15) / 2 = -0.1
    value = diversity_loss(image, other, noise, other_noise)
    assert float(value) == pytest.approx(-0.1)


# Relativistic, words, penalties


def test_hinge_takes_many_mismatches_of_each_picture():
    loss = hinge_discriminator_loss(
        real=column(1.0, 1.0),  # 0
        fake=column(-1.0, -1.0),  # 0
        mismatched=np.array([[9.0, 0.0], [2.0, 9.0]], "float32"),  # (1 + 3) / 2 = 2
        is_mismatch=np.array([[False, True], [True, False]]),
    )
    assert float(loss) == pytest.approx(0.5 * 2)


def test_relativistic_losses_by_hand():
    real, fake = column(1.0, 0.0), column(0.0, log(3))
    # softplus(-1) = log(1 + 1/e), softplus(log 3) = log 4; the only mismatch: softplus(2 - 0)
    expected = (log(1 + exp(-1)) + log(4)) / 2 + log(1 + exp(2))
    loss = relativistic_discriminator_loss(
        real, fake, column(5.0, 2.0), np.array([[False], [True]])
    )
    assert float(loss) == pytest.approx(expected, rel=1e-5)
    # softplus(1 - 0) and softplus(0 - log 3) = log(4/3)
    expected = (log(1 + exp(1)) + log(4 / 3)) / 2
    assert float(relativistic_generator_loss(fake, real)) == pytest.approx(expected, rel=1e-5)


def test_word_loss_by_hand():
    """Two captions, 'a b' and 'a c a' (a = 2, b = 3, c = 4; 1 is unknown, 0 padding): a is in both
    and counts nothing, b and c are in half of the captions and weigh ½.
    """
    ids = np.array([[2, 3, 0], [4, 2, 2]], "int32")
    logits = np.log(np.array([[1, 1, 1, 4, 1], [1, 1, 1, 1, 1]], "float32"))
    # softmax of picture 1 at b: 4/8; of picture 2 at c: 1/5
    expected = (0.5 * log(2) + 0.5 * log(5)) / 1.0
    assert float(word_loss(logits, ids)) == pytest.approx(expected, rel=1e-5)
    # Their mean: each counts ½ log n over a mean weight of ½.
    np.testing.assert_allclose(word_losses(logits, ids), [log(2), log(5)], rtol=1e-5)


def test_word_loss_of_equal_captions_of_padding_and_of_unknown_words_is_zero():
    logits = np.zeros((2, 4), "float32")
    assert float(word_loss(logits, np.array([[3, 2], [2, 3]], "int32"))) == 0
    assert float(word_loss(logits, np.array([[1, 0], [0, 0]], "int32"))) == 0
    assert float(word_loss(logits, np.zeros((2, 2), "int32"))) == 0


def test_matching_aware_penalty_by_hand():
    of_image = np.zeros((2, 2, 2, 3), "float32")
    of_image[0, 0, 0] = (1, 2, 2)  # length 3
    of_caption = np.array([[0, 0], [0, 2]], "float32")  # lengths 0 and 2
    # (3 + 0)⁶ = 729 and (0 + 2)⁶ = 64
    assert float(matching_aware_penalty(of_image, of_caption)) == pytest.approx(396.5, rel=1e-4)


def test_lecam_penalty_by_hand():
    # real 1 and 3 against the usual fake -1: 4 and 16; fake 0 and -2 against the usual real 2: as
    # much
    penalty = lecam_penalty(column(1.0, 3.0), column(0.0, -2.0), 2.0, -1.0)
    assert float(penalty) == pytest.approx(10 + 10)
