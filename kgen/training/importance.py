"""How much each channel of a trained T and G matters, on captions that it is to draw."""

from collections import defaultdict
from collections.abc import Iterator

import keras
import numpy as np

from kgen.networks.layers import Modulation, WordAttention
from kgen.noise import sample_noise

BATCH = 64
DIRECTIONS = "forward", "backward"  # in the order in which their units stand in a word's vector
CAPTION, WORDS, EMBEDDING = "caption", "words", "embedding"


def stage(size: int) -> str:
    """Name of the channels of G's feature maps that are `size` pixels high, between blocks."""
    return f"stage_{size}"


def inner(size: int) -> str:
    """Name of the channels inside the block that gives such maps."""
    return f"inner_{size}"


def importances(
    encoder: keras.Model, generator: keras.Model, token_ids: np.ndarray, seed: int = 0
) -> dict[str, np.ndarray]:
    """The importance of every channel, by groups of channels that stand or fall together.

    Formula:
        I(i) = Σ over the layers that read channel i of √E[x_i²] · ‖W_i‖,
        x_i what comes in the channel, W_i the weights that read it

    Args:
        encoder: T, of LSTMs or `bag`; of others nothing is said.
        generator: G.
        token_ids: int32 (N, L). Captions.
        seed: Of the noise.

    Returns:
        float64 (C,) for each of `stage(size)` and `inner(size)` of G, and of T `CAPTION`
        (caption vector), `WORDS` and `EMBEDDING`.

    Source: Sun et al. 2024 (Wanda), section 3, eq. 1, summed over all weights that read a channel
        as Li et al. 2017 (Pruning Filters), section 3.1, sum a filter's.
    """
    text = encoder.predict(token_ids, batch_size=BATCH, verbose=0)
    noise = sample_noise(len(token_ids), generator.input["noise"].shape[1], seed)
    given = {"noise": noise, **text}
    given = {name: given[name] for name in generator.input}
    found = defaultdict(float)
    for model, inputs, readers in (
        (generator, given, _readers_of_generator(generator)),
        (encoder, token_ids, _readers_of_encoder(encoder)),
    ):
        readers = list(readers)
        if not readers:
            continue
        tapped = keras.Model(model.input, [tensor for _, tensor, _ in readers])
        sizes = _root_mean_squares(tapped, inputs)
        for (group, _, kernel), size in zip(readers, sizes, strict=True):
            of_each = size * np.sqrt(np.sum(np.square(kernel, dtype=np.float64), axis=1))
            found[group] = found[group] + _own_channels(group, of_each, generator)
    if is_bag(encoder):  # its caption vector is the mean of its words: one group, two names
        found[CAPTION] = found[WORDS] = found[CAPTION] + found[WORDS]
    return dict(found)


def _root_mean_squares(tapped, inputs):
    """√E[x_i²] of each tapped tensor's last axis: a list of float64 (C,)."""
    num = len(keras.tree.flatten(inputs)[0])
    totals = None
    for i in range(0, num, BATCH):
        some = keras.tree.map_structure(lambda rows, i=i: rows[i : i + BATCH], inputs)
        seen = keras.tree.flatten(tapped(some, training=False))
        squares = [np.square(np.asarray(x, np.float64)) for x in seen]
        sums = [len(x) * x.reshape(-1, x.shape[-1]).mean(axis=0) for x in squares]
        totals = sums if totals is None else [a + b for a, b in zip(totals, sums, strict=True)]
    return [np.sqrt(total / num) for total in totals]


def is_bag(encoder: keras.Model) -> bool:
    """Whether the caption vector is the words' mean."""
    return not isinstance(encoder.get_layer("caption_vector"), keras.layers.Dense)


def _own_channels(group, of_each, generator):
    """From what a layer reads to the group's channels: it may read others before, or them twice."""
    if group == CAPTION:  # behind the noise
        return of_each[generator.input["noise"].shape[1] :]
    if group == WORDS and len(of_each) == 2 * generator.input["caption_vector"].shape[1]:
        return np.sum(np.split(of_each, 2), axis=0)  # their greatest and their mean
    return of_each


def _readers_of_generator(generator) -> Iterator[tuple[str, keras.KerasTensor, np.ndarray]]:
    """Each layer that reads channels: their group, what comes in, and its weights (I, O)."""
    for layer in generator.layers:
        if isinstance(layer, Modulation):
            _, condition = layer._inbound_nodes[0].input_tensors
            yield CAPTION, condition, layer.affine.kernel.numpy()
        elif isinstance(layer, WordAttention):
            words = generator.input["words"]
            yield WORDS, words, layer.key.kernel.numpy()
            yield WORDS, words, layer.value.kernel.numpy()
        elif isinstance(layer, keras.layers.Conv2D | keras.layers.Conv2DTranspose):
            size = layer.input.shape[1]
            group = inner(size) if layer.name.endswith("_conv") else stage(size)
            yield group, layer.input, _by_input(layer)


def _readers_of_encoder(encoder) -> Iterator[tuple[str, keras.KerasTensor, np.ndarray]]:
    by_name = {layer.name: layer for layer in encoder.layers}
    lstms = [by_name[name] for name in DIRECTIONS if name in by_name]
    if lstms:  # each step reads the state before, which is a word's vector
        recurrent = np.concatenate([layer.get_weights()[1] for layer in lstms])
        yield WORDS, encoder.output["words"], recurrent
    for layer in encoder.layers:
        if layer.name == "caption_vector" and not is_bag(encoder):
            yield WORDS, layer.input, layer.kernel.numpy()
        elif layer in lstms:
            # The last row is the mask's.
            embedded = encoder.get_layer("embedding").output
            yield EMBEDDING, embedded, layer.get_weights()[0][:-1]
        elif layer.name == "projection" and is_bag(encoder):
            yield EMBEDDING, layer.input, layer.kernel.numpy()


def _by_input(layer):
    """A convolution's weights as (I, all others)."""
    kernel = layer.kernel.numpy()
    axis = 3 if isinstance(layer, keras.layers.Conv2DTranspose) else 2
    return np.moveaxis(kernel, axis, 0).reshape(kernel.shape[axis], -1)
