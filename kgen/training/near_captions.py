"""Captions with a swapped word in the training step: what D rejects, and G may be asked for."""

from typing import NamedTuple

import tensorflow as tf

from kgen.training.swapped_words import with_swapped_word


class Swapped(NamedTuple):
    """Captions with one word in another's place: `token_ids` int32 (B, L), T's outputs `text`,
    which have such a word, `has_one` bool (B,), and for which of these G draws the swapped
    caption, `is_drawn` bool (B,).
    """

    token_ids: tf.Tensor
    text: dict[str, tf.Tensor]
    has_one: tf.Tensor
    is_drawn: tf.Tensor

    @property
    def near(self):
        """Their vectors, and which are wrong indeed: what the contrastive loss takes."""
        return self.text["caption_vector"], self.has_one


def read_with_swapped(encoder, t, swaps, draws, share) -> tuple[dict[str, tf.Tensor], Swapped]:
    """T's outputs of a batch, and one swapped caption for each of it, all read in one pass.

    Args:
        encoder: T.
        t: int32 (B, L).
        swaps: int32 (V, K), from `learn_swaps`.
        draws: float32 (B, 2), in [0, 1).
        share: Of the batch, from its first row on, for which the swapped caption is drawn.
    """
    num = tf.shape(t)[0]
    others, has_one = with_swapped_word(t, swaps, draws)
    some = tf.cast(tf.range(num), tf.float32) < share * tf.cast(num, tf.float32)
    both = encoder(tf.concat([t, others], axis=0), training=True)
    halves = {name: tf.split(vectors, 2) for name, vectors in both.items()}
    text, of_others = ({name: pair[i] for name, pair in halves.items()} for i in range(2))
    return text, Swapped(others, of_others, has_one, some & has_one)


def asked_of_generator(t, text, swapped: Swapped | None):
    """What G is to draw, with no gradient to T: token ids, text, and vectors of captions near to
    it, as `contrastive_loss` takes them. Where it is the swapped caption that is drawn, the
    picture's own is near.
    """
    text = {name: tf.stop_gradient(vectors) for name, vectors in text.items()}
    if swapped is None:
        return t, text, None
    other = {name: tf.stop_gradient(vectors) for name, vectors in swapped.text.items()}

    def pick(mine, theirs):
        shape = [-1] + [1] * (len(mine.shape) - 1)
        return tf.where(tf.reshape(swapped.is_drawn, shape), theirs, mine)

    near = pick(other["caption_vector"], text["caption_vector"])
    asked = {name: pick(vectors, other[name]) for name, vectors in text.items()}
    return pick(t, swapped.token_ids), asked, (near, swapped.has_one)
