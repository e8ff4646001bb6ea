"""What is above the land: the sky, the sun or the moon, clouds, stars, and the weather."""

import numpy as np

from kgen.data.scene_canvas import EVERY, Canvas, mix, rgb
from kgen.data.scene_light import Light

PLACES = {"left": (0.15, 0.27), "middle": (0.45, 0.55), "right": (0.73, 0.85)}
_HEIGHTS = {
    "dawn": (0.28, 0.37),
    "noon": (0.14, 0.22),
    "sunset": (0.29, 0.39),
    "night": (0.15, 0.27),
}
_RADII = {
    "dawn": (0.075, 0.09),
    "noon": (0.07, 0.085),
    "sunset": (0.095, 0.12),
    "night": (0.075, 0.09),
}


class Body:
    """Where the sun or the moon stands: centre `x`, `y` and `radius`, in fractions."""

    def __init__(self, scene, rng: np.random.Generator):
        self.x = float(rng.uniform(*PLACES[scene.place]))
        self.y = float(rng.uniform(*_HEIGHTS[scene.time]))
        self.radius = float(rng.uniform(*_RADII[scene.time]))

    def clear(self, x, y, margin: float = 0.04) -> np.ndarray:
        """Lowers land that reaches up to `y` at `x`, so that it leaves the body free.

        It sinks smoothly: wholly below the body, not at all 0.25 beside it.
        """
        away = np.abs(x - self.x) - self.radius - 0.05
        near = np.minimum(np.maximum(1 - away / 0.2, 0), 1)
        # A shallow valley rather than a level edge, which would look cut off.
        low = self.y + self.radius + margin + 0.05 * np.exp(-(((x - self.x) / 0.12) ** 2))
        return y + np.maximum(low - y, 0) * near * near * (3 - 2 * near)

    def beside(self, rng: np.random.Generator, gap: float, low=0.12, high=0.88) -> float:
        """A random x in [low, high] at least `gap` from the body."""
        left, right = max(0.0, self.x - gap - low), max(0.0, high - self.x - gap)
        at = float(rng.uniform(0, left + right))
        return low + at if at < left else high - (at - left)


def paint_sky(canvas: Canvas, light: Light, horizon: float) -> None:
    """Fills the canvas with the sky's gradient, its last colour at the horizon."""
    canvas.fill(canvas.gradient(light.sky, 0.0, horizon))


def paint_body(canvas: Canvas, scene, body: Body, light: Light, rng: np.random.Generator) -> None:
    """The sun or the moon in its halo."""
    x, y, r = body.x, body.y, body.radius
    strong = {"dawn": 0.55, "noon": 0.5, "sunset": 0.6, "night": 0.28}[scene.time]
    strong *= 1.0 if scene.weather == "clear" else 0.6
    canvas.glow(x, y + 0.04, 0.55, 0.24, light.glow, strong * 0.6)
    canvas.glow(x, y, r * 2.3, r * 2.3, light.glow, strong)
    if scene.time in ("noon", "dawn"):
        canvas.ellipse(x, y, r * 1.45, r * 1.45, light.glow, 0.3)
    crescent = scene.body == "moon" and rng.random() < 0.3
    turn = float(rng.choice((-1.0, 1.0)))
    if not crescent:
        canvas.column(
            x,
            lambda t: r * np.sqrt(np.maximum(1 - (2 * t - 1) ** 2, 0)),
            y - r,
            y + r,
            lambda t: mix(light.disc[0], light.disc[1], t[..., None]),
        )
    if scene.body == "moon" and not crescent:
        shade = mix(light.disc[1], light.sky[3], 0.28)
        canvas.ellipse(x - 0.34 * r * turn, y - 0.22 * r, r * 0.27, r * 0.25, shade)
        canvas.ellipse(x + 0.36 * r * turn, y + 0.3 * r, r * 0.21, r * 0.2, shade)
        canvas.ellipse(x - 0.18 * r * turn, y + 0.48 * r, r * 0.13, r * 0.12, shade)
    if crescent:
        _crescent(canvas, x, y, r * 1.1, turn, light)


def _crescent(canvas: Canvas, x, y, r, turn, light: Light) -> None:
    rows, columns = canvas.span(y - r, y + r), canvas.span(x - r, x + r)
    across, down = canvas.x[columns] - x, canvas.y[rows] - y
    outer = r - np.hypot(across, down)
    inner = np.hypot(across - turn * 0.42 * r, down + 0.16 * r) - 0.86 * r
    canvas.lay(rows, columns, canvas.edge(np.minimum(outer, inner)), light.disc[0])


