"""Several runs that were trained on from one another become one model."""

import numpy as np
import pytest

from kgen.config import Config
from kgen.mean_of_runs import mean_of_runs
from kgen.model_folder import build_model, write_model

WORDS = ("[PAD]", "[UNK]", "红", "red")


def _run(folder, value, width=4, words=WORDS, of_d=4):
    config = Config.from_dict(
        {
            "text": {"encoder": "bag", "embedding_dim": 8, "caption_dim": 8},
            "networks": {"image_size": 32, "width": width, "texture_width": of_d},
        }
    )
    model = build_model(config, len(words))
    model.set_weights([np.full_like(weight, value) for weight in model.get_weights()])
    write_model(folder, config, words, model)
    return folder


def test_every_weight_is_the_mean(tmp_path):
    runs = [_run(tmp_path / name, value) for name, value in (("a", 1), ("b", 2), ("c", 6))]
    for weight in mean_of_runs(runs).model.get_weights():
        np.testing.assert_array_equal(weight, np.full_like(weight, 3))  # (1 + 2 + 6) / 3


def test_runs_may_have_had_other_discriminators(tmp_path):
    runs = [_run(tmp_path / "a", 1), _run(tmp_path / "b", 2, of_d=0)]
    for weight in mean_of_runs(runs).model.get_weights():
        np.testing.assert_array_equal(weight, np.full_like(weight, 1.5))


def test_no_run_is_refused():
    with pytest.raises(ValueError, match="`runs` must be one run or more, received"):
        mean_of_runs([])


def test_of_one_run_it_is_that_run(tmp_path):
    for weight in mean_of_runs([_run(tmp_path / "a", 5)]).model.get_weights():
        np.testing.assert_array_equal(weight, np.full_like(weight, 5))


@pytest.mark.parametrize("other", [{"width": 8}, {"words": (*WORDS[:2], "蓝", "blue")}])
def test_another_model_is_refused_in_a_line(tmp_path, other):
    runs = [_run(tmp_path / "a", 1), _run(tmp_path / "b", 1, **other)]
    with pytest.raises(ValueError, match="runs.*vocabulary, text and networks of") as error:
        mean_of_runs(runs)
    assert str(runs[1]) in str(error.value)
    assert "\n" not in str(error.value)
