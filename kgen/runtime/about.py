"""What an exported model says of itself."""

from pathlib import Path

from kgen import checks, files

ABOUT = "model.json"


def read_about(folder: Path) -> dict[str, str | int]:
    """`name`, `hash`, `post` and `fewest_tokens` of an exported model.

    Raises:
        FileNotFoundError: The file is missing.
        ValueError: It holds something else.
    """
    if not (folder / ABOUT).is_file():
        raise FileNotFoundError(export_anew(folder, f"no {ABOUT}"))
    about = files.read_json(folder / ABOUT)
    try:
        told = {key: str(about[key]) for key in ("name", "hash", "post")}
        return {**told, "fewest_tokens": int(about["fewest_tokens"])}
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(export_anew(folder / ABOUT, repr(error))) from None


def export_anew(path: Path, received: str) -> str:
    """One line for a file or folder that holds something else than an export's."""
    return checks.wrong(str(path), "of an export", received, "Export the model anew.")
