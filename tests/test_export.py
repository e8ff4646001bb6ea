"""Exports: what is written does what the model does, and what does not is refused."""

import hashlib
import io
import json

import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from PIL import Image

from kgen.config import ENCODERS, Config
from kgen.export import captions as proving_captions
from kgen.export import proof, rounding, saved_model, saved_model_proof, served_operators
from kgen.export.exporting import export
from kgen.export.litert import conversion, exporting, writing
from kgen.export.served import seeded_noise
from kgen.model_folder import build_model
from kgen.noise import sample_noise
from kgen.pictures import to_pixels
from kgen.pipeline import TextToImage
from kgen.text.vocabulary import learn_vocabulary, read_vocabulary

FLOAT = ("float32",)
CAPTIONS = ["a red boat at night", "three birds", "夜晚的红色小船", "", "red " * 40]
SIZE, LENGTH, NOISE_DIM = 32, 8, 8
SERVED = "serving/tiny_bilstm/1"


def build_painter(encoder, word_attention=True, spread=0.1):
    """An untrained model whose every weight, biases too, is random."""
    config = Config.from_dict(
        {
            "name": f"tiny_{encoder}",
            "text": {
                "encoder": encoder,
                "caption_length": LENGTH,
                "embedding_dim": 16,
                "caption_dim": 16,
            },
            "networks": {
                "image_size": SIZE,
                "noise_dim": NOISE_DIM,
                "width": 4,
                "discriminator_width": 4,
                "word_attention": word_attention,
            },
        }
    )
    vocabulary = learn_vocabulary([*CAPTIONS, "两只鸟 fly over the sea"] * 2, 200)
    model = build_model(config, len(vocabulary))
    generator = np.random.default_rng(0)
    weights = model.get_weights()
    model.set_weights([w + spread * generator.standard_normal(w.shape) for w in weights])
    return TextToImage(config, vocabulary, model, hash="0123456789abcdef")


@pytest.fixture(scope="module")
def painter():
    return build_painter("bilstm")


@pytest.fixture(scope="module")
def out(painter, tmp_path_factory):
    out = tmp_path_factory.mktemp("exported")
    export(painter, out, precisions=FLOAT)
    return out


@pytest.fixture(scope="module")
def served(out):
    return tf.saved_model.load(out / SERVED).signatures


@pytest.fixture(scope="module")
def inputs(painter):
    token_ids = painter.tokenizer(CAPTIONS)
    return token_ids, tf.constant(sample_noise(len(CAPTIONS), NOISE_DIM, seed=3))


def expected_pixels(painter, token_ids, noise):
    """By Keras itself, without the pipeline's traced function."""
    image = painter.model({"token_ids": token_ids, "noise": noise}, training=False)
    return to_pixels(image.numpy())


def assert_within_a_level(received, expected):
    assert received.dtype == expected.dtype == np.uint8
    assert received.shape == expected.shape
    assert (np.abs(received.astype(int) - expected.astype(int)) <= 1).all()


def names_in(folder):
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


# Every encoder


def test_pictures_compared_here_are_no_constants(painter, inputs):
    pixels = expected_pixels(painter, *inputs).astype(float)
    assert pixels.std() > 40
    assert np.abs(pixels[0] - pixels[2]).mean() > 10
    token_ids, noise = inputs
    other_caption = expected_pixels(painter, token_ids[::-1], noise).astype(float)
    other_noise = expected_pixels(painter, token_ids, noise[::-1]).astype(float)
    assert np.abs(pixels - other_caption)[0].mean() > 1
    assert np.abs(pixels - other_noise)[0].mean() > 10


