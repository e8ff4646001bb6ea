"""Which augmentations a set's captions and pictures allow."""

from collections.abc import Iterable

from kgen.config import SMALL_SET, TrainingConfig
from kgen.text.words_that_matter import MOST_CAPTIONS, names_colour, says_side

FORBIDDEN_BY = {
    "flip": (says_side, "tell left from right"),
    "colour": (names_colour, "name a colour or a shade"),
}


def choose_augmentations(
    config: TrainingConfig, captions: Iterable[str], num_pictures: int, pixel_size: int = 1
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Leaves out of `auto` and `small` what would make lies of captions, and what pixel art does
    not stand: enlarged by a little, its blocks are blurred, and D would take blurred ones for real.

    Args:
        config: Its `augmentations` say what is asked for.
        captions: A sample of the captions, or all.
        num_pictures: Pictures in the set, for `small`.
        pixel_size: Side of pixel art's blocks, as in `NetworksConfig`.

    Returns:
        The augmentations to use, and a line for each that is left out, or used though captions
        speak against it, since it was asked for by name.
    """
    large = config.augmentations == "small" and num_pictures >= SMALL_SET
    asked = () if large else config.augmentation_names()
    captions = list(captions) if asked else []
    used, lines = [], []
    for name in asked:
        reason = _reason_against(name, captions, pixel_size)
        if reason and config.augmentations in ("auto", "small"):
            lines.append(f"kgen: augmentation: {name} is off, since {reason}")
            continue
        used.append(name)
        if reason:
            lines.append(f"kgen: augmentation: {name} is on as asked for, though {reason}")
    if used:
        how = "up to " if config.augmentation_adapts else ""
        chance = f"{how}{100 * config.augmentation_probability:.0f} %"
        lines.append(f"kgen: augmentation: {', '.join(used)}, each with a chance of {chance}")
    return tuple(used), tuple(lines)


def _reason_against(name, captions, pixel_size):
    """Why an augmentation should be off; empty where nothing speaks against it."""
    if name == "crop" and pixel_size > 1:
        return "it blurs pixel art"
    speaks, what = FORBIDDEN_BY.get(name, (None, ""))
    against = sum(map(speaks, captions)) if speaks else 0
    if against <= MOST_CAPTIONS * len(captions):
        return ""
    return f"{against} of {len(captions)} captions {what}"
