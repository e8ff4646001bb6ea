"""What the article's model's exports are compared with it on, and by."""

from collections.abc import Sequence

import numpy as np

from kgen.baselines.redrawer import Redrawer
from kgen.export import proof
from kgen.export.captions import FIXED


def proof_inputs(redrawer: Redrawer) -> tuple[Sequence[str], np.ndarray]:
    """Captions that try every part of a tokenizer, and sources: noise, and every other time a
    flat colour.

    Returns:
        B captions, and uint8 (B, H, W, 3), in [0, 255].
    """
    rng = np.random.default_rng(0)
    shape = (len(FIXED), *redrawer.picture_shape)
    source_pixels = rng.integers(0, 256, shape).astype(np.uint8)
    source_pixels[::2] = source_pixels[::2, :1, :1]
    return FIXED, source_pixels


def check_near(
    artefact: str, expected: np.ndarray, received: np.ndarray, limit: float, unit: str
) -> None:
    """Raises `GateError` unless pictures of an export are those of the model.

    Args:
        artefact: Its name in errors.
        expected: Pictures (B, H, W, 3) of the model.
        received: Pictures of the export.
        limit: Greatest difference that is let through.
        unit: Of the numbers in the pictures.
    """
    same = received.shape == expected.shape
    proof.gate(same, artefact, "shape", f"{expected.shape}", received.shape)
    finite = bool(np.isfinite(received).all())
    proof.gate(finite, artefact, "numbers", "finite", "NaN or infinity")
    most = proof.difference(expected, received, span=1.0)["max_difference"]
    near = most <= limit
    proof.gate(near, artefact, "difference to the model", f"at most {limit:g} {unit}", most)
