"""Every format gives the same pictures and captions, and names what it cannot use."""

import gzip
import io
import itertools
import json
import struct
import sys
import tarfile
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest
import rewriting
import tensorflow as tf
from click.testing import CliRunner
from PIL import Image
from rewriting import Picture, tar_member, write_files

from kgen.cli import app
from kgen.config import DataConfig
from kgen.data import folders, parquet
from kgen.data.decoding import decode_picture
from kgen.data.iterables import from_iterable
from kgen.data.layouts import rows_of
from kgen.data.loading import load_pictures
from kgen.data.opening import open_source
from kgen.data.packing import pack
from kgen.data.shards import braced, split_labels
from kgen.data.tfrecords import make_example, masked_crc32c

SETS = ("nouns64", "pomology128", "dcss64", "emoji64", "cxr128")
COLOURS = {"red": (255, 0, 0), "绿": (0, 255, 0), "blue": (0, 0, 255), "白": (255, 255, 255)}


def png(colour=(255, 0, 0), size=(8, 8)):
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, format="PNG")
    return file.getvalue()


RED = png()


def small_sets():
    """Four pictures to train, two to test, with names and captions in both languages."""
    train = [
        Picture(f"{name}.png", png(c), {"text": f"a {name} one", "text_zh": f"{name}色的"}, {})
        for name, c in sorted(COLOURS.items())
    ]
    test = [
        Picture(
            f"测{k}.png", png((k, k, k)), {"text": f"grey {k}", "text_zh": f"灰{k}"}, {"kind": "灰"}
        )
        for k in (1, 2)
    ]
    return {"train": train, "test": test}


def load(path, split="train", captions="text", size=4, bad=1.0):
    config = DataConfig(path=str(path), captions=captions, max_bad_share=bad)
    return load_pictures(config, size, split=split)


def read_all(path):
    """{split: {name: (bytes, columns)}} and the problems, of all rows."""
    found, problems = {}, []
    with open_source(path) as source:
        for split, row in rows_of(source, path):
            if row.problem:
                problems.append(f"{row.where}: {row.problem}")
            else:
                found.setdefault(split, {})[row.name] = (source.read(row.name), row.columns)
    return found, problems


def assert_holds(loaded, pictures, size):
    expected = np.stack([decode_picture(p.data, size) for p in pictures])
    np.testing.assert_array_equal(np.asarray(loaded.pixels[:]), expected)
    assert list(loaded.captions) == [tuple(p.lines) for p in pictures]
    assert list(loaded.problems) == []


def assert_same_attributes(one, two):
    assert sorted(one.attributes) == sorted(two.attributes)
    for name in one.attributes:
        assert one.attributes[name].tolist() == two.attributes[name].tolist(), name


def one_tar(path, members):
    """A .tar of (name, bytes) or (name, bytes, changes)."""
    with tarfile.open(path, "w") as tar:
        for name, data, *changes in members:
            tar_member(tar, name, data, **(changes[0] if changes else {}))
    return path


@pytest.mark.parametrize("name", SETS)
def test_real_sets_are_the_same_in_every_format(shared_data, tmp_path, name):
    sets = rewriting.shared_set(shared_data / f"{name}.zip", 60, 20)
    columns = ",".join(sets["train"][0].captions)
    assert columns == ("text,text_zh" if name in ("emoji64", "pomology128") else "text")
    plain = rewriting.jsonl_zip(tmp_path / "plain", sets)
    for write in (*rewriting.BY_COLUMNS, *rewriting.BY_LINES):
        path = write(tmp_path / write.__name__, sets)
        for split, pictures in sets.items():
            captions = columns if write in rewriting.BY_COLUMNS else "text"
            loaded = load(path, split, captions, size=32)
            assert_holds(loaded, pictures, size=32)
            if write not in (rewriting.txt_folder, rewriting.tar_txt):  # no other columns there
                assert_same_attributes(loaded, load(plain, split, columns, size=32))


@pytest.mark.parametrize("write", (*rewriting.BY_COLUMNS, *rewriting.BY_LINES))
def test_chinese_names_and_captions_in_every_format(tmp_path, write):
    sets = small_sets()
    path = write(tmp_path / "集", sets)
    captions = "text,text_zh" if write in rewriting.BY_COLUMNS else "text"
    for split, pictures in sets.items():
        assert_holds(load(path, split, captions), pictures, size=4)


