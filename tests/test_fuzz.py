"""Random bad input: a one-line error, or good and reported rows that make up all; never else.

A few examples of each property, always the same, belong to every run of the tests. To search on:

    KGEN_FUZZ_MINUTES=60 python -m pytest tests/test_fuzz.py     or, with a log of what it does,
    python -m benchmarks.fuzz --minutes 60
"""

import os
import time

import pytest
from fuzzing import PROPERTIES, search

MINUTES = float(os.environ.get("KGEN_FUZZ_MINUTES", "0"))


@pytest.mark.parametrize("name", list(PROPERTIES))
def test_bad_input_is_told_in_a_line_and_nothing_is_dropped(name, tmp_path):
    found = PROPERTIES[name]
    search(name, max(5, found.examples // 3), tmp_path, seed=None)
    until = time.monotonic() + 60 * MINUTES / len(PROPERTIES)
    seed = 0
    while time.monotonic() < until:
        search(name, found.examples, tmp_path, seed=seed)
        seed += 1
