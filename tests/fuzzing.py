"""The properties that hold whatever is read, each to be searched for a counter-example."""

import functools
import gzip
import io
import json
import shutil
import struct
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from bad_inputs import contents as c
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as with_seed
from hypothesis import strategies as st

ERRORS = (ValueError, TypeError, OSError)
SUFFIXES = list(c.FORMATS)
OUTSIDE = "outside the set"  # A caption that lies outside of every set, and is never to be read.


@dataclass(frozen=True)
class Property:
    """What is drawn, what is to hold of it, and how many examples the tests look at."""

    drawn: st.SearchStrategy
    holds: Callable[[object, Path], None]
    examples: int


PROPERTIES: dict[str, Property] = {}


def holds_for(drawn, examples):
    """Puts a function among `PROPERTIES`, under its name."""

    def put(function):
        PROPERTIES[function.__name__] = Property(drawn, function, examples)
        return function

    return put


def search(name: str, examples: int, folder: Path, seed: int | None) -> int:
    """Looks at examples of a property; raises where one fails, after making it small.

    Args:
        name: Of the property.
        examples: How many are looked at.
        folder: For files.
        seed: Of other examples; None: always the same.

    Returns:
        How many were looked at.
    """
    found, count = PROPERTIES[name], 0

    def one(drawn):
        nonlocal count
        count += 1
        place = Path(tempfile.mkdtemp(dir=folder))
        try:
            found.holds(drawn, place)
        finally:
            shutil.rmtree(place)

    one.__name__ = one.__qualname__ = name
    run = given(found.drawn)(one)
    run = settings(
        max_examples=examples,
        deadline=None,
        derandomize=seed is None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        print_blob=seed is not None,
    )(run)
    (run if seed is None else with_seed(seed)(run))()
    return count


def told(error: BaseException) -> None:
    """An error is a line that can be printed, of bounded length."""
    text = str(error)
    assert text and text.isprintable(), f"{type(error).__name__}: {text!r}"
    assert len(text) < 3000, f"{len(text)} characters: {text[:200]!r}"


# ---- bytes


def mutated(data: bytes) -> st.SearchStrategy[bytes]:
    """A file with some bytes changed, left out, put in or moved."""
    # Hypothesis likes small numbers: strewn by Knuth's factor, so that all places are as likely.
    place = st.integers(0, 2**32 - 1).map(
        lambda n: (n * 2654435761 % 2**32) * (len(data) + 1) // 2**32
    )
    some = st.binary(max_size=12) | st.sampled_from(
        [b"\0" * 8, b"\xff" * 8, b"../", b"\n", b'"', b"\xed\xa0\x80", b"9" * 40, b"\x80"]
    )
    change = st.one_of(
        st.tuples(st.just("flip"), place, st.integers(1, 255)),
        st.tuples(st.just("cut"), place, st.just(0)),
        st.tuples(st.just("insert"), place, some),
        st.tuples(st.just("overwrite"), place, some),
        st.tuples(st.just("drop"), place, st.integers(1, 64)),
        st.tuples(st.just("splice"), place, place),
    )
    return st.lists(change, min_size=1, max_size=4).map(functools.partial(_changed, data))


def _changed(data, changes):
    for kind, place, what in changes:
        before, after = data[:place], data[place:]
        if kind == "flip" and after:
            data = before + bytes([after[0] ^ what]) + after[1:]
        elif kind == "cut":
            data = before
        elif kind == "insert":
            data = before + what + after
        elif kind == "overwrite":
            data = before + what + after[len(what) :]
        elif kind == "drop":
            data = before + after[what:]
        elif kind == "splice":
            data = before + data[what:]
    return data


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers() | st.integers(min_value=10**30, max_value=10**40),
    st.floats(),
    st.text(st.characters(), max_size=12),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=6,
)
ANY_TEXT = st.text(st.characters(), max_size=40)  # lone surrogates, too
NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0/"), min_size=1, max_size=30)


@functools.cache
def _picture(suffix: str, size: int = 16) -> bytes:
    return c.picture(c.FORMATS[suffix], size=(size, size))


# ---- sets of pictures


