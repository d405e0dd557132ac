"""What the answer hangs on: how far it moves when one parameter goes through its range."""

from __future__ import annotations

from dataclasses import dataclass

from rekindle.report.arms import GRADES, grade_entries
from rekindle.report.axes import nice_step, value_ticks
from rekindle.report.draw import Canvas, Panel, Scale
from rekindle.report.figure import Drawing, Figure, Width, wrapped
from rekindle.report.marks import text_size
from rekindle.report.material import Driver, Drivers, ReportInput
from rekindle.report.numerals import NBSP, plain
from rekindle.report.sentences import drivers_finding
from rekindle.report.tables import Table

BARS = {"human": "bar", "rodent": "barr", "assumed": "bard"}


@dataclass(frozen=True)
class _Lane:
    name: Width
    width: float
    left: float
    right: float
    above: bool


LANES = (_Lane("wide", 1120, 430, 130, False), _Lane("mid", 680, 12, 100, True), _Lane("narrow", 350, 6, 96, True))
TOP, ROW, BAR = 8.0, 46.0, 8.0


def figure(material: ReportInput) -> Figure | None:
    """The drivers figure, or None when no parameter was varied."""
    drivers = material.drivers
    if drivers is None or not drivers.rows:
        return None
    rows = tuple(sorted(drivers.rows, key=lambda row: -abs(row.effect_at_high - row.effect_at_low)))
    assumed = sum(row.grade == "assumed" for row in rows)
    return Figure(
        key="drivers",
        heading=drivers_finding(rows[0].meaning, rows[0].effect_at_low, rows[0].effect_at_high, drivers.unit),
        lead=f"Change of {drivers.answer} when one parameter goes from the low to the high end of its range",
        title=f"Parameters that move {drivers.answer} most",
        description=" ".join(f"{row.meaning} ({GRADES[row.grade]}): {_effect(row, drivers)}." for row in rows),
        drawings={lane.name: _draw(rows, drivers, lane) for lane in LANES},
        caption=f"Assumed: {assumed} of these {len(rows)} parameters. Dot: the parameter's high end. " + drivers.method,
        tables=(_table(rows, drivers),),
        entries=tuple(grade_entries(lines=False)),
    )


@dataclass(frozen=True)
class _Row:
    """A driver with its words in lines and where its bar's middle and its lower edge lie."""

    driver: Driver
    lines: tuple[str, ...]
    middle: float
    foot: float


def _laid_out(rows: tuple[Driver, ...], lane: _Lane) -> list[_Row]:
    """Rows from top to bottom; with words above a row is as high as its words need."""
    room = lane.width - 24 if lane.above else lane.left - 40
    found: list[_Row] = []
    top = TOP
    for driver in rows:
        lines = tuple(wrapped(driver.meaning, room, text_size("lab2"))[:2])
        height = 17 * len(lines) + 42 if lane.above else ROW
        middle = top + 17 * len(lines) + 16 if lane.above else top + ROW / 2
        found.append(_Row(driver, lines, middle, top + height))
        top += height
    return found


def _draw(drivers: tuple[Driver, ...], answer: Drivers, lane: _Lane) -> Drawing:
    rows = _laid_out(drivers, lane)
    bottom = rows[-1].foot
    canvas = Canvas(lane.width, bottom + 42)
    ends = [value for one in drivers for value in (one.effect_at_low, one.effect_at_high)] + [0.0]
    step = nice_step(max(ends) - min(ends), 5)
    low, high = step * ((min(ends) - 1e-9) // step), -step * ((-max(ends) - 1e-9) // step)
    across = Scale(low, high, lane.left, lane.width - lane.right)
    panel = Panel("drivers", across, Scale(0.0, 1.0, bottom, TOP))
    for value, words in value_ticks(low, high, 4 if lane.width < 400 else 6):
        for row in rows:
            reach = BAR + 5 if lane.above else ROW / 2
            mark = "axis0" if value == 0 else "grid"
            canvas.line(across(value), row.middle - reach, across(value), row.middle + reach, mark)
        canvas.text(across(value), bottom + 18, f"+{words}" if value > 0 else words, "tick", "middle")
    canvas.text((across.start + across.end) / 2, bottom + 36, f"change in {answer.unit}", "tick", "middle")
    canvas.open_panel(panel)
    for row in rows:
        _bar(canvas, across, row)
    canvas.close_panel()
    for row in rows:
        _words(canvas, row, lane)
    return Drawing(lane.width, canvas.height, canvas.markup())


def _bar(canvas: Canvas, across: Scale, row: _Row) -> None:
    """The bar between the two effects; the end of the parameter's high value is marked by a dot."""
    low, high = across(row.driver.effect_at_low), across(row.driver.effect_at_high)
    width = max(abs(high - low), 1.0)
    canvas.rect(min(low, high), row.middle - BAR, width, 2 * BAR, BARS[row.driver.grade])
    canvas.circle(high, row.middle, 3.5, "glyphf")


def _words(canvas: Canvas, row: _Row, lane: _Lane) -> None:
    down = row.middle - 17 * len(row.lines) if lane.above else row.middle - 9 * (len(row.lines) - 1) + 4
    canvas.glyph(6, down - 4, row.driver.grade)
    for words in row.lines:
        canvas.text(18, down, words, "lab2")
        down += 17
    canvas.text(lane.width - lane.right + 14, row.middle + 4, _span(row.driver), "tick")


def _span(row: Driver) -> str:
    place = -1 if max(abs(row.effect_at_low), abs(row.effect_at_high)) < 10 else 0
    return f"{plain(row.effect_at_low, place, signed=True)} to {plain(row.effect_at_high, place, signed=True)}"


def _effect(row: Driver, drivers: Drivers) -> str:
    return f"{_span(row)}{NBSP}{drivers.unit}"


def _table(rows: tuple[Driver, ...], drivers: Drivers) -> Table:
    cells = tuple(
        (
            row.meaning,
            row.name,
            GRADES[row.grade],
            row.range_words,
            *_span(row).split(" to "),
            _size(row),
        )
        for row in rows
    )
    head = (
        "Parameter",
        "Name in the model",
        "Evidence",
        "Range",
        "At its low end",
        "At its high end",
        "Moves by",
    )
    return Table(f"Change of {drivers.answer}, {drivers.unit}.", head, cells, frozenset({0, 1, 2, 3}))


def _size(row: Driver) -> str:
    size = abs(row.effect_at_high - row.effect_at_low)
    return plain(size, 0 if size >= 10 else -1)
