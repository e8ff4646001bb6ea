"""Which attributes are asked for, what the classifier learns, and what the answers add up to."""

import json
import math
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from kgen.data.captioned_pictures import CaptionedPictures
from kgen.data.folders import load_captioned_folder
from kgen.evaluation import attribute_classifier
from kgen.evaluation.attribute_classifier import (
    attribute_names,
    commonest_classes,
    moved,
    smoothed_cross_entropy,
    train_classifier,
)
from kgen.evaluation.attributes import ask, measure_obedience
from kgen.networks.feature_map import map_of_features

FRUIT = ("李子", "梨", "苹果")  # sorted, as classes are


class Reader:
    """A classifier that reads a picture's class off its first value, of two attributes."""

    classes = {"fruit": FRUIT, "half": ("low", "high")}

    def classify(self, pixels):
        first = pixels[:, 0, 0, 0].astype(int)
        return {
            "fruit": np.array(FRUIT)[np.minimum(first, 2)],
            "half": np.array(["low", "high"])[(first > 0).astype(int)],
        }


def painted(numbers):
    """A picture of each number."""
    return np.zeros((len(numbers), 8, 8, 3), np.uint8) + np.uint8(numbers)[:, None, None, None]


def fruit_pictures(numbers, captions=None, **attributes):
    """Pictures of fruit with an English and a Chinese caption each, all different."""
    named = [(f"fruit {i}", f"水果{i}") for i in range(len(numbers))]
    return CaptionedPictures(
        painted(numbers),
        tuple(captions or named),
        {
            "fruit": np.array([FRUIT[n] for n in numbers], object),
            "half": np.array([("low", "high")[n > 0] for n in numbers], object),
            **attributes,
        },
    )


def recalling(pictures, answer):
    """A painter that knows which picture a caption is of, and draws `answer` of its number."""
    known = {
        caption: int(pictures.pixels[i, 0, 0, 0])
        for i, several in enumerate(pictures.captions)
        for caption in several
    }
    return lambda captions, seed: painted([answer(known[caption]) for caption in captions])


def test_a_painter_of_the_real_pictures_has_ratio_one():
    pictures = fruit_pictures([0, 1, 2, 2])
    row = measure_obedience(recalling(pictures, lambda n: n), pictures, Reader())["fruit"]
    assert (row["num"], row["real"]) == (4, 1.0)
    assert (row["generated"], row["ratio"]) == ([1.0, 1.0], [1.0, 1.0])
    assert row["num_drawn"] == [4, 4]
    assert row["num_right"] == {"real": 4, "generated": [4, 4]}
    assert row["confusions"] == []


def test_the_ratio_is_to_what_the_classifier_sees_in_real_pictures():
    """It takes the second of four pictures for another fruit, real or drawn."""
    pictures = fruit_pictures([0, 1, 2, 2])
    pictures.attributes["fruit"][1] = "苹果"  # drawn as a pear
    row = measure_obedience(recalling(pictures, lambda n: n), pictures, Reader())["fruit"]
    assert (row["real"], row["generated"], row["ratio"]) == (0.75, [0.75] * 2, [1.0] * 2)


def test_a_painter_of_other_classes_scores_nothing():
    pictures = fruit_pictures([0, 1, 2, 2])
    row = measure_obedience(recalling(pictures, lambda n: (n + 1) % 3), pictures, Reader())
    assert row["fruit"]["generated"] == row["fruit"]["ratio"] == [0.0, 0.0]
    # Of high and low: 0 -> 1 and 2 -> 0 (twice) are wrong, 1 -> 2 is right.
    assert row["half"]["generated"] == [0.25, 0.25]


def test_a_painter_that_ignores_captions_scores_as_chance_does():
    pictures = fruit_pictures([0, 1, 2] * 20)
    rng = np.random.default_rng(0)
    answers = ask(lambda captions, seed: painted(rng.integers(0, 3, len(captions))), pictures,
                  Reader())["fruit"]  # fmt: skip
    hits = np.concatenate([answers.generated_hits(k)[0] for k in range(2)])
    # 120 draws of chance 1/3: mean 40, standard deviation 5.2
    assert hits.shape == (120,)
    assert 20 < hits.sum() < 60
    always = measure_obedience(lambda c, seed: painted([2] * len(c)), pictures, Reader())["fruit"]
    assert always["generated"] == pytest.approx([1 / 3, 1 / 3])
    assert always["confusions"] == [
        {"asked": "李子", "seen": "苹果", "num": 40},
        {"asked": "梨", "seen": "苹果", "num": 40},
    ]


