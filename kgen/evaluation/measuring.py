"""Measures a model, from its name or folder, in all that a report holds."""

import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import kgen
from kgen.checks import check_int
from kgen.evaluation import sheets as of_sheets
from kgen.evaluation.attribute_classifier import attribute_names, train_classifier
from kgen.evaluation.attribute_figures import attribute_figures
from kgen.evaluation.caption_match import contradictions
from kgen.evaluation.distance_figures import distance_figures
from kgen.evaluation.drawing import Drawn, DrawnOnce, draw_columns, one_of_each
from kgen.evaluation.features import FeatureNetwork, feature_network
from kgen.evaluation.fine_structure import fine_structure_network
from kgen.evaluation.held_out import HeldOut, check_data_is_known, load_held_out
from kgen.evaluation.judges import cache_folder, fingerprint, judge_for
from kgen.evaluation.match_figures import caption_match_figures, match_scores, word_figures
from kgen.evaluation.novelty_figures import (
    diversity_figures,
    memorisation_figures,
    training_in_memory,
)
from kgen.evaluation.refinement import best_of, measure_refinement
from kgen.evaluation.sheets import Sheet
from kgen.evaluation.summary import limits, summary
from kgen.matcher import Matcher
from kgen.pipeline import TextToImage
from kgen.presets import model_folder

FORMAT = 1
MOST_SEED = 2**32 - 1 - 2**24  # a few million pictures have seeds above it
NO_LABELS = (
    "the pictures have no labels to check beside their captions (columns of metadata that name a "
    "class for every picture): judge the samples by eye"
)
NO_TEST = "the set has no test part, so there are no pictures that training has not seen"
NO_MATCHER = (
    "the model comes without a matcher that could choose the best of several pictures; "
    "`kgen matcher` gives it one"
)

Tell = Callable[[str], None]


@dataclass(frozen=True)
class Evaluation:
    """What was measured.

    Attributes:
        report: JSON-ready, with `format` 1. Each figure is a `value` with `low` and `high`, its
            95 % interval, and `num` samples; a part that could not be measured says why in
            `left_out`.
        sheets: Pictures to be looked at.
    """

    report: dict[str, Any]
    sheets: tuple[Sheet, ...]


def evaluate(
    model: str | os.PathLike,
    data: str | os.PathLike | None = None,
    num: int = 1024,
    seed: int = 0,
    features: str = "matcher",
    epochs: int | None = None,
    tell: Tell = lambda line: None,
    precision: str = "float32",
) -> Evaluation:
    """Measures a model's pictures of captions that no training has seen, and looks at them.

    Judge and classifier are learned from the real training pictures, whatever the seed is, so
    models of one set are measured alike. The same arguments give the same figures, on the same
    machine.

    Args:
        model: A preset's name or a run's folder.
        data: Captioned pictures; None: what the model was trained on.
        num: Most test pictures, each drawn once for every caption column.
        seed: Fixes noise and choices.
        features: Network of the distances: `matcher` or `inception`.
        epochs: Passes over the training pictures for the judges; None: as many as they need.
        tell: Called with a line before each part.
        precision: Of the model's arithmetic: `float32`, `bfloat16` or `float16`.

    Raises:
        FileNotFoundError, ValueError, TypeError: There is no such model or data, or an argument is
            out of its range.
    """
    check_int("num", num, 1)
    check_int("seed", seed, 0, MOST_SEED)
    network = None if features == "matcher" else feature_network(features)
    data = os.fspath(data) if data else None
    folder = model_folder(os.fspath(model))
    check_data_is_known(folder, data)
    start = time.monotonic()
    painter = TextToImage.from_preset(folder, precision=precision)
    tell("reading the real pictures")
    held_out = load_held_out(painter.config, data, num)
    found = evaluate_painter(painter, held_out, seed, network, epochs, tell)
    found.report["about"]["precision"] = precision
    found.report["about"]["seconds"] = round(time.monotonic() - start, 1)
    return found


