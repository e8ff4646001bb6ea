"""Draws a caption by TensorFlow Serving's REST interface, with nothing but Python.

    python rest_client.py scenes_64 "a snowy night" night.png --seed 7

Source: TensorFlow Serving, RESTful API, Predict; its columnar format.
"""

import argparse
import base64
import json
import urllib.error
import urllib.request
from pathlib import Path


def draw(address: str, model: str, captions: list[str], seeds: list[int]) -> list[bytes]:
    """PNG files of captions.

    Args:
        address: Such as http://127.0.0.1:8501.
        model: Name of the model.
        captions: B of them.
        seeds: As many whole numbers; the same caption and seed give the same picture.
    """
    asked = {"signature_name": "png", "inputs": {"captions": captions, "seed": seeds}}
    request = urllib.request.Request(
        f"{address}/v1/models/{model}:predict",
        json.dumps(asked).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        outputs = json.load(answer)["outputs"]  # the only output, so without its name
    return [base64.b64decode(png["b64"]) for png in outputs]


def main() -> None:
    """Draws what the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("caption")
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--address", default="http://127.0.0.1:8501")
    given = parser.parse_args()
    try:
        (png,) = draw(given.address, given.model, [given.caption], [given.seed])
    except urllib.error.HTTPError as error:  # the server says why
        raise SystemExit(f"{given.address}: {error.read().decode(errors='replace')}") from None
    except OSError as error:
        raise SystemExit(f"{given.address}: {error}. Is TensorFlow Serving there?") from None
    given.out.write_bytes(png)


if __name__ == "__main__":
    main()
