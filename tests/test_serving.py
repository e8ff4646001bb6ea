"""What a server reads beside the models: versions, configurations and warm-up requests."""

import numpy as np
import pytest
import tensorflow as tf
from google.protobuf import text_format
from tensorflow_serving.apis import prediction_log_pb2
from tensorflow_serving.config import model_server_config_pb2
from test_export import build_painter

from kgen.export import saved_model, serving
from kgen.export.exporting import export


@pytest.fixture(scope="module")
def painter():
    return build_painter("bag", word_attention=False)


@pytest.fixture(scope="module")
def out(painter, tmp_path_factory):
    out = tmp_path_factory.mktemp("exported")
    export(painter, out, ["saved_model"])
    return out


def warmup_of(folder):
    records = tf.data.TFRecordDataset(str(folder / serving.WARMUP))
    return [prediction_log_pb2.PredictionLog.FromString(r.numpy()) for r in records]


def test_versions_are_counted_up(painter, out, tmp_path):
    assert serving.next_version(tmp_path) == 1
    for name in ("1", "7", "03", "latest"):
        (tmp_path / name).mkdir()
    (tmp_path / "9").write_text("no folder")
    assert serving.next_version(tmp_path) == 8
    again = export(painter, out, ["saved_model"])[0]
    assert again.path == "serving/tiny_bag/2"
    assert (out / "serving" / "tiny_bag" / "1" / "saved_model.pb").is_file()


def test_a_refused_version_leaves_those_that_are_there(painter, tmp_path, monkeypatch):
    export(painter, tmp_path, ["saved_model"])
    monkeypatch.setattr(saved_model, "write_saved_model", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        export(painter, tmp_path, ["saved_model"])
    assert [p.name for p in (tmp_path / "serving" / "tiny_bag").iterdir()] == ["1"]


def test_configurations_are_what_a_server_parses(painter, out, tmp_path):
    for name in ("scenes_64/3", "avatars_64/1"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "saved_model.pb").write_bytes(b"")
    (tmp_path / "notes").mkdir()
    serving.write_configs(tmp_path)
    text = (tmp_path / "models.config").read_text(encoding="utf-8")
    parsed = text_format.Parse(text, model_server_config_pb2.ModelServerConfig())
    served = {one.name: one.base_path for one in parsed.model_config_list.config}
    assert served == {"avatars_64": "/models/avatars_64", "scenes_64": "/models/scenes_64"}
    assert "max_batch_size { value: " in (tmp_path / "batching.config").read_text()


def test_warm_up_requests_are_prediction_logs_that_the_model_answers(out):
    folder = out / "serving" / "tiny_bag" / "1"
    signatures = tf.saved_model.load(folder).signatures
    logs = warmup_of(folder)
    assert {log.predict_log.request.model_spec.signature_name for log in logs} == {
        *("serving_default", "with_seed", "encode")
    }
    for log in logs:
        request = log.predict_log.request
        assert request.model_spec.name == "tiny_bag"
        inputs = {name: tf.constant(tf.make_ndarray(t)) for name, t in request.inputs.items()}
        answer = signatures[request.model_spec.signature_name](**inputs)
        assert {len(value) for value in answer.values()} == {len(inputs["captions"])}


@pytest.mark.parametrize("length", [0, 1, 127, 128, 16_383, 16_384, 100_000])
def test_fields_of_any_length_are_read_back(length):
    """A length takes a byte more from 2 ** 7 and from 2 ** 14 on."""
    caption = np.asarray(["雪" * (length // 3) + "x" * (length % 3)], object)
    log = prediction_log_pb2.PredictionLog.FromString(
        serving.prediction_log("模型", "serving_default", {"captions": caption})
    )
    request = log.predict_log.request
    assert request.model_spec.name == "模型"
    (received,) = tf.make_ndarray(request.inputs["captions"])
    assert received.decode() == caption[0] and len(received) == length


@pytest.mark.parametrize(
    ("name", "expected"),
    [("scenes_64", "scenes_64"), ("../../etc", "etc"), ("a b/c", "a_b_c"), ("..", "kgen"),
     ("我的模型", "我的模型"), ("", "kgen")],
)  # fmt: skip
def test_names_cannot_leave_their_folder(name, expected):
    assert serving.model_name(name) == expected

