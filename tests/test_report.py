"""The report of an evaluation: every part is there, and all its pages say the same."""

import dataclasses
import hashlib
import json
import re

import numpy as np
import pytest
from PIL import Image

from kgen.config import Config, DataConfig
from kgen.data.captioned_pictures import CaptionedPictures
from kgen.data.scenes import load_scenes
from kgen.evaluation import figures
from kgen.evaluation.held_out import HeldOut, check_data_is_known, load_held_out
from kgen.evaluation.judges import judge_for
from kgen.evaluation.measuring import evaluate, evaluate_painter
from kgen.evaluation.page import as_page
from kgen.evaluation.report import as_markdown, short_table, write_report
from kgen.evaluation.sheets import sheet_pixels
from kgen.evaluation.summary import limits, summary
from kgen.evaluation.wording import _attributes, number, sections_of, share

PARTS = ("distance", "fine_structure", "caption_match", "attributes", "words", "memorisation",
         "diversity", "refinement")  # fmt: skip
COLUMNS = ("text", "text_zh")


class Recalling:
    """Draws, for a caption that it knows, the picture it came from; for others, any."""

    def __init__(self, pictures, size=32):
        self.pixels = pictures.pixels
        self.places = {c: i for i, s in enumerate(pictures.captions) for c in s}
        self.config = Config.from_dict({"name": "recalling", "networks": {"image_size": size}})
        self.hash = "0123456789abcdef"

    def generate(self, captions, seed=0):
        places = [
            self.places.get(c, (len(c) + seed + i) % len(self.pixels))
            for i, c in enumerate(captions)
        ]
        return self.pixels[places]


