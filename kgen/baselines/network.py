"""The article's model: a caption and a picture are read by LSTMs, and a picture is drawn."""

import keras
from keras import layers

from kgen import checks
from kgen.baselines.config import BaselineConfig


def build_redrawer(config: BaselineConfig, vocabulary_size: int) -> keras.Model:
    """Builds the article's model with fresh weights.

    Formula:
        picture = σ(W [h_text, h_source] + b), each h the last state of an LSTM over embeddings

    The padding after a caption changes nothing: at padding its LSTM keeps its state.

    Args:
        config: Its sizes.
        vocabulary_size: V, tokens in the vocabulary.

    Returns:
        A functional model named `redrawer` from a list of
        `token_ids`: int32 (B, L), in [0, V), 0 = padding, and
        `picture_tokens`: int32 (B, H W), in [0, levels³), of the source, from `pixel_tokens`; to
        `picture`: float32 (B, H, W, 3), in [0, 1].

    Raises:
        ValueError: `vocabulary_size` is below 3.

    Source: the article's example; the LSTM is Hochreiter & Schmidhuber 1997.

    Example:
        >>> model = build_redrawer(BaselineConfig(image_size=16), vocabulary_size=50)
        >>> [given.shape for given in model.inputs], model.output.shape
        ([(None, 32), (None, 256)], (None, 16, 16, 3))
    """
    checks.check_int("vocabulary_size", vocabulary_size, 3)
    token_ids = keras.Input((config.caption_length,), dtype="int32", name="token_ids")
    picture_tokens = keras.Input((config.num_pixels,), dtype="int32", name="picture_tokens")
    text = layers.Embedding(
        vocabulary_size, config.embedding_dim, mask_zero=True, name="text_embedding"
    )(token_ids)  # (B, L, E)
    source = layers.Embedding(config.levels**3, config.embedding_dim, name="source_embedding")(
        picture_tokens
    )  # (B, H W, E)
    # CuDNN's operator exists on no server's CPU and on no phone.
    text = layers.LSTM(config.lstm_units, use_cudnn=False, name="text")(text)
    source = layers.LSTM(config.lstm_units, use_cudnn=False, name="source")(source)
    both = layers.Concatenate(name="both")([text, source])  # (B, 2 units)
    colours = layers.Dense(3 * config.num_pixels, "sigmoid", name="colours")(both)
    shape = (config.image_size, config.image_size, 3)
    picture = layers.Reshape(shape, name="picture")(colours)
    return keras.Model([token_ids, picture_tokens], picture, name="redrawer")


def compile_redrawer(model: keras.Model, learning_rate: float) -> None:
    """Readies a model for `fit([token_ids, picture_tokens], target)`.

    Formula:
        loss = - mean over pictures, pixels and colours of t log p + (1 - t) log(1 - p)

        for the target t and the picture p. At p = t it is the target's entropy, not 0.

    XLA is left out: measured, its steps took as long at 16 and at 32 pixels.

    Args:
        model: From `build_redrawer`.
        learning_rate: Adam's.

    Source: the article's example; Adam is Kingma & Ba 2015.
    """
    model.compile(
        keras.optimizers.Adam(learning_rate), keras.losses.BinaryCrossentropy(), jit_compile=False
    )
