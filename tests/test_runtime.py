"""Drawing by the exported file alone: the same pictures, without TensorFlow."""

import shutil
import subprocess
import sys

import numpy as np
import pytest
from test_export import CAPTIONS, assert_within_a_level, build_painter

from kgen import files
from kgen.export.exporting import export
from kgen.pictures import read_png_text
from kgen.pipeline import TextToImage
from kgen.runtime.exported import exported
from kgen.runtime.painter import RuntimePainter


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A model's folder with its export inside."""
    folder = tmp_path_factory.mktemp("run")
    build_painter("bilstm").save(folder)
    export(TextToImage.from_preset(folder), folder / "exported", ["litert"], precisions=["float32"])
    return folder


@pytest.fixture(scope="module")
def runtime(run):
    return RuntimePainter(run / "exported" / "litert")


@pytest.mark.parametrize("captions", [CAPTIONS, CAPTIONS[:1], CAPTIONS[2], []])
def test_it_draws_what_the_model_draws(run, runtime, captions):
    expected = TextToImage.from_preset(run).generate(captions, seed=7)
    assert_within_a_level(runtime.generate(captions, seed=7), expected)


def test_caption_and_seed_change_the_picture(runtime):
    first = runtime.generate(CAPTIONS[0], seed=1)
    assert (first != runtime.generate(CAPTIONS[0], seed=2)).any()
    assert (first != runtime.generate(CAPTIONS[1], seed=1)).any()
    # Picture i of a call has seed + i.
    both = runtime.generate(CAPTIONS[:2], seed=0)
    np.testing.assert_array_equal(both[1:], runtime.generate(CAPTIONS[1], seed=1))


@pytest.mark.parametrize(
    ("captions", "seed", "error"),
    [(7, 0, TypeError), ([7], 0, TypeError), (["a"], -1, ValueError), (["a"], 0.5, TypeError)],
)
def test_what_is_no_caption_or_seed_is_refused(runtime, captions, seed, error):
    with pytest.raises(error, match=r"`(captions|seed)` must be"):
        runtime.generate(captions, seed)


def test_generate_draws_without_tensorflow(run, tmp_path):
    program = (
        "import sys\n"
        "from kgen.cli import main\n"
        "try:\n"
        "    main(sys.argv[1:])\n"
        "finally:\n"
        "    print(*{'tensorflow', 'keras', 'tensorflow_text', 'h5py'} & set(sys.modules))\n"
    )
    command = [sys.executable, "-c", program, "generate", "夜晚的红色小船", "a zebra"]
    command += ["--seed", "3", "--preset", run, "--out", tmp_path]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    first, _, modules = ran.stdout.splitlines()
    assert modules == ""
    assert ran.stderr.splitlines() == ["kgen: a zebra: not in this model's vocabulary: zebra"]
    text = read_png_text(first)
    assert (text["Caption"], text["Seed"], text["Model"]) == ("夜晚的红色小船", "3", "tiny_bilstm")
    assert text["Hash"] == TextToImage.from_preset(run).hash


@pytest.mark.parametrize("options", [[], ["--post", "denoise"]])
def test_captions_much_shorter_than_those_learned_from_are_told(run, tmp_path, options):
    """By the exported file, and by the model itself."""
    folder = shutil.copytree(run, tmp_path / "run")
    files.write_json(folder / "card.json", {"captions": {"fewest_tokens": 8}})
    about = folder / "exported" / "litert" / "model.json"
    files.write_json(about, files.read_json(about) | {"fewest_tokens": 8})
    command = [sys.executable, "-m", "kgen.cli", "generate", "a red boat at night", "红船"]
    command += ["--preset", folder, "--out", tmp_path, *options]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr.splitlines() == [
        "kgen: 红船: 2 tokens are few: tiny_bilstm was taught by captions of 8 tokens and more"
    ]


# Which export is drawn by


def test_an_export_is_found_in_the_model_in_itself_and_where_its_file_is(run):
    place = run / "exported" / "litert"
    assert exported(run) == exported(run / "exported") == exported(place) == place


def test_an_export_of_older_weights_is_not_drawn_by(run, tmp_path):
    shutil.copytree(run, tmp_path / "run")
    assert exported(tmp_path / "run")
    build_painter("bilstm", word_attention=False).save(tmp_path / "run")
    assert exported(tmp_path / "run") is None


def test_an_export_with_post_processing_is_not_drawn_by(run, tmp_path):
    painter = TextToImage.from_preset(run).with_post("denoise")
    export(painter, tmp_path, ["litert"], precisions=["float32"])
    assert exported(tmp_path) is None
    assert RuntimePainter(tmp_path / "litert").post == str(painter.post) != ""


def test_a_model_without_an_export_is_not_drawn_by_one(tmp_path):
    assert exported(tmp_path) is None


@pytest.mark.parametrize(
    ("name", "content", "error"),
    [
        ("generator.tflite", None, FileNotFoundError),
        ("generator.tflite", b"", ValueError),
        ("generator.tflite", b"TFL3" * 100, ValueError),
        ("encoder.tflite", b"", ValueError),
        ("model.json", b"{}", ValueError),
        ("model.json", b"[1]", ValueError),
        ("reading.json", b"{}", ValueError),
        ("reading.json", None, FileNotFoundError),
        ("vocabulary.txt", b"[PAD]\n", ValueError),
    ],
)
def test_damaged_exports_are_refused_in_a_line(run, tmp_path, name, content, error):
    folder = shutil.copytree(run / "exported" / "litert", tmp_path / "litert")
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_bytes(content)
    with pytest.raises(error) as caught:
        RuntimePainter(folder)
    assert "\n" not in str(caught.value)
    assert name in str(caught.value) or "reading" in str(caught.value)


@pytest.mark.parametrize("content", ["[1]", "{}", "{", '{"name": "x", "hash": "", "post": ""}'])
def test_generate_says_in_a_line_that_an_export_is_damaged(run, tmp_path, content):
    folder = shutil.copytree(run / "exported", tmp_path / "exported")
    (folder / "litert" / "model.json").write_text(content)
    with pytest.raises(ValueError, match="model.json") as caught:
        exported(folder)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", ["[1]", '{"captions": [1]}', "{"])
def test_a_damaged_card_is_told_in_a_line(run, tmp_path, content):
    folder = shutil.copytree(run, tmp_path / "run")
    (folder / "card.json").write_text(content)
    with pytest.raises(ValueError, match="card.json") as caught:
        TextToImage.from_preset(folder)
    assert "\n" not in str(caught.value)
