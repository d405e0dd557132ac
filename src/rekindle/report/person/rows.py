"""Rows of intervals on one axis: a name, a number with its range, and words at the right."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rekindle.report.axes import nice_step, value_ticks
from rekindle.report.draw import Canvas, Panel, Scale
from rekindle.report.figure import Drawing, Width, wrapped
from rekindle.report.marks import text_size

WIDTHS: dict[Width, float] = {"wide": 1120.0, "mid": 680.0, "narrow": 350.0}
HALVES: dict[Width, float] = {"wide": 536.0, "mid": 680.0, "narrow": 350.0}
LINE, PAD = 17.0, 12.0
MOST_LINES = 3
"""Lines of a note; the table has the rest."""


@dataclass(frozen=True)
class Row:
    """One row: five quantiles (the outer two the longer range, the inner two may be left out) and words."""

    name: str
    low: float
    middle: float
    high: float
    words: str = ""
    note: str = ""
    inner: tuple[float, float] | None = None


def rows_drawing(
    rows: Sequence[Row], width: float, unit: str, *, lines: Sequence[tuple[float, str]] = (), above: bool | None = None
) -> Drawing:
    """The rows at one width: names beside the axis where there is room, above it otherwise."""
    over = width < 600 if above is None else above
    left = 10.0 if over else 300.0 if width > 900 else 236.0
    right = width - (14.0 if over else 210.0 if width > 900 else 164.0)
    low, high = _ends(rows, lines)
    across = Scale(low, high, left, right)
    places, bottom = _laid_out(rows, over, width, left)
    canvas = Canvas(width, bottom + 42)
    panel = Panel("rows", across, Scale(0.0, 1.0, bottom, 0.0))
    for value, words in value_ticks(low, high, 4 if width < 400 else 6):
        for _, middle in places:
            canvas.line(across(value), middle - 9, across(value), middle + 9, "axis0" if value == 0 else "grid")
        canvas.text(across(value), bottom + 18, words, "tick", "middle")
    canvas.text((left + right) / 2, bottom + 36, unit, "tick", "middle")
    for value, _ in lines:
        canvas.line(across(value), 4, across(value), bottom, "threshold")
    canvas.open_panel(panel)
    for row, (_, middle) in zip(rows, places, strict=True):
        canvas.line(across(row.low), middle, across(row.high), middle, "i90")
        if row.inner is not None:
            canvas.line(across(row.inner[0]), middle, across(row.inner[1]), middle, "i50")
        canvas.circle(across(row.middle), middle, 5, "imid")
    canvas.close_panel()
    for row, (top, middle) in zip(rows, places, strict=True):
        _say(canvas, row, top, middle, over, width, left, right)
    return Drawing(width, canvas.height, canvas.markup())


def _ends(rows: Sequence[Row], lines: Sequence[tuple[float, str]]) -> tuple[float, float]:
    values = [0.0, *(value for row in rows for value in (row.low, row.high)), *(value for value, _ in lines)]
    step = nice_step((max(values) - min(values)) or 1.0, 5)
    return step * math.floor(min(values) / step + 1e-9), step * max(1, math.ceil(max(values) / step - 1e-9))


def _names(row: Row, over: bool, width: float, left: float) -> list[str]:
    return wrapped(row.name, (width if over else left) - 24, text_size("lab2"))[:2]


def _notes(row: Row, over: bool, width: float, left: float) -> list[str]:
    if not row.note:
        return []
    lines = wrapped(row.note, (width if over else left) - 24, text_size("tick"))
    return lines if len(lines) <= MOST_LINES else [*lines[: MOST_LINES - 1], lines[MOST_LINES - 1] + " …"]


def _laid_out(rows: Sequence[Row], over: bool, width: float, left: float) -> tuple[list[tuple[float, float]], float]:
    """Top of the words and middle of the marks of each row, and where the rows end."""
    places, top = [], 6.0
    for row in rows:
        count = len(_names(row, over, width, left)) + len(_notes(row, over, width, left))
        if over:
            count += bool(row.words)
            places.append((top, top + LINE * count + 13))
            top += LINE * count + 30
        else:
            height = max(LINE * count, 24.0)
            places.append((top + (height - LINE * count) / 2, top + height / 2))
            top += height + PAD
    return places, top


def _say(
    canvas: Canvas, row: Row, top: float, middle: float, over: bool, width: float, left: float, right: float
) -> None:
    down = top + 13
    for line in _names(row, over, width, left):
        canvas.text(0, down, line, "labn")
        down += LINE
    for line in _notes(row, over, width, left):
        canvas.text(0, down, line, "tick")
        down += LINE
    if not row.words:
        return
    if over:
        canvas.text(0, down, canvas.fitted(row.words, "lab2", width), "lab2")
        return
    lines = [line for part in row.words.split("; ") for line in wrapped(part, width - right - 18, text_size("lab2"))][
        :2
    ]
    for place, line in enumerate(lines):
        canvas.text(right + 18, middle + 4.5 + LINE * (place - (len(lines) - 1) / 2), line, "lab2")
