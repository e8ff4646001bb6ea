"""Chinese words: learned from captions, cut in the graph; stop words left out there."""

import json
import math
import subprocess
import sys
import zipfile
from collections import Counter

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from kgen.export.served_operators import foreign_operators
from kgen.text.chinese_words import _cohesion, is_chinese, learn_chinese_words
from kgen.text.stop_words import CHINESE, ENGLISH, STOP_WORDS
from kgen.text.tokenizer import CaptionTokenizer, split_words
from kgen.text.vocabulary import learn_vocabulary
from kgen.text.words_that_matter import WORDS_THAT_MATTER

# ids:           0        1        2     3     4       5     6     7      8    9    10    11
VOCABULARY = ("[PAD]", "[UNK]", "日", "落", "日落", "美", "的", "red", "##s", ",", "a", "##pple")


@pytest.fixture(scope="module")
def words():
    return CaptionTokenizer(VOCABULARY, 6, "words")


# Learning


def test_cohesion_by_hand():
    # Of 16 characters 日 is 4, 落 2, and they stand together twice: chance has 4 · 2 / 16 = ½ of a
    # time, so the pair is 4 times as frequent; and -log p = log(16 / 2) = log 8. log 4 / log 8 = ⅔.
    counts = Counter({"日": 4, "落": 2, "日落": 2})
    assert math.isclose(_cohesion("日落", counts, 16), 2 / 3)
    # Parts that stand nowhere else: p(w) = p(u) = p(v), and log(1 / p) / log(1 / p) = 1.
    assert math.isclose(_cohesion("柠檬", Counter({"柠": 3, "檬": 3, "柠檬": 3}), 30), 1.0)
    # The weaker of two cuts counts: 山 | 核桃 is 3·24/(3·3) = 8, 山核 | 桃 is 3·24/(3·9) = 8/3.
    counts = Counter({"山": 3, "核": 3, "桃": 9, "山核": 3, "核桃": 3, "山核桃": 3})
    assert math.isclose(_cohesion("山核桃", counts, 24), math.log(8 / 3) / math.log(8))


def test_what_stands_together_among_changing_neighbours_is_a_word():
    captions = ["红苹果", "大苹果", "苹果树", "小苹果", "一个苹果在桌上"]
    captions += ["红日", "大山", "小树", "红山"]
    assert learn_chinese_words(captions) == ("苹果",)
    # Always after 红 and before 树, so no word of its own; and seen twice only.
    assert learn_chinese_words(["红苹果树"] * 9) == ("红苹果树",)
    assert learn_chinese_words(["苹果", "苹果"]) == ()


def test_particles_begin_and_end_no_word():
    captions = ["美丽的山", "美丽山河", "美丽的海", "美丽大海", "美丽的河", "高山", "小河", "美丽"]
    assert learn_chinese_words(captions) == ("美丽",)


def test_no_chinese_no_words():
    assert learn_chinese_words(["a red cat", "", "かな"]) == ()
    assert learn_chinese_words([]) == ()


def test_words_of_the_fruit_are_found(shared_data):
    with zipfile.ZipFile(shared_data / "pomology128.zip") as file:
        (name,) = [n for n in file.namelist() if n.endswith("train/metadata.jsonl")]
        captions = [json.loads(row)["text_zh"] for row in file.read(name).decode().splitlines()]
    learned = learn_chinese_words(captions)
    assert {"苹果", "柠檬", "草莓", "樱桃", "葡萄柚", "水彩画"} <= set(learned)
    assert len(learned) < 60


def test_a_vocabulary_of_words_spells_every_character():
    captions = ["红苹果", "大苹果", "苹果树", "小苹果 apple", "红日", "大山", "小树"]
    vocabulary = learn_vocabulary(captions, 60, "words")
    assert "苹果" in vocabulary
    assert {"苹", "果", "红", "日", "a", "##p"} <= set(vocabulary)
    assert not [token for token in vocabulary if token.startswith("##") and is_chinese(token[2:])]
    tokenizer = CaptionTokenizer(vocabulary, 8, "words")
    assert not [c for c in [*captions, "果树日"] if tokenizer.unknown_words(c)]
    assert "苹果" not in learn_vocabulary(captions, 60)


def test_words_are_cut_alike_when_learning():
    assert split_words(["红苹果,apples"], ["苹果", "红"]) == [["红", "苹果", ",", "apples"]]


# Cutting


@pytest.mark.parametrize(
    ("caption", "expected"),
    [
        ("美的日落", [5, 6, 4, 0, 0, 0]),
        ("日日落落", [2, 4, 3, 0, 0, 0]),
        ("日 落", [2, 3, 0, 0, 0, 0]),
        ("日，落", [2, 9, 3, 0, 0, 0]),
        ("red日落reds", [7, 4, 7, 8, 0, 0]),
        ("麒麟日落", [1, 4, 0, 0, 0, 0]),  # what was never seen makes nothing else unknown
        ("日麒麟落", [2, 1, 3, 0, 0, 0]),
        ("cat麒麟", [1, 1, 0, 0, 0, 0]),
        ("ＲＥＤ　日落\u2028日", [7, 4, 2, 0, 0, 0]),
        ("日落" * 9, [4, 4, 4, 4, 4, 4]),
        ("[UNK][PAD]", [1, 1, 1, 1, 1, 1]),
        ("", [0] * 6),
        (b"\xe6\x97\xa5\xff", [2, 0, 0, 0, 0, 0]),
    ],
)
def test_longest_words_worked_by_hand(words, caption, expected):
    assert words([caption]).numpy().tolist() == [expected]


