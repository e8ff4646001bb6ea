"""Whole channels of a trained T and G left out, those that matter least.

What is left are the weights of narrower networks of the same kind, for any runtime as fast as
such networks are: single weights set to 0 would save no time.

Source: Li et al. 2017 (Pruning Filters), section 3.
"""

from collections.abc import Sequence

import keras
import numpy as np

from kgen.networks.generator import FIRST_SIZE
from kgen.networks.layers import Modulation, WordAttention
from kgen.training.importance import (
    CAPTION,
    DIRECTIONS,
    EMBEDDING,
    WORDS,
    importances,
    inner,
    is_bag,
    stage,
)

NUM_CAPTIONS = 512  # that tell which channels matter
LAST = "to_image"
SOFTER = 0.1  # a new last layer behind trained ones, which would drive every pixel to -1 or 1

Weights = dict[tuple[str, int], np.ndarray]  # by a layer's name and a weight's place in it


def pruned_weights(
    trained: tuple[keras.Model, keras.Model],
    narrower: tuple[keras.Model, keras.Model],
    token_ids: np.ndarray,
) -> Weights | None:
    """Weights for narrower networks, from the most important channels of wider ones.

    Args:
        trained: T and G.
        narrower: T and G of the same layers, at most as wide. Where G attends to words fewer
            times, what those attentions added is left out; where it has fewer blocks, the larger
            ones are, and its last layer is its own, softened.
        token_ids: int32 (N, L). Captions that importance is measured on.

    Returns:
        Weights by layer and place; None where the networks are as wide, or differ in more than in
        channels.
    """
    left_out = _dispensable(trained[1]) | _larger_blocks(trained[1], narrower[1])
    own = {}
    if _has_new_last_layer(trained[1], narrower[1]):
        last = narrower[1].get_layer(LAST)
        own = {(LAST, i): SOFTER * weight for i, weight in enumerate(last.get_weights())}
    shapes = [
        {key: w.shape for key, w in _weights(models).items() if key not in own}
        for models in (trained, narrower)
    ]
    if shapes[0] == shapes[1] or not _fits_into(shapes[1], shapes[0], left_out):
        return None
    kept = kept_channels(trained, narrower, token_ids)
    used = {name for name, _ in shapes[1]}
    axes = _axes_of_generator(trained[1], kept, used) | _axes_of_encoder(trained[0], kept)
    found = own
    weights = _weights(trained)
    for key in shapes[1]:
        weight = weights[key]
        places = axes.get(key, (None,) * weight.ndim)
        places = [np.arange(n) if at is None else at for at, n in zip(places, weight.shape)]
        found[key] = weight[np.ix_(*places)]
        if found[key].shape != shapes[1][key]:
            return None
    return found


def _has_new_last_layer(trained: keras.Model, narrower: keras.Model) -> bool:
    """Whether the last layer of one G gives more pixels at once than that of the other."""
    return trained.get_layer(LAST).filters != narrower.get_layer(LAST).filters


def _larger_blocks(generator, narrower) -> set[str]:
    """Layers of G for maps that are larger than all of the narrower one's."""
    most = narrower.get_layer(LAST).input.shape[1]
    return {
        layer.name
        for layer in generator.layers
        if layer.name.startswith("block_") and int(layer.name.split("_")[1]) > most
    }


def _dispensable(generator) -> set[str]:
    """Layers that only add something to what is there, so that others do without them."""
    return {layer.name for layer in generator.layers if isinstance(layer, WordAttention)}


def _fits_into(narrower, trained, dispensable) -> bool:
    """Whether every weight has one as large, or larger, in all its axes."""
    missing = {name for name, _ in trained} - {name for name, _ in narrower}
    return missing <= dispensable and all(
        key in trained
        and len(shape) == len(trained[key])
        and all(few <= many for few, many in zip(shape, trained[key]))
        for key, shape in narrower.items()
    )


def _weights(models) -> Weights:
    return {
        (layer.name, place): weight
        for model in models
        for layer in model.layers
        for place, weight in enumerate(layer.get_weights())
    }


def some_captions(token_ids: Sequence[np.ndarray]) -> np.ndarray:
    """int32 (N, L). Captions to measure importance on, of N arrays (K_i, L), one of each."""
    return np.stack([ids[n % len(ids)] for n, ids in enumerate(token_ids[:NUM_CAPTIONS])])


