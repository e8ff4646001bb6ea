"""The page: a static folder that draws in the browser as one types, with nothing from elsewhere."""

import gzip
import os
import shutil
import tarfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kgen import files
from kgen.export import proof
from kgen.export.beside import write_reading
from kgen.export.browser import browser_program, draw_in_browser
from kgen.export.captions import Captions, made_up, proof_captions
from kgen.export.litert.conversion import operators_of
from kgen.export.litert.rungs import RUNGS
from kgen.export.litert.running import Running, versions
from kgen.export.litert.writing import Conversions, write_rung
from kgen.export.saved_model_proof import MOST_LEVELS
from kgen.noise import sample_noise
from kgen.pictures import to_pixels
from kgen.pipeline import TextToImage
from kgen.runtime.precisions import file_name
from kgen.text.pretrained import pretrained_of

PLACE = "web"
MODEL = file_name("model", "float32")
OF_MODEL = "model"
PAGE = Path(__file__).with_name("page")
# LiteRT.js of npm's @litertjs/core: its module, and WebAssembly with relaxed SIMD and without,
# which not every phone has. Packed: 19 MB are 2.
RUNTIME = PAGE / "litertjs-core-2.5.3.tar.xz"
WASM = "litert/wasm"
EVERYWHERE = "litert_wasm_compat_internal"
HOW_TO_GET = "it takes Chromium, and pip install 'kgen[web]'"
NUM_CAPTIONS = 20


def export_web(
    painter: TextToImage, folder: str | os.PathLike, captions: Captions | None = None
) -> list[proof.Proof]:
    """Writes `folder/web`, to be served as it is, and opens it in a browser if there is one.

    `index.html` draws a caption as it is typed, by the LiteRT file in `model`; all that it loads
    lies beside it. `painter.js` is for pages of one's own.

    Args:
        painter: The model.
        folder: Made if need be. `proof.json` and `PROOF.md` in it get a section.
        captions: What it is proven with; made of the model's vocabulary if left out.

    Returns:
        Where it is and how far its pictures are from the model's.

    Raises:
        ValueError: The model reads captions by a pretrained text model, whose tokenizer no page
            has.
        GateError: It is not what the model is, or does not run; then nothing new is under its name.
        OSError: The folder cannot be written to.
    """
    reads = "reading captions by its own vocabulary"
    own = pretrained_of(painter.model) is None
    proof.gate(own, "web", "model", reads, painter.config.text.pretrained)
    captions = captions or made_up(painter)
    with files.whole_folder(Path(folder) / PLACE) as beside:
        write_web(painter, beside)
        proven = prove_web(painter, beside, captions)
    proof.record(folder, proven)
    return [proven]


def write_web(painter: TextToImage, folder: Path) -> None:
    """Writes the page and its model, unproven."""
    write_page(folder, [model_entry(painter, OF_MODEL, [MODEL])])
    (folder / OF_MODEL).mkdir()
    rung = RUNGS["float32"]
    ((_, contents),) = Conversions(painter, made_up(painter)).versions(rung, ("model",))
    write_rung(painter, folder / OF_MODEL, rung, contents)
    write_reading(painter, folder / OF_MODEL)


def model_entry(painter: TextToImage, folder: str, model_files: Sequence[str]) -> dict[str, Any]:
    """What a page is to know of a model.

    Args:
        painter: The model.
        folder: Where its files lie, as seen from the page.
        model_files: Those that make a picture, one after the other.
    """
    card = painter.card
    return {
        "name": painter.config.name,
        "folder": folder,
        "files": list(model_files),
        "license": card.get("license", ""),
        "credit": card.get("credit", ""),
        "captions": card.get("captions", {}).get("samples", []),
        "pixelated": painter.config.networks.pixel_size > 1,
    }


def write_page(folder: Path, models: Sequence[dict[str, Any]], everywhere: bool = False) -> None:
    """Writes the page without models.

    Args:
        folder: Is there already.
        models: `model_entry` of each that the page links to; it opens with the first.
        everywhere: Only the WebAssembly that every browser can run: 3 MB less.
    """
    for path in PAGE.iterdir():
        if path != RUNTIME:
            shutil.copy(path, folder)
    with tarfile.open(RUNTIME) as archive:
        archive.extractall(folder, filter="data")
    for program in (folder / WASM).glob("*.wasm"):
        packed = gzip.compress(program.read_bytes(), mtime=0)  # the same whenever it is written
        program.with_name(f"{program.name}.gz").write_bytes(packed)
        program.unlink()
    wasm = f"{WASM}/"
    if everywhere:
        for path in (folder / WASM).iterdir():
            if not path.name.startswith(EVERYWHERE):
                path.unlink()
        wasm += f"{EVERYWHERE}.js"
    files.write_json(folder / "page.json", {"models": list(models), "wasm": wasm})


def prove_web(painter: TextToImage, folder: Path, captions: Captions) -> proof.Proof:
    """Compares what a page draws with the model.

    Raises:
        GateError: The page does not run, or draws something else.
    """
    said = proof_captions(captions, NUM_CAPTIONS)
    token_ids = painter.tokenizer(said).numpy()
    noise = sample_noise(NUM_CAPTIONS, painter.config.networks.noise_dim, seed=0)
    drawn = painter.generate_images(token_ids, noise).numpy()
    model = folder / OF_MODEL / MODEL
    program = browser_program()
    if program:
        runtime = f"{RUNTIME.name.partition('.tar')[0]} in a browser without a window"
        try:
            received, version, took = draw_in_browser(folder, said, noise, program)
        except RuntimeError as error:
            proof.gate(False, "web", "run", "run by a browser", str(error), error)
        ran_with = {Path(program).name: version}
        latency = {"one thread": proof.summary(took[1:])}  # the first compiles
    else:
        runtime = f"ai_edge_litert, its model alone: no browser was there ({HOW_TO_GET})"
        received = to_pixels(_drawn(model, token_ids, noise, drawn))
        ran_with, latency = versions(), {}
    return proof.compare(
        painter,
        to_pixels(drawn),
        received,
        artefact="web",
        place=PLACE,
        written=folder,
        runtime=runtime,
        operators=operators_of(model),
        unit="levels of 255",
        span=255.0,
        limit=MOST_LEVELS,
        captions=captions.kind,
        versions=ran_with,
        latency_ms=latency,
    )


def _drawn(model, token_ids, noise, expected):
    running = Running(model, "web")
    given = {"token_ids": token_ids, "noise": noise}
    shapes = [
        {name: (1, *rows.shape[1:], rows.dtype.name) for name, rows in tensors.items()}
        for tensors in (given, {"image": expected})
    ]
    running.check("serving_default", *shapes)
    return running.rows("serving_default", 1, **given)["image"]
