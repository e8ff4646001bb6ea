"""Word vectors: every format gives the same, damage is told, and a run starts from them."""

import gzip
import json
import struct
import warnings

import numpy as np
import pytest
from click.testing import CliRunner

from kgen import cli
from kgen.checks import ToldWarning
from kgen.data.captioned_pictures import CaptionedPictures
from kgen.text import word_vector_files
from kgen.text.tokenizer import split_words
from kgen.text.vocabulary import read_vocabulary
from kgen.text.word_vectors import (
    WordVectors,
    _folded,
    check_dimension,
    fill_embedding,
    read_word_vectors,
    words_of,
)
from kgen.training.run import build_gan, train

VECTORS = {
    "the": [0.5, -1.0, 2.0],
    "</s>": [0.0, 0.0, 0.0],
    "红": [1.25, 0.5, -0.25],
    "日落": [-3.0, 0.125, 8.0],
    "Paris": [4.0, 0.0, -0.5],
    "PARIS": [9.0, 9.0, 9.0],
}
GLOVE = (
    "the 0.5 -1.0 2.0\n"
    "</s> 0 0 0\n"
    "红 1.25 5e-1 -.25\n"
    "日落 -3 0.125 8\n"
    "Paris 4 0.0 -0.5\n"
    "PARIS 9 9 9\n"
).encode()
WORD2VEC = b"6 3\n" + GLOVE.replace(b"\n", b" \n")  # word2vec.c ends its lines in a blank
ROWS = [word.encode() + b" " + struct.pack("<3f", *row) for word, row in VECTORS.items()]
BINARY = b"6 3\n" + b"".join(ROWS)
FORMATS = {
    "glove": GLOVE,
    "glove without the last newline": GLOVE.rstrip(),
    "glove with an empty last line": GLOVE + b"\n",
    "windows": b"\xef\xbb\xbf" + GLOVE.replace(b"\n", b"\r\n"),
    "tabs": GLOVE.replace(b" ", b"\t"),
    "word2vec": WORD2VEC,
    "binary": BINARY,
    "binary with newlines": b"6 3\n" + b"\n".join(ROWS) + b"\n",
    "gzipped glove": gzip.compress(GLOVE, mtime=0),
    "gzipped binary": gzip.compress(BINARY, mtime=0),
}


def written(tmp_path, content):
    path = tmp_path / "向量.vec"
    path.write_bytes(content)
    return path


# Formats


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_the_same(tmp_path, name):
    path = written(tmp_path, FORMATS[name])
    vectors = read_word_vectors(path, ["the", "红", "日落", "paris", "absent"])
    assert vectors.dim == 3
    assert {word: vector.tolist() for word, vector in vectors.found.items()} == {
        "the": [0.5, -1.0, 2.0],
        "红": [1.25, 0.5, -0.25],
        "日落": [-3.0, 0.125, 8.0],
        "paris": [4.0, 0.0, -0.5],
    }
    assert all(vector.dtype == np.float32 for vector in vectors.found.values())


def test_the_word_itself_wins_over_its_capitals(tmp_path):
    path = written(tmp_path, b"US 1 1\nUs 2 2\nus 3 3\nus 4 4\nCaf\xc3\xa9 5 5\n")
    found = read_word_vectors(path, ["us", "cafe"]).found
    assert {word: vector[0] for word, vector in found.items()} == {"us": 3, "cafe": 5}


@pytest.mark.parametrize("word", ["Straße", "Ｓｕｎ", "CAFÉ", "ﬁne", "红", "Über", "Ελλάδα", "が"])
def test_words_are_folded_as_the_tokenizer_does(word):
    assert split_words([word]) == [[_folded(word)]]


def test_words_with_blanks_are_read_past(tmp_path):
    path = written(tmp_path, b"a 1 2\n. . . 3 4\nat name@domain.com 5 6\nred 7 8\n 9 9\n")
    assert read_word_vectors(path, ["red", ".", "at"]).found.keys() == {"red"}


def test_large_binary_files_are_read_in_pieces(tmp_path, monkeypatch):
    monkeypatch.setattr(word_vector_files, "CHUNK", 5000)
    table = np.random.default_rng(0).standard_normal((3000, 5)).astype("<f4")
    rows = [f"词{n} ".encode() + row.tobytes() for n, row in enumerate(table)]
    path = written(tmp_path, b"3000 5\n" + b"".join(rows))
    found = read_word_vectors(path, [f"词{n}" for n in range(3000)]).found
    assert np.array_equal(np.stack([found[f"词{n}"] for n in range(3000)]), table)