def reads_all(path: Path, num_rows: int | None = None) -> None:
    """Reads both splits: an error in a line, or all rows are good or reported."""
    from kgen.data.folders import load_captioned_folder
    from kgen.data.layouts import rows_of
    from kgen.data.opening import open_source

    good, problems = 0, []
    for split in ("train", "test"):
        try:
            found = load_captioned_folder(path, 8, ("text",), split, max_bad_share=1.0)
        except ERRORS as error:
            told(error)
            if "has no rows in" in str(error):
                continue
            if "rows in" in str(error) and "are bad" in str(error):
                return  # all of them, which the error counts
            return
        assert found.pixels.dtype == np.uint8
        assert found.pixels.shape == (len(found), 8, 8, 3)
        assert all(isinstance(text, str) and text for several in found.captions for text in several)
        assert not any(OUTSIDE in text for several in found.captions for text in several)
        assert all(map(len, found.captions))
        good += len(found)
        for line in found.problems:
            assert line.isprintable() and len(line) <= 500, line
        problems += found.problems
    with open_source(path) as source:
        rows = sum(split in ("train", "test") for split, _ in rows_of(source, path))
    assert good + len(problems) == rows, (good, list(problems), rows)
    if num_rows is not None:
        assert rows == num_rows, (rows, num_rows)


def in_place(place: Path, files: dict) -> Path:
    """A set in a folder, beside what is not to be read."""
    c.write(place, {"outside.png": _picture("png"), "outside.txt": OUTSIDE})
    return c.write(place / "data", files)


@functools.cache
def _files() -> dict:
    names = ["a.png", "b.jpg", "c.webp", "d.bmp", "e.gif"]
    rows = [{"file_name": name, "text": f"picture {name} 图"} for name in names]
    return {"rows": rows, **{name: _picture(name.rpartition(".")[2]) for name in names}}


def _set():
    files = dict(_files())
    return files.pop("rows"), files


@holds_for(st.sampled_from(SUFFIXES).flatmap(lambda s: mutated(_picture(s))), 60)
def mutated_pictures(data, _place):
    """A damaged picture is pixels, or a reason."""
    from kgen.data.decoding import decode_picture

    for fit in ("crop", "pad"):
        try:
            pixels = decode_picture(data, 8, fit)
        except ValueError as error:
            assert len(str(error)) < 3000
        else:
            assert pixels.dtype == np.uint8 and pixels.shape == (8, 8, 3)


def _jsonl():
    return c.jsonl(_set()[0])


@holds_for(mutated(_jsonl()), 40)
def mutated_jsonl(data, place):
    """Lines of JSON with bytes changed."""
    lines = data.decode("utf-8-sig", "replace").split("\n")
    path = in_place(place, {"metadata.jsonl": data, **_set()[1]})
    reads_all(path, num_rows=sum(1 for line in lines if line.strip()))


@holds_for(mutated(c.csv_table(_set()[0])), 40)
def mutated_csv(data, place):
    """A table with bytes changed."""
    reads_all(in_place(place, {"metadata.csv": data, **_set()[1]}))


@holds_for(mutated("一幅画\nand a caption\r\n".encode()), 30)
def mutated_texts(data, place):
    """A .txt with bytes changed."""
    pictures = {"a.png": _picture("png"), "b.png": _picture("png"), "b.txt": "good"}
    reads_all(in_place(place, {"a.txt": data, **pictures}), num_rows=2)


@holds_for(
    st.lists(
        st.dictionaries(
            st.sampled_from(["file_name", "text", "id", "kind", "caption"]) | ANY_TEXT,
            VALUES | st.sampled_from(["a.png", "../outside.png", "a"]),
            max_size=5,
        ),
        max_size=6,
    ),
    50,
)
def any_json_in_rows(rows, place):
    """Any JSON as rows: each is good or reported."""
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    good = json.dumps({"file_name": "a.png", "text": "good"}) + "\n"
    files = {"metadata.jsonl": good + lines, "a.png": _picture("png")}
    reads_all(in_place(place, files), num_rows=len(rows) + 1)


@holds_for(st.lists(st.tuples(ANY_TEXT, ANY_TEXT), max_size=6), 40)
def any_names_and_captions(pairs, place):
    """Any Unicode as names and captions, half surrogates too, in JSON."""
    rows = [{"file_name": name, "text": text} for name, text in pairs]
    lines = "".join(json.dumps(row) + "\n" for row in [*rows, *_set()[0]])
    reads_all(in_place(place, {"metadata.jsonl": lines, **_set()[1]}), num_rows=len(rows) + 5)


@holds_for(st.dictionaries(NAMES, ANY_TEXT, max_size=4), 40)
def any_names_of_files(captions, place):
    """Any names that a file system takes, each with a .txt."""
    files = {"a.png": _picture("png"), "a.txt": "good"}
    for name, text in captions.items():
        for suffix, data in (("png", _picture("png")), ("txt", text.encode("utf-8", "replace"))):
            if len(f"{name}.{suffix}".encode()) < 250 and name not in (".", ".."):
                files[f"{name}.{suffix}"] = data
    reads_all(in_place(place, files))


