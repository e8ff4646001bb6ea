"""Captions to the token ids of a pretrained text model, in the graph."""

import functools
from collections.abc import Sequence

import tensorflow as tf

from kgen import checks
from kgen.text.pretrained import PretrainedText
from kgen.text.tokenizer import split_words, string_tensor, valid_utf8

# What tokenizers call the token that stands for what they do not know; some know all bytes.
UNKNOWN_NAMES = ("[UNK]", "<unk>")


class PretrainedTokenizer(tf.Module):
    """Cuts captions as a pretrained text model was taught, eagerly or in a graph.

    Before a caption stands the tokenizer's token for a start, after it the one for an end, where
    it has such. Of a caption that is too long the end is left out, but not that token.

    Args:
        pretrained: Whose tokenizer to use.
        caption_length: L, tokens a caption is cut or padded to.

    Raises:
        ValueError: The text model reads fewer tokens than `caption_length`.
    """

    def __init__(self, pretrained: PretrainedText, caption_length: int):
        super().__init__(name="pretrained_tokenizer")
        pretrained.check_length(caption_length)
        checks.check_int("caption_length", caption_length, 3)
        self.caption_length = int(caption_length)
        self._tokenizer = pretrained.tokenizer
        self._first, self._last = pretrained.around
        self._unknown_id = _unknown_id(self._tokenizer, pretrained.vocabulary)
        self._tokenize = _traced(self._tokenizer)

    def __call__(self, captions) -> tf.Tensor:
        """Gives the ids of captions.

        Args:
            captions: string (B,), or a list or array of strings. UTF-8.

        Returns:
            int32 (B, L), in [0, V). 0 is padding and stands only at the end.

        Raises:
            TypeError: `captions` holds something else than strings, or is one string.
        """
        cut = self._cut(captions)
        num = cut.nrows()
        first, last = (
            tf.RaggedTensor.from_tensor(tf.tile(tf.constant([ids], tf.int32), [num, 1]))
            for ids in (self._first, self._last)
        )
        token_ids = tf.concat([first, cut[:, : self._room], last], axis=1)
        token_ids = token_ids.with_values(token_ids.values + 1)
        return token_ids.to_tensor(default_value=0, shape=(None, self.caption_length))

    def unknown_words(self, caption: str) -> list[str]:
        """Names the words of a caption that the tokenizer does not know, in lower case."""
        (words,) = split_words([caption])
        if self._unknown_id is None or not words:
            return []
        cut = self._cut(words)
        return [word for word, ids in zip(words, cut.to_list()) if self._unknown_id in ids]

    def unseen_words(self, caption: str) -> list[str]:
        """The same as `unknown_words`: what the text model has seen is not known."""
        return self.unknown_words(caption)

    def unread(self, caption: str) -> str:
        """What of a caption lies beyond `caption_length` tokens and is not read: its next three
        tokens; empty if all is read.
        """
        beyond = self._cut([caption])[0, self._room :].numpy().tolist()[:3]
        return str(self._tokenizer.detokenize(beyond)).strip() if beyond else ""

    @property
    def _room(self):
        return self.caption_length - len(self._first) - len(self._last)

    def _cut(self, captions: Sequence[str] | tf.Tensor) -> tf.RaggedTensor:
        """The tokenizer's own ids, int32, ragged (B, None)."""
        return tf.cast(self._tokenize(valid_utf8(string_tensor(captions))), tf.int32)


@functools.lru_cache(maxsize=4)  # a byte-pair tokenizer takes seconds to trace
def _traced(tokenizer):
    """A tokenizer in a graph: there it is TensorFlow's, and outside it would be Python's."""
    spec = tf.TensorSpec((None,), tf.string)
    return tf.function(lambda captions: tokenizer(captions), input_signature=[spec])


def _unknown_id(tokenizer, vocabulary):
    names = (getattr(tokenizer, "oov_token", None), getattr(tokenizer, "unk_token", None))
    known = [name for name in (*names, *UNKNOWN_NAMES) if name in vocabulary]
    return int(tokenizer.token_to_id(known[0])) if known else None
