"""The ONNX file draws what the model draws, in ONNX Runtime."""

import json
from importlib import util

import numpy as np
import onnxruntime
import pytest
from test_export import CAPTIONS, LENGTH, NOISE_DIM, build_painter, names_in

from kgen.export.exporting import export
from kgen.noise import sample_noise


@pytest.fixture(scope="module")
def painter():
    return build_painter("bilstm")


def test_it_draws_what_the_model_draws(painter, tmp_path):
    (proven,) = export(painter, tmp_path, ["onnx"])
    assert proven.max_difference <= proven.limit <= 4e-3
    assert names_in(tmp_path) == ["PROOF.md", "onnx", "proof.json"]
    assert "vocabulary.txt" in names_in(tmp_path / "onnx")
    session = onnxruntime.InferenceSession(tmp_path / proven.path)
    inputs = {each.name: each.shape[1:] for each in session.get_inputs()}
    assert inputs == {"token_ids": [LENGTH], "noise": [NOISE_DIM]}
    token_ids, noise = painter.tokenizer(CAPTIONS).numpy(), sample_noise(5, NOISE_DIM, seed=4)
    (drawn,) = session.run(["image"], {"token_ids": token_ids, "noise": noise})
    expected = painter.generate_images(token_ids, noise)
    np.testing.assert_allclose(drawn, expected, rtol=0, atol=1e-3)
    proofs = json.loads((tmp_path / "proof.json").read_text())
    assert proofs["onnx"]["versions"]["onnxruntime"] == onnxruntime.__version__


def test_what_it_takes_is_told(painter, tmp_path, monkeypatch):
    find = util.find_spec
    monkeypatch.setattr(util, "find_spec", lambda name: None if name == "tf2onnx" else find(name))
    with pytest.raises(ValueError, match=r"formats: onnx.*tf2onnx.*kgen\[onnx\]"):
        export(painter, tmp_path, ["onnx"])
    assert names_in(tmp_path) == []
