"""Captions to token ids, in the graph."""

import functools
import itertools
from collections.abc import Iterable, Sequence

import tensorflow as tf
import tensorflow_text as tf_text

from kgen import checks
from kgen.config import TextConfig
from kgen.text import vocabulary as vocabularies
from kgen.text.caption_reader import CaptionReader
from kgen.text.stop_words import STOP_WORDS
from kgen.text.wordpieces import Wordpieces, wordpieces_of


class CaptionTokenizer(CaptionReader, tf.Module):
    """Cuts captions into wordpieces, eagerly, in a `tf.function` or in a SavedModel.

    A caption is made valid UTF-8 (bad bytes become a blank), normalised to NFKC (full-width
    letters become plain ones), put into lower case, freed of accents (also of Japanese voicing
    marks: が becomes か) and control characters, cut into words at blanks and punctuation and
    around every Chinese character, and each word is cut into the longest tokens of the vocabulary
    that fit. A word that cannot be cut so, or is longer than 100 bytes, becomes `[UNK]`.

    With the segmentation `words` Chinese is not cut around every character: a stretch of it is
    cut, from its start, into the longest words or characters of the vocabulary; characters in a
    row that the vocabulary lacks become one `[UNK]`.

    Every operator in its graph is TensorFlow's own or in TF-Text since 2.9.

    Args:
        vocabulary: Tokens in the order of their ids; `[PAD]` first, `[UNK]` second.
        caption_length: L, tokens a caption is cut or padded to.
        segmentation: `characters` or `words`; what the vocabulary was learned with.
        stop_words: Whether words that change no picture are left out.

    Raises:
        ValueError: The vocabulary is no vocabulary, the length is below 1, or there is no such
            segmentation.

    Example:
        >>> tokenizer = CaptionTokenizer(("[PAD]", "[UNK]", "red", "cat", "##s", "红"), 4)
        >>> tokenizer(["Red cats!", "红 CAT"]).numpy().tolist()
        [[2, 3, 4, 1], [5, 3, 0, 0]]
        >>> tokenizer.unknown_words("Red cats!")
        ['!']
    """

    def __init__(
        self,
        vocabulary: Sequence[str],
        caption_length: int,
        segmentation: str = "characters",
        stop_words: bool = False,
    ):
        super().__init__(name="caption_tokenizer")
        vocabularies.check_vocabulary(vocabulary)
        checks.check_int("caption_length", caption_length, 1)
        self.caption_length = int(caption_length)
        self._normalizer = _normalizer()
        self._wordpieces = wordpieces_of(vocabulary, segmentation)
        self.vocabulary = tuple(vocabulary)
        self._stop_words = _StopWords(vocabulary) if stop_words else None

    @classmethod
    def from_config(cls, vocabulary: Sequence[str], config: TextConfig) -> "CaptionTokenizer":
        """The tokenizer of a model with this vocabulary and configuration."""
        return cls(vocabulary, config.caption_length, config.segmentation, config.stop_words)

    def __call__(self, captions) -> tf.Tensor:
        """Gives the ids of captions.

        Args:
            captions: string (B,), or a list or array of strings. UTF-8.

        Returns:
            int32 (B, L), in [0, V). 0 is padding and stands only at the end.

        Raises:
            TypeError: `captions` holds something else than strings, or is one string.
        """
        token_ids = self._wordpieces(self.normalize(captions))
        if self._stop_words:
            token_ids = tf.ragged.boolean_mask(token_ids, self._stop_words.others(token_ids))
        return token_ids.to_tensor(default_value=0, shape=(None, self.caption_length))

    def tokens(self, caption: str) -> list[tuple[int, str]]:
        """(id, text under it) of all the tokens that a caption is read as, were L endless."""
        normalized = self.normalize([caption])
        token_ids, texts = self._wordpieces.with_texts(normalized)
        if self._stop_words:
            others = self._stop_words.others(token_ids)
            token_ids, texts = (tf.ragged.boolean_mask(r, others) for r in (token_ids, texts))
        return list(zip(token_ids.values.numpy(), _decoded(texts.values)))

    def normalize(self, captions) -> tf.Tensor:
        """Captions as they are before they are cut: string (B,)."""
        return _normalize(self._normalizer, string_tensor(captions))

    def words(self, normalized) -> tf.RaggedTensor:
        """What of normalised captions is cut into tokens by itself: string, ragged (B, None)."""
        return self._wordpieces.words(normalized)

    @property
    def most_bytes(self) -> int:
        """Bytes of the longest word that is cut into tokens; longer ones become `[UNK]`."""
        return self._wordpieces.most_bytes

    @property
    def stop_words(self) -> tuple[int, ...]:
        """Ids that are left out; none unless they are to be."""
        return self._stop_words.ids if self._stop_words else ()


