"""Open land: mountains, forest, desert, meadow, snow.

Each is a few layers from far to near. Farther ones are paler and closer to the colour of the
sky's haze, which is what gives a flat picture its depth.
"""

import numpy as np

from kgen.data.scene_canvas import EVERY, Canvas, mix, rgb
from kgen.data.scene_light import Light
from kgen.data.scene_sky import Body
from kgen.data.scene_skylines import Skyline, firs, hills, peaks, under
from kgen.data.scene_things import WHITE, cactus, fir, round_tree


def _layer(
    canvas: Canvas, skyline: Skyline, colour, light: Light, body: Body, mist=0.3, deep=0.25, rim=0.7
):
    """One layer of land that dissolves into haze at its foot, its edge catching the light."""
    edge = skyline(canvas.fine_x)
    laid = canvas.below(edge, colour, mix(colour, light.haze, mist), deep)
    canvas.rim(edge, 0.014, body.x, 0.3, light.glow, light.rim * rim)
    return laid


def paint_mountains(
    canvas: Canvas, scene, horizon: float, body: Body, light: Light, rng
) -> Skyline:
    """Two pale ranges, snow-capped peaks with a lit and a shaded face, and dark foothills."""
    pale = under(hills(horizon - 0.12, 0.06, 2.2, rng), body.clear)
    _layer(canvas, pale, light.on(rgb("#86a3c4"), 0.45), light, body)
    for x, top, slope in _summits(body, rng):
        _summit(canvas, x, top, slope, body, light, rng)
    wood = firs(hills(0.755, 0.02, 1.6, rng), 24, 0.09, rng)
    _layer(canvas, wood, light.on(rgb("#3c7560"), 0.8), light, body, 0.25, rim=0.25)
    near = hills(0.85, 0.03, 1.2, rng)
    grass = light.on(rgb("#5d9a54"), 0.97)
    edge = near(canvas.fine_x)
    canvas.below(edge, grass, grass * 0.6, 0.2)
    canvas.rim(edge, 0.014, body.x, 0.4, light.glow, light.rim * 0.5)
    return near


def _summits(body: Body, rng: np.random.Generator):
    """Three or four peaks, (x, top, slope), the highest away from the body, back to front."""
    found = []
    for x in (np.array([0.06, 0.36, 0.66, 0.96]) + rng.uniform(-0.07, 0.07, 4)).tolist():
        away = abs(x - body.x)
        free = 0.27 + rng.uniform(0, 0.1)
        top = max(free, (body.y + body.radius + 0.1) * np.clip(1.65 - away / 0.26, 0, 1))
        found.append((x, float(top), float(rng.uniform(0.95, 1.25))))
    return sorted(found, key=lambda peak: peak[1] + rng.uniform(0, 0.05))


def _summit(canvas: Canvas, x, top, slope, body: Body, light: Light, rng) -> None:
    rock = light.on(rgb("#6f7fa6"), 0.82)
    side = 1.0 if body.x > x else -1.0  # the face towards the body is lit
    edge = np.minimum(peaks(np.array([x]), np.array([top]), 1.2, slope)(canvas.fine_x), 0.9)
    rows, coverage = canvas.below(edge, rock, mix(rock, light.haze, 0.55), 0.9 - top)
    down = canvas.y[rows] - top
    kinks = rng.uniform(0, 6.28, 2)
    ridge = x + 0.035 * np.sin(17 * down + kinks[0]) * np.minimum(down * 8, 1) - side * 0.1 * down
    face = canvas.edge((canvas.x - ridge) * side)
    fade = np.clip(1 - down / 0.42, 0, 1)
    canvas.lay(rows, EVERY, coverage * (1 - face) * 0.42 * fade, rock * 0.55)
    # The snow ends in a zigzag.
    zigzag = np.abs(np.mod((canvas.x - x) * 11 + kinks[1], 2) - 1) * 0.06
    cap = 0.11 + 0.25 * max(0.0, 0.5 - top)
    snow = canvas.edge(cap + zigzag - down - 0.35 * np.abs(canvas.x - x)) * coverage
    lit, shaded = light.on(WHITE, 0.95, 0.4), light.on(rgb("#b9c9ea"), 0.9, 0.62)
    canvas.lay(rows, EVERY, snow * (1 - face), shaded)
    canvas.lay(rows, EVERY, snow * face, mix(lit, light.glow, 0.3 * light.rim))


