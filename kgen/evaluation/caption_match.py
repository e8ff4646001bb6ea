"""How often a picture and its own caption find each other, asked of a judge's vectors.

`picture_vectors` and `caption_vectors` are a `Matcher`'s: float32 (B, C), of length 1, row i of
both for caption i.
"""

from collections.abc import Sequence

import numpy as np

from kgen.checks import check_int, wrong
from kgen.data.captioned_pictures import CaptionedPictures
from kgen.evaluation.attribute_classifier import STATES
from kgen.text.tokenizer import split_words


def r_precision(
    picture_vectors: np.ndarray,
    caption_vectors: np.ndarray,
    captions: Sequence[str],
    num_candidates: int = 100,
    seed: int = 0,
    rivals: np.ndarray | None = None,
) -> float:
    """How often a picture's own caption is the nearest of many: the mean of `r_precision_hits`.

    Returns:
        float, in [0, 1]; 1/100 where pictures know nothing of their captions.
    """
    return float(
        r_precision_hits(
            picture_vectors, caption_vectors, captions, num_candidates, seed, rivals
        ).mean()
    )


def r_precision_hits(
    picture_vectors: np.ndarray,
    caption_vectors: np.ndarray,
    captions: Sequence[str],
    num_candidates: int = 100,
    seed: int = 0,
    rivals: np.ndarray | None = None,
) -> np.ndarray:
    """Whether each picture's own caption is the nearest of many.

    Formula:
        r_i = [⟨f_i, c_i⟩ = max] / #{j in J_i and i: ⟨f_i, c_j⟩ = max},
        max = max over j in J_i and i of ⟨f_i, c_j⟩

        where J_i are 99 of the other captions, drawn anew for each picture among those that
        differ from its own (all, where there are fewer).

    Args:
        picture_vectors: float32 (B, C), of length 1. f.
        caption_vectors: float32 (B, C), of length 1. c.
        captions: The B captions.
        num_candidates: Captions to choose from, the picture's own among them.
        seed: Fixes which.
        rivals: bool (B, B). Where false, caption j is never among J_i; see `contradictions`.

    Returns:
        float64, in [0, 1], for each caption; those without a rival are left out.

    Raises:
        ValueError: There are not as many captions as vectors.

    Source: Xu et al. 2018 (AttnGAN), section 4, with R = 1 and 99 mismatched captions; that
        equal scores share the hit, and the choice of rivals, are ours.
    """
    check_int("num_candidates", num_candidates, 1)
    _check_lengths(picture_vectors, caption_vectors, captions)
    rng = np.random.default_rng(seed)
    _, first, kinds = np.unique(np.asarray(captions, str), return_index=True, return_inverse=True)
    hits = np.zeros(len(captions))
    alone = np.zeros(len(captions), bool)
    for i, picture in enumerate(picture_vectors):
        others = kinds != kinds[i] if rivals is None else (kinds != kinds[i]) & rivals[i]
        alone[i] = rivals is not None and not others.any()
        chosen = rng.permutation(np.unique(kinds[others]))[: num_candidates - 1]
        own = picture @ caption_vectors[i]
        against = caption_vectors[first[chosen]] @ picture
        near = against >= own - 1e-6
        if not (near & (against > own + 1e-6)).any():
            hits[i] = 1 / (1 + near.sum())
    return hits[~alone]


def contradictions(pictures: CaptionedPictures) -> np.ndarray:
    """Which captions contradict each other, so that no picture can obey both.

    What a caption leaves open its picture may show in any way: "a lake at dawn" may be drawn with
    the two boats that another caption asks for, and a judge that then finds the other is not
    wrong. Only where facts are known, and which of them captions state ("states_" attributes), can
    such captions be told from rivals.

    Formula:
        r_ij = there is an attribute a that captions i and j both state, with a_i ≠ a_j

    Returns:
        bool (N, N), symmetric, of the captions of pictures i and j. Without "states_" attributes,
        all but the diagonal.
    """
    named = [name for name in pictures.attributes if STATES + name in pictures.attributes]
    if not named:
        return ~np.eye(len(pictures), dtype=bool)
    found = np.zeros((len(pictures), len(pictures)), bool)
    for name in named:
        values = np.asarray(pictures.attributes[name])
        stated = np.asarray(pictures.attributes[STATES + name]) == "yes"
        found |= (values[:, None] != values) & stated & stated[:, None]
    return found