def evaluate_painter(
    painter: TextToImage,
    held_out: HeldOut,
    seed: int = 0,
    network: FeatureNetwork | None = None,
    epochs: int | None = None,
    tell: Tell = lambda line: None,
    judge: Matcher | None = None,
) -> Evaluation:
    """`evaluate` of a loaded model on loaded pictures.

    Args:
        painter: The model.
        held_out: The pictures.
        seed, epochs, tell: As of `evaluate`.
        network: Network of the distances; None: the judge's features.
        judge: One at hand; None: that of the training pictures, trained if it is not kept.
    """
    training, test = held_out.training, held_out.test
    matcher, about_judge = _judge(training, epochs, tell, judge)
    network = network or feature_network("matcher", matcher)
    tell(f"drawing {sum(map(len, test.captions))} pictures")
    draw = DrawnOnce(painter.generate)
    columns = draw_columns(draw, held_out, seed)
    mixed = one_of_each(columns)
    report = {"format": FORMAT, "about": _about(painter, held_out, seed, network, about_judge)}
    sheets = [of_sheets.samples_sheet(held_out, columns)]

    tell("measuring how near the pictures are to real ones")
    rows, reference = training_in_memory(training)
    unseen = test.pixels if held_out.is_unseen else None
    spread = _spread(reference, max(len(test), 2))
    for name, seen_by in (
        ("distance", network),
        ("fine_structure", fine_structure_network(spread)),
    ):
        report[name] = distance_figures(seen_by, spread, mixed.pixels, unseen, seed)

    tell("measuring how captions and words are honoured")
    report["caption_match"] = caption_match_figures(matcher, held_out, columns, seed)
    report["words"] = word_figures(painter.generate, matcher, held_out, len(columns), seed)
    scores = [match_scores(matcher, column) for column in columns]
    sheets += of_sheets.best_and_worst_sheets(held_out, columns, scores)

    report["attributes"] = _attributes(draw, held_out, epochs, seed, tell)
    if "left_out" not in report["attributes"]:
        hardest = of_sheets.classes_sheet(held_out, columns[0], report["attributes"])
        sheets += [hardest] if hardest else []

    tell("comparing the pictures with those of the training")
    report["memorisation"], closest = _memorisation(matcher, held_out, mixed, rows, reference)
    sheets += closest
    report["diversity"], several, some = diversity_figures(
        draw, matcher, mixed.captions, test, seed
    )
    sheets.append(of_sheets.noises_sheet(several, some))
    report["refinement"] = _refinement(painter, matcher, held_out, columns[0], reference, seed)
    report["summary"] = summary(report)
    report["limits"] = limits(report)
    return Evaluation(report, tuple(sheets))


def _judge(training, epochs, tell, judge) -> tuple[Matcher, dict]:
    name = fingerprint(training, epochs)
    about = {"fingerprint": name, "num_training": len(training)}
    if judge is not None:
        return judge, {**about, "fingerprint": "given"}
    kept = (cache_folder() / name).exists()
    tell(
        "reading the kept judge"
        if kept
        else "training the judge; some minutes (kept for the next time)"
    )
    return judge_for(training, epochs), about


def _attributes(draw, held_out, epochs, seed, tell):
    known = held_out.test.attributes
    names = [name for name in attribute_names(held_out.training) if name in known]
    if not names:
        return {"left_out": NO_LABELS}
    tell(f"training a classifier of {', '.join(names)}; about 2 minutes")
    classifier = train_classifier(held_out.training, names, epochs)
    return attribute_figures(draw, classifier, held_out, seed)


def _memorisation(matcher, held_out, mixed: Drawn, rows, reference):
    if not held_out.is_unseen:
        return {"left_out": NO_TEST}, []
    try:
        figures, found = memorisation_figures(
            matcher, reference, mixed.pixels, held_out.test.pixels
        )
    except ValueError as error:  # test pictures that are training pictures
        return {"left_out": str(error)}, []
    return figures, [of_sheets.closest_sheet(found, mixed, held_out.training, rows)]


def _refinement(painter, matcher, held_out, column: Drawn, reference, seed):
    draw = best_of(painter)
    if draw is None:
        return {"left_out": NO_MATCHER}
    rivals = contradictions(held_out.test.in_memory(column.rows[:256]))
    real = _spread(reference, len(column.rows))
    rows = measure_refinement(draw, matcher, column.captions, real, seed=seed, rivals=rivals)
    return {"column": column.name, "counts": rows}


def _about(painter, held_out, seed, network, judge):
    return {
        "model": painter.config.name,
        "hash": painter.hash,
        "kgen": kgen.__version__,
        "data": held_out.data,
        "split": held_out.split,
        "columns": list(held_out.columns),
        "num": len(held_out.test),
        "num_training": len(held_out.training),
        "image_size": painter.config.networks.image_size,
        "seed": seed,
        "features": {"name": network.name, "note": network.note},
        "judge": judge,
        "seconds": None,
        "machine": f"{os.cpu_count()} x {platform.machine()}",
    }


def _spread(pixels, num):
    """Up to `num` of the pictures, in equal distances."""
    some = np.linspace(0, len(pixels) - 1, min(num, len(pixels))).round().astype(int)
    return pixels[np.unique(some)]
