"""Post-processing: every formula by hand, real pictures, the parser, and exports that do it."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from click.testing import CliRunner
from PIL import Image

from kgen import cli
from kgen.config import DataConfig
from kgen.data.loading import load_pictures
from kgen.export import exporting, served_operators
from kgen.export.litert import conversion
from kgen.model_folder import build_model
from kgen.noise import sample_noise
from kgen.pictures import read_png_text, to_image
from kgen.pipeline import TextToImage
from kgen.postprocess import operations
from kgen.postprocess.post_process import OPERATIONS, PostProcess, PostProcessing
from kgen.text.vocabulary import learn_vocabulary

EVERYTHING = "denoise,upscale,sharpen,contrast,colour,white_balance"
CAPTIONS = ["红色的小船", "a red boat at night", "", "两只鸟 two birds"]


def apply(text, image):
    return np.asarray(PostProcess.parse(text)(np.asarray(image, np.float32)))


def grey(rows):
    """(H, W) to an image (1, H, W, 3) of greys."""
    return np.repeat(np.asarray(rows, np.float32)[None, :, :, None], 3, axis=-1)


def random_images(num=3, size=12, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, (num, size, size, 3)).astype(np.float32)


@pytest.fixture(scope="module")
def real(shared_data):
    """Photographs and drawings: float32 (48, 64, 64, 3) of each."""
    paths = [shared_data / "pomology128.zip", shared_data / "nouns64.zip"]
    return [
        to_image(load_pictures(DataConfig(path=str(path)), 64, split="test").pixels[:48])
        for path in paths
    ]


@pytest.fixture(scope="module")
def painter(tiny_config):
    vocabulary = learn_vocabulary([*CAPTIONS, *CAPTIONS], 40)
    model = build_model(tiny_config, len(vocabulary))
    generator = np.random.default_rng(0)
    model.set_weights([w + 0.1 * generator.standard_normal(w.shape) for w in model.get_weights()])
    return TextToImage(tiny_config, vocabulary, model, hash="0123456789abcdef")


# The formulas, by hand


def test_luma_of_the_primaries():
    image = np.array([[[[1, -1, -1], [-1, 1, -1], [-1, -1, 1], [1, 1, 1]]]], np.float32)
    # Red: 0.2126 - 0.7152 - 0.0722 = -0.5748; green: 0.4304; blue: -0.8556; white: 1.
    expected = [-0.5748, 0.4304, -0.8556, 1.0]
    np.testing.assert_allclose(np.asarray(operations.luma(image)).ravel(), expected, atol=1e-6)


def test_contrast_by_hand():
    # Mean 0.1; 0.1 + 2 (x - 0.1) = -0.5, 0.3, 0.7 (and 1.5 clipped to 1 with factor 4).
    image = grey([[-0.2, 0.2], [0.4, 0.0]])
    np.testing.assert_allclose(apply("contrast=2", image), grey([[-0.5, 0.3], [0.7, -0.1]]),
                               atol=1e-6)  # fmt: skip
    np.testing.assert_allclose(apply("contrast=4", image), grey([[-1, 0.5], [1, -0.3]]),
                               atol=1e-6)  # fmt: skip
    np.testing.assert_allclose(apply("contrast=0", image), grey([[0.1, 0.1], [0.1, 0.1]]),
                               atol=1e-6)  # fmt: skip


def test_contrast_uses_the_luma_of_colours():
    # A red pixel (0.5, -0.5, -0.5) has luma 0.1063 - 0.3576 - 0.0361 = -0.2874, with a black-grey
    # one of -0.5 the mean is -0.3937; 2 x - m then: 1.3937 -> 1 and -1 + 0.3937 = -0.6063.
    image = np.array([[[[0.5, -0.5, -0.5], [-0.5, -0.5, -0.5]]]], np.float32)
    expected = [[[[1, -0.6063, -0.6063], [-0.6063, -0.6063, -0.6063]]]]
    np.testing.assert_allclose(apply("contrast=2", image), expected, atol=1e-5)


def test_saturation_by_hand():
    # (0.4, 0, -0.4): luma 0.4 (0.2126 - 0.0722) = 0.05616;
    # doubled: 2 x - g = 0.74384, -0.05616, -0.85616.
    image = np.array([[[[0.4, 0.0, -0.4]]]], np.float32)
    doubled = [[[[0.74384, -0.05616, -0.85616]]]]
    np.testing.assert_allclose(apply("colour=2", image), doubled, atol=1e-6)
    np.testing.assert_allclose(apply("colour=0", image), np.full((1, 1, 1, 3), 0.05616), atol=1e-6)


def test_white_balance_by_hand():
    # (0.2, 0, -0.2) is light 0.6, 0.5, 0.4, of mean 0.5: gains 5/6, 1, 5/4, all within limits,
    # so with strength 1 every channel is 0.5, which is 0 again.
    image = np.array([[[[0.2, 0.0, -0.2]]]], np.float32)
    np.testing.assert_allclose(apply("white_balance=1", image), np.zeros((1, 1, 1, 3)), atol=1e-6)
    # Strength 0.5: light 0.6 √(5/6) = 0.547723, 0.5, 0.4 √(5/4) = 0.447214.
    half = [[[[0.095445, 0.0, -0.105573]]]]
    np.testing.assert_allclose(apply("white_balance=0.5", image), half, atol=1e-5)
    # (0.8, -0.4, -0.4) is light 0.9, 0.3, 0.3, of mean 0.5: gains 0.5 / 0.9 = 0.556 and 1.667
    # are limited to 1 / 1.5 and 1.5: light 0.6, 0.45, 0.45.
    image = np.array([[[[0.8, -0.4, -0.4]]]], np.float32)
    limited = [[[[0.2, -0.1, -0.1]]]]
    np.testing.assert_allclose(apply("white_balance=1", image), limited, atol=1e-6)


def test_sharpen_by_hand():
    # A dot of 0.8 on 0: its blur is 0.8 · 4 / 16 = 0.2 at the dot, 0.1 beside it, 0.05 at the
    # corners; with strength 0.5: 0.8 + 0.5 · 0.6 = 1.1 -> 1, -0.05 and -0.025.
    dot = np.zeros((5, 5))
    dot[2, 2] = 0.8
    expected = np.zeros((5, 5))
    expected[1:4, 1:4] = [[-0.025, -0.05, -0.025], [-0.05, 1, -0.05], [-0.025, -0.05, -0.025]]
    np.testing.assert_allclose(apply("sharpen=0.5", grey(dot)), grey(expected), atol=1e-6)


def test_sharpen_repeats_the_border():
    # Rows 0, 0.4: above the first lies another 0, so its blur is 0.1, and the second's 0.3.
    received = apply("sharpen=1", grey([[0, 0], [0.4, 0.4]]))
    np.testing.assert_allclose(received, grey([[-0.1, -0.1], [0.5, 0.5]]), atol=1e-6)


def test_denoise_by_hand():
    # One pixel of 0.1 on 0, strength 0.05: from it to any of 24 others
    # d² / (2 · 0.1²) = 0.5, and the weights of space are exp(-n / 4.5) for squared distances n:
    # 4 of 1, 4 of 2, 4 of 4, 8 of 5, 4 of 8, together
    # 3.20296 + 2.56472 + 1.64445 + 2.63353 + 0.67604 = 10.7217.
    dot = np.zeros((7, 7))
    dot[3, 3] = 0.1
    received = apply("denoise=0.05", grey(dot))
    assert abs(received[0, 3, 3, 0] - 0.1 / (1 + np.exp(-0.5) * 10.7217)) < 1e-6
    # Beside it the dot weighs exp(-1 / 4.5 - 0.5), the others 1 + 10.7217 - exp(-1 / 4.5).
    weight = np.exp(-1 / 4.5 - 0.5)
    beside = 0.1 * weight / (weight + 11.7217 - np.exp(-1 / 4.5))
    assert abs(received[0, 3, 2, 1] - beside) < 1e-6


def test_denoise_takes_the_mean_difference_of_the_channels():
    # Red differs by 0.1 √3, the others by 0: the mean square is again 0.1².
    dot = np.zeros((1, 7, 7, 3), np.float32)
    dot[0, 3, 3, 0] = 0.1 * 3**0.5
    received = apply("denoise=0.05", dot)[0, 3, 3, 0]
    assert abs(received - dot[0, 3, 3, 0] / (1 + np.exp(-0.5) * 10.7217)) < 1e-6


def test_upscale_by_hand():
    # A dot of 1 in a row: the eight new pixels around it get Keys' weights, of 128.
    row = np.zeros((1, 7))
    row[0, 3] = 1
    received = apply("upscale=2", grey(row))[0, 0, :, 0]
    expected = np.zeros(14)
    expected[3:11] = np.array([-3, -9, 29, 111, 111, 29, -9, -3]) / 128
    np.testing.assert_allclose(received, expected, atol=1e-6)
    # At the border the weights within are scaled to a sum of 1. A dot there: 111 / (111 - 9),
    # clipped; 111 / (111 + 29 - 3); 29 / (29 + 111 - 9); and -9 / 128, where all are within.
    edge = apply("upscale=2", grey([[1.0, 0, 0, 0, 0]]))[0, 0, :4, 0]
    np.testing.assert_allclose(edge, [1, 111 / 137, 29 / 131, -9 / 128], atol=1e-6)


@pytest.mark.parametrize("factor", [2, 4])
def test_upscale_is_tensorflows_bicubic(factor):
    image = random_images(2, 9)[:, :7]
    size = (7 * factor, 9 * factor)
    expected = np.clip(tf.image.resize(image, size, "bicubic"), -1, 1)
    assert expected.max() == 1.0
    np.testing.assert_allclose(apply(f"upscale={factor}", image), expected, atol=1e-6)


# Any image


@pytest.mark.parametrize("text", ["", "contrast=1", "colour=1", "white_balance=0", "sharpen=0"])
def test_neutral_strengths_change_nothing(text):
    image = random_images()
    np.testing.assert_allclose(apply(text, image), image, atol=1e-6)


@pytest.mark.parametrize(
    "text", ["denoise", "white_balance=1", "sharpen=4", "upscale=4", "colour=4"]
)
@pytest.mark.parametrize("level", [-1.0, 0.3, 1.0])
def test_an_even_grey_stays(text, level):
    received = apply(text, np.full((1, 8, 8, 3), level))
    np.testing.assert_allclose(received, np.full_like(received, level), atol=1e-6)


@pytest.mark.parametrize("name", OPERATIONS)
def test_outputs_stay_in_range_and_pictures_are_treated_alone(name):
    images = random_images() * np.array([1.0, 0.2, 0.6], np.float32).reshape(3, 1, 1, 1)
    images[1] -= 0.5
    strongest = f"{name}={OPERATIONS[name].high}"
    together = apply(strongest, images)
    assert together.dtype == np.float32
    assert np.abs(together).max() <= 1.0
    alone = np.concatenate([apply(strongest, images[i : i + 1]) for i in range(3)])
    np.testing.assert_allclose(together, alone, atol=1e-6)
    if name != "upscale":
        assert np.abs(together - images).max() > 0.05


# Real pictures


def psnr(received, expected):
    """Mean over pictures, in dB."""
    error = np.mean((received - expected) ** 2, axis=(1, 2, 3))
    return float(np.mean(10 * np.log10(4 / error)))


@pytest.mark.parametrize(("which", "gain"), [(0, 5.5), (1, 8.0)])
def test_denoise_removes_known_noise(real, which, gain):
    """Photographs gain 5.9 dB, drawings 8.7 dB (σ is 5 % of the range)."""
    noise = np.random.default_rng(0).standard_normal(real[which].shape)
    noisy = np.clip(real[which] + 0.1 * noise, -1, 1).astype(np.float32)
    before, after = psnr(noisy, real[which]), psnr(apply("denoise=0.1", noisy), real[which])
    assert after - before > gain


def test_denoise_keeps_clean_pictures_and_edges(real):
    assert psnr(apply("denoise", real[0]), real[0]) > 38
    step = np.full((16, 16), -0.5)
    step[:, 8:] = 0.5
    np.testing.assert_allclose(apply("denoise=0.1", grey(step)), grey(step), atol=1e-4)
    blurred = apply("denoise=1", grey(step))[0, 4, 7, 0]
    assert blurred > -0.4  # so the test above can fail


def test_white_balance_removes_a_cast(real):
    cast = np.array([1.12, 1.0, 0.85], np.float32)
    tinted = np.clip((real[0] + 1) * cast - 1, -1, 1)

    def spread(image):
        means = (image + 1).mean(axis=(1, 2))
        return float(np.mean(means.max(axis=1) - means.min(axis=1)))

    assert spread(apply("white_balance=1", tinted)) < 0.3 * spread(tinted)
    assert spread(apply("white_balance", tinted)) < 0.85 * spread(tinted)


def test_colour_contrast_and_sharpness_rise(real):
    image = real[0]

    def chroma(x):
        return float(np.abs(x - np.asarray(operations.luma(x))).mean())

    assert 1.05 < chroma(apply("colour=1.2", image)) / chroma(image) <= 1.2
    assert 1.02 < apply("contrast=1.2", image).std() / image.std() <= 1.2
    steps = np.abs(np.diff(apply("sharpen", image), axis=2)).mean()
    assert steps > 1.1 * np.abs(np.diff(image, axis=2)).mean()


def test_upscaled_pictures_are_nearer_than_repeated_pixels(real):
    small = real[0].reshape(-1, 32, 2, 32, 2, 3).mean(axis=(2, 4))
    repeated = small.repeat(2, axis=1).repeat(2, axis=2)
    assert psnr(apply("upscale", small), real[0]) > psnr(repeated, real[0]) + 0.5


# The parser


def test_parsing():
    post = PostProcess.parse(" Denoise , color=1.2,upscale=2 ")
    assert post.steps == (("denoise", 0.04), ("colour", 1.2), ("upscale", 2))
    assert str(post) == "denoise=0.04,colour=1.2,upscale=2"
    assert (post.scale, bool(post)) == (2, True)
    for text in ("colour=1.2", "saturation=1.2", "COLOR = 1.2", "ｃｏｌｏｕｒ＝１.２"):
        assert str(PostProcess.parse(text)) == "colour=1.2"
    assert str(PostProcess.parse("denoise，sharpen")) == "denoise=0.04,sharpen=0.5"
    assert PostProcess.parse(post) is post
    nothing = PostProcess.parse(" ")
    assert (str(nothing), nothing.scale, bool(nothing)) == ("", 1, False)


@pytest.mark.parametrize("text", [EVERYTHING, "sharpen=0.123456789,upscale=4", "contrast=1e-07"])
def test_the_canonical_text_gives_the_same_pipeline(text):
    post = PostProcess.parse(text)
    assert PostProcess.parse(str(post)) == post


def test_order_counts_and_twice_is_twice():
    image = random_images()
    once = apply("sharpen=0.3", image)
    np.testing.assert_array_equal(apply("sharpen=0.3,sharpen=0.3", image),
                                  apply("sharpen=0.3", once))  # fmt: skip
    other = apply("sharpen,denoise=0.2", image)
    assert np.abs(apply("denoise=0.2,sharpen", image) - other).max() > 0.1
    assert apply("upscale=2,upscale=4", image).shape == (3, 96, 96, 3)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("denoize", "received: 'denoize'. Did you mean `denoise`?"),
        ("denoise,colr=1", "Did you mean `color`?"),
        ("去噪", "received: '去噪'. Known: color, colour, contrast, denoise"),
        ("denoise,", "received: ''"),
        ("colour=", "`post: colour` must be a number, received: ''. Example: colour=1.15."),
        ("colour=much", "received: 'much'"),
        ("colour=nan", r"`post: colour` must be a number in \[0, 4\], received: nan"),
        ("contrast=-1", r"in \[0, 4\], received: -1.0"),
        ("denoise=0", r"in \[0.005, 1\]"),
        ("white_balance=1.01", r"in \[0, 1\]"),
        ("upscale=3", "must be 2 or 4, received: 3.0"),
        ("upscale=4,upscale=4", "at most 8 in all, received: 16"),
    ],
)
def test_what_is_no_pipeline_is_told(text, words):
    with pytest.raises(ValueError, match=words) as told:
        PostProcess.parse(text)
    assert "\n" not in str(told.value)


def test_pipelines_are_text():
    with pytest.raises(TypeError, match="`post` must be text, received: 3"):
        PostProcess.parse(3)


# As part of a model


def test_the_layer_is_saved_with_its_pipeline():
    layer = PostProcessing("denoise,color=1.2")
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))
    assert again.post == layer.post
    image = random_images()
    np.testing.assert_allclose(again(image), apply("denoise,color=1.2", image), atol=1e-6)


def test_generate_processes_what_is_drawn(painter):
    ids, noise = painter.tokenizer(CAPTIONS), sample_noise(4, 8, seed=0)
    processed = painter.with_post(EVERYTHING)
    drawn = painter.generate_images(ids, noise).numpy()
    expected = apply(EVERYTHING, drawn)
    assert expected.shape == (4, 64, 64, 3)
    np.testing.assert_allclose(processed.generate_images(ids, noise), expected, atol=1e-5)
    pixels = painter.generate(CAPTIONS, seed=0, post=EVERYTHING)
    assert np.array_equal(pixels, processed.generate(CAPTIONS, seed=0))
    assert processed.with_post("").image_size == 32
    assert np.array_equal(processed.generate(CAPTIONS, post=""), painter.generate(CAPTIONS))
    assert processed.generate([]).shape == (0, 64, 64, 3)
    assert processed.hash == painter.hash
    with pytest.raises(ValueError, match="Did you mean `sharpen`?"):
        painter.generate(CAPTIONS, post="sharpn")


def test_a_processed_painter_saves_the_model_alone(painter, tmp_path):
    painter.with_post("upscale").save(tmp_path)
    again = TextToImage.from_preset(tmp_path)
    assert np.array_equal(again.generate(CAPTIONS), painter.generate(CAPTIONS))


def test_exports_give_processed_pictures(painter, tmp_path):
    processed = painter.with_post(EVERYTHING)
    proven = exporting.export(processed, tmp_path, precisions=["float32"])
    served, lite = proven[0], next(each for each in proven if each.artefact == "litert")
    assert conversion.foreign_operators(lite.operators) == []
    assert lite.operators["EXP"] >= 48 and lite.operators["MIRROR_PAD"] == 4
    assert served_operators.foreign_operators(served.operators) == []
    assert lite.max_difference < 1e-4 and served.max_difference <= 1
    assert lite.post == served.post == str(processed.post)
    assert f"| post-processing | {processed.post} |" in (tmp_path / "PROOF.md").read_text()

    ids, noise = painter.tokenizer(CAPTIONS), sample_noise(4, 8, seed=1)
    from_ids = tf.saved_model.load(tmp_path / served.path).signatures["from_ids"]
    drawn = from_ids(token_ids=ids, noise=tf.constant(noise))["image"].numpy()
    expected = processed.generate(CAPTIONS, seed=1)
    assert drawn.shape == (4, 64, 64, 3)
    assert np.abs(drawn.astype(int) - expected).max() <= 1


def test_command_line(painter, tmp_path, monkeypatch):
    monkeypatch.setattr(cli, "_silence_tensorflow", lambda: None)
    painter.save(tmp_path / "模型")
    arguments = ["generate", "红色的小船", "--preset", str(tmp_path / "模型")]
    for out, more in (("plain", []), ("post", ["--post", "denoise,color=1.2,upscale=2"])):
        done = CliRunner().invoke(cli.app, [*arguments, "--out", str(tmp_path / out), *more])
        assert done.exit_code == 0, done.output
    (path,) = (tmp_path / "post").iterdir()
    assert path.name == "000_红色的小船.png"
    assert read_png_text(path)["Post"] == "denoise=0.04,colour=1.2,upscale=2"
    assert Image.open(path).size == (64, 64)
    assert "Post" not in read_png_text(tmp_path / "plain" / path.name)

    exported = []
    monkeypatch.setattr(exporting, "export", lambda painter, *_: exported.append(painter) or [])
    arguments_of_export = ["export", str(tmp_path / "模型"), "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(cli.app, [*arguments_of_export, "--post", "contrast=1.3"])
    assert done.exit_code == 0, done.output
    assert [str(each.post) for each in exported] == ["contrast=1.3"]
    refused = CliRunner().invoke(cli.app, [*arguments, "--post", "colur"])
    assert isinstance(refused.exception, ValueError)
    assert "Did you mean `colour`?" in str(refused.exception)
