"""Where a model's exported LiteRT file lies, if it is of the weights that the model has now."""

from pathlib import Path

from kgen import files
from kgen.model_files import WEIGHTS, model_hash
from kgen.runtime.painter import ABOUT

PLACES = ("", "litert", "exported/litert")  # an export's file, an export, a model exported in place


def exported(folder: Path) -> Path | None:
    """The folder of the LiteRT file that draws what the model in `folder` draws.

    Args:
        folder: Of a run, a preset or an export.

    Returns:
        What `RuntimePainter` takes; None where there is none, or only one of older weights.
    """
    for place in PLACES:
        found = folder / place
        if (found / ABOUT).is_file():
            about = files.read_json(found / ABOUT)
            of_model = (folder / WEIGHTS).is_file()
            plain = not about.get("post")
            if plain and not (of_model and about.get("hash") != model_hash(folder)):
                return found
    return None
