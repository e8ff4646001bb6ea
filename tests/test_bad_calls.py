"""What each artefact answers to bad input, as docs/exports.md has it: a line, never a crash.

After every bad call a good one is answered as ever.
"""

import functools

import numpy as np
import pytest
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter
from test_export import LENGTH, NOISE_DIM, SIZE, build_painter

from kgen.export import browser
from kgen.export.exporting import export
from kgen.runtime.painter import RuntimePainter

MEGABYTE = "夜晚 red boat " * 80_000
IDS, NOISE = np.ones((1, LENGTH), np.int32), np.zeros((1, NOISE_DIM), np.float32)


@pytest.fixture(scope="module")
def painter():
    return build_painter("bilstm", spread=0.02)


@pytest.fixture(scope="module")
def out(painter, tmp_path_factory):
    out = tmp_path_factory.mktemp("exported")
    export(painter, out, ["saved_model", "litert"], precisions=["float32"])
    return out


# SavedModel


@pytest.fixture(scope="module")
def served(out):
    return tf.saved_model.load(out / "serving" / "tiny_bilstm" / "1").signatures


@pytest.fixture
def answers(served):
    """Calls a signature, and then makes sure that it still draws."""
    yield lambda name, **inputs: {k: v.numpy() for k, v in served[name](**inputs).items()}
    drawn = served["from_ids"](token_ids=tf.constant(IDS), noise=tf.constant(NOISE))["image"]
    assert drawn.shape == (1, SIZE, SIZE, 3)


def test_served_empty_batches_are_answered_with_none(answers):
    drawn = answers("serving_default", captions=tf.constant([], tf.string))
    assert drawn["image"].shape == (0, SIZE, SIZE, 3) and drawn["png_bytes"].shape == (0,)
    given = {"token_ids": tf.constant(IDS[:0]), "noise": tf.constant(NOISE[:0])}
    assert answers("from_ids", **given)["image"].shape == (0, SIZE, SIZE, 3)


def test_served_invalid_utf8_is_read_as_blanks(answers):
    invalid, blanks = b"red\xff\xfeboat", b"red  boat"
    drawn = answers("serving_default", captions=tf.constant([invalid, blanks]))["image"]
    assert np.array_equal(drawn[0], drawn[1])


def test_served_megabytes_are_read_from_their_start(painter, answers):
    some = MEGABYTE[: 20 * LENGTH]
    drawn = answers("serving_default", captions=tf.constant([MEGABYTE, some]))["image"]
    assert len(MEGABYTE.encode()) > 1e6 and np.array_equal(drawn[0], drawn[1])


@pytest.mark.parametrize(
    ("inputs", "told"),
    [
        ({"token_ids": IDS * 10_000, "noise": NOISE}, "not in"),
        ({"token_ids": IDS, "noise": NOISE * np.nan}, "noise` must be finite"),
        ({"token_ids": IDS, "noise": NOISE + np.inf}, "noise` must be finite"),
        ({"token_ids": IDS[:, :3], "noise": NOISE}, "error"),
    ],
)
def test_served_ids_and_noise_that_are_none_are_told(answers, inputs, told):
    with pytest.raises((tf.errors.InvalidArgumentError, TypeError, ValueError), match=told):
        answers("from_ids", **{name: tf.constant(value) for name, value in inputs.items()})


@pytest.mark.parametrize(
    ("name", "inputs"),
    [
        ("serving_default", {"captions": tf.constant([7])}),
        ("from_ids", {"token_ids": tf.constant(IDS, tf.int64), "noise": tf.constant(NOISE)}),
        ("from_ids", {"token_ids": tf.constant(IDS), "noise": tf.constant(NOISE, tf.float64)}),
    ],
)
def test_served_other_types_are_told(answers, name, inputs):
    told = "int|float|double|string"
    with pytest.raises((TypeError, tf.errors.InvalidArgumentError), match=told):
        answers(name, **inputs)


# LiteRT


@pytest.fixture
def draw(out):
    run = Interpreter(str(out / "litert" / "model.tflite")).get_signature_runner("serving_default")
    first = run(token_ids=IDS, noise=NOISE)["image"]
    yield functools.partial(_drawn, run)
    assert np.array_equal(run(token_ids=IDS, noise=NOISE)["image"], first)


def _drawn(run, token_ids=IDS, noise=NOISE):
    return run(token_ids=token_ids, noise=noise)["image"]


@pytest.mark.parametrize(
    ("given", "error", "told"),
    [
        ({"token_ids": IDS[:0], "noise": NOISE[:0]}, RuntimeError, "reshape"),
        ({"token_ids": IDS[:, :3]}, RuntimeError, "prepare"),
        ({"token_ids": IDS * 10_000}, RuntimeError, "gather index out of bounds"),
        ({"token_ids": IDS.astype(np.int64)}, ValueError, "INT64 but expected type INT32"),
        ({"noise": NOISE.astype(float)}, ValueError, "FLOAT64 but expected type FLOAT32"),
    ],
)
def test_litert_tells_what_it_cannot_take(draw, given, error, told):
    with pytest.raises(error, match=told):
        draw(**given)


def test_litert_makes_nan_of_nan(draw):
    assert np.isnan(draw(noise=NOISE * np.nan)).any()


# The runtime


@pytest.fixture(scope="module")
def runtime(out):
    return RuntimePainter(out / "litert")


def test_the_runtime_draws_nothing_of_nothing_and_megabytes_from_their_start(runtime):
    assert runtime.generate([]).shape == (0, SIZE, SIZE, 3)
    drawn = runtime.generate([MEGABYTE, MEGABYTE[: 20 * LENGTH]], seed=0)
    again = runtime.generate(MEGABYTE[: 20 * LENGTH], seed=0)
    assert np.array_equal(drawn[0], again[0])


def test_the_runtime_reads_lone_surrogates_as_question_marks(runtime):
    assert np.array_equal(runtime.generate("red \ud800 boat"), runtime.generate("red ? boat"))


@pytest.mark.parametrize("captions", [b"red boat", [b"red boat"], [None], 7])
def test_the_runtime_tells_what_is_no_caption(runtime, captions):
    with pytest.raises(TypeError, match="`captions` must be"):
        runtime.generate(captions)


# The page


@pytest.mark.skipif(browser.browser_program() is None, reason="no Chromium is here")
def test_the_page_tells_what_is_no_noise_and_draws_on(painter, tmp_path):
    from playwright.sync_api import sync_playwright

    from kgen.export import web

    web.write_web(painter, tmp_path)
    script = """async ([captions, noises]) => {
      const told = [];
      for (const [caption, noise] of captions.flatMap((c) => noises.map((n) => [c, n])))
        told.push(await window.painter.draw(caption, noise && new Float32Array(noise))
          .then((drawn) => drawn.width, (error) => error.message));
      return told;
    }"""
    good = [0.0] * NOISE_DIM
    with browser.served(tmp_path) as address, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=browser.browser_program(), args=["--no-sandbox"]
        )
        page = chromium.new_page()
        page.goto(f"{address}/index.html")
        page.wait_for_function("window.painter")
        texts = ["red boat", "", "red \ud800", MEGABYTE[:200_000]]
        assert page.evaluate(script, [texts, [good]]) == [SIZE] * 4
        noises = [[float("nan"), *good[1:]], good[:-1], None, good]
        told = page.evaluate(script, [["red"], noises])
        assert page.evaluate(script, [[7], [good]]) == ["`caption` must be a string"]
        chromium.close()
    assert told == [f"`noise` must be a Float32Array of {NOISE_DIM} finite numbers"] * 3 + [SIZE]