def kept_channels(
    trained: tuple[keras.Model, keras.Model],
    narrower: tuple[keras.Model, keras.Model],
    token_ids: np.ndarray,
) -> dict[str, np.ndarray]:
    """Which channels of each group are kept in narrower networks, in their order.

    Args:
        trained: T and G.
        narrower: T and G, no wider.
        token_ids: int32 (N, L). Captions that importance is measured on.

    Returns:
        int (C,) by group, of the names that `importances` gives.
    """
    encoder, generator = narrower
    sizes = {
        CAPTION: generator.input["caption_vector"].shape[1],
        WORDS: encoder.output["words"].shape[2],
    }
    for layer in (*generator.layers, *encoder.layers):
        if layer.name == "embedding":
            sizes[EMBEDDING] = layer.output.shape[2]
        elif isinstance(layer, keras.layers.Conv2D | keras.layers.Conv2DTranspose):
            _, size, _, channels = layer.input.shape
            sizes[inner(size) if layer.name.endswith("_conv") else stage(size)] = channels
    both_ways = any(layer.name == DIRECTIONS[1] for layer in encoder.layers)
    kept = {}
    for group, of_each in importances(*trained, token_ids).items():
        if group not in sizes:  # of a block that is left out
            continue
        sides = 2 if group == WORDS and both_ways else 1  # a direction's units stay its own
        kept[group] = np.concatenate([
            side * len(part) + _greatest(part, sizes[group] // sides)
            for side, part in enumerate(np.split(of_each, sides))
        ])  # fmt: skip
    return kept


def _greatest(importance, num):
    return np.sort(np.argsort(-importance, kind="stable")[:num])


def _axes_of_generator(generator, kept, used) -> dict[tuple[str, int], tuple]:
    """Which places each axis of each weight of those layers of G keeps; None: all."""
    noise_dim = generator.input["noise"].shape[1]
    condition = np.concatenate([np.arange(noise_dim), noise_dim + kept[CAPTION]])
    axes = {}
    for layer in generator.layers:
        name = layer.name
        if name not in used:
            continue
        if name == "first":
            channels = layer.units // FIRST_SIZE**2
            places = _repeated(kept[stage(FIRST_SIZE)], channels, FIRST_SIZE**2)
            axes |= {(name, 0): (None, places), (name, 1): (places,)}
        elif isinstance(layer, Modulation):
            h, _ = layer._inbound_nodes[0].input_tensors
            _, size, _, channels = h.shape
            within = kept[inner(size) if name.endswith("_2") else stage(size)]
            both = _repeated(within, channels, 2)  # scales, then shifts
            axes |= {(name, 0): (condition, both), (name, 1): (both,)}
        elif isinstance(layer, WordAttention):
            h, words = kept[stage(layer.output.shape[1])], kept[WORDS]
            of_norm, between, of_words = [(h,)] * 2, (h, None), [(words, None)] * 2
            of_each = [*of_norm, between, *of_words, (None, h)]
            axes |= {(name, place): at for place, at in enumerate(of_each)}
        elif isinstance(layer, keras.layers.Conv2DTranspose):
            before, within = kept[stage(layer.input.shape[1])], kept[inner(layer.output.shape[1])]
            axes |= {(name, 0): (None, None, within, before), (name, 1): (within,)}
        elif isinstance(layer, keras.layers.Conv2D):
            size = layer.input.shape[1]
            before = kept[inner(size) if name.endswith("_conv") else stage(size)]
            # A shortcut is enlarged only behind its convolution.
            after = kept.get(stage(2 * size if name.endswith("_shortcut") else size))
            after = None if name == LAST else after
            axes |= {(name, 0): (None, None, before, after), (name, 1): (after,)}
    return axes


def _axes_of_encoder(encoder, kept) -> dict[tuple[str, int], tuple]:
    embedding, words, caption = (kept.get(group) for group in (EMBEDDING, WORDS, CAPTION))
    if embedding is None:  # it is no encoder that can be narrower
        return {}
    axes = {("embedding", 0): (None, embedding)}
    if is_bag(encoder):
        return axes | {("projection", 0): (embedding, words), ("projection", 1): (words,)}
    dim = encoder.output["words"].shape[2]
    axes |= {
        ("caption_vector", 0): (_repeated(words, dim, 2), caption),  # of greatest and mean
        ("caption_vector", 1): (caption,),
    }
    names = [name for name in DIRECTIONS if any(layer.name == name for layer in encoder.layers)]
    for side, name in enumerate(names):
        count = dim // len(names)
        units = words[words // count == side] - side * count
        gates = _repeated(units, count, 4)
        with_mask = np.append(embedding, encoder.get_layer("embedding").output.shape[2])
        axes |= {(name, 0): (with_mask, gates), (name, 1): (units, gates)}
    return axes


def _repeated(kept, channels, times):
    """Places of the same channels in several blocks of them, one behind the other."""
    return (channels * np.arange(times)[:, None] + kept).ravel()
