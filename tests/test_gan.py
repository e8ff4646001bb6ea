"""The training step, and that stopping, saving and resuming lose nothing."""

import dataclasses
import json
from collections import Counter

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf

from kgen import files, model_folder
from kgen.config import TrainingConfig
from kgen.data.batches import make_batches
from kgen.data.captioned_pictures import CaptionedPictures
from kgen.networks.text_to_image import draw
from kgen.training import losses, run
from kgen.training.pair_logits import pair_logits

V = 20
N = 10  # pictures: no multiple of the batch, so epochs end inside batches


def drawn_pictures(num=N, captions_each=2):
    """Noise, and captions that name the picture's number, so that they can be told apart."""
    rng = np.random.default_rng(5)
    pixels = rng.integers(0, 256, (num, 32, 32, 3)).astype("uint8")
    words = ("red", "blue", "hill", "lake", "snow", "moon", "tree", "road", "star", "boat")
    captions = tuple(
        tuple(f"{words[i]} {words[(i + k + 1) % num]}" for k in range(captions_each))
        for i in range(num)
    )
    return CaptionedPictures(pixels, captions)


def ids_of(pictures):
    """Ids in which picture and caption can be read: (picture + 1, caption + 1, 0, ...)."""
    return [
        np.array([[i + 1, k + 1, 0, 0, 0, 0] for k in range(len(several))], "int32")
        for i, several in enumerate(pictures.captions)
    ]


def batches(first_step=0, seed=0):
    pictures = drawn_pictures()
    return make_batches(pictures, ids_of(pictures), 4, seed, first_step)


def some_steps(gan, num):
    start = int(gan.steps_taken)
    gan.fit(batches(start), steps_per_epoch=num, shuffle=False, verbose=0)
    assert int(gan.steps_taken) == start + num
    return gan


def all_variables(gan):
    return [
        *gan.variables,
        *gan.generator_optimizer.variables,
        *gan.discriminator_optimizer.variables,
    ]


def state(gan):
    return [v.numpy() for v in all_variables(gan)]


def put_back(gan, saved):
    for variable, value in zip(all_variables(gan), saved, strict=True):
        variable.assign(value)


def assert_same(a, b):
    assert len(a) == len(b) > 50
    assert [i for i, (x, y) in enumerate(zip(a, b)) if not np.array_equal(x, y)] == []


@pytest.fixture(scope="module")
def gan(tiny_config):
    """A GAN whose step is traced once; each test puts back what `begun` says."""
    return run.build_gan(tiny_config, V)


@pytest.fixture(scope="module")
def begun(gan):
    return state(gan)


@pytest.fixture(scope="module")
def three_steps(gan, begun):
    put_back(gan, begun)
    return state(some_steps(gan, 3))


@pytest.fixture
def fresh(gan, begun):
    put_back(gan, begun)
    return gan


@pytest.fixture(scope="module")
def batch():
    return next(iter(batches()))


def d_loss(gan, batch, y):
    x, t = batch["image"], batch["token_ids"]
    c = gan.encoder(t, training=True)["caption_vector"]
    return gan.discriminator_loss(x, t, c, y, losses.same_captions(t))


# Which half moves what


def moved(before, variables):
    return [not np.array_equal(a, v.numpy()) for a, v in zip(before, variables, strict=True)]


@pytest.mark.parametrize("half", ["generator", "discriminator"])
def test_each_half_moves_all_of_its_own_variables_and_no_others(fresh, half):
    other = {"generator": "discriminator", "discriminator": "generator"}[half]
    own, others = getattr(fresh, f"{half}_variables"), getattr(fresh, f"{other}_variables")
    rate = getattr(fresh, f"{other}_optimizer").learning_rate
    before_own, before_others = [v.numpy() for v in own], [v.numpy() for v in others]
    old = float(rate)
    rate.assign(0.0)  # so that only this half can move anything
    some_steps(fresh, 2)
    rate.assign(old)
    assert all(moved(before_own, own))
    assert not any(moved(before_others, others))


