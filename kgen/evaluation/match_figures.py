"""Whether pictures and captions find each other, and which words are honoured."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from kgen.evaluation.caption_match import (
    caption_swap_hits,
    contradictions,
    r_precision_hits,
)
from kgen.evaluation.drawing import Draw, Drawn
from kgen.evaluation.figures import share_figure
from kgen.evaluation.held_out import HeldOut
from kgen.evaluation.word_obedience import measure_word_obedience
from kgen.matcher import Matcher

CANDIDATES = 100
MOST_MATCHED = 4096  # captions that are compared with one another


def caption_match_figures(
    matcher: Matcher, held_out: HeldOut, columns: Sequence[Drawn], seed: int = 0
) -> dict[str, Any]:
    """R-precision and caption swap of generated and of real pictures, for each caption column.

    Returns:
        JSON-ready: `columns`, each with `name`, `candidates` (the most captions that a picture
        was asked to choose from), and figures `generated` and `real` for `r_precision` and
        `caption_swap`; or `left_out`.
    """
    found = []
    for column in columns:
        rows = column.rows[:MOST_MATCHED]
        captions = list(column.captions[: len(rows)])
        if len(set(captions)) < 2:
            continue
        rivals = contradictions(held_out.test.in_memory(rows))
        of_captions = matcher.caption_vectors(captions)
        asked = {}
        for kind, pixels in (
            ("generated", column.pixels[: len(rows)]),
            ("real", held_out.test.pixels[rows]),
        ):
            vectors = matcher.picture_vectors(pixels)
            asked[kind] = (
                r_precision_hits(vectors, of_captions, captions, CANDIDATES, seed, rivals),
                caption_swap_hits(vectors, of_captions, captions, rivals),
            )
        figures = {
            name: {kind: share_figure(hits[i]) for kind, hits in asked.items()}
            for i, name in enumerate(("r_precision", "caption_swap"))
        }
        candidates = min(CANDIDATES, len(set(captions)))
        found.append({"name": column.name, "candidates": candidates, **figures})
    if not found:
        return {"left_out": "all test captions are one, so there is nothing to choose from"}
    return {"columns": found}


def word_figures(
    draw: Draw, matcher: Matcher, held_out: HeldOut, num_columns: int, seed: int = 0
) -> dict[str, Any]:
    """How often each frequent word is honoured, for each caption column, the worst first."""
    columns = []
    for k in range(num_columns):
        asked = measure_word_obedience(
            draw, matcher, held_out.training, held_out.test, column=k, seed=seed
        )
        words = [
            {
                "word": one.word,
                "others": list(one.others),
                "generated": share_figure(one.hits),
                "real": {"value": one.real_share, "num": one.real_num} if one.real_num else None,
            }
            for one in asked
        ]
        words.sort(key=lambda one: (one["generated"]["value"], one["word"]))
        if words:
            columns.append({"name": held_out.columns[k], "words": words})
    if not columns:
        return {
            "left_out": "no word stands in enough captions, beside another that could take its "
            "place and that the judge tells from it in real pictures"
        }
    return {"columns": columns}


def match_scores(matcher: Matcher, column: Drawn) -> np.ndarray:
    """How well each drawn picture matches its caption: float32 (M,), in [-1, 1]."""
    return matcher.scores(column.pixels, column.captions)
