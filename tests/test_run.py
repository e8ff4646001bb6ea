"""A run that goes wrong says so, goes back, and can be trusted with what it left."""

import dataclasses
import json
import warnings

import numpy as np
import pytest

from kgen import model_folder
from kgen.data.captioned_pictures import CaptionedPictures
from kgen.text.vocabulary import learn_vocabulary
from kgen.training import callbacks, checkpoints, reports, run, watch
from kgen.training.findings import FINDINGS, FindingWarning, RunFailed

NUM_PICTURES = 10  # no multiple of the batch, so epochs end inside batches


def drawn_pictures(num=NUM_PICTURES):
    """Noise, with captions that differ; every other one is Chinese."""
    rng = np.random.default_rng(5)
    pixels = rng.integers(0, 256, (num, 32, 32, 3)).astype("uint8")
    words = ("red", "blue", "hill", "lake", "snow", "月亮", "树林", "小路", "星星", "船")
    captions = tuple((f"{words[i]} {words[(i + 1) % num]}",) for i in range(num))
    return CaptionedPictures(pixels, captions)


@pytest.fixture(scope="module")
def first_gan(tiny_config):
    captions = (caption for several in drawn_pictures().captions for caption in several)
    vocabulary = learn_vocabulary(captions, tiny_config.text.vocabulary_size)
    return run.build_gan(tiny_config, len(vocabulary))


@pytest.fixture(scope="module")
def first_weights(first_gan):
    return [v.numpy() for v in checkpoints.all_variables(first_gan)]


@pytest.fixture(autouse=True)
def one_gan(first_gan, first_weights, monkeypatch):
    """All runs train one GAN, whose step is traced once; building it gives its first weights."""

    def build_gan(config, vocabulary_size, *_):
        assert vocabulary_size in (0, first_gan.encoder.get_layer("embedding").input_dim)
        for variable, value in zip(
            checkpoints.all_variables(first_gan), first_weights, strict=True
        ):
            variable.assign(value)
        return first_gan

    monkeypatch.setattr(run, "build_gan", build_gan)
    # Sheets of samples and figures of G are other tests' concern, and take their time.
    monkeypatch.setattr(reports.Reporter, "_save_samples", lambda self, path: None)
    monkeypatch.setattr(watch.Watch, "measure", lambda self, gan: {})


def train(config, out, **options):
    given = {"pictures": drawn_pictures(), "progress": False, **options}
    return run.train(config, out, **given)


class Poison(callbacks.Report):
    """Puts NaN into a weight after a step, as often as `times` says."""

    step, times, network = 5, 1, "generator"

    def on_train_batch_end(self, batch, logs=None):
        super().on_train_batch_end(batch, logs)
        if Poison.times and int(self.model.steps_taken) == Poison.step:
            Poison.times -= 1
            weight = getattr(self.model, Poison.network).weights[0]
            weight.assign(np.full(weight.shape, np.nan))


@pytest.fixture
def poison(monkeypatch):
    def give(step, times, network="generator"):
        Poison.step, Poison.times, Poison.network = step, times, network
        monkeypatch.setattr(callbacks, "Report", Poison)

    return give


def findings(out):
    return [line.split("  ", 1)[1] for line in (out / FINDINGS).read_text().splitlines()]


def steps(out):
    return [json.loads(x)["step"] for x in (out / "metrics.jsonl").read_text().splitlines()]


def rates(out, config):
    """G's and D's rate in a run's last checkpoint, read into a GAN of full rates."""
    gan = run.build_gan(config, 0)
    state, _ = checkpoints.Checkpoints(out, 2).load(gan)
    optimizers = (gan.generator_optimizer, gan.discriminator_optimizer)
    return state, [float(optimizer.learning_rate) for optimizer in optimizers]


# NaN


