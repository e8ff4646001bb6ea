"""Pretrained text models: their ids, their states, what is trained of T, what is refused."""

import os
import shutil
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from pretrained_presets import write_bert, write_gpt2

from kgen.config import Config, TextConfig
from kgen.text.encoders import build_encoder
from kgen.text.pretrained import HiddenStates, PretrainedText, load_pretrained
from kgen.text.pretrained_tokenizer import PretrainedTokenizer
from kgen.training import remembered_states
from kgen.training.remembered_states import RememberedStates, remember_states

keras_hub = pytest.importorskip("keras_hub", reason="keras-hub (kgen[pretrained]) is missing")

LENGTH = 10
CAPTIONS = ("a red cat!", "红猫", "blue 狗", "a red cat dog blue 红 猫 狗 蓝 red cats")
WRITERS = {"bert": write_bert, "gpt2": write_gpt2}


@pytest.fixture(scope="module")
def presets(tmp_path_factory):
    folder = tmp_path_factory.mktemp("presets")
    return {name: write(folder / name) for name, write in WRITERS.items()}


@pytest.fixture(scope="module")
def loaded(presets):
    return {name: load_pretrained(path) for name, path in presets.items()}


@pytest.fixture(params=WRITERS)
def pretrained(request, loaded):
    return loaded[request.param]


def text_config(length=LENGTH):
    return TextConfig("pretrained", caption_length=length, caption_dim=8, pretrained="unread")


def encoder_of(pretrained, length=LENGTH):
    states = HiddenStates(pretrained, name="states", dtype="float32")
    return build_encoder(text_config(length), len(pretrained.vocabulary), states=states)


def ids_of(pretrained, captions=CAPTIONS, length=LENGTH):
    return PretrainedTokenizer(pretrained, length)(captions).numpy()


# Token ids


def test_bert_ids(loaded):
    """Places in BERT_WORDS, from 0: [CLS] 2, [SEP] 3, a 5, red 6, cat 7, ##s 9, ! 10, 红 11, 猫 12,
    and [UNK] 1; all one more.
    """
    captions = ["a Red cats!", "红猫", "zebra", ""]
    assert ids_of(loaded["bert"], captions, 8).tolist() == [
        [3, 6, 7, 8, 10, 11, 4, 0],
        [3, 12, 13, 4, 0, 0, 0, 0],
        [3, 2, 4, 0, 0, 0, 0, 0],
        [3, 4, 0, 0, 0, 0, 0, 0],
    ]


def test_gpt2_ids(loaded):
    """256 letters of bytes come first: ! is 0 (byte 33, the first that is printed), a is 97 - 33 =
    64. The merges re, red, ca, cat, Ġcat follow as 256 to 260, then the start and end as 261. A
    blank, byte 32, is the 33rd of those not printed, after 188 that are: 188 + 32 = 220. All one
    more. 红 is the bytes E7 BA A2: 231 and 186 are printed, 94 + 12 letters stand before 174, so
    94 + 12 + 231 - 174 = 163, and 94 + 12 + 186 - 174 = 118; 162 is 94 + 162 - 161 = 95.
    """
    ids = ids_of(loaded["gpt2"], ["red cat!", "a 红"], 8)
    assert ids[0].tolist() == [262, 258, 261, 1, 262, 0, 0, 0]
    assert ids[1].tolist() == [262, 65, 221, 164, 119, 96, 262, 0]


def test_the_end_stays_where_a_caption_is_cut(loaded):
    ids = ids_of(loaded["bert"], ["red red red red red red"], 5)
    assert ids.tolist() == [[3, 7, 7, 7, 4]]


def test_what_is_unknown_and_unread(loaded):
    bert = PretrainedTokenizer(loaded["bert"], 5)
    assert bert.unknown_words("Zebra cats 红鸟") == ["zebra", "鸟"]
    assert bert.unread("a red cat dog 红 猫") == "dog 红 猫"
    assert bert.unread("a red cat") == ""
    of_bytes = PretrainedTokenizer(loaded["gpt2"], 5)  # it has all of them
    assert of_bytes.unknown_words("zebra 鸟") == []