def paint_clouds(canvas: Canvas, body: Body, light: Light, rng: np.random.Generator) -> None:
    """Two or three flat-bottomed clouds beside the body."""
    first = body.beside(rng, 0.32)
    second = body.beside(rng, 0.28, 0.08, 0.92)
    heights = rng.uniform(0.12, 0.2), rng.uniform(0.3, 0.38)
    for x, y, size in zip(
        (first, second), heights, rng.uniform((0.135, 0.1), (0.165, 0.13)), strict=True
    ):
        offsets = np.array([-0.95, -0.45, 0.1, 0.62, 1.0]) + rng.uniform(-0.1, 0.1, 5)
        radii = np.array([0.3, 0.5, 0.66, 0.46, 0.28]) * rng.uniform(0.9, 1.12, 5)
        _cloud(canvas, x, y, size, offsets, radii, light)


def _cloud(canvas: Canvas, x, y, size, offsets, radii, light: Light) -> None:
    columns = canvas.span(x - 1.4 * size, x + 1.4 * size)
    rows = canvas.span(y - 0.8 * size, y + 0.05)
    away = (canvas.fine_x[:, columns] - x)[..., None] / size - offsets
    puff = np.sqrt(np.maximum(radii**2 - away**2, 0)).max(-1) * size
    inside = np.minimum(
        canvas.y[rows] - (y - puff[:, None]), y + 0.1 * puff[:, None] - canvas.y[rows]
    )
    coverage = canvas.edge(inside).mean(0)
    down = np.clip((canvas.y[rows] - y + 0.55 * size) / (0.6 * size), 0, 1)[..., None]
    canvas.lay(rows, columns, coverage * 0.94, mix(light.cloud[0], light.cloud[1], down))


def paint_stars(canvas: Canvas, body: Body, horizon: float, rng: np.random.Generator) -> None:
    """A sky full of stars, a few of them large."""
    x, y = _scattered(7, 4, horizon - 0.08, rng)
    num = x.size
    large = rng.permutation(num) < 9
    radius = np.where(large, rng.uniform(0.015, 0.018, num), rng.uniform(0.009, 0.012, num))
    free = np.hypot(x - body.x, y - body.y) > body.radius * 1.5
    canvas.dots(x, y, radius, rgb("#fdf6dc"), np.where(free, rng.uniform(0.75, 1, num), 0.0))


def _scattered(across: int, down: int, height: float, rng: np.random.Generator):
    """x and y, (n,), of one point in each cell of a grid: no clumps and no empty corner."""
    column, row = (grid.ravel() for grid in np.meshgrid(np.arange(across), np.arange(down)))
    x, y = rng.uniform(0.1, 0.9, (2, column.size))
    return (column + x) / across, (row + y) / down * height


def paint_mist(canvas: Canvas, horizon: float, light: Light, rng: np.random.Generator) -> None:
    """The mist of a morning: two long veils over the middle ground."""
    veil = mix(light.haze, rgb("#ffffff"), 0.45)
    for x, y in rng.uniform((0.1, horizon + 0.04), (0.9, horizon + 0.13), (2, 2)):
        canvas.glow(x, y, 0.5, 0.055, veil, 0.42)


def paint_weather(
    canvas: Canvas, scene, body: Body, light: Light, rng: np.random.Generator
) -> None:
    """Rain, falling snow or fog, in front of all else; nothing where the weather is clear."""
    if scene.weather == "rain":
        colour = mix(light.haze, rgb("#ffffff"), 0.45)
        x, y = rng.uniform(-0.02, 1.08, 24), rng.uniform(-0.05, 1, 24)
        for i, (x0, y0, long) in enumerate(zip(x, y, rng.uniform(0.08, 0.12, 24), strict=True)):
            canvas.stroke(x0, y0, x0 - 0.3 * long, y0 + long, 0.005, colour, 0.42 + 0.1 * (i % 3))
    if scene.weather == "snowfall":
        x, y = _scattered(7, 6, 1.0, rng)
        num = x.size
        canvas.dots(x, y, rng.uniform(0.012, 0.021, num), rgb("#ffffff"), np.full(num, 0.85))
    if scene.weather == "fog":
        veil = mix(light.haze, rgb("#ffffff"), 0.3 if scene.time != "night" else 0.12)
        middle, lower = rng.uniform(0.56, 0.64), rng.uniform(0.78, 0.86)
        bands = 0.5 * np.exp(-(((canvas.x - middle) / 0.16) ** 2))
        bands += 0.4 * np.exp(-(((canvas.x - lower) / 0.08) ** 2))
        tilt = 1 + 0.18 * np.sin(5 * canvas.x + rng.uniform(0, 6))
        coverage = np.clip(bands[:, None] * tilt + 0.12, 0, 0.75)
        canvas.lay(EVERY, EVERY, coverage.astype(np.float32), veil)
