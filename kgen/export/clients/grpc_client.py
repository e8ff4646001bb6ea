"""Draws a caption by TensorFlow Serving's gRPC interface: pip install tensorflow-serving-api.

    python grpc_client.py scenes_64 "正午的大海" sea.png --seed 7

Source: TensorFlow Serving, prediction_service.proto and predict.proto.
"""

import argparse
from pathlib import Path

import grpc
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc


def draw(address: str, model: str, captions: list[str], seeds: list[int]) -> list[bytes]:
    """PNG files of captions.

    Args:
        address: Such as 127.0.0.1:8500.
        model: Name of the model.
        captions: B of them.
        seeds: As many whole numbers; the same caption and seed give the same picture.
    """
    request = predict_pb2.PredictRequest()
    request.model_spec.name = model
    request.model_spec.signature_name = "png"
    request.inputs["captions"].CopyFrom(tf.make_tensor_proto(captions, tf.string))
    request.inputs["seed"].CopyFrom(tf.make_tensor_proto(seeds, tf.int64))
    with grpc.insecure_channel(address) as channel:
        service = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        answer = service.Predict(request, timeout=10)
    return list(answer.outputs["png_bytes"].string_val)


def main() -> None:
    """Draws what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("caption")
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--address", default="127.0.0.1:8500")
    given = parser.parse_args()
    try:
        (png,) = draw(given.address, given.model, [given.caption], [given.seed])
    except grpc.RpcError as error:  # of the server, or that there is none
        raise SystemExit(f"{given.address}: {error.details()}") from None
    given.out.write_bytes(png)


if __name__ == "__main__":
    main()