@pytest.mark.parametrize(
    "write", (rewriting.tar_json, rewriting.tfrecords, rewriting.parquet_pictures)
)
def test_many_threads_may_read_at_once(tmp_path, write):
    path = write(tmp_path / "set", {"train": [
        Picture(f"{k:03d}.png", png((k, 0, 0)), {"text": str(k)}, {}) for k in range(60)
    ]})  # fmt: skip
    wrong = []
    with open_source(path) as source:
        rows = [row for _, row in rows_of(source, path)]

        def work(seed):
            for k in np.random.default_rng(seed).permutation(len(rows)):
                pixels = decode_picture(source.read(rows[k].name), 8)
                if pixels[0, 0, 0] != int(rows[k].columns["text"]):
                    wrong.append(k)

        threads = [threading.Thread(target=work, args=(seed,)) for seed in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(rows) == 60 and wrong == []


@pytest.mark.parametrize("write", (*rewriting.BY_COLUMNS, *rewriting.BY_LINES))
def test_pictures_are_the_same_when_decoded_on_demand(tmp_path, monkeypatch, write):
    monkeypatch.setattr(folders, "LOOKED_AT", 1)
    monkeypatch.setattr(parquet, "KEPT_BYTES", 1)
    sets = small_sets()
    loaded = load(write(tmp_path / "set", sets), captions="text")
    assert not isinstance(loaded.pixels, np.ndarray)
    expected = np.stack([decode_picture(p.data, 4) for p in sets["train"]])
    np.testing.assert_array_equal(loaded.pixels[[3, 0, 2, 1]], expected[[3, 0, 2, 1]])


# Paths and splits


def test_braces_are_as_in_a_shell():
    assert braced("s-{008..010}.tar") == ["s-008.tar", "s-009.tar", "s-010.tar"]
    assert braced("s-{2..0}{a,绿}") == ["s-2a", "s-2绿", "s-1a", "s-1绿", "s-0a", "s-0绿"]
    assert braced("s-{8..10}") == ["s-8", "s-9", "s-10"]
    assert braced("no braces.tar") == ["no braces.tar"]
    for text in ("s-{}.tar", "s-{a..b}.tar", "s-{0..9999999}.tar", "{0..999}{0..999}"):
        with pytest.raises(ValueError, match="`path` must be"):
            braced(text)


def test_the_name_of_a_shard_decides_its_split():
    def labels(*names):
        return list(split_labels(names).values())

    assert labels("train-0.tar", "test-0.tar", "val-0.tar") == ["train", "test", "validation"]
    assert labels("train-0.tar", "val-0.tar") == ["train", "test"]
    assert labels("test/0.tar", "train/0.tar") == ["test", "train"]
    assert labels("0.tar", "test-0.tar") == ["train", "test"]
    assert labels("train-0.tar", "train-1.tar") == ["", ""]  # one picture in 20 is test
    assert labels("latest-0.tar") == [""]  # no word of it is test


def test_a_range_a_folder_and_single_shards_are_the_same(tmp_path):
    sets = {"train": small_sets()["train"] * 1}
    folder = rewriting.tar_json(tmp_path / "set", sets)
    whole, _ = read_all(folder)
    ranged, _ = read_all(folder / "train-{000..002}.tar")
    assert whole == ranged and sum(map(len, whole.values())) == 4
    listed, _ = read_all(folder / "train-{000,002}.tar")
    assert sum(map(len, listed.values())) == 2  # two in 000, two in 001, none in 002
    alone, _ = read_all(folder / "train-000.tar")
    assert set().union(*alone.values()) == {"blue.png", "red.png"}
    with pytest.raises(FileNotFoundError, match="2 of 5 files are missing.*train-003.tar"):
        open_source(folder / "train-{000..004}.tar")


def test_an_archive_beside_pictures_is_not_what_is_read(tmp_path):
    table = '{"file_name": "红.png", "text": "红"}\n'
    for name, files in (
        ("top", {"metadata.jsonl": table, "红.png": RED}),
        ("inner", {"train/metadata.jsonl": table, "train/红.png": RED}),
        ("texts", {"pictures/红.png": RED, "pictures/红.txt": "红"}),
    ):
        folder = write_files(tmp_path / name, files)
        one_tar(folder / "old.tar", [("a.png", RED), ("a.txt", b"another")])
        assert list(load(folder).captions) == [("红",)]


def test_undecided_shards_keep_one_in_twenty_for_the_test(tmp_path):
    members = [
        (f"{k:04d}{s}", RED if s == ".png" else b"red")
        for k in range(400)
        for s in (".png", ".txt")
    ]
    found, _ = read_all(one_tar(tmp_path / "shard.tar", members))
    assert len(found["train"]) + len(found["test"]) == 400
    assert 8 <= len(found["test"]) <= 40  # 20 on average
    again, _ = read_all(one_tar(tmp_path / "other.tar", reversed(members)))
    assert set(found["test"]) == set(again["test"])


# WebDataset


def test_a_sample_is_what_shares_a_name_up_to_the_first_dot(tmp_path):
    path = one_tar(tmp_path / "a.tar", [
        ("d.d/one.seg.png", png((9, 9, 9))),
        ("d.d/one.json", '{"caption": "一", "kind": "x"}'.encode()),
        ("d.d/one.JPG", RED),
        ("two.left.png", RED),
        ("two.txt", b"\xef\xbb\xbftwo\r\nzwei\r\n"),
        ("two.json", b'{"caption": "not this", "text": "nor this"}'),
        ("two.cls", b"7"),
        ("._three.png", b"a mac's"),
    ])  # fmt: skip
    found, problems = read_all(path)
    rows = found["train"] | found.get("test", {})
    assert problems == []
    assert {name: columns["text"] for name, (_, columns) in rows.items()} == {
        "d.d/one.JPG": "一",
        "two.left.png": ["two", "zwei", ""],
    }
    assert rows["d.d/one.JPG"][1]["kind"] == "x" and rows["d.d/one.JPG"][0] == RED


def test_a_tar_of_a_folder_with_metadata_is_that_folder(tmp_path):
    table = '{"file_name": "红.png", "text": "红"}\n'.encode()
    path = one_tar(tmp_path / "a.tar", [("train/metadata.jsonl", table), ("train/红.png", RED)])
    assert list(load(path).captions) == [("红",)]


def test_bad_samples_are_named(tmp_path):
    good = [("ok.png", RED), ("ok.txt", "好".encode())]
    path = one_tar(tmp_path / "a.tar", [
        *good,
        ("alone.png", RED),
        ("lone.txt", b"no picture"),
        ("twice.png", RED),
        ("twice.jpg", RED),
        ("twice.txt", b"which"),
        ("latin.png", RED),
        ("latin.txt", "été".encode("latin-1")),
        ("json.png", RED),
        ("json.json", b'{"text": '),
        ("list.png", RED),
        ("list.json", b"[1]"),
        ("half.png", RED),
        ("half.json", b'{"text": "\\ud83d"}'),
        ("ok.txt", b"again"),
    ])  # fmt: skip
    found, problems = read_all(path)
    assert set(found["train"] | found.get("test", {})) == {"ok.png"}
    assert sorted(problems) == [
        "a.tar: alone: no .txt or .json beside the picture",
        "a.tar: half: the .json is not UTF-8 text",
        "a.tar: json: the .json is no valid JSON (Expecting value)",
        "a.tar: latin: the .txt is not UTF-8 text",
        "a.tar: list: the .json holds list, not an object",
        "a.tar: lone: no picture beside its captions",
        "a.tar: ok.txt: a second file of this name; the first counts",
        "a.tar: twice: several pictures: png, jpg; keep one",
    ]
    loaded = load(one_tar(tmp_path / "train-0.tar", good * 2))
    assert list(loaded.captions) == [("好",)] and len(loaded.problems) == 2


def test_hostile_members_are_named_and_never_leave_the_tar(tmp_path):
    secret = tmp_path / "secret.txt"
    secret.write_text("a secret")
    link = {"type": tarfile.SYMTYPE, "linkname": str(secret), "size": 0}
    hard = {"type": tarfile.LNKTYPE, "linkname": "../secret.txt", "size": 0}
    (tmp_path / "set").mkdir()
    path = one_tar(tmp_path / "set" / "a.tar", [
        ("ok.png", RED),
        ("ok.txt", b"fine"),
        ("../up.png", RED),
        ("/etc/abs.png", RED),
        ("a/../../up.txt", b"x"),
        ("C:\\win.png", RED),
        ("link.png", b"", link),
        ("link.txt", b"", link),
        ("hard.txt", b"", hard),
        ("fifo.png", b"", {"type": tarfile.FIFOTYPE, "size": 0}),
        ("dev.png", b"", {"type": tarfile.CHRTYPE, "size": 0}),
        ("new\nline.png", b"", link),
    ])  # fmt: skip
    found, problems = read_all(path)
    assert set(found["train"] | found.get("test", {})) == {"ok.png"}
    assert sorted(problems) == sorted([
        "a.tar: ../up.png: path with `..` that leaves the folder",
        "a.tar: /etc/abs.png: absolute path",
        "a.tar: a/../../up.txt: path with `..` that leaves the folder",
        "a.tar: C:\\win.png: absolute path",
        *(f"a.tar: {name}: no plain file, but a link, a device or sparse"
          for name in ("link.png", "link.txt", "hard.txt", "fifo.png", "dev.png", "new?line.png")),
    ])  # fmt: skip
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["a.tar", "secret.txt", "set"]


def test_a_name_that_is_not_utf_8_is_named(tmp_path):
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT, encoding="latin-1") as tar:
        for name, data in (("é.png", RED), ("ok.png", RED), ("ok.txt", b"fine")):
            tar_member(tar, name, data)
    found, problems = read_all(path)
    assert problems == ["a.tar: ?.png: the name is not UTF-8 text"]
    assert sum(map(len, found.values())) == 1


