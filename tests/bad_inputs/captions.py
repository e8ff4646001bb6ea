"""Captions and other values from Python: of wrong types, or of no use."""

import struct

import numpy as np
from bad_inputs.case import Call


def _painter(tmp):
    from kgen.pipeline import TextToImage

    return TextToImage.from_preset(tmp / "run")


def _generate(name, captions, **options):
    return Call(f"captions: {name}", lambda tmp: _painter(tmp).generate(captions, **options), True)


def _items(name, items, **options):
    def call(_tmp):
        from kgen.data.iterables import from_iterable

        return from_iterable(items() if callable(items) else items, 8, **options)

    return Call(f"from_iterable: {name}", call)


def _learn(name, captions, size=40):
    def call(_tmp):
        from kgen.text.vocabulary import learn_vocabulary

        return learn_vocabulary(captions, size)

    return Call(f"vocabulary: {name}", call)


def _vectors(name, data):
    def call(tmp):
        from kgen.text.word_vectors import read_word_vectors

        (tmp / "v").write_bytes(data)
        try:
            return read_word_vectors(tmp / "v", ["a", "red"])
        finally:
            (tmp / "v").unlink()

    return Call(f"word vectors: {name}", call)


RED = np.full((8, 8, 3), (255, 0, 0), np.uint8)
CALLS = [
    _generate("a number", [7]),
    _generate("None", [None]),
    _generate("one number alone", 7),
    _generate("bytes", [b"night"]),
    _generate("a list in a list", [["night"]]),
    _generate("a dictionary of numbers", {7: "night"}),
    _generate("seed negative", "night", seed=-1),
    _generate("seed a fraction", "night", seed=0.5),
    _generate("seed true", "night", seed=True),
    _generate("post a number", "night", post=7),
    _items("a number", 7),
    _items("a string", "night"),
    _items("nothing", []),
    _items("no pairs", [RED]),
    _items("a triple", [(RED, "red", 1)]),
    _items("a dictionary without image", [{"text": "red"}]),
    _items("endless", lambda: __import__("itertools").repeat((RED, "red"))),
    _items("captions None", [(RED, None)]),
    _items("captions numbers", [(RED, 7)]),
    _items("pictures None", [(None, "red")]),
    _items("pictures are floats beyond 1", [(RED * 1.0, "red")]),
    _items("pictures are NaN", [(np.full((8, 8, 3), np.nan), "red")]),
    _items("pictures of 5 channels", [(np.zeros((8, 8, 5), np.uint8), "red")]),
    _items("pictures empty", [(np.zeros((0, 8, 3), np.uint8), "red")]),
    _items("pictures of int64", [(np.zeros((8, 8, 3), np.int64), "red")]),
    _items("paths to nothing", [("/nowhere/red.png", "red")]),
    _items("paths with NUL", [("\0", "red")]),
    _items("bytes that are no picture", [(b"no picture", "red")]),
    _learn("none", []),
    _learn("blank", ["", " "]),
    _learn("too many characters", ["".join(map(chr, range(0x4E00, 0x4E80)))]),
    _vectors("a row too short", b"2 4\nred 1 2 3 4\na 1 2\n"),
    _vectors("no numbers", b"2 4\na 1 x 3 4\nred 1 2 3 4\n"),
    _vectors("NaN", b"2 4\na nan 2 3 4\nred 1 2 3 4\n"),
    _vectors("overflow", b"2 4\na 1e99 2 3 4\nred 1 2 3 4\n"),
    _vectors("words are no UTF-8", "红 1 2\n猫 3 4\n".encode("gbk")),
    _vectors("binary, cut off", b"2 4\nred " + struct.pack("<4f", 1, 2, 3, 4) + b"\na \xff"),
    _vectors("binary NaN", b"1 2\na " + struct.pack("<2f", 1, float("nan"))),
    _vectors("binary, longer than it says", b"1 2\na " + struct.pack("<2f", 1, 2) + b"\nb \x07"),
]
