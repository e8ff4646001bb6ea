"""What a set asks of a training: a command line, and why."""

import math
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from kgen.config import IMAGE_SIZES, SMALL_SET
from kgen.data.doctor.words import ColumnFacts, Vocabulary
from kgen.presets import preset_config
from kgen.text.words_that_matter import MOST_CAPTIONS

PRESET = "pictures_64"
USUAL_SIZE = 64  # pixels
# Pictures trained on in a second on two CPU cores, by image size. 64 pixels: measured 100 to 150;
# the others by their number of pixels.
SPEED = {32: 400, 64: 120, 128: 30, 256: 7}
BLOCKS_FASTER = 2  # measured 2.2 (bfloat16) to 2.7 (float32) times, for blocks of 2 x 2
EPOCHS = 30
LEAST_MINUTES = 30
FEW = 300  # pictures
# Below so many pictures, of what they show is learned less than what pictures are like at all, and
# that another model knows: docs/ablations.md, fruit_300.
MOST_FOR_TRANSFER = 1000
START_FROM = "scenes_64"
LETTERS = 200  # tokens that single letters and signs take


@dataclass(frozen=True)
class Advice:
    """What to do.

    Attributes:
        command: A command line that is ready to run; empty where there is nothing to train on.
        minutes: What it takes on two CPU cores.
        lines: Why, and what else to know; a sentence or two each.
    """

    command: str
    minutes: int
    lines: tuple[str, ...]


def usual_image_size(short_side: int) -> int:
    """64 pixels, or less where the pictures have less; in pixels.

    Example:
        >>> usual_image_size(500), usual_image_size(48), usual_image_size(16)
        (64, 32, 32)
    """
    fitting = [size for size in IMAGE_SIZES if size <= min(short_side, USUAL_SIZE)]
    return max(fitting, default=IMAGE_SIZES[0])


def training_minutes(num_pictures: int, image_size: int, faster: int = 1) -> int:
    """Minutes for 30 epochs on two CPU cores, rounded up to tens; 30 at least.

    Args:
        num_pictures: N.
        image_size: Of the model, in pixels.
        faster: How many times as fast as usual it trains.

    Example:
        >>> training_minutes(10_000, 64)  # 300 000 pictures, 120 in a second: 41.7 minutes
        50
    """
    minutes = EPOCHS * num_pictures / (faster * SPEED[image_size]) / 60
    return max(LEAST_MINUTES, 10 * math.ceil(minutes / 10))


def advise(
    path: str,
    num_pictures: int,
    image_size: int,
    short_side: int,
    columns: Sequence[ColumnFacts],
    words: Vocabulary,
    sides: float,
    colours: float,
    block_size: int = 1,
) -> Advice:
    """Chooses settings.

    Args:
        path: Of the set.
        num_pictures: That can be trained on.
        image_size: Of the model, in pixels.
        short_side: Median of the pictures' shorter sides, in pixels.
        columns: The caption columns.
        words: Of the captions.
        sides: Share of captions that tell left from right, in [0, 1].
        colours: Share of captions that name a colour, in [0, 1].
        block_size: Of pixel art, at 64 pixels; 1 for other pictures.
    """
    if not num_pictures:
        return Advice("", 0, ("Nothing can be trained on yet: mend the rows above.",))
    settings, lines = {}, []
    block_size = block_size if image_size == USUAL_SIZE else 1
    preset = preset_config(PRESET)
    _advise_size(image_size, short_side, preset, settings, lines)
    if block_size > 1:
        settings["networks.pixel_size"] = block_size
        lines.append(
            f"This is pixel art, in blocks of {block_size} x {block_size} pixels at {image_size}: "
            f"networks.pixel_size={block_size} draws a block at a time, with edges as sharp, and "
            f"trains on more than {BLOCKS_FASTER} times as many pictures in a second."
        )
    _advise_text(columns, words, preset, settings, lines)
    _advise_augmentation(num_pictures, sides, colours, lines)
    fits = image_size == USUAL_SIZE and block_size == 1
    transfers = fits and num_pictures < MOST_FOR_TRANSFER
    if transfers:
        lines.append(
            f"--from {START_FROM}: what a picture is like need not be learned of {num_pictures} "
            "alone. With 300 watercolours it and augmentation took the distance to real pictures "
            f"from 45 to 26 in 18 minutes of one core, though {START_FROM} draws landscapes. "
            "Expect rough shapes, often in wrong colours: a few thousand pictures show far more."
        )
    faster = BLOCKS_FASTER if block_size > 1 else 1
    minutes = training_minutes(num_pictures, image_size, faster)
    lines.append(
        f"{minutes} minutes on two CPU cores: enough for {EPOCHS} times through {num_pictures} "
        f"pictures at about {faster * SPEED[image_size]} pictures/s, and never under "
        f"{LEAST_MINUTES}. "
        "Colours come first, shapes after half an hour. Go on with --resume while the samples get "
        "better."
    )
    captions = [column.name for column in columns] or ["text"]
    command = ["kgen", "train", path, "--captions", ",".join(captions), "--out", "my_run"]
    command += ["--minutes", str(minutes)]
    command += ["--from", START_FROM] if transfers else []
    for key, value in settings.items():
        command += ["--set", f"{key}={value}"]
    return Advice(" ".join(map(shlex.quote, command)), minutes, tuple(lines))


