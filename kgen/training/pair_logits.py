"""D's logits of pictures with their captions, and with wrong ones."""

import tensorflow as tf

from kgen.networks.heads import Projection


def pair_logits(head, seen, c, same, mismatches, swapped=None):
    """D's logits of real pictures x and generated ones y.

    D's features of x serve both c and the wrong captions' c'.

    Args:
        head: D's head.
        seen: What its backbone saw of x and then y, each output with 2B rows.
        c: float32 (B, C). Caption vectors.
        same: bool (B, B), from `same_captions`.
        mismatches: As in `TrainingConfig`.
        swapped: `Swapped` captions, which are wrong ones, too; or None.

    Returns:
        Of x with c and of y with the caption that it was drawn for, float32 (B, 1); of x with c',
        float32 (B, M); and which of the latter are mismatched indeed, bool (B, M).
    """
    taken = taken_by(head, seen)
    if not isinstance(head, Projection):
        (last_map,) = taken
        of_x, _ = tf.split(last_map, 2)
        once = tf.identity(c)
        real, fake = tf.split(head(last_map, tf.concat([once, once], axis=0)), 2)
        mismatched = head(of_x, tf.roll(c, 1, axis=0))
    elif swapped is not None:
        return _with_swapped(head, taken, c, same, swapped)
    else:
        of_x, of_y = tf.split(head.all_pairs(*taken, c), 2)
        real, fake = diagonal(of_x), diagonal(of_y)
        if mismatches == "all":
            return real, fake, of_x, tf.logical_not(same)
        mismatched = diagonal(tf.roll(of_x, 1, axis=1))
    is_mismatch = tf.logical_not(diagonal(tf.roll(same, 1, axis=1)))
    if mismatches == "none":
        is_mismatch = tf.zeros_like(is_mismatch)
    return real, fake, mismatched, is_mismatch


def taken_by(head, seen):
    """What a head takes of what D saw."""
    names = ("feature", "plain") if isinstance(head, Projection) else ("last_map",)
    return [seen[name] for name in names]


def diagonal(logits):
    """Each image's logit with the caption of its own row: float32 (B, B) to (B, 1)."""
    return tf.linalg.diag_part(logits)[:, None]


def _with_swapped(head, taken, c, same, swapped):
    c_swapped, has_one = swapped.near
    both = tf.concat([c, c_swapped], axis=0)
    of_x, of_y = tf.split(head.all_pairs(*taken, both), 2)
    of_x, of_swapped = tf.split(of_x, 2, axis=1)
    of_y = [diagonal(part) for part in tf.split(of_y, 2, axis=1)]
    fake = tf.where(swapped.is_drawn[:, None], of_y[1], of_y[0])
    real = diagonal(of_x)
    rolled = diagonal(tf.roll(of_x, 1, axis=1)), diagonal(tf.roll(same, 1, axis=1))
    mismatched = tf.concat([rolled[0], diagonal(of_swapped)], axis=1)
    is_mismatch = tf.concat([tf.logical_not(rolled[1]), has_one[:, None]], axis=1)
    return real, fake, mismatched, is_mismatch
