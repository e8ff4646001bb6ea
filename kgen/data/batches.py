"""From captioned pictures to an endless stream of batches that can start at any step."""

import itertools
import os
from array import array
from collections.abc import Iterator, Sequence

import numpy as np
import tensorflow as tf

from kgen.data.captioned_pictures import CaptionedPictures
from kgen.data.pictures_on_demand import PicturesOnDemand
from kgen.text.tokenizer import CaptionTokenizer

AT_ONCE = 8192  # captions


class TokenIds(Sequence):
    """Token ids of N pictures' captions, two bytes each where the vocabulary allows it.

    Args:
        ids: int16 or int32 (sum of all K_i, L). The captions of all pictures, one after the other.
        firsts: int64 (N + 1,). Where each picture's captions begin; last their number.

    Example:
        >>> token_ids = TokenIds(np.array([[2], [3], [4]], np.int16), np.array([0, 1, 3]))
        >>> [ids.tolist() for ids in token_ids]
        [[[2]], [[3], [4]]]
    """

    def __init__(self, ids: np.ndarray, firsts: np.ndarray):
        self.ids, self.firsts = ids, firsts

    def __len__(self) -> int:
        return len(self.firsts) - 1

    def __getitem__(self, picture: int | slice) -> np.ndarray | list[np.ndarray]:
        """int32 (K_i, L), or a list of such."""
        if isinstance(picture, slice):
            return [self[i] for i in range(*picture.indices(len(self)))]
        i = range(len(self))[picture]
        return self.ids[self.firsts[i] : self.firsts[i + 1]].astype(np.int32)

    @classmethod
    def joined(cls, arrays: Sequence[np.ndarray]) -> "TokenIds":
        """From N arrays int32 (K_i, L)."""
        if isinstance(arrays, cls):
            return arrays
        firsts = np.cumsum([0, *map(len, arrays)])
        return cls(np.concatenate(arrays), firsts)


def tokenize_captions(tokenizer: CaptionTokenizer, captions: Sequence[Sequence[str]]) -> TokenIds:
    """Token ids of every picture's captions, some thousand captions at a time.

    Args:
        tokenizer: Of the model that is to read them.
        captions: For each of N pictures its K_i captions.

    Returns:
        For each of the N pictures int32 (K_i, L).
    """
    firsts, parts = array("q", [0]), []
    every = _counted(captions, firsts)
    while some := list(itertools.islice(every, AT_ONCE)):
        ids = tokenizer(some).numpy()
        small = ids.max(initial=0) <= np.iinfo(np.int16).max
        parts.append(ids.astype(np.int16) if small else ids)
    return TokenIds(np.concatenate(parts), np.array(firsts, np.int64))


