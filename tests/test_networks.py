"""G and D: what changes a picture, what does not, and their layers by hand."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from kgen.config import NetworksConfig, TextConfig
from kgen.networks.discriminator import build_discriminator, looks_at_every_size
from kgen.networks.generator import build_generator, channels_at
from kgen.networks.heads import Concatenation, Projection
from kgen.networks.layers import Modulation, PixelShuffle, WordAttention
from kgen.networks.text_to_image import build_text_to_image, draw
from kgen.text.encoders import build_encoder

V = 30
SMALL = NetworksConfig(image_size=32, noise_dim=8, width=4, discriminator_width=4)
PLAIN = NetworksConfig(
    image_size=32, noise_dim=8, width=4, discriminator_width=4, word_attention=False
)
BAG = TextConfig("bag", caption_length=6, embedding_dim=8, caption_dim=8)
LSTM = TextConfig("lstm", caption_length=6, embedding_dim=8, caption_dim=8)
CAPTIONS = np.array([[2, 3, 4, 0, 0, 0], [5, 6, 7, 8, 9, 10], [11, 0, 0, 0, 0, 0]], "int32")


def normal(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")


def text_to_image(networks, text):
    keras.utils.set_random_seed(1)
    return build_text_to_image(build_encoder(text, V), build_generator(networks, text))


@pytest.fixture(scope="module")
def model():
    return text_to_image(SMALL, BAG)


@pytest.fixture(scope="module")
def discriminator():
    keras.utils.set_random_seed(2)
    return build_discriminator(SMALL, BAG)


def pictures(model, token_ids, noise):
    inputs = {"token_ids": np.asarray(token_ids, "int32"), "noise": noise}
    return model(inputs, training=False).numpy()


def change(a, b):
    """Mean difference of two pictures, of values in [-1, 1]."""
    return float(np.abs(a - b).mean())


# G


def test_pictures_have_the_promised_shape_type_and_range(model):
    image = pictures(model, CAPTIONS, 100 * normal(0, 3, 8))
    assert image.shape == (3, 32, 32, 3)
    assert image.dtype == np.float32
    assert np.abs(image).max() <= 1.0
    assert np.abs(image).max() > 0.9  # noise this large drives it to its ends


def test_noise_changes_the_picture(model):
    a, b = pictures(model, [CAPTIONS[0]] * 2, normal(0, 2, 8))
    assert change(a, b) > 0.01


@pytest.mark.parametrize("networks", [SMALL, PLAIN])
def test_the_caption_changes_the_picture(networks):
    model = text_to_image(networks, BAG)
    a, b = pictures(model, CAPTIONS[:2], np.repeat(normal(0, 1, 8), 2, axis=0))
    assert change(a, b) > 0.01


def test_the_order_of_words_changes_the_picture():
    model = text_to_image(SMALL, LSTM)
    captions = [[2, 3, 4, 0, 0, 0], [4, 3, 2, 0, 0, 0]]
    a, b = pictures(model, captions, np.repeat(normal(0, 1, 8), 2, axis=0))
    assert change(a, b) > 0.001


def test_a_larger_picture_may_have_the_same_small_feature_maps():
    """So that its model can start from the smaller one's weights."""
    small = NetworksConfig(image_size=64, noise_dim=8, width=4, discriminator_width=4)
    large = NetworksConfig(
        image_size=128, noise_dim=8, width=2, discriminator_width=2, most_channels=32
    )
    for build in (build_generator, lambda n, t: build_discriminator(n, t).get_layer("backbone")):
        shapes = [
            {layer.name: [tuple(w.shape) for w in layer.weights] for layer in build(n, BAG).layers}
            for n in (small, large)
        ]
        blocks = [name for name in shapes[0] if name.startswith("block_") and shapes[0][name]]
        assert len(blocks) >= 12
        different = [name for name in blocks if shapes[0][name] != shapes[1][name]]
        assert different == []


def test_attention_may_end_at_8_pixels():
    networks = NetworksConfig(
        image_size=32, noise_dim=8, width=4, discriminator_width=4, attention_size=8
    )
    layers = [layer.name for layer in build_generator(networks, BAG).layers]
    assert "words_8" in layers and "words_16" not in layers


def test_words_reach_the_picture_beside_the_caption_vector(model):
    generator = model.get_layer("generator")
    noise, vector = normal(0, 1, 8), normal(1, 1, 8)
    mask = np.ones((1, 6), "float32")

    def image(words):
        text = {"caption_vector": vector, "words": words, "mask": mask}
        return draw(generator, text, noise).numpy()

    assert change(image(normal(2, 1, 6, 8)), image(normal(3, 1, 6, 8))) > 0.001


