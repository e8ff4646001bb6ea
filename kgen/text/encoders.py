"""T, the caption encoders: token ids to a caption vector and one vector for each word."""

import keras
from keras import layers, ops

from kgen import checks
from kgen.config import ENCODERS, PRETRAINED, TextConfig
from kgen.text.pretrained import HiddenStates, load_pretrained

TRANSFORMER_LAYERS = 2
TRANSFORMER_HEADS = 4


def build_encoder(
    config: TextConfig,
    vocabulary_size: int,
    dtype: str | None = None,
    states: layers.Layer | None = None,
) -> keras.Model:
    """Builds T.

    The number of padding tokens after a caption changes nothing: neither the caption vector nor
    the vectors of its words. A caption of padding alone gives finite numbers.

    Args:
        config: Which encoder and its sizes L (tokens), E (embedding) and C (caption vector).
        vocabulary_size: V, tokens in the vocabulary.
        dtype: Keras dtype policy of the layers; the global one if left out. The outputs are
            float32 under any policy.
        states: What gives a pretrained encoder's hidden states, float32 (B, L, H), of token ids,
            and is not trained; the preset that `config` names if left out.

    Returns:
        A model named `encoder` from int32 (B, L), in [0, V), 0 = padding, to a dict of
        `caption_vector`: float32 (B, C). What the whole caption says.
        `words`: float32 (B, L, C). What each token says; 0 at padding.
        `mask`: float32 (B, L), in {0, 1}. 1 at a token, 0 at padding.

    Raises:
        ValueError: `vocabulary_size` is below 3 or the encoder's name is unknown.

    Example:
        >>> encoder = build_encoder(TextConfig("bag", caption_length=8), vocabulary_size=10)
        >>> {name: output.shape for name, output in encoder.output.items()}
        {'caption_vector': (None, 128), 'words': (None, 8, 128), 'mask': (None, 8)}
    """
    checks.check_choice("text.encoder", config.encoder, (*ENCODERS, PRETRAINED))
    checks.check_int("vocabulary_size", vocabulary_size, 3)
    token_ids = keras.Input((config.caption_length,), dtype="int32", name="token_ids")
    mask = TokenMask(name="mask", dtype="float32")(token_ids)  # (B, L)
    if config.encoder == PRETRAINED:
        return _with_pooling(token_ids, mask, _pretrained(token_ids, config, dtype, states), config)
    # Unit variance is what the layers' first weights (Glorot) expect of their inputs.
    embedded = layers.Embedding(
        vocabulary_size,
        config.embedding_dim,
        embeddings_initializer=keras.initializers.RandomNormal(stddev=1.0),
        name="embedding",
        dtype=dtype,
    )(token_ids)  # (B, L, E)

    if config.encoder == "bag":
        words = layers.Dense(config.caption_dim, name="projection", dtype=dtype)(embedded)
    elif config.encoder == "transformer":
        words = _transformer(embedded, mask, config.caption_dim, dtype)
    else:
        both_ways = config.encoder == "bilstm"
        words = _lstm(embedded, mask, config.caption_dim, both_ways, dtype)
    return _with_pooling(token_ids, mask, words, config)


def _with_pooling(token_ids, mask, words, config):
    """T from token ids to words (B, L, C), and to a caption vector pooled of those."""
    words = MaskedWords(name="words", dtype="float32")([words, mask])  # (B, L, C)

    if config.encoder == "bag":
        caption_vector = MaskedMean(name="caption_vector", dtype="float32")([words, mask])
    else:
        pooled = MaskedMaxAndMean(name="pooling", dtype="float32")([words, mask])  # (B, 2C)
        # In float32 under any policy: what everything downstream is conditioned on.
        caption_vector = layers.Dense(config.caption_dim, name="caption_vector", dtype="float32")(
            pooled
        )
    outputs = {"caption_vector": caption_vector, "words": words, "mask": mask}
    return keras.Model(token_ids, outputs, name="encoder")


def _pretrained(token_ids, config, dtype, states):
    """A projection of hidden states, brought to unit variance: those of some models lie far off."""
    if states is None:
        pretrained = load_pretrained(config.pretrained)
        states = HiddenStates(pretrained, name="states", dtype="float32")
    x = states(token_ids)  # (B, L, H)
    x = layers.LayerNormalization(name="states_norm", dtype="float32")(x)
    return layers.Dense(config.caption_dim, name="projection", dtype=dtype)(x)


