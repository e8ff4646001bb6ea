"""From captions to PNG files that say what they are."""

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import kgen
from kgen.pictures import captioned_grid, save_png

if TYPE_CHECKING:  # importing it takes TensorFlow, which a `RuntimePainter` does without
    from kgen.pipeline import TextToImage
    from kgen.runtime.painter import RuntimePainter

BATCH_SIZE = 64
GRID_COLUMNS = 8


def write_pictures(
    painter: "TextToImage | RuntimePainter",
    captions: Sequence[str],
    out: str | os.PathLike,
    seed: int = 0,
    as_grid: bool = False,
    refine: int = 1,
    refine_steps: int = 0,
) -> list[Path]:
    """Draws each caption into a PNG that says its caption, seed, model, hash, post-processing.

    Where pictures are refined, it says `Refine` and `RefineSteps`, the `Candidate` that was chosen,
    and how well it matches before post-processing, `Score`, in [-1, 1].

    Args:
        painter: The model; only `TextToImage` refines.
        captions: One picture each.
        out: Folder; made if need be.
        seed: Of the first picture; the next has seed + 1, and so on.
        as_grid: Whether to write one picture of all, with their captions, instead.
        refine, refine_steps: As of `TextToImage.generate`.

    Returns:
        The files written.
    """
    out = Path(out)
    refined = refine > 1 or refine_steps > 0
    about = {"Model": painter.name, "Hash": painter.hash, "Software": f"kgen {kgen.__version__}"}
    if painter.post:
        about["Post"] = str(painter.post)
    if refined:
        about |= {"Refine": refine, "RefineSteps": refine_steps}
    paths, drawn = [], []
    for first in range(0, len(captions), BATCH_SIZE):
        some = captions[first : first + BATCH_SIZE]
        if refined:
            pictures, chosen = painter.generate_chosen(
                some, seed + first, refine=refine, refine_steps=refine_steps
            )
        else:
            pictures, chosen = painter.generate(some, seed + first), []
        drawn.extend(pictures if as_grid else ())
        for i, pixels in enumerate(() if as_grid else pictures, start=first):
            path = out / f"{i:03d}_{_file_name(captions[i])}.png"
            found = _about_choice(chosen[i - first]) if chosen else {}
            save_png(path, pixels, Caption=captions[i], Seed=seed + i, **about, **found)
            paths.append(path)
    if as_grid:
        columns = min(GRID_COLUMNS, len(drawn))
        path = out / "grid.png"
        sheet = captioned_grid(drawn, captions, columns)
        save_png(path, sheet, Caption="\n".join(captions), Seed=seed, **about)
        paths.append(path)
    return paths


def _about_choice(chosen):
    return {"Candidate": chosen.candidate, "Score": f"{chosen.score:.4f}"}


def _file_name(caption: str) -> str:
    """The caption's letters and digits, as many as fit in a file's name everywhere."""
    words = "_".join(re.findall(r"\w+", caption))
    return words.encode("utf-8")[:60].decode("utf-8", "ignore") or "picture"
