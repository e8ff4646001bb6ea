"""Readers of captioned pictures: every layout gives the same, every bad row is named."""

import csv
import hashlib
import io
import json
import os
import struct
import unicodedata
import zipfile
import zlib

import numpy as np
import pytest
from PIL import Image

from kgen.config import DataConfig
from kgen.data.decoding import decode_picture
from kgen.data.folders import load_captioned_folder
from kgen.data.loading import load_pictures

COLOURS = {"red.png": (255, 0, 0), "绿.png": (0, 255, 0), "sub/blue.png": (0, 0, 255)}
ROWS = [
    {"file_name": "red.png", "text": "a red square", "text_zh": "红色方块", "kind": "warm"},
    {"file_name": "绿.png", "text": "a green square", "text_zh": "绿色方块", "kind": "cool"},
    {"file_name": "sub/blue.png", "text": "a blue square", "text_zh": "蓝色方块", "kind": "cool"},
]
BOTH = ("text", "text_zh")


def picture(colour=(255, 0, 0), size=(8, 8), mode="RGB", format="PNG", **options):
    """The bytes of a picture of one colour."""
    file = io.BytesIO()
    Image.new(mode, size, colour).save(file, format=format, **options)
    return file.getvalue()


def jsonl(rows):
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def csv_text(rows):
    file = io.StringIO()
    writer = csv.DictWriter(file, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


def pictures():
    return {name: picture(colour) for name, colour in COLOURS.items()}


def folder(path, files):
    for name, content in files.items():
        file = path / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def zipped(path, files, prefix=""):
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as file:
        for name, content in files.items():
            file.writestr(prefix + name, content)
    return path


def assert_same(one, two):
    np.testing.assert_array_equal(one.pixels, two.pixels)
    assert one.captions == two.captions
    assert one.problems == two.problems
    assert list(one.attributes) == list(two.attributes)
    for name in one.attributes:
        np.testing.assert_array_equal(one.attributes[name], two.attributes[name])


def assert_colours(loaded, colours):
    for pixels, colour in zip(loaded.pixels, colours, strict=True):
        assert (pixels == colour).all(), (pixels[0, 0], colour)


def test_jsonl_gives_pixels_captions_and_attributes_in_the_order_of_the_metadata(tmp_path):
    rows = [ROWS[2], ROWS[0], ROWS[1]]
    loaded = load_captioned_folder(
        folder(tmp_path, {"metadata.jsonl": jsonl(rows), **pictures()}), 4, BOTH
    )
    assert loaded.pixels.dtype == np.uint8 and loaded.pixels.shape == (3, 4, 4, 3)
    assert_colours(loaded, [(0, 0, 255), (255, 0, 0), (0, 255, 0)])
    assert loaded.captions[0] == ("a blue square", "蓝色方块")
    assert loaded.attributes["kind"].tolist() == ["cool", "warm", "cool"]
    assert list(loaded.attributes) == ["kind"]
    assert loaded.problems == () and len(loaded) == 3


def test_zip_folder_csv_bom_and_line_ends_make_no_difference(tmp_path):
    files = {"metadata.jsonl": jsonl(ROWS), **pictures()}
    expected = load_captioned_folder(folder(tmp_path / "jsonl", files), 8, BOTH)
    table = csv_text(ROWS)
    noise = {
        "__MACOSX/._red.png": b"x",
        "__MACOSX/more.png": b"x",
        ".DS_Store": b"x",
        "sub/.hidden.txt": b"x",
    }
    sets = [
        zipped(tmp_path / "flat.zip", files),
        zipped(tmp_path / "noisy.zip", {**noise, **files}),
        zipped(tmp_path / "nested.zip", files, prefix="my set/"),
        folder(tmp_path / "nested", {f"my set/{name}": f for name, f in files.items()}),
        folder(tmp_path / "csv", {"metadata.csv": table, **pictures()}),
        folder(tmp_path / "bom", {"metadata.csv": "\ufeff" + table, **pictures()}),
        folder(tmp_path / "bom2", {"metadata.jsonl": "\ufeff" + jsonl(ROWS), **pictures()}),
        zipped(
            tmp_path / "crlf.zip",
            {"metadata.jsonl": jsonl(ROWS).replace("\n", "\r\n\r\n"), **pictures()},
        ),
    ]
    outer = {f"__MACOSX/my set/{name}": b"x" for name in noise}
    sets.append(
        zipped(tmp_path / "mac.zip", {**outer, **{f"my set/{n}": f for n, f in files.items()}})
    )
    for path in sets:
        assert_same(load_captioned_folder(path, 8, BOTH), expected)


def test_txt_beside_each_picture_equals_metadata(tmp_path):
    rows = sorted(ROWS, key=lambda row: row["file_name"])
    rows = [{k: row[k] for k in ("file_name", *BOTH)} for row in rows]
    expected = load_captioned_folder(
        folder(tmp_path / "jsonl", {"metadata.jsonl": jsonl(rows), **pictures()}), 8, BOTH
    )
    texts = {
        row["file_name"].replace(".png", ".txt"): f"\ufeff{row['text']}\r\n\n {row['text_zh']} \n"
        for row in rows
    }
    files = {"LICENSE.txt": "free", **texts, **pictures()}
    for path in (folder(tmp_path / "txt", files), zipped(tmp_path / "txt.zip", files)):
        assert_same(load_captioned_folder(path, 8), expected)


def test_only_a_newline_ends_a_line_of_json(tmp_path):
    text = "one\u2028two\u0085three"
    files = {"metadata.jsonl": jsonl([{"file_name": "red.png", "text": text}]), **pictures()}
    assert load_captioned_folder(zipped(tmp_path / "a.zip", files), 4).captions == ((text,),)


def test_a_csv_cell_may_hold_commas_quotes_and_lines(tmp_path):
    rows = [
        {"file_name": "red.png", "text": 'red, "round"\nand two lines'},
        {"file_name": "gone.png", "text": "gone"},
        {"file_name": "绿.png", "text": "green"},
    ]
    files = {"metadata.csv": csv_text(rows), **pictures()}
    loaded = load_captioned_folder(folder(tmp_path, files), 4)
    assert loaded.captions == (('red, "round"\nand two lines',), ("green",))
    assert loaded.problems == ("metadata.csv:4: missing file gone.png",)


def test_an_empty_caption_is_skipped_and_a_list_holds_several(tmp_path):
    rows = [
        {"file_name": "red.png", "text": "", "text_zh": "红"},
        {"file_name": "绿.png", "text": "green", "text_zh": None},
        {"file_name": "sub/blue.png", "text": ["blue", "navy"]},
    ]
    files = {"metadata.jsonl": jsonl(rows), **pictures()}
    loaded = load_captioned_folder(folder(tmp_path, files), 4, BOTH)
    assert loaded.captions == (("红",), ("green",), ("blue", "navy"))


def test_attributes_are_the_other_columns_of_short_strings(tmp_path):
    rows = [
        {"file_name": "red.png", "text": "r", "kind": "warm", "tags": ["a"], "n": 1, "long": "x"},
        {"file_name": "绿.png", "text": "g", "edge": "y" * 1000, "long": "x" * 1001},
    ]
    files = {"metadata.jsonl": jsonl(rows), **pictures()}
    loaded = load_captioned_folder(folder(tmp_path, files), 4)
    assert {name: list(values) for name, values in loaded.attributes.items()} == {
        "kind": ["warm", ""],
        "edge": ["", "y" * 1000],
    }


def test_folders_tell_the_splits_apart(tmp_path):
    per_folder = {
        "README.md": "hello",
        "train/metadata.jsonl": jsonl(ROWS[:2]),
        "test/metadata.jsonl": jsonl(ROWS[2:]),
        "train/red.png": picture((255, 0, 0)),
        "train/绿.png": picture((0, 255, 0)),
        "test/sub/blue.png": picture((0, 0, 255)),
    }
    places = ("train/", "train/", "test/")
    on_top = {k: v for k, v in per_folder.items() if "metadata" not in k}
    on_top["metadata.csv"] = csv_text(
        [
            {**row, "file_name": place + row["file_name"]}
            for place, row in zip(places, ROWS, strict=True)
        ]
    )
    texts = {k: v for k, v in on_top.items() if "metadata" not in k}
    for place, row in zip(places, ROWS, strict=True):
        texts[place + row["file_name"].replace("png", "txt")] = row["text"]
    for number, files in enumerate((per_folder, on_top, texts)):
        path = zipped(tmp_path / f"{number}.zip", files)
        train = load_captioned_folder(path, 4)
        test = load_captioned_folder(path, 4, split="test")
        assert [c[0] for c in train.captions] == ["a red square", "a green square"]
        assert [c[0] for c in test.captions] == ["a blue square"]
        assert_colours(train, [(255, 0, 0), (0, 255, 0)])
        assert_colours(test, [(0, 0, 255)])
        assert train.problems == test.problems == ()


@pytest.mark.parametrize("kind", ["metadata", "txt"])
def test_other_folders_beside_test_and_train(tmp_path, kind):
    names = ["a.png", "images/b.png", "test/c.png"]
    for more, train in (([], ["a.png", "images/b.png"]), (["train/d.png"], ["train/d.png"])):
        files = {name: picture() for name in names + more}
        if kind == "txt":
            files |= {name.replace("png", "txt"): name for name in names + more}
        else:
            rows = [{"file_name": name, "text": name} for name in names + more]
            files["metadata.jsonl"] = jsonl(rows)
            train = train if not more else ["a.png", *more]  # what lies at the top is train
        path = zipped(tmp_path / "a.zip", files)
        assert [c[0] for c in load_captioned_folder(path, 1).captions] == train
        assert load_captioned_folder(path, 1, split="test").captions == (("test/c.png",),)


def test_a_row_without_a_name_belongs_to_the_split_of_its_file(tmp_path):
    rows = "{broken\n" + jsonl([{"file_name": "a.png", "text": "a"}])
    files = {
        f"{s}/{n}": f
        for s in ("train", "test")
        for n, f in (("metadata.jsonl", rows), ("a.png", picture()))
    }
    for split in ("train", "test"):
        loaded = load_captioned_folder(zipped(tmp_path / "a.zip", files), 4, split=split)
        assert len(loaded) == len(loaded.problems) == 1
        assert loaded.problems[0].startswith(f"{split}/metadata.jsonl:1: no valid JSON")


@pytest.mark.parametrize("place", ["", "train/"])
def test_without_a_test_folder_one_picture_in_20_is_test_by_its_name(tmp_path, place):
    names = [f"{place}{number}.png" for number in range(200)]
    files = {name: picture() for name in names}
    files.update({name.replace("png", "txt"): name for name in names})
    path = zipped(tmp_path / "many.zip", files)
    test = [c[0] for c in load_captioned_folder(path, 1, split="test").captions]
    train = [c[0] for c in load_captioned_folder(path, 1).captions]
    assert test == sorted(
        n for n in names if int(hashlib.sha1(n.encode()).hexdigest(), 16) % 20 == 0
    )
    assert sorted(train + test) == sorted(names)
    assert 4 <= len(test) <= 20


def bomb():
    """A PNG that says it is 20000 x 10000 pixels."""
    header = struct.pack(">IIBBBBB", 20000, 10000, 8, 2, 0, 0, 0)
    chunk = b"IHDR" + header
    body = struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))
    return b"\x89PNG\r\n\x1a\n" + body + picture()[33:]


