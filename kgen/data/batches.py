"""From captioned pictures to an endless stream of batches that can start at any step."""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from kgen.data.captioned_pictures import CaptionedPictures
from kgen.text.tokenizer import CaptionTokenizer


def tokenize_captions(
    tokenizer: CaptionTokenizer, captions: Sequence[Sequence[str]]
) -> list[np.ndarray]:
    """Token ids of every picture's captions, all at once.

    Args:
        tokenizer: Of the model that is to read them.
        captions: For each of N pictures its K_i captions.

    Returns:
        N arrays int32 (K_i, L).
    """
    ends = np.cumsum([len(several) for several in captions])
    ids = tokenizer([caption for several in captions for caption in several]).numpy()
    return np.split(ids, ends[:-1])


def make_batches(
    pictures: CaptionedPictures,
    token_ids: list[np.ndarray],
    batch_size: int,
    seed: int,
    first_step: int = 0,
) -> tf.data.Dataset:
    """Endless shuffled batches; step n's batch is a function of `seed` and n alone.

    Each epoch is another permutation of the pictures, and draws one of each picture's captions.

    Args:
        pictures: N pictures.
        token_ids: N arrays int32 (K_i, L), the ids of each picture's captions.
        batch_size: B.
        seed: Fixes the order.
        first_step: Steps to leave out at the start, without reading them.

    Returns:
        A dataset of dictionaries: `image` float32 (B, H, W, 3), in [-1, 1]; `token_ids` int32
        (B, L).
    """
    first_caption = np.cumsum([0] + [len(ids) for ids in token_ids[:-1]])
    num_captions = np.array([len(ids) for ids in token_ids])
    all_ids = np.concatenate(token_ids)
    with tf.device("cpu"):
        pixels, all_ids, first_caption, num_captions = (
            tf.constant(array) for array in (pictures.pixels, all_ids, first_caption, num_captions)
        )
    num_pictures = len(pictures)

    def pick(position):
        """One picture and one of its captions, by their place in the endless stream."""
        epoch = position // num_pictures
        index = tf.random.experimental.index_shuffle(
            position % num_pictures,
            seed=tf.stack([tf.constant(seed, tf.int64), epoch]),
            max_index=num_pictures - 1,
        )
        draw = tf.random.stateless_uniform(
            (), tf.stack([tf.constant(seed, tf.int64), position]), 0, 2**31 - 1, tf.int64
        )
        return index, first_caption[index] + draw % num_captions[index]

    def gather(picture, caption):
        image = tf.cast(tf.gather(pixels, picture), tf.float32) / 127.5 - 1.0
        return {"image": image, "token_ids": tf.gather(all_ids, caption)}

    positions = tf.data.Dataset.range(first_step * batch_size, np.iinfo(np.int64).max)
    options = tf.data.Options()
    # Nothing here is to be tuned, and the tuner's thread keeps an iterator from ending for up to
    # a minute: it sleeps 10 ms, 20 ms, 40 ms… and looks up only between.
    options.autotune.enabled = False
    return (
        positions.map(pick)
        .batch(batch_size, drop_remainder=True)
        .map(gather)
        .prefetch(4)
        .with_options(options)
    )
