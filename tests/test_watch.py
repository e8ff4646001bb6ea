"""What a run watches, and when it says something."""

import math

import numpy as np
import pytest

from kgen.training import watch
from kgen.training.findings import WentWrong

LOG_32 = math.log(32)  # 3.4657


def the_rules():
    return watch.rules(LOG_32, contrastive_weight=1.0)


class FakeGAN:
    """T gives the first id; G paints a flat grey of a · caption + b · noise."""

    def __init__(self, of_caption, of_noise):
        self.of_caption, self.of_noise = of_caption, of_noise

    def encoder(self, token_ids, training):
        return {"caption_vector": np.asarray(token_ids)[:, :1].astype("float32")}

    @property
    def generator(self):
        def paint(given, training):
            grey = self.of_caption * given["caption_vector"] + self.of_noise * given["noise"]
            return np.asarray(grey, "float32")[:, :, None, None] * np.ones((1, 1, 2, 3), "float32")

        paint.input = {"noise": None, "caption_vector": None}
        return paint


def make_watch(token_ids=(1, 2, 4), noise=(0.0, 1.0, 3.0), pixels=(0, 51, 255)):
    """Three grey pictures with one token and one number of noise each."""
    grey = np.array(pixels, "uint8")[:, None, None, None] * np.ones((1, 2, 2, 3), "uint8")
    ids = np.array(token_ids, "int32")[:, None]
    return watch.Watch(grey, ids, np.array(noise, "float32")[:, None], the_rules())


# Distances


def test_pairwise_distance_of_three_greys():
    # |0 - 1| = 1, |0 - 4| = 4, |1 - 4| = 3: their mean is 8/3.
    images = np.array([0.0, 1.0, 4.0])[:, None, None, None] * np.ones((1, 2, 2, 3))
    assert watch.pairwise_distance(images) == pytest.approx(8 / 3)
    assert watch.pairwise_distance(images[:1]) == 0.0


def test_diversity_is_relative_to_the_real_pictures():
    # Real: 0, 51 and 255 over 127.5 are 0, 0.4 and 2: pairs 0.4, 2, 1.6, mean 4/3.
    # Drawn, by caption alone: 0.1, 0.2, 0.4: pairs 0.1, 0.3, 0.2, mean 0.2. 0.2 / (4/3) = 0.15.
    found = make_watch().measure(FakeGAN(0.1, 0.0))
    assert found["sample_diversity"] == pytest.approx(0.15, rel=1e-5)


def test_effects_of_caption_and_noise():
    # Pictures i and i - 1: captions (1, 2, 4) differ by 3, 1, 2, noises (0, 1, 3) by 3, 1, 2,
    # and captions rise with noises, so the two effects add up: of 0.3 and 0.1, 3/4 and 1/4.
    found = make_watch().measure(FakeGAN(0.3, 0.1))
    assert found["caption_effect"] == pytest.approx(0.75, rel=1e-5)
    assert found["noise_effect"] == pytest.approx(0.25, rel=1e-5)
    ignoring = make_watch().measure(FakeGAN(0.0, 0.1))
    assert ignoring["caption_effect"] == 0.0
    assert ignoring["noise_effect"] == pytest.approx(1.0)


def test_what_cannot_be_told_is_left_out():
    assert "caption_effect" not in make_watch(token_ids=(5, 5, 5)).measure(FakeGAN(1, 1))
    assert "sample_diversity" not in make_watch(pixels=(9, 9, 9)).measure(FakeGAN(1, 1))
    # A G that always paints the same has a diversity, 0, and no effects to compare.
    assert make_watch().measure(FakeGAN(0, 0)) == {"sample_diversity": 0.0}


# Guessing


def test_chance_is_log_of_the_batch_where_all_captions_differ():
    # p = 4 (1/4)² = 1/4: log(1 + 3 · 3/4) = log 3.25; with N → ∞ it would be log 4.
    ids = [np.array([[i, 0]], "int32") for i in range(4)]
    assert watch.chance_contrast(ids, 4) == pytest.approx(math.log(3.25))
    many = [np.array([[i, 0]], "int32") for i in range(20_000)]
    assert watch.chance_contrast(many, 32) == pytest.approx(LOG_32, abs=1e-3)


