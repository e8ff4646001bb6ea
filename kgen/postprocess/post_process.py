"""Which operations an image goes through, in which order: parsed from `denoise,color=1.2`."""

import math
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import keras

from kgen import checks
from kgen.postprocess import operations

UPSCALES = (2, 4)
LARGEST_SCALE = 8


class Operation(NamedTuple):
    """An operation with its strength's default and range."""

    apply: Callable[[Any, float], Any]
    default: float
    low: float
    high: float


OPERATIONS = {
    "denoise": Operation(operations.denoise, 0.04, 0.005, 1.0),
    "contrast": Operation(operations.contrast, 1.1, 0.0, 4.0),
    "colour": Operation(operations.saturation, 1.15, 0.0, 4.0),
    "white_balance": Operation(operations.white_balance, 0.25, 0.0, 1.0),
    "sharpen": Operation(operations.sharpen, 0.5, 0.0, 4.0),
    "upscale": Operation(operations.upscale, 2, min(UPSCALES), max(UPSCALES)),
}
OTHER_NAMES = {"color": "colour", "saturation": "colour"}


@dataclass(frozen=True)
class PostProcess:
    """A pipeline of operations on images.

    They are applied in the order in which they stand, and one that stands twice is applied twice.
    A pipeline without operations is false, and changes nothing.

    Attributes:
        steps: Pairs of an operation's name and its strength: `denoise` (0.04 by default),
            `contrast` (1.1), `colour` (1.15), `white_balance` (0.25), `sharpen` (0.5), `upscale`
            (2, or 4). What a strength means stands in `kgen.postprocess.operations`.

    Call args:
        image: float32 (B, H, W, 3), in [-1, 1].

    Returns:
        float32 (B, scale · H, scale · W, 3), in [-1, 1].

    Raises:
        TypeError: A strength is no number.
        ValueError: A name is unknown, or a strength out of its range.

    Example:
        >>> post = PostProcess.parse("denoise, color=1.2, upscale")
        >>> str(post), post.scale
        ('denoise=0.04,colour=1.2,upscale=2', 2)
    """

    steps: tuple[tuple[str, float], ...] = ()

    def __post_init__(self):
        for name, strength in self.steps:
            if name not in OPERATIONS:
                hint = checks.nearest(name, OPERATIONS)
                raise ValueError(checks.wrong("post", "made of known operations", name, hint))
            operation = OPERATIONS[name]
            checks.check_real(f"post: {name}", strength, operation.low, operation.high)
            if name == "upscale" and strength not in UPSCALES:
                hint = "Pictures grow by whole powers of two."
                raise ValueError(checks.wrong("post: upscale", "2 or 4", strength, hint))
        if self.scale > LARGEST_SCALE:
            expected = f"at most {LARGEST_SCALE} in all"
            raise ValueError(checks.wrong("post: upscale", expected, self.scale, "Leave one out."))

    @classmethod
    def parse(cls, text: "str | PostProcess") -> "PostProcess":
        """Reads a pipeline from text.

        Args:
            text: Names, each with `=strength` if it shall not be the default, between commas.
                `color`, `colour` and `saturation` are one. Full-width `，` and `＝` do as well.
                Empty: no operations. A pipeline is given back as it is.

        Raises:
            TypeError: `text` is no string.
            ValueError: It names what is no operation, or a strength out of its range.
        """
        if isinstance(text, PostProcess):
            return text
        if not isinstance(text, str):
            raise TypeError(checks.wrong("post", "text", text, "Example: denoise,color=1.2."))
        plain = unicodedata.normalize("NFKC", text).lower()
        return cls(tuple(map(_step, plain.split(","))) if plain.strip() else ())

    @property
    def scale(self) -> int:
        """How many times as high and wide images become."""
        return math.prod(int(strength) for name, strength in self.steps if name == "upscale")

    def __call__(self, image):
        for name, strength in self.steps:
            image = OPERATIONS[name].apply(image, strength)
        return image

    def __bool__(self) -> bool:
        return bool(self.steps)

    def __str__(self) -> str:
        """The text that `parse` makes the same pipeline of, every strength spelled out."""
        return ",".join(f"{name}={_number(strength)}" for name, strength in self.steps)


@keras.saving.register_keras_serializable("kgen")
class PostProcessing(keras.layers.Layer):
    """A `PostProcess` as the last layer of a model.

    Args:
        post: The pipeline, or its text.

    Call args:
        image: float32 (B, H, W, 3), in [-1, 1].

    Returns:
        float32 (B, scale · H, scale · W, 3), in [-1, 1].
    """

    def __init__(self, post: str | PostProcess, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.post = PostProcess.parse(post)

    def call(self, image):
        return self.post(image)

    def get_config(self):
        return {**super().get_config(), "post": str(self.post)}


def with_post_processing(model: keras.Model, post: PostProcess) -> keras.Model:
    """A model that gives what `model` gives, post-processed; both share their weights."""
    if not post:
        return model
    image = PostProcessing(post, name="post_processing")(model.output)
    return keras.Model(model.input, image, name=model.name)


def _step(text: str) -> tuple[str, float]:
    name, equals, strength = (part.strip() for part in text.partition("="))
    name = OTHER_NAMES.get(name, name)
    if name not in OPERATIONS:
        hint = checks.nearest(name, {*OPERATIONS, *OTHER_NAMES})
        raise ValueError(checks.wrong("post", "made of known operations", name, hint))
    if not equals:
        return name, OPERATIONS[name].default
    try:
        return name, float(strength)
    except ValueError:
        hint = f"Example: {name}={OPERATIONS[name].default:g}."
        raise ValueError(checks.wrong(f"post: {name}", "a number", strength, hint)) from None


def _number(strength: float) -> str:
    short = f"{strength:g}"
    return short if float(short) == strength else repr(float(strength))
