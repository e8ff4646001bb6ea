"""From a trained model to a smaller, faster one that draws like it."""

import bisect
import itertools
import os
import warnings
from collections.abc import Iterator
from pathlib import Path

from kgen import checks
from kgen.checks import ToldWarning
from kgen.compressed_sizes import Sizes, multiplications
from kgen.config import PRETRAINED, Config
from kgen.model_files import CONFIG
from kgen.presets import model_folder
from kgen.training.checkpoints import LAST

NARROWABLE = ("bag", "lstm", "bilstm")  # encoders that pruning can narrow
STEPS = 40_000
# What the caption says counts more than how real it looks; its words most, since from them D tells
# falling snow from rain more surely than by caption vectors.
CONTRASTIVE_WEIGHT, WORD_WEIGHT = 2.0, 6.0
RATE = 2e-4  # of D and G: G draws everything in its place already
TAUGHT_STEPS = 6000
HEAD_START = 500  # steps of an untrained D
AVERAGING = 0.9995  # rare things, such as snow, come and go in a small G; the mean has them


def compressed_config(
    folder: str | os.PathLike, width: int, most: int, text_share: float
) -> Config:
    """The configuration of a narrower model that is taught by the one in `folder`.

    Its first weights are the channels that matter most (`training.start_from`), and it learns to
    draw what its teacher draws (`training.teacher`), beside what D teaches it.

    Args:
        folder: A trained preset's folder, or a run's.
        width: Of G, as `networks.width`.
        most: As `networks.most_channels`.
        text_share: Share of T's channels that is kept, in (0, 1], where T is one that can be
            narrowed.

    Raises:
        FileNotFoundError, ValueError: There is no model, or none that can be compressed.
    """
    config = Config.read(Path(folder) / CONFIG)
    if config.text.encoder == PRETRAINED:
        hint = "Compress a model that was trained with an encoder of its own."
        raise ValueError(checks.wrong("text.encoder", "one that kgen trains", PRETRAINED, hint))
    teacher = str(Path(folder).absolute())
    has_discriminator = (Path(folder) / LAST).is_file()
    networks = config.networks
    # D stays as it was: one of few channels soon finds all words in G's pictures that it finds in
    # real ones, while there are no stars in them yet, and no snow.
    of_d = networks.discriminator_most_channels or networks.most_channels
    settings = {
        "networks": {
            "width": width,
            "most_channels": most,
            "discriminator_most_channels": of_d or 8 * networks.discriminator_width,
        },
        "training": {
            "start_from": teacher,
            "teacher": teacher,
            "steps": STEPS,
            "taught_steps": TAUGHT_STEPS,
            "generator_rate": RATE,
            "discriminator_rate": RATE,
            "text_held": True,
            "contrastive_weight": CONTRASTIVE_WEIGHT,
            "word_weight": WORD_WEIGHT,
            "head_start": 0 if has_discriminator else HEAD_START,
            "averaging": AVERAGING,
        },
    }  # fmt: skip
    if config.text.encoder in NARROWABLE:
        settings["text"] = {
            name: max(4, 4 * round(text_share * getattr(config.text, name) / 4))
            for name in ("caption_dim", "embedding_dim")
        }
    return config.updated(settings)


def kept_config(name_or_run: str | os.PathLike, keep: float) -> Config:
    """The configuration that keeps a share of all channels.

    Args:
        name_or_run: A trained preset's name, or a run's folder.
        keep: The share, in (0, 1).

    Raises:
        FileNotFoundError, ValueError: There is no model, or `keep` leaves too little of it.

    Example:
        >>> kept_config("scenes_64", 0.5).networks.width  # doctest: +SKIP
        8
    """
    if not 0 < keep < 1:
        hint = "Such as 0.5: the half of the channels."
        raise ValueError(checks.wrong("keep", "a share between 0 and 1", keep, hint))
    folder = model_folder(os.fspath(name_or_run))
    networks = Config.read(folder / CONFIG).networks
    width = round(keep * networks.width)
    if width < 2:
        least = 2 / networks.width
        hint = f"Keep at least {least:.2g}."
        raise ValueError(checks.wrong("keep", "at least 2 channels of the last block", keep, hint))
    most = round(keep * (networks.most_channels or 8 * networks.width))
    return compressed_config(folder, width, most, keep)


def targeted_config(
    name_or_run: str | os.PathLike,
    target_kb: float | None = None,
    target_ms: float | None = None,
) -> Config:
    """The configuration of the most capable model that is as small, and as fast, as asked for.

    Size and time are those of `model_dynamic.tflite`, the time that of one picture on one thread
    of this machine, caption included; int8 is a little faster.

    Args:
        name_or_run: A trained preset's name, or a run's folder.
        target_kb: Most kilobytes (1000 bytes); None: any.
        target_ms: Most milliseconds a picture; None: any.

    Raises:
        FileNotFoundError, ValueError: There is no model, or not even the narrowest is so small, or
            so fast; what it reaches is told.
    """
    folder = model_folder(os.fspath(name_or_run))
    sizes = Sizes(folder)
    warnings.warn("measuring how small and fast it can be; some minutes", ToldWarning, stacklevel=2)
    candidates = sorted(_candidates(folder), key=multiplications)
    if not candidates:
        hint = "It has too few channels to be made smaller."
        raise ValueError(checks.wrong("networks.width", "more", str(folder), hint))
    if target_kb is not None:
        least = sizes.kilobytes(candidates[0])
        candidates = [one for one in candidates if sizes.kilobytes(one) <= target_kb]
        _check("target_kb", target_kb, f"{least:.3g} kB", candidates)
    if target_ms is not None:
        least = sizes.milliseconds(candidates[0])
        place = bisect.bisect_right(candidates, target_ms, key=sizes.milliseconds)
        candidates = candidates[:place]
        _check("target_ms", target_ms, f"{least:.3g} ms", candidates)
    return candidates[-1]


def _check(target, wanted, reached, candidates):
    if not candidates:
        hint = "That is what the fewest channels reach; name more, or use --keep with other --set."
        raise ValueError(checks.wrong(target, f"at least {reached}", wanted, hint))


def _candidates(folder) -> Iterator[Config]:
    """All narrower ones; T is narrowed as G's last block is."""
    networks = Config.read(folder / CONFIG).networks
    most = networks.most_channels or 8 * networks.width
    for width, times in itertools.product(range(2, networks.width), (4, 6, 8)):
        if times * width <= most:
            yield compressed_config(folder, width, times * width, width / networks.width)
