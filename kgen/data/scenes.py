"""Procedural landscapes with English and Chinese captions: data that needs no download.

A scene is a few facts (`Scene`); `scene_painting` draws them and `scene_captions` says them. One
composition of (time, terrain, place) in eight is held out, so that an evaluation can ask for
pictures that no training has seen, of words that it has.
"""

import contextlib
import multiprocessing
import os
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np

from kgen.checks import check_int
from kgen.data.captioned_pictures import CaptionedPictures
from kgen.data.scene_captions import captions
from kgen.data.scene_painting import paint

ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "time": ("dawn", "noon", "sunset", "night"),
    "terrain": ("sea", "lake", "mountains", "forest", "desert", "city", "meadow", "snow"),
    "body": ("sun", "moon"),
    "place": ("left", "middle", "right"),
    "extra": ("none", "birds", "boat", "house", "trees", "clouds", "stars", "balloon"),
    "count": ("none", "one", "two", "three"),
    "weather": ("clear", "rain", "snowfall", "fog"),
}
COUNTED = ("birds", "boat", "house", "trees")  # the others have the count "none"
_EXTRA_TERRAINS = {  # where an extra makes sense; one not named here goes everywhere
    "boat": ("sea", "lake"),
    "house": ("lake", "mountains", "forest", "desert", "meadow", "snow"),
    "trees": ("lake", "mountains", "desert", "meadow"),
}
_PER_TASK = 250  # pictures; a task of about half a second


@dataclass(frozen=True)
class Scene:
    """The facts of one picture; each field holds one of the names in `ATTRIBUTES`."""

    time: str
    terrain: str
    body: str
    place: str
    extra: str
    count: str
    weather: str


def is_held_out(scene: Scene) -> bool:
    """Whether no training may see this scene's (time, terrain, place): 12 of the 96.

    Formula:
        terrain + 2 time + 3 place = 0 (mod 8), each the index in `ATTRIBUTES`. With two of the
        three fixed, at most one value of the third solves it, so training keeps every pair.
    """
    return _held_out(scene.time, scene.terrain, scene.place)


def _held_out(time: str, terrain: str, place: str) -> bool:
    index = {"time": time, "terrain": terrain, "place": place}
    t, k, p = (ATTRIBUTES[name].index(value) for name, value in index.items())
    return (k + 2 * t + 3 * p) % 8 == 0


_COMPOSITIONS = {
    held_out: tuple(
        (time, terrain, place)
        for time in ATTRIBUTES["time"]
        for terrain in ATTRIBUTES["terrain"]
        for place in ATTRIBUTES["place"]
        if _held_out(time, terrain, place) == held_out
    )
    for held_out in (False, True)
}


def sample_scene(rng: np.random.Generator, held_out: bool) -> Scene:
    """Draws a scene, of the held-out compositions or of the others."""
    compositions = _COMPOSITIONS[bool(held_out)]
    time, terrain, place = compositions[rng.integers(len(compositions))]
    weathers = _weathers(terrain)
    weather = weathers[rng.integers(len(weathers))]
    extras = [e for e in ATTRIBUTES["extra"] if _fits(e, time, terrain, weather)]
    likely = np.array([{"none": 1.2, "stars": 2.5, "boat": 1.8}.get(e, 1.0) for e in extras])
    extra = extras[rng.choice(len(extras), p=likely / likely.sum())]
    number = 1 + int(rng.integers(3))
    return Scene(
        time=time,
        terrain=terrain,
        body="moon" if time == "night" else "sun",
        place=place,
        extra=extra,
        count=ATTRIBUTES["count"][number] if extra in COUNTED else "none",
        weather=weather,
    )


def _weathers(terrain: str) -> list[str]:
    rare = ["rain", "snowfall", "fog"]
    if terrain == "desert":
        rare = ["fog"]
    return ["clear"] * (9 if len(rare) == 3 else 12) + rare


