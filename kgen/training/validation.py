"""Validates a run on pictures that it does not learn from, and finds its best weights.

Fine structure needs no judge. The judge of the others is an image-text network trained on the
pictures that are learned from; its gradients never reach T, G or D.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from kgen.data.captioned_pictures import CaptionedPictures
from kgen.evaluation.caption_match import r_precision
from kgen.evaluation.distance import kernel_distance
from kgen.evaluation.fine_structure import fine_structure_network
from kgen.evaluation.judges import judge_for
from kgen.matcher import FOLDER, Matcher
from kgen.pictures import to_pixels

FEWEST, MOST = 200, 512  # pictures to learn from; pictures held out
MOST_JUDGED = 20_000  # pictures that the judge learns from
SEED = 1  # another judge than the one that `evaluate` asks
BATCH_SIZE = 64


def held_out_every(num_pictures: int) -> int:
    """k, where pictures 0, k, 2k … are held out: a tenth, at most some 512; 0 for none, where
    there are fewer than 200.

    Example:
        >>> held_out_every(199), held_out_every(1000), held_out_every(20_000)
        (0, 10, 39)
    """
    return 0 if num_pictures < FEWEST else max(10, num_pictures // MOST)


def matcher_of(run: Path, pictures: CaptionedPictures, every: int) -> Matcher:
    """The run's judge: read from its folder, or trained and written there.

    Args:
        run: The run's folder.
        pictures: N pictures; those that are not held out are learned from.
        every: k, from `held_out_every`.
    """
    folder = run / FOLDER
    if folder.is_dir():
        return Matcher.load(folder)
    learned = np.flatnonzero(np.arange(len(pictures)) % every)
    chosen = np.random.default_rng(SEED).permutation(learned)[:MOST_JUDGED]
    matcher = judge_for(pictures.in_memory(np.sort(chosen)), seed=SEED)
    matcher.save(folder)
    return matcher


class Validation:
    """Measures a model on the held-out pictures, always with the same noise.

    Args:
        matcher: The judge; None where `metric` is `detail`.
        pictures: All N pictures.
        token_ids: N arrays int32 (K_i, L), the ids of each picture's captions.
        every: k, from `held_out_every`.
        noise_dim: Z.
        metric: `detail`, `distance` or `match`: what tells which weights are best.
    """

    def __init__(
        self,
        matcher: Matcher | None,
        pictures: CaptionedPictures,
        token_ids: Sequence[np.ndarray],
        every: int,
        noise_dim: int,
        metric: str,
    ):
        self.matcher, self.metric, self.every = matcher, metric, every
        rows = np.arange(0, len(pictures), every)
        held_out = pictures.in_memory(rows)
        which = [i % len(several) for i, several in enumerate(held_out.captions)]
        self.captions = [c[k] for c, k in zip(held_out.captions, which, strict=True)]
        self.token_ids = np.stack([token_ids[i][k] for i, k in zip(rows, which, strict=True)])
        rng = np.random.default_rng(SEED)
        self.noise = rng.standard_normal((len(rows), noise_dim)).astype("float32")
        self.look_closely = fine_structure_network(held_out.pixels)
        self.detail = self.look_closely(held_out.pixels)
        if matcher:
            self.real = matcher.picture_features(held_out.pixels)
            self.caption_vectors = matcher.caption_vectors(self.captions)

    def measure(self, model) -> dict[str, float]:
        """`validation_detail`, the kernel distance in statistics of the fine structure; with a
        judge `validation_distance`, that in its features, and `validation_match`, R-precision of
        100, in [0, 1].

        Args:
            model: T and G joined.
        """
        pixels = np.concatenate([
            to_pixels(np.asarray(model({"token_ids": t, "noise": z}, training=False)))
            for t, z in zip(_parts(self.token_ids), _parts(self.noise), strict=True)
        ])  # fmt: skip
        figures = {"detail": kernel_distance(self.detail, self.look_closely(pixels))}
        if self.matcher:
            vectors = self.matcher.picture_vectors(pixels)
            figures["match"] = r_precision(vectors, self.caption_vectors, self.captions)
            features = self.matcher.picture_features(pixels)
            figures["distance"] = kernel_distance(self.real, features)
        return {f"validation_{name}": float(value) for name, value in figures.items()}

    def is_better(self, figures: dict[str, float], best: dict[str, float]) -> bool:
        """Whether figures are better than the best so far; anything is better than nothing."""
        name = f"validation_{self.metric}"
        if name not in best:
            return True
        return (figures[name] > best[name]) == (self.metric == "match") and (
            figures[name] != best[name]
        )


def _parts(rows):
    return [rows[i : i + BATCH_SIZE] for i in range(0, len(rows), BATCH_SIZE)]
