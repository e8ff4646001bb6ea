"""The tokenizer without TensorFlow gives the graph's ids, token for token."""

import json
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kgen import files
from kgen.export.reading import reading_of
from kgen.model_files import VOCABULARY
from kgen.runtime.tokenizer import READING, RuntimeTokenizer
from kgen.text.tokenizer import CaptionTokenizer
from kgen.text.vocabulary import learn_vocabulary, write_vocabulary

CAPTIONS = [
    "美丽的日落景象",
    "红色的小船在大海上，两座房子",
    "正午的大海",
    "日落的大海",
    "日落时的大海",
    "a red cat's café in the sunset, 2 boats",
    "two boats ahoy",
] * 3
# What normalising, cutting and spelling are about, beside any character at all.
TRICKY = [*"abcist '’.,!?", *"ＡＢｃé½ßçñİﬁⅣ㎏①…", *"日落大海的山红𠀀", *"ｱがカ가ﷺ🌅", "👩‍👩‍👧"]
TRICKY += [*"\t\n\u3000\u200b\u0301\u0307\x00\u0345", "e\u0301"]
TRICKY += ["sunset", "boats ", "the ", "大海", "日落", "##a"]
MIXED = st.lists(st.sampled_from(TRICKY) | st.characters(), max_size=60).map("".join)


def both(segmentation, stop_words):
    vocabulary = learn_vocabulary(CAPTIONS, 120, segmentation)
    in_graph = CaptionTokenizer(vocabulary, 64, segmentation, stop_words)
    reading = json.loads(json.dumps(reading_of(in_graph)))
    return in_graph, RuntimeTokenizer(vocabulary, reading)


@pytest.fixture(
    scope="module",
    params=[(cut, stop) for cut in ("characters", "words") for stop in (False, True)],
    ids=lambda both: f"{both[0]}{'_stop' * both[1]}",
)
def tokenizers(request):
    return both(*request.param)


def assert_equal(tokenizers, captions):
    in_graph, runtime = tokenizers
    np.testing.assert_array_equal(runtime(captions), in_graph(captions).numpy())


@settings(deadline=None, max_examples=300)
@given(st.lists(MIXED | st.text(), min_size=1, max_size=20))
def test_any_captions_give_the_ids_of_the_graph(tokenizers, captions):
    assert_equal(tokenizers, captions)


def test_every_character_of_unicode_does(tokenizers):
    signs = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    some = [signs[n : n + 10] for n in range(0, len(signs), 10)]
    assert_equal(tokenizers, ["".join(f"a{sign}b " for sign in ten) for ten in some])


LONG = ("two boats " * 1000, "雪" * 10_000, "日落" * 5000, "a" * 10_000)
AT_THE_LIMIT = ("a" * 100, "a" * 101, "é" * 50, "é" * 51)


@pytest.mark.parametrize("caption", [*LONG, *AT_THE_LIMIT, "", " ", "\ud800 sea"])
def test_pages_long_words_and_nothing_do(tokenizers, caption):
    assert_equal(tokenizers, [caption])


def test_both_say_the_same_of_what_cannot_be_followed(tokenizers):
    in_graph, runtime = tokenizers
    for caption in ("a zebra at sunset", "海中的ZEBRA", "two boats " * 40, "", "on the sea, a cat"):
        assert runtime.unknown_words(caption) == in_graph.unknown_words(caption)
        assert runtime.unseen_words(caption) == in_graph.unseen_words(caption)
        assert runtime.unread(caption) == in_graph.unread(caption)
    assert runtime.unread("two boats " * 40)  # not both silent


def test_ids_worked_by_hand():
    vocabulary = ("[PAD]", "[UNK]", "a", "red", "cat", "##s", "红", "猫")
    runtime = RuntimeTokenizer(vocabulary, reading_of(CaptionTokenizer(vocabulary, 6)))
    token_ids = runtime(["ＲＥＤ Cats，红猫", "a dog"])
    assert token_ids.tolist() == [[3, 4, 5, 1, 6, 7], [2, 1, 0, 0, 0, 0]]


def test_it_is_read_from_a_folder_without_tensorflow(tmp_path):
    vocabulary = ("[PAD]", "[UNK]", "red", "猫")
    write_vocabulary(tmp_path / VOCABULARY, vocabulary)
    files.write_json(tmp_path / READING, reading_of(CaptionTokenizer(vocabulary, 4)))
    program = (
        "import sys\n"
        "from kgen.runtime.tokenizer import RuntimeTokenizer\n"
        "print(RuntimeTokenizer.read(sys.argv[1])(['Réd猫!']).tolist())\n"
        "assert not {'tensorflow', 'keras', 'tensorflow_text'} & set(sys.modules)\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.stdout.strip() == "[[2, 3, 1, 0]]", ran.stderr


@pytest.mark.parametrize("lacking", ["caption_length", "most_bytes", "replaced", "apart"])
def test_a_reading_that_lacks_something_is_refused(lacking):
    vocabulary = ("[PAD]", "[UNK]", "red")
    reading = reading_of(CaptionTokenizer(vocabulary, 4))
    del reading[lacking]
    with pytest.raises(ValueError, match=rf"`reading` must be whole, .*{lacking}.*Export"):
        RuntimeTokenizer(vocabulary, reading)
