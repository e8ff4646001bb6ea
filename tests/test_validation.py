"""Validation: pictures held out, and the best weights kept."""

import json

import numpy as np
import pytest

from kgen import model_folder
from kgen.data.batches import make_batches
from kgen.data.captioned_pictures import CaptionedPictures
from kgen.training import run, validation
from kgen.training.validation import Validation, held_out_every

COLOURS = {"red": (220, 30, 30), "blue": (30, 30, 220), "绿色": (30, 200, 30)}


def coloured(num):
    rng = np.random.default_rng(2)
    names = [list(COLOURS)[i] for i in rng.integers(0, 3, num)]
    pixels = np.stack([np.full((32, 32, 3), COLOURS[n]) for n in names])
    pixels = np.clip(pixels + rng.integers(-20, 20, (num, 1, 1, 3)), 0, 255)
    return CaptionedPictures(pixels.astype("uint8"), tuple((f"all {n}",) for n in names))


class KnownJudge:
    """Features are the mean colour; a caption's vector is its colour's."""

    def picture_features(self, pixels):
        return np.asarray(pixels, "float32").mean(axis=(1, 2)) / 255

    def picture_vectors(self, pixels):
        return self._unit(self.picture_features(pixels) - 0.4)

    def caption_vectors(self, captions):
        colours = [COLOURS[c.split()[1]] for c in captions]
        return self._unit(np.array(colours, "float32") / 255 - 0.4)

    def _unit(self, x):
        return x / np.linalg.norm(x, axis=1, keepdims=True)


def test_a_tenth_is_held_out_and_never_given():
    pictures = coloured(45)
    ids = [np.array([[i + 1, 0]], "int32") for i in range(45)]
    batches = make_batches(pictures, ids, 4, seed=0, held_out_every=10)
    seen = np.concatenate([b["token_ids"][:, 0] for b in batches.take(40).as_numpy_iterator()])
    assert set(seen - 1) == set(range(45)) - {0, 10, 20, 30, 40}
    # 160 draws are four epochs of 40
    assert np.bincount(seen - 1, minlength=45).tolist() == [4 * (i % 10 > 0) for i in range(45)]


def test_how_many_are_held_out():
    assert held_out_every(199) == 0
    assert held_out_every(200) == 10  # 20 pictures
    assert len(range(0, 1_000_000, held_out_every(1_000_000))) == 513


@pytest.fixture
def judged():
    pictures = coloured(200)
    ids = [np.array([[list(COLOURS).index(c[0].split()[1]) + 2, 0]]) for c in pictures.captions]
    return pictures, Validation(KnownJudge(), pictures, ids, 10, 4, "match")


def painter(colours):
    """A model that paints token 2, 3, 4 in three colours."""

    def paint(inputs, training):
        chosen = np.array(colours, "float32")[np.asarray(inputs["token_ids"])[:, 0] - 2]
        return np.broadcast_to(chosen[:, None, None] / 127.5 - 1, (len(chosen), 32, 32, 3))

    return paint


def test_a_painter_that_obeys_matches_and_one_that_mixes_colours_up_does_not(judged):
    _, of = judged
    good = of.measure(painter(list(COLOURS.values())))
    mixed_up = of.measure(painter([*list(COLOURS.values())[1:], COLOURS["red"]]))
    grey = of.measure(painter([(128, 128, 128)] * 3))
    assert good["validation_match"] == 1.0 and mixed_up["validation_match"] == 0.0
    assert good["validation_distance"] < 0.01 < grey["validation_distance"]


def test_fine_structure_needs_no_judge():
    pictures = coloured(200)
    rng = np.random.default_rng(0)
    noisy = pictures.pixels.astype(int) + rng.integers(-40, 40, pictures.pixels.shape)
    ids = [np.array([[2 + list(COLOURS).index(c[0].split()[1]), 0]]) for c in pictures.captions]
    of = Validation(None, pictures, ids, 10, 4, "detail")
    held_out = iter([pictures.pixels[::10], np.clip(noisy, 0, 255)[::10]])

    def repeat(inputs, training):
        return next(held_out) / 127.5 - 1

    same, other = of.measure(repeat), of.measure(repeat)
    assert set(same) == {"validation_detail"}
    assert same["validation_detail"] < 0.01 < other["validation_detail"]
    assert of.is_better(same, other) and not of.is_better(other, same)


