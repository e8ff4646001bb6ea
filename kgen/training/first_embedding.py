"""A new run's embedding, taken from word vectors."""

import os
import warnings
from collections.abc import Sequence
from pathlib import Path

from kgen import files
from kgen.checks import ToldWarning
from kgen.text.word_vectors import fill_embedding, read_word_vectors, words_of

REPORT = "word_vectors.txt"


def start_from_word_vectors(
    gan, vocabulary: Sequence[str], path: str | os.PathLike, run: Path
) -> None:
    """Puts word vectors into the embeddings of T and of its average.

    How many were found is said as a `ToldWarning`, and in the run's `word_vectors.txt`, with the
    words that were not.

    Args:
        gan: The untrained networks.
        vocabulary: T's tokens.
        path: The file of word vectors.
        run: The run's folder.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is damaged, or its vectors are not as long as the embedding's.
    """
    words = words_of(vocabulary)
    vectors = read_word_vectors(path, words)
    (table,) = gan.encoder.get_layer("embedding").get_weights()
    table, share = fill_embedding(table, vocabulary, vectors)
    for encoder in (gan.encoder, gan.averaged_encoder):
        encoder.get_layer("embedding").set_weights([table])
    missing = [word for word in words if word not in vectors.found]
    found = f"{len(words) - len(missing)} of {len(words)} words ({100 * share:.1f} %)"
    told = f"word vectors: {found} found in {path}"
    lines = [told, *(["", "not found:", *missing] if missing else [])]
    files.write_text(run / REPORT, "".join(line + "\n" for line in lines))
    warnings.warn(told, ToldWarning, stacklevel=2)
