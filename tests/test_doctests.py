"""The examples in docstrings run, of every module that was installed."""

import doctest
import importlib
import pkgutil

import pytest

import kgen

MODULES = [
    module.name
    for module in pkgutil.walk_packages(kgen.__path__, "kgen.")
    if not module.name.startswith("kgen.saved_models")
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name):
    result = doctest.testmod(importlib.import_module(name))
    assert result.failed == 0


def test_there_are_modules_with_examples():
    tested = [doctest.DocTestFinder().find(importlib.import_module(name)) for name in MODULES]
    assert sum(len(found.examples) for tests in tested for found in tests) >= 10