@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_each_kind_of_bad_row_is_left_out_and_named(tmp_path, kind):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, "PNG")
    files = {
        "good.png": picture(),
        "cut.png": file.getvalue()[:6000],
        "noise.png": b"not a picture at all",
        "bomb.png": bomb(),
        "vast.png": picture(0, (8001, 8001), "1"),
        "empty.png": b"",
        ".hidden.png": picture(),
    }
    bad = [
        ('{"file_name": "good.png", ', "no valid JSON"),
        ('["good.png", "a"]', "a JSON object was expected, not list"),
        ('{"text": "a"}', "no file_name"),
        ('{"file_name": 7, "text": "a"}', "no file_name"),
        ('{"file_name": "good.png", "text": " "}', "no caption in text"),
        ('{"file_name": "good.png", "text": 5}', "text is int, not text"),
        ('{"file_name": "good.png", "text": "\\ud83d"}', "not valid Unicode"),
        (b'{"file_name": "good.png", "text": "\xb0\xa1"}', "not UTF-8 text"),
        ('{"file_name": "gone.png", "text": "a"}', "missing file gone.png"),
        ('{"file_name": "../good.png", "text": "a"}', "path with `..` that leaves the folder"),
        ('{"file_name": "sub/../../good.png", "text": "a"}', "path with `..`"),
        ('{"file_name": "/etc/good.png", "text": "a"}', "absolute path"),
        ('{"file_name": "C:\\\\good.png", "text": "a"}', "absolute path"),
        ('{"file_name": ".", "text": "a"}', "no path of a file"),
        ('{"file_name": ".hidden.png", "text": "a"}', "hidden file"),
        ('{"file_name": "cut.png", "text": "a"}', "unreadable picture"),
        ('{"file_name": "noise.png", "text": "a"}', "no JPEG, PNG, WebP, BMP or GIF picture"),
        ('{"file_name": "empty.png", "text": "a"}', "unreadable picture (the file is empty)"),
        ('{"file_name": "bomb.png", "text": "a"}', "over 64 megapixels"),
        ('{"file_name": "vast.png", "text": "a"}', "8001x8001 is over 64 megapixels"),
    ]
    good = [f'{{"file_name": "good.png", "text": "good {n}"}}' for n in range(len(bad))]
    lines = [line for n, (row, _) in enumerate(bad) for line in (good[n], row)]
    files["metadata.jsonl"] = b"\n".join(x if isinstance(x, bytes) else x.encode() for x in lines)
    make = {"folder": folder, "zip": zipped}[kind]
    loaded = load_captioned_folder(make(tmp_path / f"bad.{kind}", files), 8)
    assert len(loaded) == len(bad) and (loaded.pixels == (255, 0, 0)).all()
    for number, (problem, (_, reason)) in enumerate(zip(loaded.problems, bad, strict=True)):
        assert problem.startswith(f"metadata.jsonl:{2 * number + 2}: {reason}"), problem


