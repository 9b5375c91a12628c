"""A pytest plugin for the run of a mutant: it is the copy that is tested, and the copy can be imported at all."""

from __future__ import annotations

import importlib
import os

import pytest
from hypothesis import Phase, settings

MODULE, FILE = "MUTANT_MODULE", "MUTANT_FILE"
"""Variables: the dotted name of the module with the fault, and where its copy lies."""

BROKEN = 90
"""The exit status where the module cannot be imported, which proves nothing about its tests."""


def pytest_sessionstart() -> None:
    """Import the module before any test does."""
    try:
        module = importlib.import_module(os.environ[MODULE])
    except ValueError:
        return  # the module's own checks refuse the fault, and stop every test that imports it
    except Exception as error:
        pytest.exit(f"cannot be imported: {type(error).__name__}: {error}", returncode=BROKEN)
    if module.__file__ != os.environ[FILE]:
        pytest.exit(f"the tests import {module.__file__}, not the copy {os.environ[FILE]}", returncode=BROKEN)


def pytest_collection() -> None:
    """A mutant is dead at its first counterexample: hypothesis need not look for the smallest one."""
    settings.register_profile("mutant", settings(), phases=(Phase.explicit, Phase.generate))
    settings.load_profile("mutant")
