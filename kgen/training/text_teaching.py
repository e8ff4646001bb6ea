"""A narrower T taught to read as a trained one does, before G learns to draw from what it says.

Pruned, T says little of what it said, and an untrained D, which sees no small things yet, could
not teach it to say them again.
"""

from collections.abc import Sequence

import keras
import numpy as np
import tensorflow as tf

from kgen.training.importance import CAPTION, WORDS, is_bag
from kgen.training.progress import Progress
from kgen.training.pruning import kept_channels, some_captions

STEPS = 6000
BATCH_SIZE = 64
RATE = 5e-3
ENOUGH = 0.999  # of what T' says
# λ: a T of few units reads a caption as T' does to a few percent, and these are better spent alike
# on all captions of a picture than on each by itself.
APART_WEIGHT = 3.0
OUTPUTS = {"caption_vector": CAPTION, "words": WORDS}


def teach_text(
    narrower: tuple[keras.Model, keras.Model],
    trained: tuple[keras.Model, keras.Model],
    token_ids: Sequence[np.ndarray],
    seed: int,
    progress: bool = True,
    g_is_fresh: bool = False,
) -> float:
    """Teaches T to say of captions what a trained T says of them and of others of the same picture,
    in the channels that matter most to the trained G; those are the ones that pruning keeps.

    So captions of one picture are read alike, whatever their words and language: a small G has no
    channels to spare for telling apart what is to be drawn alike.

    Formula:
        L = (E|c(t) - c'_K(s)|² + λ E|c(t) - c(s)|²) / Var[c'_K], where t and s are captions of
        the same picture, K the kept channels, c' of the trained T; and where G attends to words,
        the first term of those of t, with s = t. For a fresh G, c'_K / √Var[c'_K] in place of c'_K

    Args:
        narrower: T, which is trained, and its G.
        trained: T' and G', float32; T' no narrower than T.
        token_ids: N arrays int32 (K_i, L), the ids of each picture's captions.
        seed: Of the captions' order.
        progress: Whether to show a bar.
        g_is_fresh: Whether G's weights are not taken from G'. What T' says has grown with G', many
            times as large as noise: the first weights of G expect no such numbers, and would drive
            every pixel to -1 or 1, where nothing can be learned.

    Returns:
        How much of what T' says of captions T says, as a share of the caption vector's variance:
        1 for all of it.

    Source: Romero et al. 2015 (FitNets), eq. 3, with the channels that pruning keeps for their
        regressor; the second term as in Sajjadi et al. 2016, of other words in
        place of other transformations of a picture.
    """
    t, g = narrower
    some = some_captions(token_ids)
    kept = kept_channels(trained, narrower, some)
    places = {name: kept[OUTPUTS[name]] for name in OUTPUTS if name in g.input}

    scales = dict.fromkeys(places, 1.0)

    def wanted(ids):
        said = trained[0](ids, training=False)
        return {
            name: scales[name] * tf.gather(said[name], at, axis=-1) for name, at in places.items()
        }

    def share():
        return share_said(t(some, training=False)["caption_vector"], of_some["caption_vector"])

    of_some = wanted(some)
    if g_is_fresh:
        scale = variance(of_some["caption_vector"]) ** -0.5
        # The mean of words grows as they do; those of others lie between -1 and 1, or are normed.
        scales |= dict.fromkeys(places if is_bag(t) else ["caption_vector"], scale)
        of_some = wanted(some)
    if share() > ENOUGH:  # it is no narrower, and started from T'
        return share()
    reader = reader_of(t, {name: 1 / variance(said) for name, said in of_some.items()})
    pairs = pairs_of_captions(token_ids, STEPS * BATCH_SIZE, seed)
    batches = tf.data.Dataset.from_tensor_slices(pairs).batch(BATCH_SIZE)

    def task(ids, others):
        of_others = wanted(others)["caption_vector"]
        of_all = {**wanted(ids), "caption_vector": of_others, "apart": tf.zeros_like(of_others)}
        return (ids, others), of_all

    batches = batches.map(task).prefetch(tf.data.AUTOTUNE)
    bars = [Progress(STEPS, BATCH_SIZE)] if progress else []
    reader.fit(batches, epochs=1, shuffle=False, verbose=0, callbacks=bars)
    return share()


def reader_of(t: keras.Model, scales: dict[str, float]) -> keras.Model:
    """T twice, compiled with the loss of `teach_text`.

    Args:
        t: T.
        scales: 1 / Var of what is wanted, of the `OUTPUTS` that are taught.

    Returns:
        (int32 (B, L), int32 (B, L)), captions of the same pictures, to what `t` says of the first
        and, as `apart`, float32 (B, C), how far its caption vector lies from that of the second.
    """
    one, other = (keras.Input(t.input_shape[1:], dtype="int32") for _ in range(2))
    said, of_other = t(one), t(other)["caption_vector"]
    apart = keras.layers.Subtract(dtype="float32")([said["caption_vector"], of_other])
    reader = keras.Model([one, other], {**{name: said[name] for name in scales}, "apart": apart})
    reader.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(RATE, STEPS)),
        loss=dict.fromkeys(reader.output, "mse"),
        loss_weights={**scales, "apart": APART_WEIGHT * scales["caption_vector"]},
    )
    return reader


def pairs_of_captions(
    token_ids: Sequence[np.ndarray], num: int, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Draws captions, and of each picture another one, or the same.

    Args:
        token_ids: N arrays int32 (K_i, L), the ids of each picture's captions.
        num: Pairs.
        seed: Of the draws.

    Returns:
        int32 (num, L) and int32 (num, L).
    """
    counts = np.array([len(ids) for ids in token_ids])
    captions, firsts = np.concatenate(token_ids), np.cumsum(counts) - counts
    rng = np.random.default_rng(seed)
    picture = rng.integers(0, len(counts), num)
    some, others = (firsts[picture] + rng.integers(0, counts[picture]) for _ in range(2))
    return captions[some], captions[others]


def share_said(said, wanted) -> float:
    """How much of what one T says another says.

    Formula:
        1 - E|c - c'|² / Var[c']

    Args:
        said: float32 (N, C). c.
        wanted: float32 (N, C). c'.

    Returns:
        At most 1; 0 where c is no nearer than the mean of all c'.
    """
    return 1 - float(np.square(wanted - said).mean()) / variance(wanted)


def variance(vectors) -> float:
    """Of float32 (N, …, C), the mean over all but the first axis of the variance along that."""
    return max(float(np.var(vectors, axis=0).mean()), 1e-12)