def test_no_gradient_flows_from_g_to_t_or_from_d_to_g(fresh, batch):
    x, t = batch["image"], batch["token_ids"]
    same = losses.same_captions(t)
    with tf.GradientTape(persistent=True) as tape:
        text = fresh.encoder(t, training=True)
        y = run_generator(fresh, {k: tf.stop_gradient(v) for k, v in text.items()}, x)
        c = text["caption_vector"]
        loss, _, of_real = fresh.discriminator_loss(x, t, c, y, same)
        g_loss, _ = fresh.generator_loss(y, t, tf.stop_gradient(c), same, of_real)
    of_g = [v.value for v in fresh.generator_variables]
    of_t = [v.value for v in fresh.encoder.trainable_variables]
    assert all(g is None for g in tape.gradient(loss, of_g))
    assert all(g is None for g in tape.gradient(g_loss, of_t))
    assert all(g is not None for g in tape.gradient(g_loss, of_g))
    assert all(g is not None for g in tape.gradient(loss, of_t))


def run_generator(gan, text, x):
    given = {"noise": gan.sample_noise(x), **text}
    return gan.generator({name: given[name] for name in gan.generator.input}, training=True)


def test_every_variable_is_in_exactly_one_optimizer(gan):
    of_g, of_d = gan.generator_optimizer, gan.discriminator_optimizer
    optimized = Counter(id(v) for o in (of_g, of_d) for v in o._trainable_variables)
    assert set(optimized.values()) == {1}
    assert set(optimized) == {id(v) for v in gan.trainable_variables}
    networks = (gan.encoder, gan.generator, gan.discriminator)
    assert set(optimized) == {id(v) for n in networks for v in n.trainable_variables}
    assert gan.averaged_generator.trainable_variables == []
    assert gan.averaged_encoder.trainable_variables == []


# The step


def test_three_steps_from_one_seed_give_the_same_weights(tiny_config, three_steps):
    again = some_steps(run.build_gan(tiny_config, V), 3)
    assert_same(state(again), three_steps)


def test_another_seed_gives_other_weights(tiny_config, gan, begun):
    other = run.build_gan(tiny_config.updated({"training": {"seed": 1}}), V)
    index = [v.path for v in gan.variables].index(gan.generator.weights[0].path)
    assert not np.array_equal(other.generator.get_weights()[0], begun[index])


def test_eager_equals_graph(fresh, begun, batch):
    """Adam's first moment is the gradient itself here (β₁ = 0), so gradients are compared too."""
    fresh.train_step(batch)
    eager = state(fresh)
    put_back(fresh, begun)
    graph = state(some_steps(fresh, 1))
    for before, e, g in zip(begun, eager, graph, strict=True):
        np.testing.assert_allclose(e, g, rtol=1e-3, atol=1e-5)
        assert np.abs(e - g).max() <= 0.05 * np.abs(g - before).max()  # far below the step's own


def test_noise_depends_on_seed_and_step_alone(fresh, batch):
    x = batch["image"]
    first = fresh.sample_noise(x).numpy()
    assert first.shape == (4, 8)
    np.testing.assert_array_equal(first, fresh.sample_noise(x))
    fresh.discriminator_optimizer.iterations.assign(1)
    assert np.abs(first - fresh.sample_noise(x)).min() > 0


def test_penalty_comes_on_every_interval_th_step_times_the_interval(fresh, batch):
    """D's loss does not depend on the step but for γ · interval · R1 (interval 2, γ 1)."""
    y = tf.zeros_like(batch["image"])
    c = fresh.encoder(batch["token_ids"])["caption_vector"]
    r1 = float(fresh.penalty(batch["image"], y, c))
    assert r1 > 0
    loss = tf.function(lambda: d_loss(fresh, batch, y)[0])
    at = []
    for step in range(5):
        fresh.discriminator_optimizer.iterations.assign(step)
        at.append(float(loss()))
    assert at[1] == pytest.approx(at[3])
    for step in (0, 2, 4):
        assert at[step] - at[1] == pytest.approx(2 * r1, rel=1e-3)


