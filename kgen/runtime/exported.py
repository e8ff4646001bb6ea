"""Where a model's exported LiteRT file lies, if it is of the weights that the model has now."""

from pathlib import Path

from kgen.model_files import WEIGHTS, model_hash
from kgen.runtime.about import ABOUT, read_about

PLACES = ("", "litert", "exported/litert")  # an export's file, an export, a model exported in place


def exported(folder: Path) -> Path | None:
    """The folder of the LiteRT file that draws what the model in `folder` draws.

    Args:
        folder: Of a run, a preset or an export.

    Returns:
        What `RuntimePainter` takes; None where there is none, or only one of older weights or
        with post-processing.

    Raises:
        ValueError: What an export says of itself cannot be read.
    """
    for place in PLACES:
        found = folder / place
        if (found / ABOUT).is_file():
            about = read_about(found)
            is_older = (folder / WEIGHTS).is_file() and about["hash"] != model_hash(folder)
            if not about["post"] and not is_older:
                return found
    return None
