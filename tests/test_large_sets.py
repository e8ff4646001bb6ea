"""Sets that do not fit into memory: pictures on demand, strings in little room, doubles."""

import json
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from test_folders import assert_same, csv_text, folder, jsonl, picture, zipped

from kgen.config import DataConfig
from kgen.data import folders, metadata, picture_cache
from kgen.data.batches import TokenIds, make_batches
from kgen.data.captioned_pictures import LeftOutWarning
from kgen.data.folders import load_captioned_folder
from kgen.data.layouts import rows_of
from kgen.data.loading import load_pictures
from kgen.data.opening import open_source
from kgen.data.pictures_on_demand import PicturesOnDemand
from kgen.data.sources import SourceLostError
from kgen.data.strings import ClassNames, Groups, Strings
from kgen.training import run

NUM = 40
BROKEN = b"no picture"


def names(num=NUM):
    return [f"{i:03}.png" for i in range(num)]


def numbered(num=NUM, broken=()):
    """Pictures whose red is 6 times their number, captioned with it."""
    rows = [{"file_name": n, "text": f"number {i} 第{i}", "kind": "ab"[i % 2]}
            for i, n in enumerate(names(num))]  # fmt: skip
    files = {n: BROKEN if i in broken else picture((6 * i, 0, 0)) for i, n in enumerate(names(num))}
    return {"test/metadata.jsonl": "", "metadata.jsonl": jsonl(rows), **files}


@pytest.fixture
def few_at_once(monkeypatch):
    """Of any set 10 rows are looked at when it is opened, here every fourth of 40."""
    monkeypatch.setattr(folders, "LOOKED_AT", 10)


