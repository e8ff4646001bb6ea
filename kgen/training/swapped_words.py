"""Captions with one word in another's place: nearly right, and wrong.

Of wrong captions that are other pictures' hardly one differs in a number or a shade alone, and D
need not count to reject it.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from keras import ops

from kgen.config import TrainingConfig
from kgen.text.word_swaps import find_word_swaps

MOST_CAPTIONS = 20_000  # that the swaps are learned from
MOST_OTHERS = 8  # for each wordpiece


def learn_swaps(token_ids: Sequence[np.ndarray], vocabulary: Sequence[str]) -> np.ndarray:
    """For every wordpiece those that may take its place, from `find_word_swaps`.

    Args:
        token_ids: For each of N pictures int32 (K_i, L), 0 = padding.
        vocabulary: V wordpieces.

    Returns:
        int32 (V, 8), 0 where there is no (further) one.
    """
    pieces = [[vocabulary[i] for i in ids if i] for ids in _some(token_ids)]
    swaps = find_word_swaps(pieces, len(vocabulary), most_others=MOST_OTHERS)
    places = {piece: i for i, piece in enumerate(vocabulary)}
    table = np.zeros((len(vocabulary), MOST_OTHERS), np.int32)
    for piece, others in swaps.items():
        table[places[piece], : len(others)] = [places[other] for other in others]
    return table


def swaps_for(
    training: TrainingConfig, token_ids: Sequence[np.ndarray], vocabulary: Sequence[str]
) -> np.ndarray | None:
    """`learn_swaps` for a run whose `mismatches` are swapped words; None for any other."""
    return learn_swaps(token_ids, vocabulary) if training.mismatches == "swapped" else None


def with_swapped_word(token_ids, swaps, draws):
    """Captions in which another word has taken the place of one.

    Formula:
        t'_p = S[t_p, ⌊u_2 n(t_p)⌋], where p is the ⌊u_1 m⌋-th of the m places with n(t_p) > 0;
        all else stays.

    Args:
        token_ids: int32 (B, L). t.
        swaps: int32 (V, K), from `learn_swaps`. S, of which the row of word w holds n(w) others.
        draws: float32 (B, 2), in [0, 1). u.

    Returns:
        t', int32 (B, L); and which captions have changed, bool (B,): those with m > 0.
    """
    others = ops.take(swaps, token_ids, axis=0)  # (B, L, K)
    num_others = ops.sum(ops.cast(others > 0, "int32"), axis=-1)  # (B, L)
    may = ops.cast(num_others > 0, "int32")
    num_places = ops.sum(may, axis=1, keepdims=True)  # (B, 1)
    place = _drawn(draws[:, :1], num_places)
    here = (may > 0) & (ops.cumsum(may, axis=1) - 1 == place)
    which = _drawn(draws[:, 1:], num_others)  # (B, L)
    other = ops.take_along_axis(others, which[:, :, None], axis=2)[:, :, 0]
    return ops.where(here, other, token_ids), num_places[:, 0] > 0


def _drawn(u, num):
    """A number of 0 … num - 1, also where rounding would give num; 0 where num is 0."""
    chosen = ops.cast(u * ops.cast(num, "float32"), "int32")
    return ops.maximum(0, ops.minimum(chosen, num - 1))


def _some(token_ids: Sequence[np.ndarray]) -> Iterator[np.ndarray]:
    """All captions, or those of pictures in equal distances."""
    num = min(len(token_ids), MOST_CAPTIONS)
    for k in range(num):
        yield from token_ids[k * len(token_ids) // num]
