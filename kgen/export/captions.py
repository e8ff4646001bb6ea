"""The captions that exports are calibrated and proven with."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kgen.pipeline import TextToImage

NUM_PROOF = 200
NUM_CALIBRATION = 200
# Nothing, blanks, both languages, one line and pages, full-width letters, accents, no words.
FIXED = (
    "",
    " \t\u3000",
    "美丽的日落景象",
    "a snowy night",
    "Two red boats on a calm lake at dawn, with mountains behind them",
    "夜晚的城市上空有一轮满月，左边有三只鸟",
    "ｓｕｎ，红色的 sunset！",
    "Café 😀 naïve ½",
    "a quiet sea under a low sun " * 40,
    "雪" * 1000,
)


@dataclass(frozen=True)
class Captions:
    """Captions of the kind that a model will be given.

    Attributes:
        calibration: What integer files take the ranges of their activations from.
        proof: What artefacts are compared with the model on; none of `calibration`.
        kind: What they are, for the reader.
    """

    calibration: tuple[str, ...]
    proof: tuple[str, ...]
    kind: str


def made_up(painter: TextToImage) -> Captions:
    """Captions for a model whose own are not at hand: its card's samples, and random sentences of
    its vocabulary.
    """
    samples = tuple(painter.card.get("captions", {}).get("samples", ()))
    words = [token.removeprefix("##") for token in painter.vocabulary[2:]]
    sentences = _sentences(words, 2 * (NUM_CALIBRATION + NUM_PROOF))
    calibration = (*samples, *sentences)[:NUM_CALIBRATION]
    others = tuple(sentence for sentence in sentences[::-1] if sentence not in calibration)
    return Captions(calibration, others[:NUM_PROOF], "made of the model's vocabulary")


def proof_captions(captions: Captions, num: int = NUM_PROOF) -> list[str]:
    """Captions to compare with: some fixed ones that try every part of a tokenizer, then real ones.

    Example:
        >>> real = Captions((), ("a red boat", "红船"), "two")
        >>> proof_captions(real, 11)[2:4], proof_captions(real)[-2:]
        (['美丽的日落景象', 'a snowy night'], ['a red boat', '红船'])
    """
    return [*FIXED, *captions.proof][:num]


def _sentences(words: Sequence[str], num: int) -> tuple[str, ...]:
    generator = np.random.default_rng(0)
    lengths = generator.integers(1, 24, num)
    return tuple(" ".join(generator.choice(words, length)) for length in lengths)