def test_bad_rows_of_csv(tmp_path):
    lines = [
        b"file_name,text",
        b"red.png,red",
        b"red.png,red,more",
        b"red.png",
        b"red.png,\xff\xfe",
        "绿.png,green".encode(),
        b"red.png,again",
    ]
    files = {"metadata.csv": b"\n".join(lines), **pictures()}
    loaded = load_captioned_folder(folder(tmp_path, files), 4)
    assert loaded.captions == (("red",), ("green",), ("again",))
    assert loaded.problems == (
        "metadata.csv:3: 3 cells, but 2 columns",
        "metadata.csv:4: no caption in text",
        "metadata.csv:5: not UTF-8 text",
    )


def test_bad_rows_of_txt(tmp_path):
    files = {f"{n}.png": picture() for n in "abcdef"}
    files |= {"a.txt": "one", "b.txt": b"\xff\xfe\x00", "c.txt": " \n", "d.txt": "d", "e.txt": "e"}
    loaded = load_captioned_folder(folder(tmp_path, files), 4)
    assert loaded.captions == (("one",), ("d",), ("e",))
    assert loaded.problems == (
        "b.txt:1: not UTF-8 text",
        "c.txt:1: no caption in text",
        "f.txt:1: missing file f.txt, the caption of f.png",
    )


