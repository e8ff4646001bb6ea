"""Things that stand, fly or float in a scene: trees, houses, boats, birds, a balloon."""

import numpy as np

from kgen.data.scene_canvas import Canvas, mix, rgb
from kgen.data.scene_light import Light

WHITE = rgb("#ffffff")


def fir(canvas: Canvas, x, ground, high, colour, snow=None, wide=0.3) -> None:
    """A fir of three tiers, with its foot at `ground`; `snow`: colour of the snow on it."""

    def half(t):
        tier = np.minimum(t * 3.0, 2.999)
        return (
            wide * high * (0.42 + 0.29 * np.floor(tier)) * np.mod(tier, 1) ** 0.9 + 0.04 * high * t
        )

    trunk = high * 0.05
    canvas.box(x - trunk, x + trunk, ground - 0.12 * high, ground, colour * 0.6)
    top, bottom = ground - high, ground - 0.1 * high
    if snow is None:
        canvas.column(x, half, top, bottom, colour)
        return

    def snowed(t):
        part = np.mod(np.minimum(t * 3.0, 2.999), 1)[..., None]
        return mix(snow, colour, np.clip((part - 0.42) * 5, 0, 1))

    canvas.column(x, half, top, bottom, snowed)


def round_tree(canvas: Canvas, x, ground, high, colour, light_side=0.0) -> None:
    """A tree with a round crown, its lit side turned to `light_side` (-1 left, 1 right)."""
    canvas.column(
        x, lambda t: high * (0.035 + 0.03 * t**2), ground - 0.5 * high, ground, colour * 0.45
    )
    r = high * 0.34
    puffs = ((-0.55, 0.35, 0.72), (0.55, 0.35, 0.72), (0.0, 0.0, 1.0))
    for dx, dy, size in puffs if high > 0.16 else puffs[2:]:  # a far tree is one puff
        canvas.ellipse(x + dx * r, ground - high + r + dy * r, r * size, r * size, colour)
    bright = np.minimum(colour * 1.35 + 0.03, 1)
    canvas.ellipse(
        x + 0.3 * r * light_side, ground - high + 0.8 * r, r * 0.55, r * 0.5, bright, 0.75
    )


def palm(canvas: Canvas, x, ground, high, colour, lean) -> None:
    """A palm with a bent trunk."""
    top = ground - high * 0.86
    bend = lean * high * 0.2
    canvas.column(
        lambda t: x + bend * (1 - t) ** 2,
        lambda t: high * (0.025 + 0.02 * t),
        top,
        ground,
        colour * 0.7,
    )
    for dx, dy in (
        (-0.4, 0.1),
        (0.4, 0.1),
        (-0.3, -0.14),
        (0.3, -0.14),
        (-0.22, 0.26),
        (0.22, 0.26),
    ):
        x0, y0 = x + bend, top
        x1, y1 = x0 + dx * high * 0.6, y0 + (dy - 0.1) * high * 0.55
        canvas.stroke(x0, y0, x1, y1, high * 0.045, colour)
        canvas.stroke(x1, y1, x1 + dx * high * 0.3, y1 + 0.14 * high, high * 0.032, colour)


def cactus(canvas: Canvas, x, ground, high, colour) -> None:
    """A cactus with two arms."""
    r = high * 0.085
    canvas.stroke(x, ground, x, ground - high, r, colour)
    for side, low, up in ((-1, 0.35, 0.72), (1, 0.48, 0.82)):
        elbow = x + side * high * 0.26
        canvas.stroke(x, ground - low * high, elbow, ground - low * high, r * 0.72, colour)
        canvas.stroke(elbow, ground - low * high, elbow, ground - up * high, r * 0.72, colour)


