"""The command line: what it prints, what it writes, what it refuses."""

import json
import subprocess
import sys

import numpy as np
import pytest
from click.testing import CliRunner

from kgen import cli
from kgen.pictures import read_png_text, save_png

TINY = [
    "--preset", "scenes_32", "--set", "networks.width=4", "--set", "data.num_scenes=64",
    "--set", "training.report_interval=2", "--set", "training.batch_size=4", "--steps", "4",
]  # fmt: skip


def kgen(*arguments):
    """Runs the command line in a process of its own, as a user does."""
    return subprocess.run(
        [sys.executable, "-m", "kgen.cli", *map(str, arguments)],
        capture_output=True,
        text=True,
        encoding="utf-8",
    )


def resolved(*arguments):
    result = CliRunner().invoke(cli.app, ["--debug", "train", "--dry-run", *map(str, arguments)])
    assert result.exit_code == 0, result.output
    return json.loads(result.output)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run of four steps on 64 scenes."""
    out = tmp_path_factory.mktemp("runs") / "tiny"
    result = kgen("train", "--out", out, *TINY)
    assert result.returncode == 0, result.stderr
    assert result.stdout == f"{out}\n"
    assert "pictures/s" in result.stderr
    return out


def test_a_run_holds_what_it_says(run):
    names = {path.name for path in run.iterdir()}
    assert names == {
        "config.json", "vocabulary.txt", "model.weights.h5", "checkpoint.weights.h5",
        "metrics.jsonl", "samples", "tensorboard", "checkpoints",
    }  # fmt: skip
    assert [path.name for path in sorted((run / "samples").iterdir())] == [
        "step_000002.png",
        "step_000004.png",
    ]
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [2, 4]
    assert all(line["d_loss"] > 0 for line in lines)


def test_a_run_may_lie_in_the_folder_one_is_in(tmp_path, monkeypatch):
    (tmp_path / "猫").mkdir()
    monkeypatch.chdir(tmp_path / "猫")
    assert resolved("--out", ".")["name"] == "猫"


def test_generate_writes_pictures_that_say_what_they_are(run, tmp_path):
    result = kgen("generate", "美丽的日落景象", "a snowy night", "--preset", run, "--seed", 5,
                  "--count", 2, "--out", tmp_path)  # fmt: skip
    assert result.returncode == 0, result.stderr
    paths = result.stdout.splitlines()
    assert [path.rsplit("/", 1)[1] for path in paths] == [
        "000_美丽的日落景象.png", "001_美丽的日落景象.png",
        "002_a_snowy_night.png", "003_a_snowy_night.png",
    ]  # fmt: skip
    text = read_png_text(paths[1])
    assert (text["Caption"], text["Seed"], text["Model"]) == ("美丽的日落景象", "6", "tiny")
    assert len(text["Hash"]) == 16


def test_generate_reads_captions_from_a_file_and_names_unknown_words(run, tmp_path):
    (tmp_path / "captions.txt").write_text("麒麟\n\n日落\n", encoding="utf-8")
    result = kgen("generate", "--captions", tmp_path / "captions.txt", "--grid", "--preset", run,
                  "--out", tmp_path)  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines() == [str(tmp_path / "grid.png")]
    assert "kgen: 麒麟: not in this model's vocabulary: 麒, 麟\n" in result.stderr
    assert "日落" not in result.stderr


def test_generate_says_what_of_a_long_caption_is_not_read(run, tmp_path):
    caption = "night " * 32 + "sunset over the sea"
    result = kgen("generate", caption, "--preset", run, "--out", tmp_path)
    assert result.returncode == 0, result.stderr
    assert "only 32 tokens are read, to before “sunset over the”" in result.stderr


def test_rows_that_cannot_be_read_are_counted_and_named(tmp_path):
    data = tmp_path / "data"
    data.mkdir()
    rows = [{"file_name": f"{i}.png", "text": f"第{i} number {i}"} for i in range(30)]
    for row in rows[:-1]:  # the last names a picture that is not there
        save_png(data / row["file_name"], np.full((40, 40, 3), 128, np.uint8))
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (data / "metadata.jsonl").write_text(lines, encoding="utf-8")
    result = kgen("train", data, "--out", tmp_path / "run", *TINY)
    assert result.returncode == 0, result.stderr
    assert "1 of " in result.stderr
    assert "29.png" in result.stderr
    problems = (tmp_path / "run" / "problems.txt").read_text(encoding="utf-8").splitlines()
    assert len(problems) == 1
    assert problems[0].startswith("metadata.jsonl:30: ")


def test_an_error_is_one_line_and_no_trace(tmp_path):
    result = kgen("train", tmp_path / "nothing", "--out", tmp_path / "run")
    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr.startswith("kgen: ")
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["generate", "x", "--preset", "scene_64"], 1, "`preset` must be"),
        (["generate", "x", "--preset", "pictures_64"], 1, "a configuration to train from"),
        (["generate", "night", "--preset", "{run}", "--out", "/proc/no/x"], 1, "kgen: /proc/no"),
        (["generate"], 2, "Give a caption"),
        (["generate", "x", "--seed", "-1"], 2, "--seed"),
        (["train", "/nowhere/at/all", "--out", "{tmp}/run"], 1, "/nowhere/at/all"),
        (["train"], 2, "--out"),
        (["train", "--set", "networks.widht=3", "--dry-run"], 1, "Did you mean `width`?"),
        (["train", "--set", "networks.width=x", "--dry-run"], 1, "a whole number"),
        (["train", "--preset", "scenes", "--dry-run"], 1, "scenes_64"),
        (["train", "--out", "{run}"], 1, "--resume"),
        (["train", "--out", "{tmp}/mistyped", "--resume"], 2, "a run to resume, received"),
        (["train", "--out", "{run}", "--resume", "--seed", "9"], 1, "training.seed is 0 there"),
        (["export", "{run}", "--out", "{tmp}/x", "--formats", "mlir"], 1, "saved_model"),
    ],
)  # fmt: skip
def test_bad_input_is_one_line(run, tmp_path, monkeypatch, capsys, arguments, code, words):
    given = [a.format(tmp=tmp_path, run=run) for a in arguments]
    monkeypatch.setattr(cli, "_silence_tensorflow", lambda: None)
    with pytest.raises(SystemExit) as ended:
        cli.main(given)
    printed = capsys.readouterr()
    assert ended.value.code == code
    assert words in printed.err
    assert printed.out == ""
    if code == 1:
        assert len(printed.err.strip().splitlines()) == 1


def test_flags_win_over_the_file_and_the_file_over_the_preset(tmp_path):
    file = tmp_path / "config.json"
    file.write_text(json.dumps({"training": {"seed": 2, "batch_size": 5}}))
    plain = resolved("--preset", "scenes_32")["training"]
    with_file = resolved("--preset", "scenes_32", "--config", file)["training"]
    with_flag = resolved("--preset", "scenes_32", "--config", file, "--seed", 3)["training"]
    assert (plain["seed"], plain["batch_size"]) == (0, 32)
    assert (with_file["seed"], with_file["batch_size"]) == (2, 5)
    assert (with_flag["seed"], with_flag["batch_size"]) == (3, 5)
    assert with_flag["steps"] == plain["steps"]


def test_own_pictures_start_from_their_own_preset(tmp_path):
    config = resolved(tmp_path, "--captions", "text,text_zh")
    assert config["data"]["path"] == str(tmp_path)
    assert config["data"]["captions"] == "text,text_zh"
    assert config["text"]["caption_length"] == 40
