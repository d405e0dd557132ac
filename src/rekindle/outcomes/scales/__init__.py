"""The scales, one file each, all with the same parts in the same order: what it is, `ITEMS`, `SCALE`.

Adding a scale is adding a file: `SCALES` holds every module of this folder under its scale's name.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from rekindle.errors import unknown
from rekindle.outcomes.scale import Scale

MODULES: tuple[str, ...] = tuple(sorted(module.name for module in iter_modules(__path__)))


def _load() -> dict[str, Scale]:
    found = [import_module(f"{__name__}.{module}").SCALE for module in MODULES]
    return {scale.name: scale for scale in found}


SCALES: dict[str, Scale] = _load()


def scale(name: str) -> Scale:
    """The scale of a name, in any case.

    >>> scale("madrs").maximum
    60.0

    Raises:
        InputError: no such scale; the nearest names are offered.
    """
    for known in SCALES.values():
        if known.name.casefold() == name.casefold():
            return known
    raise unknown("scale", name, SCALES)