def test_without_attention_words_are_no_input():
    inputs = build_generator(PLAIN, BAG).input
    assert set(inputs) == {"noise", "caption_vector"}


@pytest.mark.parametrize("text", [BAG, LSTM], ids=["bag", "lstm"])
def test_more_padding_changes_nothing(text):
    longer = TextConfig(text.encoder, caption_length=11, embedding_dim=8, caption_dim=8)
    short, long = text_to_image(SMALL, text), text_to_image(SMALL, longer)
    long.set_weights(short.get_weights())
    noise = normal(0, 3, 8)
    padded = np.pad(CAPTIONS, ((0, 0), (0, 5)))
    a, b = pictures(short, CAPTIONS, noise), pictures(long, padded, noise)
    np.testing.assert_allclose(a, b, atol=2e-6)
    assert change(a[0], a[1]) > 0.01  # and they are no constants


def test_a_batch_of_three_equals_three_batches_of_one(model):
    noise = normal(0, 3, 8)
    together = pictures(model, CAPTIONS, noise)
    for i in range(3):
        alone = pictures(model, CAPTIONS[i : i + 1], noise[i : i + 1])
        np.testing.assert_allclose(alone[0], together[i], atol=2e-6)


def test_an_empty_caption_gives_a_picture(model):
    image = pictures(model, np.zeros((1, 6)), normal(0, 1, 8))
    assert np.isfinite(image).all()


# D


def test_discriminator_gives_one_logit_and_one_feature_vector(discriminator):
    seen = discriminator({"image": normal(0, 3, 32, 32, 3), "caption_vector": normal(1, 3, 8)})
    assert seen["logit"].shape == (3, 1)
    assert seen["feature"].shape == (3, 8)
    assert seen["logit"].dtype == seen["feature"].dtype == "float32"


def test_discriminator_sees_picture_and_caption(discriminator):
    image, vector = normal(0, 2, 32, 32, 3), normal(1, 2, 8)
    logit = lambda i, c: float(
        discriminator({"image": image[i][None], "caption_vector": vector[c][None]})["logit"][0, 0]
    )
    assert abs(logit(0, 0) - logit(1, 0)) > 0.01
    assert abs(logit(0, 0) - logit(0, 1)) > 0.01


def test_discriminator_judges_each_picture_alone(discriminator):
    image, vector = normal(0, 3, 32, 32, 3), normal(1, 3, 8)
    together = discriminator({"image": image, "caption_vector": vector})["logit"].numpy()
    for i in range(3):
        one = {"image": image[i : i + 1], "caption_vector": vector[i : i + 1]}
        np.testing.assert_allclose(discriminator(one)["logit"][0], together[i], atol=2e-5)


def test_concatenation_by_hand():
    """A map of ones with two channels and c = (3): join sums all three at the same place, 5;
    whole adds up the 16 places.
    """
    head = Concatenation()
    last_map, c = np.ones((1, 4, 4, 2), "float32"), np.array([[3.0]], "float32")
    assert head(last_map, c).shape == (1, 1)
    kernel = np.zeros((3, 3, 3, 2), "float32")
    kernel[1, 1] = 1
    head.join.kernel.assign(kernel)
    head.whole.kernel.assign(np.ones((4, 4, 2, 1), "float32"))
    assert float(head(last_map, c)[0, 0]) == pytest.approx(16 * 2 * 5)
    # -10 beside the ones: the sum is -8, of which LeakyReLU leaves a fifth.
    assert float(head(last_map, -10 * c / 3)[0, 0]) == pytest.approx(16 * 2 * -8 * 0.2)


def test_a_concatenating_d_sees_picture_and_caption():
    networks = NetworksConfig(
        image_size=32, noise_dim=8, width=4, discriminator_width=4, discriminator="concatenation"
    )
    d = build_discriminator(networks, BAG)
    image, vector = normal(0, 2, 32, 32, 3), normal(1, 2, 8)
    logits = [
        float(d({"image": image[[i]], "caption_vector": vector[[c]]})["logit"][0, 0])
        for i, c in ((0, 0), (0, 1), (1, 0))
    ]
    assert len(set(logits)) == 3


def test_pixel_shuffle_by_hand():
    """One place of two colours a pixel: y[a, b, c] = x[(2 a + b) 2 + c]."""
    x = np.arange(8, dtype="float32").reshape(1, 1, 1, 8)
    expected = [[[[0, 1], [2, 3]], [[4, 5], [6, 7]]]]
    np.testing.assert_array_equal(PixelShuffle(2)(x), expected)