def test_links_may_not_leave_the_folder(tmp_path):
    folder(
        tmp_path, {"secret.png": picture(), "set/inside.png": picture(), "away/a.png": picture()}
    )
    os.symlink(tmp_path / "secret.png", tmp_path / "set" / "out.png")
    os.symlink(tmp_path / "away", tmp_path / "set" / "away")
    os.symlink(tmp_path / "set" / "inside.png", tmp_path / "set" / "also.png")
    names = ["inside.png", "out.png", "also.png", "away/a.png"]
    rows = [{"file_name": name, "text": name} for name in names]
    loaded = load_captioned_folder(folder(tmp_path / "set", {"metadata.jsonl": jsonl(rows)}), 4)
    assert loaded.captions == (("inside.png",), ("also.png",))
    assert loaded.problems == (
        "metadata.jsonl:2: out.png is a link that leaves the folder",
        "metadata.jsonl:4: away/a.png is a link that leaves the folder",
    )
    os.symlink(tmp_path / "set", tmp_path / "link")
    assert_same(load_captioned_folder(tmp_path / "link", 4), loaded)


def test_a_damaged_entry_of_a_zip_is_one_bad_row(tmp_path):
    path = zipped(tmp_path / "a.zip", {"metadata.jsonl": jsonl(ROWS), **pictures()})
    path.write_bytes(path.read_bytes().replace(pictures()["red.png"][-30:], b"?" * 30))
    loaded = load_captioned_folder(path, 4)
    assert [c[0] for c in loaded.captions] == ["a green square", "a blue square"]
    assert loaded.problems[0].startswith("metadata.jsonl:1: red.png cannot be read from the zip")


