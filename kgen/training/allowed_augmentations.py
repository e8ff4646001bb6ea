"""Which augmentations a set's captions allow."""

from collections.abc import Iterable

from kgen.config import SMALL_SET, TrainingConfig
from kgen.text.words_that_matter import MOST_CAPTIONS, names_colour, says_side

FORBIDDEN_BY = {
    "flip": (says_side, "tell left from right"),
    "colour": (names_colour, "name a colour or a shade"),
}


def choose_augmentations(
    config: TrainingConfig, captions: Iterable[str], num_pictures: int
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Leaves out of `auto` and `small` what would make lies of captions.

    Args:
        config: Its `augmentations` say what is asked for.
        captions: A sample of the captions, or all.
        num_pictures: Pictures in the set, for `small`.

    Returns:
        The augmentations to use, and a line for each that is left out, or used though captions
        speak against it, since it was asked for by name.
    """
    large = config.augmentations == "small" and num_pictures >= SMALL_SET
    asked = () if large else config.augmentation_names()
    captions = list(captions) if asked else []
    used, lines = [], []
    for name in asked:
        speaks, what = FORBIDDEN_BY.get(name, (None, ""))
        against = sum(map(speaks, captions)) if speaks else 0
        if against <= MOST_CAPTIONS * len(captions):
            used.append(name)
            continue
        share = f"{against} of {len(captions)} captions {what}"
        if config.augmentations in ("auto", "small"):
            lines.append(f"kgen: augmentation: {name} is off, since {share}")
        else:
            used.append(name)
            lines.append(f"kgen: augmentation: {name} is on as asked for, though {share}")
    if used:
        how = "up to " if config.augmentation_adapts else ""
        chance = f"{how}{100 * config.augmentation_probability:.0f} %"
        lines.append(f"kgen: augmentation: {', '.join(used)}, each with a chance of {chance}")
    return tuple(used), tuple(lines)