@pytest.mark.parametrize("encoder", [name for name in ENCODERS if name != "bilstm"])
def test_every_encoder_exports(encoder, inputs, tmp_path):
    painter = build_painter(encoder, word_attention=encoder != "bag")
    for proven in export(painter, tmp_path, ["litert"], precisions=FLOAT):
        assert proven.max_difference <= 1e-4
        assert conversion.foreign_operators(proven.operators) == []
    assert names_in(tmp_path) == ["PROOF.md", "litert", "proof.json"]

    saved_model.write_saved_model(painter, tmp_path / "1")
    assert served_operators.foreign_operators(served_operators.operators_of(tmp_path / "1")) == []
    token_ids, noise = inputs
    from_ids = tf.saved_model.load(tmp_path / "1").signatures["from_ids"]
    drawn = from_ids(token_ids=token_ids, noise=noise)["image"].numpy()
    assert_within_a_level(drawn, expected_pixels(painter, token_ids, noise))


# SavedModel


@pytest.mark.parametrize("num", [0, 1, 3, 5])
def test_saved_model_draws_what_the_model_draws(painter, served, inputs, num):
    token_ids, noise = (tensor[:num] for tensor in inputs)
    drawn = served["from_ids"](token_ids=token_ids, noise=noise)
    assert drawn["image"].shape == (num, SIZE, SIZE, 3)
    assert drawn["png_bytes"].shape == (num,)
    if num:
        assert_within_a_level(drawn["image"].numpy(), expected_pixels(painter, token_ids, noise))


@pytest.mark.parametrize("num", [0, 1, 3, 5])
def test_captions_and_seeds_are_ids_and_noise(painter, served, num):
    captions = tf.constant(CAPTIONS[:num], tf.string, shape=(num,))
    seeds = tf.constant([7, -1, 2**62, 0, 7][:num], tf.int64, shape=(num,))
    token_ids = painter.tokenizer(captions)
    for drawn, of_seeds in (
        (served["with_seed"](captions=captions, seed=seeds), seeds),
        (served["serving_default"](captions=captions), tf.zeros_like(seeds)),
    ):
        assert drawn["image"].shape == (num, SIZE, SIZE, 3)
        if num:
            noise = seeded_noise(of_seeds, NOISE_DIM)
            expected = expected_pixels(painter, token_ids, noise)
            assert_within_a_level(drawn["image"].numpy(), expected)


def test_png_bytes_decode_to_the_image(served):
    drawn = served["serving_default"](captions=tf.constant(CAPTIONS))
    for pixels, png in zip(drawn["image"].numpy(), drawn["png_bytes"].numpy()):
        decoded = Image.open(io.BytesIO(png))
        assert decoded.format == "PNG"
        assert np.array_equal(np.asarray(decoded), pixels)


def test_saved_model_in_a_process_without_kgen(painter, out, inputs):
    token_ids, noise = inputs
    call = ("from_ids", {"token_ids": token_ids.numpy(), "noise": noise.numpy()})
    (pixels,), versions, took = saved_model_proof.call_saved_model(out / SERVED, [call])
    assert took["all threads"][0] > 0
    assert_within_a_level(pixels, expected_pixels(painter, token_ids, noise))
    assert versions["tensorflow"] == tf.__version__


@pytest.mark.parametrize("num", [0, 1, 5])
def test_encode_gives_the_caption_vector(painter, served, num):
    vectors = served["encode"](captions=tf.constant(CAPTIONS[:num], tf.string))["caption_vector"]
    assert vectors.shape == (num, 16)
    if num:
        expected = painter.encoder(painter.tokenizer(CAPTIONS[:num]), training=False)
        np.testing.assert_allclose(vectors, expected["caption_vector"], rtol=0, atol=1e-5)


def test_answers_depend_on_caption_and_seed_not_on_the_batch(served):
    def draw(captions, seeds):
        seeds = tf.constant(seeds, tf.int64)
        return served["with_seed"](captions=tf.constant(captions), seed=seeds)["image"].numpy()

    together = draw(["three birds", "a red boat", "three birds"], [5, 6, 9])
    assert_within_a_level(draw(["a red boat"], [6])[0], together[1])
    assert np.abs(together[0].astype(float) - together[2]).mean() > 10
    twice = served["serving_default"](captions=tf.constant(["three birds"] * 2))["image"].numpy()
    assert np.array_equal(twice[0], twice[1])


def test_a_missing_seed_is_told(served):
    with pytest.raises(tf.errors.InvalidArgumentError, match="one number for each caption"):
        served["with_seed"](captions=tf.constant(["a", "b"]), seed=tf.constant([1], tf.int64))