def test_no_captions_and_bad_ones(pretrained):
    tokenizer = PretrainedTokenizer(pretrained, LENGTH)
    assert tokenizer([]).shape == (0, LENGTH)
    bad, good = tokenizer([b"red \xff cat", "red   cat"]).numpy().tolist()
    assert bad == good
    with pytest.raises(TypeError, match="list of strings"):
        tokenizer("red cat")


def test_a_caption_longer_than_the_model_reads(pretrained):
    with pytest.raises(ValueError, match="`text.caption_length` must be at most 16 with"):
        PretrainedTokenizer(pretrained, 17)


# T


def test_padding_changes_nothing(pretrained):
    short, long = encoder_of(pretrained, 10), encoder_of(pretrained, 14)
    long.set_weights(short.get_weights())
    captions = CAPTIONS[:3]
    few = short(ids_of(pretrained, captions, 10))
    many = long(ids_of(pretrained, captions, 14))
    np.testing.assert_allclose(few["caption_vector"], many["caption_vector"], atol=2e-5)
    np.testing.assert_allclose(few["words"], many["words"][:, :10], atol=2e-5)
    assert not np.any(many["words"][:, 10:])


def test_other_captions_say_other_things(pretrained):
    vectors = encoder_of(pretrained)(ids_of(pretrained))["caption_vector"].numpy()
    apart = np.abs(vectors[:, None] - vectors[None]).max(axis=-1)
    assert apart[~np.eye(len(CAPTIONS), dtype=bool)].min() > 0.05


def test_a_batch_is_what_its_rows_are(pretrained):
    encoder, ids = encoder_of(pretrained), ids_of(pretrained)
    rows = [encoder(ids[i : i + 1])["caption_vector"] for i in range(len(ids))]
    np.testing.assert_allclose(np.concatenate(rows), encoder(ids)["caption_vector"], atol=2e-5)


def test_no_token_at_all_gives_finite_numbers(pretrained):
    told = encoder_of(pretrained)(np.zeros((2, LENGTH), np.int32))
    assert np.isfinite(told["caption_vector"]).all() and not np.any(told["words"])


def test_words_by_hand():
    """Hidden states 1, 3 of two tokens: mean 2, deviation 1, so -1, 1 once normalised (1 part in
    2000 less by Keras' epsilon). The kernel's columns (2, 0), (0, 2), (1, 1), (1, 0) give
    -2, 2, 0, -1 at both tokens, and 0 at padding; max and mean are the same.
    """

    class Fixed(keras.layers.Layer):
        def call(self, token_ids):
            return keras.ops.ones_like(token_ids, "float32")[..., None] * np.array([1.0, 3.0])

    config = TextConfig("pretrained", caption_length=3, caption_dim=4, pretrained="unread")
    encoder = build_encoder(config, 5, states=Fixed(name="states"))
    encoder.get_layer("projection").set_weights(
        [np.array([[2, 0, 1, 1], [0, 2, 1, 0]], "float32"), np.zeros(4)]
    )
    pick_max = np.eye(8, 4, dtype="float32")
    encoder.get_layer("caption_vector").set_weights([pick_max, np.zeros(4)])
    told = encoder(np.array([[1, 2, 0]], np.int32))
    of_token = [-2, 2, 0, -1]
    np.testing.assert_allclose(told["words"][0], [of_token, of_token, [0] * 4], atol=2e-3)
    np.testing.assert_allclose(told["caption_vector"][0], of_token, atol=2e-3)


