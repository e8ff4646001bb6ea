"""The article's model: its tokens and loss by hand, its training, what it draws and exports."""

import json
import math

import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

from kgen.baselines import litert, saved_model
from kgen.baselines.batches import shrunk, training_batch
from kgen.baselines.config import BaselineConfig
from kgen.baselines.network import build_redrawer, compile_redrawer
from kgen.baselines.pixel_tokens import pixel_tokens
from kgen.baselines.redrawer import Redrawer
from kgen.baselines.training import METRICS, train_baseline
from kgen.config import DataConfig
from kgen.data.batches import make_batches, tokenize_captions
from kgen.data.loading import load_pictures
from kgen.export.litert.conversion import foreign_operators, operators_of
from kgen.export.proof import GateError
from kgen.pictures import save_png
from kgen.text.vocabulary import learn_vocabulary, read_vocabulary

CAPTIONS = ["美丽的日落景象", "a snowy night", "夜晚的城市上空有一轮满月"]
SIZE, LENGTH = 16, 12
TINY = BaselineConfig(
    image_size=SIZE,
    levels=4,
    caption_length=LENGTH,
    vocabulary_size=200,
    embedding_dim=8,
    lstm_units=16,
    learning_rate=1e-2,
    data=DataConfig(num_scenes=32),
)


def changed(config, **values):
    return BaselineConfig.from_dict({**config.to_dict(), **values})


def build(seed=0):
    """Untrained, but with weights so large that every input matters."""
    redrawer = Redrawer(TINY, learn_vocabulary(CAPTIONS, 100))
    rng = np.random.default_rng(seed)
    model = redrawer.model
    model.set_weights([w + 0.3 * rng.standard_normal(w.shape) for w in model.get_weights()])
    return redrawer


@pytest.fixture(scope="module")
def redrawer():
    return build()


@pytest.fixture(scope="module")
def source():
    return np.random.default_rng(1).integers(0, 256, (3, SIZE, SIZE, 3)).astype(np.uint8)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    return train_baseline(TINY, tmp_path_factory.mktemp("runs") / "run", steps=105)


# Tokens, batches and loss


def test_pixel_tokens_by_hand():
    # To the base 4: (3, 0, 0) = 48, (2, 2, 1) = 32 + 8 + 1, (1, 0, 3) = 16 + 3, (3, 3, 3) = 63.
    rows = [[[255, 0, 0], [128, 128, 127]], [[64, 63, 192], [255, 255, 255]]]
    tokens = pixel_tokens(np.array([rows], np.uint8), levels=4).numpy()
    assert tokens.dtype == np.int32 and tokens.tolist() == [[48, 41, 19, 63]]
    # 85 * 3 = 255 is below 256, 86 * 3 is not: to the base 3 (0, 1, 2) = 3 + 2.
    assert pixel_tokens(np.array([[[[85, 86, 171]]]]), levels=3).numpy().tolist() == [[5]]


def test_squares_become_their_means():
    image = np.zeros((1, 4, 4, 3), np.float32)
    image[0, :2, :2] = [[[1, 0, 0], [0, 1, 0]], [[1, 0, 0], [0, 0, 0]]]
    small = shrunk(image, 2).numpy()
    assert small[0, 0, 0].tolist() == [0.5, 0.25, 0.0]
    assert small.shape == (1, 2, 2, 3) and small.sum() == 0.75


@pytest.mark.parametrize(
    ("source", "tokens"),
    # Levels 0, 2 and 3 of 4: 0, 32 + 8 + 2 and 48 + 12 + 3; the last picture comes first.
    [("other", [63, 0, 42]), ("own", [0, 42, 63])],
)
def test_a_batch_by_hand(source, tokens):
    image = np.ones((3, 32, 32, 3), np.float32) * np.reshape([-1, 0, 1], (3, 1, 1, 1))
    batch = {"image": image.astype(np.float32), "token_ids": np.ones((3, LENGTH), np.int32)}
    (ids, picture_tokens), target = training_batch(batch, changed(TINY, source=source))
    assert ids.shape == (3, LENGTH) and target.shape == (3, SIZE, SIZE, 3)
    assert np.array_equal(target[:, 0, 0, 0], [0.0, 0.5, 1.0])
    assert np.array_equal(picture_tokens, np.repeat([tokens], SIZE**2, axis=0).T)


