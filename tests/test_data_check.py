"""The data doctor: what it counts, what it finds alike, what it advises, what it shows."""

import dataclasses
import io
import json
import re
import shlex
import struct
import zlib
from collections import Counter

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from kgen.cli import app
from kgen.data.check import check_data
from kgen.data.doctor.advice import advise, training_minutes
from kgen.data.doctor.collecting import caption_columns
from kgen.data.doctor.complaints import sorted_complaints
from kgen.data.doctor.measuring import block_size, is_blank, measure
from kgen.data.doctor.page import write_page
from kgen.data.doctor.similar import near_duplicates, perceptual_hashes
from kgen.data.doctor.text import as_text
from kgen.data.doctor.wording import percent
from kgen.data.doctor.words import column_facts, language_of, spread, tokens_of, vocabulary
from kgen.text.words_that_matter import (
    COLOURS,
    NEGATIONS,
    NUMBERS,
    PLACES,
    SHADES,
    SIDES,
    SIZES,
    names_colour,
    says_side,
)

THINGS = (("boat", "船"), ("tree", "树"), ("house", "房子"), ("bird", "鸟"))


def painting(number, size=(96, 96)):
    """A smooth picture that no other number gives."""
    rng = np.random.default_rng(number)
    small = Image.fromarray(rng.integers(0, 256, (5, 5, 3), np.uint8))
    return small.resize(size, Image.Resampling.BICUBIC)


def stored(picture, kind="PNG", **options):
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def bomb():
    """A PNG of a few bytes that says it is 50 000 x 50 000 pixels."""

    def chunk(name, data):
        check = struct.pack(">I", zlib.crc32(name + data))
        return struct.pack(">I", len(data)) + name + data + check

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 50_000, 50_000, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0")) + chunk(b"IEND", b"")


