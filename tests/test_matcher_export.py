"""A matcher is exported with its model, and scores there as it does here."""

import json

import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from kgen.config import Config
from kgen.export import proof, served_operators
from kgen.export.exporting import export
from kgen.export.litert import conversion, matcher
from kgen.matcher import build_matcher
from kgen.model_folder import build_model
from kgen.pictures import to_image
from kgen.pipeline import TextToImage
from kgen.text.vocabulary import learn_vocabulary, read_vocabulary

CAPTIONS = ["a red boat at night", "夜晚的红色小船", "", "red " * 40]
SIZE, LENGTH = 32, 9


@pytest.fixture(scope="module")
def painter():
    """Untrained, as is its matcher, but with random biases and normalisations."""
    config = Config.from_dict(
        {
            "name": "tiny",
            "text": {"encoder": "bag", "caption_length": 6, "embedding_dim": 8, "caption_dim": 8},
            "networks": {"image_size": SIZE, "width": 4, "noise_dim": 8},
        }
    )
    vocabulary = learn_vocabulary(CAPTIONS, 100)
    matcher = build_matcher(vocabulary, (SIZE, SIZE, 3), LENGTH, "small")
    rng = np.random.default_rng(0)
    for side in (matcher.of_images, matcher.of_captions):
        side.set_weights([w + 0.1 * rng.standard_normal(w.shape) for w in side.get_weights()])
    return TextToImage(config, vocabulary, build_model(config, len(vocabulary)), matcher=matcher)


@pytest.fixture(scope="module")
def pixels():
    return np.random.default_rng(1).integers(0, 256, (4, SIZE, SIZE, 3)).astype(np.uint8)


@pytest.fixture(scope="module")
def out(painter, tmp_path_factory):
    out = tmp_path_factory.mktemp("exported")
    export(painter, out, precisions=["float32"])
    return out


def test_the_saved_model_scores_as_the_matcher(painter, out, pixels):
    score = tf.saved_model.load(out / "serving" / "tiny" / "1").signatures["score"]
    for num in (0, 1, 4):
        captions = tf.constant(CAPTIONS[:num], tf.string, shape=(num,))
        match = score(captions=captions, image=tf.constant(pixels[:num]))["match"]
        assert match.shape == (num, 1) and match.dtype == tf.float32
        if num:
            expected = painter.matcher.scores(pixels[:num], CAPTIONS[:num])
            np.testing.assert_allclose(match[:, 0], expected, atol=1e-4)
    assert np.ptp(expected) > 0.01
    with pytest.raises(tf.errors.InvalidArgumentError, match="one for each caption"):
        score(captions=tf.constant(CAPTIONS), image=tf.constant(pixels[:1]))
    operators = served_operators.operators_of(out / "serving" / "tiny" / "1")
    assert served_operators.foreign_operators(operators) == []


def test_the_litert_file_scores_as_the_matcher(painter, out, pixels):
    folder = out / "litert" / "matcher"
    assert sorted(path.name for path in folder.iterdir()) == [
        "examples.json",
        "matcher.json",
        "model.tflite",
        "reading.json",
        "vocabulary.txt",
    ]
    assert conversion.foreign_operators(conversion.operators_of(folder / "model.tflite")) == []
    assert read_vocabulary(folder / "vocabulary.txt") == painter.matcher.vocabulary
    tried = json.loads((folder / "examples.json").read_text(encoding="utf-8"))
    ids = painter.matcher.tokenizer([each["caption"] for each in tried]).numpy()
    assert np.array_equal(ids, [each["token_ids"] for each in tried]) and ids.shape[1] == LENGTH
    interpreter = Interpreter(str(folder / "model.tflite"))
    score = interpreter.get_signature_runner("serving_default")
    read = painter.matcher.tokenizer(CAPTIONS).numpy()
    expected = painter.matcher.scores(pixels, CAPTIONS)
    for i in range(len(CAPTIONS)):
        match = score(image=to_image(pixels[i : i + 1]), token_ids=read[i : i + 1])["match"]
        assert match.shape == (1, 1)
        assert match[0, 0] == pytest.approx(expected[i], abs=1e-4)


def test_both_are_proven(painter, out):
    proofs = json.loads((out / "proof.json").read_text(encoding="utf-8"))
    assert set(proofs) == {
        *("saved_model", "saved_model_encode", "saved_model_match"),
        *("litert", "litert_encoder", "litert_generator", "litert_match"),
    }
    for name in ("saved_model_match", "litert_match"):
        assert proofs[name]["max_difference"] <= proofs[name]["limit"] == 1e-4
        assert proofs[name]["num_pictures"] == 32
    readable = (out / "PROOF.md").read_text(encoding="utf-8")
    assert "## litert/matcher/model.tflite: match" in readable
    assert "## serving/tiny/1: match" in readable


def test_another_matcher_is_refused(painter, tmp_path, monkeypatch):
    content = matcher.convert_matcher(build_matcher(painter.vocabulary, (SIZE, SIZE, 3), LENGTH))
    monkeypatch.setattr(matcher, "convert_matcher", lambda matcher: content)
    with pytest.raises(proof.GateError, match="litert_match: (difference to the model|numbers)"):
        export(painter, tmp_path, ["litert"], precisions=["float32"])
    assert not (tmp_path / "litert").exists()
