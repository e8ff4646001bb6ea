"""What the captions of a set are like: languages, lengths, words, repetitions."""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from kgen.text.chinese_words import learn_chinese_words

_HAN = "々〇\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufad9\U00020000-\U000323af"
_LATIN = "A-Za-zÀ-ɏ"
_TOKEN = re.compile(rf"[{_HAN}]|[^\W_{_HAN}]+|[^\w\s]|_")
LANGUAGES = ("Chinese", "Latin", "Chinese and Latin", "other letters", "no letters")


@dataclass(frozen=True)
class Spread:
    """Least, middle, 95 % and most of some counts."""

    least: int
    median: int
    most_of_95: int
    most: int


@dataclass(frozen=True)
class ColumnFacts:
    """One caption column.

    Attributes:
        name: Of the column.
        pictures: That have a caption in it.
        without: Pictures that have none in it.
        captions: In it; a picture may have several.
        different: Captions that differ in more than case and width.
        languages: Captions by the letters they are written in.
        words: Words of a caption; of Chinese, characters.
        tokens: Words and punctuation marks; rare words take more tokens than one when they are cut.
        too_long: Captions with more tokens than a model reads.
        repeated: The captions most pictures share, with how many.
    """

    name: str
    pictures: int
    without: int
    captions: int
    different: int
    languages: dict[str, int]
    words: Spread
    tokens: Spread
    too_long: int
    repeated: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Vocabulary:
    """The words of all captions; Chinese counts by characters.

    Attributes:
        different: Different words.
        chinese: Chinese characters among them.
        once: Words seen once, from which nothing is learned.
        rare: Some of those.
        frequent: The most frequent that are no stop words, with their number; Chinese words of
            several characters are told by which characters stand together.
    """

    different: int
    chinese: int
    once: int
    rare: tuple[str, ...]
    frequent: tuple[tuple[str, int], ...]


def tokens_of(caption: str) -> list[str]:
    """Words, Chinese characters and punctuation marks, in lower case and Unicode form NFKC.

    Example:
        >>> tokens_of("A red-brick house，左边")
        ['a', 'red', '-', 'brick', 'house', ',', '左', '边']
    """
    return _TOKEN.findall(_plain(caption))


def language_of(caption: str) -> str:
    """One of `LANGUAGES`, by the letters of a caption.

    Example:
        >>> language_of("红色的 cat"), language_of("кошка"), language_of("12 %")
        ('Chinese and Latin', 'other letters', 'no letters')
    """
    chinese = re.search(f"[{_HAN}]", caption) is not None
    latin = re.search(f"[{_LATIN}]", caption) is not None
    if chinese or latin:
        return LANGUAGES[2] if chinese and latin else LANGUAGES[0] if chinese else LANGUAGES[1]
    return LANGUAGES[3] if any(map(str.isalpha, caption)) else LANGUAGES[4]


def column_facts(name: str, captions: Sequence[Sequence[str]], caption_length: int) -> ColumnFacts:
    """Measures one caption column.

    Args:
        name: Of the column.
        captions: For each picture, its captions in this column; may be none.
        caption_length: Tokens that a model reads.
    """
    flat = [caption for several in captions for caption in several]
    tokens = [tokens_of(caption) for caption in flat]
    languages = Counter(map(language_of, flat))
    same = Counter(key for several in captions for key in {same_caption(c) for c in several})
    written = {same_caption(caption): caption for caption in reversed(flat)}
    return ColumnFacts(
        name=name,
        pictures=sum(bool(several) for several in captions),
        without=sum(not several for several in captions),
        captions=len(flat),
        different=len(same),
        languages={key: languages[key] for key in LANGUAGES if languages[key]},
        words=spread(sum(map(_is_word, several)) for several in tokens),
        tokens=spread(map(len, tokens)),
        too_long=sum(len(several) > caption_length for several in tokens),
        repeated=tuple((written[k], n) for k, n in _most(same, 8) if n > 1),
    )


def vocabulary(captions: Iterable[str]) -> Vocabulary:
    """Counts the words of captions."""
    from kgen.text.stop_words import STOP_WORDS  # TensorFlow, which the rest does without

    captions = list(captions)
    counts = Counter(word for c in captions for word in tokens_of(c) if _is_word(word))
    once = sorted(word for word, times in counts.items() if times == 1)
    learned = sorted(learn_chinese_words(captions), key=len, reverse=True)
    longer = re.compile("|".join([*learned, _TOKEN.pattern]))
    said = Counter(word for c in captions for word in longer.findall(_plain(c)) if _is_word(word))
    telling = Counter({word: n for word, n in said.items() if word not in STOP_WORDS})
    return Vocabulary(
        different=len(counts),
        chinese=sum(re.fullmatch(f"[{_HAN}]", word) is not None for word in counts),
        once=len(once),
        rare=tuple(once[:: max(1, len(once) // 24)][:24]),
        frequent=tuple(_most(telling, 40)),
    )


def spread(numbers: Iterable[int]) -> Spread:
    """Of no numbers, all four are 0. The 95 % is the smallest that so many do not exceed.

    Example:
        >>> spread(range(1, 101))
        Spread(least=1, median=50, most_of_95=95, most=100)
    """
    numbers = np.sort(np.fromiter(numbers, int))
    if not numbers.size:
        return Spread(0, 0, 0, 0)
    median, high = np.quantile(numbers, [0.5, 0.95], method="inverted_cdf")
    return Spread(int(numbers[0]), int(median), int(high), int(numbers[-1]))


def same_caption(caption: str) -> str:
    """What two captions have in common that differ in case, width or spaces only."""
    return " ".join(_plain(caption).split())


def _plain(caption: str) -> str:
    return unicodedata.normalize("NFKC", caption).lower()


def _is_word(token: str) -> bool:
    return token[0].isalnum() or re.match(f"[{_HAN}]", token) is not None


def _most(counts: Counter, num: int) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:num]
