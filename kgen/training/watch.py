"""Watches a run on a small fixed set, at every report: is it still worth the electricity?

x real image, c caption, c' another caption, z z' noises, G(z, c) a generated image, d the mean
distance of two images.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from keras import ops

from kgen.networks.text_to_image import draw
from kgen.training.findings import WentWrong

# Healthy runs (64 px: scenes, nouns, emoji; 32 px: scenes) had a diversity of 0.7 to 1.3, a
# caption effect of 0.6 to 1.0, logits at most 3.8 apart, and contrast at 0.80 of chance or below,
# all from their first report on.
LEAST_DIVERSITY = 0.2
LEAST_CAPTION_EFFECT = 0.15
MOST_MARGIN = 8.0
CHANCE_SHARE = 0.95
WARM_UP = 500  # steps
PATIENCE = 3  # reports in a row
LASTING = 500  # steps from the first of them to the last


@dataclass(frozen=True)
class Rule:
    """When a figure is a finding.

    Attributes:
        name: Which.
        figure: The figure's name in `metrics.jsonl`.
        low: Whether it is the low values that are bad.
        limit: From where on.
        finding: The line, with `{value}` and `{limit}`.
        hint: What to do.
    """

    name: str
    figure: str
    low: bool
    limit: float
    finding: str
    hint: str

    def is_broken_by(self, figures: dict[str, float]) -> bool:
        value = figures.get(self.figure)
        if value is None:
            return False
        return value < self.limit if self.low else value > self.limit


def rules(chance: float, contrastive_weight: float) -> tuple[Rule, ...]:
    """All rules, the ones that explain others first.

    Args:
        chance: Contrastive loss of guessing, from `chance_contrast`.
        contrastive_weight: 0: nothing is learned of which caption belongs to which picture.
    """
    collapse = Rule(
        "collapse", "sample_diversity", True, LEAST_DIVERSITY,
        "the pictures have collapsed: they differ from each other only {value:.2f} times as much "
        "as the real ones do (expected: above {limit:.2f})",
        "Lower training.generator_rate or raise training.diversity_weight.",
    )  # fmt: skip
    captions = Rule(
        "captions", "real_contrast", False, CHANCE_SHARE * chance,
        "the captions seem not to belong to the pictures: telling which caption is a picture's "
        f"still costs {{value:.2f}}, and guessing {chance:.2f} (expected: below {{limit:.2f}})",
        "Check that the rows of captions and pictures were not shifted or shuffled.",
    )  # fmt: skip
    ignored = Rule(
        "ignored", "caption_effect", True, LEAST_CAPTION_EFFECT,
        "the pictures hardly follow their captions: another caption changes only {value:.2f} "
        "times as much as another caption and other noise do (expected: above {limit:.2f})",
        "Raise training.contrastive_weight, or see whether the captions say what is seen.",
    )  # fmt: skip
    winning = Rule(
        "winning", "margin", False, MOST_MARGIN,
        "the discriminator wins: its logits of real and generated pictures lie {value:.1f} apart "
        "(expected: below {limit:.0f})",
        "Lower training.discriminator_rate, set training.augmentations=auto, or add pictures.",
    )  # fmt: skip
    return (collapse, *((captions,) if contrastive_weight and chance > 0 else ()), ignored, winning)


class Watch:
    """Judges a run at its reports.

    A rule counts from step `WARM_UP` on, and is a finding when it has been broken at `PATIENCE`
    reports in a row that lie `LASTING` steps apart; each is told once in a run.

    Args:
        pixels: uint8 (N, H, W, 3), in [0, 255]. Real pictures.
        token_ids: int32 (N, L). One caption of each.
        noise: float32 (N, Z), N(0, 1).
        rules: From `rules`.
    """

    def __init__(
        self,
        pixels: np.ndarray,
        token_ids: np.ndarray,
        noise: np.ndarray,
        rules: Sequence[Rule],
    ):
        self.token_ids, self.noise, self.rules = token_ids, noise, rules
        self.real_distance = pairwise_distance(pixels.astype("float32") / 127.5)
        self.put_back({})

    @property
    def suspects(self) -> bool:
        """Whether a collapse may have begun, so that this is no place to go back to."""
        return "collapse" in self.broken

    def state(self) -> dict[str, Any]:
        """What `put_back` takes, as JSON can hold it."""
        return {"broken": {k: list(v) for k, v in self.broken.items()}, "told": list(self.told)}

    def put_back(self, state: dict[str, Any]) -> None:
        """Goes on from a state; an empty one is the beginning."""
        # For each rule that is broken: at how many reports in a row, and since which step.
        self.broken = {name: tuple(seen) for name, seen in state.get("broken", {}).items()}
        self.told = list(state.get("told", []))

    def measure(self, gan) -> dict[str, float]:
        """Figures of G and T as they are now; what cannot be told from this set is left out.

        Formula:
            sample_diversity = mean over i < j of d(G(z_i, c_i), G(z_j, c_j)) / the same of x
            caption_effect = d(G(z, c), G(z, c')) / d(G(z, c), G(z', c'))
            noise_effect = d(G(z, c), G(z', c)) / d(G(z, c), G(z', c'))

            with c' and z' rolled by one, over the pictures whose c' is another caption.
        """
        image = self._draw(gan, self.token_ids, self.noise)
        figures = {}
        if self.real_distance > 0:
            figures["sample_diversity"] = pairwise_distance(image) / self.real_distance
        others = np.roll(self.token_ids, 1, axis=0)
        differ = np.any(others != self.token_ids, axis=1)
        if differ.any():
            a = image[differ]
            both = mean_distance(a, np.roll(image, 1, axis=0)[differ])
            if both > 0:
                caption = self._draw(gan, others[differ], self.noise[differ])
                noise = np.roll(self.noise, 1, axis=0)[differ]
                noise = self._draw(gan, self.token_ids[differ], noise)
                figures["caption_effect"] = mean_distance(a, caption) / both
                figures["noise_effect"] = mean_distance(a, noise) / both
        return figures

    def judge(self, step: int, figures: dict[str, float]) -> list[str]:
        """Counts what is broken.

        Args:
            step: Steps taken.
            figures: Those of `measure`, and the means of the losses and logits.

        Returns:
            Lines to tell.

        Raises:
            WentWrong: The pictures have collapsed.
        """
        figures = figures | _margin(figures)
        lines = []
        for rule in self.rules:
            if step < WARM_UP or not rule.is_broken_by(figures):
                self.broken.pop(rule.name, None)
                continue
            count, since = self.broken.get(rule.name, (0, step))
            self.broken[rule.name] = (count + 1, since)
            if count + 1 < PATIENCE or step - since < LASTING:
                continue
            finding = rule.finding.format(value=figures[rule.figure], limit=rule.limit)
            finding = f"step {step}: {finding}"
            if rule.name == "collapse":
                raise WentWrong(finding, rule.hint)
            if rule.name not in self.told and not self._explained(rule):
                self.told.append(rule.name)
                lines.append(f"{finding}. {rule.hint}")
        return lines

    def _explained(self, rule):
        """Captions that say nothing of the pictures cannot be followed."""
        return rule.name == "ignored" and "captions" in self.broken

    def _draw(self, gan, token_ids, noise):
        text = gan.encoder(ops.convert_to_tensor(token_ids), training=False)
        image = draw(gan.generator, text, ops.convert_to_tensor(noise), training=False)
        return ops.convert_to_numpy(image)


def mean_distance(a: np.ndarray, b: np.ndarray) -> float:
    """d: the mean absolute difference of two batches of images, or of two images."""
    return float(np.mean(np.abs(a - b), dtype="float64"))


def pairwise_distance(images: np.ndarray) -> float:
    """Mean of d over all pairs of N images; 0 where there are no pairs."""
    num = len(images)
    if num < 2:
        return 0.0
    total = sum(
        mean_distance(image, images[i + 1 :]) * (num - 1 - i) for i, image in enumerate(images[:-1])
    )
    return total / (num * (num - 1) / 2)


def chance_contrast(token_ids: Sequence[np.ndarray], batch_size: int) -> float:
    """The contrastive loss of one who guesses.

    Formula:
        log(1 + (B - 1) (1 - p)),  p = Σ_captions P(caption)²

        p is how often two pictures have the same caption, which the loss leaves out; log B where
        all captions differ.

    Args:
        token_ids: N arrays int32 (K_i, L). The captions of each picture; one of them is drawn.
        batch_size: B.

    Returns:
        The loss, at least 0.

    Source: `losses.contrastive_loss` with all s_ij equal.
    """
    weight = np.concatenate([np.full(len(ids), 1 / len(ids)) for ids in token_ids])
    _, which = np.unique(np.concatenate(token_ids), axis=0, return_inverse=True)
    share = np.bincount(which.ravel(), weights=weight) / len(token_ids)
    return float(np.log1p((batch_size - 1) * max(0.0, 1 - np.sum(share**2))))


def _margin(figures):
    if "real_logit" not in figures or "fake_logit" not in figures:
        return {}
    return {"margin": figures["real_logit"] - figures["fake_logit"]}
