"""The model as ONNX, by Keras' own export, for ONNX Runtime: the extra `kgen[onnx]`."""

import os
from collections import Counter
from importlib import metadata, util
from pathlib import Path

import numpy as np

from kgen import checks, files
from kgen.export import proof
from kgen.export.beside import write_reading
from kgen.export.captions import Captions, made_up, proof_captions
from kgen.export.rounding import most_difference
from kgen.noise import sample_noise
from kgen.pipeline import TextToImage

PLACE = "onnx"
MODEL = "model.onnx"
NEEDS = ("onnx", "tf2onnx", "onnxruntime")
OUTPUT = "image"


def export_onnx(
    painter: TextToImage, folder: str | os.PathLike, captions: Captions | None = None
) -> list[proof.Proof]:
    """Writes `folder/onnx`, runs it in ONNX Runtime, and compares it with the model.

    `model.onnx` goes from `token_ids` int32 (B, L) and `noise` float32 (B, Z) to `image` float32
    (B, H, W, 3), in [-1, 1], of any B. What captions are read by lies beside it, as in `litert`.

    Args:
        painter: The model.
        folder: Made if need be. `proof.json` and `PROOF.md` in it get a section.
        captions: What it is proven with; made of the model's vocabulary if left out.

    Returns:
        Where it is and how far it is from the model.

    Raises:
        ValueError: `onnx`, `tf2onnx` or `onnxruntime` is not installed.
        GateError: It is not what the model is; then nothing new is under its name.
        OSError: The folder cannot be written to.
    """
    missing = [name for name in NEEDS if util.find_spec(name) is None]
    if missing:
        hint = "Install kgen[onnx]."
        raise ValueError(checks.wrong("formats: onnx", f"with {', '.join(NEEDS)}", missing, hint))
    captions = captions or made_up(painter)
    with files.whole_folder(Path(folder) / PLACE) as beside:
        write_onnx(painter, beside / MODEL)
        write_reading(painter, beside)
        proven = _prove(painter, beside / MODEL, captions)
    proof.record(folder, proven)
    return [proven]


def write_onnx(painter: TextToImage, path: Path) -> None:
    """Writes a model's file, unproven."""
    import onnx

    config = painter.config
    given = {
        "token_ids": np.zeros((1, config.text.caption_length), np.int32),
        "noise": np.zeros((1, config.networks.noise_dim), np.float32),
    }
    painter.model(given, training=False)  # Keras exports none that has never been called.
    painter.model.export(os.fspath(path), format="onnx", verbose=False)
    model = onnx.load(path)
    (output,) = model.graph.output
    for node in model.graph.node:
        node.output[:] = [OUTPUT if name == output.name else name for name in node.output]
    output.name = OUTPUT
    onnx.save(model, path)


def _prove(painter, path, captions):
    import onnx
    import onnxruntime

    said = proof_captions(captions)
    token_ids = painter.tokenizer(said).numpy()
    noise = sample_noise(len(said), painter.config.networks.noise_dim, seed=0)
    expected = painter.generate_images(token_ids, noise).numpy()
    try:
        run = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"]).run
        batches = (slice(0, 1), slice(1, 4), slice(4, None))
        drawn = [
            run([OUTPUT], {"token_ids": token_ids[rows], "noise": noise[rows]})[0]
            for rows in batches
        ]
    except Exception as error:  # its classes have no common public one
        proof.gate(False, "onnx", "run", "run by onnxruntime", str(error), error)
    one = {"token_ids": token_ids[:1], "noise": noise[:1]}
    return proof.compare(
        painter,
        expected,
        np.concatenate(drawn),
        artefact="onnx",
        place=f"{PLACE}/{MODEL}",
        written=path,
        runtime="onnxruntime",
        operators=dict(sorted(Counter(n.op_type for n in onnx.load(path).graph.node).items())),
        captions=captions.kind,
        unit="of [-1, 1]",
        span=2.0,
        limit=most_difference(painter, token_ids, noise, expected),
        versions={name: metadata.version(name) for name in ("onnxruntime", "tf2onnx")},
        latency_ms={"all threads": proof.latency(lambda: run([OUTPUT], one))},
    )
