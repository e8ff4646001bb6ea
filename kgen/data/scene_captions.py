"""Says the facts of a scene in English and Chinese, all of them or some.

Both captions of a picture state the same facts. What they leave open, the picture decides, so
that a model learns to vary what it was not told.
"""

import numpy as np

TIME_EN = {
    "dawn": ("dawn", "sunrise", "daybreak"),
    "noon": ("noon", "midday"),
    "sunset": ("sunset", "sunset", "dusk"),
    "night": ("night",),
}
TIME_ZH = {
    "dawn": ("黎明", "清晨", "日出"),
    "noon": ("正午", "中午"),
    "sunset": ("日落", "日落", "黄昏", "傍晚"),
    "night": ("夜晚", "深夜"),
}
# A terrain as a thing ("a lake at dawn") and, in Chinese, as a place ("湖边的黎明").
TERRAIN_EN = {
    "sea": ("the sea", "the ocean", "the open sea"),
    "lake": ("a lake", "a quiet lake", "a calm lake"),
    "mountains": ("mountains", "high mountains", "the mountains"),
    "forest": ("a forest", "the woods", "a pine forest"),
    "desert": ("a desert", "the desert", "desert dunes"),
    "city": ("a city", "the city", "a city skyline"),
    "meadow": ("a meadow", "a green meadow", "grassland"),
    "snow": ("snowy hills", "a snowy land", "a snowy field"),
}
TERRAIN_ZH = {
    "sea": ("大海", "海洋", "海面"),
    "lake": ("湖泊", "湖面"),
    "mountains": ("群山", "高山", "山脉"),
    "forest": ("森林", "松林"),
    "desert": ("沙漠", "沙丘"),
    "city": ("城市", "都市"),
    "meadow": ("草地", "草原"),
    "snow": ("雪地", "雪原"),
}
TERRAIN_PLACE_ZH = {
    "sea": ("海上", "海边"),
    "lake": ("湖边", "湖上"),
    "mountains": ("山中", "山间"),
    "forest": ("森林里", "松林里"),
    "desert": ("沙漠里", "沙漠中"),
    "city": ("城市里", "都市里"),
    "meadow": ("草原上", "草地上"),
    "snow": ("雪地里", "雪原上"),
}
BODY_ZH = {"sun": "太阳", "moon": "月亮"}
PLACE_EN = {
    "left": ("on the left", "at the left", "on the left side"),
    "middle": ("in the middle", "in the center", "at the center"),
    "right": ("on the right", "at the right", "on the right side"),
}
PLACE_ZH = {"left": ("左边", "左侧"), "middle": ("中间", "中央"), "right": ("右边", "右侧")}
COUNT_EN = {"one": ("a", "one"), "two": ("two",), "three": ("three",)}
COUNT_ZH = {"one": "一", "two": "两", "three": "三"}
# English: singular and plural. Chinese: measure word, noun, and a verb for where it is.
THINGS_EN = {
    "birds": (("bird", "birds"), ("flying bird", "flying birds")),
    "boat": (("boat", "boats"), ("sailing boat", "sailing boats"), ("sailboat", "sailboats")),
    "house": (("house", "houses"), ("small house", "small houses"), ("cottage", "cottages")),
    "trees": (("tree", "trees"), ("tall tree", "tall trees")),
}
THINGS_ZH = {
    "birds": (("只鸟", "天上飞着"), ("只飞鸟", "空中有")),
    "boat": (("艘船", "水上有"), ("艘帆船", "水面漂着")),
    "house": (("座房子", "地上有"), ("座小屋", "近处有")),
    "trees": (("棵树", "近处长着"), ("棵大树", "地上有")),
}
UNCOUNTED_EN = {
    "clouds": ("clouds", "some clouds", "soft clouds"),
    "stars": ("stars", "many stars", "bright stars"),
    "balloon": ("a hot-air balloon", "a balloon", "a colorful balloon"),
}
UNCOUNTED_ZH = {
    "clouds": ("几朵云", "天上飘着云", "云朵"),
    "stars": ("满天星星", "天上有许多星星", "繁星"),
    "balloon": ("一个热气球", "飘着一个热气球", "一个彩色气球"),
}
WEATHER_EN = {
    "clear": ("a clear sky", "clear weather"),
    "rain": ("light rain", "falling rain", "gentle rain"),
    "snowfall": ("falling snowflakes", "drifting snowflakes", "light snowfall"),
    "fog": ("fog", "light fog", "thin mist"),
}
WEATHER_ZH = {
    "clear": ("天空晴朗", "天气晴朗"),
    "rain": ("下着小雨", "细雨绵绵"),
    "snowfall": ("飘着雪花", "雪花飘落"),
    "fog": ("薄雾弥漫", "有淡淡的雾"),
}
PRAISE_EN = ("beautiful", "beautiful", "peaceful", "quiet", "lovely")
PRAISE_ZH = ("美丽的", "美丽的", "宁静的", "安静的", "漂亮的")


