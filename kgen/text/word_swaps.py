"""Words that can stand in each other's place: learned from captions, without a dictionary.

"red" and "blue" stand between the same neighbours ("a _ house"); so do 左 and 右. Captions in
which one takes the other's place ask for another picture, in words that training has seen.
"""

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from kgen.checks import check_int
from kgen.text.chinese_words import is_chinese, learn_chinese_words
from kgen.text.stop_words import STOP_WORDS
from kgen.text.tokenizer import split_words

LEAST_LIKENESS = 0.1
MOST_OTHERS = 3


class Words:
    """Cuts captions into words; Chinese into those that its captions teach.

    Args:
        captions: Training captions.
    """

    def __init__(self, captions: Iterable[str]):
        captions = list(captions)
        chinese = learn_chinese_words(captions)
        if chinese:
            chinese += tuple({sign for run in captions for sign in run if is_chinese(sign)})
        self._chinese = tuple(dict.fromkeys(chinese))

    def of(self, captions: Sequence[str]) -> list[list[str]]:
        """Words of each caption, in lower case and in their order."""
        return split_words(captions, self._chinese) if len(captions) else []


def find_word_swaps(
    words_of_captions: Sequence[Sequence[str]],
    num_words: int = 40,
    fewest: int = 8,
    most_others: int = MOST_OTHERS,
) -> dict[str, tuple[str, ...]]:
    """The frequent words, and for each some words that stand where it stands.

    Formula:
        likeness(w, v) = Σ_k min(p(k | w), p(k | v))

        over pairs k of a left and a right neighbour (the caption's ends are neighbours, too);
        v may stand for w where the likeness is 0.1 or more. The likest come first.

    Args:
        words_of_captions: Words of each training caption, from `Words.of`.
        num_words: Most words.
        fewest: Captions that must hold a word.
        most_others: Words for each, at most.

    Returns:
        For each word, most frequent first, its likest others. Stop words, numerals in digits and
        words that none is like are left out.

    Source: words are known by their neighbours: Harris 1954; the overlap of their distributions:
        Lee 1999, section 2 (as 1 - ½ L1).
    """
    check_int("num_words", num_words, 1)
    check_int("fewest", fewest, 1)
    contexts, held = contexts_of(words_of_captions)
    frequent = [w for w in sorted(contexts, key=lambda w: (-held[w], w)) if held[w] >= fewest]
    shares = {w: _shares(contexts[w]) for w in frequent}
    standing_in = defaultdict(list)
    for word in frequent:
        for context in contexts[word]:
            standing_in[context].append(word)
    found = {}
    for word in frequent:
        likeness = Counter()
        for context, share in shares[word].items():
            for other in standing_in[context]:
                likeness[other] += min(share, shares[other][context])
        del likeness[word]
        likest = sorted(likeness.items(), key=lambda item: (-item[1], item[0]))
        others = [other for other, much in likest if much >= LEAST_LIKENESS][:most_others]
        if others:
            found[word] = tuple(others)
        if len(found) == num_words:
            break
    return found


def contexts_of(words_of_captions):
    """For each word its Counter of (left, right) neighbours, and how many captions hold it."""
    contexts, held = defaultdict(Counter), Counter()
    for words in words_of_captions:
        held.update(set(words))
        around = ["", *words, ""]
        for left, word, right in zip(around, words, around[2:]):
            if is_worth_asking(word):
                contexts[word][left, right] += 1
    return contexts, held


def is_worth_asking(word: str) -> bool:
    """Whether a word may change a picture: letters that are no stop word."""
    return word not in STOP_WORDS and word.isalpha() and (len(word) > 1 or not word.isascii())


def with_other_word(caption: str, words: Sequence[str], word: str, other: str) -> str | None:
    """A caption with `other` in the place of the first `word`; all else as the user wrote it.

    Args:
        caption: Any caption.
        words: Its words, from `Words.of`.
        word: One of them.
        other: What takes its place.

    Returns:
        The caption, or None where `word` cannot be found in it, as behind an accent.

    Example:
        >>> with_other_word("A Red-brick house, reddish", ["a", "red", "-", "brick"], "red", "blue")
        'A blue-brick house, reddish'
    """
    plain = caption.lower()
    if len(plain) != len(caption) or unicodedata.normalize("NFC", plain) != plain:
        return None
    place = 0
    for one in words:
        start = plain.find(one, place)
        if start < 0:
            return None
        place = start + len(one)
        if one == word:
            return caption[:start] + other + caption[place:]
    return None


def _shares(counts):
    total = counts.total()
    return {key: times / total for key, times in counts.items()}