def house(canvas: Canvas, x, ground, size, light: Light, roof) -> None:
    """A house with a gable roof, a door and a window that is lit when it is dark."""
    soft = 0.5  # walls keep some of their own colour, so that a house shows against dark land
    wall = light.on(rgb("#f6ead4"), 0.96, soft)
    tiles = light.on(roof, 0.96, soft)
    top = ground - size * 0.52
    eaves, ridge = top + size * 0.03, top - size * 0.42

    def box(left, right, high, low, colour):
        canvas.box(x + left * size, x + right * size, high, low, colour)

    box(0.2, 0.34, ridge + 0.02 * size, top, tiles * 0.75)
    box(-0.46, 0.46, top, ground, wall)
    canvas.polygon(((x, ridge), (x + 0.62 * size, eaves), (x - 0.62 * size, eaves)), tiles)
    box(0.08, 0.3, ground - 0.34 * size, ground, light.on(rgb("#7a4a2c"), 0.96, soft))
    glass = light.lamp if light.lit else rgb("#6f9fc0")
    box(-0.34, -0.08, ground - 0.38 * size, ground - 0.14 * size, glass)
    if light.lit > 0.2:
        canvas.glow(x - 0.2 * size, ground - 0.26 * size, size * 0.5, size * 0.4, light.lamp, 0.3)


def boat(canvas: Canvas, x, water, size, light: Light, hull, turn) -> None:
    """A sailing boat and its reflection; `turn` is -1 or 1, the way it sails."""
    sail = light.on(rgb("#fffaf0"), 0.97, 0.42)
    wood = light.on(hull, 0.97, 0.75)
    canvas.ellipse(x, water + 0.07 * size, 0.44 * size, 0.09 * size, sail, 0.35)
    top, deck = water - size, water - 0.2 * size

    def sided(points):
        moved = [(x + turn * dx * size, y) for dx, y in points]
        return moved if turn > 0 else moved[::-1]

    canvas.box(x - 0.022 * size, x + 0.022 * size, top - 0.04 * size, deck, wood * 0.8)
    canvas.polygon(
        sided(((0.04, top), (0.44, deck - 0.05 * size), (0.04, deck - 0.05 * size))), sail
    )
    jib = mix(sail, light.glow, 0.3) * 0.9
    canvas.polygon(
        sided(
            ((-0.05, top + 0.16 * size), (-0.05, deck - 0.05 * size), (-0.36, deck - 0.05 * size))
        ),
        jib,
    )
    canvas.column(x, lambda t: size * (0.5 - 0.22 * t**1.6), deck, water + 0.02 * size, wood)


def bird(canvas: Canvas, x, y, span, colour, lift) -> None:
    """A gull: two wings, each of two strokes."""
    for side in (-1, 1):
        elbow = x + side * span * 0.26, y - span * (0.2 + lift)
        canvas.stroke(x, y, *elbow, span * 0.07, colour)
        canvas.stroke(
            *elbow, x + side * span * 0.55, y - span * (0.08 + lift * 0.4), span * 0.055, colour
        )


def balloon(canvas: Canvas, x, y, size, light: Light, colours) -> None:
    """A striped hot-air balloon; `y` is the middle of its envelope, `size` its width."""
    r = size / 2

    def envelope(t):
        ball = np.sqrt(np.maximum(1 - (t * 1.62 - 1) ** 2, 0))
        return r * np.where(t < 0.62, ball, np.maximum(0.26, 1 - 1.95 * (t - 0.62)))

    a, b = (light.on(c, 0.98, 0.34) for c in colours)
    top, bottom = y - r, y + 1.45 * r
    for scale, colour in ((1.0, a), (0.66, b), (0.26, a)):
        canvas.column(x, lambda t, scale=scale: envelope(t) * scale, top, bottom, colour)
    for side in (-1, 1):
        canvas.stroke(
            x + side * 0.24 * r, bottom, x + side * 0.18 * r, bottom + 0.3 * r, 0.006, a * 0.5
        )
    basket = light.on(rgb("#8a5a34"), 0.98, 0.7)
    low = bottom + 0.25 * r
    canvas.column(x, lambda t: r * (0.25 - 0.04 * t), low, low + 0.36 * r, basket)
