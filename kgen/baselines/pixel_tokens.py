"""Pictures as the article's model reads them: each pixel a token, row by row."""

from keras import ops

VALUES = 256  # of one colour of a pixel


def pixel_tokens(pixels, levels: int):
    """Quantises each pixel's three colours and counts them as one number to the base `levels`.

    Formula:
        level(v) = ⌊v levels / 256⌋
        token = levels² level(red) + levels level(green) + level(blue)

    Args:
        pixels: uint8 (B, H, W, 3), in [0, 255]; or whole numbers of any type in that range.
        levels: Levels of a colour.

    Returns:
        int32 (B, H W), in [0, levels³). Pixels from left to right, rows from the top.

    Source: the article's example, which reads a picture as a sequence of tokens and does not say
        of what; equal steps in each colour are ours.

    Example:
        >>> red_and_grey = [[[[255, 0, 0], [128, 128, 127]]]]
        >>> ops.convert_to_numpy(pixel_tokens(red_and_grey, levels=4)).tolist()
        [[48, 41]]
    """
    pixels = ops.cast(pixels, "int32")
    level = ops.floor_divide(pixels * levels, VALUES)  # (B, H, W, 3)
    red, green, blue = (level[..., n] for n in range(3))
    tokens = (red * levels + green) * levels + blue  # (B, H, W)
    return ops.reshape(tokens, (-1, tokens.shape[1] * tokens.shape[2]))
