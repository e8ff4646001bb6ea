"""Which words are honoured: "red is drawn in 92 of 100, left in 61".

A caption is drawn twice from the same noise, once as it stands and once with another word in the
place of one: "a red house", "a blue house". Each picture must match its own caption better than
the other's. What the judge says of real pictures stands beside it, since no painter can be found
to obey where the judge cannot see.

Source: pairs of captions that differ in little, and pictures told apart by them: Thrush et al.
    2022 (Winoground); one word exchanged, asked of a model that compares: Yuksekgonul et al. 2023.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from kgen.checks import check_int
from kgen.data.captioned_pictures import CaptionedPictures
from kgen.matcher import Matcher
from kgen.text.word_swaps import Words, contexts_of, find_word_swaps, with_other_word

Draw = Callable[[Sequence[str], int], np.ndarray]
AT_ONCE = 64  # captions drawn in a batch
LEAST_SEEN = 0.75  # share of real pictures in which the judge must see a word
FEWEST = 8  # captions that must hold a word
TIE = 1e-6


@dataclass(frozen=True)
class WordObedience:
    """How a word is obeyed.

    Attributes:
        word: The word.
        others: What it was exchanged for.
        num: Pictures that were asked about, two for each caption.
        share: Those that match their own caption better, in [0, 1]; 0.5 is chance.
        hits: float (num,), in {0, 0.5, 1}. Of these `share` is the mean.
        real_num: Real pictures that were asked about.
        real_share: The same of real pictures; what the judge can see.
    """

    word: str
    others: tuple[str, ...]
    num: int
    share: float
    hits: np.ndarray
    real_num: int
    real_share: float


def measure_word_obedience(
    draw: Draw,
    matcher: Matcher,
    training: CaptionedPictures,
    test: CaptionedPictures,
    column: int = 0,
    num_words: int = 40,
    num_captions: int = 32,
    seed: int = 0,
) -> list[WordObedience]:
    """Asks for each frequent word whether pictures obey it.

    Words come from the training captions. Of those that can stand in a word's place, the ones
    that the judge tells from it in 3 of 4 real training pictures are used, so neither synonyms
    nor details that it cannot see. Words without such another are left out.

    Formula:
        h = [s(G(z, t), t) > s(G(z, t), t')], and the same with t and t' exchanged; ½ for equal

        t a test caption, t' the same with another word, s the judge's cosine, z the same noise

    Args:
        draw: Draws captions from a seed: uint8 (B, H, W, 3). The same seed must give the same
            noise for equally many captions.
        matcher: The judge.
        training: What it was trained on.
        test: Captioned pictures that no training has seen.
        column: Which of each picture's captions; the last where there are fewer.
        num_words: Most words.
        num_captions: Most captions drawn for a word; twice as many pictures.
        seed: Fixes noise and the choice of captions.

    Returns:
        One for each word, most frequent first. At most `2 num_words num_captions` pictures are
        drawn.
    """
    for name, number in (("num_words", num_words), ("num_captions", num_captions)):
        check_int(name, number, 1)
    train_captions, test_captions = (_column(of, column) for of in (training, test))
    words = Words(train_captions)
    of_training, of_test = words.of(train_captions), words.of(test_captions)
    contexts, _ = contexts_of(of_training)
    asker = _Asker(matcher, np.random.default_rng(seed), num_captions)
    swaps = find_word_swaps(of_training, 2 * num_words, FEWEST)
    known = asker.asked_of_real(training, train_captions, of_training, swaps, contexts)
    seen = {
        word: tuple(o for o in others if np.mean(known.get((word, o), [0])) >= LEAST_SEEN)
        for word, others in swaps.items()
    }
    asked_back = {word: others for word, others in seen.items() if others}
    real = asker.asked_of_real(test, test_captions, of_test, _both_ways(asked_back), contexts)
    results = []
    for word, others in asked_back.items():
        pairs = asker.pairs(test_captions, of_test, word, others, contexts)
        if len(pairs) < min(FEWEST, num_captions) or len(results) == num_words:
            continue
        hits = np.concatenate(
            [
                _hits(draw, matcher, pairs[i : i + AT_ONCE], seed + i)
                for i in range(0, len(pairs), AT_ONCE)
            ]
        )
        used = tuple(o for o in others if any(other == o for *_, other in pairs))
        of_real = [h for o in used for pair in ((word, o), (o, word)) for h in real.get(pair, ())]
        results.append(
            WordObedience(
                word,
                used,
                len(hits),
                float(hits.mean()),
                hits,
                len(of_real),
                float(np.mean(of_real)) if of_real else float("nan"),
            )
        )
    return results


class _Asker:
    """Finds captions to exchange words in, and asks the judge about real pictures."""

    def __init__(self, matcher, rng, most):
        self.matcher, self.rng, self.most = matcher, rng, most
        self.holding = {}

    def pairs(self, captions, words, word, others, contexts):
        """Up to `most` (row, caption, caption with another word, other)."""
        found = []
        for row in self.rng.permutation(self._rows(words, word)):
            # Another word that training has seen between the same neighbours comes first.
            place = words[row].index(word)
            around = ["", *words[row], ""]
            context = around[place], around[place + 2]
            fitting = [o for o in others if context in contexts[o]] or list(others)
            other = fitting[self.rng.integers(len(fitting))]
            exchanged = with_other_word(captions[row], words[row], word, other)
            if exchanged:
                found.append((int(row), captions[row], exchanged, other))
            if len(found) == self.most:
                break
        return found

    def asked_of_real(self, pictures, captions, words, swaps, contexts):
        """For each (word, other): whether real pictures of it match their captions better."""
        pairs, asked = [], []
        for word, others in swaps.items():
            for other in others:
                some = self.pairs(captions, words, word, (other,), contexts)
                pairs += some
                asked += [(word, other)] * len(some)
        if not pairs:
            return {}
        rows, kinds = np.unique([row for row, *_ in pairs], return_inverse=True)
        vectors = np.concatenate(
            [
                self.matcher.picture_vectors(pictures.pixels[rows[i : i + 1024]])
                for i in range(0, len(rows), 1024)
            ]
        )[kinds]
        own, exchanged = (self.matcher.caption_vectors([p[k] for p in pairs]) for k in (1, 2))
        hits = _preferred(np.sum(vectors * (own - exchanged), axis=1))
        found = defaultdict(list)
        for pair, hit in zip(asked, hits):
            found[pair].append(hit)
        return found

    def _rows(self, words, word):
        if id(words) not in self.holding:
            rows = defaultdict(list)
            for row, several in enumerate(words):
                for one in dict.fromkeys(several):
                    rows[one].append(row)
            self.holding[id(words)] = rows
        return self.holding[id(words)].get(word, [])


def _hits(draw, matcher, pairs, seed):
    """Two for each pair of captions: of the picture of each."""
    several = [[pair[k] for pair in pairs] for k in (1, 2)]
    vectors = [matcher.picture_vectors(np.asarray(draw(some, seed))) for some in several]
    towards = np.subtract(*map(matcher.caption_vectors, several))  # t - t'
    return np.concatenate(
        [_preferred(side * np.sum(seen * towards, axis=1)) for side, seen in zip((1, -1), vectors)]
    )


def _preferred(difference):
    return np.where(np.abs(difference) < TIE, 0.5, (difference > 0).astype(float))


def _both_ways(swaps):
    both = defaultdict(dict)
    for word, others in swaps.items():
        for other in others:
            both[word][other] = both[other][word] = None
    return {word: tuple(others) for word, others in both.items()}


def _column(pictures, column):
    check_int("column", column, 0)
    return [several[min(column, len(several) - 1)] for several in pictures.captions]