def test_a_nan_is_named_at_its_step_and_the_run_goes_back(poison, tiny_config, tmp_path):
    poison(step=5, times=1)
    out = tmp_path / "run"
    with pytest.warns(FindingWarning) as told:
        train(tiny_config, out)
    # Poisoned after step 5; the losses of step 6 are the first to show it.
    (line,) = findings(out)
    assert [str(w.message) for w in told if w.category is FindingWarning] == [line]
    assert line.startswith("step 6: d_loss is nan, ")
    assert "Back to step 4, on with half the rates (G 0.0002, D 0.0002); roll-back 1 of 2" in line
    assert steps(out) == [2, 4, 6, 8]
    state, now = rates(out, tiny_config)
    assert state.step == 8 and state.rollbacks == 1
    assert now == pytest.approx([2e-4, 2e-4])


def test_a_weight_that_is_nan_where_no_loss_is_never_reaches_a_checkpoint(
    poison, tiny_config, tmp_path
):
    """A moving average touches no loss."""
    poison(step=5, times=1, network="averaged_generator")
    out = tmp_path / "run"
    with pytest.warns(FindingWarning):
        train(tiny_config, out)
    (line,) = findings(out)
    assert line.startswith("step 6: NaN or an infinity in ")
    assert run.build_gan(tiny_config, 0).averaged_generator.weights[0].path in line
    assert model_folder.read_model(out)
    state, _ = rates(out, tiny_config)
    assert state.step == 8


def test_a_run_that_goes_wrong_again_and_again_ends_with_its_last_good_weights(
    poison, tiny_config, tmp_path
):
    poison(step=5, times=100)
    out = tmp_path / "run"
    with pytest.warns(FindingWarning), pytest.raises(RunFailed) as raised:
        train(tiny_config, out)
    message = str(raised.value)
    assert "\n" not in message
    assert "step 6: d_loss is nan" in message
    assert "gone back 2 times of 2: the run ends, with the weights of its last good step, 4" in (
        message
    )
    assert len(findings(out)) == 3
    state, now = rates(out, tiny_config)
    assert state.step == 4 and state.rollbacks == 2
    assert now == pytest.approx([1e-4, 1e-4])
    assert np.isfinite(model_folder.read_model(out).model.get_weights()[0]).all()
    assert steps(out) == [2, 4]


def test_a_nan_before_the_first_report_goes_back_to_the_beginning(poison, tiny_config, tmp_path):
    poison(step=1, times=1)
    out = tmp_path / "run"
    with pytest.warns(FindingWarning, match="Back to step 0"):
        train(tiny_config, out)
    assert steps(out) == [2, 4, 6, 8]


def test_a_resumed_run_keeps_rates_and_number_of_rollbacks(poison, tiny_config, tmp_path):
    whole, halves = tmp_path / "whole", tmp_path / "halves"
    poison(step=3, times=1)
    with pytest.warns(FindingWarning):
        train(tiny_config, whole)
    poison(step=3, times=1)
    with pytest.warns(FindingWarning):
        train(tiny_config.updated({"training": {"steps": 5}}), halves)
    train(tiny_config, halves, resume=True)
    a, b = (rates(out, tiny_config) for out in (whole, halves))
    assert a[0].rollbacks == b[0].rollbacks == 1
    assert a[1] == b[1] == pytest.approx([2e-4, 2e-4])
    pair = [model_folder.read_model(out).model.get_weights() for out in (whole, halves)]
    for left, right in zip(*pair, strict=True):
        np.testing.assert_array_equal(left, right)


# Collapse


def test_a_collapse_goes_back_to_before_it_began(monkeypatch, tiny_config, tmp_path):
    """Diversity falls at step 4; three reports later, at step 8, that is a finding, and the
    checkpoints of 4 and 6 were no good ones."""
    monkeypatch.setattr(watch, "WARM_UP", 0)
    monkeypatch.setattr(watch, "LASTING", 4)
    seen = iter([0.9, 0.1, 0.1, 0.1, *[0.9] * 20])
    monkeypatch.setattr(watch.Watch, "measure", lambda self, gan: {"sample_diversity": next(seen)})
    out = tmp_path / "run"
    config = tiny_config.updated({"training": {"steps": 10}})
    with pytest.warns(FindingWarning):
        train(config, out)
    # Without a warm-up, more is found in so short a run.
    (line,) = (line for line in findings(out) if "collapsed" in line)
    assert line.startswith("step 8: the pictures have collapsed: they differ from each other only")
    assert "0.10 times" in line and "Back to step 2" in line
    assert steps(out) == [2, 4, 6, 8, 10]
    assert rates(out, config)[0].rollbacks == 1