def test_the_projection_learns_and_the_backbone_does_not(pretrained):
    import tensorflow as tf

    encoder, ids = encoder_of(pretrained), ids_of(pretrained)
    with tf.GradientTape() as tape:
        told = encoder(ids, training=True)
        weights = tf.random.stateless_normal(told["caption_vector"].shape, (1, 2))
        loss = tf.reduce_sum(told["caption_vector"] * weights)
    gradients = tape.gradient(loss, encoder.trainable_variables)
    names = [variable.path for variable in encoder.trainable_variables]
    assert names == [
        "states_norm/gamma", "states_norm/beta", "projection/kernel", "projection/bias",
        "caption_vector/kernel", "caption_vector/bias",
    ]  # fmt: skip
    assert all(np.abs(gradient).max() > 0 for gradient in gradients)
    assert encoder.count_params() == sum(int(np.prod(v.shape)) for v in encoder.trainable_variables)
    assert not any(variable.trainable for variable in pretrained.variables)


def test_saved_weights_hold_no_backbone(loaded, tmp_path):
    h5py = pytest.importorskip("h5py")
    encoder_of(loaded["bert"]).save_weights(tmp_path / "a.weights.h5")
    shapes = []
    with h5py.File(tmp_path / "a.weights.h5") as file:
        file.visititems(lambda _, x: shapes.append(x.shape) if hasattr(x, "shape") else None)
    assert sorted(shapes) == sorted([(32,), (32,), (32, 8), (8,), (16, 8), (8,)])


# States that are remembered


def test_remembered_states_equal_fresh_ones(pretrained, tmp_path):
    """But for float16: 11 bits, so half of one part in 1024."""
    ids = ids_of(pretrained)
    states = remember_states(pretrained, [ids[:2], ids[[0, 3]], ids[2:]], tmp_path)
    fresh = np.where(ids[..., None] != 0, pretrained.states(ids), 0)
    np.testing.assert_allclose(states(ids), fresh, rtol=2**-11, atol=5e-5)
    (folder,) = (tmp_path / "states").iterdir()
    assert len(np.load(folder / "ids.npy")) == len(CAPTIONS)  # each caption once
    assert len(np.load(folder / "states.npy")) == np.count_nonzero(ids)  # and no padding


def test_remembered_in_a_graph_and_in_a_copy(loaded, tmp_path):
    import tensorflow as tf

    ids = ids_of(loaded["bert"])
    states = remember_states(loaded["bert"], [ids], tmp_path)
    encoder = build_encoder(text_config(), 17, states=states)
    copy = keras.models.clone_model(encoder)
    copy.set_weights(encoder.get_weights())
    eager = encoder(ids)["words"].numpy()
    assert np.array_equal(eager, copy(ids)["words"])
    np.testing.assert_allclose(tf.function(encoder)(ids)["words"], eager, atol=1e-6)
    full = encoder_of(loaded["bert"])
    full.set_weights(encoder.get_weights())  # as many, of the same shapes
    np.testing.assert_allclose(full(ids)["words"], eager, atol=1e-2)


def test_states_by_hand(tmp_path):
    """Captions [1 2 0] and [3 0 0], whose states lie the other way round in the file."""
    np.save(tmp_path / "ids.npy", np.array([[1, 2, 0], [3, 0, 0]], ">i4"))
    np.save(tmp_path / "firsts.npy", np.array([1, 0]))
    np.save(tmp_path / "states.npy", np.array([[30], [10], [20]], np.float16))
    states = RememberedStates(tmp_path)
    found = states(np.array([[3, 0, 0], [1, 2, 0], [3, 0, 0]], np.int32)).numpy()
    assert found[..., 0].tolist() == [[30, 0, 0], [10, 20, 0], [30, 0, 0]]
    with pytest.raises(ValueError, match="must be those of the run's captions"):
        states.look_up(np.array([[3, 2, 0]], np.int32))
    with pytest.raises(ValueError, match="must be those of the run's captions"):
        states.look_up(np.array([[9, 0, 0]], np.int32))


