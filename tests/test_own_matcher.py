"""A model is given a matcher, and the command line refines by it."""

import numpy as np
import pytest
from PIL import Image

from kgen import cli, publishing
from kgen.config import Config
from kgen.evaluation.own_matcher import give_matcher
from kgen.matcher import FOLDER, Matcher
from kgen.model_folder import build_model
from kgen.pipeline import TextToImage
from kgen.text.vocabulary import learn_vocabulary

CAPTIONS = ["a snowy night", "美丽的日落景象"]
SIZE = 32


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """An untrained model of kgen's scenes, with a matcher that has seen them once."""
    folder = tmp_path_factory.mktemp("model")
    config = Config.from_dict(
        {
            "name": "tiny",
            "text": {"encoder": "bag", "caption_length": 6, "embedding_dim": 8, "caption_dim": 8},
            "networks": {"image_size": SIZE, "width": 4, "noise_dim": 8},
            "data": {"num_scenes": 64},
        }
    )
    vocabulary = learn_vocabulary(CAPTIONS, 100)
    TextToImage(config, vocabulary, build_model(config, len(vocabulary))).save(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KGEN_CACHE", str(tmp_path_factory.mktemp("kept")))
        assert give_matcher(folder, epochs=1) == folder / FOLDER
    return folder


def test_a_model_is_given_a_small_matcher(folder):
    matcher = TextToImage.from_preset(folder).matcher
    assert (matcher.size, matcher.image_shape) == ("small", (SIZE, SIZE, 3))
    assert {"night", "海"} <= set(matcher.vocabulary)  # of both languages' captions
    weights = matcher.of_images.get_weights()
    for half in weights:
        np.testing.assert_array_equal(half, half.astype("float16").astype("float32"))


def run(*arguments):
    with pytest.raises(SystemExit) as stopped:
        cli.main([*map(str, arguments)])
    return stopped.value.code


def test_the_command_line_refines(folder, tmp_path, capsys):
    command = ("--debug", "generate", *CAPTIONS, "--preset", folder, "--out", tmp_path)
    assert not run(*command, "--refine", "3", "--refine-steps", "1")
    paths = capsys.readouterr().out.split()
    assert len(paths) == 2
    painter = TextToImage.from_preset(folder)
    chosen = painter.generate_chosen(CAPTIONS, refine=3, refine_steps=1)[1]
    for path, choice in zip(paths, chosen):
        with Image.open(path) as picture:
            assert picture.text["Refine"] == "3"
            assert picture.text["Score"] == f"{choice.score:.4f}"
    assert run("--debug", "generate", "sea", "--preset", folder, "--refine", "0") == 2
    assert "--refine" in capsys.readouterr().err


def test_a_preset_takes_the_matcher_along_where_it_fits(folder, tmp_path, monkeypatch):
    trained = []

    def give_small(into, data, epochs):
        trained.append(data)
        Matcher.load(folder / FOLDER).save(into / FOLDER, "float16")

    monkeypatch.setattr(publishing, "give_matcher", give_small)
    told = []
    publishing._write_matcher(folder, tmp_path / "own", None, None, told.append)
    assert (tmp_path / "own" / FOLDER).is_dir() and trained == told == []
    publishing._write_matcher(tmp_path, tmp_path / "new", "data.zip", None, told.append)
    assert (tmp_path / "new" / FOLDER).is_dir() and trained == ["data.zip"]
    monkeypatch.setattr(publishing, "MOST_BYTES", 1_100_000)
    publishing._write_matcher(folder, tmp_path / "full", "data.zip", None, told.append)
    assert not (tmp_path / "full" / FOLDER).exists()
    assert "comes without a matcher, as it would take over 1.1 MB" in told[-1]