@pytest.mark.parametrize("cut", range(1, 6 * 512 + 1, 171))
def test_a_cut_off_tar_keeps_what_came_before(tmp_path, cut):
    """Two samples of four blocks each: a head and a block of data, twice.

    The fifth byte of "first" is byte 3 * 512 + 5, the sixth of "second" byte 7 * 512 + 6.
    """
    members = [("a.png", RED), ("a.txt", b"first"), ("b.png", RED), ("b.txt", b"second")]
    path = one_tar(tmp_path / "a.tar", members)
    assert len(RED) <= 512
    size = 8 * 512
    path.write_bytes(path.read_bytes()[: size - cut])
    found, problems = read_all(path)
    rows = found.get("train", {}) | found.get("test", {})
    left = size - cut
    whole = [name for name, end in (("a.png", 3 * 512 + 5), ("b.png", 7 * 512 + 6)) if end <= left]
    assert sorted(rows) == whole
    assert problems and all(line.startswith("a.tar") for line in problems)
    assert any("cut off" in line or "no uncompressed tar" in line for line in problems), problems


def test_a_damaged_head_is_named_and_nothing_loops(tmp_path):
    members = [("a.png", RED), ("a.txt", b"first"), ("b.png", RED), ("b.txt", b"second")]
    whole = one_tar(tmp_path / "a.tar", members).read_bytes()
    damaged = bytearray(whole)
    damaged[4 * 512] ^= 255
    # A size of -512 in base 256: the next head would be this one, for ever.
    negative = bytearray(whole)
    negative[4 * 512 + 124 : 4 * 512 + 136] = (-512).to_bytes(12, "big", signed=True)
    negative[4 * 512 + 148 : 4 * 512 + 156] = b" " * 8
    total = sum(negative[4 * 512 : 5 * 512])
    negative[4 * 512 + 148 : 4 * 512 + 156] = b"%06o\0 " % total
    for content in (damaged, negative):
        (tmp_path / "a.tar").write_bytes(content)
        found, problems = read_all(tmp_path / "a.tar")
        assert set().union(*found.values()) == {"a.png"}
        assert len(problems) == 1 and "damaged at byte 2048" in problems[0]