def test_each_of_many_rows_is_found(tmp_path):
    """Ids with zero bytes at either end, such as 256 and 2**24, are not confused."""
    some = (1, 2, 255, 256, 257, 65536, 2**24)
    ids = np.unique([[a, b, c] for a in some for b in (0, *some) for c in (0, *some) if b or not c],
                    axis=0)  # fmt: skip
    np.save(tmp_path / "ids.npy", ids.astype(">i4"))
    lengths = np.count_nonzero(ids, axis=1)
    np.save(tmp_path / "firsts.npy", np.cumsum(lengths) - lengths)
    numbers = np.repeat(np.arange(len(ids)), lengths)[:, None]
    np.save(tmp_path / "states.npy", numbers.astype(np.float16))
    found = RememberedStates(tmp_path).look_up(ids.astype(np.int32))
    assert found[:, 0, 0].tolist() == list(range(len(ids)))


def test_states_are_computed_once(loaded, tmp_path, monkeypatch):
    ids = ids_of(loaded["bert"])
    monkeypatch.setenv("KGEN_CACHE", str(tmp_path / "shared"))
    first = remember_states(loaded["bert"], [ids], tmp_path / "run")
    assert os.path.dirname(first.folder) == str(tmp_path / "shared")
    with monkeypatch.context() as patched:
        patched.setattr(remembered_states, "_write", lambda *_: pytest.fail("computed again"))
        again = remember_states(loaded["bert"], [ids], tmp_path / "another")
        assert again.folder == first.folder
        with pytest.raises(pytest.fail.Exception, match="computed again"):
            remember_states(loaded["bert"], [ids[:2]], tmp_path)
    assert remember_states(loaded["gpt2"], [ids], tmp_path).folder != first.folder


def test_damaged_states_are_computed_again(loaded, tmp_path):
    ids = ids_of(loaded["bert"])
    folder = remember_states(loaded["bert"], [ids], tmp_path).folder
    path = Path(folder, "states.npy")
    whole = path.read_bytes()
    path.write_bytes(whole[:-100])
    remember_states(loaded["bert"], [ids], tmp_path)
    assert path.read_bytes() == whole


def test_states_that_float16_cannot_hold(loaded, tmp_path, monkeypatch):
    ids = ids_of(loaded["bert"])
    real = loaded["bert"].states
    monkeypatch.setattr(loaded["bert"], "states", lambda t: 1e6 * real(t))
    with pytest.raises(ValueError, match="whose states float16 can hold"):
        remember_states(loaded["bert"], [ids], tmp_path)
    assert not list((tmp_path / "states").iterdir())  # nothing half written


# Presets


def test_written_and_read_again(pretrained, tmp_path):
    pretrained.write(tmp_path / "copy")
    again = load_pretrained(tmp_path / "copy")
    ids = ids_of(pretrained)
    assert again.fingerprint() == pretrained.fingerprint()
    assert np.array_equal(ids_of(again), ids)
    np.testing.assert_allclose(again.states(ids), pretrained.states(ids), atol=1e-6)


def test_a_fingerprint_is_of_the_weights(presets):
    one, other = load_pretrained(presets["bert"]), load_pretrained(presets["bert"])
    assert one.fingerprint() == other.fingerprint()
    variable = other.variables[0]
    variable.assign_add(np.full(variable.shape, 1e-3))
    assert one.fingerprint() != other.fingerprint()


def _cut_weights(folder):
    path = folder / "model.weights.h5"
    path.write_bytes(path.read_bytes()[:5000])


