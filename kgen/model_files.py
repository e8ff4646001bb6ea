"""The files that a model's folder holds, and the hash that names their exact contents."""

import hashlib
from pathlib import Path
from typing import Any

from kgen import files

CONFIG = "config.json"
VOCABULARY = "vocabulary.txt"
WEIGHTS = "model.weights.h5"
CARD = "card.json"  # of a preset
PRETRAINED_TEXT = "pretrained"  # in place of a vocabulary


def read_card(folder: Path) -> dict[str, Any]:
    """What a preset says of itself; empty where the folder is no preset's.

    Raises:
        ValueError: The file holds no card.
    """
    path = folder / CARD
    card = files.read_json(path) if path.is_file() else {}
    if not isinstance(card, dict) or not isinstance(card.get("captions", {}), dict):
        raise ValueError(f"{path}: no card of a preset. Restore the file, or delete it.")
    return card


def model_hash(folder: Path) -> str:
    """16 hexadecimal digits of the SHA-256 of a model's configuration, tokens and weights.

    Raises:
        OSError: A file cannot be read.
    """
    digest = hashlib.sha256()
    reads = PRETRAINED_TEXT if (folder / PRETRAINED_TEXT).is_dir() else VOCABULARY
    for name in (CONFIG, reads, WEIGHTS):
        path = folder / name
        for part in sorted(p for p in path.rglob("*") if p.is_file()) or [path]:
            with part.open("rb") as file:
                while some := file.read(2**20):
                    digest.update(some)
    return digest.hexdigest()[:16]
