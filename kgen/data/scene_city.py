"""The city: a skyline in three depths, with windows that light up in the dark."""

import numpy as np

from kgen.data.scene_canvas import Canvas, mix, rgb
from kgen.data.scene_light import Light
from kgen.data.scene_sky import Body
from kgen.data.scene_skylines import Skyline, hills, roofs
from kgen.data.scene_things import round_tree

_WALLS = ("#7f9cc0", "#8fa6c9", "#a59ac0", "#6f8fb8")
_DARK_GLASS = rgb("#34506e")


def paint_city(canvas: Canvas, scene, horizon: float, body: Body, light: Light, rng) -> Skyline:
    """Towers behind towers, and a park with round trees in front."""
    street = 0.88
    for num, low, high, near in ((11, 0.42, 0.56, 0.42), (9, 0.48, 0.64, 0.66)):
        lefts, rights, tops = _block(num, low, high, body, rng)
        wall = light.on(rgb(_WALLS[rng.integers(4)]), near)
        edge = roofs(street, lefts, rights, tops)(canvas.fine_x)
        canvas.below(edge, wall, mix(wall, light.haze, 0.4), 0.45)
    lefts, rights, tops = _block(7, 0.42, 0.7, body, rng)
    for left, right, top in zip(lefts, rights, tops, strict=True):
        wall = light.on(rgb(_WALLS[rng.integers(4)]) * 0.86, 0.93)
        _tower(canvas, left + 0.008, right - 0.008, top, street, wall, body, light, rng)
    park = hills(street, 0.012, 1.5, rng)
    grass = light.on(rgb("#4f8f58"), 0.97)
    canvas.below(park(canvas.fine_x), grass, grass * 0.6, 0.15)
    for x in np.linspace(0.05, 0.95, 6) + rng.uniform(-0.04, 0.04, 6):
        round_tree(canvas, x, street + 0.03, rng.uniform(0.1, 0.14), light.on(rgb("#3b8050"), 0.97))
    return park


def _block(num: int, low: float, high: float, body: Body, rng: np.random.Generator):
    """Left edges, right edges and roofs of `num` buildings side by side; (num,) each."""
    widths = rng.uniform(0.7, 1.3, num)
    edges = np.concatenate([[0.0], np.cumsum(widths) / widths.sum()]) * 1.08 - 0.04
    lefts, rights = edges[:-1], edges[1:]
    tops = rng.uniform(low, high, num)
    # None may reach up to the sun or the moon.
    for x in (lefts, rights, (lefts + rights) / 2):
        tops = body.clear(x, tops, 0.05)
    return lefts, rights, tops


def _tower(canvas: Canvas, left, right, top, street, wall, body: Body, light: Light, rng) -> None:
    middle = (left + right) / 2
    canvas.box(left, right, top, street + 0.03, wall)
    if rng.random() < 0.35 and top > 0.3:
        canvas.box(middle - 0.007, middle + 0.007, top - 0.05, top + 0.01, wall)
    # A lit strip along the edge towards the body.
    lit = right - 0.014 if body.x > middle else left
    canvas.box(lit, lit + 0.014, top, street, light.glow, light.rim * 0.4)
    _windows(canvas, left, right, top, street, wall, light, rng)


def _windows(canvas: Canvas, left, right, top, street, wall, light: Light, rng) -> None:
    """A grid of windows: columns times lit-or-not times rows, one product of matrices."""
    across = max(2, round((right - left - 0.02) / 0.047))
    step = (right - left - 0.016) / across
    xs = left + 0.008 + step * (np.arange(across) + 0.5)
    ys = np.arange(top + 0.045, street - 0.05, 0.058)
    lit = rng.random((len(ys), across)) < light.lit
    rows, columns = canvas.span(top, street), canvas.span(left, right)
    down = canvas.edge(0.017 - np.abs(canvas.y[rows] - ys))
    wide = canvas.edge(0.3 * step - np.abs(canvas.x[columns] - xs[:, None]))
    glass = mix(wall, _DARK_GLASS if light.lit < 0.1 else wall * 0.6, 0.55)
    canvas.lay(rows, columns, down @ (~lit).astype(np.float32) @ wide, glass)
    canvas.lay(rows, columns, down @ lit.astype(np.float32) @ wide, light.lamp)
