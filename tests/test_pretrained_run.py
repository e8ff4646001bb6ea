"""A run with a pretrained text model: trained, moved, resumed, drawn with, exported."""

import json
import shutil
import sys

import numpy as np
import pytest
from pretrained_presets import write_bert, write_gpt2

from kgen.config import Config
from kgen.export import saved_model
from kgen.export.litert.exporting import export_litert
from kgen.model_folder import build_model, read_model
from kgen.pipeline import TextToImage
from kgen.text.pretrained import load_pretrained, pretrained_of
from kgen.training.run import train

pytest.importorskip("keras_hub", reason="keras-hub (kgen[pretrained]) is missing")

CAPTIONS = ("a red cat", "红猫", "a blue dog", "蓝狗!")


def config_of(preset, steps=2, **text):
    return Config.from_dict(
        {
            "name": "read",
            "text": {
                "encoder": "pretrained",
                "pretrained": str(preset),
                "caption_length": 8,
                "caption_dim": 8,
                **text,
            },
            "networks": {
                "image_size": 32,
                "noise_dim": 8,
                "width": 4,
                "discriminator_width": 4,
            },
            "training": {
                "steps": steps,
                "batch_size": 4,
                "penalty_interval": 2,
                "report_interval": 2,
            },
        }
    )


def some_pictures():
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (8, 32, 32, 3), dtype=np.uint8)
    return [(picture, CAPTIONS[n % 4]) for n, picture in enumerate(pixels)]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """A run that was trained, moved, and went on without the preset that it began with."""
    folder = tmp_path_factory.mktemp("runs")
    preset = write_bert(folder / "bert")
    backbone = [v.numpy() for v in load_pretrained(preset).variables]
    config = config_of(preset)
    first = train(config, folder / "first", pictures=some_pictures(), progress=False)
    shutil.move(first, folder / "moved")
    shutil.rmtree(preset)
    before = read_model(folder / "moved")
    longer = config.updated({"training": {"steps": 4}})
    out = train(longer, folder / "moved", True, pictures=some_pictures(), progress=False)
    return out, before, backbone


def test_only_the_projection_has_learned(folders):
    out, before, backbone = folders
    after = read_model(out)
    encoders = [found.model.get_layer("encoder") for found in (before, after)]
    then, now = (encoder.get_layer("projection").get_weights()[0] for encoder in encoders)
    assert np.abs(then - now).max() > 0
    for old, new in zip(backbone, pretrained_of(after.model).variables, strict=True):
        assert np.array_equal(old, new.numpy())
    assert before.hash != after.hash


def test_figures_of_both_halves(folders):
    out, *_ = folders
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [2, 4]
    assert all(np.isfinite(value) for line in lines for value in line.values())


def test_it_draws_what_captions_say(folders, tmp_path):
    out, *_ = folders
    painter = TextToImage.from_preset(out)
    pixels = painter.generate(["a red cat", "红猫", "A RED cat", ""], seed=3)
    assert pixels.shape == (4, 32, 32, 3) and pixels.dtype == np.uint8
    alone = painter.generate("红猫", seed=4)
    assert np.abs(alone[0].astype(int) - pixels[1]).max() <= 1
    noise = np.zeros((2, 8), np.float32)
    red, blue = painter.generate_images(painter.tokenizer(["红猫", "蓝狗"]), noise).numpy()
    assert np.abs(red - blue).max() > 1e-4  # the same noise
    painter.save(tmp_path / "given")
    again = TextToImage.from_preset(tmp_path / "given")
    assert np.array_equal(again.generate("红猫", seed=4), alone)
    assert not (tmp_path / "given" / "vocabulary.txt").exists()


def test_a_model_without_its_text_model(folders, tmp_path):
    out, *_ = folders
    shutil.copytree(out, tmp_path / "run")
    shutil.rmtree(tmp_path / "run" / "pretrained")
    with pytest.raises(FileNotFoundError, match="with config.json, pretrained and model.weights"):
        TextToImage.from_preset(tmp_path / "run")


def test_the_hash_is_of_the_text_model_too(folders, tmp_path):
    out, *_ = folders
    shutil.copytree(out, tmp_path / "run")
    assert read_model(tmp_path / "run").hash == read_model(out).hash
    path = tmp_path / "run" / "pretrained" / "assets" / "tokenizer" / "vocabulary.txt"
    path.write_text(path.read_text("utf-8").replace("dog", "cow"), "utf-8")
    assert read_model(tmp_path / "run").hash != read_model(out).hash


def test_what_is_refused_before_anything_is_written(tmp_path, monkeypatch):
    preset = write_bert(tmp_path / "bert")
    with_vectors = config_of(preset).updated({"data": {"word_vectors": "vectors.txt"}})
    for config, message in (
        (config_of(tmp_path / "nothing"), "There is no such folder"),
        (config_of(preset, caption_length=17), "`text.caption_length` must be at most 16"),
        (with_vectors, "`data.word_vectors` must be empty where"),
    ):
        with pytest.raises((ValueError, FileNotFoundError), match=message):
            train(config, tmp_path / "run", pictures=some_pictures(), progress=False)
    monkeypatch.setitem(sys.modules, "keras_hub", None)
    with pytest.raises(ValueError, match=r"pip install 'kgen\[pretrained\]'"):
        train(config_of(preset), tmp_path / "run", pictures=some_pictures(), progress=False)
    assert not (tmp_path / "run" / "config.json").exists()


@pytest.fixture(
    scope="module", params=[write_bert, pytest.param(write_gpt2, marks=pytest.mark.slow)]
)
def painter(request, tmp_path_factory):
    preset = request.param(tmp_path_factory.mktemp("export") / "preset")
    config, pretrained = config_of(preset), load_pretrained(preset)
    model = build_model(config, len(pretrained.vocabulary), pretrained=pretrained)
    return TextToImage(config, pretrained.vocabulary, model)


def test_saved_model(painter, tmp_path):
    """Strings in, with the tokenizer in the graph, in a process that knows no keras-hub."""
    proven = saved_model.export_saved_model(painter, tmp_path)[0]
    assert proven.max_difference <= 1


def test_litert(painter, tmp_path):
    for proven in export_litert(painter, tmp_path, precisions=["float32"]):
        assert proven.max_difference < 1e-4
    folder = tmp_path / "litert"
    assert (folder / "pretrained" / "tokenizer.json").is_file()
    assert json.loads((folder / "config.json").read_text())["text"]["pretrained"] == "preset"
    first = json.loads((folder / "examples.json").read_text("utf-8"))[0]
    assert painter.tokenizer([first["caption"]]).numpy()[0].tolist() == first["token_ids"]
