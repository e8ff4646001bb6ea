"""What a model was trained on in all: its run, and the runs that it started from."""

import json
import os
from pathlib import Path
from typing import Any

from kgen.config import Config
from kgen.model_files import CARD, CONFIG
from kgen.presets import trained_presets

METRICS = "metrics.jsonl"


def runs_behind(run: str | os.PathLike) -> list[dict[str, Any]]:
    """The runs that led to a model, the first one first and `run` last.

    Args:
        run: The run's folder, or a preset's. The model that a run started from (`--from`) is
            another run's folder or a preset's, and so on back.

    Returns:
        For each `name`, `steps`, `pictures` and `minutes`; the last three are None for a model
        whose folder has gone or holds no figures.

    Raises:
        FileNotFoundError: The run itself has no metrics.jsonl.
        ValueError: The last line of that, or a preset's own card, holds no figures.
    """
    run = Path(run)
    if (run / CARD).is_file():
        try:
            return _runs_on_card(run)
        except (ValueError, KeyError, TypeError):
            hint = "Restore it, or publish the preset anew."
            raise ValueError(f"{run / CARD}: it names no runs. {hint}") from None
    config = Config.read(run / CONFIG)
    runs = [_figures_of(run, config.training.batch_size)]
    seen = {run.resolve()}
    while start := config.training.start_from:
        folder = trained_presets().get(start, Path(start))
        if folder.resolve() in seen:  # a folder that was written anew from its own successor
            break
        seen.add(folder.resolve())
        try:
            if (folder / CARD).is_file():
                return [*_runs_on_card(folder), *runs]
            config = Config.read(folder / CONFIG)
            runs.insert(0, _figures_of(folder, config.training.batch_size))
        except (OSError, ValueError, KeyError, TypeError):
            runs.insert(0, _unknown(folder))
            break
    return runs


def _runs_on_card(preset):
    return json.loads((preset / CARD).read_text(encoding="utf-8"))["training"]["runs"]


def _unknown(folder):
    return {"name": folder.name, "steps": None, "pictures": None, "minutes": None}


def _figures_of(run, batch_size):
    path = run / METRICS
    try:
        last = json.loads(path.read_text(encoding="utf-8").splitlines()[-1])
        steps, seconds = last["step"] + 0, last["seconds"] + 0
    except (ValueError, IndexError, KeyError, TypeError):
        raise ValueError(
            f"{path}: the last line holds no figures of a run. Resume the run, or remove the line."
        ) from None
    return {
        "name": run.name,
        "steps": steps,
        "pictures": steps * batch_size,
        "minutes": round(seconds / 60, 1),
    }