def test_mostly_bad_or_nothing_left_is_an_error_that_counts(tmp_path):
    rows = [{"file_name": f"{n}.png", "text": "gone"} for n in range(6)] + ROWS
    path = folder(tmp_path / "a", {"metadata.jsonl": jsonl(rows), **pictures()})
    with pytest.raises(ValueError, match="6 of its 9 rows in train are bad") as error:
        load_captioned_folder(path, 4)
    assert "metadata.jsonl:1: missing file 0.png" in str(error.value)
    rows = rows[3:]  # 3 bad rows of 6: half is not more than half
    path = folder(tmp_path / "b", {"metadata.jsonl": jsonl(rows), **pictures()})
    assert len(load_captioned_folder(path, 4)) == 3
    with pytest.raises(ValueError, match="no rows in test"):
        load_captioned_folder(path, 4, split="test")


def test_an_unknown_column_names_the_nearest(tmp_path):
    path = folder(tmp_path, {"metadata.jsonl": jsonl(ROWS), **pictures()})
    with pytest.raises(ValueError, match="Did you mean `text_zh`.*Known: kind, text, text_zh"):
        load_captioned_folder(path, 4, ("text", "text_hz"))


def test_bad_arguments_say_what_was_expected(tmp_path):
    with pytest.raises(FileNotFoundError, match="`path` must be a folder or a zip that exists"):
        load_captioned_folder(tmp_path / "nowhere", 4)
    file = tmp_path / "a.zip"
    file.write_bytes(b"PK, or not")
    with pytest.raises(ValueError, match="no zip"):
        load_captioned_folder(file, 4)
    path = folder(tmp_path / "a", pictures())
    with pytest.raises(ValueError, match="metadata.jsonl or metadata.csv"):
        load_captioned_folder(path, 4)
    folder(path, {"metadata.jsonl": jsonl(ROWS), "metadata.csv": csv_text(ROWS)})
    with pytest.raises(ValueError, match="one metadata file"):
        load_captioned_folder(path, 4)
    with pytest.raises(ValueError, match="`split`"):
        load_captioned_folder(path, 4, split="validation")
    with pytest.raises(TypeError, match="`captions`"):
        load_captioned_folder(path, 4, "text")
    with pytest.raises(ValueError, match="`captions`"):
        load_captioned_folder(path, 4, ())
    with pytest.raises(ValueError, match="`image_size`"):
        load_captioned_folder(path, 0)


# Pixels


@pytest.mark.parametrize("format", ["PNG", "BMP", "GIF", "WEBP", "JPEG"])
def test_every_format_decodes(format):
    options = {"lossless": True} if format == "WEBP" else {}
    pixels = decode_picture(picture((200, 100, 50), (12, 12), format=format, **options), 12)
    np.testing.assert_allclose(pixels.astype(int), np.tile((200, 100, 50), (12, 12, 1)), atol=2)


@pytest.mark.parametrize("format", ["GIF", "WEBP", "PNG"])
def test_a_moving_picture_gives_its_first_frame(format):
    file = io.BytesIO()
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    options = {"lossless": True} if format == "WEBP" else {}
    frames[0].save(file, format, save_all=True, append_images=frames[1:], **options)
    with Image.open(io.BytesIO(file.getvalue())) as moving:
        assert moving.n_frames == 2
    assert (decode_picture(file.getvalue(), 4) == (255, 0, 0)).all()


