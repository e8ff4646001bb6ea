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
