"""Word vectors learned from captions alone, for an ablation that needs some without a download.

Positive pointwise mutual information of words in the same caption, factorised: Levy & Goldberg
2014 (Neural word embedding as implicit matrix factorization), section 3.3.
"""

import json
import re
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np

from kgen import files

WORD = re.compile(r"[a-z0-9]+|[一-鿿]")
MOST_WORDS = 4000
LEAST_TIMES = 5


def captions_in(archives: Iterable[Path]) -> Iterator[str]:
    """All training captions of sets in zips with `train/metadata.jsonl`."""
    for path in archives:
        with zipfile.ZipFile(path) as archive:
            (name,) = [n for n in archive.namelist() if n.endswith("train/metadata.jsonl")]
            for line in archive.read(name).decode("utf-8").splitlines():
                row = json.loads(line)
                yield from (row[key] for key in ("text", "text_zh") if row.get(key))


def word_vectors(captions: Iterable[str], dim: int) -> dict[str, np.ndarray]:
    """Vectors float32 (dim,) of the words that occur 5 times or more.

    Formula:
        PPMI_vw = max(0, log(n_vw n / (n_v n_w))),  vectors = U_dim √S_dim of its SVD
    """
    captions = [sorted(set(WORD.findall(caption.lower()))) for caption in captions]
    times: dict[str, int] = {}
    for words in captions:
        for word in words:
            times[word] = times.get(word, 0) + 1
    kept = sorted((w for w in times if times[w] >= LEAST_TIMES), key=lambda w: (-times[w], w))
    places = {word: i for i, word in enumerate(kept[:MOST_WORDS])}
    together = np.zeros((len(places), len(places)), np.float32)
    for words in captions:
        known = [places[word] for word in words if word in places]
        together[np.ix_(known, known)] += 1
    np.fill_diagonal(together, 0)
    alone = together.sum(axis=1)
    expected = np.outer(alone, alone) / max(1.0, alone.sum())
    with np.errstate(divide="ignore", invalid="ignore"):
        ppmi = np.nan_to_num(np.maximum(0, np.log(together / expected)), posinf=0, neginf=0)
    left, strength, _ = np.linalg.svd(ppmi)
    vectors = (left * np.sqrt(strength))[:, :dim]
    vectors /= max(1e-6, vectors.std())  # what an embedding starts with
    return {word: vectors[i] for word, i in places.items()}


def write_vectors(path: Path, vectors: dict[str, np.ndarray]) -> None:
    """GloVe's text format."""
    lines = (f"{word} {' '.join(f'{x:.4f}' for x in of)}\n" for word, of in vectors.items())
    files.write_text(path, "".join(lines))
