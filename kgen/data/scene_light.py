"""The light of a scene: which colours the time of day and the weather give to everything in it."""

from dataclasses import dataclass, replace

import numpy as np

from kgen.data.scene_canvas import mix, rgb


@dataclass(frozen=True)
class Light:
    """All colours float32 (..., 3), in [0, 1].

    Attributes:
        sky: (5, 3), from the zenith to the horizon.
        haze: What far things fade into.
        tint: What the light does to a surface: its colour is multiplied by it.
        glow: The air around the sun or the moon.
        disc: (2, 3), the sun or the moon, from its top to its bottom.
        water: (2, 3), far and near.
        cloud: (2, 3), top and underside.
        lamp: Lit windows.
        lit: Share of the windows that are lit, in [0, 1].
        pale: Share of a surface's own colour that is lost, in [0, 1]; moonlight shows little of it.
        rim: How strongly edges catch the light, in [0, 1].
    """

    sky: np.ndarray
    haze: np.ndarray
    tint: np.ndarray
    glow: np.ndarray
    disc: np.ndarray
    water: np.ndarray
    cloud: np.ndarray
    lamp: np.ndarray
    lit: float
    rim: float
    pale: float

    def on(self, colour: np.ndarray, nearness: float, softly: float = 1.0) -> np.ndarray:
        """A surface seen in this light.

        Args:
            colour: (3,), the surface at noon, close by.
            nearness: In [0, 1]; 0 has faded into the haze altogether.
            softly: Under 1 the surface keeps more of its own colour, as snow does.

        Returns:
            float32 (3,), in [0, 1].
        """
        colour = mix(colour, colour.mean(), self.pale)
        return mix(self.haze, colour * self.tint**softly, nearness)


def _light(sky, haze, tint, glow, disc, water, cloud, lamp, lit, rim, pale=0.0) -> Light:
    ramps = [np.stack([rgb(c) for c in codes.split()]) for codes in (sky, disc, water, cloud)]
    return Light(
        ramps[0],
        rgb(haze),
        np.array(tint, np.float32),
        rgb(glow),
        *ramps[1:],
        rgb(lamp),
        lit,
        rim,
        pale,
    )


# Two palettes for each time; a picture is lit by a mixture of the two.
_PALETTES = {
    "dawn": (
        _light(
            "#868fd0 #b0a3d8 #e2b0cf #fbc0b9 #ffd9b4", "#f3ccd2", (0.74, 0.62, 0.80), "#fff0d2",
            "#fffdf0 #fff0c0", "#f6cfc9 #9a94c6", "#fff1ee #eab9cc", "#ffe9a8", 0.18, 0.45,
        ),
        _light(
            "#7a9fd8 #aab6e3 #d6b8de #f6bccb #ffd2bf", "#ecc7dc", (0.70, 0.66, 0.86), "#ffe6d6",
            "#fffdf4 #ffeccb", "#f1c6d4 #8a8fc8", "#fff3f2 #d9b4d6", "#ffe9a8", 0.18, 0.45,
        ),
    ),
    "noon": (
        _light(
            "#2477d4 #3f97e6 #6cb9f1 #a3d8f8 #d9f1fb", "#bfe2f3", (1.0, 1.0, 0.98), "#fffbe0",
            "#fffbd6 #ffe97a", "#5cc3df #125fa8", "#ffffff #d3e6f5", "#e8f4fb", 0.0, 0.35,
        ),
        _light(
            "#1f8bd8 #3aa9e6 #6ac6ef #a0def5 #dcf5f6", "#c4e9ee", (1.0, 1.0, 0.94), "#fffde0",
            "#fffce0 #fff08c", "#66d0da #1272ac", "#ffffff #d6eef3", "#e8f4fb", 0.0, 0.35,
        ),
    ),
    "sunset": (
        _light(
            "#3b1f63 #8a2a6b #dc4650 #ff7f35 #ffc04f", "#e65a62", (0.52, 0.27, 0.38), "#ffb347",
            "#fff0a0 #ffb13d", "#ff9a4a #5c1f5e", "#ffa36b #a83a66", "#ffe08a", 0.35, 0.85,
        ),
        _light(
            "#51205f #a82c5c #ee5443 #ff8c2e #ffd766", "#f06a52", (0.56, 0.28, 0.32), "#ffc257",
            "#fff4b4 #ffbf4a", "#ffa64e #6a1f52", "#ffb27a #b53d58", "#ffe08a", 0.35, 0.85,
        ),
    ),
    "night": (
        _light(
            "#060a22 #0b1436 #13234f #1f386b #335286", "#2c4878", (0.20, 0.28, 0.48), "#9db8ea",
            "#fffbe6 #f1ecd2", "#27457a #060c28", "#6f88c0 #34497f", "#ffd56b", 0.62, 0.35, 0.4,
        ),
        _light(
            "#0a0924 #12123a #1f1f57 #323272 #4b4d8c", "#3c4080", (0.24, 0.26, 0.48), "#b3b2ea",
            "#fffdf0 #f0e6d6", "#33407e #080a2a", "#7d82c4 #3d4183", "#ffcf70", 0.62, 0.35, 0.4,
        ),
    ),
}  # fmt: skip


def light(time: str, weather: str, rng: np.random.Generator) -> Light:
    """The light of one picture: a mixture of the two palettes of its time, dulled by weather."""
    a, b = _PALETTES[time]
    share = float(rng.random())
    names = ("sky", "haze", "tint", "glow", "disc", "water", "cloud", "lamp")
    mixed = replace(a, **{n: mix(getattr(a, n), getattr(b, n), share) for n in names})
    dull = {"clear": 0.0, "rain": 0.42, "snowfall": 0.2, "fog": 0.2}[weather]
    if not dull:
        return mixed
    dark = 0.88 if weather == "rain" else 1.0

    def dulled(colour):
        return mix(colour, colour.mean(-1, keepdims=True), dull) * dark

    return replace(mixed, **{n: dulled(getattr(mixed, n)) for n in ("sky", "haze", "water")})
