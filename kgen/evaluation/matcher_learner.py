"""What the judge of captions learns by. Both its sides are learned from nothing, on the user's own
pictures.

Source: image and text in one space by a symmetric contrastive loss: ConVIRT (Zhang et al. 2020);
    its temperature is learned, as in CLIP (Radford et al. 2021, section 2.3); the words as a
    second task: Joulin et al. 2016, section 3.
"""

import keras
from keras import layers, ops

from kgen.training.losses import contrastive_loss, same_captions, word_loss

FIRST_SCALE, LAST_SCALE = 14.0, 100.0  # one over the temperature; CLIP's bounds


def build_learner(
    image_side: keras.Model, caption_side: keras.Model, vocabulary_size: int
) -> keras.Model:
    """Both sides with their losses, ready to be compiled without any other.

    Returns:
        A model of `image`, and of two captions of each picture, `token_ids` and `other_token_ids`.
    """
    inputs = {"image": keras.Input(image_side.input.shape[1:], name="image")}
    for name in ("token_ids", "other_token_ids"):
        inputs[name] = keras.Input(caption_side.input.shape[1:], dtype="int32", name=name)
    seen = image_side(inputs["image"])
    words = layers.Dense(vocabulary_size, name="words")(seen["features"])
    ids = [inputs["token_ids"], inputs["other_token_ids"]]
    output = Contrast(name="contrast")([seen["vector"], words, *ids, *map(caption_side, ids)])
    return keras.Model(inputs, output, name="learner")


class Contrast(layers.Layer):
    """The losses, as a layer, since the temperature is learned; gives the first loss out.

    Formula:
        L = ½ Σ over both captions of (contrastive_loss at scale min(exp s, 100) + word_loss)
    """

    def build(self, input_shape):
        first = keras.initializers.Constant(ops.log(FIRST_SCALE))
        self.log_scale = self.add_weight(shape=(), initializer=first, name="log_scale")

    def call(self, inputs):
        feature, words, ids, other_ids, vector, other_vector = inputs
        scale = ops.minimum(ops.exp(self.log_scale), LAST_SCALE)
        loss = 0.0
        for token_ids, caption_vector in ((ids, vector), (other_ids, other_vector)):
            same = same_captions(token_ids)
            loss += 0.5 * contrastive_loss(feature, caption_vector, same, scale)
            loss += 0.5 * word_loss(words, token_ids)
        self.add_loss(loss)
        return loss