def _fits(extra: str, time: str, terrain: str, weather: str) -> bool:
    if extra == "stars":
        return time == "night" and weather == "clear"
    if extra == "clouds":
        return weather != "fog"
    return terrain in _EXTRA_TERRAINS.get(extra, (terrain,))


def load_scenes(
    num: int, image_size: int, seed: int, held_out: bool = False, num_workers: int | None = None
) -> CaptionedPictures:
    """Paints `num` scenes; the same arguments give the same bytes, with any number of workers.

    Args:
        num: Number of pictures.
        image_size: Width and height, pixels, in [32, 256].
        seed: Picture i is drawn from (seed, i) alone.
        held_out: Whether to draw the held-out compositions, or all others.
        num_workers: Processes; None: one for each core where the work is worth it, else none.

    Returns:
        `CaptionedPictures` with two captions for each picture, English and Chinese, and in
        `attributes` for each name of `ATTRIBUTES` the truth about the picture, under its name,
        and whether the captions state it ("yes" or "no"), under "states_" and its name.

    Example:
        >>> pictures = load_scenes(num=4, image_size=32, seed=0)
        >>> pictures.pixels.shape, len(pictures.captions[0])
        ((4, 32, 32, 3), 2)
    """
    check_int("num", num, 1)
    check_int("image_size", image_size, 32, 256)
    check_int("seed", seed, 0)
    tasks = [
        (first, min(first + _PER_TASK, num), image_size, seed, held_out)
        for first in range(0, num, _PER_TASK)
    ]
    if num_workers is None:
        worthwhile = num * (image_size / 64) ** 2 >= 2000
        num_workers = (os.cpu_count() or 1) if worthwhile else 0
    if num_workers < 2 or len(tasks) < 2:
        parts = [_paint_some(task) for task in tasks]
    else:
        # "spawn", since forking a process that has imported TensorFlow can hang.
        context = multiprocessing.get_context("spawn")
        with _unnamed_main(), ProcessPoolExecutor(num_workers, context) as pool:
            parts = list(pool.map(_paint_some, tasks))
    facts = [fact for _, _, some in parts for fact in some]
    return CaptionedPictures(
        pixels=np.concatenate([pixels for pixels, _, _ in parts]),
        captions=tuple(pair for _, pairs, _ in parts for pair in pairs),
        attributes={name: np.array([fact[name] for fact in facts]) for name in facts[0]},
    )


@contextlib.contextmanager
def _unnamed_main() -> Iterator[None]:
    """Keeps spawned workers from importing the user's script, with all that it imports.

    A worker needs this module alone; without this, a script that imports TensorFlow would do so
    once more in each worker, and one without an `if __name__ == "__main__"` would start anew.
    """
    main = sys.modules["__main__"]
    hidden = {"__file__": main.__dict__.pop("__file__")} if hasattr(main, "__file__") else {}
    spec, main.__spec__ = getattr(main, "__spec__", None), None
    try:
        yield
    finally:
        main.__dict__.update(hidden)
        main.__spec__ = spec


def _paint_some(task: tuple[int, int, int, int, bool]):
    """Pixels, caption pairs and facts of the pictures first..last-1; runs in a worker."""
    first, last, image_size, seed, held_out = task
    pixels = np.empty((last - first, image_size, image_size, 3), np.uint8)
    pairs, facts = [], []
    for i in range(first, last):
        rng = np.random.default_rng([seed, i])
        scene = sample_scene(rng, held_out)
        # Painted before it is described: other wordings leave the pictures as they are.
        pixels[i - first] = paint(scene, image_size, rng)
        english, chinese, stated = captions(scene, rng)
        pairs.append((english, chinese))
        fact = {name: getattr(scene, name) for name in ATTRIBUTES}
        fact |= {f"states_{name}": "yes" if name in stated else "no" for name in ATTRIBUTES}
        facts.append(fact)
    return pixels, pairs, facts