@functools.cache
def _zip(method: int) -> bytes:
    rows, files = _set()
    return c.zip_bytes({"metadata.jsonl": c.jsonl(rows), **files}, method)


@holds_for(
    st.sampled_from(
        [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
    ).flatmap(lambda m: mutated(_zip(m))),
    60,
)
def mutated_zips(data, place):
    """A zip with bytes changed."""
    in_place(place, {})
    (place / "set.zip").write_bytes(data)
    reads_all(place / "set.zip")


@holds_for(
    st.dictionaries(
        st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20),
        ANY_TEXT,
        max_size=4,
    ),
    30,
)
def any_names_in_zips(captions, place):
    """Any names of entries, each a picture with its .txt."""
    in_place(place, {})
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as zipped:
        for name, text in {"../outside": "x", "a": "good", **captions}.items():
            zipped.writestr(f"{name}.png", _picture("png"))
            zipped.writestr(f"{name}.txt", text.encode("utf-8", "replace"))
    (place / "set.zip").write_bytes(file.getvalue())
    reads_all(place / "set.zip")


@functools.cache
def _tar() -> bytes:
    rows, files = _set()
    members = []
    for row in rows:
        name = row["file_name"]
        stem = name.partition(".")[0]
        members.append((name, files[name]))
        if stem in "abc":
            members.append((f"{stem}.txt", row["text"].encode()))
        else:
            members.append((f"{stem}.json", json.dumps({"text": row["text"]}).encode()))
    return c.tar_bytes(members)


@holds_for(mutated(_tar()) | mutated(_tar()[:2048]), 60)
def mutated_tars(data, place):
    """A WebDataset shard with bytes changed."""
    in_place(place, {})
    (place / "set.tar").write_bytes(data)
    reads_all(place / "set.tar")


@holds_for(
    st.lists(
        st.tuples(
            st.text(st.characters(codec="utf-8"), max_size=20),
            st.sampled_from(
                [
                    tarfile.REGTYPE,
                    tarfile.SYMTYPE,
                    tarfile.LNKTYPE,
                    tarfile.DIRTYPE,
                    tarfile.FIFOTYPE,
                ]
            ),
            st.binary(max_size=20),
        ),
        max_size=6,
    ),
    30,
)
def any_members_of_tars(members, place):
    """Any names and kinds of members."""
    in_place(place, {})
    made = [("a.png", _picture("png")), ("a.txt", b"good")]
    for name, kind, data in members:
        plain = kind == tarfile.REGTYPE
        made.append((name, data) if plain else c.tar_entry(name, kind, "../outside.png"))
    (place / "set.tar").write_bytes(c.tar_bytes(made))
    reads_all(place / "set.tar")


@functools.cache
def _records() -> bytes:
    from kgen.data.tfrecords import make_example

    rows, files = _set()
    return b"".join(
        c.record(make_example(files[row["file_name"]], row["file_name"], {"text": row["text"]}))
        for row in rows
    )


@holds_for(st.deferred(lambda: mutated(_records())), 40)
def mutated_tfrecords(data, place):
    """A TFRecord shard with bytes changed."""
    in_place(place, {})
    (place / "set.tfrecord").write_bytes(data)
    reads_all(place / "set.tfrecord")


@functools.cache
def _example() -> bytes:
    from kgen.data.tfrecords import make_example

    return make_example(_picture("png"), "a.png", {"text": "a"})


@holds_for(st.deferred(lambda: mutated(_example())), 40)
def mutated_examples(data, place):
    """Records whose checksums are right, and whose contents are not."""
    in_place(place, {})
    (place / "set.tfrecord").write_bytes(c.record(_example()) + c.record(data))
    reads_all(place / "set.tfrecord", num_rows=2)


def _coco():
    rows, _ = _set()
    images = [{"id": i, "file_name": row["file_name"]} for i, row in enumerate(rows)]
    notes = [{"id": i, "image_id": i, "caption": row["text"]} for i, row in enumerate(rows)]
    return json.dumps({"images": images, "annotations": notes}).encode()


@holds_for(mutated(_coco()), 40)
def mutated_coco(data, place):
    """COCO's JSON with bytes changed."""
    reads_all(in_place(place, {"captions.json": data, **_set()[1]}))