def test_noise_of_a_seed_is_the_same_for_ever():
    # From TensorFlow 2.21; a client that stored seeds relies on them.
    expected = [[-1.697034, -0.481377, -0.662237], [0.474434, -0.383254, -1.796068]]
    noise = seeded_noise([0, -1], 3).numpy()
    np.testing.assert_allclose(noise, expected, atol=1e-5)
    many = seeded_noise(np.arange(2000), 16).numpy()
    assert abs(many.mean()) < 0.02
    assert abs(many.std() - 1) < 0.02
    assert np.array_equal(many[7:8], seeded_noise([7], 16).numpy())


def test_saved_model_has_only_operators_that_servers_have(out, served):
    operators = served_operators.operators_of(out / SERVED)
    assert served_operators.foreign_operators(operators) == []
    assert {"EncodePng", "FastWordpieceTokenizeWithOffsets", "FastBertNormalize"} <= set(operators)
    graph = served["from_ids"].graph.as_graph_def()
    from_ids = {node.op for node in graph.node}
    from_ids |= {node.op for function in graph.library.function for node in function.node_def}
    assert "Conv2DBackpropInput" in from_ids
    assert not from_ids & served_operators.TEXT_OPERATORS


def test_foreign_operators_are_found():
    known = ["MatMul", "Const", "FastBertNormalize", "StatelessWhile"]
    foreign = ["PyFunc", "EagerPyFunc", "CudnnRNNV3", "TokenizeOpOfOthers", "Mine"]
    assert served_operators.foreign_operators(known + foreign) == foreign


def test_saved_model_holds_nothing_of_keras_or_kgen(out):
    written = (out / SERVED / "saved_model.pb").read_bytes()
    assert b"keras_api" not in written and b"_tf_keras" not in written


# LiteRT


def test_litert_draws_what_the_model_draws(painter, out):
    captions = proving_captions.proof_captions(proving_captions.made_up(painter), 32)
    token_ids = painter.tokenizer(captions).numpy()
    noise = sample_noise(len(captions), NOISE_DIM, seed=11)
    noise[1] = 0
    expected = painter.model({"token_ids": token_ids, "noise": noise}, training=False).numpy()
    interpreter = Interpreter(str(out / "litert" / "model.tflite"))
    draw = interpreter.get_signature_runner("serving_default")
    details = draw.get_input_details()
    assert {name: each["dtype"] for name, each in details.items()} == {
        "token_ids": np.int32,
        "noise": np.float32,
    }
    for i in range(len(captions)):
        image = draw(token_ids=token_ids[i : i + 1], noise=noise[i : i + 1])["image"]
        assert image.dtype == np.float32
        np.testing.assert_allclose(image, expected[i : i + 1], rtol=0, atol=1e-4)


def test_litert_has_builtin_operators_only_and_what_it_needs_beside_it(painter, out):
    operators = conversion.operators_of(out / "litert" / "model.tflite")
    assert conversion.foreign_operators(operators) == []
    assert operators["TRANSPOSE_CONV"] == 2 * 3  # in the signatures for 1 and for 4
    assert operators["LOGISTIC"] == 2 * LENGTH
    assert read_vocabulary(out / "litert" / "vocabulary.txt") == painter.vocabulary
    tried = json.loads((out / "litert" / "examples.json").read_text(encoding="utf-8"))
    captions = [example["caption"] for example in tried]
    assert {"美丽的日落景象", ""} < set(captions)
    ids = [example["token_ids"] for example in tried]
    assert np.array_equal(ids, painter.tokenizer(captions).numpy())
    written = json.loads((out / "litert" / "config.json").read_text(encoding="utf-8"))
    assert Config.from_dict(written) == painter.config.without_paths()


# Refusals


def assert_refused(painter, out, name, match):
    with pytest.raises(proof.GateError, match=match):
        export(painter, out, [name], precisions=FLOAT)
    assert names_in(out) == []


