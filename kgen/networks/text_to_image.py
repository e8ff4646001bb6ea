"""The one functional model that ships: T and G joined."""

import keras


def draw(generator: keras.Model, text: dict, noise, training: bool = False):
    """Calls G with what it takes of a caption's encoding.

    Args:
        generator: G, from `build_generator`.
        text: T's output: `caption_vector` (B, C), `words` (B, L, C), `mask` (B, L).
        noise: float32 (B, Z), N(0, 1).
        training: Passed on to G.

    Returns:
        float32 (B, H, W, 3), in [-1, 1].
    """
    given = {"noise": noise, **text}
    return generator({name: given[name] for name in generator.input}, training=training)


def build_text_to_image(encoder: keras.Model, generator: keras.Model) -> keras.Model:
    """Joins T and G.

    Formula:
        y = G(z, T(x))

    Args:
        encoder: T, from `build_encoder`.
        generator: G, from `build_generator`.

    Returns:
        A functional model from a dictionary of `token_ids` int32 (B, L), 0 = padding, and
        `noise` float32 (B, Z), N(0, 1); to `image` float32 (B, H, W, 3), in [-1, 1].
    """
    (length,) = encoder.input_shape[1:]
    (noise_dim,) = generator.input["noise"].shape[1:]
    token_ids = keras.Input((length,), dtype="int32", name="token_ids")
    noise = keras.Input((noise_dim,), name="noise")
    image = draw(generator, encoder(token_ids), noise)
    return keras.Model({"token_ids": token_ids, "noise": noise}, image, name="text_to_image")
