"""Sets that cannot be used at all: training on them ends before it begins."""

import json

from bad_inputs import contents as c
from bad_inputs.case import Command


def _train(name, make, path="data", *more):
    small = ("--preset", "scenes_32", "--steps", "1")  # it ends soon, should it ever begin
    return Command(name, ("train", "{tmp}/" + path, "--out", "{tmp}/out", *small, *more), make)


def _all(rows):
    return c.in_folder({"metadata.jsonl": c.jsonl(rows), **c.pictures()})


def _vectors(name, data):
    """Training that starts from a file of word vectors, which is bad."""
    good = c.good_zip()
    return _train(
        f"word vectors: {name}",
        c.files({"data.zip": good, "v": data}),
        "data.zip",
        "--word-vectors",
        "{tmp}/v",
        "--set",
        "text.embedding_dim=4",
    )


SETS = [
    Command("set: nothing there", ("train", "{tmp}/nothing", "--out", "{tmp}/out")),
    Command("set: an empty name", ("train", "", "--out", "{tmp}/out")),
    Command("set: name with a line break", ("train", "{tmp}/a\nb", "--out", "{tmp}/out")),
    Command("set: name of 5000 characters", ("train", "x" * 5000, "--out", "{tmp}/out")),
    Command("set: a device", ("train", "/dev/null", "--out", "{tmp}/out")),
    _train("set: a pipe", c.files({"data": c.pipe})),
    _train("set: link to nothing", c.files({"data": c.link_to("nothing")})),
    _train("set: link to itself", c.files({"data": c.link_to("data")})),
    _train("set: empty folder", c.files({"data": c.folder})),
    _train("set: pictures without captions", c.in_folder(c.pictures())),
    _train("set: hidden files alone", c.in_folder({".a.png": c.picture(), ".a.txt": "a"})),
    _train("set: captions without pictures", c.in_folder({"a.txt": "a"})),
    _train("set: metadata empty", c.in_folder({"metadata.jsonl": "", **c.pictures()})),
    _train("set: metadata of blank lines", c.in_folder({"metadata.jsonl": "\n\n", **c.pictures()})),
    _train(
        "set: two metadata files",
        c.in_folder(
            {"metadata.jsonl": c.jsonl(c.GOOD), "metadata.csv": c.csv_table(c.GOOD), **c.pictures()}
        ),
    ),
    _train(
        "set: metadata is one JSON list",
        c.in_folder({"metadata.jsonl": json.dumps(c.GOOD), **c.pictures()}),
    ),
    _train(
        "set: metadata in UTF-16",
        c.in_folder({"metadata.jsonl": c.jsonl(c.GOOD).decode().encode("utf-16"), **c.pictures()}),
    ),
    _train(
        "set: metadata links out of the folder",
        c.in_folder({"metadata.jsonl": c.link_to("/etc/passwd"), **c.pictures()}),
    ),
    _train(
        "set: metadata links to nothing",
        c.in_folder({"metadata.jsonl": c.link_to("gone"), **c.pictures()}),
    ),
    _train("set: no row has the column", _all(c.GOOD), "data", "--captions", "text_zh"),
    _train("set: column misspelled", _all(c.GOOD), "data", "--captions", "test"),
    _train("set: empty column name", _all(c.GOOD), "data", "--captions", "text,"),
    _train("set: no column name", _all(c.GOOD), "data", "--captions", ""),
    _train("set: all captions blank", _all([{**row, "text": " "} for row in c.GOOD])),
    _train(
        "set: all captions are punctuation that stays",
        _all([{**row, "text": "\u200b"} for row in c.GOOD]),
    ),
    _train(
        "set: most pictures missing",
        _all([*c.GOOD, *({"file_name": f"gone_{i}.png", "text": "x"} for i in range(8))]),
    ),
    _train(
        "set: fewer bad rows allowed",
        _all([*c.GOOD, {"file_name": "gone.png", "text": "x"}]),
        "data",
        "--set",
        "data.max_bad_share=0.1",
    ),
    _train(
        "set: csv without header",
        c.in_folder({"metadata.csv": c.csv_table(c.GOOD).split(b"\n", 1)[1], **c.pictures()}),
    ),
    _train(
        "set: csv in UTF-16",
        c.in_folder(
            {"metadata.csv": c.csv_table(c.GOOD).decode().encode("utf-16"), **c.pictures()}
        ),
    ),
    _train(
        "set: csv with semicolons",
        c.in_folder({"metadata.csv": c.csv_table(c.GOOD).replace(b",", b";"), **c.pictures()}),
    ),
    _train(
        "set: csv with a column named twice",
        c.in_folder(
            {"metadata.csv": "file_name,text,text\nred.png,a,\n绿.png,b,\n", **c.pictures()}
        ),
    ),
    _train("set: parquet that is none", c.in_folder({"metadata.parquet": "no", **c.pictures()})),
    _train("set: parquet cut off", c.in_folder({"data/train.parquet": b"PAR1" + bytes(40)})),
    _train("set: unknown background", _all(c.GOOD), "data", "--set", "data.background=octarine"),
    # zips
    _train("zip: empty file", c.files({"data.zip": b""}), "data.zip"),
    _train("zip: text", c.files({"data.zip": "no zip"}), "data.zip"),
    _train("zip: cut off", c.files({"data.zip": c.cut(c.good_zip())}), "data.zip"),
    _train("zip: without entries", c.files({"data.zip": b"PK\5\6" + bytes(18)}), "data.zip"),
    _train(
        "zip: directory damaged",
        c.files({"data.zip": c.good_zip().replace(b"PK\1\2", b"PK\7\7")}),
        "data.zip",
    ),
    _train(
        "zip: needs a password",
        c.files({"data.zip": c.encrypted(c.good_zip(), ("metadata.jsonl", "red.png"))}),
        "data.zip",
    ),
    _train(
        "zip: metadata damaged",
        c.files(
            {
                "data.zip": c.garbled(
                    c.zip_bytes({"metadata.jsonl": c.jsonl(c.GOOD * 9), **c.pictures()}), 0.01, 60
                )
            }
        ),
        "data.zip",
    ),
    _train(
        "zip: another archive", c.files({"data.7z": b"7z\xbc\xaf\x27\x1c" + bytes(64)}), "data.7z"
    ),
    _train("zip: a picture", c.files({"cat.png": c.picture()}), "cat.png"),
    # tars
    _train("tar: empty file", c.files({"data.tar": b""}), "data.tar"),
    _train("tar: text", c.files({"data.tar": "no tar" * 200}), "data.tar"),
    _train("tar: no members", c.files({"data.tar": c.tar_bytes([])}), "data.tar"),
    _train("tar: compressed", c.files({"data.tar.gz": b"\x1f\x8b" + bytes(64)}), "data.tar.gz"),
    _train(
        "tar: all pictures without captions",
        c.files({"data.tar": c.tar_bytes([("a.png", c.picture())])}),
        "data.tar",
    ),
    _train(
        "tar: range with a missing file",
        c.files({"s-0.tar": c.tar_bytes(c.good_members())}),
        "s-{0..2}.tar",
    ),
    _train("tar: range that is none", c.files({"s-0.tar": b""}), "s-{0}.tar"),
    _train("tar: range without end", c.files({"s-0.tar": b""}), "s-{0..999999999}.tar"),
    # TFRecord
    _train("tfrecord: empty file", c.files({"a.tfrecord": b""}), "a.tfrecord"),
    _train("tfrecord: text", c.files({"a.tfrecord": "no records" * 9}), "a.tfrecord"),
    _train(
        "tfrecord: foreign Examples",
        c.files({"a.tfrecord": lambda path: path.write_bytes(c.record(b"") * 3)}),
        "a.tfrecord",
    ),
    # COCO
    _train("coco: no JSON", c.in_folder({"captions.json": "{", **c.pictures()})),
    _train("coco: not UTF-8", c.in_folder({"captions.json": b"\xff\xfe{}", **c.pictures()})),
    _train(
        "coco: nested 100,000 deep", c.in_folder({"captions.json": "[" * 100_000, **c.pictures()})
    ),
    _train(
        "coco: number of 5000 digits",
        c.in_folder({"captions.json": '{"images": ' + "9" * 5000 + "}", **c.pictures()}),
    ),
    _train("coco: another JSON, named", c.files({"a.json": '{"a": 1}'}), "a.json"),
    _train("coco: JSON list, named", c.files({"a.json": "[1, 2]"}), "a.json"),
    _train(
        "coco: all annotations dangle",
        c.in_folder(
            {
                "captions.json": json.dumps(
                    {"images": [], "annotations": [{"id": 1, "image_id": 1, "caption": "x"}]}
                )
            }
        ),
    ),
    # kgen data check, pack, evaluate on the same
    Command("data check: nothing there", ("data", "check", "{tmp}/nothing")),
    Command(
        "data check: empty folder", ("data", "check", "{tmp}/data"), c.files({"data": c.folder})
    ),
    Command("data check: all rows bad", ("data", "check", "{tmp}/data"), _all([{}, []])),
    Command(
        "data check: broken zip", ("data", "check", "{tmp}/data.zip"), c.files({"data.zip": "no"})
    ),
    Command("data check: a pipe", ("data", "check", "{tmp}/data"), c.files({"data": c.pipe})),
    Command("data pack: nothing there", ("data", "pack", "{tmp}/nothing", "--out", "{tmp}/o")),
    Command(
        "data pack: into the set itself",
        ("data", "pack", "{tmp}/data", "--out", "{tmp}/data"),
        _all(c.GOOD),
    ),
    Command(
        "data pack: into a file",
        ("data", "pack", "{tmp}/data", "--out", "{tmp}/file"),
        lambda tmp: (_all(c.GOOD)(tmp), c.write(tmp, {"file": "x"})),
    ),
    Command(
        "data pack: all rows bad",
        ("data", "pack", "{tmp}/data", "--out", "{tmp}/o"),
        _all([{}, []]),
    ),
    Command(
        "data pack: shards of nothing",
        ("data", "pack", "{tmp}/data", "--out", "{tmp}/o", "--shard-mb", "0"),
        _all(c.GOOD),
    ),
    Command(
        "data pack: shards of NaN",
        ("data", "pack", "{tmp}/data", "--out", "{tmp}/o", "--shard-mb", "nan"),
        _all(c.GOOD),
    ),
    Command("evaluate: data not there", ("evaluate", "{run}", "{tmp}/nothing")),
    # word vectors
    Command(
        "word vectors: nothing there",
        ("train", "{tmp}/d", "--out", "{tmp}/out", "--word-vectors", "{tmp}/nothing"),
    ),
    _vectors("empty file", b""),
    _vectors("a zip", c.zip_bytes({"v": "x"})),
    _vectors("prose", "Once upon a time\n"),
    _vectors("UTF-16", "red 1 2 3 4\n".encode("utf-16")),
    _vectors("of another length", "red 1 2 3\n"),
    _vectors("damaged gzip", b"\x1f\x8b\x08\x00" + bytes(30)),
    _vectors("ends early", "3 4\nred 1 2 3 4\n"),
    _vectors("zeros alone", "2 4\nred 0 0 0 0\na 0 0 0 0\n"),
    _vectors("0 dimensions", "2 0\nred\na\n"),
    _vectors("9 billion words", "9000000000 4\nred 1 2 3 4\n"),
]