# Stops


def test_a_run_may_stop_and_go_on_at_any_step(tiny_config, tmp_path):
    whole = train(tiny_config, tmp_path / "whole")
    out = tmp_path / "run"
    for end in (3, 8):
        train(tiny_config.updated({"training": {"steps": end}}), out, resume=True)
    assert [s for s in steps(out) if s % 2 == 0] == steps(whole)
    lines = [
        {x["step"]: x for x in map(json.loads, (folder / "metrics.jsonl").read_text().splitlines())}
        for folder in (whole, out)
    ]
    assert lines[0][2]["d_loss"] == lines[1][2]["d_loss"]
    pair = [model_folder.read_model(folder).model.get_weights() for folder in (whole, out)]
    for left, right in zip(*pair, strict=True):
        np.testing.assert_array_equal(left, right)


def test_data_that_vanishes_ends_a_run_with_its_own_words(monkeypatch, tiny_config, tmp_path):
    class Pixels(np.ndarray):
        failure = None

    pictures = drawn_pictures()
    pixels = pictures.pixels.view(Pixels)
    pictures = dataclasses.replace(pictures, pixels=pixels)

    class Vanish(callbacks.Report):
        def on_train_batch_end(self, batch, logs=None):
            super().on_train_batch_end(batch, logs)
            if int(self.model.steps_taken) == 5:
                pixels.failure = FileNotFoundError("/data/猫.png: there is no such file.")
                raise RuntimeError("what TensorFlow says of it,\nover several lines")

    monkeypatch.setattr(callbacks, "Report", Vanish)
    out = tmp_path / "run"
    with pytest.raises(OSError) as raised:
        train(tiny_config, out, pictures=pictures)
    assert "/data/猫.png: there is no such file. Training stopped after step 5" in str(raised.value)
    assert "\n" not in str(raised.value) and "--resume" in str(raised.value)
    monkeypatch.undo()
    train(tiny_config, out, resume=True)
    assert steps(out) == [2, 4, 6, 8]


# Folders


def test_a_model_that_is_behind_its_checkpoint_is_brought_up_to_date(tiny_config, tmp_path):
    """What kill -9 between the two files leaves."""
    out = train(tiny_config, tmp_path / "run")
    fresh = model_folder.read_model(out).model.get_weights()
    (out / model_folder.WEIGHTS).unlink()
    train(tiny_config, out, resume=True)
    for left, right in zip(fresh, model_folder.read_model(out).model.get_weights(), strict=True):
        np.testing.assert_array_equal(left, right)


def test_a_damaged_checkpoint_falls_back_to_the_one_before(tiny_config, tmp_path):
    whole = train(tiny_config, tmp_path / "whole")
    out = train(tiny_config.updated({"training": {"steps": 6}}), tmp_path / "run")
    last = out / checkpoints.LAST
    last.write_bytes(last.read_bytes()[:5000])
    with pytest.warns(FindingWarning, match="is damaged.*Going on from step_000004"):
        train(tiny_config, out, resume=True)
    assert steps(out) == steps(whole)
    pair = [model_folder.read_model(folder).model.get_weights() for folder in (whole, out)]
    for left, right in zip(*pair, strict=True):
        np.testing.assert_array_equal(left, right)


def test_chances_may_be_added_to_a_run_but_nothing_else(tiny_config, tmp_path):
    out = train(tiny_config.updated({"training": {"steps": 2}}), tmp_path / "run")
    more = {"max_rollbacks": 9, "kept_checkpoints": 1}
    train(tiny_config.updated({"training": {"steps": 2, **more}}), out, resume=True)
    with pytest.raises(ValueError, match="training.report_interval is 2 there and 4 here"):
        train(tiny_config.updated({"training": {"report_interval": 4}}), out, resume=True)


def test_a_healthy_run_says_nothing(tiny_config, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error", FindingWarning)
        out = train(tiny_config, tmp_path / "run")
    assert not (out / FINDINGS).exists()
    names = {p.name for p in (out / checkpoints.KEPT).iterdir()}
    assert names == {"step_000004.weights.h5", "step_000006.weights.h5"}