def test_penalty_of_a_linear_and_a_quadratic_critic(gan, monkeypatch):
    x = tf.random.stateless_normal((3, 32, 32, 3), (1, 1))
    w = tf.random.stateless_normal((32, 32, 3), (2, 2))

    class Critic:
        def __init__(self, logit):
            self.logit = logit

        def __call__(self, inputs, training):
            assert training
            return {"logit": self.logit(inputs["image"], inputs["caption_vector"])[:, None]}

    def penalty(logit, kind="r1"):
        # Not an attribute of the GAN's own: Keras would track it.
        parts = {"discriminator": Critic(logit), "training": TrainingConfig(penalty=kind)}
        holder = type("Holder", (), parts)()
        return float(type(gan).penalty(holder, x, y, c))

    y, c = 2 * x, tf.ones((3, 8))
    linear = penalty(lambda x, c: tf.reduce_sum(w * x, axis=(1, 2, 3)))
    assert linear == pytest.approx(0.5 * float(tf.reduce_sum(w**2)), rel=1e-5)
    # D = a |x|² / 2 with a = 3: gradient 3 x, so ½ · 9 · E|x|²
    of_x = 0.5 * 9 * float(tf.reduce_sum(x**2)) / 3

    def quadratic(x, c):
        return 1.5 * tf.reduce_sum(x**2, axis=(1, 2, 3))

    assert penalty(quadratic) == pytest.approx(of_x, rel=1e-5)
    # R2 is the same at y = 2 x: four times as much.
    assert penalty(quadratic, "r1_r2") == pytest.approx(5 * of_x, rel=1e-5)
    # D = Σ x / √3072 + Σ 3 c / √8: the gradients' lengths are 1 and 3, and (1 + 3)⁶ = 4096.
    both = penalty(
        lambda x, c: tf.reduce_sum(x, (1, 2, 3)) / 3072**0.5 + tf.reduce_sum(3 * c, 1) / 8**0.5,
        "matching_aware",
    )
    assert both == pytest.approx(4096, rel=1e-4)


def test_contrastive_weight_multiplies_once(fresh, batch):
    y = tf.zeros_like(batch["image"])
    fresh.discriminator_optimizer.iterations.assign(1)  # no penalty
    same = losses.same_captions(batch["token_ids"])
    c = fresh.encoder(batch["token_ids"])["caption_vector"]

    told = fresh.training

    def both(weight):
        fresh.training = dataclasses.replace(told, contrastive_weight=weight)
        d, d_logs, real = d_loss(fresh, batch, y)
        g, g_logs = fresh.generator_loss(y, batch["token_ids"], c, same, real)
        return float(d), float(g), float(d_logs["real_contrast"]), float(g_logs["fake_contrast"])

    d0, g0, _, _ = both(0.0)
    d3, g3, real, fake = both(3.0)
    fresh.training = told
    assert d3 - d0 == pytest.approx(3 * real, rel=1e-4)
    assert g3 - g0 == pytest.approx(3 * fake, rel=1e-4)
    assert real > 0 and fake > 0


def test_diversity_compares_two_noises_of_one_caption(fresh, batch):
    z = fresh.sample_noise(batch["image"])
    text = fresh.encoder(batch["token_ids"], training=False)
    y = draw(fresh.generator, text, z)
    # A quarter of the batch of four: picture 0, drawn again with the noise of picture 3.
    only = {name: vectors[:1] for name, vectors in text.items()}
    again = draw(fresh.generator, only, z[3:])
    moved = np.abs(y[0] - again[0]).mean() / np.abs(z[0] - z[3]).mean()
    expected = -min(0.15, moved)
    assert expected < 0
    np.testing.assert_allclose(fresh.diversity_loss(y, text, z), expected, rtol=1e-4)


def test_averages_follow_the_formula(fresh):
    networks = (fresh.generator, fresh.encoder)
    averages = (fresh.averaged_generator, fresh.averaged_encoder)
    expected = [w for n in networks for w in n.get_weights()]  # both begin there
    for step in (1, 2):
        some_steps(fresh, 1)
        now = [w for n in networks for w in n.get_weights()]
        d = np.float32((1 + step) / (10 + step))  # 2/11, 3/12: below 0.995
        expected = [a + (1 - d) * (v - a) for a, v in zip(expected, now)]
        given = [w for a in averages for w in a.get_weights()]
        for e, g in zip(expected, given, strict=True):
            np.testing.assert_allclose(g, e, atol=1e-6)
    assert any(np.abs(g - v).max() > 1e-5 for g, v in zip(given, now))


def test_predict_draws_with_the_averages(fresh, batch):
    some_steps(fresh, 1)
    inputs = {"token_ids": batch["token_ids"].numpy(), "noise": np.ones((4, 8), "float32")}
    image = fresh.predict(inputs, batch_size=2, verbose=0)
    assert image.shape == (4, 32, 32, 3)
    text = fresh.averaged_encoder(batch["token_ids"])
    by_hand = fresh.averaged_generator(
        {"noise": tf.ones((4, 8)), **{k: text[k] for k in ("caption_vector", "words", "mask")}}
    )
    np.testing.assert_allclose(image, by_hand, atol=1e-5)
    np.testing.assert_allclose(fresh(inputs), by_hand, atol=1e-5)


