"""A SavedModel, run where kgen is not, against the model that it was made from."""

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from kgen import files
from kgen.export import proof
from kgen.export.captions import Captions, proof_captions
from kgen.export.served import DEFAULT_SEED, seeded_noise
from kgen.export.served_operators import foreign_operators, operators_of
from kgen.noise import sample_noise
from kgen.pictures import to_pixels
from kgen.pipeline import TextToImage

PROCESS = Path(__file__).with_name("saved_model_process.py")
MOST_LEVELS = 1  # Pixels may be rounded to either side of a half.
MOST_DIFFERENCE = 1e-4  # of scores, in [-1, 1]
MOST_OF_VECTOR = 1e-4  # of caption vectors, unbounded, of some units
NUM_MATCHES = 32  # captions with pictures of the matcher's
BATCHES = (slice(0, 0), slice(0, 1), slice(1, 4), slice(4, None))  # batches of any size


@dataclass(frozen=True)
class Comparison:
    """Calls of a kind of signature, and what the model itself gives for them.

    Attributes:
        artefact: Name of the proof.
        calls: Names of signatures, and their inputs.
        expected: For each call (B, …).
        unit: Of the numbers.
        span: From their lowest to their highest.
        limit: Greatest difference that is let through.
    """

    artefact: str
    calls: list[tuple[str, dict[str, np.ndarray]]]
    expected: list[np.ndarray]
    unit: str
    span: float
    limit: float


def prove_saved_model(
    painter: TextToImage, folder: str | os.PathLike, place: str, captions: Captions
) -> list[proof.Proof]:
    """Runs a SavedModel in a fresh process and compares every signature with the model.

    Args:
        painter: The model.
        folder: Where the SavedModel is now.
        place: Where it will be, relative to the export's folder.
        captions: What to compare with.

    Returns:
        Proofs of the pictures, of the caption vectors and, where the model has a matcher, of the
        scores.

    Raises:
        GateError: It has foreign operators, fails to run, or differs.
    """
    operators = operators_of(folder)
    foreign = foreign_operators(operators)
    proof.gate(not foreign, "saved_model", "operators", "TensorFlow's or known to servers", foreign)
    compared = list(_comparisons(painter, captions))
    calls = [call for comparison in compared for call in comparison.calls]
    answers, versions, took = call_saved_model(folder, calls)
    answers = iter(answers)
    return [
        proof.compare(
            painter,
            np.concatenate(comparison.expected),
            np.concatenate([next(answers) for _ in comparison.calls]),
            artefact=comparison.artefact,
            place=place,
            written=folder,
            runtime="a fresh process that imports only tensorflow and tensorflow_text",
            operators=operators,
            captions=captions.kind,
            unit=comparison.unit,
            span=comparison.span,
            limit=comparison.limit,
            versions=versions,
            latency_ms=took if comparison.artefact == "saved_model" else {},
        )
        for comparison in compared
    ]


def _comparisons(painter, captions) -> Iterator[Comparison]:
    yield _of_pictures(painter, captions)
    yield _of_caption_vectors(painter, captions)
    if painter.matcher is not None:
        yield _of_scores(painter, captions)


def _of_pictures(painter, real):
    captions = proof_captions(real)
    seeds = np.arange(len(captions), dtype=np.int64) * 2**57 - 7  # also negative, also huge
    noise_dim = painter.config.networks.noise_dim
    token_ids = painter.tokenizer(captions)
    noise = sample_noise(len(captions), noise_dim, seed=0)
    by_seed = seeded_noise(seeds, noise_dim)
    by_default = seeded_noise(np.full(len(captions), DEFAULT_SEED), noise_dim)
    said = np.asarray(captions, object)
    calls, expected = [], []
    for rows in BATCHES:
        for signature, inputs, drawn in (
            ("from_ids", {"token_ids": token_ids.numpy(), "noise": noise}, noise),
            ("with_seed", {"captions": said, "seed": seeds}, by_seed),
            ("serving_default", {"captions": said}, by_default),
        ):
            calls.append((signature, {name: value[rows] for name, value in inputs.items()}))
            expected.append(_pixels(painter, token_ids[rows], drawn[rows]))
    some = BATCHES[2]
    calls.append(("png", {"captions": said[some], "seed": seeds[some]}))
    expected.append(_pixels(painter, token_ids[some], by_seed[some]))
    return Comparison("saved_model", calls, expected, "levels of 255", 255.0, MOST_LEVELS)


