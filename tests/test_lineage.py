"""A card counts what a model was trained on in all, the runs that it started from included."""

import json

import pytest

from kgen.cards import _in_runs
from kgen.config import Config
from kgen.training.lineage import runs_behind


def write_run(folder, step, seconds, batch_size=32, start_from=""):
    folder.mkdir()
    config = {"training": {"batch_size": batch_size, "start_from": str(start_from)}}
    text = json.dumps(Config.from_dict(config).to_dict(), ensure_ascii=False)
    (folder / "config.json").write_text(text, encoding="utf-8")
    lines = [{"step": 1, "seconds": 1.0}, {"step": step, "seconds": seconds}]
    (folder / "metrics.jsonl").write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    return folder


def test_runs_are_followed_back_to_the_first(tmp_path):
    first = write_run(tmp_path / "水果", step=1000, seconds=600)
    second = write_run(tmp_path / "b", step=50, seconds=90, batch_size=64, start_from=first)
    # 1000 steps of 32 pictures in 600 s, then 50 of 64 in 90 s.
    assert runs_behind(second) == [
        {"name": "水果", "steps": 1000, "pictures": 32000, "minutes": 10.0},
        {"name": "b", "steps": 50, "pictures": 3200, "minutes": 1.5},
    ]


def test_a_preset_brings_the_runs_of_its_card(tmp_path):
    runs = [{"name": "old", "steps": 7, "pictures": 224, "minutes": 3.0}]
    preset = tmp_path / "preset"
    preset.mkdir()
    (preset / "card.json").write_text(json.dumps({"training": {"runs": runs}}), encoding="utf-8")
    found = runs_behind(write_run(tmp_path / "b", 50, 90, start_from=preset))
    assert [run["name"] for run in found] == ["old", "b"]
    assert found[0] == runs[0]
    assert runs_behind(preset) == runs


@pytest.mark.parametrize("card", ["{", "[]", "{}", '{"training": {}}'])
def test_a_card_that_tells_no_runs_is_unknown(tmp_path, card):
    preset = tmp_path / "preset"
    preset.mkdir()
    (preset / "card.json").write_text(card, encoding="utf-8")
    found = runs_behind(write_run(tmp_path / "b", 50, 90, start_from=preset))
    assert [run["minutes"] for run in found] == [None, 1.5]
    with pytest.raises(ValueError, match="card.json: it names no runs. Restore it"):
        runs_behind(preset)


def test_a_model_that_has_gone_is_unknown(tmp_path):
    found = runs_behind(write_run(tmp_path / "b", 50, 90, start_from=tmp_path / "gone"))
    assert found[0] == {"name": "gone", "steps": None, "pictures": None, "minutes": None}
    assert _in_runs(found).endswith("gone unknown minutes, b 1.5 minutes")


def test_runs_in_a_ring_end(tmp_path):
    write_run(tmp_path / "a", 10, 60, start_from=tmp_path / "b")
    b = write_run(tmp_path / "b", 20, 60, start_from=tmp_path / "a")
    assert [run["name"] for run in runs_behind(b)] == ["a", "b"]


def test_one_run_needs_no_list_of_runs(tmp_path):
    assert _in_runs(runs_behind(write_run(tmp_path / "a", 10, 60))) == ""


def test_a_run_without_figures_is_refused(tmp_path):
    run = write_run(tmp_path / "a", 10, 60)
    (run / "metrics.jsonl").write_text("nothing", encoding="utf-8")
    with pytest.raises(ValueError, match="holds no figures of a run"):
        runs_behind(run)
