"""Captions to token ids, in the graph."""

from collections.abc import Iterable, Sequence

import tensorflow as tf
import tensorflow_text as tf_text

from kgen import checks
from kgen.text import vocabulary as vocabularies


class CaptionTokenizer(tf.Module):
    """Cuts captions into wordpieces, eagerly, in a `tf.function` or in a SavedModel.

    A caption is made valid UTF-8 (bad bytes become a blank), normalised to NFKC (full-width
    letters become plain ones), put into lower case, freed of accents (also of Japanese voicing
    marks: が becomes か) and control characters, cut into words at blanks and punctuation and
    around every Chinese character, and each word is cut into the longest tokens of the vocabulary
    that fit. A word that cannot be cut so, or is longer than 100 bytes, becomes `[UNK]`.

    Every operator in its graph is TensorFlow's own or in TF-Text since 2.9.

    Args:
        vocabulary: Tokens in the order of their ids; `[PAD]` first, `[UNK]` second.
        caption_length: L, tokens a caption is cut or padded to.

    Raises:
        ValueError: The vocabulary is no vocabulary, or the length is below 1.

    Example:
        >>> tokenizer = CaptionTokenizer(("[PAD]", "[UNK]", "red", "cat", "##s", "红"), 4)
        >>> tokenizer(["Red cats!", "红 CAT"]).numpy().tolist()
        [[2, 3, 4, 1], [5, 3, 0, 0]]
        >>> tokenizer.unknown_words("Red cats!")
        ['!']
    """

    def __init__(self, vocabulary: Sequence[str], caption_length: int):
        super().__init__(name="caption_tokenizer")
        vocabularies.check_vocabulary(vocabulary)
        checks.check_int("caption_length", caption_length, 1)
        self.caption_length = int(caption_length)
        self._normalizer = _normalizer()
        self._wordpieces = _wordpieces(vocabulary)

    def __call__(self, captions) -> tf.Tensor:
        """Gives the ids of captions.

        Args:
            captions: string (B,), or a list or array of strings. UTF-8.

        Returns:
            int32 (B, L), in [0, V). 0 is padding and stands only at the end.

        Raises:
            TypeError: `captions` holds something else than strings, or is one string.
        """
        normalized = _normalize(self._normalizer, _string_tensor(captions))
        token_ids = self._wordpieces.tokenize(normalized)
        return token_ids.to_tensor(default_value=0, shape=(None, self.caption_length))

    def unknown_words(self, caption: str) -> list[str]:
        """Names the words of a caption that become `[UNK]`, in lower case and in their order."""
        return [word for token_id, word in self._tokens(caption) if token_id == 1]

    def unread(self, caption: str) -> str:
        """What of a caption lies beyond `caption_length` tokens and is not read: its next three
        tokens, in lower case; empty if all is read.
        """
        beyond = self._tokens(caption)[self.caption_length :]
        return " ".join(word for _, word in beyond[:3])

    def _tokens(self, caption):
        normalized = _normalize(self._normalizer, _string_tensor([caption]))
        return list(zip(*_spans(self._wordpieces, normalized)[0]))


def split_words(captions: Iterable[str]) -> list[list[str]]:
    """Cuts captions into words exactly as `CaptionTokenizer` does.

    Words longer than it accepts are left out: they are `[UNK]` under any vocabulary.

    Example:
        >>> split_words(["Two Cafés!", "红猫"])
        [['two', 'cafes', '!'], ['红', '猫']]
    """
    # The tokenizer refuses a vocabulary without tokens; this one can stand in no caption, since
    # normalising removes control characters, and so every word comes back as one [UNK].
    nothing_known = _wordpieces((vocabularies.PADDING, vocabularies.UNKNOWN, "\x01"))
    normalized = _normalize(_normalizer(), _string_tensor(captions))
    spans = _spans(nothing_known, normalized)
    return [[word for word in words if len(word.encode()) <= 100] for _, words in spans]


def _normalizer() -> tf_text.FastBertNormalizer:
    return tf_text.FastBertNormalizer(lower_case_nfd_strip_accents=True)


def _wordpieces(vocabulary: Sequence[str]) -> tf_text.FastWordpieceTokenizer:
    return tf_text.FastWordpieceTokenizer(
        list(vocabulary), token_out_type=tf.int32, unknown_token=vocabularies.UNKNOWN
    )


def _normalize(normalizer: tf_text.FastBertNormalizer, captions: tf.Tensor) -> tf.Tensor:
    valid = tf.strings.unicode_transcode(captions, "UTF-8", "UTF-8", "replace", ord(" "))
    # No NFKC before it: FastBertNormalizer folds full-width letters, ligatures and ß by itself,
    # and gives the same with and without for every one of Unicode's code points.
    return normalizer.normalize(valid)


def _spans(wordpieces, normalized: tf.Tensor) -> list[tuple[list[int], list[str]]]:
    """For each text, the ids of its tokens and the stretch of text under each."""
    spans = [ragged.to_list() for ragged in wordpieces.tokenize_with_offsets(normalized)]
    return [
        (ids, [text[start:end].decode() for start, end in zip(starts, ends)])
        for text, ids, starts, ends in zip(normalized.numpy(), *spans)
    ]


def _string_tensor(captions) -> tf.Tensor:
    """string (B,). A lone surrogate, which Python's strings allow and UTF-8 does not, is a `?`."""
    if tf.is_tensor(captions):
        return captions
    if isinstance(captions, (str, bytes)):
        raise TypeError(checks.wrong("captions", "a list of strings", captions, "Wrap it in [ ]."))
    encoded = [c.encode("utf-8", "replace") if isinstance(c, str) else c for c in captions]
    for caption in encoded:
        if not isinstance(caption, bytes):
            raise TypeError(checks.wrong("captions", "strings", caption, "Convert it to a string."))
    return tf.constant(encoded, tf.string, shape=(len(encoded),))