def convert_instead(monkeypatch, content):
    monkeypatch.setattr(writing, "converted", lambda *arguments: content)


def test_an_lstm_of_unknown_batch_is_refused(painter, tmp_path, monkeypatch):
    def convert(variables, signatures, half=False):
        ids = tf.TensorSpec((None, LENGTH), tf.int32, name="token_ids")
        encode = tf.function(lambda token_ids: painter.encoder(token_ids), input_signature=[ids])
        return conversion.converted(variables, {"serving_default": encode})

    monkeypatch.setattr(writing, "converted", convert)
    assert_refused(painter, tmp_path, "litert", "litert: operators.*builtin.*TensorList")


def test_transposed_convolutions_of_unknown_batch_are_refused(painter, tmp_path, monkeypatch):
    image = tf.TensorSpec((None, 4, 4, 3), name="image")
    up = tf.keras.layers.Conv2DTranspose(3, 4, 2, "same")
    up.build((None, 4, 4, 3))
    variables = [v.value for v in up.variables]
    draw = tf.function(lambda image: up(image), input_signature=[image])
    convert_instead(monkeypatch, conversion.converted(variables, {"serving_default": draw}))
    assert_refused(painter, tmp_path, "litert", "shape of TRANSPOSE_CONV.*static batch.*XNNPACK")


def test_an_operator_of_tensorflow_is_refused(painter, tmp_path, monkeypatch):
    @tf.function(input_signature=[tf.TensorSpec((2, 2))])
    def inverse(x):
        return tf.linalg.inv(x)

    converter = tf.lite.TFLiteConverter.from_concrete_functions([inverse.get_concrete_function()])
    converter.target_spec.supported_ops = [tf.lite.OpsSet.SELECT_TF_OPS]
    convert_instead(monkeypatch, converter.convert())
    assert_refused(painter, tmp_path, "litert", "litert: operators.*custom:FlexMatrixInverse")


def change_weights(painter):
    painter.model.set_weights([1.05 * weight for weight in painter.model.get_weights()])


def test_other_weights_are_refused(tmp_path, monkeypatch):
    painter = build_painter("bag")
    convert, write = writing.converted, saved_model.write_saved_model

    def convert_old(*arguments):
        content = convert(*arguments)
        change_weights(painter)
        return content

    def write_old(painter, folder):
        write(painter, folder)
        change_weights(painter)

    monkeypatch.setattr(writing, "converted", convert_old)
    monkeypatch.setattr(saved_model, "write_saved_model", write_old)
    # The limit is this model's own, and below half a level of 255.
    assert_refused(painter, tmp_path, "litert", r"difference to the model.*at most 0\.00\d+ of")
    assert_refused(painter, tmp_path, "saved_model", "difference to the model.*at most 1 level")


def test_python_in_the_graph_is_refused(painter, tmp_path, monkeypatch):
    def write(painter, folder):
        module = tf.Module()
        module.f = tf.function(
            lambda x: tf.numpy_function(np.sin, [x], tf.float32),
            input_signature=[tf.TensorSpec((None,))],
        )
        tf.saved_model.save(module, str(folder))

    monkeypatch.setattr(saved_model, "write_saved_model", write)
    assert_refused(painter, tmp_path, "saved_model", "saved_model: operators.*PyFunc")


def test_a_graph_that_fails_is_refused_with_its_error(out):
    unknown_ids = np.full((1, LENGTH), 10_000, np.int32)
    inputs = {"token_ids": unknown_ids, "noise": np.zeros((1, NOISE_DIM), np.float32)}
    with pytest.raises(proof.GateError, match="InvalidArgumentError"):
        saved_model_proof.call_saved_model(out / SERVED, [("from_ids", inputs)])


@pytest.mark.parametrize(
    ("steepness", "limit"),
    # Noise of 1 moves by 1e-6, the picture by so many times that, and 10 times that is let through.
    [(1.0, 1e-4), (100.0, 1e-3), (1e5, 4e-3)],
)
def test_steep_models_are_given_what_rounding_changes_in_them(steepness, limit):
    class Steep:
        def generate_images(self, token_ids, noise):
            return tf.constant(steepness * (noise.astype("float64") - 1))

    ids, noise = np.zeros((2, 3), "int32"), np.ones((2, 4), "float32")
    received = rounding.most_difference(Steep(), ids, noise, np.zeros((2, 4)))
    assert received == pytest.approx(limit, rel=0.06)  # 1 + 1e-6 is 1 + 9.54e-7 in float32