def test_compressed_and_other_files_are_refused_in_a_line(tmp_path):
    path = tmp_path / "a.tar.gz"
    path.write_bytes(gzip.compress(b"x", mtime=0))
    with pytest.raises(ValueError, match="must be an uncompressed .tar.*Decompress it first"):
        open_source(path)
    (tmp_path / "b.tar").write_bytes(b"no tar at all" * 100)
    with pytest.raises(ValueError, match="no uncompressed tar"):
        load(tmp_path / "b.tar")


# COCO


def coco_json(**changes):
    content = {
        "images": [
            {"id": 1, "file_name": "红.png", "where": "甲"},
            {"id": 2, "file_name": "b.png"},
        ],
        "annotations": [
            {"id": 10, "image_id": 1, "caption": "红色"},
            {"id": 11, "image_id": 2, "caption": "blue"},
            {"id": 12, "image_id": 1, "caption": "a red one"},
        ],
    }
    return json.dumps({**content, **changes})


@pytest.mark.parametrize(
    "layout",
    [
        ("captions.json", ""),
        ("annotations.json", "images/"),
        ("train/_annotations.coco.json", "train/"),
        ("annotations/captions_train2017.json", "train2017/"),
        ("annotations/captions_train2017.json", "images/train2017/"),
        ("annotations/captions.json", ""),
    ],
)
def test_pictures_are_found_where_coco_puts_them(tmp_path, layout):
    file, place = layout
    files = {file: coco_json(), f"{place}红.png": RED, f"{place}b.png": png((0, 0, 255))}
    folder = write_files(tmp_path / "set", files)
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as zipped:
        for name, content in files.items():
            zipped.writestr(f"set/{name}", content)
    for path in (folder, folder / file, tmp_path / "set.zip"):
        found, problems = read_all(path)
        rows = found.get("train", {}) | found.get("test", {})
        captions = {Path(name).name: columns["text"] for name, (_, columns) in rows.items()}
        assert captions == {"红.png": ["红色", "a red one"], "b.png": ["blue"]}
        assert rows[next(n for n in rows if "红" in n)] == (
            RED,
            {"where": "甲", "text": ["红色", "a red one"]},
        )
        assert problems == []


