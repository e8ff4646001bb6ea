"""A smaller model of a trained one: which channels it keeps, and what it is taught."""

import json
import shutil

import keras
import numpy as np
import pytest

from kgen import cli, compressing, model_folder
from kgen.checks import ToldWarning
from kgen.config import Config
from kgen.data.captioned_pictures import CaptionedPictures
from kgen.networks.layers import Modulation
from kgen.noise import sample_noise
from kgen.pipeline import TextToImage
from kgen.training import losses, run, text_teaching
from kgen.training.draw_teaching import teach_drawing
from kgen.training.importance import WORDS, importances, inner, stage
from kgen.training.pruning import kept_channels, pruned_weights, some_captions
from kgen.training.teacher import is_teacher, read_teacher, teacher_of
from kgen.training.text_teaching import pairs_of_captions, reader_of, share_said, teach_text

V = 20
CAPTIONS = ("red hill", "blue hill", "red 山", "blue 山", "moon 湖", "moon hill")


def pictures():
    """Each caption with a picture of one colour, so that there is something to learn."""
    colours = np.random.default_rng(3).integers(0, 256, (len(CAPTIONS), 1, 1, 3))
    pixels = np.broadcast_to(colours, (len(CAPTIONS), 32, 32, 3)).astype("uint8")
    return CaptionedPictures(pixels, tuple((caption,) for caption in CAPTIONS))


def wide_config(tiny_config, encoder):
    return tiny_config.updated({
        "text": {"encoder": encoder, "embedding_dim": 12, "caption_dim": 16},
        "networks": {"width": 8, "word_attention": False},
    })  # fmt: skip


def wide_and_narrow(wide):
    """T and G of `wide`, and those of a narrower model."""
    narrow = wide.updated({"text": {"caption_dim": 8}, "networks": {"width": 4}})
    models = [model_folder.build_model(config, V) for config in (wide, narrow)]
    return [(model.get_layer("encoder"), model.get_layer("generator")) for model in models]


@pytest.fixture(autouse=True)
def _taught_in_a_moment(monkeypatch):
    monkeypatch.setattr(text_teaching, "STEPS", 100)
    monkeypatch.setattr(compressing, "TAUGHT_STEPS", 5)


