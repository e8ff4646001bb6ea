"""The files that TensorFlow Serving reads beside its models: what to serve, warm-up, batching."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import tensorflow as tf

from kgen import files

PLACE = "serving"
MODELS = "models.config"
BATCHING = "batching.config"
OF_CLIENTS = Path(__file__).with_name("clients")
CLIENTS = ("rest_client.py", "grpc_client.py")
WARMUP = "assets.extra/tf_serving_warmup_requests"  # the server looks for it there
MOUNTED = "/models"  # where TensorFlow Serving's container looks
# A server waits half a millisecond for other requests, less than a picture takes.
BATCHES = """\
max_batch_size { value: 32 }
batch_timeout_micros { value: 500 }
max_enqueued_batches { value: 256 }
num_batch_threads { value: 2 }
"""


def model_name(name: str) -> str:
    """A name that can be a folder's and stand in a server's addresses.

    Example:
        >>> model_name("../我的 run"), model_name("..")
        ('我的_run', 'kgen')
    """
    return re.sub(r"[^\w.-]+", "_", name).strip("._") or "kgen"


def next_version(folder: Path) -> int:
    """The version after the greatest in a model's folder, whose folders are numbers; from 1."""
    versions = [int(p.name) for p in folder.glob("*") if p.is_dir() and p.name.isdecimal()]
    return max(versions, default=0) + 1


def write_configs(folder: Path) -> None:
    """Writes `models.config`, of every model in `folder`, `batching.config`, and clients.

    Args:
        folder: With a folder for each model, and in it one for each version.
    """
    names = sorted(p.parent.parent.name for p in folder.glob("*/*/saved_model.pb"))
    models = "".join(map(_of_model, dict.fromkeys(names)))
    files.write_text(folder / MODELS, f"model_config_list {{\n{models}}}\n")
    files.write_text(folder / BATCHING, BATCHES)
    for name in CLIENTS:
        files.write_text(folder / name, (OF_CLIENTS / name).read_text(encoding="utf-8"))


def _of_model(name):
    path = f"{MOUNTED}/{name}"
    about = f'name: "{name}" base_path: "{path}" model_platform: "tensorflow"'
    return f"  config {{ {about} }}\n"


def write_warmup(
    folder: Path, model: str, calls: Sequence[tuple[str, dict[str, np.ndarray]]]
) -> None:
    """Writes requests that a server makes before it answers its first, which else takes longer.

    Args:
        folder: The SavedModel.
        model: Its name.
        calls: For each request the signature's name and its inputs.

    Source: TensorFlow Serving, SavedModel Warmup: a TFRecord file of `PredictionLog` messages.
    """
    (folder / WARMUP).parent.mkdir()
    with tf.io.TFRecordWriter(str(folder / WARMUP)) as writer:
        for signature, inputs in calls:
            writer.write(prediction_log(model, signature, inputs))


def prediction_log(model: str, signature: str, inputs: dict[str, np.ndarray]) -> bytes:
    """A `tensorflow.serving.PredictionLog` of a `PredictRequest`, serialised.

    By hand, since its class is in tensorflow-serving-api, which only servers' clients need: the
    four messages that are nested here have nothing but fields of a length.

    Source: TensorFlow Serving's prediction_log.proto, predict.proto and model.proto; Protocol
        Buffers, Encoding, Length-Delimited Records.
    """
    spec = _field(1, model.encode()) + _field(3, signature.encode())
    request = _field(1, spec)
    for name, value in inputs.items():
        tensor = tf.make_tensor_proto(value).SerializeToString()
        request += _field(2, _field(1, name.encode()) + _field(2, tensor))
    return _field(6, _field(1, request))


def _field(number, content):
    return bytes([number << 3 | 2]) + _varint(len(content)) + content


def _varint(number):
    low, high = number & 0x7F, number >> 7
    return bytes([low | 0x80]) + _varint(high) if high else bytes([low])
