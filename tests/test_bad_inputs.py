"""Bad input: one line that says what is wrong, nothing lost, nothing dropped in silence."""

import shutil
import tempfile
import warnings
from pathlib import Path

import numpy as np
import pytest
from bad_inputs.case import Call, Command, Rows, expectations, matches, snapshot
from bad_inputs.make import CASES

from kgen import cli
from kgen.data.check import check_data
from kgen.data.folders import load_captioned_folder
from kgen.pictures import read_png_text

EXPECTED = expectations()
# `kgen data check` looks at pictures one by one, and compares no columns `id`.
ONLY_IN_TRAINING = ("jsonl: id given to two pictures",)
PROGRESS = ("kgen: reading the real pictures",)


def of(kind):
    return pytest.mark.parametrize(
        "case", [pytest.param(c, id=c.name.replace(" ", "_")) for c in CASES if isinstance(c, kind)]
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory, tiny_config):
    """A run's folder after two steps, without the steps: all files are as a run writes them."""
    from kgen import model_folder
    from kgen.text.vocabulary import learn_vocabulary
    from kgen.training.checkpoints import Checkpoints, RunState
    from kgen.training.run import build_gan

    folder = tmp_path_factory.mktemp("runs") / "run"
    config = tiny_config.updated({"name": "run", "data": {"num_scenes": 8}})
    vocabulary = learn_vocabulary(["night", "night", "日落"], config.text.vocabulary_size)
    model = model_folder.build_model(config, len(vocabulary))
    model_folder.write_model(folder, config, vocabulary, model)
    Checkpoints(folder, 2).write(build_gan(config, len(vocabulary)), RunState(2))
    (folder / "metrics.jsonl").write_text('{"step": 2, "seconds": 1.0, "d_loss": 1.0}\n')
    return folder


@pytest.fixture
def place():
    """A folder with a short name: of long ones errors show the beginning alone."""
    with tempfile.TemporaryDirectory(prefix="kgen") as folder:
        yield Path(folder)


@pytest.fixture
def quiet(monkeypatch):
    """The command line in this process: it shall leave stderr and the warnings alone."""
    monkeypatch.setattr(cli, "_silence_tensorflow", lambda: None)
    monkeypatch.setattr(warnings, "showwarning", warnings.showwarning)


def prepared(case, folder, run):
    if case.needs_run:
        shutil.copytree(run, folder / "run")
    if isinstance(case, Command):
        case.make(folder)


def filled_in(text, folder):
    return text.replace("{run}", f"{folder}/run").replace("{tmp}", str(folder))


def told(case, folder, capsys):
    """What the command line says, as in expected.txt: its exit code and its one line."""
    arguments = [filled_in(argument, folder) for argument in case.arguments]
    with pytest.raises(SystemExit) as ended:
        cli.main(arguments)
    printed = capsys.readouterr()
    assert "Traceback" not in printed.err
    assert printed.out == ""
    lines = printed.err.removesuffix("\n").split("\n")
    if ended.value.code == 2:  # click's: mostly how it is used, then what is wrong
        assert lines[0].startswith("Usage: ") or len(lines) == 1
        return [2, lines[-1]]
    assert [line for line in lines[:-1] if line not in PROGRESS] == []
    return [ended.value.code, lines[-1]]


def test_every_case_has_its_expectation_and_every_expectation_its_case():
    names = [case.name for case in CASES]
    assert len(set(names)) == len(names)
    assert set(names) == set(EXPECTED)
    assert len(names) >= 150


@of(Command)
def test_a_command_says_in_one_line_what_is_wrong(case, place, run, quiet, capsys):
    prepared(case, place, run)
    before = snapshot(place)
    code, line = told(case, place, capsys)
    expected_code, expected = EXPECTED[case.name]
    assert f"exit {code}" == expected_code
    assert matches(filled_in(expected, place), line), line
    assert all(c.isprintable() for c in line)
    assert code == 2 or len(line) <= 2000
    assert snapshot(place) == before


@of(Rows)
def test_bad_rows_are_named_and_the_others_read(case, place):
    case.make(place)
    before = snapshot(place)
    good, problems = read(case, place / case.path)
    expected_good, *expected = EXPECTED[case.name]
    assert f"{good} good" == expected_good
    assert len(problems) == len(expected), problems
    for line, problem in zip(expected, problems):
        assert matches(line, problem), problem
        assert len(problem) <= 600
        assert all(c.isprintable() for c in problem)
    if case.name not in ONLY_IN_TRAINING:
        report = check_data(place / case.path)
        assert sum(report.usable.values()) == good
        assert sum(report.left_out.values()) == len(problems)
    assert snapshot(place) == before


def read(case, path):
    """How many rows are good in both splits, and the problems."""
    good, problems = 0, []
    for split in ("train", "test"):
        try:
            found = load_captioned_folder(path, 8, case.captions, split, max_bad_share=1.0)
        except ValueError as error:
            assert "It has no rows in test" in str(error)
            continue
        assert found.pixels.dtype == np.uint8
        assert found.pixels.shape == (len(found), 8, 8, 3)
        good += len(found)
        problems += list(found.problems)
    return good, problems


@of(Call)
def test_a_call_says_in_one_line_what_is_wrong(case, place, run):
    prepared(case, place, run)
    before = snapshot(place)
    with pytest.raises((ValueError, TypeError, OSError)) as raised:
        case.call(place)
    line = f"{raised.type.__name__}: {raised.value}"
    assert matches(filled_in(EXPECTED[case.name][0], place), line), line
    assert snapshot(place) == before


def test_a_caption_that_is_no_unicode_is_drawn_and_named(place, run, quiet, capsys):
    shutil.copytree(run, place / "run")
    caption = "night\udcff\x1b[2J" + "x" * 10_000
    with pytest.raises(SystemExit) as ended:
        cli.main(["generate", caption, "--preset", f"{place}/run", "--out", f"{place}/out"])
    assert not ended.value.code
    (picture,) = (place / "out").iterdir()
    assert read_png_text(picture)["Caption"] == caption.replace("\udcff", "?")
    assert "\x1b" not in capsys.readouterr().err