DAMAGES = {
    "nothing in it": lambda folder: [shutil.rmtree(folder), folder.mkdir()],
    "no tokenizer": lambda folder: (folder / "tokenizer.json").unlink(),
    "no JSON": lambda folder: (folder / "config.json").write_text("{"),
    "another's": lambda folder: (folder / "config.json").write_text('{"name": "scenes_64"}'),
    "half the weights": _cut_weights,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_folders_that_are_no_presets(presets, tmp_path, damage):
    folder = tmp_path / "preset"
    shutil.copytree(presets["bert"], folder)
    DAMAGES[damage](folder)
    with pytest.raises(ValueError, match="folder of a keras-hub preset.*It cannot be") as raised:
        load_pretrained(folder)
    assert "\n" not in str(raised.value)


def test_names_that_are_none():
    with pytest.raises(FileNotFoundError, match="Did you mean bert_tiny_en_uncased?"):
        load_pretrained("bert_tiny_en_uncase")
    with pytest.raises(FileNotFoundError, match="There is no such folder"):
        load_pretrained("没有/这个")


def test_a_hub_out_of_reach(monkeypatch):
    def refuse(*_, **__):
        raise ConnectionError("no route to host\nand a long story")

    monkeypatch.setattr(keras_hub.models.Backbone, "from_preset", refuse)
    with pytest.raises(OSError, match=r"could not be fetched \(no route to host\)") as raised:
        load_pretrained("bert_tiny_en_uncased")
    assert "\n" not in str(raised.value)


def test_without_keras_hub(presets, monkeypatch):
    monkeypatch.setitem(sys.modules, "keras_hub", None)
    with pytest.raises(ValueError, match=r"pip install 'kgen\[pretrained\]'"):
        load_pretrained(presets["bert"])


class _Tokenizer:
    start_token_id = end_token_id = 1

    def get_vocabulary(self):
        return ["[PAD]", "a", "b", "c", "d", "e"]


def test_a_model_that_reads_padding_is_refused():
    mixing = keras_hub.models.FNetBackbone(
        vocabulary_size=6, num_layers=1, hidden_dim=8, intermediate_dim=8, max_sequence_length=16
    )
    with pytest.raises(ValueError, match="leaves padding out.*FNetBackbone"):
        PretrainedText("f_net", mixing, _Tokenizer())


def test_a_model_of_pictures_is_refused():
    pictures = keras_hub.models.ViTBackbone(
        image_shape=(16, 16, 3), patch_size=8, num_layers=1, num_heads=1, hidden_dim=8, mlp_dim=8
    )
    with pytest.raises(ValueError, match="reads text alone.*ViTBackbone"):
        PretrainedText("vit", pictures, _Tokenizer())


def test_an_encoder_is_read_without_its_decoder():
    both = keras_hub.models.T5Backbone(
        vocabulary_size=6, num_layers=1, num_heads=1, hidden_dim=8, intermediate_dim=8
    )
    pretrained = PretrainedText("t5", both, _Tokenizer())
    assert pretrained.states(np.array([[1, 2, 0]], np.int32)).shape == (1, 3, 8)
    assert len(pretrained.variables) < len(both.variables)
    assert pretrained.around == ([], [1])  # that start is for the decoder


# The configuration


@pytest.mark.parametrize(
    "text, message",
    [
        ({"encoder": "pretrained"}, "`text.pretrained` must be a keras-hub preset"),
        ({"pretrained": "bert"}, "`text.pretrained` must be empty where text.encoder is bilstm"),
        ({"encoder": "pretrained", "pretrained": "b", "stop_words": True}, "`text.stop_words`"),
        ({"encoder": "pretrained", "pretrained": "b", "segmentation": "words"}, "`text.segment"),
        ({"encoder": "pretraind"}, "Did you mean `pretrained`"),
    ],
)
def test_configurations_that_contradict_themselves(text, message):
    with pytest.raises(ValueError, match=message):
        Config.from_dict({"text": text})


def test_what_is_given_away_says_nothing_of_folders():
    def given_away(pretrained):
        text = {"encoder": "pretrained", "pretrained": pretrained}
        return Config.from_dict({"text": text}).without_paths().text.pretrained

    assert given_away("/home/小明/bert/") == "bert"
    assert given_away("hf://someone/bert") == "hf://someone/bert"
    assert given_away("bert_tiny_en_uncased") == "bert_tiny_en_uncased"
