"""Tables: the same numbers as the pictures, in words and columns that a screen reader can walk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape

from rekindle.report.bands import Interval
from rekindle.report.material import Endpoint, ReportInput
from rekindle.report.numerals import NBSP, chance, clock, denominator, ranged, spoken, when

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
                raise ValueError(f"a row of '{self.caption}' has {len(row)} cells under {len(self.head)} heads")

    def html(self, label: str = "", *, cards: bool = False) -> str:
        """The table in a region that scrolls by keyboard if it is wide.

        `cards`: on a phone each row becomes a card with its heads beside its cells. A table whose display is
        changed loses its meaning for some screen readers, so the roles are written out.
        """
        role = _roles if cards else _plain
        head = "".join(
            f'<th scope="col"{role("columnheader")}{self._side(i)}>{escape(words)}</th>'
            for i, words in enumerate(self.head)
        )
        body = "".join(f"<tr{role('row')}>{self._row(row, cards)}</tr>" for row in self.rows)
        name = escape(label or self.caption)
        style = ' class="cards"' if cards else ""
        return (
            f'<div class="scroll" tabindex="0" role="region" aria-label="{name}">'
            f"<table{role('table')}{style}><caption>{escape(self.caption)}</caption>"
            f"<thead{role('rowgroup')}><tr{role('row')}>{head}</tr></thead>"
            f"<tbody{role('rowgroup')}>{body}</tbody></table></div>"
        )

    def _row(self, row: tuple[str, ...], cards: bool) -> str:
        first, *rest = row
        role = _roles if cards else _plain
        cells = []
        for i, words in enumerate(rest, start=1):
            name = f' data-head="{escape(self.head[i])}"' if cards else ""
            cells.append(f"<td{role('cell')}{self._side(i)}{name}>{escape(words)}</td>")
        return f'<th scope="row"{role("rowheader")}>{escape(first)}</th>{"".join(cells)}'

    def _side(self, column: int) -> str:
        return ' class="l"' if column in self.words else ""


def _roles(name: str) -> str:
    return f' role="{name}"'


def _plain(name: str) -> str:
    return ""


def value_words(endpoint: Endpoint, interval: Interval | None, people: int, *, difference: bool = False) -> str:
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
        return middle if low == high else f"{middle} ({low} to {high})"
    unit = {"points": "points", "days": "days", "hours": "h", "minutes": "min"}.get(endpoint.kind, endpoint.unit)
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
        whole = "whole course" if endpoint.kind == "chance" else ""
        moment = when(endpoint.time_h) if endpoint.time_h is not None else whole
        cells = [value_words(endpoint, endpoint.arms.get(name), people) for name in names]
        if with_difference:
            known = endpoint.difference is not None
            cells.append(value_words(endpoint, endpoint.difference, people, difference=True) if known else "")
        rows.append((endpoint.name, moment, *cells))
    if with_difference:
        head.append("Difference")
    taken = f" Difference: {difference_words(material)}." if with_difference else ""
    return Table(
        f"In brackets: 9 in 10 repeated studies of {material.study.repeat_size:,}{NBSP}people an arm.{taken}",
        tuple(head),
        tuple(rows),
        frozenset({0, 1}),
    )


def difference_words(material: ReportInput) -> str:
    """Which arm is taken from which: 'ketamine less midazolam'."""
    comparator = material.comparator
    return f"{spoken(material.active.name)} less {spoken(comparator.name)}" if comparator else ""


def keyed(rows: Mapping[str, str], caption: str, head: tuple[str, str]) -> Table:
    """A two-column table of words."""
    return Table(caption, head, tuple(rows.items()), frozenset({0, 1}))