def test_chance_with_equal_captions():
    # Captions a (weight 1/2 + 1/4) and b (1/4): p = 9/16 + 1/16 = 5/8; log(1 + 4 · 3/8) = log 2.5.
    a, b = [1, 2], [3, 4]
    assert watch.chance_contrast(
        [np.array([a], "int32"), np.array([a, b], "int32")], 5
    ) == pytest.approx(math.log(2.5))
    assert watch.chance_contrast([np.array([a], "int32")] * 7, 32) == 0.0


def test_without_contrast_nothing_is_said_of_captions():
    assert "captions" not in [rule.name for rule in watch.rules(LOG_32, 0.0)]
    assert "captions" not in [rule.name for rule in watch.rules(0.0, 1.0)]


# Findings

HEALTHY = {
    "sample_diversity": 0.8,
    "caption_effect": 0.7,
    "real_contrast": 1.0,
    "real_logit": 1.2,
    "fake_logit": -1.0,
}


def judged(figures, steps, seeing=None):
    """Lines of each report."""
    seeing = seeing or make_watch()
    return [seeing.judge(step, HEALTHY | figures) for step in steps]


EVERY_250 = range(250, 3001, 250)


def test_healthy_figures_raise_no_alarm():
    assert judged({}, EVERY_250) == [[]] * 12
    # The first reports of the healthy runs of 64 px: contrast 2.29, diversity 0.76, margin 1.04.
    assert judged({"real_contrast": 2.29, "sample_diversity": 0.76}, EVERY_250) == [[]] * 12
    # emoji64 after 3144 steps.
    assert judged({"real_logit": 1.94, "fake_logit": -1.79}, EVERY_250) == [[]] * 12


@pytest.mark.parametrize(
    ("figures", "words"),
    [
        ({"real_contrast": 3.4}, "the captions seem not to belong to the pictures"),
        ({"caption_effect": 0.02}, "the pictures hardly follow their captions"),
        ({"real_logit": 6.0, "fake_logit": -7.0}, "the discriminator wins"),
    ],
)
def test_each_finding_is_told_once_and_in_one_line(figures, words):
    told = judged(figures, EVERY_250)
    # Reports count from step 500 on; the third in a row, 500 steps on, is that of step 1000.
    assert [len(lines) for lines in told] == [0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]
    (line,) = told[3]
    assert line.startswith("step 1000: ") and words in line and "\n" not in line


def test_a_finding_names_what_was_seen_and_what_was_expected():
    (line,) = judged({"real_contrast": 3.4}, EVERY_250)[3]
    # 0.95 · 3.4657 = 3.29
    assert "still costs 3.40, and guessing 3.47 (expected: below 3.29)" in line
    assert "shuffled" in line


def test_a_collapse_is_no_warning_but_an_end():
    seeing = make_watch()
    assert judged({"sample_diversity": 0.1}, (500, 750), seeing) == [[], []]
    assert seeing.suspects
    with pytest.raises(WentWrong) as raised:
        judged({"sample_diversity": 0.1}, (1000,), seeing)
    assert "only 0.10 times as much" in raised.value.finding
    assert "training.generator_rate" in raised.value.hint


def test_one_healthy_report_in_between_begins_the_count_anew():
    seeing = make_watch()
    for step in EVERY_250:
        bad = (step // 250) % 3 != 0
        seeing.judge(step, HEALTHY | {"sample_diversity": 0.1 if bad else 0.8})
        assert seeing.suspects == (bad and step >= watch.WARM_UP)


def test_frequent_reports_do_not_hasten_a_finding():
    told = judged({"caption_effect": 0.0}, range(10, 1500, 10))
    # The first that counts is that of step 500, so the finding is at step 1000: the 100th.
    assert [i for i, lines in enumerate(told) if lines] == [99]


def test_captions_that_say_nothing_need_not_be_followed():
    told = judged({"real_contrast": 3.4, "caption_effect": 0.0}, EVERY_250)
    assert sum(map(len, told)) == 1


def test_counts_survive_being_written_and_read():
    seeing, other = make_watch(), make_watch()
    bad = {"caption_effect": 0.0}
    judged(bad, (500, 750), seeing)
    other.put_back(seeing.state())
    assert len(judged(bad, (1000,), other)[0]) == 1
    third = make_watch()
    third.put_back(other.state())
    assert judged(bad, (1250, 1500), third) == [[], []]