def _lstm(embedded, mask, caption_dim, both_ways, dtype):
    """One LSTM, or one each way, whose state stays exactly 0 on padding.

    Keras' masking makes each step of the loop carry the old state along. Instead the embedding
    is zeroed at padding and the mask is appended to it: its row of the kernel acts as the bias,
    but on tokens only. With no other bias the candidate at padding is tanh(0) = 0, so the state
    stays 0 however long the padding lasts before the backward LSTM meets its first token.
    """
    inputs = MaskAppended(name="embedding_and_one", dtype=dtype)([embedded, mask])  # (B, L, E + 1)

    def run(units, backwards, name):
        return layers.LSTM(
            units,
            return_sequences=True,
            go_backwards=backwards,
            use_bias=False,
            kernel_initializer=ForgetGateOpen(),
            use_cudnn=False,  # CuDNN's operator exists on no server's CPU and on no phone.
            name=name,
            dtype=dtype,
        )(inputs)

    if not both_ways:
        return run(caption_dim, False, "forward")
    forward = run(caption_dim // 2, False, "forward")
    backward = run(caption_dim // 2, True, "backward")  # last token first
    backward = Reversed(name="backward_reversed", dtype=dtype)(backward)
    return layers.Concatenate(name="both_ways", dtype=dtype)([forward, backward])


def _transformer(embedded, mask, caption_dim, dtype):
    """Pre-norm layers (Xiong et al. 2020, figure 1b) that attend to tokens only."""
    x = layers.Dense(caption_dim, name="projection", dtype=dtype)(embedded)
    x = Positions(name="positions", dtype=dtype)(x)  # (B, L, C)
    keys = layers.Reshape((1, mask.shape[1]), name="keys", dtype="float32")(mask)  # (B, 1, L)
    for n in range(1, TRANSFORMER_LAYERS + 1):
        y = layers.LayerNormalization(name=f"attention_{n}_norm", dtype=dtype)(x)
        y = layers.MultiHeadAttention(
            TRANSFORMER_HEADS,
            caption_dim // TRANSFORMER_HEADS,
            use_bias=False,  # A bias on the keys moves no softmax and would get no gradient.
            name=f"attention_{n}",
            dtype=dtype,
        )(y, y, attention_mask=keys)
        x = layers.Add(name=f"attention_{n}_sum", dtype=dtype)([x, y])
        y = layers.LayerNormalization(name=f"feed_forward_{n}_norm", dtype=dtype)(x)
        y = layers.Dense(4 * caption_dim, "gelu", name=f"feed_forward_{n}_wide", dtype=dtype)(y)
        y = layers.Dense(caption_dim, name=f"feed_forward_{n}", dtype=dtype)(y)
        x = layers.Add(name=f"feed_forward_{n}_sum", dtype=dtype)([x, y])
    return layers.LayerNormalization(name="last_norm", dtype=dtype)(x)


@keras.saving.register_keras_serializable("kgen")
class ForgetGateOpen(keras.initializers.Initializer):
    """Glorot's first weights; the last row, which acts as the bias, is 1 for the forget gate.

    Source: Jozefowicz et al. 2015, section 2.2.
    """

    def __call__(self, shape, dtype=None):
        inputs, gates = shape  # gates in Keras' order: input, forget, candidate, output
        kernel = keras.initializers.GlorotUniform()((inputs - 1, gates), dtype)
        units = gates // 4
        bias = ops.concatenate([ops.zeros(units), ops.ones(units), ops.zeros(2 * units)])
        return ops.concatenate([kernel, ops.cast(bias, kernel.dtype)[None]], axis=0)


@keras.saving.register_keras_serializable("kgen")
class TokenMask(layers.Layer):
    """int32 (B, L) token ids to float32 (B, L): 1 at a token, 0 at padding."""

    def call(self, token_ids):
        return ops.cast(ops.not_equal(token_ids, 0), self.compute_dtype)


@keras.saving.register_keras_serializable("kgen")
class MaskAppended(layers.Layer):
    """(B, L, E) and the mask (B, L) to (B, L, E + 1): 0 at padding, then the mask itself."""

    def call(self, inputs):
        x, mask = inputs
        return ops.concatenate([x * mask[..., None], mask[..., None]], axis=-1)


@keras.saving.register_keras_serializable("kgen")
class Reversed(layers.Layer):
    """(B, L, C) with the order of L turned round."""

    def call(self, x):
        return ops.flip(x, axis=1)


@keras.saving.register_keras_serializable("kgen")
class Positions(layers.Layer):
    """(B, L, C) plus a learned vector for each place, in (L, C)."""

    def build(self, input_shape):
        self.table = self.add_weight(
            shape=input_shape[1:],
            initializer=keras.initializers.RandomNormal(stddev=0.1),
            name="table",
        )

    def call(self, x):
        return x + self.table


@keras.saving.register_keras_serializable("kgen")
class MaskedWords(layers.Layer):
    """(B, L, C) and the mask (B, L) to float32 (B, L, C): 0 at padding."""

    def call(self, inputs):
        words, mask = inputs
        return words * mask[..., None]


@keras.saving.register_keras_serializable("kgen")
class MaskedMean(layers.Layer):
    """Words (B, L, C), 0 at padding, and the mask (B, L) to their mean over tokens (B, C).

    Formula:
        mean = sum_l words_l / max(1, sum_l mask_l)
    """

    def call(self, inputs):
        words, mask = inputs
        tokens = ops.maximum(ops.sum(mask, axis=1, keepdims=True), 1.0)  # (B, 1)
        return ops.sum(words, axis=1) / tokens


@keras.saving.register_keras_serializable("kgen")
class MaskedMaxAndMean(MaskedMean):
    """Words (B, L, C), 0 at padding, and the mask (B, L) to max and mean over tokens (B, 2C).

    Both are 0 for a caption without tokens.
    """

    def call(self, inputs):
        words, mask = inputs
        at_padding = -1e9 * (1.0 - mask[..., None])
        greatest = ops.max(words + at_padding, axis=1) * ops.max(mask, axis=1, keepdims=True)
        return ops.concatenate([greatest, super().call(inputs)], axis=-1)
