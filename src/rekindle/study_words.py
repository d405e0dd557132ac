"""The words that a study may use: scales, populations, columns, hypotheses, modifiers, records, sentences."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rekindle.dosing import Course


@dataclass(frozen=True)
class Vocabulary:
    """The names that a study may use, and how a sentence is read.

    `record` raises the `InputError` of an unknown record; `course` that of a sentence that cannot be read.
    """

    scales: tuple[str, ...]
    populations: tuple[str, ...]
    columns: Mapping[str, tuple[str, ...]]
    hypotheses: tuple[str, ...]
    modifiers: tuple[str, ...]
    record: Callable[[str], object]
    course: Callable[[str], Course]


def package_vocabulary() -> Vocabulary:
    """The words that this package knows."""
    raise ModuleNotFoundError
