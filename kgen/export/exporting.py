"""One call for every format a model is exported to."""

import os
from collections.abc import Sequence

from kgen import checks
from kgen.export.captions import Captions
from kgen.export.format_names import FORMATS
from kgen.export.litert.exporting import export_litert
from kgen.export.onnx import export_onnx
from kgen.export.proof import Proof
from kgen.export.saved_model import export_saved_model
from kgen.export.web import export_web
from kgen.pipeline import TextToImage
from kgen.runtime.precisions import PRECISIONS

WRITERS = dict(zip(FORMATS, (export_saved_model, export_litert, export_web, export_onnx)))


def export(
    painter: TextToImage,
    out: str | os.PathLike,
    formats: Sequence[str] = ("saved_model", "litert"),
    captions: Captions | None = None,
    precisions: Sequence[str] = PRECISIONS,
) -> list[Proof]:
    """Writes a model for other runtimes; each artefact was run in its own before it is there.

    Args:
        painter: The model.
        out: A folder, made if need be. `out/litert`, `out/web`, `out/onnx`, `out/proof.json` and
            `out/PROOF.md` are replaced, `out/serving` gets another version; all else is left
            alone. Where the model has a matcher, it goes along: as the signature `score`, and as
            `out/litert/matcher`.
        formats: Some of `saved_model`, `litert`, `web` and `onnx`, written in that order.
        captions: What integer files are calibrated with, and everything proven; made of the
            model's vocabulary if left out.
        precisions: Of LiteRT: some of `float32`, `float16`, `dynamic` and `int8`.

    Returns:
        For each artefact what was written, where, and how far it is from the model.

    Raises:
        ValueError: A format is unknown, or none is given.
        GateError: An artefact does not do what the model does. It and those after it are not
            there; those before it are.
        OSError: The folder cannot be written to.

    Example:
        for proof in export(kgen.TextToImage.from_preset("scenes_64"), "exported"):
            print(proof.path, proof.max_difference, proof.unit)
    """
    checks.check_choices("formats", formats, FORMATS)  # all before the first is written
    checks.check_choices("precisions", precisions, PRECISIONS)
    proven = []
    for name in formats:
        of_format = {"precisions": precisions} if name == "litert" else {}
        proven += WRITERS[name](painter, out, captions, **of_format)
    return proven
