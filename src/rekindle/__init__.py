"""Rekindle: a course of ketamine in, an honest forecast out.

The names a user types are loaded when first used, so that `import rekindle` stays quick.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOMES: dict[str, str] = {}

__all__ = ["__version__", *sorted(_HOMES)]


def __getattr__(name: str) -> Any:
    """Load a public name from its module at first use.

    Raises:
        AttributeError: no such public name.
    """
    if name not in _HOMES:
        raise AttributeError(f"module 'rekindle' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__


if TYPE_CHECKING:
    pass