@pytest.mark.parametrize(
    "mode, colour, expected",
    [
        ("RGBA", (255, 0, 0, 0), (255, 255, 255)),  # transparent: the white beneath
        ("RGBA", (255, 0, 0, 51), (255, 204, 204)),  # 0.2 * red + 0.8 * white
        ("LA", (0, 51), (204, 204, 204)),
        ("L", 77, (77, 77, 77)),
        ("1", 1, (255, 255, 255)),
        ("I;16", 65535, (255, 255, 255)),
        ("I;16", 257 * 100, (100, 100, 100)),
        ("I;16", 255, (1, 1, 1)),  # 0.99
        ("I;16", 257 * 200 + 128, (200, 200, 200)),
    ],
)
def test_every_mode_becomes_rgb(mode, colour, expected):
    pixels = decode_picture(picture(colour, (6, 6), mode), 6)
    np.testing.assert_array_equal(pixels, np.tile(expected, (6, 6, 1)))


def test_palette_with_and_without_transparency():
    indexed = Image.new("P", (4, 4), 1)
    indexed.putpalette([9, 9, 9, 10, 20, 30])
    for options, expected in (({}, (10, 20, 30)), ({"transparency": 1}, (255, 255, 255))):
        file = io.BytesIO()
        indexed.save(file, "PNG", **options)
        assert (decode_picture(file.getvalue(), 4) == expected).all()


def test_transparency_shows_the_background():
    clear = picture((255, 0, 0, 51), (6, 6), "RGBA")  # 0.2 * red + 0.8 * (0, 0, 100)
    for background in ("#000064", "rgb(0, 0, 100)"):
        pixels = decode_picture(clear, 6, background=background)
        np.testing.assert_array_equal(pixels, np.tile((51, 0, 80), (6, 6, 1)))
    for wrong in ("whiet", "#12", "", "#00000080"):
        with pytest.raises(ValueError, match="`background` must be a colour's name or #rrggbb"):
            decode_picture(clear, 6, background=wrong)


def test_padding_keeps_the_whole_picture_in_the_middle():
    wide = np.arange(48, dtype=np.uint8).reshape(2, 8, 3)
    tall = wide.swapaxes(0, 1)
    for stored, place in ((wide, np.s_[3:5, :]), (tall, np.s_[:, 3:5])):
        file = io.BytesIO()
        Image.fromarray(np.ascontiguousarray(stored)).save(file, "PNG")
        expected = np.tile(np.array((255, 0, 0), np.uint8), (8, 8, 1))
        expected[place] = stored
        pixels = decode_picture(file.getvalue(), 8, "pad", "red")
        np.testing.assert_array_equal(pixels, expected)
    # 30 x 10 at 15 px is 15 x 5, five rows below and above; 1000 x 1 still shows as one row.
    for size, rows in (((30, 10), [5, 6, 7, 8, 9]), ((1000, 1), [7]), ((7, 7), range(15))):
        pixels = decode_picture(picture((0, 0, 255), size), 15, "pad")
        assert pixels.shape == (15, 15, 3)
        assert [y for y in range(15) if (pixels[y] == (0, 0, 255)).all()] == list(rows)
        assert (np.delete(pixels, list(rows), axis=0) == 255).all()


def test_fit_and_background_come_from_the_configuration(tmp_path):
    rows = [{"file_name": "红.png", "text": "红色"}]
    files = {"红.png": picture((255, 0, 0), (8, 4)), "test/metadata.jsonl": ""}
    path = str(zipped(tmp_path / "a.zip", files | {"metadata.jsonl": jsonl(rows)}))
    cropped = load_pictures(DataConfig(path=path), 8)
    assert (cropped.pixels == (255, 0, 0)).all()
    padded = load_pictures(DataConfig(path=path, fit="pad", background="#0000ff"), 8)
    assert (padded.pixels[0, 2:6] == (255, 0, 0)).all()
    assert (padded.pixels[0, [0, 1, 6, 7]] == (0, 0, 255)).all()
    with pytest.raises(ValueError, match="`background`"):
        load_pictures(DataConfig(path=path, background="whiet"), 8)


def test_cmyk_jpeg():
    pixels = decode_picture(picture((0, 255, 255, 0), (8, 8), "CMYK", "JPEG"), 8)
    np.testing.assert_allclose(pixels.astype(int), np.tile((255, 0, 0), (8, 8, 1)), atol=3)


