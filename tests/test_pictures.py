"""Pixels and image are inverse; a PNG keeps what it says of itself; grids put pictures in place."""

import numpy as np
import pytest
from PIL import Image, ImageFont

from kgen import pictures
from kgen.lettering import MAX_CAPTION_LINES, caption_font, drawable, wrap_caption
from kgen.pictures import captioned_grid, grid, read_png_text, save_png, to_image, to_pixels


def sample(num=3, height=4, width=5):
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (num, height, width, 3), np.uint8)


# Pixels and image


def test_all_256_values_come_back():
    values = np.arange(256, dtype=np.uint8)
    image = to_image(values)
    assert image.dtype == np.float32 and image[0] == -1 and image[255] == 1
    np.testing.assert_allclose(image, np.linspace(-1, 1, 256), atol=1e-6)
    np.testing.assert_array_equal(to_pixels(image), values)
    np.testing.assert_array_equal(to_pixels(image.astype(np.float16)), values)


def test_rounding_is_to_the_nearest_and_halves_go_up():
    # 127.5 * (image + 1) = 0.5, 1.5, 2.25, 2.75
    image = np.array([0.5, 1.5, 2.25, 2.75]) / 127.5 - 1
    image[:2] += 1e-7  # -1 + 1 / 255 is no float32; be on the upper side of it
    assert to_pixels(image).tolist() == [1, 2, 2, 3]
    assert to_pixels(np.array([0.0])).tolist() == [128]  # 127.5: the one half that is exact
    assert to_pixels(np.array([-1.5, 1.5, -np.inf, np.inf])).tolist() == [0, 255, 0, 255]


def test_wrong_types_and_nan_are_refused():
    with pytest.raises(TypeError, match="`pixels` must be uint8"):
        to_image(np.zeros(3, np.float32))
    with pytest.raises(TypeError, match="`image` must be floating-point"):
        to_pixels(np.zeros(3, np.uint8))
    with pytest.raises(ValueError, match="NaN"):
        to_pixels(np.array([0.0, np.nan]))


# PNG


def test_a_png_keeps_pixels_and_text(tmp_path):
    path = tmp_path / "new" / "猫.png"
    text = {
        "Caption": "一只黑猫 on a wall\nsecond line",
        "Seed": 7,
        "Model": "scenes_64",
        "Software": "kgen",
        "Comment": "café",
    }
    save_png(path, sample()[0], **text)
    with Image.open(path) as picture:
        np.testing.assert_array_equal(np.asarray(picture), sample()[0])
    assert read_png_text(path) == {key: str(value) for key, value in text.items()}
    data = path.read_bytes()
    assert b"tEXtSeed\x007" in data  # ASCII: every reader knows tEXt
    assert b"iTXtCaption\x00" in data and "一只黑猫".encode() in data


def test_a_png_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    save_png(path, sample()[0], Seed=1)
    before = path.read_bytes()

    def fails(self, file, **options):
        file.write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(Image.Image, "save", fails)
    with pytest.raises(OSError, match="disk full"):
        save_png(path, sample()[1], Seed=2)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["a.png"]


def test_png_errors(tmp_path):
    with pytest.raises(ValueError, match=r"one picture \(H, W, 3\)"):
        save_png(tmp_path / "a.png", sample())
    with pytest.raises(TypeError, match="uint8"):
        save_png(tmp_path / "a.png", sample()[0] / 255)
    with pytest.raises(ValueError, match="79 ASCII"):
        save_png(tmp_path / "a.png", sample()[0], **{"说明": "x"})
    with pytest.raises(FileNotFoundError, match="`path` must be a PNG"):
        read_png_text(tmp_path / "a.png")
    (tmp_path / "b.png").write_text("hello")
    with pytest.raises(ValueError, match="`path` must be a PNG"):
        read_png_text(tmp_path / "b.png")
    assert not (tmp_path / "a.png").exists()


# Grids


def test_grid_puts_each_picture_in_its_place():
    pixels = sample(3, 4, 5)
    sheet = grid(pixels, columns=2, gap=1, background=9)
    assert sheet.dtype == np.uint8 and sheet.shape == (4 + 1 + 4, 5 + 1 + 5, 3)
    np.testing.assert_array_equal(sheet[:4, :5], pixels[0])
    np.testing.assert_array_equal(sheet[:4, 6:], pixels[1])
    np.testing.assert_array_equal(sheet[5:, :5], pixels[2])
    assert (sheet[4] == 9).all() and (sheet[:, 5] == 9).all() and (sheet[5:, 6:] == 9).all()


