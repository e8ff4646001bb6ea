"""Which words are honoured: found out of painters that obey all words, none, or all but some."""

import numpy as np
import pytest

from kgen.data.captioned_pictures import CaptionedPictures
from kgen.evaluation.word_obedience import measure_word_obedience
from kgen.text.word_swaps import Words, find_word_swaps, with_other_word

COLOURS = (("red", "红"), ("green", "绿"), ("blue", "蓝"))
THINGS = (("cat", "猫"), ("dog", "狗"), ("owl", "鹰"))
SIDES = (("left", "左"), ("right", "右"))
FACTS = (COLOURS, THINGS, SIDES)


def facts_of(captions):
    """int (B, 3): colour, thing and side that a caption names."""
    return np.array(
        [
            [
                next(k for k, names in enumerate(fact) if any(n in c for n in names))
                for fact in FACTS
            ]
            for c in captions
        ]
    )


def painted(facts):
    """A picture shows its facts in its first pixel, 50 for each step."""
    pixels = np.zeros((len(facts), 4, 4, 3), np.uint8)
    pixels[:, 0, 0] = 50 * np.asarray(facts)
    return pixels


def vectors_of(facts):
    parts = [np.eye(len(fact))[facts[:, k]] for k, fact in enumerate(FACTS)]
    return np.concatenate(parts, axis=1).astype("float32") / np.sqrt(3)


class SeeingJudge:
    """Sees every fact of a picture, but, as all judges, only what a caption says."""

    blind_to = ()

    def picture_vectors(self, pixels):
        facts = np.asarray(pixels)[:, 0, 0].astype(int) // 50
        facts[:, list(self.blind_to)] = 0
        return vectors_of(facts)

    def caption_vectors(self, captions):
        return vectors_of(facts_of(captions))


class ColourBlindJudge(SeeingJudge):
    blind_to = (0,)


def some_pictures(num, seed):
    rng = np.random.default_rng(seed)
    facts = np.stack([rng.integers(0, len(fact), num) for fact in FACTS], axis=1)
    captions = tuple(
        (
            f"a {COLOURS[c][0]} {THINGS[t][0]} on the {SIDES[s][0]} side",
            f"{SIDES[s][1]}边有一只{COLOURS[c][1]}色的{THINGS[t][1]}。",
        )
        for c, t, s in facts
    )
    return CaptionedPictures(painted(facts), captions)


@pytest.fixture(scope="module")
def sets():
    return some_pictures(300, 0), some_pictures(120, 1)


def obedience(draw, sets, column, judge=None):
    found = measure_word_obedience(draw, judge or SeeingJudge(), *sets, column=column)
    return {one.word: one for one in found}


def obedient(captions, seed):
    return painted(facts_of(captions))


def ignorant(captions, seed):
    rng = np.random.default_rng(seed)
    return painted(np.stack([rng.integers(0, len(f), len(captions)) for f in FACTS], axis=1))


def colour_blind(captions, seed):
    facts = facts_of(captions)
    facts[:, 0] = 0  # always red
    return painted(facts)


WORDS = [{names[column] for fact in FACTS for names in fact} for column in (0, 1)]
COLOUR_WORDS = [{names[column] for names in COLOURS} for column in (0, 1)]


def known(word, column):
    """The fact's name in a word: captions may teach 左边 or 色的猫 as one."""
    return next((name for name in WORDS[column] if name in word), word)


@pytest.mark.parametrize("column", [0, 1])
def test_who_obeys_gets_1_and_who_ignores_gets_a_half(sets, column):
    found = obedience(obedient, sets, column)
    assert {known(word, column) for word in found} == WORDS[column]
    assert {one.share for one in found.values()} == {1.0}
    assert {one.real_share for one in found.values()} == {1.0}
    ignored = obedience(ignorant, sets, column)
    assert ignored.keys() == found.keys()
    # The same picture for both captions fits one of them, or both alike: exactly half.
    assert {one.share for one in ignored.values()} == {0.5}


@pytest.mark.parametrize("column", [0, 1])
def test_words_that_are_ignored_are_found_out(sets, column):
    for word, one in obedience(colour_blind, sets, column).items():
        is_colour = known(word, column) in COLOUR_WORDS[column]
        assert one.share == (0.5 if is_colour else 1.0), word
        assert one.real_share == 1.0


def test_words_that_the_judge_cannot_see_are_left_out(sets):
    found = obedience(obedient, sets, 0, ColourBlindJudge())
    assert "cat" in found and "left" in found
    # Blind to colours, it takes everything for red: "red" for "blue" it sees, not the reverse.
    assert "green" not in found and "blue" not in found


def test_drawings_are_bounded_and_share_their_noise(sets):
    calls = []

    def draw(captions, seed):
        calls.append((seed, len(captions)))
        return obedient(captions, seed)

    found = measure_word_obedience(draw, SeeingJudge(), *sets, num_words=3, num_captions=10)
    assert len(found) == 3
    assert sum(num for _, num in calls) <= 2 * 3 * 10
    assert calls[::2] == calls[1::2]
    assert all(len(one.hits) == one.num == 20 for one in found)


def test_likeness_by_hand():
    # red: before cat 2 of 4, before dog 2 of 4; blue: before cat 1 of 4, before owl 3 of 4:
    # likeness min(1/2, 1/4) = 1/4. old stands elsewhere.
    captions = (
        [["a", "red", "cat"]] * 2
        + [["a", "red", "dog"]] * 2
        + [["a", "blue", "cat"]]
        + [["a", "blue", "owl"]] * 3
        + [["old", "house"]] * 4
    )
    swaps = find_word_swaps(captions, fewest=4)
    assert swaps == {"blue": ("red",), "red": ("blue",)}
    # cat: after red 2 of 3, after blue 1 of 3; dog: after red only: min(2/3, 1) = 2/3.
    assert find_word_swaps(captions, fewest=2)["cat"] == ("dog", "owl")
    assert len(find_word_swaps(captions, num_words=1, fewest=2)) == 1


def test_chinese_words_are_exchanged_whole():
    captions = [f"{side}边有{colour}色的猫" for side in "左右" for colour in "红蓝绿"] * 10
    words = Words(captions)
    swaps = find_word_swaps(words.of(captions))
    colour = next(word for word in swaps if "红" in word)
    assert {known(other, 1) for other in swaps[colour]} == {"蓝", "绿"}


def test_one_word_takes_the_place_of_another():
    caption = "A Red-haired man, redder"
    words = Words([caption]).of([caption])[0]
    assert with_other_word(caption, words, "red", "blue") == "A blue-haired man, redder"
    assert with_other_word(caption, words, "redder", "bluer") == "A Red-haired man, bluer"
    assert with_other_word(caption, words, "green", "x") is None
    chinese = "左边有红猫"
    assert with_other_word(chinese, list(chinese), "左", "右") == "右边有红猫"
    accented = "un café noir"
    assert with_other_word(accented, ["un", "cafe", "noir"], "noir", "blanc") is None
