"""Limits by name or from a file; `terms` says what they hold."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path

from rekindle.documents import read_text
from rekindle.errors import unknown
from rekindle.planning.limits_file import parse_limits
from rekindle.planning.terms import ChanceLimit, Costs, Ground, Limits, Offer, Spacing


def shipped() -> tuple[str, ...]:
    """Names of the limits that come with the package."""
    folder = files("rekindle.planning") / "data" / "limits"
    return tuple(sorted(each.name.removesuffix(".yaml") for each in folder.iterdir() if each.name.endswith(".yaml")))


def read_limits(source: str | Path) -> Limits:
    """Limits by name (one of `shipped`) or from a file.

    Raises:
        InputError: no such name or file, or a file that says what cannot be, with its line.
    """
    if isinstance(source, str) and source in shipped():
        return _shipped(source)
    path = Path(source)
    looks_like_name = path.suffix not in (".yaml", ".yml") and len(path.parts) == 1
    if looks_like_name and not path.exists():
        raise unknown("set of limits", str(source), shipped(), where="--limits")
    return parse_limits(read_text(path, kind="limits file"), str(path))


@cache
def _shipped(name: str) -> Limits:
    text = (files("rekindle.planning") / "data" / "limits" / f"{name}.yaml").read_text(encoding="utf-8")
    return parse_limits(text, f"{name}.yaml")


__all__ = ["ChanceLimit", "Costs", "Ground", "Limits", "Offer", "Spacing", "read_limits", "shipped"]