def test_fit_tells_every_figure(fresh):
    history = fresh.fit(batches(), epochs=2, steps_per_epoch=1, shuffle=False, verbose=0).history
    assert set(history) == {
        "d_loss", "g_loss", "real_logit", "fake_logit", "mismatched_logit", "real_contrast",
        "fake_contrast", "real_words", "fake_words", "overfitting",
    }  # fmt: skip
    assert all(len(v) == 2 and np.isfinite(v).all() for v in history.values())


VARIANTS = {
    "no words": {"training": {"word_weight": 0.0}},
    "all mismatches": {"training": {"mismatches": "all"}},
    "no mismatches": {"training": {"mismatches": "none"}},
    "relativistic": {"training": {"loss": "relativistic", "penalty": "r1_r2"}},
    "concatenation": {
        "networks": {"discriminator": "concatenation"},
        "training": {"contrastive_weight": 0.0, "penalty": "matching_aware"},
    },
    "lecam": {"training": {"lecam_weight": 0.3}},
    "blocks": {"networks": {"pixel_size": 2}},
}


@pytest.mark.parametrize("settings", VARIANTS.values(), ids=VARIANTS.keys())
def test_every_variant_moves_every_variable_and_repeats_itself(tiny_config, settings):
    config = tiny_config.updated(settings)
    gan = run.build_gan(config, V)
    begun, before = state(gan), [v.numpy() for v in gan.trainable_variables]
    after = state(some_steps(gan, 2))
    still = {
        v.path for a, v in zip(before, gan.trainable_variables) if np.array_equal(a, v.numpy())
    }
    # While all hinges are active, what moves the last bias sums to 0: -1 + ½ + ½.
    still -= {"plain/bias"}
    if config.networks.discriminator == "concatenation":  # without contrast, it needs no feature
        still = {path for path in still if path.split("/")[-2] not in ("whole", "feature")}
    assert still == set()
    put_back(gan, begun)
    assert_same(state(some_steps(gan, 2)), after)


def shares_moved(gan, steps):
    """Shares of the variables of T, G and D that some steps move."""
    networks = gan.encoder, gan.generator, gan.discriminator
    before = [[v.numpy() for v in network.trainable_weights] for network in networks]
    some_steps(gan, steps)
    return [
        np.mean(moved(of, now.trainable_weights))
        for of, now in zip(before, networks, strict=True)
    ]


def test_a_head_start_moves_d_alone(tiny_config):
    settings = {"head_start": 2, "word_weight": 1.0, "precision": "bfloat16"}
    gan = run.build_gan(tiny_config.updated({"training": settings}), V)
    encoder, generator, discriminator = shares_moved(gan, 2)
    assert (encoder, generator) == (0, 0) and discriminator > 0.9
    assert min(shares_moved(gan, 1)) > 0.9


def test_a_text_encoder_may_be_held(tiny_config):
    settings = {"text_held": True, "word_weight": 1.0}
    gan = run.build_gan(tiny_config.updated({"training": settings}), V)
    encoder, *others = shares_moved(gan, 2)
    assert encoder == 0 and min(others) > 0.9


def test_word_weight_multiplies_once(tiny_config, batch):
    gan = run.build_gan(tiny_config.updated({"training": {"word_weight": 2.0}}), V)
    gan.discriminator_optimizer.iterations.assign(1)  # no penalty
    y, t = tf.zeros_like(batch["image"]), batch["token_ids"]
    c, same = gan.encoder(t)["caption_vector"], losses.same_captions(t)
    with_words, logs, real = d_loss(gan, batch, y)
    g_with_words, g_logs = gan.generator_loss(y, t, c, same, real)
    gan.training = dataclasses.replace(gan.training, word_weight=0.0)
    without, _, _ = d_loss(gan, batch, y)
    g_without, _ = gan.generator_loss(y, t, c, same, real)
    real, fake = float(logs["real_words"]), float(g_logs["fake_words"])
    assert float(with_words - without) == pytest.approx(2 * real, rel=1e-4)
    assert float(g_with_words - g_without) == pytest.approx(2 * fake, rel=1e-4)


