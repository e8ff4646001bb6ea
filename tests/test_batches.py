"""Captions on their way into batches: their ids, and those that a vocabulary is learned from."""

import numpy as np
import tensorflow as tf

from kgen.data.batches import captions_to_learn_from, tokenize_captions
from kgen.text.tokenizer import CaptionTokenizer
from kgen.text.vocabulary import learn_vocabulary


def test_token_ids_in_parts_equal_all_at_once(monkeypatch):
    captions = [("red cat", "红猫"), ("a",), ("two dogs", "两只狗", "dogs")] * 4
    vocabulary = learn_vocabulary([c for several in captions for c in several], 60)
    tokenizer = CaptionTokenizer(vocabulary, 5)
    whole = tokenize_captions(tokenizer, captions)
    monkeypatch.setattr("kgen.data.batches.AT_ONCE", 5)
    parts = tokenize_captions(tokenizer, captions)
    assert parts.ids.dtype == np.int16 and len(parts) == 12
    for i, several in enumerate(captions):
        np.testing.assert_array_equal(parts[i], whole[i])
        np.testing.assert_array_equal(parts[i], tokenizer(list(several)).numpy())
        assert parts[i].dtype == np.int32


def test_ids_over_two_bytes_are_kept_whole():
    class Large:
        def __call__(self, captions):
            return tf.constant([[int(c)] for c in captions], tf.int32)

    ids = tokenize_captions(Large(), [("32767",), ("32768", "99999")])
    assert [i.tolist() for i in ids] == [[[32767]], [[32768], [99999]]]


def test_a_vocabulary_is_learned_from_some_of_very_many_captions(monkeypatch):
    captions = [(f"{i} a", f"{i} b") for i in range(10)]
    assert list(captions_to_learn_from(captions, 20)) == [c for both in captions for c in both]
    # 9 captions are those of 4 pictures, 2.5 apart: 0, 2, 5, 7.
    assert list(captions_to_learn_from(captions, 9))[::2] == ["0 a", "2 a", "5 a", "7 a"]
    texts = ["a red cat", "red dogs", "红猫", "dogs"] * 3
    whole = learn_vocabulary(texts, 40)
    monkeypatch.setattr("kgen.text.vocabulary.AT_ONCE", 5)
    assert learn_vocabulary(iter(texts), 40) == whole