def _advise_size(image_size, short_side, preset, settings, lines):
    if image_size != preset.networks.image_size:
        settings["networks.image_size"] = image_size
    larger = [size for size in IMAGE_SIZES if image_size < size <= short_side]
    line = f"{image_size} x {image_size} pixels (preset {PRESET})."
    if larger:
        line += f" The pictures have enough for {larger[-1]}, which takes " + (
            f"{SPEED[image_size] // SPEED[larger[-1]]} times as long: "
            f"--set networks.image_size={larger[-1]}."
        )
    elif short_side < image_size:
        line += f" Half of the pictures have {short_side} or fewer: they are enlarged, and blurred."
    lines.append(line)


def _advise_text(columns, words, preset, settings, lines):
    length = preset.text.caption_length
    too_long, captions = (sum(getattr(c, k) for c in columns) for k in ("too_long", "captions"))
    if too_long > captions / 100:
        needed = max(c.tokens.most_of_95 for c in columns)
        settings["text.caption_length"] = min(512, max(length, 8 * math.ceil((needed + 1) / 8)))
        lines.append(
            f"Captions are read up to {length} tokens, and {too_long} of {captions} are longer: "
            f"text.caption_length={settings['text.caption_length']}."
        )
    needed = words.different - words.once + LETTERS
    if needed > preset.text.vocabulary_size:
        settings["text.vocabulary_size"] = min(100_000, 1000 * math.ceil(needed / 1000))
        lines.append(
            f"{words.different - words.once} words are seen twice or more: "
            f"text.vocabulary_size={settings['text.vocabulary_size']}, so that each is read whole."
        )
    if words.different and words.once > words.different / 2:
        lines.append(
            f"{words.once} of {words.different} words are seen once; nothing can be learned from "
            "those. Simpler captions, in fewer words, would teach more."
        )


def _advise_augmentation(num_pictures, sides, colours, lines):
    small = num_pictures < SMALL_SET
    if small:
        few = ", too few to learn from: expect copies of them" if num_pictures < FEW else ""
        lines.append(
            f"{num_pictures} pictures are few{few}. Below {SMALL_SET}, augmentation that adapts "
            "(training.augmentations=auto) keeps the discriminator from learning them by heart, "
            "without being asked for."
        )
    for share, name, what, why in (
        (sides, "flip", "tell left from right", "mirrored pictures would make them lies"),
        (colours, "colour", "name a colour", "recoloured pictures would make them lies"),
    ):
        if share > MOST_CAPTIONS:
            does = f"`auto` leaves {name} out" if small else f"if you augment, leave {name} out"
            lines.append(f"{100 * share:.3g} % of captions {what}: {does}, since {why}.")