def test_g_need_not_show_more_than_real_pictures_do(tiny_config, batch):
    """Where real pictures' losses are above its own, G's contrast and words count as theirs do."""
    gan = run.build_gan(tiny_config.updated({"training": {"cap_by_real": True}}), V)
    y, t = tf.zeros_like(batch["image"]), batch["token_ids"]
    c, same = gan.encoder(t)["caption_vector"], losses.same_captions(t)
    of_real = {"contrast": tf.fill((8,), 50.0), "words": tf.fill((4,), 60.0)}
    of_real["logit"] = tf.ones((4, 1))
    for capped, expected in ((True, (50.0, 60.0)), (False, None)):
        gan.training = dataclasses.replace(gan.training, cap_by_real=capped, word_weight=1.0)
        _, logs = gan.generator_loss(y, t, c, same, of_real)
        told = float(logs["fake_contrast"]), float(logs["fake_words"])
        assert told == expected if capped else max(told) < 20


def test_all_mismatches_are_the_logits_of_all_other_captions(tiny_config, batch):
    """Against D called with each picture and each caption, one by one."""
    gan = run.build_gan(tiny_config.updated({"training": {"mismatches": "all"}}), V)
    x, t = batch["image"], batch["token_ids"]
    c, same = gan.encoder(t)["caption_vector"], losses.same_captions(t)
    seen = gan._backbone(tf.concat([x, x], axis=0))
    head, mismatches = gan.discriminator.get_layer("head"), gan.training.mismatches
    real, fake, mismatched, is_mismatch = pair_logits(head, seen, c, same, mismatches)
    for i in range(4):
        for j in range(4):
            one = {"image": x[i : i + 1], "caption_vector": c[j : j + 1]}
            logit = float(gan.discriminator(one)["logit"][0, 0])
            assert float(mismatched[i, j]) == pytest.approx(logit, abs=1e-4)
            assert bool(is_mismatch[i, j]) == (not bool(same[i, j]))
    np.testing.assert_allclose(real, tf.linalg.diag_part(mismatched)[:, None], atol=1e-5)
    np.testing.assert_allclose(fake, real, atol=1e-5)


def test_pixel_art_is_augmented_by_whole_blocks(tiny_config, batch):
    config = tiny_config.updated(
        {"networks": {"pixel_size": 2}, "training": {"augmentation_adapts": False}}
    )
    gan = run.build_gan(config, V, ("translation", "cutout"))
    some_steps(gan, 1)
    changed = gan._augmented(batch["image"], 0).numpy()
    assert np.abs(changed - batch["image"]).max() > 0.1
    np.testing.assert_array_equal(changed[:, ::2, ::2], changed[:, 1::2, 1::2])


# Saving


def test_weights_and_optimizers_survive_save_weights(fresh, three_steps, tmp_path):
    put_back(fresh, three_steps)
    fresh.save_weights(tmp_path / "x.weights.h5")
    five = state(some_steps(fresh, 2))
    fresh.load_weights(tmp_path / "x.weights.h5")
    assert_same(state(fresh), three_steps)
    assert_same(state(some_steps(fresh, 2)), five)


def test_a_saved_gan_goes_on_as_if_nothing_had_happened(fresh, three_steps, batch, tmp_path):
    put_back(fresh, three_steps)
    fresh.save(tmp_path / "x.keras")
    loaded = keras.models.load_model(tmp_path / "x.keras")
    assert_same(state(loaded), three_steps)
    inputs = {"token_ids": batch["token_ids"], "noise": tf.ones((4, 8))}
    np.testing.assert_array_equal(loaded(inputs), fresh(inputs))
    assert_same(state(some_steps(loaded, 2)), state(some_steps(fresh, 2)))


# Batches


def read(dataset, num):
    """Picture and caption of each place in the stream, and the images."""
    some = list(dataset.take(num).as_numpy_iterator())
    ids = np.concatenate([b["token_ids"] for b in some])
    return ids[:, 0] - 1, ids[:, 1] - 1, np.concatenate([b["image"] for b in some])


def test_a_stream_may_start_at_any_step():
    # 10 pictures in fours: step 3 begins two pictures into the second epoch.
    for first_step in (1, 3, 25):
        whole = batches().skip(first_step)
        late = batches(first_step)
        for a, b in zip(whole.take(6), late.take(6), strict=True):
            np.testing.assert_array_equal(a["image"], b["image"])
            np.testing.assert_array_equal(a["token_ids"], b["token_ids"])


def test_each_epoch_is_another_permutation():
    which, _, _ = read(batches(), 10)
    epochs = which.reshape(4, N)
    for epoch in epochs:
        assert sorted(epoch) == list(range(N))
    assert len({tuple(epoch) for epoch in epochs}) == 4
    assert not np.array_equal(which[:N], np.arange(N))


