"""One model of several runs: the mean of their weights.

Source: Wortsman et al. 2022 (Model soups), section 2, the uniform soup: models that were trained on
from one and the same lie in one basin of the loss, and their mean draws at the cost of one model.
"""

import dataclasses
import os
from collections.abc import Sequence

import numpy as np

from kgen import checks
from kgen.model_folder import ModelFolder, read_model

OF_D = (  # which no model's folder holds
    "discriminator", "discriminator_width", "discriminator_most_channels", "texture_width",
)  # fmt: skip


def mean_of_runs(runs: Sequence[str | os.PathLike]) -> ModelFolder:
    """The first run's model, with the mean of all runs' weights.

    Args:
        runs: Folders of runs or presets that were trained on from one another, or from one; their
            vocabularies, T and G are the same, whatever their D.

    Raises:
        FileNotFoundError: There is no model in one of the folders.
        ValueError: There is none, or one is damaged, or another model than the first.
    """
    if not runs:
        raise ValueError(checks.wrong("runs", "one run or more", "none", "Give a run's folder."))
    first, *others = (read_model(run) for run in runs)
    for run, other in zip(runs[1:], others, strict=True):
        if _what_draws(other) != _what_draws(first):
            expected = f"the vocabulary, text and networks of {runs[0]}"
            hint = "Give runs that were trained on from one another, or one run alone."
            raise ValueError(checks.wrong("runs", expected, str(run), hint))
    if others:
        weights = zip(*(found.model.get_weights() for found in (first, *others)), strict=True)
        first.model.set_weights([np.mean(same, axis=0) for same in weights])
    return first


def _what_draws(found):
    networks = dataclasses.asdict(found.config.networks)
    of_g = {name: value for name, value in networks.items() if name not in OF_D}
    return found.vocabulary, found.config.text, of_g