def paint_forest(canvas: Canvas, scene, horizon: float, body: Body, light: Light, rng) -> Skyline:
    """Rows of firs behind each other with mist between them, tall ones at the sides."""
    back = under(hills(horizon - 0.1, 0.05, 1.4, rng), body.clear)
    _layer(canvas, back, light.on(rgb("#7fb0a6"), 0.45), light, body)
    rows = ((horizon + 0.02, 22, 0.16, "#5a9b82", 0.6), (horizon + 0.12, 15, 0.22, "#3f8065", 0.76),
            (horizon + 0.23, 11, 0.25, "#2a6648", 0.9))  # fmt: skip
    for base, num, high, colour, near in rows:
        skyline = under(firs(hills(base, 0.02, 1.5, rng), num, high, rng), body.clear)
        _layer(canvas, skyline, light.on(rgb(colour), near), light, body, 0.42, 0.3, 0.25)
    ground = hills(0.875, 0.02, 1.0, rng)
    floor = light.on(rgb("#4f8a45"), 0.97)
    edge = ground(canvas.fine_x)
    canvas.below(edge, floor, floor * 0.55, 0.2)
    dark = light.on(rgb("#17462f"), 0.98)
    for x, high in ((0.02, 0.62), (0.15, 0.44), (0.85, 0.46), (0.98, 0.6)):
        x += rng.uniform(-0.02, 0.02)
        high *= rng.uniform(0.9, 1.08)
        if abs(x - body.x) < body.radius + 0.17:
            high = min(high, 0.9 - (body.y + body.radius + 0.06))
        fir(canvas, x, 0.92, high, dark)
    return ground


def paint_desert(canvas: Canvas, scene, horizon: float, body: Body, light: Light, rng) -> Skyline:
    """Flat-topped rocks far off, dunes with a lit and a shaded side, a cactus or two."""
    mesa = light.on(rgb("#c98a6a"), 0.55)
    for x in rng.uniform((0.02, 0.55), (0.4, 0.98))[: rng.integers(1, 3)]:
        high, wide = rng.uniform(0.08, 0.15), rng.uniform(0.1, 0.19)
        top = float(body.clear(x, horizon - high))
        canvas.column(x, lambda t, wide=wide: wide * (0.66 + 0.34 * t**2), top, 0.75, mesa)
    sands = ((horizon + 0.0, 0.035, "#efcf93", 0.72), (horizon + 0.12, 0.05, "#eebb6c", 0.86),
             (horizon + 0.26, 0.05, "#e9a850", 0.97))  # fmt: skip
    for i, (base, high, colour, near) in enumerate(sands):
        crest = rng.uniform(0.25, 0.75)
        skyline = _dune(base, high, crest, rng)
        sand = light.on(rgb(colour), near)
        edge = skyline(canvas.fine_x)
        rows, coverage = canvas.below(edge, sand, mix(sand, light.haze, 0.25) * 0.95, 0.3)
        # The side of the dune away from the body lies in shade, down an S-shaped ridge.
        side = -1.0 if body.x > crest else 1.0
        down = canvas.y[rows] - float(skyline(np.array(crest)))
        ridge = crest - side * (0.9 * down - 0.05 * np.sin(14 * down))
        shade = canvas.edge((canvas.x - ridge) * side) * coverage * np.clip(1 - down / 0.3, 0, 1)
        canvas.lay(rows, EVERY, shade * 0.5, sand * np.array((0.72, 0.6, 0.62), np.float32))
        canvas.rim(edge, 0.014, body.x, 0.35, light.glow, light.rim * 0.7)
        if i == 1 and scene.extra not in ("trees", "house"):
            green = light.on(rgb("#4b8a52"), 0.93)
            for x in rng.uniform((0.1, 0.66), (0.34, 0.9))[:: rng.choice((-1, 1))][
                : rng.integers(1, 3)
            ]:
                cactus(
                    canvas, x, float(skyline(np.array(x))) + 0.05, rng.uniform(0.17, 0.24), green
                )
    return skyline


def _dune(base: float, high: float, crest: float, rng: np.random.Generator) -> Skyline:
    """A dune whose crest is sharp and whose sides are hollow."""
    tilt = rng.uniform(-0.04, 0.04)
    return lambda x: base - high * (2.2 * np.exp(-np.abs(x - crest) * 3.2) - 1) + tilt * (x - 0.5)


