"""Paints a scene, from the sky to what stands closest."""

import numpy as np

from kgen.checks import check_int
from kgen.data import scene_city, scene_land, scene_water
from kgen.data.scene_canvas import Canvas
from kgen.data.scene_extras import paint_extra
from kgen.data.scene_light import light as light_of
from kgen.data.scene_sky import (
    Body,
    paint_body,
    paint_clouds,
    paint_mist,
    paint_sky,
    paint_stars,
    paint_weather,
)

_LANDS = {  # terrain -> its painter, and y of its horizon, between two values
    "sea": (scene_water.paint_sea, (0.56, 0.61)),
    "lake": (scene_water.paint_lake, (0.55, 0.59)),
    "mountains": (scene_land.paint_mountains, (0.60, 0.64)),
    "forest": (scene_land.paint_forest, (0.58, 0.62)),
    "desert": (scene_land.paint_desert, (0.58, 0.62)),
    "city": (scene_city.paint_city, (0.64, 0.68)),
    "meadow": (scene_land.paint_meadow, (0.57, 0.61)),
    "snow": (scene_land.paint_snow, (0.56, 0.60)),
}


def paint(scene, image_size: int, rng: np.random.Generator) -> np.ndarray:
    """Paints a scene.

    The numbers drawn from `rng` do not depend on the size: the same state gives the same picture
    at every size.

    Args:
        scene: The facts, a `Scene`.
        image_size: S, pixels, in [32, 256].
        rng: Chooses what the facts leave open.

    Returns:
        uint8 (S, S, 3), in [0, 255].
    """
    check_int("image_size", image_size, 32, 256)
    canvas = Canvas(image_size)
    light = light_of(scene.time, scene.weather, rng)
    paint_land, (low, high) = _LANDS[scene.terrain]
    horizon = float(rng.uniform(low, high))
    body = Body(scene, rng)
    paint_sky(canvas, light, horizon)
    if scene.extra == "stars":
        paint_stars(canvas, body, horizon, rng)
    paint_body(canvas, scene, body, light, rng)
    if scene.extra == "clouds":
        paint_clouds(canvas, body, light, rng)
    ground = paint_land(canvas, scene, horizon, body, light, rng)
    if scene.time == "dawn":
        paint_mist(canvas, horizon, light, rng)
    paint_extra(canvas, scene, body, light, ground, rng)
    paint_weather(canvas, scene, body, light, rng)
    return canvas.pixels()
