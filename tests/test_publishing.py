"""A published run is a preset with a card, a page and the evaluation of what ships."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from kgen import publishing
from kgen.cli import app
from kgen.config import Config
from kgen.evaluation import figures, measuring
from kgen.evaluation.measuring import evaluate
from kgen.evaluation.sheets import Sheet, Strip
from kgen.model_folder import write_weights
from kgen.pipeline import TextToImage
from kgen.publishing import compact, publish, read_limits
from kgen.training.run import train

LIMITS = "Suns are round; boats are smudges. 船只模糊。"


@pytest.fixture(scope="module", autouse=True)
def rough(tmp_path_factory):
    """Rough intervals, and judges that are kept elsewhere than the user's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figures, "DRAWS", 8)
        patch.setenv("KGEN_CACHE", str(tmp_path_factory.mktemp("kept")))
        yield


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    config = Config.from_dict(
        {
            "text": {"encoder": "bag", "embedding_dim": 8, "caption_dim": 8},
            "networks": {"image_size": 32, "width": 4, "discriminator_width": 4},
            "training": {"steps": 2, "batch_size": 4},
            "data": {"num_scenes": 96},
        }
    )
    return train(config, tmp_path_factory.mktemp("run") / "run", progress=False)


@pytest.fixture(scope="module")
def evaluations():
    """What publishing measured: minutes on a busy machine, so tests share it."""
    return []


@pytest.fixture(scope="module")
def preset(run, evaluations, rough, tmp_path_factory):
    def measured(*given, **named):
        evaluations.append(evaluate(*given, **named))
        return evaluations[-1]

    out = tmp_path_factory.mktemp("presets") / "mine"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(publishing, "evaluate", measured)
        return publish(run, out, "CC0-1.0", "nobody | at all", num=24, limits=LIMITS, epochs=1)


def test_the_card_says_what_was_trained_and_how_good_it_is(preset):
    card = json.loads((preset / "card.json").read_text(encoding="utf-8"))
    assert (card["name"], card["license"], card["limits"]) == ("mine", "CC0-1.0", LIMITS)
    assert card["training"]["steps"] == 2
    assert card["training"]["pictures"] == 8
    captions = card["captions"]
    assert 1 <= captions["fewest_tokens"] < captions["most_tokens"] <= 32
    assert len(captions["samples"]) == 8
    found = card["evaluation"]
    assert (found["format"], found["about"]["num"]) == (1, 24)
    assert found["about"]["hash"] == card["hash"]
    assert set(found["attributes"]) >= {"time", "terrain", "place"}
    assert 0 <= found["caption_match"]["columns"][1]["r_precision"]["generated"]["value"] <= 1
    assert found["memorisation"]["pixels"]["ratio"]["value"] > 0
    # The preset comes with a matcher of its own, so the best of several is measured, too.
    assert [row["count"] for row in found["refinement"]["counts"]] == [1, 2, 4, 8]
    # The first is what is drawn without refinement.
    drawn = found["caption_match"]["columns"][0]["r_precision"]["generated"]
    assert found["refinement"]["counts"][0]["r_precision"] == drawn


def test_the_page_shows_the_card_and_its_pictures(preset):
    page = (preset / "card.md").read_text(encoding="utf-8")
    assert page.startswith("# mine\n")
    assert LIMITS in page
    assert "| credit | nobody \\| at all |" in page
    assert "| data | kgen's procedural scenes |" in page
    assert "| captions | of " in page
    for name in ("samples", "best", "worst", "closest"):
        assert f"]({name}.png)" in page
        with Image.open(preset / f"{name}.png") as picture:
            assert min(picture.size) > 100
    assert page.count(".png)") == 4


def test_its_weights_are_the_runs_in_half_the_bytes(run, preset):
    painter = TextToImage.from_preset(preset)
    card = json.loads((preset / "card.json").read_text(encoding="utf-8"))
    assert (painter.config.name, painter.hash) == ("mine", card["hash"])
    full = TextToImage.from_preset(run).model.get_weights()
    for half, whole in zip(painter.model.get_weights(), full, strict=True):
        np.testing.assert_array_equal(half, whole.astype("float16").astype("float32"))