def test_pictures_without_a_caption_in_a_column_are_not_counted_there():
    captions = [("plum", "李子"), ("pear",), ("apple", "苹果"), ("an apple",)]
    pictures = fruit_pictures([0, 1, 2, 2], captions)
    asked = []

    def draw(some, seed):
        asked.extend(some)
        return painted([2] * len(some))  # apples whatever it is told

    row = measure_obedience(draw, pictures, Reader())["fruit"]
    assert asked == ["plum", "pear", "apple", "an apple", "李子", "苹果"]
    assert row["num_drawn"] == [4, 2]
    assert row["num_right"] == {"real": 4, "generated": [2, 1]}
    assert row["generated"] == row["ratio"] == [0.5, 0.5]
    assert row["classes"]["梨"]["num_drawn"] == [1, 0]
    assert row["classes"]["梨"]["generated"] == [0.0, None]  # of nothing there is no share


def test_each_class_has_its_own_row():
    pictures = fruit_pictures([0, 0, 1, 2])
    draw = recalling(pictures, lambda n: 2 if n == 1 else n)
    classes = measure_obedience(draw, pictures, Reader())["fruit"]["classes"]
    assert list(classes) == list(FRUIT)
    assert [row["num"] for row in classes.values()] == [2, 1, 1]
    assert [row["real"] for row in classes.values()] == [1.0, 1.0, 1.0]
    assert [row["ratio"] for row in classes.values()] == [[1.0] * 2, [0.0] * 2, [1.0] * 2]


def test_what_captions_do_not_state_is_not_counted():
    pictures = fruit_pictures([0, 1, 2], states_fruit=np.array(["yes", "no", "yes"], object))
    report = measure_obedience(recalling(pictures, lambda n: 0), pictures, Reader())
    assert (report["fruit"]["num"], report["half"]["num"]) == (2, 3)
    assert report["fruit"]["generated"] == [0.5, 0.5]


def test_unknown_values_and_classes_never_learned_are_not_counted():
    pictures = fruit_pictures([0, 1, 2, 2])
    pictures.attributes["fruit"][:2] = ["", "龙眼"]
    report = measure_obedience(recalling(pictures, lambda n: n), pictures, Reader())
    assert report["fruit"]["num"] == 2
    assert set(report["fruit"]["classes"]) == {"苹果"}


def test_an_attribute_of_no_test_picture_has_no_shares():
    pictures = fruit_pictures([0, 1])
    pictures.attributes["fruit"][:] = ""
    report = measure_obedience(recalling(pictures, lambda n: n), pictures, Reader())
    assert (report["fruit"]["num"], report["fruit"]["real"]) == (0, None)


def test_seeds_run_through_all_drawings():
    """Batches of 64: no two drawings share their noise, which counts on from the seed."""
    pictures = fruit_pictures([0] * 70)
    calls = []

    def draw(captions, seed):
        calls.append((seed, len(captions)))
        return painted([0] * len(captions))

    measure_obedience(draw, pictures, Reader(), seed=5)
    assert calls == [(5, 64), (69, 6), (75, 64), (139, 6)]


def test_hits_are_row_by_row_of_the_same_captions():
    pictures = fruit_pictures([0, 1, 2], [("a", "甲"), ("b",), ("c", "丙")])
    pictures.attributes["fruit"][2] = "梨"
    answers = ask(recalling(pictures, lambda n: 0), pictures, Reader())["fruit"]
    generated, real = answers.generated_hits(1)
    assert (generated.tolist(), real.tolist()) == ([True, False], [True, False])
    assert answers.real_hits().tolist() == [True, True, False]


def test_the_report_is_json():
    pictures = fruit_pictures([0, 1, 2], [("a", "甲"), ("b",), ("c", "丙")])
    report = measure_obedience(recalling(pictures, lambda n: 0), pictures, Reader())
    assert json.loads(json.dumps(report)) == report


