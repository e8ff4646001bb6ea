"""The procedural scenes: the same bytes each time, and captions that are true."""

import itertools
import re
import subprocess
import sys

import numpy as np
import pytest

from kgen.data.scene_captions import captions
from kgen.data.scene_painting import paint
from kgen.data.scenes import ATTRIBUTES, COUNTED, Scene, is_held_out, load_scenes, sample_scene

# What each value may be called; written here again, apart from the grammar.
ENGLISH = {
    "time": {
        "dawn": r"dawn|sunrise|daybreak",
        "noon": r"noon|midday",
        "sunset": r"sunset|dusk",
        "night": r"night",
    },
    "terrain": {
        "sea": r"sea|ocean",
        "lake": r"lake",
        "mountains": r"mountains",
        "forest": r"forest|woods",
        "desert": r"desert",
        "city": r"city",
        "meadow": r"meadow|grassland",
        "snow": r"snowy (hills|land|field)",
    },
    "body": {"sun": r"sun", "moon": r"moon"},
    "place": {"left": r"left", "middle": r"middle|center", "right": r"right"},
    "extra": {
        "birds": r"birds?",
        "boat": r"boats?|sailboats?",
        "house": r"houses?|cottages?",
        "trees": r"trees?",
        "clouds": r"clouds",
        "stars": r"stars",
        "balloon": r"balloon",
    },
    "weather": {
        "clear": r"clear (sky|weather)",
        "rain": r"rain",
        "snowfall": r"snowflakes|snowfall",
        "fog": r"fog|mist",
    },
}
CHINESE = {
    "time": {
        "dawn": "黎明|清晨|日出",
        "noon": "正午|中午",
        "sunset": "日落|黄昏|傍晚",
        "night": "夜",
    },
    "terrain": {
        "sea": "海",
        "lake": "湖",
        "mountains": "山",
        "forest": "森林|松林",
        "desert": "沙",
        "city": "城市|都市",
        "meadow": "草",
        "snow": "雪地|雪原",
    },
    "body": {"sun": "太阳", "moon": "月亮"},
    "place": {"left": "左", "middle": "中间|中央", "right": "右"},
    "extra": {
        "birds": "鸟",
        "boat": "船",
        "house": "房子|小屋",
        "trees": "树",
        "clouds": "云",
        "stars": "星",
        "balloon": "气球",
    },
    "weather": {"clear": "晴", "rain": "雨", "snowfall": "雪花", "fog": "雾"},
}
NUMBERS_EN = {"one": r"(a|one)", "two": r"two", "three": r"three"}
NUMBERS_ZH = {"one": "一", "two": "两", "three": "三"}


def described(num: int, seed: int = 0):
    for i in range(num):
        rng = np.random.default_rng([seed, i])
        scene = sample_scene(rng, held_out=bool(i % 2))
        yield scene, *captions(scene, rng)


def plain(time: str, terrain: str, place: str, extra="none", count="none", weather="clear"):
    body = "moon" if time == "night" else "sun"
    return Scene(time, terrain, body, place, extra, count, weather)


def assert_says(scene: Scene, text: str, words: dict, stated: set[str], whole: str):
    for attribute, values in words.items():
        for value, pattern in values.items():
            said = re.search(whole % pattern, text) is not None
            true = attribute in stated and getattr(scene, attribute) == value
            assert said == true, (text, attribute, value, scene)


def test_same_seed_same_bytes():
    a, b = (load_scenes(num=30, image_size=32, seed=5) for _ in range(2))
    assert a.pixels.tobytes() == b.pixels.tobytes()
    assert a.captions == b.captions
    assert a.pixels.tobytes() != load_scenes(num=30, image_size=32, seed=6).pixels.tobytes()


def test_a_picture_does_not_depend_on_how_many_there_are():
    few, more = (load_scenes(num=n, image_size=32, seed=5) for n in (7, 20))
    np.testing.assert_array_equal(few.pixels, more.pixels[:7])
    assert few.captions == more.captions[:7]


def test_workers_change_nothing():
    alone, together = (load_scenes(520, 32, seed=1, num_workers=n) for n in (0, 2))
    np.testing.assert_array_equal(alone.pixels, together.pixels)
    assert alone.captions == together.captions
    for name, values in alone.attributes.items():
        np.testing.assert_array_equal(values, together.attributes[name])


def test_importing_the_scenes_imports_numpy_alone():
    code = "import sys, kgen.data.scenes, kgen.data.scene_painting, kgen.data.scene_captions\n"
    code += "print([m for m in ('tensorflow', 'keras', 'PIL', 'scipy') if m in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_shapes_and_attributes():
    pictures = load_scenes(num=12, image_size=48, seed=0)
    assert pictures.pixels.shape == (12, 48, 48, 3) and pictures.pixels.dtype == np.uint8
    assert all(len(pair) == 2 for pair in pictures.captions)
    assert set(pictures.attributes) == {*ATTRIBUTES, *(f"states_{a}" for a in ATTRIBUTES)}
    for name, classes in ATTRIBUTES.items():
        assert set(pictures.attributes[name]) <= set(classes)
        assert set(pictures.attributes[f"states_{name}"]) <= {"yes", "no"}