def test_of_two_runs_the_mean_is_published(run, preset, evaluations, tmp_path, monkeypatch):
    other = tmp_path / "other"
    shutil.copytree(run, other)
    painter = TextToImage.from_preset(run)
    ones = [np.ones_like(weight) for weight in painter.model.get_weights()]
    painter.model.set_weights(ones)
    write_weights(painter.model, other / "model.weights.h5")
    monkeypatch.setattr(publishing, "evaluate", lambda *_, **__: evaluations[0])
    monkeypatch.setattr(publishing, "_write_matcher", lambda *_: None)
    done = CliRunner().invoke(
        app,
        ["publish", str(run), str(other), "--out", str(tmp_path / "two"), "--license", "CC0-1.0"],
    )
    assert done.exit_code == 0, done.output
    published = TextToImage.from_preset(tmp_path / "two").model.get_weights()
    for mean, first in zip(published, TextToImage.from_preset(run).model.get_weights()):
        np.testing.assert_allclose(mean, (first + 1) / 2, atol=1e-3)
    trained = json.loads((tmp_path / "two" / "card.json").read_text())["training"]
    assert trained["mean_of"] == ["run", "other"]
    # Both say that they are the same two steps of run, under their own names.
    assert [one["name"] for one in trained["runs"]] == ["run", "other"]
    assert "mean of the weights of run, other" in (tmp_path / "two" / "card.md").read_text()


def test_what_is_too_large_is_refused_before_it_is_measured(run, tmp_path, monkeypatch):
    monkeypatch.setattr(publishing, "MOST_BYTES", 10_000)
    monkeypatch.setattr(publishing, "evaluate", None)  # would be called in vain
    with pytest.raises(ValueError, match="at most 0.01 MB as a preset, received: ") as error:
        publish(run, tmp_path / "large", "CC0-1.0")
    assert "\n" not in str(error.value)
    assert not (tmp_path / "large").exists()


def test_of_large_sheets_as_much_is_shown_as_fits(tmp_path, monkeypatch):
    noise = np.random.default_rng(0).integers(0, 256, (10, 1, 128, 128, 3), np.uint8)
    strips = tuple(Strip(pixels, ("",), (f"第{i}张",)) for i, pixels in enumerate(noise))
    # A picture of noise takes its 49 kB as PNG, too: 10 do not fit into 400 kB, 6 do.
    monkeypatch.setattr(publishing, "MOST_BYTES", 400_000 + publishing.ROOM)
    (shown,) = publishing._write_what_fits([Sheet("best", "t", "t", strips)], tmp_path)
    assert len(shown.strips) == 6
    assert 250_000 < (tmp_path / "best.png").stat().st_size < 400_000


def test_limits_are_a_text_or_a_file(tmp_path):
    (tmp_path / "limits.md").write_text("\ufeff手是模糊的。\n", encoding="utf-8")
    assert read_limits(str(tmp_path / "limits.md")) == "手是模糊的。"
    assert read_limits("Hands are smudges. " * 500).startswith("Hands")
    (tmp_path / "bad").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match="not UTF-8"):
        read_limits(str(tmp_path / "bad"))


def test_a_card_is_short():
    def figure(value):
        return {"value": value, "low": 0.123456789, "high": None, "num": 7}

    many = {str(i): {} for i in range(13)}
    report = {
        "attributes": {"head": {"real": figure(1 / 3), "classes": many},
                       "time": {"real": figure(1.0), "classes": {"noon": {}}}},
        "words": {"columns": [{"name": "text", "words": [
            {"word": "红", "generated": figure(0.5), "real": None}]}]},
    }  # fmt: skip
    short = compact(report)
    assert short["attributes"]["head"] == {
        "real": {"value": 0.33333, "low": 0.12346, "high": None, "num": 7}
    }
    assert "classes" in short["attributes"]["time"]
    assert short["words"]["columns"][0]["words"] == {
        "红": {"generated": 0.5, "real": None, "num": 7}
    }
    assert len(report["attributes"]["head"]["classes"]) == 13  # the report itself is as it was


def test_the_command_writes_report_and_page(run, preset, evaluations, tmp_path, monkeypatch):
    asked = []

    def measured(*given, **named):
        asked.append((given, named))
        return evaluations[0]

    monkeypatch.setattr(measuring, "evaluate", measured)
    out = tmp_path / "out"
    options = ("--num", "24", "--seed", "5")
    done = CliRunner().invoke(app, ["evaluate", str(run), "a.zip", "--out", str(out), *options])
    assert done.exit_code == 0, done.output
    ((_, data, num), named), *_ = asked
    assert (Path(data).is_absolute(), Path(data).name, num) == (True, "a.zip", 24)
    assert (named["seed"], named["features"]) == (5, "matcher")
    assert "24 held-out pictures of kgen's procedural scenes" in done.output
    for name in ("report.json", "report.md", "page.html"):
        assert str(out / name) in done.output
    report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    assert report == evaluations[0].report
    assert report["about"]["seconds"] > 0
