"""Vocabulary, tokenizer and caption encoders."""

import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from hypothesis import given, settings
from hypothesis import strategies as st

from kgen.config import ENCODERS, TextConfig
from kgen.text.encoders import build_encoder
from kgen.text.tokenizer import CaptionTokenizer, split_words
from kgen.text.vocabulary import learn_vocabulary, read_vocabulary, write_vocabulary

# ids:           0        1        2    3      4      5      6     7     8     9    10
VOCABULARY = ("[PAD]", "[UNK]", "a", "red", "cat", "##s", "cafe", "红", "猫", ",", "😀")
LENGTH = 6
V = 50


@pytest.fixture(scope="module")
def tokenizer():
    return CaptionTokenizer(VOCABULARY, LENGTH)


# Tokenizer


@pytest.mark.parametrize(
    ("caption", "expected"),
    [
        ("a red cat", [2, 3, 4, 0, 0, 0]),
        ("A  Red\tCATS", [2, 3, 4, 5, 0, 0]),
        ("红猫", [7, 8, 0, 0, 0, 0]),
        ("red猫,cat红", [3, 8, 9, 4, 7, 0]),
        ("ｒｅｄ　ＣＡＴ，红", [3, 4, 9, 7, 0, 0]),
        ("Café CAFE\u0301", [6, 6, 0, 0, 0, 0]),
        ("red 😀 cat", [3, 10, 4, 0, 0, 0]),
        ("re\u200bd ca\x00t", [3, 1, 1, 0, 0, 0]),  # a format character goes, a NUL is a blank
        ("a dog", [2, 1, 0, 0, 0, 0]),
        ("", [0] * 6),
        (" \t\n\u3000", [0] * 6),
        ("a a a a a cats", [2, 2, 2, 2, 2, 4]),
        ("[PAD] red", [1, 1, 1, 3, 0, 0]),  # no caption can write a padding token
        (b"red \xff\xfe cat", [3, 4, 0, 0, 0, 0]),
        (b"\xe7\xba", [0] * 6),
        ("\ud800 red", [1, 3, 0, 0, 0, 0]),
    ],
)
def test_ids_worked_by_hand(tokenizer, caption, expected):
    token_ids = tokenizer([caption])
    assert token_ids.dtype == tf.int32
    assert token_ids.numpy().tolist() == [expected]


def test_lists_arrays_tensors_and_nothing_are_captions(tokenizer):
    captions = ["a red cat", "红猫"]
    expected = [[2, 3, 4, 0, 0, 0], [7, 8, 0, 0, 0, 0]]
    for given_as in (list, tuple, iter, np.array, tf.constant):
        assert tokenizer(given_as(captions)).numpy().tolist() == expected
    assert tokenizer(np.array(captions, dtype=object)).numpy().tolist() == expected
    for empty in ([], np.array([], dtype=str), tf.constant([], tf.string)):
        assert tokenizer(empty).shape == (0, LENGTH)
        assert tokenizer(empty).dtype == tf.int32


@pytest.mark.parametrize("captions", ["a cat", b"a cat", [3], [None]])
def test_what_is_no_list_of_strings_is_refused(tokenizer, captions):
    with pytest.raises(TypeError, match="`captions` must be"):
        tokenizer(captions)


def test_unknown_words_are_named_whole_and_in_order(tokenizer):
    assert tokenizer.unknown_words("Zebra cats, 红狗 catz ｚ!") == ["zebra", "狗", "catz", "z", "!"]
    assert tokenizer.unknown_words("a red cat") == []
    assert tokenizer.unknown_words("") == []


def test_a_word_of_101_bytes_is_unknown():
    tokenizer = CaptionTokenizer(("[PAD]", "[UNK]", "a", "##a"), 3)
    assert tokenizer(["a" * 100, "a" * 101]).numpy().tolist() == [[2, 3, 3], [1, 0, 0]]


