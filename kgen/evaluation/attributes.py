"""Obedience: does a classifier trained on real pictures find what the caption said?"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from kgen import checks
from kgen.data.captioned_pictures import CaptionedPictures
from kgen.evaluation.attribute_classifier import STATES, AttributeClassifier
from kgen.pipeline import TextToImage

MAX_CONFUSIONS = 10
BATCH_SIZE = 64

Draw = Callable[[Sequence[str], int], np.ndarray]


@dataclass(frozen=True)
class Answers:
    """What captions said of one attribute, and what the classifier saw, picture by picture.

    Attributes:
        asked: str (N,). The truth of the N pictures that count: those of a class that the
            classifier knows, and whose captions state it.
        real: str (N,). What is seen in the real pictures.
        generated: str (K, N). What is seen in what was drawn from the caption of each of K
            columns.
        drawn: bool (K, N). Whether the picture has a caption in that column, so that there is
            anything to see.
    """

    asked: np.ndarray
    real: np.ndarray
    generated: np.ndarray
    drawn: np.ndarray

    def real_hits(self) -> np.ndarray:
        """bool (N,): where the classifier is right about the real picture."""
        return self.real == self.asked

    def generated_hits(self, column: int) -> tuple[np.ndarray, np.ndarray]:
        """Hits in what was drawn of one column, and in the real pictures of the same captions.

        Returns:
            bool (M,) and bool (M,), with M pictures that have a caption in this column. Row by
            row of the same caption, so that an interval can resample them together.
        """
        drawn = self.drawn[column]
        return (self.generated[column] == self.asked)[drawn], self.real_hits()[drawn]

    def report(self) -> dict:
        """JSON-ready figures, as `measure_obedience` returns for each attribute."""
        classes = {}
        for name in sorted(set(self.asked.tolist())):
            of = self.asked == name
            some = Answers(self.asked[of], self.real[of], self.generated[:, of], self.drawn[:, of])
            classes[name] = some._figures()
        return {**self._figures(), "classes": classes, "confusions": self._confusions()}

    def _figures(self) -> dict:
        pairs = [self.generated_hits(column) for column in range(len(self.drawn))]
        right = self.real_hits()
        return {
            "num": len(self.asked),
            "real": _share(right.sum(), len(right)),
            "generated": [_share(hits.sum(), len(hits)) for hits, _ in pairs],
            "ratio": [_share(hits.sum(), real.sum()) for hits, real in pairs],
            "num_drawn": [len(hits) for hits, _ in pairs],
            "num_right": {"real": int(right.sum()), "generated": [int(h.sum()) for h, _ in pairs]},
        }

    def _confusions(self) -> list[dict]:
        asked = np.broadcast_to(self.asked, self.generated.shape)
        wrong = self.drawn & (self.generated != asked)
        counted = Counter(zip(asked[wrong].tolist(), self.generated[wrong].tolist(), strict=True))
        commonest = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
        return [
            {"asked": of, "seen": other, "num": num}
            for (of, other), num in commonest[:MAX_CONFUSIONS]
        ]


def measure_obedience(
    painter: TextToImage | Draw,
    pictures: CaptionedPictures,
    classifier: AttributeClassifier,
    seed: int = 0,
) -> dict[str, dict]:
    """Draws the pictures' captions and asks the classifier what it sees.

    Args, Raises: as for `ask`.

    Returns:
        For each attribute, all shares in [0, 1] and None where they are of nothing:

        - `num`, the pictures that count: of a class that the classifier knows, which the captions
          state;
        - `real`, the classifier's accuracy on these real pictures;
        - `generated`, for each caption column, its accuracy on what is drawn;
        - `ratio`, for each caption column, right answers of drawn pictures / right answers of
          the real pictures of the same captions; about 1 where the painter does what it is told;
        - `num_drawn`, for each caption column, the pictures that have a caption there;
        - `num_right`, the right answers, of `real` and for each column of `generated`;
        - `classes`: for each class asked for, all of the above for its pictures alone;
        - `confusions`: the commonest 10 wrong answers of all columns: `asked`, `seen`, `num`.
    """
    return {name: of.report() for name, of in ask(painter, pictures, classifier, seed).items()}


def ask(
    painter: TextToImage | Draw,
    pictures: CaptionedPictures,
    classifier: AttributeClassifier,
    seed: int = 0,
) -> dict[str, Answers]:
    """Draws the pictures' captions and keeps what the classifier sees in each.

    Only captions that state an attribute count for it (pictures without "states_" attributes
    are taken to state all), and only pictures of a class that the classifier has learned. A
    picture's k-th caption counts as that of column k; pictures with fewer captions are not
    counted for the last columns.

    Args:
        painter: The model to judge, or a function of captions and a seed that returns uint8
            (B, H, W, 3), in [0, 255], of the real pictures' size.
        pictures: Test pictures, captions and attributes; no training may have seen them.
        classifier: Trained on real training pictures.
        seed: Of the first picture's noise.

    Returns:
        For each attribute of the classifier its `Answers`.

    Raises:
        ValueError: The pictures have no attribute of such a name, or what is drawn is of another
            size.
        TypeError: What is drawn is not uint8.
    """
    for name in classifier.classes:
        checks.check_choice("attributes", name, pictures.attributes)
    draw = getattr(painter, "generate", painter)
    real = classifier.classify(pictures.pixels)
    num, num_columns = len(pictures), max(map(len, pictures.captions), default=0)
    drawn = np.array([[k < len(of) for of in pictures.captions] for k in range(num_columns)])
    drawn = drawn.reshape(num_columns, num)
    generated = {name: np.full((num_columns, num), "", object) for name in classifier.classes}
    for column, rows in enumerate(map(np.flatnonzero, drawn)):
        captions = [pictures.captions[i][column] for i in rows]
        pixels = _draw(draw, captions, seed + column * num, pictures.pixels.shape[1:])
        for name, seen in classifier.classify(pixels).items():
            generated[name][column, rows] = seen
    answers = {}
    for name, classes in classifier.classes.items():
        asked, known = np.asarray(pictures.attributes[name], object), frozenset(classes)
        states = pictures.attributes.get(STATES + name)
        counted = np.array([of in known for of in asked], bool)
        if states is not None:
            counted &= np.asarray(states, object) == "yes"
        answers[name] = Answers(
            asked[counted],
            real[name].astype(object)[counted],
            generated[name][:, counted],
            drawn[:, counted],
        )
    return answers


def _draw(draw: Draw, captions: Sequence[str], seed: int, shape: tuple[int, ...]) -> np.ndarray:
    parts = [np.zeros((0, *shape), np.uint8)]
    for first in range(0, len(captions), BATCH_SIZE):
        some = captions[first : first + BATCH_SIZE]
        pixels = np.asarray(draw(some, seed + first))
        if pixels.dtype != np.uint8:
            hint = "Call `to_pixels` on an image."
            raise TypeError(checks.wrong("painter", "drawing uint8", pixels.dtype, hint))
        if pixels.shape != (len(some), *shape):
            expected = f"drawing pictures of the real ones' size, {(len(some), *shape)}"
            hint = "Leave out post-processing that changes the size."
            raise ValueError(checks.wrong("painter", expected, pixels.shape, hint))
        parts.append(pixels)
    return np.concatenate(parts)


def _share(part: int, whole: int) -> float | None:
    return float(part / whole) if whole else None
