"""Pictures that are the same, or nearly, found without comparing each with each."""

import hashlib
from collections import defaultdict

import numpy as np

THUMBNAIL = 32  # pixels
HASH_SIDE = 8
BANDS = 5
MAX_BITS = BANDS - 1
# A photograph stored anew as JPEG (quality 50), or at 70 % of its size, differs by 1 to 2 in the
# mean and by 4 to 9 in the worst block; an emoji with another skin, or a cartoon with other
# glasses, by 9 to 60 there. Pixel art that was blurred is not found. Measured.
MAX_MEAN_DIFFERENCE = 4.0
MAX_BLOCK_DIFFERENCE = 9.0
BLOCK = 4  # pixels
MAX_BUCKET = 64
PIECE = 1024  # pairs compared at once


def perceptual_hashes(thumbnails: np.ndarray) -> np.ndarray:
    """A hash of each picture that changes little where the picture does.

    Formula:
        F(u, v) = sum over x, y of grey(y, x) cos(pi (2y + 1) u / 64) cos(pi (2x + 1) v / 64)
        bit 8u + v = F(u, v) > median of F, for u, v in 0…7

        where grey is the mean of red, green and blue, and F is rounded to thousandths, so that
        plain pictures do not get random bits.

    Args:
        thumbnails: uint8 (N, 32, 32, 3), in [0, 255].

    Returns:
        uint64 (N,).

    Source: Zauner 2010, "Implementation and Benchmarking of Perceptual Image Hash Functions",
        section 3.2.1, where the first row and column of F are left out.
    """
    grey = np.asarray(thumbnails, np.float32).mean(axis=-1)
    place = np.arange(THUMBNAIL)
    waves = np.cos(np.pi * np.outer(np.arange(HASH_SIDE), 2 * place + 1) / (2 * THUMBNAIL))
    waves = waves.astype(np.float64)  # (8, 32)
    spectra = np.round(waves @ grey @ waves.T, 3).reshape(-1, HASH_SIDE**2)
    bits = spectra > np.median(spectra, axis=1, keepdims=True)
    return (bits.astype(np.uint64) << np.arange(64, dtype=np.uint64)).sum(axis=1, dtype=np.uint64)


def near_duplicates(thumbnails: np.ndarray) -> list[tuple[int, ...]]:
    """Groups of pictures that are copies of each other, but for the way they were stored.

    Candidates have hashes that differ in 4 bits at most. They count where their thumbnails
    differ, per colour, by 4 of 255 in the mean and in no block of 4 x 4 pixels by more than 9:
    on plain grounds a hash alone calls too much the same.

    Args:
        thumbnails: uint8 (N, 32, 32, 3), in [0, 255].

    Returns:
        Groups of two or more places in `thumbnails`, sorted.
    """
    groups = _Groups()
    equal: dict[bytes, int] = {}
    for place, thumbnail in enumerate(thumbnails):
        groups.join(equal.setdefault(hashlib.sha1(thumbnail.tobytes()).digest(), place), place)
    first = np.array(list(equal.values()), int)
    pairs = first[_candidates(perceptual_hashes(thumbnails[first]))]
    for piece in np.array_split(pairs, len(pairs) // PIECE + 1):
        apart = [p for p in piece.tolist() if groups.head_of(p[0]) != groups.head_of(p[1])]
        for pair, alike in zip(apart, _are_alike(thumbnails, np.array(apart, int))):
            if alike:
                groups.join(*pair)
    return groups.of_several()


def _candidates(hashes: np.ndarray) -> np.ndarray:
    """int (P, 2), the smaller place first. Of 5 bands of bits, 4 different bits leave one equal.

    In the order of a band, and of the hash where bands are equal, each is compared with up to 63
    after it.
    """
    num = len(hashes)
    found = [np.zeros(0, int)]
    edges = np.linspace(0, 64, BANDS + 1).astype(int)
    for low, high in zip(edges, edges[1:]):
        band = (hashes >> np.uint64(low)) & np.uint64(2 ** int(high - low) - 1)
        order = np.lexsort((hashes, band))
        for step in range(1, min(num, MAX_BUCKET)):
            first, second = order[:-step], order[step:]
            near = band[first] == band[second]
            if not near.any():
                break
            first, second = first[near], second[near]
            near = np.bitwise_count(hashes[first] ^ hashes[second]) <= MAX_BITS
            first, second = first[near], second[near]
            found.append(np.minimum(first, second) * num + np.maximum(first, second))
    keys = np.unique(np.concatenate(found))
    return np.stack([keys // num, keys % num], axis=1) if num else np.zeros((0, 2), int)


def _are_alike(thumbnails: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """bool (P,)."""
    if not len(pairs):
        return np.zeros(0, bool)
    first, second = (thumbnails[pairs[:, side]].astype(np.int16) for side in (0, 1))
    difference = np.abs(first - second)  # (P, 32, 32, 3)
    blocks = THUMBNAIL // BLOCK
    cut = difference.reshape(-1, blocks, BLOCK, blocks, BLOCK, 3)
    by_block = cut.mean(axis=(2, 4))  # (P, 8, 8, 3)
    close = by_block.mean(axis=(1, 2, 3)) <= MAX_MEAN_DIFFERENCE
    return close & (by_block.max(axis=(1, 2, 3)) <= MAX_BLOCK_DIFFERENCE)


class _Groups:
    """What hangs together by pairs."""

    def __init__(self):
        self._head: dict[int, int] = {}

    def head_of(self, place: int) -> int:
        """The smallest place that hangs together with this one."""
        head = self._head
        while head.setdefault(place, place) != place:
            head[place] = head[head[place]]
            place = head[place]
        return place

    def join(self, first: int, second: int) -> None:
        first, second = sorted((self.head_of(first), self.head_of(second)))
        self._head[second] = first

    def of_several(self) -> list[tuple[int, ...]]:
        """Groups of two or more, sorted."""
        members = defaultdict(list)
        for place in sorted(self._head):
            members[self.head_of(place)].append(place)
        return [tuple(group) for group in members.values() if len(group) > 1]