def test_better_is_more_match_or_less_distance(judged):
    pictures, of = judged
    worse = {"validation_match": 0.2, "validation_distance": 1.0}
    better = {"validation_match": 0.3, "validation_distance": 0.5}
    assert of.is_better(worse, {})
    assert of.is_better(better, worse) and not of.is_better(worse, better)
    assert not of.is_better(better, better)
    of.metric = "distance"
    assert of.is_better(better, worse) and not of.is_better(worse, better)
    assert not of.is_better(better, better)


@pytest.fixture
def scripted(monkeypatch):
    """Validation whose figures are given; the judge is not needed for them."""
    script = {2: 0.2, 4: 0.7, 6: 0.5, 8: 0.6}
    monkeypatch.setattr(run, "matcher_of", lambda *args: KnownJudge())

    def measure(self, model):
        self.num = getattr(self, "num", 0) + 2
        return {"validation_match": script[self.num], "validation_distance": 1.0}

    monkeypatch.setattr(Validation, "measure", measure)


def test_the_best_weights_are_kept(tiny_config, tmp_path, scripted):
    config = tiny_config.updated({"training": {"validation": "match"}})
    out = run.train(config, tmp_path / "run", progress=False, pictures=coloured(200))
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    assert [line["validation_best_step"] for line in lines] == [2, 4, 4, 4]
    assert [line["validation_match"] for line in lines] == [0.2, 0.7, 0.5, 0.6]
    best = model_folder.read_model(out).model.get_weights()
    four = config.updated({"training": {"steps": 4}})
    short = run.train(four, tmp_path / "short", progress=False, pictures=coloured(200))
    for a, b in zip(best, model_folder.read_model(short).model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_resumed_run_remembers_its_best(tiny_config, tmp_path, monkeypatch):
    config = tiny_config.updated({"training": {"validation": "match", "steps": 4}})
    monkeypatch.setattr(run, "matcher_of", lambda *args: KnownJudge())
    values = iter([0.2, 0.7, 0.5, 0.6])
    monkeypatch.setattr(
        Validation,
        "measure",
        lambda *a: {"validation_match": next(values), "validation_distance": 1.0},
    )
    out = run.train(config, tmp_path / "run", progress=False, pictures=coloured(200))
    before = (out / "model.weights.h5").read_bytes()
    longer = config.updated({"training": {"steps": 8}})
    run.train(longer, out, resume=True, progress=False, pictures=coloured(200))
    assert (out / "model.weights.h5").read_bytes() == before
    last = json.loads((out / "metrics.jsonl").read_text().splitlines()[-1])
    assert (last["step"], last["validation_best_step"]) == (8, 4)


def test_the_judge_learns_from_no_held_out_picture_and_is_read_again(tmp_path, monkeypatch):
    pictures, given = coloured(200), []

    class Saved(KnownJudge):
        def save(self, folder):
            folder.mkdir()

    def judge_for(some, seed):
        given.append((len(some), seed))
        return Saved()

    monkeypatch.setattr(validation, "judge_for", judge_for)
    monkeypatch.setattr(validation.Matcher, "load", classmethod(lambda cls, folder: "read"))
    assert isinstance(validation.matcher_of(tmp_path, pictures, 10), Saved)
    assert given == [(180, 1)]
    assert validation.matcher_of(tmp_path, pictures, 10) == "read"


def test_too_few_pictures_are_told(tiny_config, tmp_path, capsys):
    config = tiny_config.updated({"training": {"validation": "distance", "steps": 2}})
    run.train(config, tmp_path / "run", progress=True, pictures=coloured(30))
    assert "30 pictures are too few to hold any out" in capsys.readouterr().err
