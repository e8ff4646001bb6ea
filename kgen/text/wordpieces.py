"""Normalised texts to the ids of the longest tokens that fit, in the graph."""

from collections.abc import Sequence

import tensorflow as tf
import tensorflow_text as tf_text

from kgen import checks
from kgen.config import SEGMENTATIONS
from kgen.text import vocabulary as vocabularies
from kgen.text.chinese_words import is_chinese

# ASCII's signs and Unicode's punctuation: what BERT's tokenizer cuts around.
PUNCTUATION = r"[!-/:-@\[-`{-~\p{P}]"
APART = r" \1 "


class Wordpieces:
    """Cuts at blanks, punctuation and around every Chinese character, then into the vocabulary's
    longest tokens.

    Args:
        vocabulary: Tokens in the order of their ids.

    Call args:
        normalized: string (B,).

    Returns:
        Ids int32, ragged (B, None).
    """

    most_bytes = 100  # in a word; longer ones are [UNK]

    def __init__(self, vocabulary: Sequence[str]):
        self._tokenizer = _tokenizer(vocabulary, max_bytes_per_word=self.most_bytes)

    def __call__(self, normalized):
        return self._tokenizer.tokenize(normalized)

    def with_texts(self, normalized):
        """The ids, and the text under each: string, ragged (B, None)."""
        token_ids, starts, ends = self._tokenizer.tokenize_with_offsets(normalized)
        return token_ids, _texts(normalized, starts, ends)

    @staticmethod
    def words(normalized):
        """What is cut into tokens, each by itself: string, ragged (B, None)."""
        # A token must be known; this one stands in no caption, since normalising removes control
        # characters, and so every word comes back as one [UNK].
        nothing_known = (vocabularies.PADDING, vocabularies.UNKNOWN, "\x01")
        return Wordpieces(nothing_known).with_texts(normalized)[1]


class WordpiecesOfChineseWords:
    """As `Wordpieces`, but a stretch of Chinese is cut into the vocabulary's longest words.

    The wordpiece algorithm takes the longest token first, and marks those that follow in the same
    word by ##. So every Chinese token is known to it a second time with that mark; both forms
    have one id.
    """

    most_bytes = 2**20  # in a stretch of Chinese, which is no word yet

    def __init__(self, vocabulary: Sequence[str]):
        chinese = [token for token in vocabulary if is_chinese(token)]
        place = {token: n for n, token in enumerate(vocabulary)}
        marked = [vocabularies.SUFFIX + token for token in chinese]
        self._tokenizer = _tokenizer(
            [*vocabulary, *marked], no_pretokenization=True, max_bytes_per_word=self.most_bytes
        )
        self._ids = [*range(len(vocabulary)), *(place[token] for token in chinese)]
        known = "".join(sorted({character for token in chinese for character in token}))
        self._cuts = [(r"[\p{Z}\p{C}]", " "), (f"({PUNCTUATION})", APART), (r"(\p{Han}+)", APART)]
        if known:
            # Apart from characters never seen, which would make the whole stretch unknown.
            self._cuts.append((f"([{known}]+)", APART))

    def __call__(self, normalized):
        words = self.words(normalized)
        token_ids = self._tokenizer.tokenize(words.values)
        return self._merged(words, token_ids.with_values(tf.gather(self._ids, token_ids.values)))

    def with_texts(self, normalized):
        """The ids, and the text under each: string, ragged (B, None)."""
        words = self.words(normalized)
        _, starts, ends = self._tokenizer.tokenize_with_offsets(words.values)
        return self(normalized), self._merged(words, _texts(words.values, starts, ends))

    def words(self, normalized):
        """What is cut into tokens, each by itself: string, ragged (B, None)."""
        for pattern, replacement in self._cuts:
            normalized = tf.strings.regex_replace(normalized, pattern, replacement)
        return tf.strings.split(normalized)

    def _merged(self, words, tokens):
        return words.with_values(tokens).merge_dims(1, 2)


def wordpieces_of(vocabulary: Sequence[str], segmentation: str):
    """What cuts texts under a segmentation: `characters` or `words`."""
    checks.check_choice("text.segmentation", segmentation, SEGMENTATIONS)
    return (Wordpieces if segmentation == "characters" else WordpiecesOfChineseWords)(vocabulary)


def _tokenizer(vocabulary, **options) -> tf_text.FastWordpieceTokenizer:
    return tf_text.FastWordpieceTokenizer(
        list(vocabulary),
        token_out_type=tf.int32,
        unknown_token=vocabularies.UNKNOWN,
        **options,
    )


def _texts(texts, starts, ends):
    """The stretches of texts (B,) from starts to ends, both ragged (B, None)."""
    of_token = tf.gather(texts, starts.value_rowids())
    first = tf.cast(starts.values, tf.int32)
    length = tf.cast(ends.values, tf.int32) - first
    return starts.with_values(tf.strings.substr(of_token, first, length))
