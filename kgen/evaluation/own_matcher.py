"""The matcher that goes with a model and chooses the best of its pictures."""

import dataclasses
import os
from pathlib import Path

import numpy as np

from kgen.config import Config
from kgen.data.loading import load_pictures
from kgen.evaluation.held_out import check_data_is_known
from kgen.evaluation.judges import judge_for
from kgen.matcher import FOLDER
from kgen.model_files import CONFIG
from kgen.presets import model_folder

SEED = 1  # another than the judge's that `evaluate` asks
MOST_PICTURES = 20_000  # that it learns from
SIZE = "small"


def give_matcher(
    model: str | os.PathLike, data: str | os.PathLike | None = None, epochs: int | None = None
) -> Path:
    """Trains a matcher on the pictures that a model learned from, and puts it into its folder.

    Some minutes. It is small, and neither of the size nor of the seed of the judge that `evaluate`
    asks, so that a model's figures are not given by what chose its pictures.

    Args:
        model: A trained preset's name, or a run's folder. A matcher in it is replaced.
        data: Captioned pictures; None: what the model was trained on.
        epochs: As of `train_matcher`.

    Returns:
        The matcher's folder. Float16, half the bytes.

    Raises:
        FileNotFoundError, ValueError: There is no such model or data.
        OSError: The model's folder cannot be written to.
    """
    folder = model_folder(os.fspath(model))
    data = os.path.abspath(data) if data else None
    check_data_is_known(folder, data)
    config = Config.read(folder / CONFIG)
    of = dataclasses.replace(config.data, path=data) if data else config.data
    of = dataclasses.replace(of, num_scenes=min(of.num_scenes, MOST_PICTURES))
    pictures = load_pictures(of, config.networks.image_size, config.training.seed)
    chosen = np.random.default_rng(SEED).permutation(len(pictures))[:MOST_PICTURES]
    matcher = judge_for(pictures.in_memory(np.sort(chosen)), epochs, SEED, size=SIZE)
    matcher.save(folder / FOLDER, "float16")
    return folder / FOLDER