def test_a_few_words_that_are_cut_are_let_through_and_gbk_is_not(tmp_path):
    rows = [f"w{n} 1 2\n".encode() for n in range(200)]
    path = written(tmp_path, b"".join(rows) + "红".encode()[:2] + b" 3 4\n")
    assert len(read_word_vectors(path, ["w7"]).found) == 1
    path = written(tmp_path, "2 2\n红 1 2\n日落 3 4\n".encode("gbk"))
    with pytest.raises(ValueError, match="2 of 2 words are not UTF-8 text"):
        read_word_vectors(path, ["红"])


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "line 1: expected a word and its numbers"),
        (b"hello\nworld\n", "line 1: expected a word and its numbers.*received 'hello'"),
        (b"the quick brown fox\n", "line 1: expected a word and its numbers"),
        ("只是文字 而已\n".encode(), "line 1: expected a word"),
        (b"a 1 2\nred 3\n", "line 2: expected a word and 2 numbers, received 'red 3'"),
        (b"a 1 2\nred 3 4 5\n", "line 2: expected a word and 2 numbers, received 'red 3 4 5'"),
        (b"a 1 2\n\nred 3 4\n", "line 2: expected a word and 2 numbers, received ''"),
        (b"a 1 2\nred x 4\n", "line 2: expected 2 finite numbers, received 'x 4'"),
        (b"a 1 2\nred nan 4\n", "line 2: expected 2 finite numbers"),
        (b"a 1 2\nred 1e99 4\n", "line 2: expected 2 finite numbers"),
        (b"a 1 2\nred 1_0 4\n", "line 2: expected 2 finite numbers"),
        (b"3 2\na 1 2\nred 3 4\n", "line 4: the file ends after 2 of the 3 words"),
        (b"2 2\na 1 2\nred 3\n", "line 3: expected a word and 2 numbers"),
        (b"0 300\n", "line 1: expected a number of words in .* received 0 and 300"),
        (b"5 -3\n", "received 5 and -3"),
        (b"99999999999 300\n", "received 99999999999 and 300"),
        (b"7 123456789\n", "received 7 and 123456789"),
        # The rows begin at 4, 20, 37, 53, 72 and 90: a word's bytes, a blank, and 12 of numbers.
        (BINARY[:-3], "byte 90: expected word 6 of 6 and its 3 numbers.*damaged, or cut"),
        (BINARY[:20], "byte 20: expected word 2 of 6"),
        (BINARY + b"more", "byte 108: expected the end after 6 words, received more"),
        (b"1 3\nred " + struct.pack("<3f", 1, np.nan, 2), "byte 4: expected 3 finite numbers"),
        (b"1 3\n" + b"\x00" * 5000, "byte 4: expected word 1 of 1"),
        (b"x" * (1 << 20) + b"x", "line 1: longer than 1048576 bytes"),
        (b"a 1 2\n" + b"x" * (1 << 20) + b"x", "line 2: longer than 1048576 bytes"),
        (gzip.compress(GLOVE, mtime=0)[:-12], "damaged gzip"),
        (gzip.compress(GLOVE, mtime=0)[:3], "damaged gzip"),
        (gzip.compress(GLOVE, mtime=0)[:30] + b"\xff" * 40, "damaged gzip"),
        (b"PK\x03\x04rest", "a zip. Unpack it"),
    ],
)
def test_damage_is_told_in_one_line_with_its_place(tmp_path, content, told):
    path = written(tmp_path, content)
    with pytest.raises(ValueError, match=told) as error:
        read_word_vectors(path, ["red", "the"])
    assert "向量.vec" in str(error.value)
    assert "\n" not in str(error.value)


def test_every_cut_of_a_binary_file_is_told(tmp_path):
    for end in range(len(BINARY)):
        with pytest.raises(ValueError, match="line 1|byte|line"):
            read_word_vectors(written(tmp_path, BINARY[:end]), ["the"])


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(FileNotFoundError, match="`data.word_vectors` must be a file"):
        read_word_vectors(tmp_path / "无.vec", ["red"])


# The embedding


def test_filling_by_hand():
    # Of the four words two are found, with the four numbers 1, 2, 2, 4: their rms is
    # √(25 / 4) = 2.5. The table's is 0.5, so every vector is divided by 5.
    vocabulary = ["[PAD]", "[UNK]", "红", "red", "##s", "sea", "日落"]
    table = np.full((7, 2), 0.5, np.float32) * np.array([1, -1], np.float32)
    found = {"red": [1, 2], "日落": [2, 4], "##s": [7, 7], "[UNK]": [7, 7]}
    vectors = WordVectors(2, {word: np.array(v, np.float32) for word, v in found.items()})
    filled, share = fill_embedding(table, vocabulary, vectors)
    assert share == 0.5
    expected = table.copy()
    expected[3], expected[6] = [0.2, 0.4], [0.4, 0.8]
    np.testing.assert_allclose(filled, expected, atol=1e-7)
    assert filled.dtype == np.float32
    assert table[3, 0] == 0.5  # what came in is left alone


def test_nothing_found_leaves_the_table():
    table = np.random.default_rng(0).standard_normal((3, 4)).astype(np.float32)
    filled, share = fill_embedding(table, ["[PAD]", "[UNK]", "红"], WordVectors(4, {}))
    assert share == 0
    assert np.array_equal(filled, table)


