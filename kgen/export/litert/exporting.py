"""The ladder of LiteRT files, written and proven."""

import os
from collections.abc import Sequence
from pathlib import Path

from kgen import checks, files
from kgen.export import proof
from kgen.export.beside import write_reading
from kgen.export.captions import Captions, made_up
from kgen.export.litert.matcher import prove_matcher, write_matcher
from kgen.export.litert.proving import Prover
from kgen.export.litert.rungs import PARTS, RUNGS, Rung
from kgen.export.litert.writing import Conversions, write_rung
from kgen.matcher import FOLDER as MATCHER
from kgen.pipeline import TextToImage
from kgen.runtime.precisions import PRECISIONS

PLACE = "litert"


def export_litert(
    painter: TextToImage,
    folder: str | os.PathLike,
    captions: Captions | None = None,
    precisions: Sequence[str] = PRECISIONS,
) -> list[proof.Proof]:
    """Writes `folder/litert`, runs it in `ai_edge_litert`, and compares it with the model.

    Of each precision there are three files: `model.tflite` goes from `token_ids` int32 (B, L) and
    `noise` float32 (B, Z) to `image` float32 (B, H, W, 3), in [-1, 1]; `encoder.tflite` and
    `generator.tflite` do it in two steps, for apps that draw one caption often. The names of the
    others' end in `_float16`, `_dynamic` and `_int8`. Each has the signatures
    `serving_default`, with B = 1, and `serving_default_4`, and metadata
    (`kgen.export.litert.metadata`).

    The folder holds besides: `vocabulary.txt` and `reading.json`, to make ids of captions with
    (`kgen.export.reading`); `model.json`, whose name and hash say which model it is;
    `config.json`, which names L, Z, and H and W before any enlargement by post-processing; and
    `examples.json`, captions with their ids, for whoever writes the tokenizer of an app to test
    it by. With a pretrained text model its tokenizer is in `pretrained`, in place of the
    vocabulary, and each id is 1 more than that tokenizer's.

    Where the model has a matcher, `matcher` in the folder holds its `model.tflite`, from `image`
    float32 (1, H, W, 3), in [-1, 1], before post-processing, and its own `token_ids` int32 (1, M)
    to `match` float32 (1, 1), in [-1, 1]; its `vocabulary.txt` and `reading.json`;
    `matcher.json`, which names H, W and M; and its own `examples.json`. The best of several
    pictures is the one with the most.

    Args:
        painter: The model.
        folder: Made if need be. `proof.json` and `PROOF.md` in it get a section for each file.
        captions: What int8 is calibrated and all of it proven with; made of the model's
            vocabulary if left out.
        precisions: Which of `float32`, `float16`, `dynamic` and `int8`.

    Returns:
        Where the files are and how far they are from the model.

    Raises:
        ValueError: A precision is unknown, or none is given.
        GateError: A precision's files do not do what the model does; then they are not there, while
            the others' are. If
            none or the matcher's file is not, nothing new is there.
        OSError: The folder cannot be written to.
    """
    checks.check_choices("precisions", precisions, PRECISIONS)
    captions = captions or made_up(painter)
    refused, proven = [], []
    with files.whole_folder(Path(folder) / PLACE) as beside:
        conversions = Conversions(painter, captions)
        prover = Prover(painter, captions, PLACE)
        for rung in (RUNGS[name] for name in PRECISIONS if name in precisions):
            try:
                proven += _proven_rung(painter, beside, rung, conversions, prover)
            except proof.GateError as error:
                refused.append(error)
        if not proven:
            raise refused[0]
        write_reading(painter, beside)
        if painter.matcher is not None:
            write_matcher(painter.matcher, beside / MATCHER)
            proven.append(prove_matcher(painter, beside / MATCHER, PLACE, captions))
    for each in proven:
        proof.record(folder, each)
    if refused:
        raise refused[0]
    return proven


def _proven_rung(
    painter: TextToImage, folder: Path, rung: Rung, conversions: Conversions, prover: Prover
) -> list[proof.Proof]:
    """Writes a rung by the first recipe that holds its gates.

    Raises:
        GateError: None does; then none of its files are there.
    """
    refused = None
    for recipe, contents in conversions.versions(rung):
        write_rung(painter, folder, rung, contents)
        try:
            return prover.prove(folder, rung, recipe)
        except proof.GateError as error:
            refused = error
            for part in PARTS:
                (folder / rung.file(part)).unlink()
    raise refused
