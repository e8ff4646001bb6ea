"""The one main extra of a scene: how many there are, and where they stand, fly or float."""

import numpy as np

from kgen.data.scene_canvas import Canvas, mix, rgb
from kgen.data.scene_light import Light
from kgen.data.scene_sky import Body
from kgen.data.scene_things import WHITE, balloon, bird, boat, fir, house, palm, round_tree

_NUMBERS = {"none": 0, "one": 1, "two": 2, "three": 3}
_ROOFS = ("#c2493d", "#b5553a", "#a8475a")
_HULLS = ("#a8432f", "#7a4326", "#2f5d8a")
_BALLOONS = (
    ("#e8483f", "#ffe9c7"),
    ("#f39a1f", "#fff3d6"),
    ("#3f7fd6", "#ffd75e"),
    ("#c2449a", "#ffe3ec"),
)
_FEATHERS = rgb("#1c2230")


def paint_extra(
    canvas: Canvas, scene, body: Body, light: Light, ground, rng: np.random.Generator
) -> None:
    """The extra of a scene, on `ground` (x -> y) or above it.

    Clouds and stars belong to the sky, boats to the water; they are painted there.
    """
    num = _NUMBERS[scene.count]
    if scene.extra == "birds":
        _birds(canvas, num, body, light, scene, rng)
    elif scene.extra == "balloon":
        colours = [rgb(c) for c in _BALLOONS[rng.integers(len(_BALLOONS))]]
        x, y, size = (body.beside(rng, 0.27, 0.15, 0.85), *rng.uniform((0.2, 0.19), (0.34, 0.23)))
        balloon(canvas, x, y, size, light, colours)
    elif scene.extra == "house":
        roof = rgb(_ROOFS[rng.integers(len(_ROOFS))])
        for x in _spread(num, rng):
            size = (0.25, 0.21, 0.18)[num - 1] * rng.uniform(0.95, 1.08)
            house(canvas, x, float(ground(x)) + 0.03, size, light, roof)
    elif scene.extra == "trees":
        for x in _spread(num, rng):
            high, lean = (
                (0.36, 0.32, 0.29)[num - 1] * rng.uniform(0.9, 1.08),
                rng.choice((-1.0, 1.0)),
            )
            _tree(canvas, x, float(ground(x)) + 0.03, high, lean, scene.terrain, body, light)


def paint_boats(
    canvas: Canvas, scene, body: Body, light: Light, near: float, rng: np.random.Generator
) -> None:
    """The boats of a scene, floating at about y = `near`; nothing where it has none."""
    if scene.extra != "boat":
        return
    num = _NUMBERS[scene.count]
    hull = rgb(_HULLS[rng.integers(len(_HULLS))])
    turn = float(rng.choice((-1.0, 1.0)))
    # One alone keeps out of the body's light.
    for x in (body.beside(rng, 0.14, 0.22, 0.78),) if num == 1 else _spread(num, rng):
        size = (0.29, 0.25, 0.21)[num - 1] * rng.uniform(0.95, 1.05)
        boat(canvas, x, near + rng.uniform(-0.015, 0.025), size, light, hull, turn)


def _spread(num: int, rng: np.random.Generator) -> np.ndarray:
    """float (num,): x of `num` things side by side, never overlapping."""
    if num == 1:
        return rng.uniform(0.18, 0.82, 1)
    low, high = 0.07, 0.93
    slot = (high - low) / num
    return low + slot * (np.arange(num) + 0.5 + rng.uniform(-0.16, 0.16, num))


def _tree(canvas, x, ground, high, lean, terrain, body: Body, light: Light) -> None:
    if terrain == "desert":
        palm(canvas, x, ground, high, light.on(rgb("#3c7a48"), 0.97, 0.85), lean)
    elif terrain == "mountains":
        fir(canvas, x, ground, high * 1.05, light.on(rgb("#1f5a44"), 0.97, 0.85))
    else:
        round_tree(
            canvas, x, ground, high, light.on(rgb("#3f8f3c"), 0.97, 0.85), np.sign(body.x - x)
        )


def _birds(canvas, num, body: Body, light: Light, scene, rng) -> None:
    colour = mix(light.sky[1], WHITE, 0.72) if scene.time == "night" else light.on(_FEATHERS, 0.92)
    gap = body.radius + 0.12
    slots = np.linspace(0.12, 0.88, 20)
    free = slots[np.abs(slots - body.x) > gap]
    steps = (rng.uniform(0, 1) + np.arange(num) / max(num, 1)) % 1
    heights = rng.permutation(np.array([0.12, 0.23, 0.34]))
    for i in range(num):
        x = free[int(steps[i] * len(free))]
        bird(
            canvas,
            x,
            heights[i] + rng.uniform(-0.02, 0.02),
            rng.uniform(0.15, 0.18),
            colour,
            rng.uniform(0, 0.1),
        )
