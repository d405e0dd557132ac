"""The words that a study may use: scales, populations, columns, hypotheses, modifiers, records, sentences."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rekindle.errors import InputError

if TYPE_CHECKING:
    from rekindle.dosing import Course


@dataclass(frozen=True)
class Vocabulary:
    """The names that a study may use, and how what it says is checked.

    `columns` maps each column of a table of people to the words it may hold; none for numbers. The functions
    raise the `InputError` of what is wrong: `course` reads a dosing sentence, `record` finds a record,
    `hypothesis` and `modifier` take a name and the value it is set to.
    """

    scales: tuple[str, ...]
    populations: tuple[str, ...]
    columns: Mapping[str, tuple[str, ...]]
    course: Callable[[str], Course]
    record: Callable[[str], object]
    hypothesis: Callable[[str, float], object]
    modifier: Callable[[str, bool | float | str], object]


def package_vocabulary() -> Vocabulary:
    """The words that this package knows."""
    from rekindle.dosing import parse
    from rekindle.evidence import catalog
    from rekindle.outcomes import SCALES
    from rekindle.population import KINDS
    from rekindle.population.schema import COLUMNS

    return Vocabulary(
        scales=tuple(SCALES),
        populations=tuple(KINDS),
        columns={column.name: _words(column.kind, column.categories) for column in COLUMNS},
        course=parse,
        record=lambda name: catalog().get(name),
        hypothesis=_check_hypothesis,
        modifier=_check_modifier,
    )


def _words(kind: str, categories: tuple[str, ...]) -> tuple[str, ...]:
    return categories if kind == "category" else ()


def _check_hypothesis(name: str, value: float) -> None:
    """Nothing, when the model has this switch and it can stand so.

    Raises:
        InputError: no such hypothesis, or a value outside 0 to 1.
    """
    from rekindle.mechanism.hypotheses import switched

    switched({name: value})


def _check_modifier(name: str, value: bool | float | str) -> None:
    """Nothing, when an arm can take this.

    Raises:
        InputError: no such modifier, or a value that it cannot have.
    """
    from rekindle.mechanism.modifiers import modified
    from rekindle.mechanism.parameters import parameter_table

    if isinstance(value, float) and value != value:
        raise InputError(f"Modifier '{name}' is set to no number.")
    modified({each: row.value for each, row in parameter_table().items()}, {name: value})