def test_squares_of_pixels_are_drawn_at_once_and_judged_one_by_one():
    networks = dataclasses.replace(SMALL, image_size=64, pixel_shuffle=2)
    model = text_to_image(networks, BAG)
    generator = model.get_layer("generator")
    assert generator.get_layer("to_image").output.shape == (None, 32, 32, 12)
    assert "block_32" in {layer.name for layer in generator.layers}
    assert "block_64" not in {layer.name for layer in generator.layers}
    image = pictures(model, CAPTIONS, normal(0, 3, 8))
    assert image.shape == (3, 64, 64, 3)
    d = build_discriminator(networks, BAG)
    assert d.get_layer("backbone").get_layer("from_image").output.shape == (None, 64, 64, 4)


@pytest.mark.parametrize(("of_d", "channels"), [(0, 8), (32, 32)])
def test_d_may_have_more_channels_than_g(of_d, channels):
    networks = dataclasses.replace(SMALL, most_channels=8, discriminator_most_channels=of_d)
    last_block = build_discriminator(networks, BAG).get_layer("backbone").get_layer("block_4")
    assert last_block.output.shape == (None, 4, 4, channels)
    assert build_generator(networks, BAG).get_layer("block_8").output.shape == (None, 8, 8, 8)


def test_pixel_art_is_drawn_and_judged_a_block_at_a_time():
    networks = NetworksConfig(
        image_size=64, noise_dim=8, width=4, discriminator_width=4, pixel_size=2
    )
    image = pictures(text_to_image(networks, BAG), CAPTIONS, normal(0, 3, 8))
    assert image.shape == (3, 64, 64, 3)
    blocks = image[:, ::2, ::2]
    np.testing.assert_array_equal(image, blocks.repeat(2, axis=1).repeat(2, axis=2))
    d = build_discriminator(networks, BAG)
    other = image.copy()  # the same blocks on average, another picture
    other[:, ::2, ::2] += 0.1
    other[:, 1::2, 1::2] -= 0.1
    told = [d({"image": x, "caption_vector": normal(1, 3, 8)})["logit"] for x in (image, other)]
    np.testing.assert_allclose(*told, atol=1e-5)


def test_a_look_at_texture_is_a_mean_by_hand():
    networks = dataclasses.replace(SMALL, texture_width=2)
    backbone = build_discriminator(networks, BAG).get_layer("backbone")
    for name in ("texture_conv_1", "texture_conv_2"):
        kernel, bias = map(np.zeros_like, backbone.get_layer(name).get_weights())
        kernel[1, 1, 0, 0] = 1  # red goes on as it is, and nothing else does
        backbone.get_layer(name).set_weights([kernel, bias])
    image = np.ones((1, 32, 32, 3), "float32")
    image[:, :, ::4] = -1
    mean = keras.Model(backbone.input, backbone.get_layer("texture_mean").output)
    # Three of four columns are 1; of -1, two LeakyReLUs leave -0.04: (3 - 0.04) / 4
    np.testing.assert_allclose(mean(image), [[0.74, 0]], atol=1e-5)
    backbone.get_layer("texture").set_weights([np.full((2, 8), 10.0), np.full(8, 1.0)])
    whole, both = (
        keras.Model(backbone.input, backbone.get_layer(name).output)(image)
        for name in ("whole", "whole_and_texture")
    )
    np.testing.assert_allclose(both - whole, np.full((1, 8), 8.4), atol=1e-4)  # 10 · 0.74 + 1


def test_a_fresh_look_at_texture_says_nothing():
    d = build_discriminator(dataclasses.replace(SMALL, texture_width=2), BAG).get_layer("backbone")
    before = build_discriminator(SMALL, BAG).get_layer("backbone")
    for layer in (layer for layer in before.layers if layer.weights):
        layer.set_weights(d.get_layer(layer.name).get_weights())
    image = normal(0, 2, 32, 32, 3)
    np.testing.assert_allclose(d(image)["plain"], before(image)["plain"], atol=1e-6)


