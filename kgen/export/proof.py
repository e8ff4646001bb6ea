"""What was written, run in its real runtime and compared with the model that it came from."""

import dataclasses
import hashlib
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from kgen import checks, files
from kgen.matcher import Matcher
from kgen.pictures import to_image
from kgen.pipeline import TextToImage

PROOFS = "proof.json"
READABLE = "PROOF.md"
NUM_CAPTIONS = 32

# Nothing, blanks, both languages, one line and pages, full-width letters, accents, no words.
FIXED_CAPTIONS = (
    "",
    " \t\u3000",
    "美丽的日落景象",
    "a snowy night",
    "Two red boats on a calm lake at dawn, with mountains behind them",
    "夜晚的城市上空有一轮满月，左边有三只鸟",
    "ｓｕｎ，红色的 sunset！",
    "Café 😀 naïve ½",
    "a quiet sea under a low sun " * 40,
    "雪" * 1000,
)


class GateError(ValueError):
    """An artefact was refused; the message names it, the gate, and what came instead."""


@dataclass(frozen=True)
class Proof:
    """What was written and how far it is from the model.

    Attributes:
        artefact: `saved_model`, `litert` or `web`, of pictures; with `_match`, of a matcher's
            scores.
        path: Where it is, relative to the export's folder.
        model: Name of the model.
        model_hash: Its hash; empty if unknown.
        post: Post-processing that is part of it; empty for none.
        num_bytes: Size of the artefact in bytes.
        sha256: Of the artefact; of a folder, of its files' names and contents in order.
        runtime: What ran it.
        versions: Versions of what ran it.
        operators: Every operator in it, with how often it is there.
        num_pictures: Pictures that were compared.
        unit: Unit of the differences.
        limit: Greatest difference that is let through.
        max_difference: Greatest difference of one channel of one pixel.
        mean_difference: Mean absolute difference.
        psnr_db: Peak signal-to-noise ratio in dB; `None` if nothing differs.
    """

    artefact: str
    path: str
    model: str
    model_hash: str
    post: str
    num_bytes: int
    sha256: str
    runtime: str
    versions: dict[str, str]
    operators: dict[str, int]
    num_pictures: int
    unit: str
    limit: float
    max_difference: float
    mean_difference: float
    psnr_db: float | None


def gate(
    held: bool,
    artefact: str,
    name: str,
    expected: str,
    received: Any,
    cause: Exception | None = None,
) -> None:
    """Raises `GateError` unless `held`."""
    if not held:
        hint = "Nothing new was left under its name."
        raise GateError(checks.wrong(f"{artefact}: {name}", expected, received, hint)) from cause


def proof_captions(vocabulary: Sequence[str], num: int = NUM_CAPTIONS) -> list[str]:
    """Captions to compare with: some fixed ones, then random ones of the model's own words.

    Example:
        >>> proof_captions(["[PAD]", "[UNK]", "red", "##s", "红"], 11)[2:]  # doctest: +ELLIPSIS
        ['美丽的日落景象', 'a snowy night', ...]
    """
    generator = np.random.default_rng(0)
    words = [token.removeprefix("##") for token in vocabulary[2:]]
    captions = list(FIXED_CAPTIONS[:num])
    while len(captions) < num:
        captions.append(" ".join(generator.choice(words, generator.integers(1, 24))))
    return captions


def proof_pictures(painter: TextToImage, shape: tuple[int, int, int], num: int) -> np.ndarray:
    """Pictures to score: the model's own, before post-processing, and noise every other time.

    Args:
        painter: The model.
        shape: H, W, 3.
        num: B.

    Returns:
        uint8 (B, H, W, 3).
    """
    pixels = np.random.default_rng(0).integers(0, 256, (num, *shape)).astype(np.uint8)
    captions = proof_captions(painter.vocabulary, num)[::2]
    pixels[::2] = painter.generate(captions, post="")
    return pixels


def expected_match(matcher: Matcher, pixels: np.ndarray, captions: Sequence[str]) -> np.ndarray:
    """What a matcher makes of pictures and captions: float32 (B, 1)."""
    inputs = {"image": to_image(pixels), "token_ids": matcher.tokenizer(captions).numpy()}
    return np.asarray(matcher.scorer(inputs, training=False)["match"])


def difference(expected: np.ndarray, received: np.ndarray, span: float) -> dict[str, float | None]:
    """How far two arrays are from each other.

    Formula:
        psnr = 10 log10(span² / mean((expected - received)²))

    Args:
        expected: Numbers of any shape.
        received: As many.
        span: From the lowest to the highest possible number.

    Returns:
        `max_difference`, `mean_difference` and `psnr_db`, which is `None` if nothing differs.

    Example:
        >>> difference(np.array([0.0, 1.0]), np.array([0.0, 1.5]), span=2.0)
        {'max_difference': 0.5, 'mean_difference': 0.25, 'psnr_db': 15.051499783199061}
    """
    gap = np.abs(expected.astype(np.float64) - received.astype(np.float64))
    error = float(np.mean(gap**2))
    return {
        "max_difference": float(gap.max()),
        "mean_difference": float(gap.mean()),
        "psnr_db": 10 * math.log10(span**2 / error) if error else None,
    }