@pytest.fixture(scope="module")
def few_draws():
    """Judges that learn next to nothing, and rough intervals: the report is tested here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(figures, "DRAWS", 8)
        patch.setattr(figures, "FEW_DRAWS", 8)
        yield patch


@pytest.fixture(scope="module")
def kept(few_draws, tmp_path_factory):
    """Where the judges of these tests are kept."""
    few_draws.setenv("KGEN_CACHE", str(tmp_path_factory.mktemp("kept")))


@pytest.fixture(scope="module")
def training():
    return load_scenes(160, 32, seed=0)


@pytest.fixture(scope="module")
def test_pictures():
    return load_scenes(24, 32, seed=1, held_out=True)


@pytest.fixture(scope="module")
def judge(kept, training):
    """One for all tests, whatever pictures they are of."""
    return judge_for(training, epochs=1)


@pytest.fixture(scope="module")
def evaluation(judge, training, test_pictures):
    held_out = HeldOut(training, test_pictures, COLUMNS, "scenes", "test")
    return evaluate_painter(Recalling(test_pictures), held_out, epochs=1)


def without(pictures, columns=1):
    """The pictures without attributes, with so many captions."""
    return CaptionedPictures(pictures.pixels, tuple(c[:columns] for c in pictures.captions))


def figures_in(value):
    """All figures of a report, whichever part they are in."""
    if isinstance(value, dict):
        if {"value", "low", "high", "num"} <= set(value):
            yield value
        for inner in value.values():
            yield from figures_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from figures_in(inner)


def test_every_part_is_measured_or_says_why_not(evaluation):
    report = evaluation.report
    assert report["format"] == 1
    assert len(report["summary"]) == 5
    for part in PARTS:
        assert report[part], part
    assert "matcher" in report["refinement"]["left_out"]
    measured = [part for part in PARTS if "left_out" not in report[part]]
    assert {"distance", "caption_match", "attributes", "memorisation", "diversity"} <= {*measured}
    assert [c["name"] for c in report["caption_match"]["columns"]] == list(COLUMNS)
    assert report["about"]["num"] == 24
    assert report["about"]["num_training"] == 160


def test_the_report_is_json_without_nan_and_intervals_contain_their_values(evaluation):
    text = json.dumps(evaluation.report, allow_nan=False)  # raises where there is NaN
    assert json.loads(text) == evaluation.report
    found = list(figures_in(evaluation.report))
    assert len(found) > 20
    for one in found:
        assert one["num"] >= 1
        if one["low"] is not None:
            assert one["low"] <= one["value"] <= one["high"]


def test_what_draws_the_test_pictures_is_as_good_as_they_are(evaluation):
    report = evaluation.report
    for part in ("distance", "fine_structure"):
        for name in ("frechet", "kernel", "precision", "recall", "density", "coverage"):
            assert report[part][name]["generated"] == report[part][name]["real"]
    for column in report["caption_match"]["columns"]:
        for name in ("r_precision", "caption_swap"):
            assert column[name]["generated"] == column[name]["real"]
    for name, found in report["attributes"].items():
        for column in found["columns"]:
            assert column["generated"]["value"] == found["real"]["value"], name
            assert column["ratio"] is None or column["ratio"]["value"] == 1.0
    memorisation = report["memorisation"]
    assert memorisation["pixels"]["ratio"]["value"] == 1.0
    assert not memorisation["is_memorised"]
    # It takes no notice of noise.
    assert report["diversity"]["features"]["value"] == pytest.approx(0, abs=1e-6)


def test_markdown_and_page_say_what_the_json_says(evaluation):
    report = evaluation.report
    pages = (as_markdown(report, evaluation.sheets), as_page(evaluation))
    expected = [
        share(column[name][kind])
        for column in report["caption_match"]["columns"]
        for name in ("r_precision", "caption_swap")
        for kind in ("generated", "real")
    ]
    expected += [number(report["distance"]["frechet"]["generated"])]
    expected += [share(report["distance"]["coverage"]["real"])]
    expected += [share(c["ratio"]) for a in report["attributes"].values() for c in a["columns"]]
    expected += [number(report["memorisation"]["pixels"]["ratio"])]
    expected += [share(report["diversity"]["pixels"])]
    for page in pages:
        assert [text for text in expected if text not in page] == []
        assert "text_zh" in page
    for line in report["summary"]:
        assert line in pages[0]


def test_shares_are_written_in_percent():
    one = {"value": 0.9724, "low": 0.95, "high": 1.0, "num": 100}
    assert share(one) == "97.2 % (95–100)"
    assert number(one) == "0.9724 (0.95–1)"
    assert share({"value": 1.0, "low": None, "high": None, "num": 3}) == "100 %"
    assert share(None) == number(None) == "–"


def test_the_table_of_the_terminal_has_a_line_a_figure(evaluation):
    text = short_table(evaluation.report)
    assert text.startswith("recalling (0123456789abcdef): 24 held-out pictures of scenes")
    assert re.search(r"^own caption of \d+ \(text_zh\) +[\d.]+ +[\d.]+$", text, re.M)
    assert re.search(r"^time \(text\) +[\d.]+ +[\d.]+$", text, re.M)
    assert all(line in text for line in evaluation.report["summary"])


def test_a_page_needs_nothing_beside_it(evaluation):
    page = as_page(evaluation)
    assert "<script" not in page
    assert re.findall(r'(?:src|href)="(?!data:image/)', page) == []
    captions = evaluation.sheets[0].strips[0].captions
    assert all(caption in page for caption in captions)  # among them a Chinese one
    assert re.search("[一-鿿]", captions[1])
    assert "prefers-color-scheme: dark" in page


def test_captions_cannot_break_the_page(judge, training):
    pictures = without(training)
    bad = tuple((f"<b>|{i % 7}|</b> `x` <script>",) for i in range(160))
    pictures = CaptionedPictures(pictures.pixels, bad)
    test = pictures.in_memory(np.arange(20))
    found = evaluate_painter(
        Recalling(test), HeldOut(pictures, test, ("text",), "<i>", "test"), judge=judge
    )
    page = as_page(found)
    assert "<script" not in page
    assert "<b>|" not in page
    assert "<b>|" not in as_markdown(found.report, found.sheets)


def test_sheets_are_written_with_what_they_show(evaluation, tmp_path):
    paths = write_report(evaluation, tmp_path / "out")
    assert [path.name for path in paths] == ["report.json", "report.md", "page.html"]
    assert json.loads(paths[0].read_text(encoding="utf-8")) == evaluation.report
    names = {sheet.name for sheet in evaluation.sheets}
    assert names == {"samples", "best", "worst", "classes", "closest", "noises"}
    for name in names:
        with Image.open(tmp_path / "out" / "pictures" / f"{name}.png") as picture:
            assert min(picture.size) > 100
            assert picture.text["Hash"] == "0123456789abcdef"
        assert f"](pictures/{name}.png)" in paths[1].read_text(encoding="utf-8")


def test_best_and_worst_are_in_their_order(evaluation):
    sheets = {sheet.name: sheet for sheet in evaluation.sheets}
    scores = {
        name: [float(strip.note.removeprefix("match ")) for strip in sheets[name].strips]
        for name in ("best", "worst")
    }
    assert scores["best"] == sorted(scores["best"], reverse=True)
    assert scores["worst"] == sorted(scores["worst"])
    assert scores["best"][0] > scores["worst"][0]
    assert len(scores["best"]) == 10


def test_strips_of_unlike_length_make_one_sheet(evaluation):
    sheets = {sheet.name: sheet for sheet in evaluation.sheets}
    strip = sheets["classes"].strips[0]
    shorter = dataclasses.replace(strip, pixels=strip.pixels[:1], labels=strip.labels[:1])
    one, both = (
        sheet_pixels(dataclasses.replace(sheets["classes"], strips=strips, columns=1))
        for strips in ((strip,), (strip, shorter))
    )
    assert both.shape[1] == one.shape[1]
    assert both.shape[0] > one.shape[0]


@pytest.mark.slow
def test_the_same_seed_gives_the_same_figures_and_the_kept_judge_is_read(
    evaluation, training, test_pictures
):
    """But for the attributes, whose classifier takes long."""
    told = []
    held_out = HeldOut(without(training, 2), without(test_pictures, 2), COLUMNS, "scenes", "test")
    reports = [
        evaluate_painter(
            Recalling(test_pictures), held_out, seed=seed, epochs=1, tell=told.append
        ).report
        for seed in (7, 7)
    ]
    assert reports[0] == reports[1]
    assert told[0] == "reading the kept judge"
    assert reports[0]["about"]["judge"] == evaluation.report["about"]["judge"]


def test_a_copied_training_set_is_flagged(judge, training):
    """Without attributes and with one column, too."""
    real = without(training)
    test = without(load_scenes(30, 32, seed=5, held_out=True))

    class Copying(Recalling):
        def generate(self, captions, seed=0):
            return self.pixels[(np.arange(len(captions)) + seed) % len(self.pixels)]

    held_out = HeldOut(real, test, ("text",), "scenes", "test")
    found = evaluate_painter(Copying(real), held_out, judge=judge)
    assert found.report["memorisation"]["is_memorised"]
    assert found.report["memorisation"]["pixels"]["ratio"]["value"] == 0
    assert "no labels" in found.report["attributes"]["left_out"]
    page = as_page(found)
    assert "MEMORISED" in page
    assert "MEMORISED" in short_table(found.report)
    closest = next(sheet for sheet in found.sheets if sheet.name == "closest")
    for strip in closest.strips:  # generated beside the training picture that it is
        np.testing.assert_array_equal(strip.pixels[0], strip.pixels[1])


def test_three_test_pictures_leave_out_what_takes_more(judge, training):
    test = without(load_scenes(3, 32, seed=5, held_out=True))
    held_out = HeldOut(without(training), test, ("text",), "scenes", "test")
    found = evaluate_painter(Recalling(test), held_out, judge=judge)
    assert "4 pictures or more" in found.report["distance"]["left_out"]
    assert "there are 3" in as_markdown(found.report, found.sheets)
    assert found.report["memorisation"]["most_near"] is None
    assert any("only 3 test pictures" in line for line in found.report["limits"])
    json.dumps(found.report, allow_nan=False)


def test_a_set_without_test_part_is_measured_on_training_captions_and_says_so(judge, tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    rng = np.random.default_rng(0)
    names = (f"{i}.png" for i in range(100))
    # Without folders train/ and test/, those whose hash is a multiple of 20 would be test pictures.
    training = [n for n in names if int(hashlib.sha1(n.encode()).hexdigest(), 16) % 20][:14]
    rows = []
    for i, name in enumerate(training):
        Image.fromarray(rng.integers(0, 256, (32, 32, 3), np.uint8)).save(folder / name)
        rows.append(json.dumps({"file_name": name, "text": f"第{i}张图片"}))
    (folder / "metadata.jsonl").write_text("\n".join(rows), encoding="utf-8")
    config = Config.from_dict(
        {"networks": {"image_size": 32}, "data": {"path": str(tmp_path / "mine")}}
    )
    held_out = load_held_out(config, None, 100)
    assert (held_out.split, len(held_out.test)) == ("train", 14)
    assert held_out.data == "mine"
    found = evaluate_painter(Recalling(held_out.test), held_out, judge=judge)
    assert "no test part" in found.report["memorisation"]["left_out"]
    assert "NO TEST PART" in found.report["limits"][0]
    assert "14 TRAINING pictures" in short_table(found.report)


def test_larger_test_parts_are_cut_evenly():
    config = Config.from_dict({"networks": {"image_size": 32}, "data": {"num_scenes": 40}})
    held_out = load_held_out(config, None, 10)
    assert (len(held_out.test), len(held_out.training)) == (10, 40)
    assert held_out.columns == COLUMNS
    assert DataConfig().path == ""


def test_a_preset_of_other_data_asks_for_them(tmp_path):
    (tmp_path / "card.json").write_text('{"data": "nouns64.zip"}', encoding="utf-8")
    with pytest.raises(ValueError, match="trained on nouns64.zip: name where that is") as error:
        check_data_is_known(tmp_path, None)
    assert "\n" not in str(error.value)
    check_data_is_known(tmp_path, "/somewhere/nouns64.zip")
    (tmp_path / "card.json").write_text('{"data": "kgen\'s procedural scenes"}', encoding="utf-8")
    check_data_is_known(tmp_path, None)


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"num": 0}, "num"),
        ({"seed": -1}, "seed"),
        ({"seed": 2**33}, "seed"),
        ({"features": "resnet"}, "features"),
    ],
)
def test_bad_arguments_are_told_in_a_line(given, named, tmp_path):
    with pytest.raises(ValueError, match=f"`{named}` must be") as error:
        evaluate(tmp_path, **given)
    assert "\n" not in str(error.value)


def test_of_the_hardest_classes_those_come_first_of_which_most_is_known(evaluation):
    def of(right, num):
        right = {"real": num, "generated": [right, 0]}
        return {"num": num, "num_drawn": [num, 0], "num_right": right}

    report = json.loads(json.dumps(evaluation.report))
    report["attributes"]["time"]["classes"] = {
        **{f"{i} of once": of(0, 1) for i in range(12)},
        "never of nine": of(0, 9),  # below 30 of 100, most likely; of once, below 79
        "always": of(9, 9),
    }
    tables = {t.title: t for s in sections_of(report) for t in s.tables}
    rows = tables["time: its classes, the hardest"].rows
    assert rows[0] == ("never of nine", "0 of 9", "0 of 0", "9 of 9")
    assert len(rows) == 12
    assert "always" not in {row[0] for row in rows}


def test_a_weak_judge_is_told(evaluation):
    report = json.loads(json.dumps(evaluation.report))
    for column in report["caption_match"]["columns"]:
        column["r_precision"]["real"]["value"] = 0.03
    assert any("only 3 in 100 real pictures" in line for line in limits(report))
    for column in report["caption_match"]["columns"]:
        column["r_precision"]["real"]["value"] = 0.97
    assert not any("in 100 real pictures" in line for line in limits(report))


def test_the_summary_names_the_weakest():
    def one(value):
        return {"value": value, "low": value, "high": value, "num": 10}

    def of(ratio):
        return {"columns": [{"name": "text", "ratio": one(ratio)}]}

    report = {
        "about": {"num": 10},
        "caption_match": {"columns": [{"name": "text", "candidates": 100, "r_precision": {
            "generated": one(0.97), "real": one(0.98)}}]},
        "attributes": {"head": of(0.61), "glasses": of(0.995)},
        "words": {"columns": [{"name": "text", "words": [
            {"word": "red", "generated": one(0.71)}, {"word": "蓝", "generated": one(0.95)}]}]},
        "distance": {"num": 10, "frechet": {"generated": one(12.0), "real": one(8.0)}},
        "fine_structure": {"frechet": {"generated": one(9.0), "real": one(3.0)},
                           "coverage": {"generated": one(0.4), "real": one(0.8)}},
        "memorisation": {"is_memorised": False, "least_ratio": 0.8,
                         "pixels": {"ratio": one(0.9)}},
        "diversity": {"left_out": "one caption"},
    }  # fmt: skip
    sentences = summary(report)
    assert (
        sentences[0]
        == "A picture finds its caption among 100 in 97 of 100 (text; real pictures: 98)."
    )  # noqa: E501
    assert sentences[1] == (
        "The weakest attribute is head, seen 61 % as often as in real pictures; at least 99 % as "
        "often: glasses."
    )
    assert "1 of 2 words are honoured in at least 90 of 100 (text)" in sentences[2]
    assert "`red` (71), `蓝` (95)" in sentences[2]
    assert sentences[3] == (
        "The Fréchet distance of 10 generated to real pictures is 12 in what they show (unseen "
        "real pictures: 8); 9 in how they are drawn, near to 40 % of them (unseen real pictures: "
        "3, 80 %)."
    )
    assert sentences[4].startswith("Not copied: generated pictures lie 0.90 times as far")


def test_classes_are_told_for_each_language_and_the_commonest_of_many_apart():
    # 13 kinds: the first 12 have 4 pictures each, all told right, drawn right 4 and 2 times; the
    # last, 梅, has 2, never right. So 48 of 48 real, 48 of 48 and 24 of 48 drawn.
    kinds = {f"kind {i:02}": (4, 4, (4, 2)) for i in range(12)} | {"梅": (2, 0, (0, 0))}
    classes = {
        name: {
            "num": num,
            "num_drawn": [num, num],
            "num_right": {"real": real, "generated": list(drawn)},
        }
        for name, (num, real, drawn) in kinds.items()
    }
    columns = [{"name": name, "generated": None, "ratio": None} for name in COLUMNS]
    part = {"kind": {"real": None, "columns": columns, "classes": classes, "confusions": []}}
    shares, of_classes = _attributes(part)[1]
    assert shares.rows[2:] == (
        ("kind, its 12 commonest", "text", "100 %", "100 %", "100 %", "48"),
        ("kind, its 12 commonest", "text_zh", "50 %", "100 %", "50 %", "48"),
    )
    assert of_classes.head == ("class", "text", "text_zh", "real pictures")
    assert of_classes.rows[0] == ("梅", "0 of 2", "0 of 2", "0 of 2")