def test_a_model_is_asked_by_its_generate():
    pictures = fruit_pictures([0, 1, 2])
    model = SimpleNamespace(generate=recalling(pictures, lambda n: n))
    assert measure_obedience(model, pictures, Reader())["fruit"]["generated"] == [1.0, 1.0]


@pytest.mark.parametrize(
    "drawn, error, words",
    [
        (np.zeros((2, 8, 8, 3), np.float32), TypeError, "uint8"),
        (np.zeros((2, 16, 16, 3), np.uint8), ValueError, r"\(2, 8, 8, 3\)"),
        (np.zeros((1, 8, 8, 3), np.uint8), ValueError, r"\(2, 8, 8, 3\)"),
    ],
)
def test_what_is_no_picture_of_the_size_is_told(drawn, error, words):
    with pytest.raises(error, match=words) as told:
        measure_obedience(lambda captions, seed: drawn, fruit_pictures([0, 1]), Reader())
    assert "\n" not in str(told.value)


def test_pictures_without_the_attribute_are_told():
    pictures = fruit_pictures([0, 1])
    del pictures.attributes["fruit"]
    with pytest.raises(ValueError, match="fruit"):
        measure_obedience(recalling(pictures, lambda n: n), pictures, Reader())


def test_the_commonest_classes_are_taken():
    values = np.array(["apples"] * 30 + ["梨"] * 20 + ["figs"] * 20 + ["nuts"] * 9 + [""] * 50)
    assert commonest_classes(values) == ("apples", "figs", "梨")  # nuts are 9 only
    assert commonest_classes(values, 2) == ("apples", "figs")  # of equals the first by name
    with pytest.raises(ValueError, match="num_classes"):
        commonest_classes(values, 1)


def test_categories_are_asked_for_and_free_text_is_not():
    num = 40
    values = {
        "kind": ["a", "b"] * 20,
        "states_kind": ["yes", "no"] * 20,
        "always": ["x"] * num,
        "sometimes": ["红"] * 10 + [""] * 20 + ["蓝"] * 10,
        "rarely": ["x"] * 9 + ["y"] * 9 + [""] * 22,
        "file": [f"{i}.png" for i in range(num)],
        "note": ["good"] * 10 + ["bad"] * 9 + [f"note {i}" for i in range(21)],
        "long_tail": ["good"] * 10 + ["bad"] * 10 + [f"note {i}" for i in range(20)],
    }
    pictures = CaptionedPictures(
        np.zeros((num, 8, 8, 3), "uint8"),
        (("a",),) * num,
        {name: np.array(of, object) for name, of in values.items()},
    )
    # Half of the pictures, 20 of 40, are in the tail's two classes of ten.
    assert attribute_names(pictures) == ("kind", "sometimes", "long_tail")


def test_the_loss_is_that_of_softened_labels():
    # softmax(0, ln 3) = (1/4, 3/4). With s = 0.1 and C = 2 the wanted are 0.05 and 0.95:
    # -(0.05 ln 1/4 + 0.95 ln 3/4) = 0.0693 + 0.2733 = 0.3426; unknown labels cost nothing.
    logits = np.array([[0, math.log(3)]] * 3, np.float32)
    loss = smoothed_cross_entropy(np.array([1, -1, 0]), keras.ops.array(logits), 0.1)
    wrong = -(0.95 * math.log(1 / 4) + 0.05 * math.log(3 / 4))
    np.testing.assert_allclose(keras.ops.convert_to_numpy(loss), [0.342613, 0, wrong], rtol=1e-5)


def test_pictures_are_moved_by_whole_pixels():
    image = np.random.default_rng(0).random((40, 6, 6, 3))
    out = moved(image, np.random.default_rng(1), 2)
    padded = np.pad(image, ((0, 0), (2, 2), (2, 2), (0, 0)), mode="edge")
    found = set()
    for before, after in zip(padded, out, strict=True):
        fits = [
            (y - 2, x - 2)
            for y in range(5)
            for x in range(5)
            if (before[y : y + 6, x : x + 6] == after).all()
        ]
        assert len(fits) == 1
        found |= set(fits)
    assert {y for y, _ in found} == {x for _, x in found} == {-2, -1, 0, 1, 2}
    np.testing.assert_array_equal(moved(image, np.random.default_rng(1), 0), image)