def test_bad_annotations_are_named(tmp_path):
    images = [
        {"id": 1, "file_name": "红.png"},
        {"id": 2, "file_name": "b.png"},
        {"id": 1, "file_name": "b.png"},
        {"id": 3, "file_name": "../../secret.png"},
        {"id": 4, "file_name": "/etc/passwd"},
        {"id": 5},
        {"file_name": "b.png"},
        {"id": 6, "file_name": "gone.png"},
        {"id": [7], "file_name": "b.png"},
        {"id": 8, "file_name": "b.png"},
        "no image",
    ]
    annotations = [
        *({"id": 20 + k, "image_id": k, "caption": f"第{k}"} for k in (1, 3, 4, 5, 6, 99)),
        {"id": 21, "image_id": 1, "caption": "an id that was there"},
        {"id": 30, "image_id": 1},
        {"id": 31, "image_id": [1], "caption": "x"},
        {"id": 32, "image_id": 8, "caption": 5},
        7,
    ]
    files = {
        "captions.json": coco_json(images=images, annotations=annotations),
        "红.png": RED,
        "b.png": RED,
    }
    folder = write_files(tmp_path / "set", files)
    loaded = load(folder)
    assert list(loaded.captions) == [("第1",)]
    assert sorted(loaded.problems) == [
        "captions.json: 11. of annotations: no object",
        "captions.json: 11. of images: no image with an id",
        "captions.json: 7. of images: no image with an id",
        "captions.json: 9. of images: no image with an id",
        "captions.json: annotation 119: image 99 is not among the images",
        "captions.json: annotation 21: a second annotation of this id; the first counts",
        "captions.json: annotation 30: no caption",
        "captions.json: annotation 31: image [1] is not among the images",
        "captions.json: image 1: a second image of this id; the first counts",
        "captions.json: image 2: no annotation captions this image",
        "captions.json: image 3: path with `..` that leaves the folder: ../../secret.png",
        "captions.json: image 4: absolute path: /etc/passwd",
        "captions.json: image 5: no file_name",
        "captions.json: image 6: missing file gone.png",
        "captions.json: image 8: text is int, not text",
    ]


def test_json_that_is_no_coco_is_refused_only_where_it_was_meant(tmp_path):
    files = {"captions.json": '{"images": [', "a.png": RED, "a.txt": "红"}
    folder = write_files(tmp_path / "meant", files)
    with pytest.raises(ValueError, match="captions.json.*no valid JSON"):
        load(folder)
    files = {"config.json": '{"images": [', "b.json": "{}", "a.png": RED, "a.txt": "红"}
    folder = write_files(tmp_path / "beside", files)
    assert list(load(folder).captions) == [("红",)]
    with pytest.raises(ValueError, match="COCO's JSON of captions"):
        load(folder / "b.json")


# TFRecord


def test_the_masked_checksum_is_that_of_the_standard():
    # RFC 3720, B.4: the CRC-32C of 32 zero bytes is 0x8a9136aa. Its lower 15 bits, 0x36aa, move
    # to the top (0x36aa << 17 = 0x6d540000), its upper 17 to the bottom (0x8a9136aa >> 15 =
    # 0x11522): 0x6d551522. With 0xa282ead8 added: 0x10fd7fffa, without the carry 0x0fd7fffa.
    assert masked_crc32c(bytes(32)) == 0x0FD7FFFA


def packed(tmp_path, pictures=None, **options):
    pictures = pictures or small_sets()["train"]
    source = rewriting.jsonl_zip(tmp_path / "zip", {"train": pictures, "test": pictures[:1]})
    return pack(source, tmp_path / "packed", **options)


def test_tensorflow_reads_what_was_packed(tmp_path):
    pictures = small_sets()["train"]
    result = packed(tmp_path, pictures, shard_mb=0.001)
    names = [file.name for file in result.files]
    assert result.counts == {"train": 4, "test": 1} and result.problems == ()
    trained = [name for name in names if name.startswith("train")]
    assert trained == [f"train-{k:05d}-of-{len(trained):05d}.tfrecord" for k in range(len(trained))]
    assert sorted(p.name for p in (tmp_path / "packed").iterdir()) == sorted(names)
    text = tf.io.FixedLenFeature((), tf.string)
    files = [str(file) for file in result.files if file.name.startswith("train")]
    found = [
        tf.io.parse_single_example(record, {"image": text, "name": text, "columns": text})
        for record in tf.data.TFRecordDataset(files)
    ]
    for example, p in zip(found, pictures, strict=True):
        assert example["image"].numpy() == p.data
        assert example["name"].numpy().decode() == f"train/{p.name}"
        assert json.loads(example["columns"].numpy()) == p.columns