def test_grid_without_gap_and_with_more_columns_than_pictures():
    pixels = sample(2, 4, 5)
    sheet = grid(pixels, columns=3, gap=0)
    assert sheet.shape == (4, 15, 3)
    np.testing.assert_array_equal(sheet[:, 5:10], pixels[1])
    assert (sheet[:, 10:] == 255).all()


def test_grid_errors():
    with pytest.raises(ValueError, match="`columns`"):
        grid(sample(), 0)
    with pytest.raises(ValueError, match=r"pictures \(N, H, W, 3\)"):
        grid(sample()[0], 1)
    with pytest.raises(ValueError, match="3 captions"):
        captioned_grid(sample(), ["one"], 1)
    with pytest.raises(ValueError, match=r"pictures \(N, H, W, 3\)"):
        captioned_grid(sample(0), [], 1)


# Captions under pictures


def test_captions_stand_beneath_their_pictures():
    pixels = sample(3, 32, 40)
    captions = ["a cat", "", "a long caption of many words that wraps"]
    sheet = captioned_grid(pixels, captions, columns=3, scale=2)
    assert sheet.shape[1] == 3 * 80 + 2 * pictures.CAPTION_GAP
    step = 80 + pictures.CAPTION_GAP
    ink = []
    for number in range(3):
        cell = sheet[:, number * step : number * step + 80]
        np.testing.assert_array_equal(cell[:64], pixels[number].repeat(2, 0).repeat(2, 1))
        ink.append(int((cell[64:] < 128).all(-1).sum()))
    assert ink[1] == 0 < ink[0] < ink[2]
    other = captioned_grid(pixels, ["a dog", *captions[1:]], columns=3, scale=2)
    assert (other[64:, :80] != sheet[64:, :80]).any()  # the caption itself is drawn
    np.testing.assert_array_equal(other[:, step:], sheet[:, step:])


def test_lines_fit_the_width_and_lose_no_word():
    font = caption_font()
    text = "a small red house beside a tall green tree under a pale moon"
    lines = wrap_caption(text, font, 100)
    assert len(lines) > 2 and " ".join(lines) == text
    assert max(map(font.getlength, lines)) <= 100
    pieces = wrap_caption("x" * 60, font, 100)
    assert "".join(pieces) == "x" * 60 and max(map(font.getlength, pieces)) <= 100


def test_a_caption_too_long_ends_in_dots():
    lines = wrap_caption("word " * 200, caption_font(), 80)
    assert len(lines) == MAX_CAPTION_LINES and lines[-1].endswith("...")
    assert caption_font().getlength(lines[-1]) <= 80
    assert wrap_caption("", caption_font(), 80) == []


def test_what_a_font_lacks_is_counted():
    latin = ImageFont.load_default(14)
    assert drawable("a cat", latin) == "a cat"
    assert drawable("café，Ａ", latin) == "cafe,A"  # the font lacks them, not their plain forms
    assert drawable("cat 一只猫!", latin) == "cat [3 Chinese characters] !"
    assert drawable("猫", latin) == "[1 Chinese character]"
    assert (
        drawable("x \U0001f600 \x00 y\ud800", latin)
        == "x [1 character] [1 character] y [1 character]"
    )


@pytest.mark.parametrize(
    "text", ["一只猫头鹰", "😀" * 9, "مرحبا", "\ud83d", "\0\x07\n\t", "e\u0301 \u200d"]
)
@pytest.mark.parametrize("width", [1, 8, 64])
def test_no_caption_raises_at_any_width(text, width):
    sheet = captioned_grid(sample(1, 4, width), [text], 1, scale=1)
    assert sheet.shape[1] == width and sheet.dtype == np.uint8


def test_chinese_breaks_between_any_two_characters(monkeypatch):
    monkeypatch.setattr("kgen.lettering._has_glyph", lambda font, character: True)
    font = caption_font()
    text = "一只黑色的猫坐在红色的屋顶上"
    lines = wrap_caption(text, font, 60)
    assert len(lines) > 1 and "".join(lines) == text
    assert max(map(font.getlength, lines)) <= 60


def test_a_font_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(OSError, match="`font_path` must be a font"):
        captioned_grid(sample(), ["a"] * 3, 1, font_path=str(tmp_path / "no.ttf"))
