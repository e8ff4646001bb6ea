"""The two sides of the network that tells whether a picture matches its caption.

The picture's side is a small convolutional network that keeps where things are; the caption's
side reads three neighbouring tokens at a time, so that it knows whose colour a colour is.
"""

from dataclasses import dataclass

import keras
from keras import layers

from kgen.networks.feature_map import map_of_features
from kgen.text.encoders import MaskedMaxAndMean, MaskedMean, MaskedWords, TokenMask

LARGEST = 64  # pixels; of larger pictures, means of squares are looked at
DROPOUT = 0.2
MOMENTUM = 0.9  # of the batches' means, so that short trainings have them, too


@dataclass(frozen=True)
class MatcherSize:
    """How large a matcher is.

    Attributes:
        widths: Channels at half, quarter and eighth size.
        where_dim: Numbers of each place of the last map, which is read place by place.
        feature_dim: F, what the vectors are made from.
        vector_dim: C, of the space that both sides share.
        embedding_dim: Of a token.
        vocabulary_size: Most tokens that the caption's side knows.
    """

    widths: tuple[int, int, int]
    where_dim: int
    feature_dim: int
    vector_dim: int
    embedding_dim: int
    vocabulary_size: int


# `full` judges. `small` goes with a model and chooses its best pictures: as float16 it takes less
# than 1 MB.
SIZES = {
    "full": MatcherSize((48, 64, 128), 48, 256, 128, 128, 8000),
    "small": MatcherSize((24, 32, 64), 16, 128, 128, 64, 2000),
}


def build_image_side(shape: tuple[int, int, int], size: MatcherSize = SIZES["full"]) -> keras.Model:
    """From pictures to their features and vectors.

    Args:
        shape: H, W, 3; H and W multiples of 8.
        size: How large the network is.

    Returns:
        A model from `image`, float32 (B, H, W, 3), in [-1, 1], to a dict of
        `features`: float32 (B, F), at least 0. What the vectors are made from.
        `vector`: float32 (B, C).
    """
    image = keras.Input(shape, name="image")
    h = image
    if min(shape[:2]) >= 2 * LARGEST:
        h = layers.AveragePooling2D(min(shape[:2]) // LARGEST)(h)
    h = map_of_features(h, size.widths)  # (B, H/8, W/8, ·)
    where = layers.Conv2D(size.where_dim, 1, activation="relu")(h)
    anywhere = [layers.GlobalAveragePooling2D()(h), layers.GlobalMaxPooling2D()(h)]
    h = layers.Concatenate()([layers.Flatten()(where), *anywhere])
    h = layers.Dropout(DROPOUT)(h)
    h = layers.Dense(size.feature_dim, use_bias=False)(h)
    h = layers.BatchNormalization(momentum=MOMENTUM)(h)
    features = layers.ReLU(name="features")(h)
    vector = layers.Dense(size.vector_dim, name="vector")(features)
    return keras.Model(image, {"features": features, "vector": vector}, name="image_side")


def build_caption_side(
    vocabulary_size: int, caption_length: int, size: MatcherSize = SIZES["full"]
) -> keras.Model:
    """From captions to their vectors.

    Returns:
        A model from token ids int32 (B, L), 0 = padding, to float32 (B, C). The number of padding
        tokens changes nothing.
    """
    token_ids = keras.Input((caption_length,), dtype="int32", name="token_ids")
    mask = TokenMask()(token_ids)
    embedded = layers.Embedding(
        vocabulary_size,
        size.embedding_dim,
        embeddings_initializer=keras.initializers.RandomNormal(stddev=0.3),
    )(token_ids)
    embedded = MaskedWords()([embedded, mask])  # (B, L, E)
    of_three = layers.Conv1D(size.embedding_dim, 3, padding="same", activation="relu")(embedded)
    of_three = MaskedWords()([of_three, mask])
    h = layers.Concatenate()(
        [MaskedMean()([embedded, mask]), MaskedMaxAndMean()([of_three, mask])]
    )  # (B, 3E)
    h = layers.Dropout(DROPOUT)(h)
    deeper = layers.Dense(size.feature_dim, activation="relu")(h)
    vector = layers.Dense(size.vector_dim, name="vector")(layers.Concatenate()([h, deeper]))
    return keras.Model(token_ids, vector, name="caption_side")


def build_scorer(image_side: keras.Model, caption_side: keras.Model) -> keras.Model:
    """Both sides, joined into how well a picture matches a caption.

    Formula:
        match = cos(image side(y), caption side(t))

    Returns:
        A model from a dict of `image` float32 (B, H, W, 3), in [-1, 1], and `token_ids` int32
        (B, L) to a dict of `match`, float32 (B, 1), in [-1, 1].
    """
    inputs = {
        "image": keras.Input(image_side.input.shape[1:], name="image"),
        "token_ids": keras.Input(caption_side.input.shape[1:], dtype="int32", name="token_ids"),
    }
    vectors = [image_side(inputs["image"])["vector"], caption_side(inputs["token_ids"])]
    match = layers.Dot(axes=1, normalize=True, name="match")(vectors)
    return keras.Model(inputs, {"match": match}, name="scorer")