def test_a_shard_ends_where_it_is_full(tmp_path):
    file = io.BytesIO()
    Image.new("RGB", (8, 8)).save(file, "PNG")
    data = file.getvalue().ljust(300_000, b"\0")  # files go in as they are
    pictures = [Picture(f"{k}.png", data, {"text": str(k)}, {}) for k in range(7)]
    result = packed(tmp_path, pictures, shard_mb=0.9)
    # 3 x 0.3 MB and their columns are over 0.9 MB; of 7: 3, 3, 1
    sizes = [round(file.stat().st_size / 300_000) for file in result.files if "train" in file.name]
    assert sizes == [3, 3, 1]


def test_damaged_and_cut_off_records_are_named(tmp_path):
    file = packed(tmp_path).files[0]
    whole = file.read_bytes()
    lengths = []
    while sum(lengths) < len(whole):
        lengths.append(16 + struct.unpack_from("<Q", whole, sum(lengths))[0])
    assert len(lengths) == 4
    flipped = bytearray(whole)
    flipped[lengths[0] + 12 + RED.__len__() // 2] ^= 1  # within the second record's picture
    file.write_bytes(flipped)
    found, problems = read_all(file)
    assert sum(map(len, found.values())) == 3
    assert problems == [f"{file.name}:2: damaged record: its checksum is another"]
    flipped = bytearray(whole)
    flipped[sum(lengths[:2])] ^= 1  # the length of the third
    cut = sum(lengths[:2]) + 5, sum(lengths[:3]) - 1
    for content in (flipped, whole[: cut[0]], whole[: cut[1]]):
        file.write_bytes(content)
        found, problems = read_all(file)
        assert sum(map(len, found.values())) == 2
        assert len(problems) == 1
        assert f"at byte {sum(lengths[:2])}; the rest is not read" in problems[0]


def test_records_of_another_make_are_named(tmp_path):
    path = tmp_path / "other.tfrecord"
    with tf.io.TFRecordWriter(str(path)) as writer:
        writer.write(b"\xff no example")
        writer.write(tf.train.Example().SerializeToString())
        writer.write(make_example(RED, "红.png", {"text": "红"}))
        broken = tf.train.Example.FromString(make_example(RED, "b.png", {}))
        for columns in (b"[1]", b"\xff", b'{"text": "\\ud800"}'):
            broken.features.feature["columns"].bytes_list.value[0] = columns
            writer.write(broken.SerializeToString())
    found, problems = read_all(path)
    assert [columns for rows in found.values() for _, columns in rows.values()] == [{"text": "红"}]
    assert problems == [
        "other.tfrecord:1: no tf.train.Example",
        "other.tfrecord:2: no feature `image` of one value; pack the set with `kgen data pack`",
        "other.tfrecord:4: the feature `columns` is no JSON object",
        "other.tfrecord:5: the feature `columns` is no JSON of text",
        "other.tfrecord:6: the feature `columns` is no JSON of text",
    ]


def test_packing_names_what_it_leaves_out_and_is_whole_or_not_at_all(tmp_path):
    table = '{"file_name": "红.png", "text": "红"}\n{"file_name": "gone.png", "text": "x"}\nno\n'
    folder = write_files(tmp_path / "set", {"metadata.jsonl": table, "红.png": RED})
    out = tmp_path / "出"
    result = pack(folder, out)
    assert sum(result.counts.values()) == 1 and len(result.problems) == 2
    assert (out / "problems.txt").read_text().split("\n")[:2] == list(result.problems)
    assert result.problems[0] == "metadata.jsonl:2: missing file gone.png"
    before = sorted(out.iterdir())
    with pytest.raises(FileExistsError, match="new or empty folder"):
        pack(folder, out)
    assert sorted(out.iterdir()) == before
    (folder / "红.png").unlink()
    with pytest.raises(ValueError, match="first problem: metadata.jsonl:1: missing file 红.png"):
        pack(folder, tmp_path / "none")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["set", "出"]


def test_what_was_packed_can_be_packed_again(tmp_path):
    first = packed(tmp_path)
    second = pack(tmp_path / "packed", tmp_path / "again")
    assert first.counts == second.counts
    assert list(load(tmp_path / "again").captions) == list(load(tmp_path / "packed").captions)


def test_the_command_packs(tmp_path):
    source = rewriting.jsonl_zip(tmp_path / "zip", small_sets())
    arguments = ["--debug", "data", "pack", str(source), "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(app, [*arguments, "--shard-mb", "5"], catch_exceptions=False)
    assert done.exit_code == 0
    assert "train-00000-of-00001.tfrecord" in done.stdout
    assert "4 train and 2 test pictures" in done.stderr
    assert len(load(tmp_path / "out")) == 4


# Parquet


def test_without_pyarrow_a_line_says_what_to_install(tmp_path, monkeypatch):
    inside = rewriting.parquet_pictures(tmp_path / "inside", small_sets())
    beside = rewriting.parquet_metadata(tmp_path / "beside", small_sets())
    for name in ("pyarrow", "pyarrow.parquet"):
        monkeypatch.setitem(sys.modules, name, None)  # what makes `import` fail
    for path in (inside, beside):
        with pytest.raises(ValueError, match="pip install pyarrow") as caught:
            load(path)
        assert "\n" not in str(caught.value)


def test_bad_rows_of_parquet_are_named(tmp_path):
    import pyarrow
    import pyarrow.parquet

    kind = pyarrow.struct([("bytes", pyarrow.binary()), ("path", pyarrow.string())])
    images = [
        {"bytes": RED, "path": "../红.png"},
        {"bytes": None, "path": "/etc/passwd"},
        None,
        {"bytes": b"no picture", "path": None},
        {"bytes": RED, "path": "b.png"},
    ]
    captions = [["红", "red"], ["a"], ["b"], ["c"], None]
    table = pyarrow.table({"image": pyarrow.array(images, kind), "text": captions})
    pyarrow.parquet.write_table(table, tmp_path / "train-0.parquet", row_group_size=2)
    (tmp_path / "train-1.parquet").write_bytes(b"PAR1 and nothing else PAR1")
    pyarrow.parquet.write_table(pyarrow.table({"text": ["x"]}), tmp_path / "train-2.parquet")
    loads = [load(tmp_path, split) for split in ("train",)]
    assert [row for loaded in loads for row in loaded.captions] == [("红", "red")]
    problems = sorted(line for loaded in loads for line in loaded.problems)
    assert len(problems) == 6
    assert problems[0].startswith(
        "train-0.parquet:2: the parquet holds no picture here, only its path /etc"
    )
    assert problems[1].startswith("train-0.parquet:3: the parquet holds no picture here")
    assert problems[2].startswith("train-0.parquet:4: no JPEG, PNG")
    assert problems[3] == "train-0.parquet:5: no caption in text"
    assert problems[4].startswith("train-1.parquet: train-1.parquet is no readable parquet")
    assert problems[5].startswith("train-2.parquet: no column of pictures")


# Iterables


def test_every_kind_of_picture_gives_the_same(tmp_path):
    (tmp_path / "红.png").write_bytes(RED)
    array = np.full((8, 8, 3), (255, 0, 0), np.uint8)
    grey = np.full((8, 8), 51, np.uint8)
    clear = np.dstack([array, np.zeros((8, 8), np.uint8)])
    reds = [
        array, array / 255.0, (array / 255).astype(np.float32), tf.constant(array), RED,
        tmp_path / "红.png", str(tmp_path / "红.png"), Image.fromarray(array),
        Image.fromarray(array).convert("P"), Image.fromarray(array).convert("CMYK"),
    ]  # fmt: skip
    loaded = from_iterable(((p, "红") for p in reds), 4)
    assert loaded.pixels.shape == (10, 4, 4, 3) and loaded.pixels.dtype == np.uint8
    assert (loaded.pixels == (255, 0, 0)).all() and loaded.problems == ()
    # 0.2 * 255 = 51; 0.25 * 255 + 0.5 = 64.25, down to 64; what is clear is white
    greys = [grey, grey[..., None], np.full((8, 8), 0.2), np.full((8, 8, 3), 0.25), clear]
    loaded = from_iterable([(p, "灰") for p in greys], 4)
    assert loaded.pixels[:, 0, 0].tolist() == [[51] * 3, [51] * 3, [51] * 3, [64] * 3, [255] * 3]


def test_pairs_dictionaries_and_datasets_are_the_same():
    images = np.stack([np.full((6, 6, 3), k, np.uint8) for k in (1, 2, 3)])
    one, two = ["红", "绿", "blue"], ["a", "b", "c"]
    pairs = from_iterable(zip(images, zip(one, two)), 6)
    keyed = [
        {"image": i, "text": a, "zh": b, "kind": "k", "n": 3} for i, a, b in zip(images, one, two)
    ]
    dictionaries = from_iterable(keyed, 6, ("text", "zh"))
    dataset = tf.data.Dataset.from_tensor_slices({"image": images, "text": one, "zh": two})
    as_pairs = tf.data.Dataset.from_tensor_slices((images, np.stack([one, two], axis=1)))
    for loaded in (
        dictionaries,
        from_iterable(dataset, 6, ("text", "zh")),
        from_iterable(as_pairs, 6),
    ):
        np.testing.assert_array_equal(loaded.pixels, images)
        assert loaded.captions == pairs.captions == tuple(zip(one, two))
    assert list(dictionaries.attributes) == ["kind"]
    assert dictionaries.attributes["kind"].tolist() == ["k"] * 3


def test_a_dataset_of_paths_or_files_works(tmp_path):
    (tmp_path / "红.png").write_bytes(RED)
    items = ([str(tmp_path / "红.png"), RED], ["红", "red"])
    loaded = from_iterable(tf.data.Dataset.from_tensor_slices(items), 4)
    assert (loaded.pixels == (255, 0, 0)).all() and loaded.captions == (("红",), ("red",))


def test_endless_and_other_things_are_refused():
    array = np.zeros((4, 4, 3), np.uint8)
    dataset = tf.data.Dataset.from_tensors((array, "红")).repeat()
    for endless in (dataset, itertools.repeat((array, "红")), itertools.cycle([(array, "红")])):
        with pytest.raises(ValueError, match="`items` must be .* that ends"):
            from_iterable(endless, 4)
    for items in (array, "abc", 5, {"image": array, "text": "a"}):
        with pytest.raises(TypeError, match="`items` must be captioned pictures"):
            from_iterable(items, 4)
    with pytest.raises(TypeError, match="`item 1` must be a pair"):
        from_iterable([array], 4)
    with pytest.raises(TypeError, match='`item 2` must be a dictionary with "image"'):
        from_iterable([(array, "a"), {"picture": array}], 4)
    with pytest.raises(ValueError, match="0 of 0 cannot be used"):
        from_iterable([], 4)


def test_bad_items_are_named(tmp_path):
    array = np.zeros((4, 4, 3), np.uint8)
    bad = [
        (array.astype(np.int32), "a"), (array[None], "a"), (array / 1.0 - 1, "a"),
        (array * np.nan, "a"), (array[..., :2], "a"), (b"no", "a"), (tmp_path / "gone", "a"),
        (array, ""), (array, 5), (array, b"\xff"), (None, "a"), (array.astype(str), "a"),
    ]  # fmt: skip
    loaded = from_iterable([*[(array, f"第{k}") for k in range(12)], *bad], 4)
    assert len(loaded) == 12 and len(loaded.problems) == 12
    assert [line.partition(":")[0] for line in loaded.problems] == [
        f"item {k}" for k in range(13, 25)
    ]
    reasons = (
        "array of int32", "is a batch", "from -1 to -1, not in [0, 1]", "from nan",
        "no picture (H, W, 3)", "no JPEG", "No such file", "no caption in text", "text is int",
        "text is bytes", "NoneType", "array of <U",
    )  # fmt: skip
    for line, part in zip(loaded.problems, reasons, strict=True):
        assert part in line
    with pytest.raises(ValueError, match="12 of 12 cannot be used. The first: item 1: an array of"):
        from_iterable(bad, 4)


def test_training_takes_an_iterable(tmp_path, tiny_config, monkeypatch):
    from kgen.training import run

    class Taken(Exception):
        pass

    def stop_here(config, out, resume, pictures):
        raise Taken(pictures)

    monkeypatch.setattr(run, "_vocabulary", stop_here)  # the first that asks for the captions
    items = [(np.full((32, 32, 3), k, np.uint8), f"第{k}") for k in range(8)]
    with pytest.raises(Taken) as caught:
        run.train(tiny_config, tmp_path / "run", pictures=items)
    (pictures,) = caught.value.args
    assert pictures.captions == tuple((f"第{k}",) for k in range(8))
    assert pictures.pixels[:, 0, 0, 0].tolist() == list(range(8))


def test_what_cannot_be_used_is_not_packed(tmp_path):
    place = tmp_path / "set"
    place.mkdir()
    for name in ("红.png", "b.png"):
        Image.new("RGB", (8, 8)).save(place / name)
    (place / "cut.png").write_bytes((place / "b.png").read_bytes()[:40])
    rows = [{"file_name": "红.png", "text": "红"}, {"file_name": "b.png", "text": ""},
            {"file_name": "cut.png", "text": "cut"}]  # fmt: skip
    lines = (json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (place / "metadata.jsonl").write_text("".join(lines), "utf-8")
    result = pack(place, tmp_path / "shards")
    assert result.counts == {"train": 1, "test": 0}
    assert [problem.split(" ")[0] for problem in result.problems] == [
        "metadata.jsonl:2:",
        "metadata.jsonl:3:",
    ]
