"""A new run's first weights, taken from a model that is trained already.

Source: Wang et al. 2018 (Transferring GANs), section 3: both networks start from trained ones.
Words that both vocabularies hold keep their vectors, which is ours.
"""

import math
import os
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import keras
import numpy as np

from kgen.checks import ToldWarning
from kgen.model_folder import read_model
from kgen.networks.layers import Modulation
from kgen.text.pretrained import HiddenStates, pretrained_of
from kgen.training.building import build_gan
from kgen.training.checkpoints import LAST
from kgen.training.pruning import SOFTER, pruned_weights, some_captions
from kgen.training.widening import widened

# Share of the wordpieces from which on T is taken. Of 300 watercolours' 553 wordpieces scenes_64
# knows 54, and T learned the others more slowly than from nothing: docs/ablations.md, fruit_300.
LEAST_KNOWN = 0.5
LEAST_SHARE = 0.01  # of G's parameters; a bias or two always fit


def start_from_model(
    gan,
    vocabulary: Sequence[str],
    folder: str | os.PathLike,
    token_ids: Sequence[np.ndarray] = (),
) -> None:
    """Puts a trained model's weights into G and, if it knows half of the wordpieces, into T, and
    into their averages; from a run of the same picture size, also into D.

    Into narrower networks of the same vocabulary go the channels that matter most. Else layers are
    matched by name, and only weights of the same shape are taken, or of narrower layers, which then
    do in the wider ones what they did; so the two configurations may differ. What was taken is said
    as a `ToldWarning`.

    Args:
        gan: The untrained networks.
        vocabulary: T's tokens.
        folder: A trained preset's folder, or a run's.
        token_ids: N arrays int32 (K_i, L), the ids of each picture's captions: what matters is
            measured on some of them.

    Raises:
        FileNotFoundError: There is no model in the folder.
        ValueError: It is damaged, or hardly any of its weights fit.
    """
    folder = Path(folder)
    found = read_model(folder)
    of_t, of_g = (found.model.get_layer(name) for name in ("encoder", "generator"))
    pruned = None
    if len(token_ids) and tuple(vocabulary) == tuple(found.vocabulary):
        networks = gan.encoder, gan.generator
        pruned = pruned_weights((of_t, of_g), networks, some_captions(token_ids))
    if pruned:
        for_t, for_g = _put(pruned, of_t, gan.encoder), _put(pruned, of_g, gan.generator)
    else:
        for_t, for_g = _take_text(gan, vocabulary, found), _take_drawing(gan, of_g, folder)
    sizes = [model.output.shape[1] for model in (gan.generator, of_g)]
    gan.averaged_encoder.set_weights(gan.encoder.get_weights())
    gan.averaged_generator.set_weights(gan.generator.get_weights())
    of_d = "a preset has no discriminator"
    if sizes[0] != sizes[1]:
        # Its judgement of small maps would be right at once, and G's new layers have no time.
        of_d = f"no discriminator, which knows pictures of {sizes[1]} pixels"
    elif (folder / LAST).is_file():
        source = build_gan(found.config, len(found.vocabulary), states=_states(found.model))
        # What the run had beside the networks, such as its chance of augmentation, stays there.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            source.load_weights(folder / LAST, skip_mismatch=True)
        for_d, _ = _take(gan.discriminator, source.discriminator, but="words")
        _take_word_heads(gan.discriminator, vocabulary, source.discriminator, found.vocabulary)
        of_d = f"{_percent(for_d)} of the discriminator"
    warnings.warn(f"started from {folder}: {for_t}, {for_g}; {of_d}", ToldWarning, stacklevel=2)


def _put(weights, trained, narrower) -> str:
    """Sets all weights of T or G; says how many of the trained ones they are."""
    for layer in narrower.layers:
        layer.set_weights([weights[layer.name, i] for i in range(len(layer.weights))])
    share = narrower.count_params() / trained.count_params()
    return f"the {_percent(share)} that matter most of the {trained.name}'s weights"


def _take_text(gan, vocabulary, found) -> str:
    known = len(_places_of_both(vocabulary, found.vocabulary)[0])
    if known < LEAST_KNOWN * len(vocabulary):
        return f"no encoder, since of {len(vocabulary)} wordpieces it knows {known}"
    of_t = found.model.get_layer("encoder")
    vectors = _take_vectors(gan.encoder, vocabulary, of_t, found.vocabulary)
    share, _ = _take(gan.encoder, of_t, but="embedding")
    return f"{_percent(share)} of the encoder, {vectors} of {len(vocabulary)} wordpieces"