def test_what_d_sees_at_every_size(discriminator):
    backbone = discriminator.get_layer("backbone")
    image = normal(0, 2, 32, 32, 3)
    seen = looks_at_every_size(backbone)(image)
    assert [tuple(at.shape) for at in seen["maps"]] == [(2, n, n, 4 * 32 // n) for n in (32, 16, 8)]
    # The first is the image's own convolution, behind a LeakyReLU.
    first = keras.ops.leaky_relu(backbone.get_layer("from_image")(image), 0.2)
    np.testing.assert_allclose(seen["maps"][0], first, atol=1e-5)
    for name, of_backbone in backbone(image).items():
        np.testing.assert_allclose(seen[name], of_backbone, atol=1e-5)


def test_projection_by_hand():
    projection = Projection()
    feature = np.array([[1, 2, 3, 4], [1, 0, 0, 0]], "float32")
    plain = np.array([[0.5], [-1.0]], "float32")
    c = np.array([[1.0, -1.0], [0.0, 2.0]], "float32")
    projection(feature, plain, c)
    assert projection.embed.kernel.shape == (2, 4)
    projection.embed.kernel.assign([[1, 0, 2, 0], [0, 1, 0, 3]])
    # c1 W = (1, -1, 2, -3): ⟨(1, 2, 3, 4), ·⟩ = 1 - 2 + 6 - 12 = -7; 0.5 - 7 / √4 = -3
    # c2 W = (0, 2, 0, 6):   ⟨(1, 0, 0, 0), ·⟩ = 0;                   -1 + 0 / √4 = -1
    assert projection(feature, plain, c).numpy().tolist() == [[-3.0], [-1.0]]


# Gradients


def lost_variables(model, inputs):
    """Paths of the variables to which no gradient flows."""
    with tf.GradientTape() as tape:
        outputs = keras.tree.flatten(model(inputs, training=True))
        loss = sum(tf.reduce_sum(out * normal(9, *out.shape)) for out in outputs)
    gradients = tape.gradient(loss, [v.value for v in model.trainable_variables])
    pairs = zip(model.trainable_variables, gradients, strict=True)
    return [v.path for v, g in pairs if g is None or not np.any(np.abs(g.numpy()) > 0)]


@pytest.mark.parametrize("networks", [SMALL, PLAIN])
def test_every_variable_of_the_generator_gets_a_gradient(networks):
    keras.utils.set_random_seed(3)
    generator = build_generator(networks, BAG)
    inputs = {n: normal(i, 3, *x.shape[1:]) for i, (n, x) in enumerate(generator.input.items())}
    if "mask" in inputs:
        inputs["mask"] = np.ones((3, 6), "float32")
    assert len(generator.trainable_variables) > 20
    assert lost_variables(generator, inputs) == []


def test_every_variable_of_the_discriminator_gets_a_gradient(discriminator):
    inputs = {"image": normal(0, 3, 32, 32, 3), "caption_vector": normal(1, 3, 8)}
    assert len(discriminator.trainable_variables) > 20
    assert lost_variables(discriminator, inputs) == []


# Layers


def test_modulation_by_hand():
    h = np.array([[[[1.0, 2.0]]], [[[3.0, -1.0]]]], "float32")  # (2, 1, 1, 2)
    q = np.array([[1.0], [2.0]], "float32")
    modulation = Modulation()
    modulation(h, q)
    # scale = q (0.5, -1) + (0, 1), shift = q (10, 20) + (0, 0.5)
    modulation.affine.kernel.assign([[0.5, -1.0, 10.0, 20.0]])
    modulation.affine.bias.assign([0.0, 1.0, 0.0, 0.5])
    # first: scale (0.5, 0), shift (10, 20.5): (1 · 1.5 + 10, 2 · 1 + 20.5)
    # second: scale (1, -1), shift (20, 40.5): (3 · 2 + 20, -1 · 0 + 40.5)
    assert modulation(h, q).numpy().reshape(2, 2).tolist() == [[11.5, 22.5], [26.0, 40.5]]


@pytest.fixture(scope="module")
def attention():
    keras.utils.set_random_seed(4)
    layer = WordAttention(num_heads=2, key_dim=3)
    layer(normal(0, 2, 4, 4, 5), normal(1, 2, 6, 8), np.ones((2, 6), "float32"))
    return layer


def test_attention_by_hand():
    """One head that compares one number: h, two places of 2 channels; two words of 1 number."""
    layer = WordAttention(num_heads=1, key_dim=1)
    h = np.array([[[[1.0, -1.0], [-2.0, 2.0]]]], "float32")
    words, is_word = np.array([[[1.0], [3.0]]], "float32"), np.ones((1, 2), "float32")
    layer(h, words, is_word)
    layer.query.kernel.assign([[1.0], [0.0]])
    layer.key.kernel.assign([[0.5]])
    layer.value.kernel.assign([[1.0]])
    layer.output_projection.kernel.assign([[1.0, 10.0]])
    # LayerNorm (ε = 0.001) of (1, -1) is 1/√1.001 (1, -1), of (-2, 2) is 2/√4.001 (-1, 1); the
    # query is its first number; keys are 0.5 and 1.5, values 1 and 3. So the second word's
    # weight is σ(query · (1.5 - 0.5)), and what is seen is 1 + 2 σ(query).
    seen = [1 + 2 / (1 + np.exp(-query)) for query in (1 / 1.001**0.5, -2 / 4.001**0.5)]
    expected = [[1 + seen[0], -1 + 10 * seen[0]], [-2 + seen[1], 2 + 10 * seen[1]]]
    np.testing.assert_allclose(layer(h, words, is_word)[0, 0], expected, rtol=1e-5)


def test_attention_does_not_see_padding(attention):
    h, words = normal(0, 2, 4, 4, 5), normal(1, 2, 6, 8)
    is_word = np.array([[1, 1, 0, 0, 0, 0], [1, 1, 1, 1, 1, 0]], "float32")
    others = np.where(is_word[..., None] == 1, words, 50 * normal(2, 2, 6, 8))
    assert not np.array_equal(words, others)
    before, after = attention(h, words, is_word), attention(h, others, is_word)
    np.testing.assert_array_equal(before, after)
    assert change(before.numpy(), attention(h, others, np.ones((2, 6))).numpy()) > 0.01


def test_attention_to_an_empty_caption_adds_nothing(attention):
    h, words = normal(0, 2, 4, 4, 5), normal(1, 2, 6, 8)
    is_word = np.array([[0] * 6, [1] * 6], "float32")
    seen = attention(h, words, is_word).numpy()
    np.testing.assert_array_equal(seen[0], h[0])
    assert change(seen[1], h[1]) > 0.01


def test_attention_treats_words_as_a_set(attention):
    h, words, is_word = normal(0, 2, 4, 4, 5), normal(1, 2, 6, 8), np.ones((2, 6), "float32")
    turned = attention(h, words[:, ::-1], is_word)
    np.testing.assert_allclose(attention(h, words, is_word), turned, atol=1e-5)


# Sizes


@pytest.mark.parametrize("size", [32, 64, 128, 256])
def test_every_image_size_builds_with_its_channels(size):
    config = NetworksConfig(size, noise_dim=3, width=2, discriminator_width=3, word_attention=False)
    generator, discriminator = build_generator(config, BAG), build_discriminator(config, BAG)
    assert generator.output_shape == (None, size, size, 3)
    backbone = discriminator.get_layer("backbone")
    assert backbone.input_shape == (None, size, size, 3)
    assert backbone.get_layer("from_image").output.shape == (None, size, size, 3)
    # The last block has `width` channels; they double with each halving, up to 8 · width.
    by_hand = {256: 1, 128: 2, 64: 4, 32: 8, 16: 8, 8: 8, 4: 8}
    for at in (4, 8, 16, 32, 64, 128, 256):
        factor = by_hand.get(at * 256 // size, 8)
        if 4 < at <= size:
            shape = (None, at, at, 2 * factor)
            assert generator.get_layer(f"block_{at}").output.shape == shape
        if at < size:
            assert backbone.get_layer(f"block_{at}").output.shape == (None, at, at, 3 * factor)


def test_channels_halve_as_sizes_double():
    assert [channels_at(s, 256, 4) for s in (4, 16, 32, 64, 128, 256)] == [32, 32, 32, 16, 8, 4]


# Mixed precision


def test_bfloat16_gives_float32_pictures_close_to_float32s():
    full = text_to_image(SMALL, LSTM)
    mixed = build_text_to_image(
        build_encoder(LSTM, V, "mixed_bfloat16"), build_generator(SMALL, LSTM, "mixed_bfloat16")
    )
    mixed.set_weights(full.get_weights())
    noise = normal(0, 3, 8)
    a, b = pictures(full, CAPTIONS, noise), pictures(mixed, CAPTIONS, noise)
    assert b.dtype == np.float32
    assert 0 < np.abs(a - b).max() < 0.05
    assert change(a[0], a[1]) > 10 * change(a, b)  # far below what a caption changes
    assert {v.dtype for v in mixed.weights} == {"float32"}


def test_bfloat16_gives_float32_logits_close_to_float32s(discriminator):
    mixed = build_discriminator(SMALL, BAG, "mixed_bfloat16")
    mixed.set_weights(discriminator.get_weights())
    inputs = {"image": normal(0, 3, 32, 32, 3), "caption_vector": normal(1, 3, 8)}
    a, b = discriminator(inputs)["logit"].numpy(), mixed(inputs)["logit"].numpy()
    assert b.dtype == np.float32
    assert np.ptp(a) > 5 * np.abs(a - b).max() > 0