def numbers(pixels):
    return (pixels[..., 0, 0, 0] // 6).tolist()


@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_on_demand_gives_what_memory_gives(tmp_path, monkeypatch, kind):
    path = {"folder": folder, "zip": zipped}[kind](tmp_path / "a", numbered(broken=[4, 13]))
    expected = load_captioned_folder(path, 8)
    monkeypatch.setattr(folders, "LOOKED_AT", NUM - 1)  # all but the last one
    loaded = load_captioned_folder(path, 8)
    assert isinstance(loaded.pixels, PicturesOnDemand) and isinstance(expected.pixels, np.ndarray)
    assert len(loaded) == len(loaded.pixels) == 38
    assert loaded.pixels.shape == expected.pixels.shape == (38, 8, 8, 3)
    assert loaded.pixels.dtype == expected.pixels.dtype == np.uint8
    assert_same(loaded, expected)
    chosen = np.array([[5, 5], [37, 0]])
    for index in (3, -1, slice(2, 9, 3), slice(0, 0), chosen, np.int64(7), [1, 2]):
        np.testing.assert_array_equal(loaded.pixels[index], expected.pixels[index])
    with pytest.raises(IndexError):
        loaded.pixels[38]
    assert [numbers(p) for p in loaded.pixels][:6] == [0, 1, 2, 3, 5, 6]


def test_decoded_pictures_are_kept_up_to_a_limit(tmp_path, monkeypatch, few_at_once):
    reads = []
    path = folder(tmp_path, numbered())
    monkeypatch.setattr(picture_cache, "CACHE_BYTES", 12 * 8 * 8 * 3)
    loaded = load_captioned_folder(path, 8)
    decode = loaded.pixels._cache._decode
    monkeypatch.setattr(loaded.pixels._cache, "_decode", lambda b: reads.append(1) or decode(b))
    for _ in range(2):
        assert numbers(loaded.pixels[:]) == list(range(NUM))
    # 10 are kept when the set is opened, 2 more in the first round: 30 and 28 are decoded.
    assert len(reads) == 30 + 28
    assert loaded.pixels._cache._kept.nbytes == 12 * 8 * 8 * 3


def test_an_unreadable_picture_gives_way_to_the_next_whatever_came_before(tmp_path, few_at_once):
    # Every fourth is looked at: 8 is found at once and left out, the others only later.
    path = folder(tmp_path, numbered(broken=[8, 21, 22, 39]))
    for order in (range(39), reversed(range(39)), [20, 20, 38]):
        loaded = load_captioned_folder(path, 8)
        assert len(loaded) == 39 and loaded.captions[8] == ("number 9 第9",)
        assert list(loaded.problems) == ["metadata.jsonl:9: no JPEG, PNG, WebP, BMP or GIF picture"]
        order = np.array(list(order))
        pixels, used = loaded.pixels.read(order)
        # Rows 20 and 21 show pictures 21 and 22; the next that can be read is 23, row 22.
        expected = [{20: 22, 21: 22, 38: 0}.get(row, row) for row in order.tolist()]
        assert used.tolist() == expected
        assert numbers(pixels) == [row + (row >= 8) for row in expected]
        lines = [line.partition(": ")[0] for line in loaded.problems[1:]]
        assert sorted(lines) == ["metadata.jsonl:22", "metadata.jsonl:23", "metadata.jsonl:40"]
        some = loaded.in_memory(np.array([20, 38]))
        assert some.captions == (("number 23 第23",), ("number 0 第0",))
        assert some.attributes["kind"].tolist() == ["b", "a"] and numbers(some.pixels) == [23, 0]


def test_a_name_in_many_rows_is_decoded_once_and_named_for_each(tmp_path, few_at_once):
    rows = [{"file_name": f"{i % 3}.png", "text": f"{i}"} for i in range(NUM)]
    files = {"0.png": picture(), "1.png": BROKEN, "2.png": picture(), "test/metadata.jsonl": ""}
    loaded = load_captioned_folder(
        zipped(tmp_path / "a.zip", files | {"metadata.jsonl": jsonl(rows)}), 8
    )
    assert loaded.captions[:3] == (("0",), ("2",), ("3",)) and len(loaded.problems) == 13
    assert loaded.problems[1].startswith("metadata.jsonl:5: no JPEG")
    assert loaded.pixels._cache.num_met == 3


# Shares


def test_too_many_unreadable_pictures_end_the_reading(tmp_path, few_at_once):
    # Those looked at (0, 4, 8 ...) are good, and so are the first 20: 20 + 5 of 40.
    path = folder(tmp_path, numbered(broken=[i for i in range(20, 40) if i % 4]))
    loaded = load_captioned_folder(path, 8, max_bad_share=0.2)
    assert len(loaded) == 40
    loaded.pixels.read(np.arange(20))
    with pytest.raises(ValueError, match="rows in train are bad") as error:
        loaded.pixels.read(np.arange(20, 40))
    # 10 + 15 pictures were good and the 7th bad of 32 is the first over a fifth: 40 * 7 / 32 = 9.
    assert "Some 9 of its 40 rows in train are bad, going by the 32 that were looked at" in str(
        error.value
    )
    assert "\n" not in str(error.value) and "metadata.jsonl:22" in str(error.value)
    assert loaded.failure is error.value


def test_the_share_at_opening_is_an_estimate_from_those_looked_at(tmp_path, few_at_once):
    files = numbered(broken=[0, 4, 8])  # 3 of the 10 looked at; 12 of 40
    path = zipped(tmp_path / "a.zip", files)
    assert len(load_captioned_folder(path, 8, max_bad_share=0.3)) == 37
    with pytest.raises(ValueError, match="Some 12 of its 40 rows .* the 10 that were looked at"):
        load_captioned_folder(path, 8, max_bad_share=0.29)


def test_the_share_of_bad_rows_is_as_configured(tmp_path):
    files = numbered(num=10, broken=[1, 2])
    path = str(zipped(tmp_path / "a.zip", files))
    assert len(load_pictures(DataConfig(path=path, max_bad_share=0.2), 8)) == 8
    with pytest.raises(ValueError, match="2 of its 10 rows in train are bad: metadata.jsonl:2"):
        load_pictures(DataConfig(path=path, max_bad_share=0.1), 8)
    files = numbered(num=2, broken=[0, 1])
    with pytest.raises(ValueError, match="2 of its 2 rows"):
        load_captioned_folder(zipped(tmp_path / "b.zip", files), 8, max_bad_share=1.0)


# Doubles


def test_a_double_is_left_out_but_another_caption_of_the_picture_is_not(tmp_path):
    texts = ["a red square", "红色方块", "a red square", "a red square", "red"]
    rows = [{"file_name": f"./{'a' if i != 3 else 'b'}.png", "text": t}
            for i, t in enumerate(texts)]  # fmt: skip
    files = {"a.png": picture(), "b.png": picture(), "test/metadata.jsonl": ""}
    path = zipped(tmp_path / "a.zip", files | {"metadata.jsonl": jsonl(rows)})
    loaded = load_captioned_folder(path, 4, max_bad_share=0.0)  # doubles are not bad
    assert [c[0] for c in loaded.captions] == ["a red square", "红色方块", "a red square", "red"]
    assert loaded.problems == (
        "metadata.jsonl:3: says the same of the same picture as metadata.jsonl:1",
    )


def test_an_id_may_not_name_two_pictures(tmp_path):
    rows = [{"id": 7 if i == 4 else i, "file_name": f"{i}.png", "text": "a"} for i in range(5)]
    rows += [{"id": 7, "file_name": "7.png", "text": "b"}, {"file_name": "6.png", "text": "c"}]
    rows += [{"id": 3, "file_name": "3.png", "text": "another caption"}]
    files = {f"{i}.png": picture() for i in range(8)} | {"test/metadata.jsonl": ""}
    path = zipped(tmp_path / "a.zip", files | {"metadata.jsonl": jsonl(rows)})
    loaded = load_captioned_folder(path, 4)
    assert loaded.problems == (
        "metadata.jsonl:6: has the id of metadata.jsonl:5, which names another picture",
    )
    for row in rows:  # where few ids stand in many rows they name classes
        row["id"] = "even"
    path = zipped(tmp_path / "b.zip", files | {"metadata.jsonl": jsonl(rows)})
    assert len(load_captioned_folder(path, 4)) == len(rows)


# Failures


def test_a_folder_that_vanishes_is_no_bad_row(tmp_path, few_at_once):
    path = folder(tmp_path / "set", numbered())
    loaded = load_captioned_folder(path, 8)
    token_ids = [np.array([[i]], np.int32) for i in range(NUM)]
    batches = iter(make_batches(loaded, token_ids, 4, 0))
    next(batches)
    assert loaded.failure is None
    path.rename(tmp_path / "away")
    with pytest.raises(tf.errors.OpError, match="Pictures cannot be read"):
        for _ in range(20):
            next(batches)
    assert isinstance(loaded.failure, SourceLostError) and isinstance(loaded.failure, OSError)
    assert str(loaded.failure) == (
        f"The data folder {path} vanished while it was read. Put it back and resume."
    )
    assert len(loaded.problems) == 0


def test_a_zip_cut_off_while_it_is_read_is_no_bad_row(tmp_path, few_at_once):
    path = zipped(tmp_path / "a.zip", numbered())
    loaded = load_captioned_folder(path, 8)
    os.truncate(path, 200)
    with pytest.raises(SourceLostError, match="a.zip was cut off while it was read"):
        loaded.pixels[1:9]
    assert loaded.problems == () and isinstance(loaded.failure, SourceLostError)


def test_another_folder_in_the_place_is_not_the_data(tmp_path, few_at_once):
    path = folder(tmp_path / "set", numbered())
    loaded = load_captioned_folder(path, 8)
    path.rename(tmp_path / "away")
    path.mkdir()  # as the empty folder that a disk leaves when it is unmounted
    with pytest.raises(SourceLostError, match="vanished"):
        loaded.pixels[1:9]
    assert loaded.problems == ()


def test_a_run_names_what_it_finds_unreadable_later(tmp_path, few_at_once, tiny_config):
    path = folder(tmp_path / "set", numbered(broken=range(1, 39, 4)))
    config = tiny_config.updated({"data": {"path": str(path)}, "training": {"report_interval": 8}})
    with pytest.warns(LeftOutWarning, match="rows were left out"):
        run.train(config, tmp_path / "run", progress=False)
    lines = (tmp_path / "run" / "problems.txt").read_text(encoding="utf-8").splitlines()
    # 8 steps of 4 pictures ask for 32 of 40, and so for at least 2 of the 10 unreadable ones.
    assert 2 <= len(lines) == len(set(lines)) <= 10
    assert all(line.startswith("metadata.jsonl:") for line in lines)


def test_a_run_whose_folder_vanishes_ends_with_an_oserror(tmp_path, few_at_once, tiny_config):
    path = folder(tmp_path / "set", numbered())
    loaded = load_captioned_folder(path, 32)
    shutil.rmtree(path)
    loaded.pixels._cache._slots[:] = -1
    with pytest.raises(OSError, match="vanished") as error:
        run.train(tiny_config, tmp_path / "run", progress=False, pictures=loaded)
    assert "\n" not in str(error.value)


def test_a_file_that_goes_missing_later_is_one_bad_row(tmp_path, few_at_once):
    path = folder(tmp_path, numbered())
    loaded = load_captioned_folder(path, 8)
    (path / "001.png").unlink()
    os.symlink("/etc/hostname", path / "001.png")
    (path / "002.png").unlink()
    assert numbers(loaded.pixels[:4]) == [0, 3, 3, 3]
    assert loaded.problems == (
        "metadata.jsonl:2: 001.png is a link that leaves the folder",
        "metadata.jsonl:3: missing file 002.png",
    )


def test_a_folder_swapped_for_a_link_is_no_way_out(tmp_path):
    path = folder(tmp_path, {"secret/a.png": picture(), "set/in/a.png": picture()}) / "set"
    source = open_source(path)
    os.rename(path / "in", path / "old")
    os.symlink(tmp_path / "secret", path / "in")
    source.top = ""
    with pytest.raises(ValueError, match="leaves the folder"):
        source.read("in/a.png")


# Batches


def test_batches_on_demand_equal_batches_from_memory(tmp_path, monkeypatch):
    path = zipped(tmp_path / "a.zip", numbered())
    token_ids = [np.array([[i, k] for k in range(1 + i % 3)], np.int32) for i in range(NUM)]
    expected = list(make_batches(load_captioned_folder(path, 8), token_ids, 4, 3, 5).take(25))
    monkeypatch.setattr(folders, "LOOKED_AT", 10)
    monkeypatch.setattr(picture_cache, "CACHE_BYTES", 12 * 8 * 8 * 3)
    loaded = load_captioned_folder(path, 8)
    for first_step in (5, 15):
        some = list(make_batches(loaded, token_ids, 4, 3, first_step).take(30 - first_step))
        for a, b in zip(some, expected[first_step - 5 :], strict=True):
            assert a["image"].shape == (4, 8, 8, 3) and a["token_ids"].dtype == tf.int32
            np.testing.assert_array_equal(a["image"], b["image"])
            np.testing.assert_array_equal(a["token_ids"], b["token_ids"])


def test_the_caption_is_that_of_the_picture_that_came_in_the_place(tmp_path, few_at_once):
    loaded = load_captioned_folder(folder(tmp_path, numbered(broken=[5, 6, 7])), 8)
    token_ids = TokenIds.joined([np.array([[i]] * (1 + i % 3), np.int32) for i in range(NUM)])
    counts = np.zeros(NUM, int)
    for batch in make_batches(loaded, token_ids, 4, 0).take(10):  # one epoch
        found = np.rint((batch["image"].numpy()[:, 0, 0, 0] + 1) * 127.5 / 6).astype(int)
        np.testing.assert_array_equal(found, batch["token_ids"].numpy()[:, 0])
        np.add.at(counts, found, 1)
    assert counts.tolist() == [1, 1, 1, 1, 1, 0, 0, 0, 4] + [1] * (NUM - 9)


# Memory


def test_strings_and_groups_are_sequences():
    strings = Strings(["red", "", "红猫", "\ud83d"])
    assert strings == ("red", "", "红猫", "?") and strings != ("red",) and strings[-2] == "红猫"
    assert strings[1:3] == ["", "红猫"] and list(strings) == strings[:]
    with pytest.raises(IndexError):
        strings[4]
    groups = Groups(Strings(["a", "b", "c", "d"]), np.array([0, 1, 3, 4]))
    assert groups == (("a",), ("b", "c"), ("d",)) and groups != (("a",),)
    assert groups.chosen(np.array([2, 0])) == (("d",), ("a",)) and groups[1:] == groups[:][1:]
    assert groups[-1] == ("d",)
    with pytest.raises(IndexError):
        groups[3]


def test_a_column_with_too_many_classes_is_dropped():
    column = ClassNames()
    for row in range(1000):
        column.put(2 * row, str(row))
    assert column.chosen(np.array([2, 3, 1998, 5000])).tolist() == ["1", "", "999", ""]
    assert column.chosen(np.array([1, 3])) is None  # nothing is known
    column.put(2000, "")
    assert column.chosen(np.array([0])) is not None
    column.put(2002, "x" * 1001)
    assert column.chosen(np.array([0])).tolist() == ["0"]
    assert column.chosen(np.array([0, 2002])) is None
    column.put(2004, "one more")
    assert column.chosen(np.array([0])) is None


def test_rows_come_one_at_a_time(tmp_path):
    rows = jsonl([{"file_name": "a.png", "text": "a"}])
    files = {"a.png": picture(), "metadata.jsonl": rows + "{broken\n" + rows}
    with open_source(zipped(tmp_path / "a.zip", files)) as source:
        every = rows_of(source, "a.zip")
        assert next(every)[1].columns == {"text": "a"}
        assert next(every)[1].problem.startswith("no valid JSON")


def test_a_line_without_an_end_is_one_bad_row(tmp_path, monkeypatch):
    monkeypatch.setattr(metadata, "MAX_LINE_BYTES", 2**20)
    good = jsonl([{"file_name": "a.png", "text": "a"}])
    for end in ("\n" + good, ""):
        files = {"a.png": picture(), "metadata.jsonl": good + "x" * (2**21 + 5) + end}
        with open_source(zipped(tmp_path / "a.zip", files)) as source:
            _, long, *after = (row for _, row in rows_of(source, "a.zip"))
        assert (long.where, long.problem) == ("metadata.jsonl:2", "line of over 1 MiB")
        assert [row.where for row in after] == (["metadata.jsonl:3"] if end else [])


def test_all_splits_give_each_row_once(tmp_path):
    row = {"text": "a"}
    files = {
        "train/metadata.jsonl": jsonl([{"file_name": "a.png", **row}]),
        "test/metadata.csv": csv_text([{"file_name": "b.png", **row}]),
        "train/a.png": picture(),
        "test/b.png": picture(),
    }
    with open_source(zipped(tmp_path / "a.zip", files)) as source:
        every = [(split, row.name) for split, row in rows_of(source, "a.zip")]
    assert every == [("train", "train/a.png"), ("test", "test/b.png")]
    with open_source(zipped(tmp_path / "b.zip", numbered(num=100))) as source:
        every = [row.name for _, row in rows_of(source, "b.zip")]
    assert every == names(100)


def test_many_rows_take_little_memory(tmp_path):
    with open(tmp_path / "metadata.jsonl", "w", encoding="utf-8") as file:
        for i in range(100_000):
            row = {"file_name": f"{i % 3}.png", "text": f"picture {i}", "text_zh": f"第{i}幅"}
            file.write(json.dumps({**row, "kind": f"k{i % 5}", "key": f"unique {i}"}) + "\n")
    for i in range(3):
        (tmp_path / f"{i}.png").write_bytes(picture((i, 0, 0)))
    code = (
        "import resource, sys; from kgen.data.folders import load_captioned_folder\n"
        "most = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "before = most()\n"
        "p = load_captioned_folder(sys.argv[1], 64, ('text', 'text_zh'))\n"
        "print((most() - before) * 1024, len(p), *p.attributes)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True
    )
    grown, num, *attributes = done.stdout.split()
    assert int(num) > 60_000 and attributes == ["kind"]
    assert int(grown) < 600 * 100_000  # bytes