def captions(scene, rng: np.random.Generator) -> tuple[str, str, set[str]]:
    """An English and a Chinese caption that state the same facts.

    Args:
        scene: The facts, a `Scene`.
        rng: Chooses what is stated, and the words.

    Returns:
        English, at most 26 words; Chinese, at most 30 characters; the names of the attributes
        that both state. Place is stated only with the body, count only with the extra.
    """
    stated = _choose(scene, rng)

    def pick(options):
        return options[rng.integers(len(options))]

    return _english(scene, stated, pick), _chinese(scene, stated, pick), stated


def _choose(scene, rng: np.random.Generator) -> set[str]:
    """About 55 % say all that is there, 8 % only the time or the terrain, the others some."""
    kind = rng.random()
    if kind < 0.08:
        return {"time"} if kind < 0.05 else {"terrain"}
    everything = {"time", "terrain", "body", "place"}
    everything |= {"extra"} if scene.extra != "none" else set()
    everything |= {"weather"} if scene.weather != "clear" or rng.random() < 0.15 else set()
    if kind < 0.58:
        stated = everything
    else:
        keep = {"time": 0.75, "terrain": 0.75, "body": 0.6, "place": 0.8, "extra": 0.6}
        stated = {n for n in sorted(everything) if rng.random() < keep.get(n, 0.5)}
        if not stated & {"time", "terrain"}:
            stated.add("time" if rng.random() < 0.5 else "terrain")
    if "body" not in stated:
        stated.discard("place")
    if "extra" in stated and scene.count != "none":
        stated.add("count")
    return stated


def _english(scene, stated, pick) -> str:
    time = pick(TIME_EN[scene.time]) if "time" in stated else ""
    terrain = pick(TERRAIN_EN[scene.terrain]) if "terrain" in stated else ""
    extra = _extra_en(scene, pick) if "extra" in stated else ""
    weather = pick(WEATHER_EN[scene.weather]) if "weather" in stated else ""
    place = pick(PLACE_EN[scene.place]) if "place" in stated else ""
    body = "the " + scene.body if "body" in stated else ""
    seen = f"{body} {place}" if place else f"{body} in the sky" if body else ""
    scenery = _scenery_en(time, terrain, pick)
    form = pick(("with", "with", "list", "tags", "sentence", "body first", "extra first"))
    if form == "tags":
        side = scene.place if place else ""
        tags = (time, terrain.removeprefix("the ").removeprefix("a "), extra, weather)
        shown = f"{scene.body} {side}".strip() if body else ""
        return ", ".join(tag for tag in (*tags[:2], shown, *tags[2:]) if tag)
    if form == "sentence" and body:
        verb = pick(("is", "shines", "hangs"))
        rest = " and ".join(part for part in (extra, weather) if part)
        where = place or "in the sky"
        return f"{scenery}, {body} {verb} {where}" + (f", with {rest}" if rest else "")
    if form == "body first" and body:
        rest = " and ".join(part for part in (extra, weather) if part)
        return f"{seen} {_where('over', time, terrain)}" + (f", with {rest}" if rest else "")
    if form == "extra first" and extra:
        near = "by" if scene.terrain == "lake" else "in"
        how = {"boat": "on", "house": near, "trees": near}.get(scene.extra, "over")
        rest = " and ".join(part for part in (seen, weather) if part)
        return f"{extra} {_where(how, time, terrain)}" + (f", with {rest}" if rest else "")
    parts = [part for part in (seen, extra, weather) if part]
    if form == "list" or len(parts) == 3:
        return ", ".join((scenery, *parts))
    return f"{scenery} with {' and '.join(parts)}" if parts else scenery