def nearest_captions(captions: Sequence[str], rivals: np.ndarray | None = None) -> np.ndarray:
    """For each caption that other one which shares the most of its words.

    Formula:
        j(i) = argmax over j with another text of |W_i ∩ W_j| / |W_i ∪ W_j|

        where W are a caption's different words, Chinese ones its characters; the first of equals.

    Args:
        captions: B captions.
        rivals: bool (B, B). Pairs that count; both ways are asked for. None: all.

    Returns:
        int64 (B,); -1 where there is no other.
    """
    words = [frozenset(several) for several in split_words(captions)]
    known = {word: k for k, word in enumerate(sorted(frozenset().union(*words)))}
    holds = np.zeros((len(captions), len(known)), np.float32)
    for row, several in enumerate(words):
        holds[row, [known[word] for word in several]] = 1
    lengths = holds.sum(1)
    shared = holds @ holds.T
    near = shared / np.maximum(lengths[:, None] + lengths - shared, 1)
    texts = np.asarray(captions, str)
    allowed = texts[:, None] != texts
    if rivals is not None:
        allowed &= rivals & rivals.T
    near = np.where(allowed, near, -1.0)
    return np.where(allowed.any(1), near.argmax(1), -1)


def caption_swap_hits(
    picture_vectors: np.ndarray,
    caption_vectors: np.ndarray,
    captions: Sequence[str],
    rivals: np.ndarray | None = None,
) -> np.ndarray:
    """Whether two pictures can be told apart by the two captions they were drawn for.

    Each caption a is paired with its nearest other b, from `nearest_captions`: most often a word
    or two differ.

    Formula:
        r = [⟨f_a, c_a⟩ > ⟨f_a, c_b⟩] [⟨f_b, c_b⟩ > ⟨f_b, c_a⟩]

    Returns:
        float64, in {0, 1}, for each caption that has another; at most 0.25 on average where
        pictures know nothing of their captions, 0 where all pictures are one.

    Source: Thrush et al. 2022 (Winoground), eq. 1, the text score.
    """
    _check_lengths(picture_vectors, caption_vectors, captions)
    other = nearest_captions(captions, rivals)
    a = np.flatnonzero(other >= 0)
    b = other[a]
    f, c = np.asarray(picture_vectors), np.asarray(caption_vectors)
    moved = [np.sum(f[one] * (c[one] - c[two]), axis=1) > 1e-6 for one, two in ((a, b), (b, a))]
    return (moved[0] & moved[1]).astype(float)


def caption_swap(
    picture_vectors: np.ndarray,
    caption_vectors: np.ndarray,
    captions: Sequence[str],
    rivals: np.ndarray | None = None,
) -> float:
    """The mean of `caption_swap_hits`; NaN where all captions are one."""
    hits = caption_swap_hits(picture_vectors, caption_vectors, captions, rivals)
    return float(hits.mean()) if len(hits) else float("nan")


def _check_lengths(picture_vectors, caption_vectors, captions):
    for name, several in (("captions", captions), ("caption_vectors", caption_vectors)):
        if len(several) != len(picture_vectors):
            expected = f"{len(picture_vectors)}, as many as pictures"
            raise ValueError(wrong(name, expected, len(several), "Pass one for each picture."))
    if not len(captions):
        raise ValueError(wrong("captions", "1 or more", 0, "Pass what was drawn."))
