"""Iterative refinement: the best of several pictures of a caption, and better ones near it.

Only noise is chosen here; the picture is then drawn from it as any other, post-processing and all.
What is chosen for a caption depends on the caption, its seed and the settings alone, not on the
captions beside it: the candidates of each are drawn apart from the others'.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from kgen import checks
from kgen.matcher import Matcher
from kgen.noise import candidate_noise

AT_ONCE = 64  # candidates drawn together
MOST_CANDIDATES = 1000
MOST_STEPS = 1000
FIRST_ANGLE = 0.2  # of a step, in radians
HOW_TO_GET = "Run `kgen matcher {model}`, or train with --set training.validation=match."


@dataclass(frozen=True)
class Chosen:
    """The noise that a caption's picture is drawn from.

    Attributes:
        noise: float32 (Z,).
        candidate: Which of the candidates it is, or was moved from; 0 is the unrefined one.
        score: How well its picture matches the caption, in [-1, 1], before post-processing.
    """

    noise: np.ndarray
    candidate: int
    score: float


def check_refinement(refine: int, refine_steps: int) -> None:
    """Raises `TypeError` or `ValueError` for what is no number of candidates or of steps."""
    checks.check_int("refine", refine, 1, MOST_CANDIDATES)
    checks.check_int("refine_steps", refine_steps, 0, MOST_STEPS)


class Refiner:
    """Chooses noise by a matcher, which is read when it is first asked for.

    Args:
        model: T and G joined, without post-processing.
        matcher: The matcher, its folder, or None.
    """

    def __init__(self, model: keras.Model, matcher: Matcher | str | os.PathLike | None):
        self._model, self._matcher = model, matcher
        lies_in = isinstance(matcher, (str, os.PathLike))
        self._how_to_get = HOW_TO_GET.format(model=Path(matcher).parent if lies_in else "RUN")
        self._score = None

    @property
    def matcher(self) -> Matcher | None:
        """What chooses; None where the model has none.

        Raises:
            FileNotFoundError: Its folder lacks a file.
            ValueError: A file is damaged, or it is a matcher of pictures of another size.
        """
        matcher = self._matcher
        if isinstance(matcher, (str, os.PathLike)):
            folder = Path(matcher)
            matcher = Matcher.load(folder) if folder.is_dir() else None
        drawn = tuple(self._model.output.shape[1:])
        if matcher is not None and matcher.image_shape != drawn:
            expected = f"for the model's pictures, of shape {drawn}"
            given = matcher.image_shape
            raise ValueError(checks.wrong("matcher", expected, given, self._how_to_get))
        self._matcher = matcher
        return matcher

    def choose(
        self, captions: Sequence[str], token_ids, seed: int, refine: int, refine_steps: int
    ) -> list[Chosen]:
        """The best noise found for each caption.

        Args:
            captions: B captions.
            token_ids: int32 (B, L), the model's own ids of them.
            seed: Of caption 0; caption i has seed + i.
            refine: N, candidates of each caption.
            refine_steps: K, steps that the best candidate's noise is moved by.

        Returns:
            B choices. Of candidates that score the same, the first.

        Raises:
            ValueError: The model has no matcher, or one of pictures of another size.
            FileNotFoundError: The matcher's folder lacks a file.
        """
        self._prepare(refine, refine_steps)
        read = self._matcher.tokenizer(list(captions))
        noise_dim = self._model.input["noise"].shape[1]
        return [
            self._choose_one(
                token_ids[i : i + 1],
                read[i : i + 1],
                candidate_noise(refine, noise_dim, seed + i),
                refine_steps,
            )
            for i in range(len(captions))
        ]

    def _choose_one(self, token_ids, read, noise, refine_steps):
        parts = [noise[k : k + AT_ONCE] for k in range(0, len(noise), AT_ONCE)]
        scores = np.concatenate([self._score(token_ids, read, part).numpy() for part in parts])
        best = int(np.argmax(scores))
        if not refine_steps:
            return Chosen(noise[best], best, float(scores[best]))
        start = noise[best : best + 1]
        moved, score = self._climb(token_ids, read, start, tf.constant(refine_steps))
        return Chosen(moved.numpy()[0], best, float(score))

    def _prepare(self, refine, refine_steps):
        if self.matcher is None:
            name, least, given = "refine", 1, refine
            if refine == 1:
                name, least, given = "refine_steps", 0, refine_steps
            expected = f"{least}, since this model comes without a matcher"
            raise ValueError(checks.wrong(name, expected, given, self._how_to_get))
        if self._score is None:
            self._trace()

    def _trace(self):
        """Traced functions: Keras' own `predict` takes ten times as long for a picture."""
        model, scorer = self._model, self._matcher.scorer
        ids, noise = model.input["token_ids"].shape[1], model.input["noise"].shape[1]
        one_caption = (
            tf.TensorSpec((1, ids), tf.int32),
            tf.TensorSpec((1, scorer.input["token_ids"].shape[1]), tf.int32),
        )

        def score_of(token_ids, read, z):
            """How well G(z, T(x)) matches: float32 (n,), of one caption and noise (n, Z)."""
            num = tf.shape(z)[0]
            inputs = {"token_ids": tf.repeat(token_ids, num, axis=0), "noise": z}
            image = model(inputs, training=False)
            seen = {"image": image, "token_ids": tf.repeat(read, num, axis=0)}
            return scorer(seen, training=False)["match"][:, 0]

        @tf.function(input_signature=(*one_caption, tf.TensorSpec((None, noise), tf.float32)))
        def score(token_ids, read, z):
            return score_of(token_ids, read, z)

        @tf.function(
            input_signature=(
                *one_caption,
                tf.TensorSpec((1, noise), tf.float32),
                tf.TensorSpec((), tf.int32),
            )
        )
        def climb(token_ids, read, z, num_steps):
            def with_gradient(z):
                with tf.GradientTape() as tape:
                    tape.watch(z)
                    s = score_of(token_ids, read, z)
                return s[0], tape.gradient(s, z)

            return climb_sphere(with_gradient, z, num_steps)

        self._score, self._climb = score, climb


def climb_sphere(with_gradient, z, num_steps):
    """Moves noise towards a higher score, at the length that it has.

    Noise of N(0, 1) lies near a sphere, and G knows no other, so steps follow great circles. A
    step that raises the score is taken, and the next starts there; one that does not is forgotten,
    and the next goes half as far. So the score never falls.

    Formula:
        g the gradient of the score s at z, without its part along z; a the angle, at first 0.2
        z' = cos(a) z + sin(a) |z| g / |g|
        s(z') > s(z): z ← z', else a ← a / 2

    Args:
        with_gradient: From z to its score, float32 (), and the score's gradient, as z.
        z: float32 (1, Z).
        num_steps: int32 (), K.

    Returns:
        The best z, float32 (1, Z), with the norm of the first, and its score, float32 ().
    """
    norm = tf.norm(z)
    score, gradient = with_gradient(z)
    angle = tf.constant(FIRST_ANGLE)
    for _ in tf.range(num_steps):
        along = z / tf.maximum(norm, 1e-12)
        across = gradient - tf.reduce_sum(gradient * along) * along
        ahead = across / tf.maximum(tf.norm(across), 1e-12)
        next_z = tf.cos(angle) * z + tf.sin(angle) * norm * ahead
        next_z *= norm / tf.maximum(tf.norm(next_z), 1e-12)
        next_score, next_gradient = with_gradient(next_z)
        if next_score > score:  # never of NaN
            z, score, gradient = next_z, next_score, next_gradient
        else:
            angle /= 2.0
    return z, score