def make_spoiled_set(folder):
    """A set with one of everything that goes wrong: 40 good train rows, 8 good test rows.

    Beside those: a picture stored anew (a copy), one that is in train and in test (a leak), a
    blank one, and bad rows: 2 truncated, 1 that is text, 1 bomb, 2 missing, 1 outside, 2 without
    caption, 1 broken line, 1 in another encoding, 1 said twice.
    """
    train, test = folder / "train", folder / "test"
    train.mkdir(parents=True)
    test.mkdir()
    rows = []
    for number in range(40):
        english, chinese = THINGS[number % 4]
        side, side_zh = (("left", "左边"), ("right", "右边"))[number % 2]
        size = (300, 100) if number == 7 else (40, 40) if number == 8 else (96, 96)
        (train / f"p{number:02}.png").write_bytes(stored(painting(number, size)))
        caption = f"a red {english} on the {side}, number {number}"
        rows.append((f"p{number:02}.png", caption, f"{side_zh}有{chinese}，第{number}"))
    (train / "copy.jpg").write_bytes(stored(painting(3), "JPEG", quality=80))
    rows.append(("copy.jpg", "<script>alert('copy & leak')</script>", "又是那只鸟"))
    (train / "blank.png").write_bytes(stored(Image.new("RGBA", (96, 96), (0, 0, 0, 0))))
    rows.append(("blank.png", "nothing at all", "什么都没有"))
    whole = stored(painting(90), "JPEG", quality=95)
    for number in (0, 1):
        (train / f"cut{number}.jpg").write_bytes(whole[: 700 + number])
        rows.append((f"cut{number}.jpg", "cut off", "断了"))
    (train / "text.png").write_text("I am no picture")
    (train / "bomb.png").write_bytes(bomb())
    rows += [("text.png", "no picture", "不是图"), ("bomb.png", "too large", "太大")]
    rows += [("gone1.png", "gone", "没了"), ("Gone2.png", "gone, too", "也没了")]
    rows += [("../../outside.png", "outside", "外面")]
    for name in ("mute1.png", "mute2.png"):
        (train / name).write_bytes(stored(painting(len(rows) + 100)))
        rows.append((name, "", " "))
    rows.append(rows[0])
    lines = [
        json.dumps({"file_name": name, "text": text, "text_zh": text_zh}, ensure_ascii=False)
        for name, text, text_zh in rows
    ]
    lines.insert(5, '{"file_name": "p05.png", "text": "no end')
    body = (
        "\n".join(lines).encode() + b"\n" + '{"file_name": "p06.png", "text": "编码"}'.encode("gbk")
    )
    (train / "metadata.jsonl").write_bytes(body)
    rows = []
    for number in range(8):
        (test / f"t{number}.png").write_bytes(stored(painting(200 + number)))
        rows.append(
            {"file_name": f"t{number}.png", "text": f"a test bird, {number}", "text_zh": "鸟"}
        )
    (test / "leak.webp").write_bytes(stored(painting(11), "WEBP", quality=80))
    rows.append({"file_name": "leak.webp", "text": "the same house again", "text_zh": "房子"})
    (test / "metadata.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    return folder


@pytest.fixture(scope="module")
def spoiled(tmp_path_factory):
    return make_spoiled_set(tmp_path_factory.mktemp("set") / "坏数据 <b>")


@pytest.fixture(scope="module")
def report(spoiled):
    return check_data(spoiled)


# Words that matter


@pytest.mark.parametrize(
    "caption",
    ["a boat on the left", "RIGHT here", "left-hand side", "左边有一棵树", "ｌｅｆｔ", "船在右"],
)
def test_sides_are_seen(caption):
    assert says_side(caption)


@pytest.mark.parametrize(
    "caption", ["", "a bright copyright", "leftover rights", "三十左右的人", "座右铭", "上下"]
)
def test_what_only_looks_like_a_side(caption):
    assert not says_side(caption)


@pytest.mark.parametrize(
    "caption", ["Red-brick wall", "蓝天白云", "深色的树", "a GREY cat", "金发女孩"]
)
def test_colours_are_seen(caption):
    assert names_colour(caption)


@pytest.mark.parametrize(
    "caption",
    ["coloured paper", "a greenhouse", "blueberry", "白天的月亮很漂亮", "金属", "黄昏", ""],
)
def test_what_only_looks_like_a_colour(caption):
    assert not names_colour(caption)


def test_words_that_matter_are_in_both_languages():
    for words in (COLOURS, SHADES, SIDES, PLACES, NUMBERS, SIZES, NEGATIONS):
        assert any(word.isascii() for word in words)
        assert any("一" <= word[0] <= "龥" for word in words)
        assert all(word == word.lower().strip() != "" for word in words)


# Captions


def test_tokens_by_hand():
    assert tokens_of("Ａ red-brick house，左边") == list("a") + [
        "red",
        "-",
        "brick",
        "house",
        ",",
    ] + [
        "左",
        "边",
    ]


def test_column_facts_by_hand():
    facts = column_facts("text", [["A cat", "红色的猫"], [], ["a  CAT"], ["one two three !"]], 3)
    # Four captions, of which "A cat" and "a  CAT" are the same; words 2, 4 (characters), 2, 3;
    # tokens 2, 4, 2, 4, so that two are over 3.
    assert (facts.pictures, facts.without, facts.captions, facts.different) == (3, 1, 4, 3)
    assert facts.languages == {"Chinese": 1, "Latin": 3}
    assert dataclasses.astuple(facts.words) == (2, 2, 4, 4)
    assert dataclasses.astuple(facts.tokens) == (2, 2, 4, 4)
    assert facts.too_long == 2
    assert facts.repeated == (("A cat", 2),)


def test_a_picture_that_says_the_same_twice_counts_once():
    assert column_facts("text", [["a cat", "A cat"]], 9).repeated == ()


def test_vocabulary_by_hand():
    words = vocabulary(["a red cat", "the red 猫", "猫, 7"])
    # a, red, cat, the, 猫, 7 (punctuation is no word); a and the are stop words.
    assert (words.different, words.chinese, words.once) == (6, 1, 4)
    assert words.frequent == (("red", 2), ("猫", 2), ("7", 1), ("cat", 1))
    assert words.rare == ("7", "a", "cat", "the")


def test_frequent_words_are_whole_in_chinese():
    """苹果 stands together always, between changing neighbours; each character alone never."""
    captions = ["红苹果甲", "大苹果乙", "圆苹果丙", "看苹果丁", "苹果", "红梨"]
    words = vocabulary(captions)
    assert words.frequent[:2] == (("苹果", 5), ("红", 2))
    assert words.different == words.chinese == 11  # 苹 果 红 大 圆 看 甲 乙 丙 丁 梨


@pytest.mark.parametrize(
    "caption, language",
    [("猫", "Chinese"), ("Été", "Latin"), ("red 猫", "Chinese and Latin"),
     ("ねこ", "other letters"), ("1 + 1 = 2 🙂", "no letters")],
)  # fmt: skip
def test_language(caption, language):
    assert language_of(caption) == language


def test_spread_of_nothing_and_of_one():
    assert dataclasses.astuple(spread([])) == (0, 0, 0, 0)
    assert dataclasses.astuple(spread([7])) == (7, 7, 7, 7)


def test_columns_that_are_not_there():
    filled = Counter(label=9, text_zh=9, caption=9)
    texts = {"label": 3, "text_zh": 9, "caption": 9}
    assert caption_columns(filled, 9, ("text_zh", "text"), texts)[0] == ("text_zh",)
    columns, notes = caption_columns(filled, 9, ("text",), texts)
    assert columns == ("caption", "text_zh")
    assert "`text`" in notes[0] and "caption, text_zh" in notes[1]
    assert caption_columns(Counter(label=9), 9, (), {"label": 3})[0] == ("label",)
    assert caption_columns(Counter(), 9, (), {}) == ((), ())


# Pictures


def test_hash_by_hand():
    """A wave of three halves along x, of the mean 128, has two numbers in its spectrum only.

    F(0, 0) = 32 * 32 * 128 = 131072, F(0, 3) = 32 * 16 * 64 = 32768, all others 0, and so is
    their median: bits 0 and 3 are set. Rounding to whole pixels adds a little to other F(0, v), of
    which some may pass the median, too.
    """
    wave = np.cos(np.pi * (2 * np.arange(32) + 1) * 3 / 64)
    wave = np.round(128 + 64 * wave)
    picture = np.broadcast_to(wave[None, :, None], (32, 32, 3)).astype(np.uint8)
    bits = int(perceptual_hashes(picture[None])[0])
    assert bits & 0b1001 == 0b1001
    assert bits >> 8 == 0  # nothing changes along y: F(u, v) = 0 for u > 0
    # Upside down it is the same; a quarter turn moves bit 3 to bit 24.
    turned = int(perceptual_hashes(picture.transpose(1, 0, 2)[None])[0])
    assert turned & 0xFF == 1 and turned >> 24 & 1


def test_hash_of_a_plain_picture_is_one_bit():
    """F(0, 0) = 1024 * 9 only; black has nothing."""
    plain = np.stack([np.full((32, 32, 3), 9), np.zeros((32, 32, 3))]).astype(np.uint8)
    assert perceptual_hashes(plain).tolist() == [1, 0]


def thumbnails(pictures):
    return np.stack([np.asarray(picture.resize((32, 32))) for picture in pictures])


def test_copies_are_found_whatever_they_are_stored_as():
    originals = [painting(number) for number in range(30)]
    jpeg = Image.open(io.BytesIO(stored(originals[4], "JPEG", quality=60)))
    small = originals[9].resize((60, 60), Image.Resampling.LANCZOS)
    found = near_duplicates(thumbnails([*originals, jpeg, small, originals[4]]))
    assert found == [(4, 30, 32), (9, 31)]


def test_a_detail_makes_another_picture():
    """Drawings on a plain ground have like hashes; a patch of 4 x 4 in another colour tells."""
    picture = np.full((32, 32, 3), 240, np.uint8)
    picture[8:24, 8:24] = (200, 30, 30)
    other = picture.copy()
    other[12:16, 12:16] = (30, 200, 30)
    both = np.stack([picture, other])
    assert near_duplicates(both) == []
    assert near_duplicates(np.stack([picture, picture])) == [(0, 1)]


def test_many_equal_pictures_take_no_time_and_one_group():
    """Where all are alike, each with each would be 12 million pairs."""
    many = np.zeros((5000, 32, 32, 3), np.uint8)
    assert near_duplicates(many) == [tuple(range(5000))]


def test_different_pictures_are_no_copies():
    assert near_duplicates(thumbnails([painting(number) for number in range(200)])) == []


def test_blank():
    plain = np.full((32, 32, 3), (255, 0, 0), np.uint8)
    assert is_blank(plain)
    plain[:, 16:] = 0
    assert not is_blank(plain)


def test_measure_turns_as_exif_says():
    exif = Image.Exif()
    exif[0x0112] = 6
    data = stored(Image.new("RGB", (40, 20)), "JPEG", exif=exif)
    measured = measure(lambda: data)
    assert (measured.width, measured.height, measured.format) == (20, 40, "JPEG")
    assert measured.num_bytes == len(data) and measured.thumbnail.shape == (32, 32, 3)


def test_measure_never_raises():
    def missing():
        raise ValueError("missing file cat.png")

    assert measure(missing).problem == "missing file cat.png"
    assert "megapixels" in measure(bomb).problem
    assert measure(lambda: b"").problem


# The whole


def test_counts_of_the_spoiled_set(report):
    # Good: 40 + copy + blank in train, 8 + leak in test.
    assert report.usable == {"train": 42, "test": 9}
    assert report.left_out == {"train": 12}
    kinds = {complaint.kind: complaint.count for complaint in report.complaints}
    assert kinds == {
        "damaged picture": 2,
        "no picture": 1,
        "too large a picture": 1,
        "missing file": 2,
        "path that leaves the folder": 1,
        "no caption": 2,
        "no valid JSON": 1,
        "not UTF-8": 1,
        "row that says nothing new": 1,
    }
    assert report.captions == ("text", "text_zh")


def test_complaints_name_file_and_line(report):
    rows = {c.kind: c.rows for c in report.complaints}
    assert rows["no valid JSON"][0][0] == "train/metadata.jsonl:6"
    assert all(re.fullmatch(r"train/metadata.jsonl:\d+", w) for r in rows.values() for w, _ in r)


def test_copies_and_leaks_of_the_spoiled_set(report):
    assert [[one.name for one in group] for group in report.copies] == [
        ["train/p03.png", "train/copy.jpg"]
    ]
    assert [[one.name for one in group] for group in report.leaks] == [
        ["train/p11.png", "test/leak.webp"]
    ]
    assert (report.num_copies, report.num_leaks) == (1, 1)
    assert report.blank == ("train/blank.png",)


def test_pictures_of_the_spoiled_set(report):
    assert report.files.formats == {"PNG": 49, "JPEG": 1, "WEBP": 1}
    assert report.files.sizes[0] == (96, 96, 49)
    assert (report.files.too_small, report.files.far_from_square) == (1, 1)


def test_sides_and_colours_of_the_spoiled_set(report):
    """40 captions in each language tell sides; the 40 English ones alone say red."""
    assert report.sides.count == 80 and report.colours.count == 40
    assert report.sides.of == 2 * 51


def test_advice_of_the_spoiled_set(report):
    advice = report.advice
    assert "--captions text,text_zh" in advice.command
    assert "training.augmentations=auto" in " ".join(advice.lines)  # on by itself
    assert "leaves flip out" in " ".join(advice.lines)
    assert "leaves colour out" in " ".join(advice.lines)


def test_the_command_runs(report, spoiled):
    words = shlex.split(report.advice.command)
    assert words[0] == "kgen" and words[2] == str(spoiled)
    done = CliRunner().invoke(app, ["--debug", *words[1:], "--dry-run"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.output)["training"]["augmentations"] == "small"


def test_report_of_a_sample(spoiled):
    few = check_data(spoiled, sample=10)
    assert few.measured == 10 and few.pictures > 50
    assert few == check_data(spoiled, sample=10)
    assert "were opened" in as_text(few)


def test_text_report(report):
    text = as_text(report)
    assert "1 test picture with a copy in train" in text
    assert "train/metadata.jsonl:6" in text
    assert report.advice.command in text


def test_page_stands_alone_and_escapes(report, tmp_path):
    write_page(report, tmp_path / "page.html")
    page = (tmp_path / "page.html").read_text("utf-8")
    assert "<script" not in page and "&lt;script&gt;alert(" in page
    assert "坏数据 &lt;b&gt;" in page and "左边有船" in page
    assert not re.search(r"src=\"(?!data:)|src=[^\"]|href=|url\(|@import|https?://", page)
    assert page.count('src="data:image/') >= 20
    assert len(page) < 2_000_000
    assert page.endswith("</html>\n") and list(tmp_path.iterdir()) == [tmp_path / "page.html"]


def test_command_line(spoiled, tmp_path):
    page = tmp_path / "p.html"
    arguments = ["--debug", "data", "check", str(spoiled), "--json", "--html", str(page)]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["num_leaks"] == 1 and found["usable"]["train"] == 42
    assert page.exists()


def test_command_line_takes_what_columns_there_are(spoiled):
    done = CliRunner().invoke(
        app, ["--debug", "data", "check", str(spoiled), "--captions", "label"]
    )
    assert done.exit_code == 0
    assert "No picture has a caption in `label`" in done.stdout
    assert "--captions text,text_zh" in done.stdout


def test_nothing_to_read_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        check_data(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="metadata.jsonl"):
        check_data(tmp_path)
    (tmp_path / "metadata.jsonl").write_text("not json\n")
    with pytest.raises(ValueError, match="All of its 1 rows are bad; the first, metadata.jsonl:1"):
        check_data(tmp_path)


def test_no_good_picture_is_a_report(tmp_path):
    (tmp_path / "metadata.jsonl").write_text('{"file_name": "a.png", "text": "a"}\n')
    report = check_data(tmp_path)
    assert report.usable == {} and report.complaints[0].kind == "missing file"
    write_page(report, tmp_path / "page.html")
    assert "nothing to train on" in as_text(report)


def test_several_rows_of_one_picture_are_one_picture(tmp_path):
    """As COCO has it: five captions, five rows."""
    (tmp_path / "a.png").write_bytes(stored(painting(1)))
    rows = [{"file_name": "a.png", "text": text} for text in ("a cat", "猫", "a cat")]
    (tmp_path / "metadata.jsonl").write_text("\n".join(map(json.dumps, rows)))
    report = check_data(tmp_path)
    assert sum(report.usable.values()) == 1 and report.columns[0].captions == 2
    assert [c.kind for c in report.complaints] == ["row that says nothing new"]


# Words of advice


def test_minutes_by_hand():
    # 30 * 20000 / 120 / 60 = 83.3, rounded up to 90; at 128 px 30 pictures/s: 333.3.
    assert training_minutes(20_000, 64) == 90
    assert training_minutes(20_000, 128) == 340
    assert training_minutes(10, 64) == 30


def advice_for(num=9000, short_side=64, captions=("a cat",), sides=0.0, colours=0.0, size=64):
    facts = column_facts("text", [[caption] for caption in captions], 40)
    words = vocabulary(captions)
    return advise("my set", num, size, short_side, [facts], words, sides, colours)


def blocks(side, times, seed=0):
    few = np.random.default_rng(seed).integers(0, 256, (side, side, 3)).astype("uint8")
    return few.repeat(times, 0).repeat(times, 1)


def test_blocks_of_one_colour():
    assert [block_size(blocks(64 // n, n)) for n in (1, 2, 4)] == [1, 2, 4]
    spoilt = blocks(32, 2)
    spoilt[9, 9] += 1
    assert block_size(spoilt) == 1
    moved = np.roll(blocks(32, 2), 1, axis=0)  # blocks, but not in this raster
    assert block_size(moved) == 1


def test_pixel_art_is_told_from_pictures(tmp_path):
    art = [Image.fromarray(blocks(32, 2, i)) for i in range(39)]
    art += [Image.fromarray(blocks(64, 1)), Image.new("RGB", (64, 64), "red")]  # 1 of 40; plain
    photos = [Image.fromarray(blocks(64, 1, i)) for i in range(40)]
    for name, pictures, expected in (("art", art, 2), ("photos", photos, 1)):
        folder = tmp_path / name
        folder.mkdir()
        for i, picture in enumerate(pictures):
            picture.save(folder / f"{i}.png")
            (folder / f"{i}.txt").write_text(f"图 {i}", encoding="utf-8")
        report = check_data(folder)
        assert report.files.block_size == expected
        assert ("networks.pixel_size=2" in report.advice.command) == (expected == 2)
        assert any("pixel art" in line for line in report.advice.lines) == (expected == 2)


def test_a_set_of_which_nothing_can_be_used(tmp_path):
    """Its picture is text: there is no command to advise, and the program says so by its code."""
    (tmp_path / "a.png").write_text("no picture")
    (tmp_path / "a.txt").write_text("一只猫", encoding="utf-8")
    page = tmp_path / "page.html"
    done = CliRunner().invoke(app, ["--debug", "data", "check", str(tmp_path), "--html", str(page)])
    assert done.exit_code == 1 and "kgen train" not in done.output
    assert "Nothing can be trained on yet" in done.output
    assert "<pre></pre>" not in page.read_text("utf-8")


def test_advice_of_a_plain_set():
    command = advice_for().command
    assert command == "kgen train 'my set' --captions text --out my_run --minutes 40"


def test_a_small_set_starts_from_a_preset():
    advice = advice_for(num=300)
    assert advice.command.endswith("--minutes 30 --from scenes_64")
    assert "With 300 watercolours it and augmentation" in " ".join(advice.lines)
    # Nothing of it fits other sizes, and larger sets were not measured.
    for other in (advice_for(num=300, short_side=40, size=32), advice_for(num=1000)):
        assert "--from" not in other.command


def test_advice_of_long_captions():
    """50 words and the place for an end: the next multiple of 8 is 56."""
    command = advice_for(captions=[" ".join(["word"] * 50)] * 3).command
    assert "--set text.caption_length=56" in command


def test_advice_of_many_words():
    """5000 words seen twice and 200 for letters: 6000."""
    captions = [f"w{number}" for number in range(5000)] * 2
    assert "--set text.vocabulary_size=6000" in advice_for(captions=captions).command


def test_advice_of_small_and_large_pictures():
    assert "--set networks.image_size=32" in advice_for(short_side=40, size=32).command
    large = advice_for(short_side=200)
    assert "image_size" not in large.command
    assert "--set networks.image_size=128" in large.lines[0]


def test_advice_without_augmentation_still_warns():
    lines = " ".join(advice_for(sides=0.2, colours=0.004).lines)
    assert "if you augment, leave flip out" in lines and "colour" not in lines.split("Colours")[0]


def test_unknown_complaints_are_sorted_by_their_beginning():
    complaints = sorted_complaints([("a:1", "odd thing: 7"), ("a:2", "odd thing: 8")])
    assert [(c.kind, c.count) for c in complaints] == [("odd thing", 2)]


def test_percent():
    assert [percent(*pair) for pair in ((1, 8), (1, 300), (1, 9999), (0, 5), (5, 5))] == [
        "12 %",
        "0.3 %",
        "under 0.1 %",
        "0 %",
        "100 %",
    ]
