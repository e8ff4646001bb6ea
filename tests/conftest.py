"""What the tests share."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real captioned pictures; a test that asks for it is skipped without it."""
    path = Path(__file__).resolve().parents[2] / "shared" / "data"
    if not (path / "nouns64.zip").exists():
        pytest.skip(f"the real captioned pictures are not at {path}")
    return path


@pytest.fixture(scope="session")
def tiny_config():
    """The smallest model that has every part: attention, a vocabulary, both optimizers."""
    from kgen.config import Config

    return Config.from_dict(
        {
            "name": "tiny",
            "text": {
                "encoder": "bag",
                "caption_length": 6,
                "vocabulary_size": 40,
                "embedding_dim": 8,
                "caption_dim": 8,
            },
            "networks": {
                "image_size": 32,
                "noise_dim": 8,
                "width": 4,
                "discriminator_width": 4,
            },
            "training": {
                "steps": 8,
                "batch_size": 4,
                "penalty_interval": 2,
                "report_interval": 2,
            },
        }
    )
