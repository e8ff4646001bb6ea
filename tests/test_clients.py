"""The examples of clients, run as programs against servers that answer as TensorFlow Serving does.

TensorFlow Serving itself is in no package registry. The servers here call the exported signatures
by the rules of its RESTful API and with its own gRPC messages.
"""

import base64
import concurrent.futures
import http.server
import json
import subprocess
import sys
import threading

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc
from test_export import build_painter

from kgen.export import serving
from kgen.export.exporting import export

CAPTION = "夜晚的红色小船"


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    out = tmp_path_factory.mktemp("exported")
    export(build_painter("bag", word_attention=False), out, ["saved_model"])
    return out / "serving"


@pytest.fixture(scope="module")
def signatures(out):
    return tf.saved_model.load(out / "tiny_bag" / "1").signatures


def answered(signatures, name, inputs):
    """Outputs of a signature; all inputs have to be there, as a server demands."""
    signature = signatures[name]
    specs = signature.structured_input_signature[1]
    assert set(inputs) == set(specs)
    given = {key: tf.constant(value, specs[key].dtype) for key, value in inputs.items()}
    return {key: value.numpy() for key, value in signature(**given).items()}


def as_json(name, value):
    """Strings of outputs whose name ends in _bytes go as base64."""
    if isinstance(value, list):
        return [as_json(name, one) for one in value]
    return {"b64": base64.b64encode(value).decode()} if name.endswith("_bytes") else value


@pytest.fixture
def rest(signatures):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):  # noqa: N802: as it is called
            assert self.path == "/v1/models/tiny_bag:predict"
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            outputs = answered(signatures, asked["signature_name"], asked["inputs"])
            outputs = {name: as_json(name, value.tolist()) for name, value in outputs.items()}
            if len(outputs) == 1:
                (outputs,) = outputs.values()
            content = json.dumps({"outputs": outputs}).encode()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


@pytest.fixture
def by_grpc(signatures):
    class Service(prediction_service_pb2_grpc.PredictionServiceServicer):
        def Predict(self, request, context):  # noqa: N802: as it is called
            assert request.model_spec.name == "tiny_bag"
            inputs = {name: tf.make_ndarray(value) for name, value in request.inputs.items()}
            answer = predict_pb2.PredictResponse()
            outputs = answered(signatures, request.model_spec.signature_name, inputs)
            for name, value in outputs.items():
                answer.outputs[name].CopyFrom(tf.make_tensor_proto(value))
            return answer

    server = grpc.server(concurrent.futures.ThreadPoolExecutor(2))
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(Service(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}"
    server.stop(None)


@pytest.mark.parametrize("kind", ["rest", "grpc"])
def test_a_client_gets_the_picture(kind, out, signatures, tmp_path, request):
    address = request.getfixturevalue("rest" if kind == "rest" else "by_grpc")
    command = [sys.executable, out / f"{kind}_client.py", "tiny_bag", CAPTION, tmp_path / "a.png"]
    ran = subprocess.run(
        [*command, "--seed", "7", "--address", address], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    drawn = tf.io.decode_png((tmp_path / "a.png").read_bytes()).numpy()
    expected = answered(signatures, "with_seed", {"captions": [CAPTION], "seed": [7]})["image"][0]
    assert np.array_equal(drawn, expected)


@pytest.mark.parametrize(
    ("kind", "place"), [("rest", "http://127.0.0.1:9"), ("grpc", "127.0.0.1:9")]
)
def test_a_client_without_a_server_says_so_in_a_line(kind, place, out, tmp_path):
    command = [sys.executable, out / f"{kind}_client.py", "tiny_bag", CAPTION, tmp_path / "a.png"]
    ran = subprocess.run(
        [*command, "--address", place], capture_output=True, text=True, check=False
    )
    said = ran.stderr.strip().splitlines()
    assert ran.returncode == 1
    assert said[-1].startswith(place)
    assert "Traceback" not in ran.stderr
    assert not (tmp_path / "a.png").exists()


def test_clients_stand_alone_beside_the_models(out):
    for name in serving.CLIENTS:
        text = (out / name).read_text(encoding="utf-8")
        assert "kgen" not in text.replace("scenes_64", "")
