"""What was written, run in its real runtime and compared with the model that it came from."""

import dataclasses
import hashlib
import math
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from kgen import checks, files
from kgen.matcher import Matcher
from kgen.pictures import to_image
from kgen.pipeline import TextToImage

PROOFS = "proof.json"
READABLE = "PROOF.md"


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
        captions: What the captions were.
        unit: Unit of the differences.
        limit: Greatest difference that is let through; `None`: any.
        least_psnr_db: Least peak signal-to-noise ratio in dB; `None`: any.
        max_difference: Greatest difference of one channel of one pixel.
        mean_difference: Mean absolute difference.
        psnr_db: Peak signal-to-noise ratio in dB; `None` if nothing differs.
        latency_ms: Median and 95th percentile of one picture, in milliseconds, by what they were
            taken with, as in `2 threads`.
        notes: What else there is to say, by its name.
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
    captions: str
    unit: str
    limit: float | None
    least_psnr_db: float | None
    max_difference: float
    mean_difference: float
    psnr_db: float | None
    latency_ms: dict[str, tuple[float, float]] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)


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


def proof_pictures(
    painter: TextToImage, shape: tuple[int, int, int], captions: Sequence[str]
) -> np.ndarray:
    """Pictures to score: the model's own, before post-processing, and noise every other time.

    Args:
        painter: The model.
        shape: H, W, 3.
        captions: B of them.

    Returns:
        uint8 (B, H, W, 3).
    """
    pixels = np.random.default_rng(0).integers(0, 256, (len(captions), *shape)).astype(np.uint8)
    pixels[::2] = painter.generate(captions[::2], post="")
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
    limit: float | None = None,
    least_psnr_db: float | None = None,
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
        limit: Greatest difference that is let through; `None`: any.
        least_psnr_db: Least peak signal-to-noise ratio in dB; `None`: any.
        **described: The other attributes of `Proof`.

    Raises:
        GateError: The shapes are not the same, some number is none or differs by more than
            `limit`, or the ratio is too low.
    """
    gate(received.shape == expected.shape, artefact, "shape", f"{expected.shape}", received.shape)
    found = difference(expected, received, span)
    most = found["max_difference"]
    finite = bool(np.isfinite(received).all())
    gate(finite, artefact, "numbers", "finite", "NaN or infinity")
    if limit is not None:
        gate(most <= limit, artefact, "difference to the model", f"at most {limit:g} {unit}", most)
    if least_psnr_db is not None and found["psnr_db"] is not None:
        psnr = found["psnr_db"]
        near = psnr >= least_psnr_db
        gate(near, artefact, "PSNR", f"at least {least_psnr_db:g} dB", f"{psnr:.1f} dB")
    return Proof(
        artefact=artefact,
        path=place,
        model=painter.config.name,
        model_hash=painter.hash,
        post=str(painter.post),
        num_pictures=len(expected),
        unit=unit,
        limit=limit,
        least_psnr_db=least_psnr_db,
        **_weighed(Path(written)),
        **found,
        **described,
    )


def latency(call: Callable[[], object], num: int = 100) -> tuple[float, float]:
    """Median and 95th percentile of a call, in milliseconds, after it has been called often."""
    for _ in range(num // 4):
        call()
    took = []
    for _ in range(num):
        start = time.perf_counter()
        call()
        took.append(1e3 * (time.perf_counter() - start))
    return summary(took)


def summary(took: Sequence[float]) -> tuple[float, float]:
    """Median and 95th percentile.

    Example:
        >>> summary([1.0, 2.0, 3.0])
        (2.0, 2.9)
    """
    return round(float(np.median(took)), 3), round(float(np.percentile(took, 95)), 3)


def record(folder: str | os.PathLike, proof: Proof) -> None:
    """Puts a proof into `proof.json` and `PROOF.md`, beside those of what else is still there."""
    folder = Path(folder)
    path = folder / PROOFS
    proofs = files.read_json(path) if path.exists() else {}
    proofs[proof.artefact] = dataclasses.asdict(proof)
    _write(folder, proofs)


def forget_missing(folder: str | os.PathLike) -> None:
    """Takes out of `proof.json` and `PROOF.md` what is no longer there."""
    _write(Path(folder), files.read_json(Path(folder) / PROOFS))


def _write(folder, proofs):
    proofs = {name: each for name, each in proofs.items() if (folder / each["path"]).exists()}
    files.write_json(folder / PROOFS, proofs)
    files.write_text(folder / READABLE, _readable(proofs.values()))


def _readable(proofs) -> str:
    lines = [
        "# What was proven",
        "",
        "Each artefact was run in its runtime and compared with the Keras model, picture by",
        "picture, before it got its name.",
    ]
    told = set()  # paths whose operators have been listed
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
            f"| compared | {proof['num_pictures']}, of captions {proof['captions']} |",
            f"| gate | {_gate_of(proof)} |",
            f"| greatest difference | {proof['max_difference']:.3g} {proof['unit']} |",
            f"| mean difference | {proof['mean_difference']:.3g} {proof['unit']} |",
            f"| PSNR | {psnr} |",
            *(
                f"| latency, {how} | {_latency(took)} |"
                for how, took in proof["latency_ms"].items()
            ),
            *(f"| {name} | {note} |" for name, note in proof["notes"].items()),
            f"| SHA-256 | `{proof['sha256']}` |",
        ]
        if proof["path"] not in told:
            lines += ["", f"Operators: {operators}."]
        told.add(proof["path"])
    return "\n".join(lines) + "\n"


def _gate_of(proof):
    gates = []
    if proof["limit"] is not None:
        gates.append(f"at most {proof['limit']:.2g} ({proof['unit']})")
    if proof["least_psnr_db"] is not None:
        gates.append(f"PSNR at least {proof['least_psnr_db']:g} dB")
    return ", ".join(gates)


def _latency(took):
    return f"{took[0]:.2f} ms, 95 % within {took[1]:.2f} ms"


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
