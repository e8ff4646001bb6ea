"""How captions are read, as a table: what other runtimes need to give the graph's token ids.

TF-Text's normaliser looks at one character at a time, so asking it for each of Unicode's once says
all that it does, whatever version of Unicode a phone, a browser or a Python has. Of the 24,000
characters that it replaces only those stand in the table that tell: a word with one that no token
can spell is unknown, however that one is written.
"""

from collections.abc import Iterable

import tensorflow as tf

from kgen.text import vocabulary as vocabularies
from kgen.text.tokenizer import CaptionTokenizer

SURROGATES = range(0xD800, 0xE000)
SIGNS = [chr(code) for code in range(0x110000) if code not in SURROGATES]
BLANK, APART, JOINED = "blank", "apart", "joined"


def reading_of(tokenizer: CaptionTokenizer) -> dict:
    """All that it takes, beside the vocabulary, to read captions as `tokenizer` does.

    Every character is replaced, by nothing perhaps. Words are what then stands between blanks;
    a character that stands apart is a word of its own, and so is a stretch of joined ones. A word
    is cut into the longest tokens from its start on; one that cannot be, or is too long, is [UNK].

    Args:
        tokenizer: Of a model's own vocabulary.

    Returns:
        What JSON can hold.
        `caption_length`: L.
        `most_bytes`: in a word, as UTF-8; a longer one is [UNK].
        `replaced`: characters and the text in their place, which is not replaced again.
        `removed`, `blank`, `apart`, `joined`: code points as pairs of first and last.
        `stop_words`: ids that are left out, unless a token that starts with ## follows.
    """
    kinds = _kinds(tokenizer)
    tokens = tokenizer.vocabulary[2:]
    alphabet = set("".join(token.removeprefix(vocabularies.SUFFIX) for token in tokens))

    def as_read(text):
        """Equal for texts that are read alike, in whatever word they stand."""
        signs = [sign if sign in alphabet else kinds.get(sign) for sign in text]
        in_a_word = not any(sign in kinds for sign in text)
        return [None] if in_a_word and None in signs else signs  # None: no token spells it

    texts = [text.decode() for text in tokenizer.normalize(SIGNS).numpy()]
    others = ((sign, text) for sign, text in zip(SIGNS, texts) if text and text != sign)
    replaced = {sign: text for sign, text in others if as_read(sign) != as_read(text)}
    return {
        "caption_length": tokenizer.caption_length,
        "most_bytes": tokenizer.most_bytes,
        "replaced": replaced,
        "removed": _ranges(s for s, text in zip(SIGNS, texts) if not text),
        **{k: _ranges(s for s in kinds if kinds[s] == k) for k in (BLANK, APART, JOINED)},
        "stop_words": list(tokenizer.stop_words),
    }


def _kinds(tokenizer) -> dict[str, str]:
    """Of every character that ends a word what it does: blank, apart or joined."""
    words = tokenizer.words(tf.constant([f"a{sign}{sign}a" for sign in SIGNS]))
    kind_of = {2: BLANK, 3: JOINED, 4: APART}
    return {s: kind_of[num] for s, num in zip(SIGNS, words.row_lengths().numpy()) if num > 1}


def _ranges(signs: Iterable[str]) -> list[list[int]]:
    """Characters in their order as pairs of the first and last of those side by side."""
    ranges: list[list[int]] = []
    for code in map(ord, signs):
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return ranges
