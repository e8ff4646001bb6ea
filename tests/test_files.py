"""Files and folders are written whole or not at all."""

import pytest

from kgen import files


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(params=["new", "old"])
def path(request, tmp_path):
    """A file that is not there yet, or one that is."""
    path = tmp_path / "a.json"
    if request.param == "old":
        path.write_text("old")
    return path


def test_a_file_takes_its_place_when_the_block_ends(path):
    with files.whole_file(path) as beside:
        beside.write_text("new")
        assert not path.exists() or path.read_text() == "old"
    assert path.read_text() == "new"
    assert names(path.parent) == ["a.json"]


def test_a_file_is_left_alone_when_the_block_raises(path):
    before = names(path.parent)
    with pytest.raises(RuntimeError, match="half way"), files.whole_file(path) as beside:
        beside.write_text("half")
        raise RuntimeError("half way")
    assert names(path.parent) == before
    assert not before or path.read_text() == "old"


def test_the_name_beside_keeps_the_suffixes(tmp_path):
    with files.whole_file(tmp_path / "x.weights.h5") as beside:
        assert beside.name.endswith("x.weights.h5")
        assert beside.parent == tmp_path
        beside.touch()


def test_folders_on_the_way_are_made(tmp_path):
    files.write_text(tmp_path / "a" / "b" / "c.txt", "红")
    assert (tmp_path / "a" / "b" / "c.txt").read_bytes() == "红".encode()


@pytest.mark.parametrize("there", [False, True])
def test_a_folder_takes_its_place_when_the_block_ends(tmp_path, there):
    folder = tmp_path / "model"
    if there:
        folder.mkdir()
        (folder / "old").touch()
    with files.whole_folder(folder) as beside:
        assert names(beside) == []
        (beside / "new").touch()
        assert folder.exists() == there
    assert names(folder) == ["new"]
    assert names(tmp_path) == ["model"]


@pytest.mark.parametrize("there", [False, True])
def test_a_folder_is_left_alone_when_the_block_raises(tmp_path, there):
    folder = tmp_path / "model"
    if there:
        folder.mkdir()
        (folder / "old").touch()
    with pytest.raises(RuntimeError), files.whole_folder(folder) as beside:
        (beside / "half").touch()
        raise RuntimeError
    assert names(tmp_path) == (["model"] if there else [])
    assert not there or names(folder) == ["old"]


def test_others_may_read_a_written_folder(tmp_path):
    with files.whole_folder(tmp_path / "model"):
        pass
    assert (tmp_path / "model").stat().st_mode & 0o777 == 0o755


def test_json_survives_a_round_trip_readable(tmp_path):
    value = {"caption": "红猫", "rate": 4e-4, "sizes": [1, 2], "none": None}
    files.write_json(tmp_path / "a.json", value)
    assert files.read_json(tmp_path / "a.json") == value
    assert "红猫" in (tmp_path / "a.json").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b'{\n  "a": 1,\n  "b" 2\n}', "a.json, line 3"),
        (b"", "a.json, line 1"),
        (b'{"a": "\xff"}', "a.json: not UTF-8"),
    ],
)
def test_bad_json_names_file_and_line(tmp_path, text, told):
    path = tmp_path / "a.json"
    path.write_bytes(text)
    with pytest.raises(ValueError) as raised:
        files.read_json(path)
    assert told in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nothing.json"):
        files.read_json(tmp_path / "nothing.json")


def test_what_a_killed_process_began_is_removed_and_nothing_else(tmp_path):
    kept = [tmp_path / name for name in (".1234", ".hidden.txt", "1.txt", "whole.h5")]
    begun = [tmp_path / name for name in (".1234.whole.h5", ".7.metrics.jsonl")]
    for path in kept + begun:
        path.write_text("x")
    files.remove_unfinished(tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted(kept)
