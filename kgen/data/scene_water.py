"""The sea and the lake: what water mirrors, and what lies around it."""

import numpy as np

from kgen.data.scene_canvas import EVERY, Canvas, mix, rgb
from kgen.data.scene_extras import paint_boats
from kgen.data.scene_light import Light
from kgen.data.scene_sky import Body
from kgen.data.scene_skylines import Skyline, firs, hills, under
from kgen.data.scene_things import WHITE


def _water(canvas: Canvas, shore: float, light: Light) -> None:
    """Water from y = `shore` to the bottom of the picture, paler where it is far."""
    far = mix(light.water[0], light.sky[-1], 0.25)
    stops = np.stack([far, mix(light.water[0], light.water[1], 0.45), light.water[1]])
    rows = canvas.span(shore, 1.0)
    coverage = canvas.edge(canvas.y[rows] - shore + 0 * canvas.x)
    canvas.lay(rows, EVERY, coverage, canvas.gradient(stops, shore, 1.0)[rows])


def _light_path(canvas: Canvas, shore: float, body: Body, light: Light, strong: float, rng) -> None:
    """The body's reflection: broken lenses of light, wider and sparser towards the viewer."""
    rows = canvas.span(shore, 1.0)
    t = np.clip((canvas.y[rows] - shore) / (1 - shore), 0, 1)
    # Equal steps of the root are equal waves seen in perspective.
    ripple = np.sin(2 * np.pi * 6.5 * np.sqrt(t) + rng.uniform(0, 6.28))
    half = (body.radius * (0.55 + 1.1 * t)) * (0.72 + 0.4 * ripple)
    middle = body.x + 0.018 * t * np.sin(2 * np.pi * 4 * np.sqrt(t) + 1)
    across = (canvas.x - middle) / np.maximum(half, 0.012)
    coverage = np.exp(-(across**4)) * (0.62 + 0.38 * ripple) * strong * (1 - 0.45 * t)
    coverage *= canvas.edge(canvas.y[rows] - shore)
    soft = np.exp(-(((canvas.x - body.x) / (body.radius * (1.6 + 2.2 * t))) ** 2)) * strong * 0.4
    canvas.lay(rows, EVERY, soft, light.glow)
    canvas.lay(rows, EVERY, coverage, mix(light.disc[0], light.glow, 0.3))


def _swell(base: float, high: float, num: float, rng: np.random.Generator) -> Skyline:
    """Waves with sharp crests and round troughs."""
    phase = rng.uniform(0, np.pi)
    return lambda x: base - high * (1 - np.abs(np.sin(np.pi * num * x + phase))) ** 1.3


def paint_sea(canvas: Canvas, scene, horizon: float, body: Body, light: Light, rng) -> Skyline:
    """Open water up to a straight horizon, with a few large waves close by."""
    _water(canvas, horizon, light)
    strong = {"dawn": 0.75, "noon": 0.55, "sunset": 0.9, "night": 0.7}[scene.time]
    _light_path(
        canvas, horizon, body, light, strong * (1 if scene.weather == "clear" else 0.6), rng
    )
    for x, y, wide in rng.uniform((0.05, horizon + 0.04, 0.07), (0.95, 0.74, 0.14), (5, 3)):
        canvas.ellipse(x, y, wide, 0.007, mix(light.water[0], WHITE, 0.35), 0.5)
    near = rng.uniform(horizon + 0.14, horizon + 0.17)
    paint_boats(canvas, scene, body, light, near, rng)
    for i, (y, high, num) in enumerate(
        ((0.79, 0.022, 5.0), (0.865, 0.03, 3.8), (0.955, 0.04, 2.9))
    ):
        crest = _swell(y, high, num * rng.uniform(0.9, 1.1), rng)(canvas.fine_x)
        top = mix(light.water[0], light.water[1], 0.18 + 0.27 * i)
        canvas.below(crest, top, mix(top, light.water[1], 0.9), 0.12)
        foam = mix(light.sky[-1], WHITE, 0.35)
        canvas.rim(crest, 0.013 + 0.004 * i, body.x, 0.4, foam, 0.6)
        canvas.rim(crest, 0.011 + 0.004 * i, 0.5, 2.0, foam, 0.22)
    return lambda x: 0.8 + 0 * np.asarray(x)


