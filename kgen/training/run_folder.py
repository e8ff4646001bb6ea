"""Whether a run may begin, or go on, in a folder."""

from pathlib import Path

from kgen import checks, model_folder
from kgen.config import Config

# A run may be made longer, and given more chances; no step that it has taken would change.
MAY_CHANGE = ("training.steps", "training.kept_checkpoints", "training.max_rollbacks")


def check_folder(config: Config, out: Path, resume: bool) -> None:
    """Refuses a folder in which a run lies that `config` would spoil.

    Raises:
        FileExistsError: There is a run already and `resume` is False.
        ValueError: The run that lies there has another configuration; the differences are named.
    """
    if not (out / model_folder.CONFIG).is_file():
        return
    if not resume:
        hint = "Pass --resume (in Python resume=True) to go on with its run."
        raise FileExistsError(checks.wrong("out", "a new folder", str(out), hint))
    there = Config.read(out / model_folder.CONFIG)
    different = _differences(there.to_dict(), config.to_dict())
    if different:
        raise ValueError(
            f"The run in {out} has another configuration: {'; '.join(different)}. "
            "Resume without these options, or train in another folder."
        )


def _differences(there, given, where=""):
    found = []
    for key, old in there.items():
        if isinstance(old, dict):
            found += _differences(old, given[key], f"{where}{key}.")
        elif old != given[key] and where + key not in MAY_CHANGE:
            found.append(f"{where}{key} is {old!r} there and {given[key]!r} here")
    return found