def test_held_out_is_one_in_eight_and_leaves_every_pair():
    held, kept = set(), set()
    for time in ATTRIBUTES["time"]:
        for terrain in ATTRIBUTES["terrain"]:
            for place in ATTRIBUTES["place"]:
                triple = (time, terrain, place)
                (held if is_held_out(plain(*triple)) else kept).add(triple)
    assert (len(held), len(kept)) == (12, 84)
    for i, name in enumerate(("time", "terrain", "place")):
        assert {t[i] for t in held} == {t[i] for t in kept} == set(ATTRIBUTES[name])
    assert len({t[:2] for t in kept}) == 32
    assert len({t[1:] for t in kept}) == 24
    assert len({t[::2] for t in kept}) == 12


@pytest.mark.parametrize("held_out", [False, True])
def test_sampling_keeps_to_its_side_and_to_what_makes_sense(held_out):
    rng = np.random.default_rng(0)
    scenes = [sample_scene(rng, held_out) for _ in range(1500)]
    assert all(is_held_out(scene) == held_out for scene in scenes)
    for name, classes in ATTRIBUTES.items():
        assert {getattr(scene, name) for scene in scenes} == set(classes)
    for scene in scenes:
        assert (scene.body == "moon") == (scene.time == "night")
        assert (scene.count == "none") == (scene.extra not in COUNTED)
        assert scene.extra != "boat" or scene.terrain in ("sea", "lake")
        assert scene.extra != "stars" or scene.time == "night"


def test_captions_state_what_they_say_and_nothing_else():
    for scene, english, chinese, stated in described(3000):
        assert_says(scene, english, ENGLISH, stated, r"\b(%s)\b")
        assert_says(scene, chinese, CHINESE, stated, "(%s)")
        assert ("count" in stated) == ("extra" in stated and scene.extra in COUNTED)
        if "count" in stated:
            thing = ENGLISH["extra"][scene.extra]
            number = rf"\b{NUMBERS_EN[scene.count]} ((small|tall|flying|sailing) )?({thing})\b"
            assert re.search(number, english), english
            plural = scene.count != "one"
            assert (
                bool(re.search(r"\b(birds|s?a?i?l?boats|houses|cottages|trees)\b", english))
                == plural
            )
            assert re.search(NUMBERS_ZH[scene.count] + "[只艘座棵]", chinese), chinese


def test_captions_are_short_of_few_words_and_often_complete():
    words, complete, single, num = set(), 0, 0, 4000
    for scene, english, chinese, stated in described(num, seed=1):
        tokens = re.findall(r"[a-z-]+", english.lower())
        assert 1 <= len(tokens) <= 26, english
        assert 2 <= len(chinese) <= 30, chinese
        words.update(tokens)
        everything = {"time", "terrain", "body", "place"}
        everything |= {"extra"} if scene.extra != "none" else set()
        everything |= {"weather"} if scene.weather != "clear" else set()
        complete += everything <= stated
        single += len(stated) == 1
    assert len(words) <= 250
    assert 0.5 <= complete / num <= 0.68
    assert 0.06 <= single / num <= 0.2


def test_the_sunset_caption_of_the_first_prompt_occurs_and_states_the_time_alone():
    found = [row for row in described(4000, seed=2) if row[2] == "美丽的日落景象"]
    assert found
    assert all(scene.time == "sunset" and stated == {"time"} for scene, _, _, stated in found)


@pytest.mark.parametrize("time", ATTRIBUTES["time"])
@pytest.mark.parametrize("place", ATTRIBUTES["place"])
def test_the_brightest_column_of_the_sky_is_where_the_body_is(time, place):
    third = ATTRIBUTES["place"].index(place)
    for i, terrain in enumerate(ATTRIBUTES["terrain"]):
        pixels = paint(plain(time, terrain, place), 64, np.random.default_rng(i)).astype(float)
        # The sky alone: at noon the sun is high, and the snow below it as bright.
        columns = pixels[: 17 if time == "noon" else 28].sum(-1).max(0)
        bright = np.flatnonzero(columns >= np.quantile(columns, 0.9))
        assert np.median(bright) * 3 // 64 == third, (terrain, bright)


@pytest.mark.parametrize("size", [32, 64, 128, 256])
def test_paints_at_every_size(size):
    pixels = paint(plain("dawn", "city", "left"), size, np.random.default_rng(0))
    assert pixels.shape == (size, size, 3) and pixels.dtype == np.uint8
    assert pixels.std() > 20


def test_a_large_picture_averaged_is_the_small_one():
    for i in range(24):
        scene = sample_scene(np.random.default_rng(i), held_out=False)
        small, large = (paint(scene, s, np.random.default_rng(i)).astype(float) for s in (64, 128))
        averaged = large.reshape(64, 2, 64, 2, 3).mean((1, 3))
        assert np.abs(averaged - small).mean() < 1.5, scene


def test_times_of_day_differ_even_when_small():
    means = {
        time: np.mean(
            [
                paint(plain(time, terrain, "middle"), 32, np.random.default_rng(i))[:14]
                for i, terrain in enumerate(ATTRIBUTES["terrain"])
            ],
            axis=(0, 1, 2),
        )
        for time in ATTRIBUTES["time"]
    }
    for a, b in itertools.combinations(means, 2):
        assert np.abs(means[a] - means[b]).max() > 40, (a, b)


def test_wrong_sizes_are_refused():
    with pytest.raises(ValueError, match="`image_size`"):
        load_scenes(num=1, image_size=8, seed=0)
    with pytest.raises(ValueError, match="`num`"):
        load_scenes(num=0, image_size=64, seed=0)