ENTRIES = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "id": st.integers(0, 3) | VALUES,
            "image_id": st.integers(0, 3) | VALUES,
            "file_name": st.sampled_from(["a.png", "../outside.png"]) | VALUES,
            "caption": ANY_TEXT | VALUES,
        },
    )
    | VALUES,
    max_size=5,
)


@holds_for(st.tuples(ENTRIES, ENTRIES), 50)
def any_json_in_coco(lists, place):
    """Any JSON as images and annotations."""
    images, annotations = lists
    content = {
        "images": [{"id": 77, "file_name": "a.png"}, *images],
        "annotations": [{"id": 77, "image_id": 77, "caption": "good"}, *annotations],
    }
    reads_all(in_place(place, {"captions.json": json.dumps(content), **_set()[1]}))


@functools.cache
def _parquet(with_pictures: bool) -> bytes:
    import pyarrow
    import pyarrow.parquet

    rows, files = _set()
    if with_pictures:
        rows = [
            {"image": {"bytes": files[row["file_name"]], "path": row["file_name"]}, **row}
            for row in rows
        ]
    file = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), file, row_group_size=2)
    return file.getvalue()


@holds_for(
    st.deferred(
        lambda: st.booleans().flatmap(
            lambda with_pictures: st.tuples(
                st.just(with_pictures), mutated(_parquet(with_pictures))
            )
        )
    ),
    30,
)
def mutated_parquet(drawn, place):
    """Parquet files with bytes changed."""
    with_pictures, data = drawn
    name = "data/train.parquet" if with_pictures else "metadata.parquet"
    reads_all(in_place(place, {name: data, **({} if with_pictures else _set()[1])}))


@holds_for(mutated(_jsonl()), 15)
def mutated_sets_are_looked_over(data, place):
    """`kgen data check` of a damaged set: a report of which all pages can be made."""
    from kgen.data.check import check_data
    from kgen.data.doctor.text import as_text

    path = in_place(place, {"metadata.jsonl": data, **_set()[1]})
    try:
        report = check_data(path)
    except ERRORS as error:
        told(error)
    else:
        as_text(report).encode()


@holds_for(mutated(_jsonl()), 12)
def mutated_sets_are_packed(data, place):
    """`kgen data pack` of a damaged set: what was packed and what was not make up all."""
    from kgen.data.layouts import rows_of
    from kgen.data.opening import open_source
    from kgen.data.packing import pack

    path = in_place(place, {"metadata.jsonl": data, **_set()[1]})
    try:
        packed = pack(path, place / "packed")
    except ERRORS as error:
        told(error)
        assert not (place / "packed").exists()
        return
    with open_source(path) as source:
        rows = sum(1 for _ in rows_of(source, path))
    assert sum(packed.counts.values()) + len(packed.problems) == rows


# ---- words


@holds_for(
    st.tuples(
        st.lists(ANY_TEXT | st.binary(max_size=30), min_size=1, max_size=5),
        st.sampled_from(["characters", "words"]),
        st.booleans(),
    ),
    20,
)
def any_captions(drawn, _place):
    """Any text through learning and cutting: ids in the vocabulary, padding at the end alone."""
    from kgen.text.tokenizer import CaptionTokenizer
    from kgen.text.vocabulary import check_vocabulary, learn_vocabulary

    captions, segmentation, stop_words = drawn
    texts = [text for text in captions if isinstance(text, str)] * 3
    try:
        vocabulary = learn_vocabulary(texts, 200, segmentation)
    except ERRORS as error:
        told(error)
        vocabulary = ("[PAD]", "[UNK]", "a", "红", "##b")
    check_vocabulary(vocabulary)
    tokenizer = CaptionTokenizer(vocabulary, 8, segmentation, stop_words)
    ids = tokenizer(captions).numpy()
    assert ids.dtype == np.int32 and ids.shape == (len(captions), 8)
    assert (ids >= 0).all() and (ids < len(vocabulary)).all()
    assert ((ids[:, :-1] != 0) | (ids[:, 1:] == 0)).all()
    for text in texts[:2]:
        assert all(map(str, tokenizer.unknown_words(text)))
        tokenizer.unread(text).encode()


@holds_for(ANY_TEXT, 60)
def any_words_that_matter(text, _place):
    """Any text is asked for colours and sides."""
    from kgen.text.words_that_matter import names_colour, says_side

    assert says_side(text) in (True, False)
    assert names_colour(text) in (True, False)