@pytest.fixture(scope="module")
def teacher(tiny_config, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs") / "teacher"
    config = tiny_config.updated({"networks": {"width": 8}, "training": {"steps": 4}})
    return run.train(config, out, progress=False, pictures=pictures())


def test_pixel_loss_by_hand():
    """Of two squares of three channels: 8 in one pixel of 16 is 0.5, 2 in each is 2, and what is
    moved within a square is nothing: (0.5 + 2) / 6."""
    image = np.zeros((1, 4, 8, 3), "float32")
    imitated = image.copy()
    imitated[0, 1, 2, 0], image[0, :, 4:, 1] = 8.0, -2.0
    image[0, 0, 0, 2], imitated[0, 3, 3, 2] = 1.0, 1.0
    assert float(losses.pixel_loss(image, imitated)) == pytest.approx(2.5 / 6)


def test_feature_loss_by_hand():
    """(|3 - 7| + |4 - 0| + |0 - 0| + |2 + 5|) / (7 + 0 + 0 + 5) = 15/12, and of the map 2/4."""
    feature = np.array([[3.0, 4.0], [0.0, 2.0]], "float32")
    imitated = np.array([[7.0, 0.0], [0.0, -5.0]], "float32")
    seen, wanted = np.full((2, 1, 1, 3), 2.0, "float32"), np.full((2, 1, 1, 3), 4.0, "float32")
    found = losses.feature_loss([seen, feature], [wanted, imitated])
    assert float(found) == pytest.approx(0.5 + 15 / 12, rel=1e-5)


def test_laplacian_loss_by_hand():
    """64 in one of 192 numbers: 48 and 3 · 16 of 192 are left of it; of the means 12 and 3 · 4 of
    48, then 3 and 3 · 1 of 12, and 1 of 3."""
    image, imitated = np.ones((1, 8, 8, 3), "float32"), np.ones((1, 8, 8, 3), "float32")
    image[0, 3, 4, 1] += 64
    assert float(losses.laplacian_loss(imitated, image)) == pytest.approx(0.5 + 0.5 + 0.5 + 1 / 3)


def test_g_learns_to_draw_as_its_teacher_does(teacher, capsys):
    config = compressing.kept_config(teacher, 0.5)
    painter = TextToImage.from_preset(teacher)
    model = model_folder.build_model(config, len(painter.vocabulary))
    networks = model.get_layer("encoder"), model.get_layer("generator")
    ids = painter.tokenizer(CAPTIONS).numpy()
    draw, noise = teacher_of(read_teacher(config)), sample_noise(len(ids), 8, seed=5)

    def apart():
        y = model({"token_ids": ids, "noise": noise}, training=False)
        return float(losses.laplacian_loss(draw(ids, noise), y))

    t, before = networks[0].get_weights(), apart()
    teach_drawing(networks, draw, ids[:, None], steps=60, seed=1)
    assert "pictures/s" in capsys.readouterr().err  # how long it will take
    teach_drawing(networks, draw, ids[:, None], steps=2, seed=1, progress=False)
    assert "pictures/s" not in capsys.readouterr().err
    assert apart() < 0.7 * before
    for a, b in zip(networks[0].get_weights(), t, strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_loss_of_reading_by_hand():
    """T says 1 of token 1 and 3 of token 2; of the first 0 is wanted, with a variance of 2."""
    ids = keras.Input((1,), dtype="int32")
    embedded = keras.layers.Embedding(3, 1, name="says")(ids)
    t = keras.Model(ids, {"caption_vector": embedded[:, 0], "words": embedded})
    t.get_layer("says").set_weights([np.array([[0.0], [1.0], [3.0]])])
    reader = reader_of(t, {"caption_vector": 1 / 2})
    given = [np.array([[1]]), np.array([[2]])]
    wanted = {"caption_vector": np.zeros((1, 1)), "apart": np.zeros((1, 1))}
    loss = reader.evaluate(given, wanted, verbose=0, return_dict=True)["loss"]
    assert loss == pytest.approx(((1 - 0) ** 2 + 3 * (1 - 3) ** 2) / 2)


def test_share_said_by_hand():
    """(0, 0) and (2, 4) vary by 1 and 4, 2.5 in the mean; of (0, 1) and (1, 4) two numbers are off
    by 1: (1 + 1) / 4 = 0.5; 1 - 0.5 / 2.5 = 0.8."""
    said = np.array([[0.0, 1.0], [1.0, 4.0]], "float32")
    wanted = np.array([[0.0, 0.0], [2.0, 4.0]], "float32")
    assert share_said(said, wanted) == pytest.approx(0.8)


@pytest.mark.parametrize("encoder", ["bag", "lstm", "bilstm", "transformer"])
def test_a_narrower_encoder_learns_to_read_as_a_trained_one(tiny_config, encoder, monkeypatch):
    keras.utils.set_random_seed(0)
    wide = wide_config(tiny_config, encoder).updated({"networks": {"word_attention": True}})
    trained, smaller = wide_and_narrow(wide)
    length = wide.text.caption_length
    ids = np.random.default_rng(2).integers(1, V, (80, 1, length)).astype("int32")

    def words_apart():
        kept = kept_channels(trained, smaller, some_captions(ids))[WORDS]
        of = trained[0].predict(ids[:, 0], verbose=0)["words"][..., kept]
        return np.abs(smaller[0].predict(ids[:, 0], verbose=0)["words"] - of).mean()

    before = words_apart()
    monkeypatch.setattr(text_teaching, "STEPS", 400)
    assert teach_text(smaller, trained, ids, seed=0) > 0.6
    assert words_apart() < 0.7 * before


def test_captions_are_paired_with_others_of_their_picture():
    """Of 1, 2 and 3 captions, told by their only id."""
    token_ids = [np.array(of, "int32")[:, None] for of in ([10], [20, 21], [30, 31, 32])]
    pairs = np.concatenate(pairs_of_captions(token_ids, 600, seed=1), axis=1)
    assert (pairs[:, 0] // 10 == pairs[:, 1] // 10).all()
    assert {tuple(pair) for pair in pairs.tolist()} == {
        (a, b) for of in token_ids for a in of[:, 0].tolist() for b in of[:, 0].tolist()
    }
    np.testing.assert_allclose(np.bincount(pairs[:, 0] // 10)[1:], 200, atol=50)


def test_captions_of_one_picture_come_to_be_read_alike(tiny_config, monkeypatch):
    keras.utils.set_random_seed(0)
    wide = wide_config(tiny_config, "lstm")
    trained, smaller = wide_and_narrow(wide)
    length = wide.text.caption_length
    ids = np.random.default_rng(2).integers(1, V, (12, 2, length)).astype("int32")
    monkeypatch.setattr(text_teaching, "STEPS", 300)
    teach_text(smaller, trained, ids, seed=0)

    def apart(encoder):
        a, b = (encoder.predict(ids[:, i], verbose=0)["caption_vector"] for i in (0, 1))
        return np.square(a - b).mean() / np.var(np.concatenate([a, b]), axis=0).mean()

    assert apart(smaller[0]) < 0.1 * apart(trained[0])


@pytest.mark.parametrize("encoder", ["bag", "bilstm"])
def test_for_a_fresh_g_an_encoder_says_it_with_a_variance_of_one(tiny_config, encoder, monkeypatch):
    keras.utils.set_random_seed(0)
    trained, smaller = wide_and_narrow(wide_config(tiny_config, encoder))
    layer = trained[0].get_layer("projection" if encoder == "bag" else "caption_vector")
    layer.set_weights([100 * weight for weight in layer.get_weights()])
    length = tiny_config.text.caption_length
    ids = np.random.default_rng(2).integers(1, V, (80, 1, length)).astype("int32")
    monkeypatch.setattr(text_teaching, "STEPS", 400)
    assert teach_text(smaller, trained, ids, seed=0, g_is_fresh=True) > 0.6
    vectors = [of[0].predict(ids[:, 0], verbose=0)["caption_vector"] for of in (trained, smaller)]
    assert text_teaching.variance(vectors[0]) > 100
    assert text_teaching.variance(vectors[1]) == pytest.approx(1, abs=0.4)


def test_an_encoder_that_reads_as_its_teacher_is_taught_nothing(tiny_config):
    model = model_folder.build_model(wide_config(tiny_config, "lstm"), V)
    networks = model.get_layer("encoder"), model.get_layer("generator")
    before = networks[0].get_weights()
    ids = np.random.default_rng(2).integers(1, V, (9, 1, tiny_config.text.caption_length))
    assert teach_text(networks, networks, ids.astype("int32"), seed=0) == 1
    for a, b in zip(networks[0].get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)


def test_importance_by_hand(tiny_config):
    """The last map is b everywhere, since all that makes it is 0 but for a bias b: of b = 2 the
    reader sees 2, of b = -1 LeakyReLU's -0.2, and its weights are as long as 3 · 5 = 9 · (25/9)."""
    config = tiny_config.updated({"networks": {"width": 2, "word_attention": False}})
    model = model_folder.build_model(config, V)
    encoder, generator = model.get_layer("encoder"), model.get_layer("generator")
    for name in ("block_32_shortcut", "block_32_conv"):
        layer = generator.get_layer(name)
        layer.set_weights([np.zeros(w.shape) for w in layer.get_weights()])
    generator.get_layer("block_32_conv").bias.assign([2.0, -1.0])
    kernel = np.zeros((3, 3, 2, 3))
    kernel[0, 0, :, 0], kernel[2, 1, :, 2] = 3.0, 4.0  # of length 5
    generator.get_layer("to_image").kernel.assign(kernel)
    found = importances(encoder, generator, np.full((3, config.text.caption_length), 4, "int32"))
    np.testing.assert_allclose(found[stage(32)], [2 * 5, 0.2 * 5], rtol=1e-6)


@pytest.mark.parametrize("encoder", ["bag", "lstm", "bilstm"])
def test_channels_that_nothing_reads_are_left_out_and_nothing_changes(tiny_config, encoder):
    wide, narrow = wide_config(tiny_config, encoder), None
    narrow = wide.updated({
        "text": {"embedding_dim": 6, "caption_dim": 8}, "networks": {"width": 4},
    })  # fmt: skip
    trained, smaller = (model_folder.build_model(config, V) for config in (wide, narrow))
    unread(trained, np.random.default_rng(1))
    ids = np.random.default_rng(2).integers(0, V, (7, wide.text.caption_length)).astype("int32")
    parts = [[m.get_layer(n) for n in ("encoder", "generator")] for m in (trained, smaller)]
    weights = pruned_weights(*map(tuple, parts), ids)
    for part in parts[1]:
        for layer in part.layers:
            layer.set_weights([weights[layer.name, i] for i in range(len(layer.weights))])
    noise = np.random.default_rng(0).normal(size=(7, wide.networks.noise_dim)).astype("float32")
    given = {"token_ids": ids, "noise": noise}
    drawn, expected = smaller(given).numpy(), trained(given).numpy()
    np.testing.assert_allclose(drawn, expected, atol=2e-5)
    assert expected.std() > 0.05


def test_a_block_less_keeps_the_others_and_has_a_soft_last_layer_of_its_own(tiny_config):
    wide = wide_config(tiny_config, "lstm")
    less = wide.updated({"networks": {"width": 16, "pixel_shuffle": 2}})  # the same at 16 pixels
    trained, smaller = (model_folder.build_model(config, V) for config in (wide, less))
    ids = np.random.default_rng(2).integers(0, V, (7, wide.text.caption_length)).astype("int32")
    parts = [[m.get_layer(n) for n in ("encoder", "generator")] for m in (trained, smaller)]
    own = smaller.get_layer("generator").get_layer("to_image").get_weights()
    weights = pruned_weights(*map(tuple, parts), ids)
    for part in parts[1]:
        for layer in part.layers:
            layer.set_weights([weights[layer.name, i] for i in range(len(layer.weights))])
    rng, maps = np.random.default_rng(0), []
    given = {"noise": rng.normal(size=(7, 8)), "caption_vector": rng.normal(size=(7, 16))}
    for _, generator in parts:
        of_block = keras.Model(generator.input, generator.get_layer("block_16").output)
        maps.append(of_block(given).numpy())
    np.testing.assert_allclose(*maps, rtol=1e-6)
    assert maps[0].std() > 0.05
    last = smaller.get_layer("generator").get_layer("to_image").get_weights()
    np.testing.assert_allclose(last[0], 0.1 * own[0], rtol=1e-6)
    assert last[0].shape == (3, 3, 16, 12)


def unread(model, rng):
    """Makes every reader deaf to a random half of each group of channels."""
    halves = {}

    def half(group, num):
        if group not in halves:
            halves[group] = rng.permutation(num)[: num // 2]
        return halves[group]

    encoder, generator = model.get_layer("encoder"), model.get_layer("generator")
    noise_dim, dim = generator.input["noise"].shape[1], encoder.output["words"].shape[2]
    names = [layer.name for layer in encoder.layers]
    # A half of each direction's units, and the same for the greatest and the mean of them.
    sides = 2 if "backward" in names else 1
    words = np.concatenate([n * dim // sides + half(f"units {n}", dim // sides)
                            for n in range(sides)])  # fmt: skip
    caption = words if "bag" in names or "projection" in names else half("caption", dim)
    for layer in (*encoder.layers, *generator.layers):
        weights = [weight.copy() for weight in layer.get_weights()]
        if isinstance(layer, Modulation):
            weights[0][noise_dim + caption] = 0
        elif isinstance(layer, keras.layers.Conv2DTranspose):
            weights[0][..., half(stage(layer.input.shape[1]), layer.input.shape[3])] = 0
        elif isinstance(layer, keras.layers.Conv2D):
            kind = inner if layer.name.endswith("_conv") else stage
            weights[0][:, :, half(kind(layer.input.shape[1]), layer.input.shape[3])] = 0
        elif layer.name in ("forward", "backward"):
            side = int(layer.name == "backward")
            weights[0][half("embedding", weights[0].shape[0] - 1)] = 0
            weights[1][half(f"units {side}", weights[1].shape[0])] = 0
        elif layer.name == "projection":
            weights[0][half("embedding", weights[0].shape[0])] = 0
        elif layer.name == "caption_vector" and weights:
            weights[0][np.concatenate([words, dim + words])] = 0
        layer.set_weights(weights)


@pytest.mark.parametrize(
    ("fewer", "left_out"),
    [({"attention_size": 8}, [16]), ({"word_attention": False}, [8, 16])],
)
def test_attentions_that_add_nothing_are_left_out_and_nothing_changes(
    tiny_config, fewer, left_out
):
    attentive = tiny_config.updated({"networks": {"word_attention": True, "attention_size": 16}})
    fewer = attentive.updated({"networks": fewer})
    wide, narrow = (model_folder.build_model(config, V) for config in (attentive, fewer))
    networks = [[model.get_layer(n) for n in ("encoder", "generator")] for model in (wide, narrow)]
    for size in left_out:
        kernel = wide.get_layer("generator").get_layer(f"words_{size}").output_projection.kernel
        kernel.assign(0 * kernel)
    rng = np.random.default_rng(4)
    token_ids = rng.integers(1, V, (5, attentive.text.caption_length)).astype("int32")
    weights = pruned_weights(*networks, token_ids)
    for layer in (layer for network in networks[1] for layer in network.layers):
        layer.set_weights([weights[layer.name, i] for i in range(len(layer.weights))])
    noise = rng.standard_normal((5, attentive.networks.noise_dim)).astype("float32")
    drawn = [model({"token_ids": token_ids, "noise": noise}).numpy() for model in (wide, narrow)]
    np.testing.assert_allclose(*drawn, atol=1e-6)


def test_networks_that_differ_in_more_than_channels_are_not_pruned(tiny_config):
    ids = np.ones((2, tiny_config.text.caption_length), "int32")

    def parts(config):
        model = model_folder.build_model(config, V)
        return model.get_layer("encoder"), model.get_layer("generator")

    wide = parts(wide_config(tiny_config, "bilstm"))
    wider = wide_config(tiny_config, "bilstm").updated({"networks": {"width": 9}})
    for other in (wide_config(tiny_config, "lstm"), wide_config(tiny_config, "bilstm"), wider):
        assert pruned_weights(wide, parts(other), ids) is None


def test_an_encoder_that_cannot_be_narrower_stays_as_it_is(tiny_config):
    wide = wide_config(tiny_config, "transformer")
    trained = model_folder.build_model(wide, V)
    smaller = model_folder.build_model(wide.updated({"networks": {"width": 4}}), V)
    parts = [[m.get_layer(n) for n in ("encoder", "generator")] for m in (trained, smaller)]
    ids = np.ones((2, wide.text.caption_length), "int32")
    weights = pruned_weights(*map(tuple, parts), ids)
    for layer in parts[0][0].layers:
        for place, weight in enumerate(layer.get_weights()):
            np.testing.assert_array_equal(weights[layer.name, place], weight)
    assert weights["block_32_conv", 0].shape == (3, 3, 4, 4)


def test_a_compressed_run_comes_nearer_to_its_teacher(teacher, tmp_path):
    faster = {"steps": 150, "report_interval": 25, "generator_rate": 4e-3, "pixel_weight": 100.0}
    config = compressing.kept_config(teacher, 0.5).updated({"training": faster})
    with pytest.warns(ToldWarning, match="most of the generator's weights; .*discriminator"):
        out = run.train(config, tmp_path / "small", progress=False, pictures=pictures())
    lines = (out / "metrics.jsonl").read_text().splitlines()
    first, last = (json.loads(line)["pixel"] for line in (lines[0], lines[-1]))
    assert last < 0.8 * first
    small, large = TextToImage.from_preset(out), TextToImage.from_preset(teacher)
    assert small.vocabulary == large.vocabulary
    assert small.model.count_params() < 0.5 * large.model.count_params()
    assert small.generate(["red 山"], seed=1).shape == (1, 32, 32, 3)


def test_what_starts_from_another_run_is_not_taught_to_read_anew(teacher, tmp_path):
    """Its G reads T as it is."""
    config = compressing.kept_config(teacher, 0.5).updated({"training": {"steps": 1}})
    with pytest.warns(ToldWarning, match="learns to (read|draw) as its teacher"):
        first = run.train(config, tmp_path / "a", progress=False, pictures=pictures())
    config = config.updated({"training": {"start_from": str(first)}})
    with pytest.warns(ToldWarning) as told:
        run.train(config, tmp_path / "b", progress=False, pictures=pictures())
    assert not [one for one in told if "as its teacher" in str(one.message)]


def test_a_teacher_is_known_by_any_of_its_names(teacher, tmp_path, monkeypatch):
    config = compressing.kept_config(teacher, 0.5)
    monkeypatch.chdir(teacher.parent)
    assert is_teacher(config, teacher.name)
    assert not is_teacher(config, tmp_path)


@pytest.mark.slow
def test_a_resumed_compression_ends_as_one_that_was_never_stopped(teacher, tmp_path):
    config = compressing.kept_config(teacher, 0.5)

    def steps(num):
        return config.updated({"training": {"steps": num, "report_interval": 3}})

    with pytest.warns(ToldWarning):
        whole = run.train(steps(6), tmp_path / "a", progress=False, pictures=pictures())
        run.train(steps(3), tmp_path / "b", progress=False, pictures=pictures())
    parts = run.train(steps(6), tmp_path / "b", resume=True, progress=False, pictures=pictures())
    weights = [TextToImage.from_preset(out).model.get_weights() for out in (whole, parts)]
    for a, b in zip(*weights, strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_teacher_draws_what_its_model_draws(teacher, tiny_config):
    config = compressing.kept_config(teacher, 0.5)
    painter = TextToImage.from_preset(teacher)
    ids = painter.tokenizer(CAPTIONS).numpy()
    noise = np.random.default_rng(0).normal(size=(len(ids), 8)).astype("float32")
    imitated = teacher_of(read_teacher(config))(ids, noise)
    np.testing.assert_allclose(imitated, painter.generate_images(ids, noise), atol=1e-5)
    half = config.updated({"training": {"precision": "bfloat16"}})
    imitated = teacher_of(read_teacher(half))(ids, noise)
    np.testing.assert_allclose(imitated, painter.generate_images(ids, noise), atol=0.05)


def test_from_scratch_g_expects_no_caption_vectors_as_large_as_a_trained_t_gives(
    teacher, tmp_path, monkeypatch
):
    """The control of an ablation: a teacher, but none of its weights. It had every pixel at -1 or
    1 before its first step, where no gradient comes through."""
    large = model_folder.read_model(teacher)
    layer = large.model.get_layer("encoder").get_layer("projection")
    layer.set_weights([50 * weight for weight in layer.get_weights()])
    shutil.copytree(teacher, tmp_path / "large")
    model_folder.write_weights(large.model, tmp_path / "large" / "model.weights.h5")
    config = compressing.kept_config(tmp_path / "large", 0.5).updated({
        "training": {"start_from": "", "steps": 1},
    })  # fmt: skip
    monkeypatch.setattr(text_teaching, "STEPS", 1000)  # weights have a long way to go
    out = run.train(config, tmp_path / "scratch", progress=False, pictures=pictures())
    assert (out / "vocabulary.txt").read_text() == (teacher / "vocabulary.txt").read_text()
    scratch = TextToImage.from_preset(out)
    ids = scratch.tokenizer(CAPTIONS).numpy()
    noise = sample_noise(len(ids), 8, seed=0)
    assert (np.abs(scratch.generate_images(ids, noise)) > 0.99).mean() < 0.3


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"networks": {"noise_dim": 9}}, "`networks.noise_dim` must be 8, received: 9"),
        ({"text": {"caption_length": 7}}, "`text.caption_length` must be 6, received: 7"),
        ({"text": {"caption_dim": 12}}, "`text.caption_dim` must be at most 8, received: 12"),
        ({"training": {"teacher": "nobody"}}, "received: 'nobody'"),
    ],
)
def test_a_teacher_that_cannot_teach_is_named(teacher, settings, said):
    config = compressing.kept_config(teacher, 0.5).updated(settings)
    with pytest.raises((ValueError, FileNotFoundError), match=said):
        read_teacher(config)


@pytest.mark.parametrize("keep", [0.0, 1.0, -1.0, 0.1, float("nan")])
def test_what_cannot_be_kept(teacher, keep):
    with pytest.raises(ValueError, match="`keep` must be"):
        compressing.kept_config(teacher, keep)


def test_a_share_is_of_every_channel(teacher):
    config = compressing.kept_config(teacher, 0.5)
    assert (config.networks.width, config.networks.most_channels) == (4, 32)
    assert (config.text.caption_dim, config.text.embedding_dim) == (4, 4)
    # The run's own discriminator goes on as it is.
    d = Config.read(teacher / "config.json").networks
    assert config.networks.discriminator_width == d.discriminator_width == 4
    assert config.networks.discriminator_most_channels == 32  # 8 times as many
    assert config.training.head_start == 0


def test_the_target_is_kept_and_the_unreachable_told(tiny_config, tmp_path, monkeypatch):
    teacher = tmp_path / "run"
    config = wide_config(tiny_config, "bilstm").updated({"text": {"embedding_dim": 16}})
    model = model_folder.build_model(config, V)
    model_folder.write_model(teacher, config, ("[PAD]", "[UNK]", *map(str, range(2, V))), model)

    class Sizes:
        """A kilobyte a channel; a millisecond for each in the widest map."""

        def __init__(self, folder):
            pass

        def kilobytes(self, config):
            return config.networks.width

        def milliseconds(self, config):
            return config.networks.most_channels

    monkeypatch.setattr(compressing, "Sizes", Sizes)
    both = compressing.targeted_config(teacher, target_kb=5.5, target_ms=30)
    assert (both.networks.width, both.networks.most_channels) == (5, 30)
    assert compressing.targeted_config(teacher, target_kb=3).networks.most_channels == 24
    for target in ({"target_kb": 1}, {"target_ms": 7}):
        (name,) = target
        with pytest.raises(ValueError, match=f"`{name}` must be at least"):
            compressing.targeted_config(teacher, **target)


def test_the_command_says_what_it_would_do_and_what_it_lacks(teacher, capsys, monkeypatch):
    monkeypatch.setattr(cli, "_silence_tensorflow", lambda: None)

    def call(*arguments):
        with pytest.raises(SystemExit) as end:
            cli.main(["compress", str(teacher), *arguments])
        return end.value.code, capsys.readouterr()

    code, printed = call("--keep", "0.5", "--set", "networks.width=5", "--dry-run")
    config = Config.from_dict(json.loads(printed.out))
    assert (code, config.networks.width, config.training.teacher) == (None, 5, str(teacher))
    code, printed = call("--out", "x")
    assert (code, "--keep" in printed.err) == (2, True), printed
    code, printed = call("--keep", "0.5", "--target-kb", "9")
    assert code == 2
    # What goes on is as small as it was begun.
    code, printed = call("--out", str(teacher), "--resume", "--dry-run")
    assert json.loads(printed.out) == Config.read(teacher / "config.json").to_dict()