def compare(
    painter: TextToImage,
    expected: np.ndarray,
    received: np.ndarray,
    *,
    artefact: str,
    place: str,
    written: str | os.PathLike,
    unit: str,
    span: float,
    limit: float,
    **described: Any,
) -> Proof:
    """Compares what an artefact drew with what the model drew.

    Args:
        painter: The model.
        expected: Pictures (B, H, W, 3) of the model.
        received: Pictures of the artefact.
        artefact: Its name.
        place: Where it will be, relative to the export's folder.
        written: Where it is now.
        unit: Of the numbers in the pictures.
        span: From their lowest possible to their highest.
        limit: Greatest difference that is let through.
        **described: The other attributes of `Proof`.

    Raises:
        GateError: The shapes are not the same, or some number differs by more than `limit`.
    """
    gate(received.shape == expected.shape, artefact, "shape", f"{expected.shape}", received.shape)
    found = difference(expected, received, span)
    most = found["max_difference"]
    near = most <= limit  # False for NaN too
    gate(near, artefact, "difference to the model", f"at most {limit:g} {unit}", most)
    return Proof(
        artefact=artefact,
        path=place,
        model=painter.config.name,
        model_hash=painter.hash,
        post=str(painter.post),
        num_pictures=len(expected),
        unit=unit,
        limit=limit,
        **_weighed(Path(written)),
        **found,
        **described,
    )


def call_litert(
    path: str | os.PathLike,
    specs: Sequence[tf.TensorSpec],
    *inputs: np.ndarray,
    output: str = "image",
) -> tuple[list[np.ndarray], dict[str, str]]:
    """Calls the signature `serving_default` of a LiteRT file in `ai_edge_litert`, row by row.

    Args:
        path: The file.
        specs: Name, shape and type of each input; the batch is 1.
        *inputs: For each input (N, ...).
        output: Name of the only output.

    Returns:
        N outputs (1, ...), and the versions of what ran.

    Raises:
        GateError: The runtime refuses the file, or it has other inputs or outputs.
    """
    from ai_edge_litert.interpreter import Interpreter

    try:
        interpreter = Interpreter(os.fspath(path), num_threads=2)
        interpreter.allocate_tensors()
        draw = interpreter.get_signature_runner("serving_default")
    except (RuntimeError, ValueError) as error:
        gate(False, "litert", "run", "taken by ai_edge_litert", str(error), error)
    expected = {spec.name: (*spec.shape, spec.dtype.name) for spec in specs}
    details = draw.get_input_details()
    found = {n: (*map(int, d["shape"]), np.dtype(d["dtype"]).name) for n, d in details.items()}
    gate(found == expected, "litert", "inputs", f"{expected}", found)
    outputs = sorted(draw.get_output_details())
    gate(outputs == [output], "litert", "outputs", f"{[output]}", outputs)
    rows = [
        draw(**{spec.name: given[i : i + 1] for spec, given in zip(specs, inputs)})[output]
        for i in range(len(inputs[0]))
    ]
    return rows, {"ai_edge_litert": metadata.version("ai-edge-litert")}


def record(folder: str | os.PathLike, proof: Proof) -> None:
    """Puts a proof into `proof.json` and `PROOF.md`, beside those of what else is still there."""
    folder = Path(folder)
    path = folder / PROOFS
    proofs = files.read_json(path) if path.exists() else {}
    proofs[proof.artefact] = dataclasses.asdict(proof)
    proofs = {name: each for name, each in proofs.items() if (folder / each["path"]).exists()}
    files.write_json(path, proofs)
    files.write_text(folder / READABLE, _readable(proofs.values()))


def _readable(proofs) -> str:
    lines = [
        "# What was proven",
        "",
        "Each artefact was run in its runtime and compared with the Keras model, picture by",
        "picture, before it got its name.",
    ]
    for proof in proofs:
        operators = ", ".join(f"{name} {count}" for name, count in proof["operators"].items())
        versions = ", ".join(f"{name} {version}" for name, version in proof["versions"].items())
        psnr = "nothing differs" if proof["psnr_db"] is None else f"{proof['psnr_db']:.1f} dB"
        hashed = f", {proof['model_hash']}" if proof["model_hash"] else ""
        lines += [
            "",
            f"## {proof['path']}{_of_what(proof['artefact'])}",
            "",
            "| | |",
            "|---|---|",
            f"| model | {proof['model']}{hashed} |",
            f"| post-processing | {proof.get('post') or 'none'} |",
            f"| size | {proof['num_bytes']:,} bytes |",
            f"| run by | {proof['runtime']} |",
            f"| versions | {versions} |",
            f"| pictures compared | {proof['num_pictures']} |",
            f"| gate | at most {proof['limit']:g} {proof['unit']} |",
            f"| greatest difference | {proof['max_difference']:.3g} {proof['unit']} |",
            f"| mean difference | {proof['mean_difference']:.3g} {proof['unit']} |",
            f"| PSNR | {psnr} |",
            f"| SHA-256 | `{proof['sha256']}` |",
            "",
            f"Operators: {operators}.",
        ]
    return "\n".join(lines) + "\n"


def _of_what(artefact):
    part = artefact.rpartition("_")[2]
    return {"match": ": match", "encode": ": encode"}.get(part, "")


def _weighed(written):
    """Size and hash of a file, or of all files in a folder."""
    paths = [written] if written.is_file() else sorted(p for p in written.rglob("*") if p.is_file())
    digest = hashlib.sha256()
    for path in paths:
        if path != written:
            digest.update(path.relative_to(written).as_posix().encode())
        digest.update(path.read_bytes())
    return {"num_bytes": sum(p.stat().st_size for p in paths), "sha256": digest.hexdigest()}