def test_the_loss_by_hand():
    model = build_redrawer(TINY, 10)
    compile_redrawer(model, 1e-3)
    target, picture = (
        np.reshape([1, 0.5, 0], (1, 1, 1, 3)),
        np.reshape([0.5, 0.25, 0.2], (1, 1, 1, 3)),
    )
    loss = model.compute_loss(y=target.astype("float32"), y_pred=picture.astype("float32"))
    of_each = [math.log(2), 0.5 * math.log(4) + 0.5 * math.log(4 / 3), math.log(1.25)]
    assert float(loss) == pytest.approx(sum(of_each) / 3, abs=1e-6)  # 0.584


# Drawing


def test_pixels(redrawer, source):
    pixels = redrawer.generate(CAPTIONS, source)
    assert pixels.shape == (3, SIZE, SIZE, 3) and pixels.dtype == np.uint8
    assert pixels.std() > 1


def test_caption_and_source_each_change_the_picture(redrawer, source):
    first = redrawer.generate(CAPTIONS[:1], source[:1])
    assert np.array_equal(first, redrawer.generate(CAPTIONS[0], source[:1]))
    for other in (
        redrawer.generate(CAPTIONS[1:2], source[:1]),
        redrawer.generate(CAPTIONS[:1], source[1:2]),
    ):
        assert np.abs(first.astype(int) - other).max() > 5


def test_a_picture_is_drawn_alone_as_in_its_batch(redrawer, source):
    together = redrawer.generate(CAPTIONS, source)
    alone = [redrawer.generate(CAPTIONS[i], source[i : i + 1])[0] for i in range(3)]
    assert np.abs(together.astype(int) - np.stack(alone)).max() <= 1


def test_the_length_of_the_padding_changes_nothing(redrawer, source):
    longer = Redrawer(changed(TINY, caption_length=2 * LENGTH), redrawer.vocabulary)
    longer.model.set_weights(redrawer.model.get_weights())
    short = ["美丽的日落", "", "a snowy night"]
    difference = longer.generate(short, source).astype(int) - redrawer.generate(short, source)
    assert np.abs(difference).max() <= 1


def test_no_caption_gives_no_picture(redrawer, source):
    assert redrawer.generate([], source[:0]).shape == (0, SIZE, SIZE, 3)


# Training


def loss_of(redrawer, pictures):
    token_ids = tokenize_captions(redrawer.tokenizer, pictures.captions)
    batches = make_batches(pictures, token_ids, batch_size=32, seed=7)
    compile_redrawer(redrawer.model, 1e-3)
    (given, target), *_ = batches.map(lambda batch: training_batch(batch, TINY)).take(1)
    return redrawer.model.test_on_batch(given, target)


def test_a_few_steps_lower_the_loss(trained):
    learned = Redrawer.load(trained)
    pictures = load_pictures(TINY.data, TINY.read_size)
    fresh = Redrawer(TINY, learned.vocabulary)
    assert loss_of(learned, pictures) < loss_of(fresh, pictures) - 0.05
    reports = [json.loads(line) for line in (trained / METRICS).read_text().splitlines()]
    assert [report["step"] for report in reports] == [100, 105]
    assert reports[1]["loss"] < reports[0]["loss"]