def _take_drawing(gan, of_g, folder) -> str:
    share, new = _take(gan.generator, of_g)
    if share < LEAST_SHARE:
        raise ValueError(
            f"{folder}: {100 * share:.2g} % of its generator fits this configuration. Choose a "
            "model of the same networks.width and text.caption_dim, or train without it."
        )
    _soften(gan.generator, new, gan.generator.output.shape[1] != of_g.output.shape[1])
    return f"{_percent(share)} of the generator"


def _states(model):
    """What gives a pretrained encoder's hidden states, so that they are read only once."""
    pretrained = pretrained_of(model)
    return HiddenStates(pretrained, name="states", dtype="float32") if pretrained else None


def _take_vectors(encoder, vocabulary, trained, trained_vocabulary) -> int:
    """Copies the vectors of the wordpieces that both know; gives how many."""
    tables = [
        weight for model in (encoder, trained) for layer, _, weight in _named(model)
        if layer.name == "embedding"
    ]  # fmt: skip
    if len(tables) < 2 or tables[0].shape[1] != tables[1].shape[1]:
        return 0
    mine, known = (table.numpy() for table in tables)
    to, of = _places_of_both(vocabulary, trained_vocabulary)
    mine[to] = known[of]
    tables[0].assign(mine)
    return len(to)


def _take_word_heads(discriminator, vocabulary, trained, trained_vocabulary) -> None:
    """Copies what D tells the wordpieces by that both know, where their features are as many."""
    to, of = _places_of_both(vocabulary, trained_vocabulary)
    pairs = zip(*(
        [weight for layer, _, weight in _named(model) if layer.name == "words"]
        for model in (discriminator, trained)
    ))  # fmt: skip
    for mine, known in pairs:
        if mine.shape[:-1] == known.shape[:-1]:
            values = mine.numpy()
            values[..., to] = known.numpy()[..., of]
            mine.assign(values)


def _places_of_both(vocabulary, trained_vocabulary) -> tuple[np.ndarray, np.ndarray]:
    """Where the wordpieces that both know are, in the one and in the other."""
    places = {piece: i for i, piece in enumerate(trained_vocabulary)}
    both = [(i, places[piece]) for i, piece in enumerate(vocabulary) if piece in places]
    to, of = np.array(both, int).reshape(-1, 2).T
    return to, of


def _take(model: keras.Model, trained: keras.Model, but: str = "") -> tuple[float, list]:
    """Copies what is in a layer of the same name, in the same place and shape, or narrower; gives
    the share of the parameters that it is, in [0, 1], and the weights that nothing was taken for,
    each with its layer.
    """
    weights = {(layer.name, place): weight for layer, place, weight in _named(trained)}
    taken = total = 0
    new = []
    for layer, place, variable in _named(model):
        if layer.name == but:
            continue
        total += math.prod(variable.shape)
        value = weights.get((layer.name, place))
        wanted = value
        if value is not None and value.shape != variable.shape:
            wanted = widened(layer, variable.numpy(), value.numpy())
        if wanted is None:
            new.append((layer, variable))
        else:
            variable.assign(wanted)
            taken += math.prod(value.shape)
    return taken / max(1, total), new


def _soften(generator, new_weights, other_size) -> None:
    """Keeps G's new layers from driving every pixel to -1 or 1, where nothing can be learned.

    They are initialised for a T that is not trained, whose vectors are far shorter than a trained
    one's. So new modulations begin as if they were not there, and a last layer softly, if it or
    what it draws from is new.
    """
    for layer, weight in new_weights:
        if isinstance(layer, Modulation):
            weight.assign(np.zeros(weight.shape))
    last = generator.get_layer("to_image")
    if other_size or any(layer is last for layer, _ in new_weights):
        last.kernel.assign(SOFTER * last.kernel.numpy())


def _percent(share):
    return f"{100 * share:.3g} %"


def _named(model: keras.Model) -> Iterator[tuple[keras.Layer, int, keras.Variable]]:
    """Every weight with its layer and its place in it, also of models in the model."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _named(layer)
        else:
            yield from ((layer, i, weight) for i, weight in enumerate(layer.weights))