def test_vectors_of_another_length_or_of_zeros_are_refused(tmp_path):
    vocabulary, table = ["[PAD]", "[UNK]", "the"], np.ones((3, 2), np.float32)
    vectors = WordVectors(3, {"the": np.ones(3, np.float32)})
    told = "`text.embedding_dim` must be 3, .* received: 2. Pass --set text.embedding_dim=3."
    with pytest.raises(ValueError, match=told):
        fill_embedding(table, vocabulary, vectors)
    for content in (GLOVE, BINARY):
        with pytest.raises(ValueError, match=told):
            check_dimension(written(tmp_path, content), 2)
        check_dimension(written(tmp_path, content), 3)
    zeros = WordVectors(2, {"the": np.zeros(2, np.float32)})
    with pytest.raises(ValueError, match="zeros alone"):
        fill_embedding(table, vocabulary, zeros)


# A run


def pictures():
    captions = ["a red boat", "红色的船", "the red sea", "日落 over the sea"] * 4
    pixels = np.random.default_rng(0).integers(0, 256, (16, 32, 32, 3), dtype=np.uint8)
    return CaptionedPictures(pixels, tuple((caption,) for caption in captions))


def test_a_run_starts_from_word_vectors_and_resumes_without_them(tiny_config, tmp_path):
    path = tmp_path / "vectors.txt"
    path.write_text(
        "red 1 0 0 0 0 0 0 0\nSea 0 -2 0 0 0 0 0 0\n红 0 0 3 0 0 0 0 0\nx 9 9 9 9 9 9 9 9\n",
        encoding="utf-8",
    )
    still = {"generator_rate": 0.0, "discriminator_rate": 0.0, "steps": 2}
    config = tiny_config.updated({"training": still, "data": {"word_vectors": str(path)}})
    out = tmp_path / "run"
    with pytest.warns(ToldWarning) as told:
        train(config, out, progress=False, pictures=pictures())
    vocabulary = read_vocabulary(out / "vocabulary.txt")
    words = words_of(vocabulary)
    share = f"{300 / len(words):.1f}"
    line = f"word vectors: 3 of {len(words)} words ({share} %) found in {path}"
    assert [str(w.message) for w in told if w.category is ToldWarning] == [line]
    report = (out / "word_vectors.txt").read_text(encoding="utf-8").splitlines()
    assert report[:3] == [line, "", "not found:"]
    assert set(report[3:]) == set(words) - {"red", "sea", "红"}

    gan = build_gan(config, len(vocabulary))
    (table,) = gan.encoder.get_layer("embedding").get_weights()
    # 1, -2 and 3 among 24 numbers: their rms is √(14 / 24).
    factor = np.sqrt(np.mean(table.astype(np.float64) ** 2)) / np.sqrt(14 / 24)
    for row, (place, value) in {"red": (0, 1), "sea": (1, -2), "红": (2, 3)}.items():
        table[vocabulary.index(row)] = 0
        table[vocabulary.index(row), place] = value * factor
    gan.load_weights(out / "checkpoint.weights.h5")
    for encoder in (gan.encoder, gan.averaged_encoder):
        (trained,) = encoder.get_layer("embedding").get_weights()
        np.testing.assert_allclose(trained, table, atol=1e-5)

    path.unlink()  # a resumed run has no need of it
    with warnings.catch_warnings():
        warnings.simplefilter("error", ToldWarning)
        train(config, out, resume=True, progress=False, pictures=pictures())


def test_a_bad_file_leaves_no_run(tiny_config, tmp_path):
    path = written(tmp_path, GLOVE)
    config = tiny_config.updated({"data": {"word_vectors": str(path)}})
    with pytest.raises(ValueError, match="--set text.embedding_dim=3"):
        train(config, tmp_path / "run", progress=False, pictures=pictures())
    assert not (tmp_path / "run" / "config.json").exists()


def test_command_line(tmp_path, monkeypatch, capsys):
    path = written(tmp_path, GLOVE)
    arguments = ["--debug", "train", "--word-vectors", str(path), "--dry-run"]
    config = json.loads(CliRunner().invoke(cli.app, arguments).stdout)
    assert config["data"]["word_vectors"] == str(path)
    monkeypatch.setattr(cli, "_silence_tensorflow", lambda: None)
    with pytest.raises(SystemExit):
        cli.main(["train", "--word-vectors", str(path), "--out", str(tmp_path / "run")])
    error = capsys.readouterr().err
    assert error.startswith("kgen: `text.embedding_dim` must be 3")
    assert len(error.splitlines()) == 1
    cli._show_warning(ToldWarning("红: 3 of 4"), ToldWarning, "file.py", 1)
    assert capsys.readouterr().err == "kgen: 红: 3 of 4\n"