def _vectors():
    rows = [("red", (1.0, 2.0, 3.0)), ("红", (0.5, -1.0, 2.0)), ("a", (1e-3, 4.0, 5.0))]
    lines = "".join(f"{word} {' '.join(map(str, row))}\n" for word, row in rows)
    binary = b"".join(word.encode() + b" " + struct.pack("<3f", *row) + b"\n" for word, row in rows)
    return [
        lines.encode(),
        ("3 3\n" + lines).encode(),
        b"3 3\n" + binary,
        gzip.compress(lines.encode(), mtime=0),
    ]


@holds_for(st.sampled_from(_vectors()).flatmap(mutated) | st.binary(max_size=80), 60)
def mutated_word_vectors(data, place):
    """Files of word vectors with bytes changed."""
    from kgen.text.word_vectors import fill_embedding, read_word_vectors

    (place / "vectors").write_bytes(data)
    try:
        vectors = read_word_vectors(place / "vectors", ["red", "红", "a"])
        table, share = fill_embedding(
            np.ones((5, vectors.dim), np.float32), ["[PAD]", "[UNK]", "red", "红", "a"], vectors
        )
    except ERRORS as error:
        told(error)
    else:
        assert np.isfinite(table).all() and 0 <= share <= 1


# ---- settings


def _config_values():
    from kgen.config import Config

    return Config().to_dict()


GROUPS = _config_values()
KEYS = [key for group in GROUPS.values() if isinstance(group, dict) for key in group]
CONFIGS = st.dictionaries(
    st.sampled_from(list(GROUPS)) | st.text(max_size=5),
    st.dictionaries(st.sampled_from(KEYS) | ANY_TEXT, VALUES, max_size=4) | VALUES,
    max_size=4,
)


@holds_for(CONFIGS | VALUES, 150)
def any_json_as_configuration(values, _place):
    """Any JSON: a configuration that survives a way to JSON and back, or an error in a line."""
    from kgen.config import Config

    for make in (Config.from_dict, Config().updated):
        try:
            config = make(values)
        except (ValueError, TypeError) as error:
            told(error)
        else:
            assert Config.from_dict(json.loads(json.dumps(config.to_dict()))) == config


@holds_for(st.sampled_from([json.dumps(_config_values()).encode()]).flatmap(mutated), 60)
def mutated_configurations(data, place):
    """A configuration's file with bytes changed."""
    from kgen.config import Config

    (place / "config.json").write_bytes(data)
    try:
        Config.read(place / "config.json")
    except ERRORS as error:
        told(error)


OPERATIONS = ["denoise", "contrast", "colour", "white_balance", "sharpen", "upscale", "color"]
PARTS = st.tuples(
    st.sampled_from(OPERATIONS) | st.text(max_size=5),
    st.just("") | st.just("="),
    st.just("") | st.floats().map(str) | st.text(max_size=4),
).map("".join)


@holds_for(st.lists(PARTS, max_size=4).map(",".join) | ANY_TEXT, 150)
def any_post_processing(text, _place):
    """Any text as --post: a pipeline whose own words give it again, or an error in a line."""
    from kgen.postprocess.post_process import PostProcess

    try:
        post = PostProcess.parse(text)
    except (ValueError, TypeError) as error:
        told(error)
    else:
        assert PostProcess.parse(str(post)) == post
        assert 1 <= post.scale <= 8


SETTINGS = st.tuples(
    st.sampled_from([f"training.{key}" for key in KEYS]) | ANY_TEXT,
    st.just("=") | st.just(""),
    VALUES.map(json.dumps) | ANY_TEXT,
).map("".join)


@holds_for(st.lists(SETTINGS, max_size=3), 100)
def any_settings(texts, _place):
    """Any text as --set: exit 0, or 1 or 2 with a line."""
    import contextlib

    from kgen import cli

    arguments = ["train", "--dry-run"]
    for text in texts:
        arguments += ["--set", text]
    out, err = io.StringIO(), io.StringIO()
    silence, cli._silence_tensorflow = cli._silence_tensorflow, lambda: None
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            cli.main(arguments)
    except SystemExit as ended:
        code = ended.code or 0
    finally:
        cli._silence_tensorflow = silence
    lines = err.getvalue().removesuffix("\n").split("\n")
    assert code in (0, 1, 2)
    if code == 0:
        assert json.loads(out.getvalue())
    if code == 1:
        assert len(lines) == 1 and lines[0].startswith("kgen: ") and lines[0].isprintable(), lines
    if code == 2:
        assert lines[0].startswith("Usage: ")