class _StopWords:
    """Finds the stop words among tokens.

    Args:
        vocabulary: Tokens in the order of their ids.
    """

    def __init__(self, vocabulary: Sequence[str]):
        self.ids = tuple(n for n, token in enumerate(vocabulary) if token in STOP_WORDS)
        self._is_stop_word = [token in STOP_WORDS for token in vocabulary]
        self._continues = [token.startswith(vocabularies.SUFFIX) for token in vocabulary]

    def others(self, token_ids: tf.RaggedTensor) -> tf.RaggedTensor:
        """True where no stop word stands: bool, ragged (B, None), of ids int32 (B, None)."""
        ids = token_ids.values
        # "a" before "##pple" begins a word and is none itself. The first token of the next
        # caption continues nothing.
        goes_on = tf.gather(self._continues, tf.concat([ids[1:], ids[:1]], axis=0))
        return token_ids.with_values(~tf.gather(self._is_stop_word, ids) | goes_on)


def split_words(captions: Iterable[str], chinese: Iterable[str] = ()) -> list[list[str]]:
    """Cuts captions into words exactly as `CaptionTokenizer` does.

    Words longer than it accepts are left out: they are `[UNK]` under any vocabulary.

    Args:
        captions: As the user wrote them.
        chinese: Chinese words, and characters, that Chinese is cut into; without any it is cut
            into characters.

    Example:
        >>> split_words(["Two Cafés!", "红猫"])
        [['two', 'cafes', '!'], ['红', '猫']]
    """
    normalized = _normalize(_normalizer(), string_tensor(captions))
    if chinese:
        known = (vocabularies.PADDING, vocabularies.UNKNOWN, *chinese)
        _, texts = wordpieces_of(known, "words").with_texts(normalized)
    else:
        texts = Wordpieces.words(normalized)
    words = iter(_decoded(texts.values))
    of_each = [list(itertools.islice(words, n)) for n in texts.row_lengths().numpy()]
    most = Wordpieces.most_bytes
    return [[word for word in several if len(word.encode()) <= most] for several in of_each]


@functools.cache
def _normalizer() -> tf_text.FastBertNormalizer:
    """One for all, so that a SavedModel with two tokenizers holds its table once, of 400 KB."""
    with tf.init_scope():
        return tf_text.FastBertNormalizer(lower_case_nfd_strip_accents=True)


def _normalize(normalizer: tf_text.FastBertNormalizer, captions: tf.Tensor) -> tf.Tensor:
    # No NFKC before it: FastBertNormalizer folds full-width letters, ligatures and ß by itself,
    # and gives the same with and without for every one of Unicode's code points.
    return normalizer.normalize(valid_utf8(captions))


def _decoded(texts: tf.Tensor) -> list[str]:
    return [text.decode() for text in texts.numpy()]


def valid_utf8(captions: tf.Tensor) -> tf.Tensor:
    """string (B,), in which bytes that are no UTF-8 became blanks."""
    return tf.strings.unicode_transcode(captions, "UTF-8", "UTF-8", "replace", ord(" "))


def string_tensor(captions) -> tf.Tensor:
    """string (B,). A lone surrogate, which Python's strings allow and UTF-8 does not, is a `?`.

    Raises:
        TypeError: `captions` holds something else than strings, or is one string.
    """
    if tf.is_tensor(captions):
        return captions
    if isinstance(captions, (str, bytes)):
        raise TypeError(checks.wrong("captions", "a list of strings", captions, "Wrap it in [ ]."))
    encoded = [c.encode("utf-8", "replace") if isinstance(c, str) else c for c in captions]
    for caption in encoded:
        if not isinstance(caption, bytes):
            raise TypeError(checks.wrong("captions", "strings", caption, "Convert it to a string."))
    return tf.constant(encoded, tf.string, shape=(len(encoded),))