def paint_lake(canvas: Canvas, scene, horizon: float, body: Body, light: Light, rng) -> Skyline:
    """Still water ringed by hills, a wood on the far shore, and a bank that curves around."""
    shore = horizon + 0.015
    far = under(hills(horizon - 0.13, 0.07, 1.3, rng), body.clear)
    middle = under(hills(horizon - 0.065, 0.04, 1.9, rng), body.clear)
    wood = under(firs(hills(shore - 0.01, 0.006, 2, rng), 26, 0.085, rng), body.clear)
    green = rgb("#3f8a5a")
    layers = (
        (far(canvas.fine_x), light.on(rgb("#7fa9b8"), 0.5)),
        (middle(canvas.fine_x), light.on(rgb("#5f9a86"), 0.7)),
        (wood(canvas.fine_x), light.on(green * 0.72, 0.86)),
    )
    for edge, colour in layers:
        canvas.below(edge, colour, mix(colour, light.haze, 0.3), 0.2)
        canvas.rim(edge, 0.012, body.x, 0.3, light.glow, light.rim * 0.6)
    _water(canvas, shore, light)
    for edge, colour in layers:
        # The mirror image: the land above the shore, turned over, a little shorter and paler.
        depth = ((shore - edge) * 0.82).astype(np.float32)
        rows = canvas.span(shore, shore + float(depth.max()))
        coverage = canvas.edge(shore + depth[:, None] - canvas.y[rows]).mean(0)
        coverage *= canvas.edge(canvas.y[rows] - shore) * 0.5
        canvas.lay(rows, EVERY, coverage, mix(colour, light.water[1], 0.35))
    strong = {"dawn": 0.6, "noon": 0.45, "sunset": 0.8, "night": 0.6}[scene.time]
    _light_path(canvas, shore + 0.05, body, light, strong, rng)
    paint_boats(canvas, scene, body, light, shore + 0.15, rng)
    bank = _bank(rng)
    grass = light.on(rgb("#6fae4e"), 0.95)
    edge = bank(canvas.fine_x)
    canvas.below(edge - 0.014, mix(light.on(rgb("#d9c38c"), 0.9), light.water[0], 0.3))
    canvas.below(edge, grass, grass * 0.55, 0.4)
    canvas.rim(edge, 0.014, body.x, 0.5, light.glow, light.rim * 0.5)
    _bushes(canvas, bank, light, rng)
    return bank


def _bank(rng: np.random.Generator) -> Skyline:
    """The near shore: low in the middle, rising on both sides, more on one."""
    middle, deep, wave = rng.uniform((0.4, 0.87, 0.0), (0.6, 0.89, 6.28))
    left, right = rng.permutation(np.array((0.2, 0.13)))

    def skyline(x):
        away = (np.asarray(x) - middle) / np.where(np.asarray(x) < middle, middle, 1 - middle)
        rise = np.where(away < 0, left, right) * np.abs(away) ** 2.2
        return deep - rise + 0.008 * np.sin(9 * x + wave)

    return skyline


def _bushes(canvas: Canvas, bank: Skyline, light: Light, rng: np.random.Generator) -> None:
    """Two clumps of round bushes at the ends of the bank."""
    for side, inward in ((0.02, 1), (0.98, -1)):
        for step, size in ((0.0, 0.085), (0.1, 0.055)):
            x = side + inward * step + rng.uniform(-0.015, 0.015)
            y, size = float(bank(x)) + 0.02, size * rng.uniform(0.85, 1.1)
            colour = light.on(rgb("#3f8a48"), 0.96)
            canvas.ellipse(x, y, size, size * 0.8, colour)
            canvas.ellipse(
                x - 0.2 * size, y - 0.25 * size, size * 0.6, size * 0.4, colour * 1.2, 0.7
            )
