"""One call for every format a model is exported to."""

import os
from collections.abc import Sequence

from kgen import checks
from kgen.export.litert import export_litert
from kgen.export.proof import Proof
from kgen.export.saved_model import export_saved_model
from kgen.export.web import export_web
from kgen.pipeline import TextToImage

FORMATS = {"saved_model": export_saved_model, "litert": export_litert, "web": export_web}


def export(
    painter: TextToImage, out: str | os.PathLike, formats: Sequence[str] = ("saved_model", "litert")
) -> list[Proof]:
    """Writes a model for other runtimes; each artefact was run in its own before it is there.

    Args:
        painter: The model.
        out: A folder, made if need be. `out/litert`, `out/web`, `out/proof.json` and
            `out/PROOF.md` are replaced, `out/serving` gets another version; all else is left
            alone. Where the model has a matcher, it goes along: as the signature `score`, and as
            `out/litert/matcher`.
        formats: Some of `saved_model`, `litert` and `web`, written in that order.

    Returns:
        For each format what was written, where, and how far it is from the model.

    Raises:
        ValueError: A format is unknown, or none is given.
        GateError: An artefact does not do what the model does. It and those after it are not
            there; those before it are.
        OSError: The folder cannot be written to.

    Example:
        for proof in export(kgen.TextToImage.from_preset("scenes_64"), "exported"):
            print(proof.path, proof.max_difference, proof.unit)
    """
    if isinstance(formats, str) or not formats:
        raise ValueError(
            checks.wrong("formats", "a list of formats", formats, f"Known: {', '.join(FORMATS)}.")
        )
    for name in formats:  # all before the first is written
        checks.check_choice("formats", name, FORMATS)
    return [FORMATS[name](painter, out) for name in formats]