def captions_to_learn_from(captions: Sequence[Sequence[str]], most: int = 200_000) -> Iterator[str]:
    """All captions, or where there are very many those of pictures in equal distances.

    Args:
        captions: For each of N pictures its captions.
        most: Captions, to be kept to as well as a look at 1000 pictures can tell.
    """
    looked_at = range(0, len(captions), max(1, len(captions) // 1000))
    of_each = max((len(captions[i]) for i in looked_at), default=1)
    num = min(len(captions), max(1, most // of_each))
    for k in range(num):
        yield from captions[k * len(captions) // num]


def make_batches(
    pictures: CaptionedPictures,
    token_ids: Sequence[np.ndarray],
    batch_size: int,
    seed: int,
    first_step: int = 0,
    held_out_every: int = 0,
) -> tf.data.Dataset:
    """Endless shuffled batches; step n's batch is a function of `seed` and n alone.

    Each epoch is another permutation of the pictures, and draws one of each picture's captions.
    Pictures that are not in memory are decoded ahead of their step, in threads; one that is
    unreadable gives way to another, with that one's captions. An error while decoding arrives as
    one of TensorFlow's; what it was at first is in `pictures.failure`.

    Args:
        pictures: N pictures.
        token_ids: The ids of each picture's captions: `TokenIds` or N arrays int32 (K_i, L).
        batch_size: B.
        seed: Fixes the order.
        first_step: Steps to leave out at the start, without reading them.
        held_out_every: k: pictures 0, k, 2k … are never given; 0: all are.

    Returns:
        A dataset of dictionaries: `image` float32 (B, H, W, 3), in [-1, 1]; `token_ids` int32
        (B, L).
    """
    token_ids = TokenIds.joined(token_ids)
    read = _reader(pictures.pixels)
    with tf.device("cpu"):
        all_ids, first_caption, num_captions = (
            tf.constant(array)
            for array in (token_ids.ids, token_ids.firsts[:-1], np.diff(token_ids.firsts))
        )
    num_pictures = len(pictures)
    if held_out_every:
        num_pictures -= -(-num_pictures // held_out_every)

    def pick(position):
        """One picture and the draw of its caption, by their place in the endless stream."""
        epoch = position // num_pictures
        index = tf.random.experimental.index_shuffle(
            position % num_pictures,
            seed=tf.stack([tf.constant(seed, tf.int64), epoch]),
            max_index=num_pictures - 1,
        )
        if held_out_every:
            index += 1 + index // (held_out_every - 1)
        draw = tf.random.stateless_uniform(
            (), tf.stack([tf.constant(seed, tf.int64), position]), 0, 2**31 - 1, tf.int64
        )
        return index, draw

    def gather(picture, draw):
        pixels, picture = read(picture)
        of_each = tf.gather(num_captions, picture)
        caption = tf.gather(first_caption, picture) + draw % of_each
        ids = tf.cast(tf.gather(all_ids, caption), tf.int32)
        return {"image": tf.cast(pixels, tf.float32) / 127.5 - 1.0, "token_ids": ids}

    positions = tf.data.Dataset.range(first_step * batch_size, np.iinfo(np.int64).max)
    options = tf.data.Options()
    # Nothing here is to be tuned, and the tuner's thread keeps an iterator from ending for up to
    # a minute: it sleeps 10 ms, 20 ms, 40 ms… and looks up only between.
    options.autotune.enabled = False
    threads = {"num_parallel_calls": min(8, os.cpu_count() or 1), "deterministic": True}
    return (
        positions.map(pick)
        .batch(batch_size, drop_remainder=True)
        .map(gather, **({} if isinstance(pictures.pixels, np.ndarray) else threads))
        .prefetch(4)
        .with_options(options)
    )


def _reader(pixels: np.ndarray | PicturesOnDemand):
    """From picture numbers int64 (B,) to their pixels uint8 (B, H, W, 3), and to the numbers of
    those that came in the place of unreadable ones.
    """
    if isinstance(pixels, np.ndarray):
        with tf.device("cpu"):
            in_memory = tf.constant(pixels)
        return lambda picture: (tf.gather(in_memory, picture), picture)

    def read_or_fail(picture):
        try:
            return pixels.read(picture)
        except Exception:  # kept in `pixels.failure`; TensorFlow would print all of its traceback
            return np.zeros((len(picture), *pixels.shape[1:]), np.uint8), np.full_like(picture, -1)

    def read(picture):
        found, used = tf.numpy_function(
            read_or_fail, [picture], (tf.uint8, tf.int64), stateful=False
        )
        failed = tf.debugging.assert_non_negative(used, "Pictures cannot be read.")
        with tf.control_dependencies([failed]):
            found = tf.ensure_shape(found, (picture.shape[0], *pixels.shape[1:]))
            return found, tf.ensure_shape(used, picture.shape)

    return read


def _counted(captions: Sequence[Sequence[str]], firsts: array) -> Iterator[str]:
    """All captions, one after the other, and where the next picture's begin."""
    for several in captions:
        firsts.append(firsts[-1] + len(several))
        yield from several
