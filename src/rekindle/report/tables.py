"""Tables: the same numbers as the pictures, in words and columns that a screen reader can walk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

from rekindle.report.bands import Interval
from rekindle.report.material import Endpoint, ReportInput
from rekindle.report.numerals import NBSP, chance, clock, denominator, ranged, span, when

NONE = "not known"


@dataclass(frozen=True)
class Table:
    """A caption, column heads and rows of words; the first cell of a row names the row.

    `words`: the columns (from 0) that hold text and stand at the left; the rest hold numbers.
    """

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: frozenset[int] = frozenset({0})

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.head):
                raise ValueError(
                    f"a row of '{self.caption}' has {len(row)} cells under {len(self.head)} heads"
                )

    def html(self, label: str = "") -> str:
        """The table in a region that scrolls by keyboard if it is wide."""
        head = "".join(
            f'<th scope="col"{self._side(i)}>{escape(words)}</th>' for i, words in enumerate(self.head)
        )
        body = "".join(f"<tr>{self._row(row)}</tr>" for row in self.rows)
        name = escape(label or self.caption)
        return (
            f'<div class="scroll" tabindex="0" role="region" aria-label="{name}"><table>'
            f"<caption>{escape(self.caption)}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
        )

    def _row(self, row: tuple[str, ...]) -> str:
        first, *rest = row
        cells = "".join(f"<td{self._side(i)}>{escape(words)}</td>" for i, words in enumerate(rest, start=1))
        return f'<th scope="row">{escape(first)}</th>{cells}'

    def _side(self, column: int) -> str:
        return ' class="l"' if column in self.words else ""


def value_words(
    endpoint: Endpoint, interval: Interval | None, people: int, *, difference: bool = False
) -> str:
    """An endpoint's value with its range, in the form of its kind.

    A chance is told in 100 or, when every arm's is rarer than one in a hundred, in 1,000, so that arms
    compare.
    """
    if interval is None:
        return NONE
    if endpoint.kind == "chance":
        return chance(interval, of=chance_base(endpoint), people=people, signed=difference)
    if endpoint.kind == "minutes" and not difference:
        low, middle, high = (clock(value) for value in (interval.low90, interval.middle, interval.high90))
        return f"{middle} ({low} to {high})"
    unit = {"points": "points", "days": "days", "hours": "h", "minutes": "min"}.get(
        endpoint.kind, endpoint.unit
    )
    whole = endpoint.kind in ("days", "minutes") or (endpoint.kind == "points" and not difference)
    return ranged(interval, unit, whole=whole, signed=difference)


def chance_base(endpoint: Endpoint) -> int:
    """The denominator that all arms of a chance share."""
    return min(
        (denominator(interval.middle) for interval in endpoint.arms.values() if interval is not None),
        default=100,
    )


def endpoints_table(material: ReportInput) -> Table:
    """Every endpoint, a row each: when, each arm with its nine-in-ten range, and the difference."""
    names = [arm.name for arm in material.study.arms]
    people = material.study.people_per_arm
    with_difference = any(endpoint.difference is not None for endpoint in material.endpoints)
    head = ["Endpoint", "When", *(name[0].upper() + name[1:] for name in names)]
    rows = []
    for endpoint in material.endpoints:
        moment = "whole course" if endpoint.time_h is None else when(endpoint.time_h)
        cells = [value_words(endpoint, endpoint.arms.get(name), people) for name in names]
        if with_difference:
            known = endpoint.difference is not None
            cells.append(value_words(endpoint, endpoint.difference, people, difference=True) if known else "")
        rows.append((endpoint.name, moment, *cells))
    if with_difference:
        head.append(f"Difference, {difference_words(material)}")
    return Table(
        f"Endpoints. In brackets: 9 in 10 repeated studies of {people:,}{NBSP}people an arm.",
        tuple(head),
        tuple(rows),
        frozenset({0, 1}),
    )


def difference_words(material: ReportInput) -> str:
    """Which arm is taken from which: 'ketamine less midazolam'."""
    comparator = material.comparator
    return f"{material.active.name} less {comparator.name}" if comparator else ""


def keyed(rows: Mapping[str, str], caption: str, head: tuple[str, str]) -> Table:
    """A two-column table of words."""
    return Table(caption, head, tuple(rows.items()), frozenset({0, 1}))
