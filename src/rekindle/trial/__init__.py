"""Virtual trials: a trial of the literature as a file, run on simulated people, and scored against what was published.

`read_trial` reads the file. Names are loaded when they are first used, so that reading a file stays quick.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_HOMES = {
    "Trial": "design",
    "read_trial": "reading",
    "parse_trial": "reading",
    "published_trials": "files",
    "Moments": "moments",
    "moments": "moments",
    "scored_numbers": "moments",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
