"""Pictures of captions that never end: in order, by both painters, and no more than are asked for.

`painter` is the model itself and then its export, which have to do the same.
"""

import contextlib
import itertools
import threading

import numpy as np
import pytest
from test_export import CAPTIONS, build_painter

from kgen import encodings, pipeline
from kgen.encodings import Encodings
from kgen.export.exporting import export
from kgen.runtime import parts
from kgen.runtime.painter import TOGETHER, RuntimePainter
from kgen.runtime.workers import AHEAD, in_order
from kgen.streaming import in_groups

MANY = [*CAPTIONS, "两只鸟", "a sea"] * 3  # more than a group, and not a whole number of groups


@pytest.fixture(scope="module")
def model():
    return build_painter("bilstm")


@pytest.fixture(scope="module")
def exported(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("exported")
    export(model, folder, ["litert"], precisions=["float32"])
    return folder / "litert"


@pytest.fixture(scope="module", params=["model", "export"])
def painter(request, model, exported):
    return model if request.param == "model" else RuntimePainter(exported)


def endless(read):
    """Captions without an end, each noted as it is read."""
    for caption in itertools.cycle(MANY):
        read.append(caption)
        yield caption


def test_it_draws_what_generate_draws_in_order(painter):
    drawn = list(painter.stream(iter(MANY), seed=7))
    assert drawn[0].dtype == np.uint8
    np.testing.assert_array_equal(drawn, painter.generate(MANY, seed=7))


def test_many_are_drawn_in_parts_of_which_each_goes_on_with_the_seeds(model, monkeypatch):
    """As many as are drawn at once, by default, are more than a test can wait for."""
    whole = model.generate(MANY, seed=3)
    monkeypatch.setattr(pipeline, "AT_ONCE", 4)
    for parted in (model.generate(MANY, seed=3), [*model.stream(MANY, seed=3)]):
        assert np.abs(whole.astype(int) - parted).max() <= 1  # rounding changes with the batch
    assert np.array_equal(model.generate(MANY, seed=3), [*model.stream(MANY, seed=3)])


def test_post_processing_streams_too(model):
    painter = model.with_post("denoise")
    np.testing.assert_array_equal([*painter.stream(MANY[:3])], painter.generate(MANY[:3]))


def test_one_caption_is_one_and_none_are_none(painter):
    (drawn,) = painter.stream("夜晚的红色小船", seed=2)
    np.testing.assert_array_equal(drawn, painter.generate("夜晚的红色小船", seed=2)[0])
    assert list(painter.stream([])) == list(painter.stream(iter(()))) == []


def test_an_endless_stream_is_read_no_further_than_a_little_ahead(painter):
    read = []
    pictures = painter.stream(endless(read))
    assert read == []
    taken = list(itertools.islice(pictures, 3))
    assert len(taken) == 3
    assert len(read) <= max(pipeline.AT_ONCE, (2 * AHEAD + 1) * TOGETHER)
    pictures.close()


def test_a_picture_that_is_kept_keeps_no_others(painter):
    (drawn, *_) = painter.stream(MANY)
    assert drawn.base is None


@pytest.mark.parametrize("bad", [3, None, b"bytes"])
def test_a_bad_caption_is_told_with_its_place_after_the_pictures_before_it(painter, bad):
    drawn = []
    with pytest.raises(TypeError, match=r"`captions\[5\]` must be a string, received: .*\. Every"):
        drawn.extend(painter.stream([*MANY[:5], bad, *MANY]))
    np.testing.assert_array_equal(drawn, painter.generate(MANY[:5]))


def test_an_error_of_the_captions_comes_after_the_pictures_before_it(painter):
    def captions():
        yield from MANY[:6]
        raise OSError("the disk is gone")

    drawn = []
    with pytest.raises(OSError, match="the disk is gone"):
        drawn.extend(painter.stream(captions()))
    assert len(drawn) == 6


@pytest.mark.parametrize(
    ("captions", "seed", "error"), [(7, 0, TypeError), ([], -1, ValueError), ([], 0.5, TypeError)]
)
def test_what_can_never_be_drawn_is_refused_at_once(painter, captions, seed, error):
    with pytest.raises(error, match=r"`(captions|seed)` must be"):
        painter.stream(captions, seed)


# What is kept of captions


def test_captions_are_encoded_once(painter, monkeypatch):
    given = []
    encode = painter._encodings._encode
    monkeypatch.setattr(
        painter._encodings, "_encode", lambda some: given.extend(some) or encode(some)
    )
    painter._encodings._kept.clear()
    np.testing.assert_array_equal([*painter.stream(MANY)], painter.generate(MANY))
    assert sorted(given) == sorted(set(MANY))


def test_encodings_are_those_asked_for_and_few_are_kept():
    given = []

    def encode(captions):
        given.append(list(captions))
        return {"length": np.array([len(caption) for caption in captions])}

    lengths = Encodings(encode, most_kept=2)
    assert lengths(["a", "bb", "a", "ccc"])["length"].tolist() == [1, 2, 1, 3]
    assert lengths(["bb", "dddd"])["length"].tolist() == [2, 4]
    assert lengths(["ccc"])["length"].tolist() == [3]  # gone, since `bb` came later
    assert given == [["a", "bb", "ccc"], ["dddd"], ["ccc"]]
    assert len(lengths) == 2
    lengths(["x" * (encodings.MOST_CHARACTERS + 1)] * 2)
    assert (len(lengths), len(given)) == (2, 4)  # encoded once, and not kept


# Threads


def test_the_number_of_threads_changes_nothing(exported):
    drawn = [
        painter.generate(MANY, seed=5)
        for painter in (RuntimePainter(exported, num_threads=n) for n in (1, 2, 3))
    ]
    alone = [RuntimePainter(exported).generate(c, seed=5 + i)[0] for i, c in enumerate(MANY)]
    for others in (*drawn[1:], alone):
        np.testing.assert_array_equal(drawn[0], others)


def test_interpreters_of_threads_are_made_when_many_pictures_are_drawn(exported):
    painter = RuntimePainter(exported)
    painter.generate(MANY[: parts.FEW])
    assert len(painter._generators) == 0
    for _ in range(3):
        list(painter.stream(MANY))
    assert 1 <= len(painter._generators) <= 2


def test_threads_encode_beside_each_other_and_get_their_own():
    """Each waits, while it encodes, for the other to be encoding, too."""
    both = threading.Barrier(2, timeout=20)

    def encode(captions):
        both.wait()
        return {"length": np.array([[len(caption)] for caption in captions])}

    lengths = Encodings(encode, most_kept=3)
    groups = [["a" * n for n in range(first, first + 5)] for first in range(1, 41, 5)]
    found = [text["length"].ravel().tolist() for text in in_order(lengths, groups, 2)]
    assert found == [[*map(len, group)] for group in groups]
    assert len(lengths) == 3


def alone_for_a_moment(given, failure=None):
    """An encoder that waits for a second thread to be encoding, too, which should not come."""
    second = threading.Barrier(2, timeout=2)

    def encode(captions):
        given.extend(captions)
        with contextlib.suppress(threading.BrokenBarrierError):
            second.wait()
        if failure is not None:
            raise failure
        return {"length": np.array([len(caption) for caption in captions])}

    return encode


def test_a_caption_that_another_thread_encodes_is_waited_for():
    given = []
    lengths = Encodings(alone_for_a_moment(given), most_kept=3)
    found = [text["length"].tolist() for text in in_order(lengths, [["一只鸟"], ["一只鸟"]], 2)]
    assert (found, given) == ([[3], [3]], ["一只鸟"])


def test_an_encoding_that_fails_is_told_to_all_who_wait_and_tried_anew():
    given = []
    lengths = Encodings(alone_for_a_moment(given, OSError("no memory")), most_kept=3)
    told = []

    def ask(_):
        try:
            lengths(["a", "bb"])
        except OSError as error:
            told.append(str(error))

    list(in_order(ask, range(2), 2))
    assert told == ["no memory"] * 2
    assert (given, len(lengths)) == (["a", "bb"], 0)
    ask(None)
    assert len(given) == 4


def test_who_stops_early_leaves_no_thread(exported):
    painter, before = RuntimePainter(exported), threading.active_count()
    pictures = painter.stream(endless([]))
    next(pictures)
    assert threading.active_count() > before
    pictures.close()
    assert threading.active_count() == before
    with pytest.raises(TypeError):
        list(painter.stream([*MANY, 7]))
    assert threading.active_count() == before


def test_results_come_in_order_up_to_the_one_that_fails():
    def halve(number):
        if number % 2:
            raise ValueError(number)
        return number // 2

    results = in_order(halve, itertools.chain(range(0, 100, 2), [7], range(0, 100, 2)), 2)
    assert list(itertools.islice(results, 50)) == list(range(50))
    with pytest.raises(ValueError, match="7"):
        next(results)


def test_groups_are_read_when_they_are_asked_for():
    numbers = map(str, itertools.count())
    groups = in_groups(numbers, 3)
    assert [next(groups), next(groups)] == [["0", "1", "2"], ["3", "4", "5"]]
    assert next(numbers) == "6"
