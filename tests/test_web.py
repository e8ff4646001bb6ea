"""The page draws in a browser what the model draws, of captions that it reads itself."""

import json
import shutil

import numpy as np
import pytest
from test_export import build_painter
from test_runtime_tokenizer import CAPTIONS, LONG, TRICKY

from kgen.export import browser, proof, web
from kgen.export.captions import made_up
from kgen.export.exporting import export
from kgen.export.reading import reading_of
from kgen.files import read_json
from kgen.noise import sample_noise
from kgen.presets import trained_presets
from kgen.runtime.painter import RuntimePainter
from kgen.text.tokenizer import CaptionTokenizer
from kgen.text.vocabulary import learn_vocabulary

PROGRAM = browser.browser_program()
in_browser = pytest.mark.skipif(PROGRAM is None, reason="no Chromium is here to open the page")


@pytest.fixture(scope="module")
def painter():
    return build_painter("bilstm")


@pytest.fixture(scope="module")
def out(painter, tmp_path_factory):
    out = tmp_path_factory.mktemp("exported")
    export(painter, out, ["web"])
    return out


def test_the_folder_holds_all_that_it_loads(out):
    page = (out / "web" / "index.html").read_text(encoding="utf-8")
    scripts = "".join(p.read_text(encoding="utf-8") for p in (out / "web").glob("*.js"))
    assert "://" not in page + scripts
    for name in ("litert/index.js", "litert/LICENSE", "litert/NOTICE", "model/model.tflite"):
        assert (out / "web" / name).is_file(), name


def test_the_proof_says_what_ran_it(out):
    found = json.loads((out / "proof.json").read_text(encoding="utf-8"))["web"]
    assert found["num_pictures"] == 20
    assert found["psnr_db"] is None or found["psnr_db"] >= 40
    assert ("in a browser" in found["runtime"]) == (PROGRAM is not None)


@in_browser
def test_other_weights_are_refused(painter, tmp_path, monkeypatch):
    other = build_painter("bilstm", word_attention=False)
    write = web.write_web
    monkeypatch.setattr(web, "write_web", lambda _, folder: write(other, folder))
    with pytest.raises(proof.GateError, match="web: difference to the model"):
        export(painter, tmp_path, ["web"])
    assert list(tmp_path.iterdir()) == []


@in_browser
@pytest.mark.parametrize("lacking", ["model/reading.json", "litert/wasm", "painter.js"])
def test_a_page_that_does_not_run_is_refused(painter, out, tmp_path, lacking):
    folder = shutil.copytree(out / "web", tmp_path / "web")
    gone = folder / lacking
    shutil.rmtree(gone) if gone.is_dir() else gone.unlink()
    with pytest.raises(proof.GateError, match="web: run` must be run by a browser"):
        web.prove_web(painter, folder, made_up(painter))


@in_browser
@pytest.mark.parametrize("segmentation", ["characters", "words"])
@pytest.mark.parametrize("stop_words", [False, True])
def test_the_page_reads_captions_as_the_graph_does(out, segmentation, stop_words):
    from playwright.sync_api import sync_playwright

    vocabulary = learn_vocabulary(CAPTIONS, 120, segmentation)
    in_graph = CaptionTokenizer(vocabulary, 64, segmentation, stop_words)
    rng = np.random.default_rng(0)
    captions = ["".join(rng.choice(TRICKY, rng.integers(1, 40))) for _ in range(2000)]
    captions += [chr(code) * 2 + "a" for code in rng.choice(0xD800, 5000)] + [*LONG, ""]
    read = """async ([vocabulary, reading, captions]) => {
      const { CaptionTokenizer } = await import('./tokenizer.js');
      const tokenizer = new CaptionTokenizer(vocabulary, reading);
      return captions.map((caption) => [...tokenizer.tokenIds(caption)]);
    }"""
    with browser.served(out / "web") as address, sync_playwright() as playwright:
        program = playwright.chromium.launch(executable_path=PROGRAM, args=["--no-sandbox"])
        page = program.new_page()
        page.goto(f"{address}/tokenizer.js")
        received = page.evaluate(read, [vocabulary, reading_of(in_graph), captions])
        program.close()
    np.testing.assert_array_equal(received, in_graph(captions).numpy())