def test_no_pixel_is_lost_to_the_features():
    """Halving layers with strides are blind to some pixels; this one is not."""
    image = keras.Input((16, 16, 3))
    network = keras.Model(image, map_of_features(image, (8, 8, 8)))
    assert network.output_shape == (None, 2, 2, 8)
    blocks = keras.Model(image, [layer.output for layer in network.layers if "reshape" in
                                 layer.name][-1])  # fmt: skip
    pixels = np.arange(16 * 16 * 3, dtype=np.float32).reshape(1, 16, 16, 3)
    out = blocks.predict_on_batch(pixels)[0]
    assert out.shape == (8, 8, 12)
    # The block at (1, 2) is rows 2 and 3, columns 4 and 5.
    np.testing.assert_array_equal(out[1, 2], pixels[0, 2:4, 4:6].reshape(12))


def coloured(num, seed):
    """Pictures with a red, green or blue square, left or right, on a cool or a warm grey.

    The square's colour is known only of the first two thirds, all else of every picture.
    """
    rng = np.random.default_rng(seed)
    colours, right, warm = (rng.integers(0, most, num) for most in (3, 2, 2))
    greys = np.array([(213, 215, 225), (225, 215, 213)], np.uint8)
    pixels = np.tile(greys[warm][:, None, None], (1, 16, 16, 1))
    for i in range(num):
        x = 9 if right[i] else 2
        pixels[i, 5:10, x : x + 5] = np.eye(3)[colours[i]] * 240
    names = np.array(["红", "绿", "蓝"], object)[colours]
    names[2 * num // 3 :] = ""
    places = np.array(["left", "right"], object)[right]
    attributes = {"颜色/colour": names, "place": places, "grey": np.array(["冷", "暖"])[warm]}
    return CaptionedPictures(pixels, (("?",),) * num, attributes)


def test_a_classifier_learns_classes_with_chinese_names_though_some_are_unknown():
    classifier = train_classifier(coloured(300, 0), ["颜色/colour", "place", "grey"], epochs=12)
    assert classifier.classes["颜色/colour"] == ("红", "绿", "蓝")
    test = coloured(150, 1)
    seen = classifier.classify(test.pixels)
    assert np.mean(seen["颜色/colour"][:100] == test.attributes["颜色/colour"][:100]) > 0.95
    for name in ("place", "grey"):
        assert np.mean(seen[name] == test.attributes[name]) > 0.95
    assert classifier.classify(test.pixels[:0])["place"].shape == (0,)


def test_a_training_is_bounded_and_fixed_by_its_seed(monkeypatch):
    monkeypatch.setattr(attribute_classifier, "MAX_SHOWN", 150)
    first, again, other = (
        train_classifier(coloured(100, 0), ["place"], seed=seed).network for seed in (3, 3, 4)
    )
    assert int(first.optimizer.iterations) == 3  # ceil(150 / 64)
    for a, b in zip(first.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert any((a != b).any() for a, b in zip(first.get_weights(), other.get_weights()))


def test_classes_can_be_left_to_the_commonest():
    pictures = coloured(120, 0)
    pictures.attributes["colour"] = np.array(["红"] * 50 + ["绿"] * 40 + ["蓝"] * 30, object)
    classifier = train_classifier(pictures, ["colour"], epochs=1, num_classes=2)
    assert classifier.classes == {"colour": ("红", "绿")}
    assert int(classifier.network.optimizer.iterations) == 2  # the 90 pictures of these, by 64


def test_too_few_pictures_of_a_class_are_told():
    with pytest.raises(ValueError, match="`attributes` must be of two classes with 10"):
        train_classifier(coloured(12, 0), ["place", "颜色/colour"])
    with pytest.raises(ValueError, match="Did you mean `place`"):
        train_classifier(coloured(40, 0), ["plaice"])
    with pytest.raises(ValueError, match="epochs"):
        train_classifier(coloured(40, 0), ["place"], epochs=0)


def test_attributes_of_real_avatars(shared_data):
    pictures = load_captioned_folder(shared_data / "nouns64.zip", 8)
    assert attribute_names(pictures) == ("head", "glasses", "body", "accessory", "background")
    assert len(commonest_classes(pictures.attributes["head"])) == 254
