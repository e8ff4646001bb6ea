"""Weights, and what convolutions take in, as 8-bit integers.

Recipes stand from the fastest to the nearest to the model; the first that holds a rung's gates is
taken. In all of them weights are int8. Dense layers scale their inputs as they come, but those of
the modulations stay in float: noise and caption vector reach everything through them, and with
them in int8 a preset's pictures were 2 dB worse, with the others none.
"""

import contextlib
import io
import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from litert_quantizer import calibrator, quantizer, recipe_manager
from litert_quantizer.recipe import TFLOperationName as Operator
from litert_quantizer.utils import qsv_utils

from kgen.export import proof
from kgen.export.litert.embeddings import with_stored_embeddings

CONVOLUTIONS = (Operator.CONV_2D, Operator.CONV_2D_TRANSPOSE)
BITS = 8
BEYOND = 0.4  # of the way from the usual range to all that was seen
LEEWAY, LEAST_SHARE = 0.1, 0.9
# Of tensors' names, which begin with their layers'.
EVERYWHERE, MODULATIONS, SHORTCUTS = ".*", ".*modulation.*", ".*shortcut.*"
LAST, LAST_BLOCK = ".*to_image.*", ".*(to_image|block_{size}_).*"
CALIBRATED, SCALED, FLOAT = "in calibrated ranges", "scaled as they come", "in float"
Calibration = Mapping[str, Iterable[Mapping[str, np.ndarray]]]  # by signature


@dataclass(frozen=True)
class Recipe:
    """How a file computes; its weights are int8 in any case.

    Attributes:
        convolutions: `CALIBRATED`, `SCALED` or `FLOAT`.
        in_float: Which convolutions are in float all the same; empty for none.
        dense: `SCALED` or `FLOAT`; of dense layers, among them the steps of LSTMs.
    """

    convolutions: str
    in_float: str = ""
    dense: str = SCALED

    def __str__(self):
        """
        >>> str(Recipe(CALIBRATED, LAST))
        'convolutions in int8, in calibrated ranges; the last in float'
        """
        if self.convolutions == FLOAT:
            return "weights in int8, arithmetic in float"
        but = {LAST: "; the last in float", LAST_BLOCK: "; the last block in float"}
        return f"convolutions in int8, {self.convolutions}{but.get(self.in_float, '')}"


# Pixel art, whose pixels are black or white at once, is what the later ones are for.
RECIPES = {
    "dynamic": (
        Recipe(SCALED),
        Recipe(SCALED, LAST),
        Recipe(SCALED, LAST_BLOCK, FLOAT),
        Recipe(FLOAT, dense=FLOAT),
    ),
    "int8": (
        Recipe(CALIBRATED),
        Recipe(CALIBRATED, LAST),
        Recipe(CALIBRATED, LAST_BLOCK),
        Recipe(SCALED, LAST_BLOCK, FLOAT),
        Recipe(FLOAT, dense=FLOAT),
    ),
}


def quantized(
    content: bytes, recipe: Recipe, calibration: Calibration, unseen: Calibration, size: int
) -> bytes:
    """A float32 LiteRT file by a recipe: each output channel has a scale of its own.

    Args:
        content: The file, with Keras' names of layers in those of its tensors.
        recipe: One of `RECIPES`.
        calibration: For each signature inputs as the model will get them.
        unseen: Others, that the ranges are checked with.
        size: Of the last block, in pixels, before pixel art's are repeated.

    Raises:
        GateError: The ranges are not those of such inputs: the calibration is another's.
    """
    with warnings.catch_warnings(), contextlib.redirect_stderr(io.StringIO()):
        warnings.simplefilter("ignore")  # it tells of its debugging mode and of its progress
        return with_stored_embeddings(_quantized(content, recipe, calibration, unseen, size))


def _quantized(content, recipe, calibration, unseen, size):
    work = quantizer.Quantizer(content)
    _add(work, EVERYWHERE, Operator.FULLY_CONNECTED, recipe.dense)
    _add(work, MODULATIONS, Operator.FULLY_CONNECTED, FLOAT)
    for convolution in CONVOLUTIONS:
        _add(work, EVERYWHERE, convolution, recipe.convolutions)
        if recipe.in_float:
            _add(work, recipe.in_float.format(size=size), convolution, FLOAT)
    # So small that to make their inputs integers takes longer than is won.
    _add(work, SHORTCUTS, Operator.CONV_2D, FLOAT)
    ranges = _ranges(content, work, calibration, unseen) if work.need_calibration else None
    return bytes(work.quantize(ranges, enable_progress_report=False).quantized_model)


def _add(work, where, operator, arithmetic):
    """A later one counts where two are for the same tensors."""
    if arithmetic == CALIBRATED:
        work.add_static_config(where, operator, BITS, BITS)
    elif arithmetic == SCALED:
        work.add_dynamic_config(where, operator, BITS)
    else:
        work.add_weight_only_config(where, operator, BITS)


def _ranges(content, work, calibration, unseen):
    """The least and the greatest number that each tensor is to have room for.

    Room for all that was seen makes the steps coarse (a preset's pictures: 30.8 dB), room for the
    usual cuts the rare off (33.6 dB, but 21 in the worst picture): they are so far between the two
    (34 dB, 27 in the worst).
    """
    usual = _seen(content, work, calibration, qsv_utils.moving_average_update)
    widest = _seen(content, work, calibration, qsv_utils.min_max_update)
    _check(widest, _seen(content, work, unseen, qsv_utils.moving_average_update))
    return {
        name: {end: of[end] + BEYOND * (widest[name][end] - of[end]) for end in ("min", "max")}
        for name, of in usual.items()
    }


def _seen(content, work, calibration, update):
    # Not by `Quantizer.calibrate`, which has one update only; and by the profiler, since reading
    # all tensors fails where some have no data.
    calibrating = calibrator.Calibrator(
        content,
        num_threads=1,
        mode=calibrator.CalibrationMode.CALIBRATION_PROFILER_BASED,
        qsv_update_func=update,
    )
    recipe = recipe_manager.RecipeManager()
    recipe.load_quantization_recipe(work.get_quantization_recipe())
    calibrating.calibrate(calibration, recipe)
    return calibrating.get_model_qsvs()


def _check(widest, unseen):
    """Refuses ranges that what is usual for other inputs often lies outside of."""
    within = []
    for name, of in unseen.items():
        low, high = widest[name]["min"], widest[name]["max"]
        room = LEEWAY * (high - low)
        within.append(bool(np.all(of["min"] >= low - room) and np.all(of["max"] <= high + room)))
    share = float(np.mean(within))
    expected = f"ranges that hold what is usual in {LEAST_SHARE:.0%} of the tensors"
    proof.gate(share >= LEAST_SHARE, "litert_int8", "calibration", expected, f"{share:.0%}")
