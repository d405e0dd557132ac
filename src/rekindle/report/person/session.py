"""The coming session: how high pressure and dissociation may go, and when the person may be ready to leave."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rekindle.report.axes import value_ticks
from rekindle.report.draw import Canvas, Panel, Scale
from rekindle.report.figure import Drawing, Figure, KeyEntry
from rekindle.report.numerals import NBSP, clock, count, plain
from rekindle.report.person.dates import day
from rekindle.report.person.rows import WIDTHS
from rekindle.report.tables import Table

if TYPE_CHECKING:
    from rekindle.inference.next_session import SessionAhead
    from rekindle.inference.outlook import Outlook

Array = NDArray[np.float64]

LONGEST_H = 6.0
STOP_MMHG = 180.0
"""Systolic pressure named on the strip; the chance beyond it is told."""


@dataclass(frozen=True)
class _Strip:
    """One quantity with its own axis."""

    name: str
    unit: str
    low: float
    middle: float
    high: float
    begin: float
    end: float
    words: str
    limit: float | None = None


def session_figure(outlook: Outlook) -> Figure | None:
    """The figure, or None when no session is to come."""
    ahead = outlook.session
    if ahead is None:
        return None
    strips = _strips(ahead)
    start = outlook.plan.person.start
    return Figure(
        key="session",
        heading=f"At the session of {day(start, ahead.start_h)} the pressure may go to "
        f"{plain(ahead.systolic[1])}{NBSP}mmHg",
        lead="Highest values of the coming session, and how long until ready to leave",
        title="Coming session",
        description=" ".join(f"{strip.name}: {strip.words}." for strip in strips),
        drawings={name: _draw(strips, width) for name, width in WIDTHS.items()},
        caption="19 in 20 such sessions stay below the right end of each line. "
        + ("Pressure starts from this person's own readings. " if ahead.from_reading
           else "No own reading of pressure: it starts from what people like this one have. ")
        + "It differs from session to session. CADSS as expected, without a rater's error. "
        f"Chance to pass {plain(STOP_MMHG)}{NBSP}mmHg: {count(ahead.above_180)}; not ready within "
        f"{plain(LONGEST_H)}{NBSP}hours: {count(ahead.never)}.",
        tables=(_table(strips),),
        entries=(KeyEntry('<line x1="1" y1="8" x2="33" y2="8" class="i90"/><circle cx="17" cy="8" r="5" class="imid"/>',
                          34, "as likely above as below; 9 times in 10 within the line"),),
    )  # fmt: skip


def _strips(ahead: SessionAhead) -> list[_Strip]:
    ready = [min(float(each), LONGEST_H) if math.isfinite(each) else LONGEST_H for each in ahead.ready_h]
    late = f"{clock(60 * ready[2])}" + (" or later" if ready[2] >= LONGEST_H else "")
    return [
        _peak("Systolic pressure, highest", "mmHg", "mmHg", ahead.systolic, (80.0, 220.0), STOP_MMHG),
        _peak("Diastolic pressure, highest", "mmHg", "mmHg", ahead.diastolic, (40.0, 140.0)),
        _peak("Feeling detached (CADSS), highest", "points, 0 to 92", "points", ahead.cadss, (0.0, 92.0)),
        _Strip(
            "Ready to leave after", "hours", ready[0], ready[1], ready[2], 0.0, LONGEST_H,
            f"{clock(60 * ready[1])} ({clock(60 * ready[0])} to {late})",
        ),
    ]  # fmt: skip


def _peak(
    name: str, unit: str, short: str, values: Array, ends: tuple[float, float], limit: float | None = None
) -> _Strip:
    low, middle, high = (float(each) for each in values)
    said = f"{plain(middle)}{NBSP}{short} ({plain(low)} to {plain(high)})"
    return _Strip(name, unit, low, middle, high, *ends, said, limit)


def _draw(strips: list[_Strip], width: float) -> Drawing:
    over = width < 600
    left, right = (10.0, width - 14.0) if over else (250.0, width - 200.0)
    height = 92.0 if over else 62.0
    canvas = Canvas(width, height * len(strips) + 6)
    for place, strip in enumerate(strips):
        top = height * place
        line = top + (52 if over else 22)
        across = Scale(strip.begin, strip.end, left, right)
        canvas.text(0, top + 15 if over else line + 1, strip.name, "labn")
        canvas.text(0, top + 32 if over else line + 17, strip.words if over else strip.unit, "lab2" if over else "tick")
        if not over:
            canvas.text(right + 18, line + 4.5, strip.words, "lab2")
        for value, words in value_ticks(strip.begin, strip.end, 4 if over else 7):
            canvas.line(across(value), line - 8, across(value), line + 8, "grid")
            canvas.text(across(value), line + 24, words, "tick", "middle")
        if strip.limit is not None:
            canvas.line(across(strip.limit), line - 12, across(strip.limit), line + 12, "limit")
            canvas.text(across(strip.limit) + 5, line - 5, f"{plain(strip.limit)}", "stopt halo")
        canvas.open_panel(Panel(strip.name, across, Scale(0.0, 1.0, line + 8, line - 8)))
        low, high = (min(max(value, strip.begin), strip.end) for value in (strip.low, strip.high))
        canvas.line(across(low), line, across(high), line, "i90")
        canvas.circle(across(min(max(strip.middle, strip.begin), strip.end)), line, 5, "imid")
        canvas.close_panel()
    return Drawing(width, canvas.height, canvas.markup())


def _table(strips: list[_Strip]) -> Table:
    rows = tuple((strip.name, strip.unit, strip.words) for strip in strips)
    return Table("The coming session.", ("What", "Unit", "Middle (9 in 10)"), rows, frozenset({0, 1}))