def test_another_seed_gives_another_order():
    assert not np.array_equal(read(batches(seed=0), 5)[0], read(batches(seed=1), 5)[0])


def test_pictures_and_captions_belong_together():
    which, _, images = read(batches(), 10)
    expected = drawn_pictures().pixels[which] / 127.5 - 1
    np.testing.assert_allclose(images, expected, atol=1e-6)
    assert images.dtype == np.float32
    assert (images.min(), images.max()) == (-1.0, 1.0)


def test_every_caption_is_drawn_from_pictures_with_unequal_numbers_of_them():
    captions = tuple(("a",) * k for k in (1, 3, 2))
    pictures = CaptionedPictures(np.zeros((3, 32, 32, 3), "uint8"), captions)
    which, caption, _ = read(make_batches(pictures, ids_of(pictures), 4, 0), 75)
    pairs = Counter(zip(which.tolist(), caption.tolist()))
    assert set(pairs) == {(0, 0), (1, 0), (1, 1), (1, 2), (2, 0), (2, 1)}
    # 100 epochs: expected 33 and 50 of each, four standard deviations are 19 and 20.
    assert all(14 <= pairs[1, k] <= 52 for k in range(3))
    assert all(30 <= pairs[2, k] <= 70 for k in range(2))


# Runs


def train(config, out, **options):
    return run.train(config, out, progress=False, pictures=drawn_pictures(), **options)


def written(out):
    """What must not depend on stops: figures' steps and losses, and the bytes of every file."""
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    for line in lines:
        del line["seconds"], line["pictures_per_second"]
    samples = {p.name: p.read_bytes() for p in sorted((out / "samples").iterdir())}
    return lines, samples


def assert_same_weights(a, b, name):
    def arrays(path):
        found = {}
        with h5py.File(path) as file:
            file.visititems(
                lambda n, x: found.update({n: x[()]}) if isinstance(x, h5py.Dataset) else None
            )
        return found

    left, right = arrays(a / name), arrays(b / name)
    assert left.keys() == right.keys() and len(left) > 20
    assert [key for key in left if not np.array_equal(left[key], right[key])] == []


@pytest.fixture(scope="module")
def uninterrupted(tiny_config, tmp_path_factory):
    return train(tiny_config, tmp_path_factory.mktemp("runs") / "whole")


def test_a_run_leaves_a_model_and_its_figures(uninterrupted, tiny_config):
    found = model_folder.read_model(uninterrupted)
    assert found.config == tiny_config
    assert "red" in found.vocabulary
    lines, samples = written(uninterrupted)
    assert [line["step"] for line in lines] == [2, 4, 6, 8]
    assert list(samples) == [f"step_{step:06d}.png" for step in (2, 4, 6, 8)]
    assert not [p for p in uninterrupted.iterdir() if p.name.startswith(".")]


def test_a_run_made_longer_equals_one_that_was_long(uninterrupted, tiny_config, tmp_path):
    out = train(tiny_config.updated({"training": {"steps": 4}}), tmp_path / "run")
    train(tiny_config, out, resume=True)
    assert written(out) == written(uninterrupted)
    assert_same_weights(out, uninterrupted, run.CHECKPOINT)
    assert_same_weights(out, uninterrupted, model_folder.WEIGHTS)


def test_a_finished_run_is_left_as_it_is(uninterrupted, tiny_config):
    before = (uninterrupted / run.CHECKPOINT).read_bytes()
    lines = written(uninterrupted)
    train(tiny_config, uninterrupted, resume=True)
    assert (uninterrupted / run.CHECKPOINT).read_bytes() == before
    assert written(uninterrupted) == lines


def begun_run(config, tmp_path):
    files.write_json(tmp_path / model_folder.CONFIG, config.to_dict())
    return tmp_path


def test_a_run_that_is_there_is_not_overwritten(tiny_config, tmp_path):
    with pytest.raises(FileExistsError, match="--resume"):
        train(tiny_config, begun_run(tiny_config, tmp_path))


def test_resuming_with_another_configuration_names_the_difference(tiny_config, tmp_path):
    other = tiny_config.updated({"training": {"seed": 9, "steps": 50}, "text": {"encoder": "lstm"}})
    with pytest.raises(ValueError) as raised:
        train(other, begun_run(tiny_config, tmp_path), resume=True)
    message = str(raised.value)
    assert "training.seed is 0 there and 9 here" in message
    assert "text.encoder is 'bag' there and 'lstm' here" in message
    assert "steps" not in message  # a run may be made longer
    assert "\n" not in message