def test_exif_orientation_is_applied():
    upright = np.zeros((8, 8, 3), np.uint8)
    upright[:4] = 255  # white above black
    exif = Image.Exif()
    exif[0x0112] = 6  # "rotate 90 degrees clockwise to display"
    stored = Image.fromarray(np.rot90(upright))
    file = io.BytesIO()
    stored.save(file, "PNG", exif=exif)
    np.testing.assert_array_equal(decode_picture(file.getvalue(), 8), upright)


def test_the_middle_square_is_cut_out():
    wide = np.zeros((4, 10, 3), np.uint8)
    wide[:, 3:7] = np.arange(48).reshape(4, 4, 3)
    for stored, expected in (
        (wide, wide[:, 3:7]),
        (wide.swapaxes(0, 1), wide[:, 3:7].swapaxes(0, 1)),
    ):
        file = io.BytesIO()
        Image.fromarray(np.ascontiguousarray(stored)).save(file, "PNG")
        np.testing.assert_array_equal(decode_picture(file.getvalue(), 4), expected)


def test_shrinking_is_antialiased():
    board = (np.indices((64, 64)).sum(axis=0) % 2 * 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(board).save(file, "PNG")
    middle = decode_picture(file.getvalue(), 16)[4:12, 4:12].astype(int)
    assert abs(middle - 127.5).max() < 8  # nearest would give 0 or 255


def test_a_large_jpeg_decoded_small_is_the_same_picture():
    y, x = np.mgrid[:1024, :1024]
    waves = np.stack([127 + 100 * np.sin(x / 90), 127 + 100 * np.cos(y / 70), (x + y) / 8.1], -1)
    file = io.BytesIO()
    Image.fromarray(waves.astype(np.uint8)).save(file, "JPEG", quality=95)
    with Image.open(io.BytesIO(file.getvalue())) as full:
        expected = np.asarray(full.resize((32, 32), Image.Resampling.LANCZOS)).astype(int)
    error = abs(decode_picture(file.getvalue(), 32).astype(int) - expected)
    assert error.max() <= 6 and error.mean() < 1


# The real sets


def test_nouns64_opens(shared_data):
    for split, count in (("train", 4782), ("test", 218)):
        loaded = load_captioned_folder(shared_data / "nouns64.zip", 64, split=split)
        assert len(loaded) == count == len(loaded.pixels) and not loaded.problems
        assert {"head", "glasses", "body"} <= set(loaded.attributes)
        assert all(
            h in c[0] for h, c in zip(loaded.attributes["head"], loaded.captions, strict=True)
        )
        assert loaded.pixels.std(axis=(1, 2, 3)).min() > 5


def test_emoji64_opens_in_two_languages(shared_data):
    for split, count in (("train", 3336), ("test", 184)):
        loaded = load_captioned_folder(shared_data / "emoji64.zip", 64, BOTH, split)
        assert len(loaded) == count == len(loaded.pixels) and not loaded.problems
        assert sum(len(captions) == 2 for captions in loaded.captions) > 0.9 * count
        assert any("\u4e00" <= c <= "\u9fff" for c in loaded.captions[0][1])


def test_a_real_zip_unpacked_is_the_same(shared_data, tmp_path):
    path = shared_data / "dcss64.zip"
    with zipfile.ZipFile(path) as file:
        file.extractall(tmp_path, [n for n in file.namelist() if n.startswith("test/")])
    assert_same(
        load_captioned_folder(tmp_path, 32, split="test"),
        load_captioned_folder(path, 32, split="test"),
    )


def test_two_files_of_one_name_in_a_zip_are_told(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as file, pytest.warns(UserWarning, match="Duplicate name"):
        file.writestr("metadata.jsonl", jsonl(ROWS))
        for name, content in pictures().items():
            file.writestr(name, content)
        file.writestr("red.png", picture((0, 0, 9)))
        file.writestr(unicodedata.normalize("NFD", "é.png"), b"")
        file.writestr("é.png", b"")
    loaded = load_captioned_folder(path, 8)
    assert_colours(loaded, [(0, 0, 9), (0, 255, 0), (0, 0, 255)])
    told = "is there several times, and only the last is read"
    assert loaded.problems == (f"red.png: {told}", f"é.png: {told}")
