"""Whether a classifier of real pictures sees in generated ones what their captions say."""

from collections.abc import Sequence
from typing import Any

from kgen.evaluation.attribute_classifier import AttributeClassifier
from kgen.evaluation.attributes import Answers, ask
from kgen.evaluation.drawing import Draw
from kgen.evaluation.figures import ratio_figure, share_figure
from kgen.evaluation.held_out import HeldOut


def attribute_figures(
    draw: Draw, classifier: AttributeClassifier, held_out: HeldOut, seed: int = 0
) -> dict[str, Any]:
    """For each attribute that test captions state, its figures.

    Returns:
        JSON-ready, for each attribute: `real`, the classifier's accuracy on the real test
        pictures; `columns`, each with `name`, `generated` (its accuracy on what was drawn) and
        `ratio` (of that to the same captions' real pictures); `classes` and `confusions` as in
        `measure_obedience`. Or `left_out`.
    """
    found = {}
    for name, answers in ask(draw, held_out.test, classifier, seed).items():
        if len(answers.asked):
            found[name] = _figures(answers, held_out.columns, seed)
    return found or {"left_out": "no test picture is of a class that the classifier has learned"}


def _figures(answers: Answers, names: Sequence[str], seed: int) -> dict[str, Any]:
    columns = []
    for k in range(len(answers.drawn)):
        right, real = answers.generated_hits(k)
        figures = {"generated": share_figure(right), "ratio": None}
        if len(right):
            figures["ratio"] = ratio_figure(right, real, seed)
        columns.append({"name": names[k], **figures})
    report = answers.report()
    return {
        "real": share_figure(answers.real_hits()),
        "columns": columns,
        "classes": report["classes"],
        "confusions": report["confusions"],
    }
