"""A canvas that lays anti-aliased shapes over each other: the brush of the procedural scenes.

Coordinates are fractions of the picture: x from 0 (left) to 1 (right), y from 0 (top) to 1
(bottom), at pixel centres. Colours are float (3,), in [0, 1]. A shape is the share of each pixel
that it covers, so that a large picture averaged down is the small picture.
"""

from collections.abc import Callable
from functools import lru_cache
from math import hypot

import numpy as np

EVERY = slice(None)
FINE = 4  # columns sampled within a pixel: vertical edges get FINE steps, horizontal ones are exact


@lru_cache(maxsize=16)
def _axes(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Pixel centres, float32 (S,), and the finer columns, float32 (FINE, S); both in (0, 1)."""
    centres = (np.arange(size, dtype=np.float32) + 0.5) / size
    offsets = (np.arange(FINE, dtype=np.float32) + 0.5) / FINE - 0.5
    return centres, centres[None] + offsets[:, None] / size


def rgb(code: str) -> np.ndarray:
    """float32 (3,), in [0, 1], of a colour written as "#ff8800"."""
    return np.array([int(code[i : i + 2], 16) for i in (1, 3, 5)], np.float32) / 255


def mix(a: np.ndarray, b: np.ndarray, share: float) -> np.ndarray:
    """`a` where `share` is 0, `b` where it is 1."""
    return a + (b - a) * share


class Canvas:
    """A picture being painted.

    Attributes:
        size: S, pixels.
        planes: float32 (3, S, S), in [0, 1]. What has been painted so far, plane by plane:
            broadcasting over long rows is several times as fast as over triples.
        x: float32 (S,). Pixel centres, also those of the rows.
        fine_x: float32 (FINE, S). The columns at which a skyline is to be given.
    """

    def __init__(self, size: int):
        self.size = size
        self.x, self.fine_x = _axes(size)
        self.y = self.x[:, None]
        self.planes = np.zeros((3, size, size), np.float32)

    def pixels(self) -> np.ndarray:
        """uint8 (S, S, 3), in [0, 255]."""
        rounded = (np.clip(self.planes, 0, 1) * 255 + 0.5).astype(np.uint8)
        return np.ascontiguousarray(np.moveaxis(rounded, 0, -1))

    def span(self, low: float, high: float) -> slice:
        """The rows (or columns) that touch low..high, and one more on each side."""
        first, last = int(low * self.size - 0.5), int(high * self.size + 1.5)
        return slice(max(0, first), max(0, min(self.size, last)))

    def fill(self, colour: np.ndarray) -> None:
        """Covers the whole canvas with `colour`, (3,) or (S, 1, 3)."""
        self.planes[:] = np.moveaxis(np.broadcast_to(colour, (self.size, 1, 3)), -1, 0)

    def lay(self, rows: slice, columns: slice, coverage, colour) -> None:
        """Lays `colour`, (3,) or (h, 1, 3), over a window where `coverage`, (h, w), says."""
        window = self.planes[:, rows, columns]
        change = (colour[:, None, None] if colour.ndim == 1 else colour.transpose(2, 0, 1)) - window
        change *= coverage
        window += change

    def edge(self, distance: np.ndarray) -> np.ndarray:
        """Coverage, in [0, 1], from a signed distance (inside > 0): a ramp one pixel wide."""
        distance = distance * self.size
        distance += 0.5
        return np.minimum(np.maximum(distance, 0, out=distance), 1, out=distance)

    def _under(self, rows: slice, skyline: np.ndarray) -> np.ndarray:
        """Coverage, float32 (h, S), of what is under a skyline."""
        skyline = skyline.astype(np.float32, copy=False)[:, None]
        return np.add.reduce(self.edge(self.y[rows] - skyline), 0) * np.float32(1 / FINE)

    def gradient(self, stops: np.ndarray, top: float = 0.0, bottom: float = 1.0) -> np.ndarray:
        """float32 (S, 1, 3): evenly spaced `stops`, (n, 3), from `top` down to `bottom`."""
        stops = np.asarray(stops, np.float32)
        at = np.clip((self.y - top) / (bottom - top), 0, 1) * (len(stops) - 1)
        first = np.minimum(at.astype(int), len(stops) - 2)
        return mix(stops[first], stops[first + 1], (at - first).astype(np.float32)[..., None])

    def below(self, skyline: np.ndarray, colour, foot=None, depth: float = 0.3, opacity=1.0):
        """Fills everything under a skyline, with `colour` at its top passing to `foot`.

        Args:
            skyline: float (FINE, S), y of the upper edge at `fine_x`.
            colour: (3,).
            foot: (3,), the colour at `depth` under the highest point. None: `colour`.
            opacity: In [0, 1].

        Returns:
            The rows touched, and their coverage, float (h, S), for shading what was laid.
        """
        top = float(skyline.min())
        rows = self.span(top, 1.0)
        coverage = self._under(rows, skyline)
        if foot is not None:
            share = np.clip((self.y[rows] - top) / depth, 0, 1)[..., None]
            colour = mix(colour, foot, share)
        self.lay(rows, EVERY, coverage * opacity if opacity < 1 else coverage, colour)
        return rows, coverage

    def rim(self, skyline: np.ndarray, thick: float, near: float, reach: float, colour, opacity):
        """Light along the upper edge of a skyline, strongest at x = `near`."""
        rows = self.span(float(skyline.min()), float(skyline.max()) + thick)
        band = self._under(rows, skyline) - self._under(rows, skyline + thick)
        fall = np.exp(-(((self.x - near) / reach) ** 2)) * opacity
        self.lay(rows, EVERY, band * fall, colour)

    def glow(self, x: float, y: float, wide: float, high: float, colour, opacity: float) -> None:
        """A soft Gaussian light; `wide` and `high` are its standard deviations times √2."""
        rows = self.span(y - 1.8 * high, y + 1.8 * high)
        columns = self.span(x - 1.8 * wide, x + 1.8 * wide)
        # Lowered by its value at the window's edge, so that it ends in nothing.
        across = np.exp(-(((self.x[columns] - x) / wide) ** 2)) - 0.039
        down = np.exp(-(((self.y[rows] - y) / high) ** 2)) - 0.039
        self.lay(rows, columns, np.maximum(down, 0) * np.maximum(across * opacity, 0), colour)

    def ellipse(self, x: float, y: float, wide: float, high: float, colour, opacity=1.0) -> None:
        """A filled ellipse with half-axes `wide` and `high`."""
        x, y, wide, high = float(x), float(y), float(wide), float(high)
        rows, columns = self.span(y - high, y + high), self.span(x - wide, x + wide)
        reach = np.hypot((self.x[columns] - x) / wide, (self.y[rows] - y) / high)
        self.lay(rows, columns, self.edge((1 - reach) * min(wide, high)) * opacity, colour)

    def box(self, left, right, top, bottom, colour, opacity=1.0) -> None:
        """An upright rectangle."""
        left, right, top, bottom = float(left), float(right), float(top), float(bottom)
        rows, columns = self.span(top, bottom), self.span(left, right)
        x, y = self.x[columns], self.y[rows]
        across = self.edge(x - left) + self.edge(right - x) - 1
        down = self.edge(y - top) + self.edge(bottom - y) - 1
        self.lay(rows, columns, np.maximum(down, 0) * (np.maximum(across, 0) * opacity), colour)

    def column(self, middle, half_width: Callable, top: float, bottom: float, colour, opacity=1.0):
        """A shape given row by row, mirrored about its middle: a fir, a house, a balloon, a path.

        Args:
            middle: x of the middle; a float, or a function of t.
            half_width: A function of t, float (h, 1) in [0, 1], 0 at `top` and 1 at `bottom`.
            colour: (3,), or a function of t that gives (h, 1, 3).
        """
        top, bottom = float(top), float(bottom)
        rows = self.span(top, bottom)
        t = np.clip((self.y[rows] - top) / (bottom - top), 0, 1)
        half = half_width(t)
        centre = middle(t) if callable(middle) else middle
        if not half.size:
            return
        columns = self.span(float(np.min(centre - half)), float(np.max(centre + half)))
        ends = self.edge(self.y[rows] - top) * self.edge(bottom - self.y[rows])
        coverage = self.edge(half - np.abs(self.x[columns] - centre)) * (ends * opacity)
        self.lay(
            rows,
            columns,
            coverage.astype(np.float32, copy=False),
            colour(t) if callable(colour) else colour,
        )

    def polygon(self, points, colour, opacity=1.0) -> None:
        """A filled convex polygon; `points` run clockwise as seen (y points down)."""
        points = [(float(x), float(y)) for x, y in points]
        xs, ys = zip(*points, strict=True)
        rows, columns = self.span(min(ys), max(ys)), self.span(min(xs), max(xs))
        x, y = self.x[columns], self.y[rows]
        inside = None
        for i, (x0, y0) in enumerate(points):
            x1, y1 = points[(i + 1) % len(points)]
            length = hypot(x1 - x0, y1 - y0)
            across, along = (x1 - x0) / length, (y1 - y0) / length
            distance = (y * across - y0 * across) - (x * along - x0 * along)
            inside = distance if inside is None else np.minimum(inside, distance)
        self.lay(rows, columns, self.edge(inside) * opacity, colour)

    def stroke(self, x0, y0, x1, y1, thick: float, colour, opacity=1.0) -> None:
        """A line with round ends; `thick` is its half width."""
        x0, y0, x1, y1, thick = float(x0), float(y0), float(x1), float(y1), float(thick)
        rows = self.span(min(y0, y1) - thick, max(y0, y1) + thick)
        columns = self.span(min(x0, x1) - thick, max(x0, x1) + thick)
        dx, dy = x1 - x0, y1 - y0
        x, y = self.x[columns] - x0, self.y[rows] - y0
        along = (x * dx + y * dy) / (dx * dx + dy * dy)
        along = np.minimum(np.maximum(along, 0), 1)
        distance = np.hypot(x - along * dx, y - along * dy)
        self.lay(rows, columns, self.edge(thick - distance) * opacity, colour)

    def dots(self, x, y, radius, colour, opacity) -> None:
        """Many soft round dots of one colour at once; `x`, `y`, `radius`, `opacity`: (n,).

        A dot is a Gaussian, which is a row times a column, so that all dots are one matrix
        product. One narrower than a pixel is widened to it and dimmed by as much.
        """
        narrow = np.asarray(radius, np.float32) ** 2
        wide = narrow + (0.4 / self.size) ** 2
        across = np.exp(-((self.x - np.asarray(x)[:, None]) ** 2) / wide[:, None])
        down = np.exp(-((self.x - np.asarray(y)[:, None]) ** 2) / wide[:, None])
        strength = (opacity * narrow / wide)[:, None]
        coverage = np.minimum((down * strength).T.astype(np.float32) @ across, 1)
        self.lay(EVERY, EVERY, coverage, colour)