@in_browser
def test_the_page_shows_what_is_typed_and_what_it_does_not_know(out):
    from playwright.sync_api import sync_playwright

    asked_elsewhere = []
    with browser.served(out / "web") as address, sync_playwright() as playwright:
        program = playwright.chromium.launch(executable_path=PROGRAM, args=["--no-sandbox"])
        page = program.new_page()
        page.on("request", lambda r: r.url.startswith(address) or asked_elsewhere.append(r.url))
        page.goto(f"{address}/index.html")
        page.wait_for_selector("canvas", timeout=60_000)
        assert page.locator("canvas").count() == 4
        page.check("input[value='9']")
        page.fill("#caption", "夜晚的红色 zebra")
        page.wait_for_selector("#pictures[data-drawn='夜晚的红色 zebra'][data-count='9']")
        assert page.inner_text("#notice").endswith("zebra")
        assert "ms" in page.inner_text("#timing")
        with page.expect_download() as download:
            page.click("#save")
        assert download.value.suggested_filename == "夜晚的红色_zebra.png"
        program.close()
    assert [url for url in asked_elsewhere if not url.startswith(("data:", "blob:"))] == []


def test_noise_of_a_seed_is_standard_normal(out):
    """By the numbers that the page's own module gives."""
    if PROGRAM is None:
        pytest.skip("no Chromium is here to run the page's module")
    from playwright.sync_api import sync_playwright

    draw = """async () => {
      const { noiseOf } = await import('./noise.js');
      return [...Array(500).keys()].map((seed) => [...noiseOf(seed, 63)]);
    }"""
    with browser.served(out / "web") as address, sync_playwright() as playwright:
        program = playwright.chromium.launch(executable_path=PROGRAM, args=["--no-sandbox"])
        page = program.new_page()
        page.goto(f"{address}/noise.js")
        noise = np.array(page.evaluate(draw))
        program.close()
    # SplitMix32 of seed 0 by hand: its first two numbers, and what Box and Muller make of them.
    first, second = (0x64625032 + 0.5) / 2**32, (0xD9C0799C + 0.5) / 2**32
    radius, angle = np.sqrt(-2 * np.log(first)), 2 * np.pi * second
    by_hand = [radius * np.cos(angle), radius * np.sin(angle)]
    np.testing.assert_allclose(noise[0, :2], by_hand, rtol=1e-6)
    assert abs(noise.mean()) < 0.02
    assert abs(noise.std() - 1) < 0.02
    assert abs(np.corrcoef(noise[0], noise[1])[0, 1]) < 0.5
    assert noise.shape == (500, 63)
    assert np.unique(noise).size > 0.99 * noise.size


def test_without_a_browser_the_model_alone_is_proven(painter, tmp_path, monkeypatch):
    monkeypatch.setattr(web, "browser_program", lambda: None)
    proven = export(painter, tmp_path, ["web"])[0]
    assert "no browser was there" in proven.runtime


@in_browser
@pytest.mark.parametrize("name", trained_presets())
def test_the_presets_page_draws_what_the_runtime_draws_by_the_same_files(name):
    folder = trained_presets()[name]
    captions = [*read_json(folder / "card.json")["captions"]["samples"], "", "夜晚 café"]
    noise_dim = read_json(folder / "config.json")["networks"]["noise_dim"]
    noise = sample_noise(len(captions), noise_dim, seed=3)
    address = f"page/index.html?model={name}"
    drawn, *_ = browser.draw_in_browser(folder.parent, captions, noise, PROGRAM, address)
    expected = RuntimePainter(folder / "exported").generate(captions, seed=3)
    error = np.mean((drawn.astype(float) - expected) ** 2)
    assert error <= 255**2 / 1e4  # 40 dB


def test_the_presets_page_is_the_page_of_exports():
    """It is written by `python -m benchmarks.preset_page`."""
    ours = next(iter(trained_presets().values())).parent / "page"
    for path in web.PAGE.iterdir():
        if path != web.RUNTIME:
            assert (ours / path.name).read_bytes() == path.read_bytes(), path.name
    shown = {model["name"] for model in read_json(ours / "page.json")["models"]}
    assert shown == set(trained_presets())
