"""The SavedModel runs in TensorFlow's C++ runtime alone, as a server has it."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tensorflow_text
from tensorflow.core.protobuf import saved_model_pb2
from test_export import CAPTIONS, LENGTH, NOISE_DIM, SIZE, build_painter

from kgen.export.saved_model import write_saved_model
from kgen.export.served import seeded_noise
from kgen.noise import sample_noise
from kgen.pictures import to_pixels

PROGRAM = Path(__file__).with_name("c_api.py")
LIBRARY = next(Path(tf.__file__).parent.glob("libtensorflow_cc.*2*"), None)
OPERATORS = sorted(Path(tensorflow_text.__file__).parent.glob("python/ops/*.so"))


@pytest.fixture(scope="module")
def painter():
    return build_painter("bilstm")


@pytest.fixture(scope="module")
def saved(painter, tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved") / "1"
    write_saved_model(painter, folder)
    return folder


def drawn_by_c(saved, signature, feeds, folder):
    """What a signature draws; its tensors' names are in the file's table of signatures."""
    model = saved_model_pb2.SavedModel.FromString((saved / "saved_model.pb").read_bytes())
    known = model.meta_graphs[0].signature_def[signature]
    feeds = {known.inputs[name].name: feed for name, feed in feeds.items()}
    (folder / "feeds.json").write_text(json.dumps(feeds))
    libraries = [str(LIBRARY), ",".join(map(str, OPERATORS))]
    rest = [saved, folder / "feeds.json", known.outputs["image"].name, folder / "out"]
    command = [sys.executable, "-P", PROGRAM, *libraries, *rest]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr[-2000:]
    pixels = np.frombuffer((folder / "out").read_bytes(), np.uint8)
    return pixels.reshape(-1, SIZE, SIZE, 3).astype(int)


def test_captions_are_drawn(painter, saved, tmp_path):
    drawn = drawn_by_c(saved, "serving_default", {"captions": {"strings": CAPTIONS}}, tmp_path)
    noise = seeded_noise(np.zeros(len(CAPTIONS)), NOISE_DIM).numpy()
    expected = to_pixels(painter.generate_images(painter.tokenizer(CAPTIONS), noise).numpy())
    assert np.abs(drawn - expected).max() <= 1


def test_ids_are_drawn(painter, saved, tmp_path):
    token_ids = painter.tokenizer(CAPTIONS).numpy()
    noise = sample_noise(len(CAPTIONS), NOISE_DIM, 3)
    feeds = {
        "token_ids": {
            "values": token_ids.ravel().tolist(),
            "dtype": "int32",
            "shape": [len(CAPTIONS), LENGTH],
        },
        "noise": {"values": noise.ravel().tolist(), "dtype": "float32", "shape": [*noise.shape]},
    }
    drawn = drawn_by_c(saved, "from_ids", feeds, tmp_path)
    expected = to_pixels(painter.generate_images(token_ids, noise).numpy())
    assert np.abs(drawn - expected).max() <= 1