def test_the_same_seed_gives_the_same_weights(tmp_path):
    for name in ("one", "other"):
        train_baseline(TINY, tmp_path / name, steps=2)
    one, other = (Redrawer.load(tmp_path / name).model for name in ("one", "other"))
    for ours, theirs in zip(one.get_weights(), other.get_weights()):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_64_pixels_of_a_folder_for_no_time(tmp_path):
    """One step, since that is when the time is first looked at."""
    data = tmp_path / "data"
    for n, caption in enumerate(CAPTIONS):
        save_png(data / f"{n}.png", np.full((64, 64, 3), 80 * n, np.uint8))
        with (data / "metadata.jsonl").open("a", encoding="utf-8") as rows:
            rows.write(json.dumps({"file_name": f"{n}.png", "text": caption}) + "\n")
    config = changed(TINY, image_size=64, lstm_units=4, batch_size=2, data={"path": str(data)})
    out = train_baseline(config, tmp_path / "run", minutes=0, steps=1000)
    assert json.loads((out / METRICS).read_text())["step"] == 1
    assert "雪" not in Redrawer.load(out).vocabulary
    assert "景" in Redrawer.load(out).vocabulary


# Files


def test_saved_then_loaded_is_equal(redrawer, source, tmp_path):
    redrawer.save(tmp_path / "model")
    again = Redrawer.load(tmp_path / "model")
    assert again.config == redrawer.config and again.vocabulary == redrawer.vocabulary
    assert np.array_equal(again.generate(CAPTIONS, source), redrawer.generate(CAPTIONS, source))
    assert sorted(path.name for path in (tmp_path / "model").iterdir()) == [
        "config.json",
        "model.weights.h5",
        "vocabulary.txt",
    ]


def test_the_saved_model_draws_the_same(redrawer, source, tmp_path):
    place = saved_model.export_saved_model(redrawer, tmp_path)
    draw = tf.saved_model.load(place).signatures["serving_default"]
    pixels = draw(captions=tf.constant(CAPTIONS), source_pixels=tf.constant(source))["image"]
    assert pixels.dtype == tf.uint8
    expected = redrawer.generate(CAPTIONS, source).astype(int)
    assert np.abs(pixels.numpy() - expected).max() <= 1
    with pytest.raises(tf.errors.InvalidArgumentError, match="a picture for each caption"):
        draw(captions=tf.constant(CAPTIONS), source_pixels=tf.constant(source[:2]))


def test_the_litert_file_draws_the_same(redrawer, source, tmp_path):
    path = litert.export_litert(redrawer, tmp_path)
    assert foreign_operators(operators_of(path)) == []
    assert read_vocabulary(path.parent / "vocabulary.txt") == redrawer.vocabulary
    draw = Interpreter(str(path)).get_signature_runner("serving_default")
    ids = redrawer.tokenizer(CAPTIONS).numpy()
    tokens = pixel_tokens(source, TINY.levels).numpy()
    expected = redrawer.generate_pictures(ids, tokens).numpy()
    for i in range(3):
        picture = draw(token_ids=ids[i : i + 1], picture_tokens=tokens[i : i + 1])["picture"]
        np.testing.assert_allclose(picture, expected[i : i + 1], atol=1e-4)
    assert np.abs(expected[0] - expected[1]).max() > 0.01


def test_exports_of_another_model_are_refused(redrawer, tmp_path, monkeypatch):
    other, served = build(seed=1), saved_model.Served
    content = litert.convert_redrawer(other)
    monkeypatch.setattr(litert, "convert_redrawer", lambda redrawer: content)
    monkeypatch.setattr(saved_model, "Served", lambda redrawer: served(other))
    for export in (litert.export_litert, saved_model.export_saved_model):
        with pytest.raises(GateError, match="difference to the model"):
            export(redrawer, tmp_path)
    assert list(tmp_path.iterdir()) == []


# Bad input: a line each