@pytest.mark.slow  # half a minute, and what it rests on is above
def test_a_steep_model_exports(tmp_path):
    """Its pictures differ by more than 1e-4 from LiteRT's, from rounding alone."""
    steep = build_painter("bilstm")
    model = steep.model.get_layer("generator")
    model.set_weights([(2.5 if w.ndim == 4 else 1.0) * w for w in model.get_weights()])
    for proven in export(steep, tmp_path, ["litert"], precisions=FLOAT):
        assert 1e-4 < proven.max_difference < proven.limit <= 4e-3


def test_nan_is_no_small_difference(painter):
    image = np.zeros((1, 2, 2, 3))
    named = {"artefact": "litert", "place": "litert", "written": "litert", "unit": "levels"}
    with pytest.raises(proof.GateError, match="NaN"):
        proof.compare(painter, image, image * np.nan, **named, span=2.0, limit=1.0)


def test_a_refusal_leaves_what_was_there(painter, tmp_path, monkeypatch):
    export(painter, tmp_path, ["litert"], precisions=FLOAT)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    others = writing.Conversions(build_painter("bag"), proving_captions.made_up(painter))
    monkeypatch.setattr(exporting, "Conversions", lambda *arguments: others)
    with pytest.raises(proof.GateError, match="difference"):
        export(painter, tmp_path, ["litert"], precisions=FLOAT)
    assert before == {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}


@pytest.mark.parametrize("formats", [[], "litert", ["litert", "savedmodel"]])
def test_unknown_formats_are_told_before_anything_is_written(painter, tmp_path, formats):
    with pytest.raises(ValueError, match="saved_model"):
        export(painter, tmp_path / "out", formats)
    assert names_in(tmp_path) == []


# Proofs


def test_proofs_are_written_and_kept(painter, out):
    proofs = json.loads((out / "proof.json").read_text(encoding="utf-8"))
    assert list(proofs) == [
        *("saved_model", "saved_model_encode", "litert", "litert_encoder", "litert_generator")
    ]
    content = (out / "litert" / "model.tflite").read_bytes()
    assert proofs["litert"]["sha256"] == hashlib.sha256(content).hexdigest()
    assert proofs["litert"]["num_bytes"] == len(content)
    num = proving_captions.NUM_PROOF
    assert proofs["litert"]["num_pictures"] == 2 * num  # one by one, and four by four
    assert proofs["saved_model"]["num_pictures"] == 3 * num + 3
    assert list(proofs["litert"]["latency_ms"]) == ["1 thread", "2 threads"]
    assert min(median for median, _ in proofs["litert"]["latency_ms"].values()) > 0
    for each in proofs.values():
        assert (out / each["path"]).exists()
        assert each["max_difference"] <= each["limit"]
        assert each["model_hash"] == painter.hash
    readable = (out / "PROOF.md").read_text(encoding="utf-8")
    assert "## serving/tiny_bilstm/1" in readable and "## litert/model.tflite" in readable
    assert "TRANSPOSE_CONV 6" in readable and "| latency, 2 threads |" in readable


def test_proof_captions_hold_both_languages_nothing_and_pages(painter):
    made_up = proving_captions.made_up(painter)
    captions = proving_captions.proof_captions(made_up)
    assert len(captions) == proving_captions.NUM_PROOF
    assert made_up == proving_captions.made_up(painter)
    assert not set(made_up.calibration) & set(made_up.proof)
    assert "" in captions and max(map(len, captions)) >= 1000
    lengths = (painter.tokenizer(captions).numpy() > 0).sum(axis=1)
    assert lengths.min() == 0 and lengths.max() == LENGTH
    assert len(set(lengths.tolist())) > 5