def test_a_stretch_of_any_length_is_read():
    tokenizer = CaptionTokenizer(VOCABULARY, 6000, "words")
    token_ids = tokenizer(["日落" * 5000]).numpy()[0]
    assert set(token_ids[:5000]) == {4}
    assert not token_ids[5000:].any()


def test_unknown_and_unread_words_are_named(words):
    assert words.unknown_words("红色麒麟在日落,cat") == ["红色麒麟在", "cat"]
    assert words.unread("日落" * 8) == "日落 日落"


@settings(deadline=None, max_examples=200)
@given(st.text(st.characters(), max_size=80) | st.text("日落美的麒a, ", max_size=40))
def test_any_string_gives_ids_within_the_vocabulary(words, caption):
    token_ids = words([caption]).numpy()
    assert token_ids.dtype == np.int32 and token_ids.shape == (1, 6)
    assert token_ids.min() >= 0 and token_ids.max() < len(VOCABULARY)
    tokens = np.count_nonzero(token_ids)
    assert not token_ids[0, tokens:].any()
    if tokens < 6:
        assert len(words.unknown_words(caption)) == np.count_nonzero(token_ids == 1)


def test_an_unknown_segmentation_names_the_known():
    with pytest.raises(ValueError, match="`text.segmentation`.*Did you mean `words`"):
        CaptionTokenizer(VOCABULARY, 6, "word")


# Stop words


def test_stop_words_never_change_a_picture():
    assert len(WORDS_THAT_MATTER) > 200
    assert not WORDS_THAT_MATTER & STOP_WORDS
    assert {"the", "of"} <= ENGLISH and {"的", "了"} <= CHINESE
    for word in "red two left under no without big 红 二 左 上 没有 不 无 大".split():
        assert word not in STOP_WORDS


@pytest.mark.parametrize("segmentation", ["characters", "words"])
def test_stop_words_are_left_out_by_hand(segmentation):
    tokenizer = CaptionTokenizer(VOCABULARY, 4, segmentation, stop_words=True)
    sunset = [4] if segmentation == "words" else [2, 3]
    # "a" goes, also at the end; in "apple" it begins a word and stays.
    captions = ["a red apple", "美的日落", "的", "red a", "apple", ""]
    expected = [[7, 10, 11], [5, *sunset], [], [7], [10, 11], []]
    padded = [ids + [0] * (4 - len(ids)) for ids in expected]
    assert tokenizer(captions).numpy().tolist() == padded
    for caption, ids in zip(captions, padded, strict=True):
        assert tokenizer([caption]).numpy().tolist() == [ids]


def test_stop_words_make_room_for_others():
    tokenizer = CaptionTokenizer(VOCABULARY, 2, stop_words=True)
    assert tokenizer(["a a a red reds"]).numpy().tolist() == [[7, 7]]
    assert tokenizer.unread("a a a red reds") == "s"
    assert tokenizer.unknown_words("a 麒 的") == ["麒"]


# In the graph


@pytest.mark.parametrize("segmentation", ["characters", "words"])
def test_the_graph_runs_in_a_server(segmentation, tmp_path):
    module = tf.Module()
    module.tokenizer = CaptionTokenizer(VOCABULARY, 6, segmentation, stop_words=True)
    signature = [tf.TensorSpec([None], tf.string, name="captions")]
    module.serve = tf.function(module.tokenizer, input_signature=signature)
    graph = module.serve.get_concrete_function().graph
    assert foreign_operators({op.type for op in graph.get_operations()}) == []
    captions = ["a red apple", "美的日落 麒麟", "", "日落" * 20]
    expected = module.tokenizer(captions).numpy()
    np.testing.assert_array_equal(module.serve(tf.constant(captions)), expected)
    assert module.serve(tf.constant([], tf.string)).shape == (0, 6)
    tf.saved_model.save(module, str(tmp_path / "tokenizer"))
    program = (
        "import sys, tensorflow as tf, tensorflow_text\n"
        "loaded = tf.saved_model.load(sys.argv[1])\n"
        "print(loaded.serve(tf.constant(sys.argv[2:])).numpy().tolist())\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, "tokenizer", *captions],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(ran.stdout) == expected.tolist()


def test_thousands_of_characters_are_cut_without_a_complaint(capfd):
    """RE2 speaks up on stderr, and is slow, where a pattern outgrows its memory."""
    signs = tuple(chr(0x4E00 + k) for k in range(0, 20_000, 5))
    tokenizer = CaptionTokenizer(("[PAD]", "[UNK]", "a", "日落", *signs), 8, "words")
    capfd.readouterr()
    token_ids = tokenizer([signs[7] + "日落" + signs[9] + "a麒" + signs[11]] * 200).numpy()
    assert token_ids[0].tolist() == [11, 3, 13, 2, 1, 15, 0, 0]
    assert "RE2" not in capfd.readouterr().err.upper()