@pytest.mark.parametrize(
    ("captions", "source", "error", "told"),
    [
        ([3], np.zeros((1, SIZE, SIZE, 3), np.uint8), TypeError, "`captions` must be strings"),
        (["红"], np.zeros((1, SIZE, SIZE, 3)), TypeError, "`source_pixels` must be uint8"),
        (["红"], np.zeros((2, SIZE, SIZE, 3), np.uint8), ValueError, r"be \(1, 16, 16, 3\), rec"),
        ("红", np.zeros((1, 8, 8, 3), np.uint8), ValueError, r"received: \(1, 8, 8, 3\). Pass"),
        ("红", None, TypeError, "`source_pixels` must be uint8, received: dtype"),
    ],
)
def test_bad_calls(redrawer, captions, source, error, told):
    with pytest.raises(error, match=told) as raised:
        redrawer.generate(captions, source)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ([], "`config` must be an object"),
        ({"image_size": 48}, "`image_size` must be 16, 32 or 64, received: 48"),
        ({"levels": 1}, r"`levels` must be an integer in \[2, 32\]"),
        ({"lstm_units": 1.5}, "`lstm_units` must be an integer"),
        ({"source": "others"}, "Did you mean `other`"),
        ({"batch_size": 1}, "`batch_size` must be"),
        ({"learning_rate": "fast"}, "`learning_rate` must be a number"),
        ({"lstm_unit": 8}, "Unknown key `lstm_unit`. Did you mean `lstm_units`"),
        ({"data": {"fit": "stretch"}}, "`data.fit` must be"),
        ({"data": {"word_vectors": "cc.zh.vec"}}, "`data.word_vectors` must be empty"),
    ],
)
def test_bad_configurations(values, told):
    with pytest.raises((TypeError, ValueError), match=told) as raised:
        BaselineConfig.from_dict(values)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("limits", "told"),
    [
        ({}, "`minutes` must be given where `steps` is not"),
        ({"minutes": -1}, "`minutes` must be a number"),
        ({"steps": 0}, "`steps` must be an integer"),
    ],
)
def test_bad_limits(tmp_path, limits, told):
    with pytest.raises(ValueError, match=told):
        train_baseline(TINY, tmp_path / "run", **limits)
    assert not (tmp_path / "run").exists()


def test_pictures_of_another_size_and_full_folders_are_refused(trained, redrawer, tmp_path):
    pictures = load_pictures(TINY.data, 40)
    with pytest.raises(ValueError, match=r"`pictures` must be square, .* received: \(40, 40\)"):
        train_baseline(TINY, tmp_path / "run", steps=1, pictures=pictures)
    with pytest.raises(FileExistsError, match="`out` must be a new folder"):
        train_baseline(TINY, trained, steps=1)
    with pytest.raises(FileExistsError, match=f"It has {METRICS}: name a new folder"):
        redrawer.save(trained)


def test_a_loss_that_is_not_finite_ends_training(tmp_path, monkeypatch):
    monkeypatch.setattr("kgen.baselines.training.REPORT_INTERVAL", 2)
    broken = Redrawer(TINY, learn_vocabulary(CAPTIONS, 100))
    broken.model.set_weights([w * np.nan for w in broken.model.get_weights()])
    monkeypatch.setattr("kgen.baselines.training.Redrawer", lambda config, vocabulary: broken)
    with pytest.raises(ValueError, match="`loss` must be finite, received: nan. .* at step 2"):
        train_baseline(TINY, tmp_path / "run", steps=10)
    assert not (tmp_path / "run").exists()


def test_damaged_folders_are_told(redrawer, tmp_path):
    redrawer.save(tmp_path)
    (tmp_path / "config.json").write_text('{"image_size": 32}')
    with pytest.raises(ValueError, match="not the weights of the configuration") as raised:
        Redrawer.load(tmp_path)
    assert "\n" not in str(raised.value)
    (tmp_path / "config.json").write_text('{"levels": 99}')
    with pytest.raises(ValueError, match=r"config.json: `levels` must be"):
        Redrawer.load(tmp_path)
    (tmp_path / "model.weights.h5").unlink()
    with pytest.raises(FileNotFoundError, match="It has no model.weights.h5"):
        Redrawer.load(tmp_path)
