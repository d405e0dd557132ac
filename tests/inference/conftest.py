"""Toy trials for the tests of calibration; the module beside this file is no package, so it is loaded by its path."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path


def load_toy_trials() -> None:
    """Make `toy_trials` importable."""
    if "toy_trials" not in sys.modules:
        spec = importlib.util.spec_from_file_location("toy_trials", Path(__file__).with_name("toy_trials.py"))
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules["toy_trials"] = module
        spec.loader.exec_module(module)


load_toy_trials()