def _where(how: str, time: str, terrain: str) -> str:
    """ "over a lake at dawn", of what is stated."""
    parts = (f"{how} {terrain}" if terrain else "", f"at {time}" if time else "")
    return " ".join(part for part in parts if part)


def _scenery_en(time: str, terrain: str, pick) -> str:
    praise = pick(PRAISE_EN)
    if time and terrain:
        return pick(
            (f"{terrain} at {time}", f"{time} over {terrain}", f"a view of {terrain} at {time}",
             f"{terrain} at {time}", f"a {praise} {time} scene of {terrain}")
        )  # fmt: skip
    if time:
        return pick((f"a {praise} {time} scene", f"a landscape at {time}", f"a {time} scene"))
    return pick((terrain, f"a picture of {terrain}", f"a {praise} view of {terrain}"))


def _extra_en(scene, pick) -> str:
    if scene.extra in UNCOUNTED_EN:
        return pick(UNCOUNTED_EN[scene.extra])
    one, many = pick(THINGS_EN[scene.extra])
    return f"{pick(COUNT_EN[scene.count])} {one if scene.count == 'one' else many}"


def _chinese(scene, stated, pick) -> str:
    time = pick(TIME_ZH[scene.time]) if "time" in stated else ""
    extra = _extra_zh(scene, pick) if "extra" in stated else ""
    weather = pick(WEATHER_ZH[scene.weather]) if "weather" in stated else ""
    body = BODY_ZH[scene.body] if "body" in stated else ""
    place = pick(PLACE_ZH[scene.place]) if "place" in stated else ""
    if body and place:
        seen = pick((f"{body}在{place}", f"{place}是{body}", f"{body}挂在{place}"))
    else:
        seen = pick((f"天上有{body}", f"{body}挂在天上")) if body else ""
    scenery = _scenery_zh(scene, time, "terrain" in stated, pick)
    parts = [scenery, seen, extra, weather]
    if pick((True, False, False)):
        parts = [seen, scenery, extra, weather]
    return "，".join(part for part in parts if part)


def _scenery_zh(scene, time: str, terrain_stated: bool, pick) -> str:
    praise = pick(PRAISE_ZH)
    terrain, there = (pick(TERRAIN_ZH[scene.terrain]), pick(TERRAIN_PLACE_ZH[scene.terrain]))
    if time and terrain_stated:
        at = f"{time}时" if time in ("日出", "日落") else time  # these two are events
        return pick(
            (
                f"{at}的{terrain}",
                f"{time}时分的{terrain}",
                f"{there}的{time}",
                f"{there}{praise}{time}",
            )
        )
    if time:
        scene_of = f"{praise}{time}景象"
        return pick((scene_of, scene_of, scene_of, f"{time}的风景", f"{praise}{time}", time))
    wide = f"一片{terrain}" if scene.terrain not in ("lake", "mountains", "city") else terrain
    return pick((terrain, f"{praise}{terrain}", f"{terrain}的风景", wide))


def _extra_zh(scene, pick) -> str:
    if scene.extra in UNCOUNTED_ZH:
        return pick(UNCOUNTED_ZH[scene.extra])
    thing, where = pick(THINGS_ZH[scene.extra])
    return pick(("", where, "有")) + COUNT_ZH[scene.count] + thing