def _pixels(painter, token_ids, noise):
    if not len(noise):
        return np.zeros((0, painter.image_size, painter.image_size, 3), np.uint8)
    return to_pixels(painter.generate_images(token_ids, noise).numpy())


def _of_caption_vectors(painter, real):
    captions = proof_captions(real)
    token_ids = painter.tokenizer(captions)
    vectors = painter.encoder(token_ids, training=False)["caption_vector"].numpy()
    said = np.asarray(captions, object)
    calls = [("encode", {"captions": said[rows]}) for rows in BATCHES]
    expected = [vectors[rows] for rows in BATCHES]
    span = float(vectors.max() - vectors.min())
    return Comparison("saved_model_encode", calls, expected, "units", span, MOST_OF_VECTOR)


def _of_scores(painter, real):
    matcher = painter.matcher
    captions = proof_captions(real, NUM_MATCHES)
    pixels = proof.proof_pictures(painter, matcher.image_shape, captions)
    match = proof.expected_match(matcher, pixels, captions)
    said = np.asarray(captions, object)
    calls = [("score", {"captions": said[rows], "image": pixels[rows]}) for rows in BATCHES]
    expected = [match[rows] for rows in BATCHES]
    return Comparison("saved_model_match", calls, expected, "of [-1, 1]", 2.0, MOST_DIFFERENCE)


def call_saved_model(
    folder: str | os.PathLike, calls: Sequence[tuple[str, dict[str, np.ndarray]]]
) -> tuple[list[np.ndarray], dict[str, str], dict[str, tuple[float, float]]]:
    """Calls signatures in a fresh process that imports only TensorFlow and TF-Text.

    Args:
        folder: The SavedModel.
        calls: For each call the signature's name and its inputs.

    Returns:
        For each call the signature's output other than `png_bytes` (its pixels, if there is no
        other), the versions of what ran, and median and 95th percentile of a caption's picture.

    Raises:
        GateError: The process failed, or PNGs hold other pixels than `image`.
    """
    with tempfile.TemporaryDirectory() as name:
        shared = Path(name)
        files.write_json(shared / "calls.json", [_plain(*call) for call in calls])
        command = [sys.executable, "-P", PROCESS, os.path.abspath(folder), shared]
        ran = subprocess.run(command, capture_output=True, text=True, cwd=shared, check=False)
        done = ran.returncode == 0
        proof.gate(done, "saved_model", "run", "run by a fresh process", _complaint(ran.stderr))
        answers = [np.load(shared / f"{n}.npy") for n in range(len(calls))]
        for n, ((signature, _), pixels) in enumerate(zip(calls, answers)):
            if pixels.ndim == 4:
                same = all(
                    np.array_equal(_decoded(shared / f"{n}_{i}.png"), one)
                    for i, one in enumerate(pixels)
                )
                expected = "the pixels of `image`"
                proof.gate(same, "saved_model", f"{signature} png_bytes", expected, "others")
        told = json.loads(ran.stdout.splitlines()[-1])
        return answers, told["versions"], _latency(told["milliseconds"])


def _latency(took):
    warm = took[len(took) // 4 :]
    return {"all threads": proof.summary(warm)} if warm else {}


def _plain(signature: str, inputs: dict[str, np.ndarray]) -> dict[str, Any]:
    """A call as JSON has it; float32 survives, since its repr as a double is exact."""
    return {
        "signature": signature,
        "inputs": {
            name: {
                "values": value.tolist(),
                "dtype": "string" if value.dtype == object else value.dtype.name,
                "shape": value.shape,
            }
            for name, value in inputs.items()
        },
    }


def _complaint(stderr):
    """The line of a failed program's output that says most."""
    lines = stderr.strip().splitlines() or ["nothing"]
    return next((line for line in reversed(lines) if re.match(r"\S*Error\b", line)), lines[-1])


def _decoded(path):
    with Image.open(path, formats=("PNG",)) as picture:
        return np.asarray(picture)