def paint_meadow(canvas: Canvas, scene, horizon: float, body: Body, light: Light, rng) -> Skyline:
    """Rolling green hills, small trees far off, a path, and flowers close by."""
    far = under(hills(horizon - 0.07, 0.05, 1.5, rng), body.clear)
    _layer(canvas, far, light.on(rgb("#8fb9c4"), 0.5), light, body)
    greens = (
        (horizon + 0.04, 0.03, 1.3, "#a8d47c", 0.74),
        (horizon + 0.14, 0.03, 1.0, "#86c65a", 0.88),
    )
    for base, high, waves, colour, near in greens:
        skyline = hills(base, high, waves, rng)
        _layer(canvas, skyline, light.on(rgb(colour), near, 0.8), light, body, 0.12)
        if scene.extra != "trees" and near < 0.8:
            for x in rng.uniform(0.04, 0.96, 3):
                tree = light.on(rgb("#4f9656"), 0.78)
                round_tree(canvas, x, float(skyline(x)) + 0.02, rng.uniform(0.09, 0.12), tree)
    near = hills(horizon + 0.25, 0.025, 0.8, rng)
    grass = light.on(rgb("#64b047"), 0.97, 0.8)
    edge = near(canvas.fine_x)
    canvas.below(edge, grass, grass * 0.62, 0.3)
    canvas.rim(edge, 0.014, body.x, 0.4, light.glow, light.rim * 0.5)
    _path(canvas, near, light, rng)
    num = 22
    x = rng.uniform(0.02, 0.98, num)
    down = rng.uniform(0.03, 1 - horizon - 0.27, num)
    blossoms = light.on(
        rgb(("#fff1a8", "#ff9fb6", "#ffffff", "#ffcf4d")[rng.integers(4)]), 0.97, 0.5
    )
    canvas.dots(x, near(x) + down, 0.009 + 0.05 * down, blossoms, np.full(num, 0.95))
    return near


def _path(canvas: Canvas, ground: Skyline, light: Light, rng: np.random.Generator) -> None:
    start, bend, phase = rng.uniform((0.35, 0.05, 0.0), (0.65, 0.1, 6.28))
    top = float(ground(start)) + 0.004
    canvas.column(
        lambda t: start + bend * np.sin(3.4 * t + phase) - bend * np.sin(phase),
        lambda t: 0.012 + 0.075 * t**1.3,
        top,
        1.02,
        light.on(rgb("#ecd9a6"), 0.95),
    )


def paint_snow(canvas: Canvas, scene, horizon: float, body: Body, light: Light, rng) -> Skyline:
    """White hills with blue shadows, and firs with snow on their branches."""
    at, rise = rng.uniform((0.0, 0.3, 0.7), (0.3, 0.7, 1.0)), rng.uniform(0.06, 0.2, 3)
    far = under(peaks(at, horizon - rise, horizon, 0.75), body.clear)
    _layer(canvas, far, light.on(rgb("#c3d6ee"), 0.5, 0.6), light, body)
    white, blue = rgb("#ffffff"), rgb("#9fbce4")
    wood = firs(hills(horizon + 0.05, 0.015, 1.5, rng), 20, 0.1, rng)
    _layer(canvas, wood, light.on(rgb("#6d94a8"), 0.66, 0.8), light, body, 0.4)
    for base, high, near in (
        (horizon + 0.05, 0.03, 0.86),
        (horizon + 0.15, 0.035, 0.93),
        (horizon + 0.26, 0.03, 1.0),
    ):
        skyline = hills(base, high, 1.1, rng)
        edge = skyline(canvas.fine_x)
        top, foot = light.on(white, near, 0.36), light.on(blue, near, 0.5)
        canvas.below(edge, top, foot, 0.26)
        canvas.rim(edge, 0.016, body.x, 0.35, light.glow, light.rim * 0.6)
        if near == 0.93:
            _snowy_firs(canvas, skyline, body, light, scene, rng)
    return skyline


def _snowy_firs(canvas: Canvas, ground: Skyline, body: Body, light: Light, scene, rng) -> None:
    green, snow = light.on(rgb("#2c6a5e"), 0.95), light.on(WHITE, 1.0, 0.34)
    for x, high in zip((0.06, 0.2, 0.8, 0.94), rng.uniform(0.24, 0.36, 4), strict=True):
        x = x + rng.uniform(-0.03, 0.03)
        if abs(x - body.x) < body.radius + 0.12:
            high = min(high, float(ground(x)) - (body.y + body.radius + 0.06))
        fir(canvas, x, float(ground(x)) + 0.045, high, green, snow)