def test_graph_and_data_pipeline_equal_eager(tokenizer):
    captions = ["a red cat", "ＲＥＤ 红猫", "", "a a a a a a a a"]
    eager = tokenizer(captions).numpy()
    graph = tf.function(tokenizer, input_signature=[tf.TensorSpec([None], tf.string)])
    np.testing.assert_array_equal(graph(tf.constant(captions)), eager)
    batches = tf.data.Dataset.from_tensor_slices(captions).batch(4).map(tokenizer)
    np.testing.assert_array_equal(next(iter(batches)), eager)


def test_exported_tokenizer_runs_in_a_process_without_kgen(tokenizer, tmp_path):
    module = tf.Module()
    module.tokenizer = tokenizer
    signature = [tf.TensorSpec([None], tf.string, name="captions")]
    module.serve = tf.function(tokenizer, input_signature=signature)
    graph = module.serve.get_concrete_function().graph
    assert {op.type for op in graph.get_operations()} <= {
        *("Cast", "Const", "Identity", "Placeholder", "RaggedTensorToTensor", "UnicodeTranscode"),
        *("FastBertNormalize", "FastWordpieceTokenizeWithOffsets"),  # TF-Text 2.9
    }
    tf.saved_model.save(module, str(tmp_path / "tokenizer"))
    program = (
        "import sys, tensorflow as tf, tensorflow_text\n"
        "loaded = tf.saved_model.load(sys.argv[1])\n"
        "print(loaded.serve(tf.constant(['a red cat', '红猫'])).numpy().tolist())\n"
        "assert not any(name.startswith('kgen') for name in sys.modules)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program, "tokenizer"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.strip() == "[[2, 3, 4, 0, 0, 0], [7, 8, 0, 0, 0, 0]]"


@settings(deadline=None, max_examples=200)
@given(st.text(st.characters(), max_size=200) | st.binary(max_size=60))
def test_any_string_gives_ids_within_the_vocabulary(tokenizer, caption):
    token_ids = tokenizer([caption]).numpy()
    assert token_ids.dtype == np.int32
    assert token_ids.shape == (1, LENGTH)
    assert token_ids.min() >= 0
    assert token_ids.max() < len(VOCABULARY)
    tokens = np.count_nonzero(token_ids)
    assert not token_ids[0, tokens:].any()  # padding stands only at the end
    if isinstance(caption, str) and tokens < LENGTH:
        assert len(tokenizer.unknown_words(caption)) == np.count_nonzero(token_ids == 1)


# Vocabulary


def test_frequent_words_are_whole_and_rare_ones_split():
    learned = learn_vocabulary(["red RED red ｒｅｄ", "rad 红红"], 8)
    assert learned == ("[PAD]", "[UNK]", "##a", "##d", "##e", "r", "红", "red")
    assert CaptionTokenizer(learned, 5)(["red rad 红"]).numpy().tolist() == [[7, 5, 2, 3, 6]]


def test_the_most_frequent_words_win_the_room():
    captions = ["one"] * 9 + ["two"] * 8 + ["ten"] * 7
    # Room for the 7 characters o t ##n ##e ##w ##o and 2 words.
    assert learn_vocabulary(captions, 10)[8:] == ("one", "two")


def test_rare_words_share_pieces():
    learned = learn_vocabulary(["bluebird", "bluefish", "bluebell"], 40)
    assert "blue" in learned
    assert "bluebird" not in learned


def test_the_vocabulary_depends_on_neither_order_nor_reading():
    captions = [f"word{n % 7} thing{n % 11}s of {n}" for n in range(60)]
    learned = learn_vocabulary(captions, 60)
    assert learned == learn_vocabulary(reversed(captions), 60)
    assert len(learned) == len(set(learned)) <= 60


@settings(deadline=None, max_examples=25)
@given(st.lists(st.text(max_size=30), min_size=1, max_size=5), st.integers(0, 30))
def test_no_word_that_was_seen_is_unknown(captions, room):
    words = {word for caption in split_words(captions) for word in caption}
    if not words:
        return
    smallest = 2 + len({(n > 0, c) for word in words for n, c in enumerate(word)})
    learned = learn_vocabulary(captions, smallest + room)
    assert len(learned) <= smallest + room
    tokenizer = CaptionTokenizer(learned, LENGTH)
    assert [tokenizer.unknown_words(caption) for caption in captions] == [[]] * len(captions)


def test_a_size_too_small_for_the_characters_is_refused():
    assert len(learn_vocabulary(["ab 红"], 5)) == 5
    with pytest.raises(ValueError, match="`size` must be at least 5, received: 4.*at least 5"):
        learn_vocabulary(["ab 红"], 4)


def test_captions_without_words_teach_nothing():
    with pytest.raises(ValueError, match="`captions` must be texts with at least one word"):
        learn_vocabulary(["", "  "], 100)


def test_vocabulary_round_trip(tmp_path):
    path = tmp_path / "deep" / "vocabulary.txt"
    write_vocabulary(path, VOCABULARY)
    assert read_vocabulary(path) == VOCABULARY
    assert path.read_bytes().startswith(b"[PAD]\n[UNK]\na\n")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected at least 3 tokens, received 1"),
        ("[PAD]\n[UNK]\n", "expected at least 3 tokens, received 2"),
        ("[UNK]\n[PAD]\na\n", r"line 1: expected \[PAD\], received '\[UNK\]'"),
        ("[PAD]\na\n[UNK]\n", r"line 2: expected \[UNK\], received 'a'"),
        ("[PAD]\n[UNK]\na\nb\na\n", "line 5: 'a' stands on line 3 already"),
        ("[PAD]\n[UNK]\na\n\nb\n", "line 4: expected a token without blanks, received ''"),
        ("[PAD]\n[UNK]\na b\n", "line 3: expected a token without blanks, received 'a b'"),
    ],
)
def test_a_file_that_is_no_vocabulary_is_refused(tmp_path, text, message):
    path = tmp_path / "vocabulary.txt"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=message) as caught:
        read_vocabulary(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_utf8_or_not_there_is_refused(tmp_path):
    (tmp_path / "latin.txt").write_bytes(b"[PAD]\n[UNK]\n\xe9\n")
    with pytest.raises(ValueError, match="not UTF-8"):
        read_vocabulary(tmp_path / "latin.txt")
    with pytest.raises(FileNotFoundError):
        read_vocabulary(tmp_path / "none.txt")


def test_a_bad_vocabulary_leaves_the_old_file(tmp_path):
    path = tmp_path / "vocabulary.txt"
    write_vocabulary(path, VOCABULARY)
    with pytest.raises(ValueError, match="`?vocabulary`?, line 4"):
        write_vocabulary(path, ("[PAD]", "[UNK]", "a", "a"))
    with pytest.raises(ValueError, match="line 1"):
        CaptionTokenizer(("a", "[PAD]", "[UNK]"), 4)
    assert read_vocabulary(path) == VOCABULARY


def test_reading_a_vocabulary_needs_no_tensorflow():
    program = "import sys, kgen.text.vocabulary; assert 'tensorflow' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


# Encoders


def small_encoder(name, length=LENGTH, **kwargs):
    keras.utils.set_random_seed(0)
    config = TextConfig(name, caption_length=length, embedding_dim=8, caption_dim=16)
    return build_encoder(config, V, **kwargs)


def some_captions(length=LENGTH):
    """Three captions of 6, 3 and 1 tokens."""
    token_ids = np.zeros((3, length), "int32")
    for row, tokens in zip(token_ids, ([5, 9, 2, 7, 3, 4], [8, 6, 9], [49]), strict=True):
        row[: len(tokens)] = tokens
    return token_ids


def run(encoder, token_ids):
    outputs = encoder(token_ids, training=False)
    return {name: keras.ops.convert_to_numpy(output) for name, output in outputs.items()}


@pytest.mark.parametrize("dtype", [None, "mixed_bfloat16"])
@pytest.mark.parametrize("name", ENCODERS)
def test_shapes_types_and_mask(name, dtype):
    encoder = small_encoder(name, dtype=dtype)
    outputs = run(encoder, some_captions())
    assert encoder.name == "encoder"
    assert {key: output.shape for key, output in outputs.items()} == {
        "caption_vector": (3, 16),
        "words": (3, LENGTH, 16),
        "mask": (3, LENGTH),
    }
    assert {output.dtype for output in outputs.values()} == {np.dtype("float32")}
    assert outputs["mask"].sum(axis=1).tolist() == [6, 3, 1]
    assert not outputs["words"][outputs["mask"] == 0].any()
    assert (abs(outputs["words"]).max(axis=-1) > 0).tolist() == (outputs["mask"] == 1).tolist()
    if dtype:
        exact = run(small_encoder(name), some_captions())["caption_vector"]
        assert 0 < abs(outputs["caption_vector"] - exact).max() < 0.05


@pytest.mark.parametrize("name", ENCODERS)
def test_padding_length_changes_nothing(name):
    short, long = small_encoder(name), small_encoder(name, length=40)
    for variable, longer in zip(short.weights, long.weights, strict=True):
        variable.assign(longer[:LENGTH] if variable.path.startswith("positions") else longer)
    outputs, padded = run(short, some_captions()), run(long, some_captions(40))
    for key in ("caption_vector", "words"):
        expected = padded[key] if key == "caption_vector" else padded[key][:, :LENGTH]
        np.testing.assert_allclose(outputs[key], expected, atol=2e-6)


@pytest.mark.parametrize("name", ENCODERS)
def test_batch_of_three_equals_three_batches_of_one(name):
    encoder, token_ids = small_encoder(name), some_captions()
    together = run(encoder, token_ids)
    for row in range(3):
        alone = run(encoder, token_ids[row : row + 1])
        for key in together:
            np.testing.assert_allclose(together[key][row], alone[key][0], atol=2e-6)


@pytest.mark.parametrize("name", ENCODERS)
def test_words_and_their_order_change_the_caption_vector(name):
    encoder = small_encoder(name)
    outputs = run(encoder, np.array([[5, 9, 2, 0, 0, 0], [9, 5, 2, 0, 0, 0], [5, 9, 4, 0, 0, 0]]))
    first, swapped, other = outputs["caption_vector"]
    assert abs(first - other).max() > 0.05
    if name == "bag":
        np.testing.assert_allclose(first, swapped, atol=1e-6)
    else:
        assert abs(first - swapped).max() > 1e-3


@pytest.mark.parametrize("name", ENCODERS)
def test_a_caption_of_padding_is_finite_and_so_is_its_gradient(name):
    encoder = small_encoder(name)
    with tf.GradientTape() as tape:
        outputs = encoder(np.zeros((2, LENGTH), "int32"), training=True)
        loss = tf.reduce_sum(outputs["caption_vector"] ** 2) + tf.reduce_sum(outputs["words"])
    gradients = tape.gradient(loss, [v.value for v in encoder.trainable_variables])
    assert np.isfinite(loss)
    assert all(np.isfinite(tf.convert_to_tensor(gradient)).all() for gradient in gradients)


@pytest.mark.parametrize("name", ENCODERS)
def test_every_variable_gets_a_gradient_in_a_graph(name):
    encoder = small_encoder(name)
    variables = encoder.trainable_variables

    @tf.function
    def gradients(token_ids):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(encoder(token_ids, training=True)["caption_vector"] ** 2)
        return tape.gradient(loss, [v.value for v in variables])

    for variable, gradient in zip(variables, gradients(some_captions()), strict=True):
        assert gradient is not None, variable.path
        assert np.abs(tf.convert_to_tensor(gradient)).max() > 1e-6, variable.path


def test_bag_is_the_mean_worked_by_hand():
    encoder = build_encoder(TextConfig("bag", 3, embedding_dim=4, caption_dim=4), 4)
    table = np.arange(16.0).reshape(4, 4)
    encoder.get_layer("embedding").set_weights([table])
    encoder.get_layer("projection").set_weights([np.eye(4), np.array([0, 0, 0, 1])])
    outputs = run(encoder, np.array([[1, 3, 0]]))
    assert outputs["words"].tolist() == [[[4, 5, 6, 8], [12, 13, 14, 16], [0, 0, 0, 0]]]
    assert outputs["caption_vector"].tolist() == [[8, 9, 10, 12]]


def reference_lstm(x, kernel, recurrent):
    """An LSTM step by step; the kernel's last row is the bias."""
    h = c = np.zeros(recurrent.shape[0])
    steps = []
    for row in x:
        i, f, g, o = np.split(np.append(row, 1) @ kernel + h @ recurrent, 4)
        c = c / (1 + np.exp(-f)) + np.tanh(g) / (1 + np.exp(-i))
        h = np.tanh(c) / (1 + np.exp(-o))
        steps.append(h)
    return np.array(steps)


@pytest.mark.parametrize("name", ["lstm", "bilstm"])
def test_lstm_equals_a_loop_over_the_tokens_alone(name):
    encoder, token_ids = small_encoder(name), some_captions()
    outputs = run(encoder, token_ids)
    table = encoder.get_layer("embedding").get_weights()[0]
    dense, bias = encoder.get_layer("caption_vector").get_weights()
    for row, tokens in enumerate((6, 3, 1)):
        x = table[token_ids[row, :tokens]]
        words = reference_lstm(x, *encoder.get_layer("forward").get_weights())
        if name == "bilstm":
            backward = reference_lstm(x[::-1], *encoder.get_layer("backward").get_weights())
            words = np.concatenate([words, backward[::-1]], axis=-1)
        np.testing.assert_allclose(outputs["words"][row, :tokens], words, atol=1e-6)
        pooled = np.concatenate([words.max(axis=0), words.mean(axis=0)])
        np.testing.assert_allclose(outputs["caption_vector"][row], pooled @ dense + bias, atol=1e-5)


@pytest.mark.parametrize("name", ["lstm", "bilstm"])
def test_forget_gates_start_open(name):
    kernel = small_encoder(name).get_layer("forward").get_weights()[0]
    units = kernel.shape[1] // 4
    assert kernel[-1].tolist() == [0] * units + [1] * units + [0] * 2 * units


@pytest.mark.parametrize("name", ENCODERS)
def test_save_and_load_are_equal(name, tmp_path):
    encoder = small_encoder(name)
    encoder.save(tmp_path / "encoder.keras")
    loaded = run(keras.models.load_model(tmp_path / "encoder.keras"), some_captions())
    for key, output in run(encoder, some_captions()).items():
        np.testing.assert_array_equal(loaded[key], output)


@pytest.mark.parametrize("name", ENCODERS)
def test_litert_file_of_builtins_gives_the_same(name):
    encoder = small_encoder(name)
    spec = tf.TensorSpec([1, LENGTH], tf.int32, name="token_ids")
    module = tf.Module()
    # Without the raw variables on the module they are not frozen, and the file reads garbage.
    module.variables_kept = [variable.value for variable in encoder.variables]
    module.serve = tf.function(lambda token_ids: encoder(token_ids, training=False))
    function = module.serve.get_concrete_function(spec)
    converter = tf.lite.TFLiteConverter.from_concrete_functions([function], module)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    interpreter = Interpreter(model_content=converter.convert())
    operators = {operator["op_name"] for operator in interpreter._get_ops_details()}
    assert not [name for name in operators if name.startswith("Flex") or "VAR" in name]
    serve = interpreter.get_signature_runner()
    for row in (*some_captions(), np.zeros(LENGTH, "int32")):
        expected, received = run(encoder, row[None]), serve(token_ids=row[None])
        for key in expected:
            np.testing.assert_allclose(received[key], expected[key], rtol=0, atol=1e-5)


def test_words_that_are_only_spelled_out_are_named():
    vocabulary = ("[PAD]", "[UNK]", "cat", "##s", "a", "z", "##z", "un", "##known", "红", "##ed")
    tokenizer = CaptionTokenizer(vocabulary, 8)
    assert tokenizer.unknown_words("zzz cats") == []
    assert tokenizer.unseen_words("zzz Cats 红 unknown dog azs") == ["zzz", "dog", "azs"]
    assert tokenizer.unseen_words("") == []
