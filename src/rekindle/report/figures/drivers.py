"""What the answer hangs on: how far it moves when one parameter goes through its plausible range."""

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
    row: float
    above: bool


LANES = (
    _Lane("wide", 1120, 430, 130, 46, False),
    _Lane("mid", 680, 12, 100, 70, True),
    _Lane("narrow", 350, 6, 96, 88, True),
)


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
        lead=f"Change of {drivers.answer} when one parameter goes from the low to the high end of its plausible range",
        title=f"Parameters that move {drivers.answer} most",
        description=" ".join(
            f"{row.meaning} ({GRADES[row.grade]}): {_effect(row, drivers)}." for row in rows
        ),
        drawings={lane.name: _draw(rows, drivers, lane) for lane in LANES},
        caption=f"Assumed: {assumed} of these {len(rows)} parameters. Dot: the parameter's high end. One parameter is moved at a time, the others stay.",
        tables=(_table(rows, drivers),),
        entries=tuple(grade_entries(lines=False)),
    )


def _draw(rows: tuple[Driver, ...], drivers: Drivers, lane: _Lane) -> Drawing:
    canvas = Canvas(lane.width, 8 + len(rows) * lane.row + 42)
    ends = [value for row in rows for value in (row.effect_at_low, row.effect_at_high)] + [0.0]
    step = nice_step(max(ends) - min(ends), 5)
    low, high = step * ((min(ends) - 1e-9) // step), -step * ((-max(ends) - 1e-9) // step)
    across = Scale(low, high, lane.left, lane.width - lane.right)
    bottom = 8 + len(rows) * lane.row
    panel = Panel("drivers", across, Scale(0.0, float(len(rows)), 8, bottom))
    for value, words in value_ticks(low, high, 4 if lane.width < 400 else 6):
        x = across(value)
        for place in range(len(rows)) if lane.above else ():
            foot = 8 + (place + 1) * lane.row - 4
            canvas.line(x, foot - 26, x, foot, "axis0" if value == 0 else "grid")
        if not lane.above:
            canvas.line(x, 8, x, bottom, "axis0" if value == 0 else "grid")
        label = f"+{words}" if value > 0 else words
        canvas.text(x, bottom + 18, label, "tick", "middle")
    canvas.text((across.start + across.end) / 2, bottom + 36, f"change in {drivers.unit}", "tick", "middle")
    canvas.open_panel(panel)
    for place, row in enumerate(rows):
        _row(canvas, panel, row, 8 + place * lane.row, lane)
    canvas.close_panel()
    for place, row in enumerate(rows):
        _words(canvas, row, drivers, 8 + place * lane.row, lane)
    return Drawing(lane.width, canvas.height, canvas.markup())


def _row(canvas: Canvas, panel: Panel, row: Driver, top: float, lane: _Lane) -> None:
    """The bar between the two effects; the end of the parameter's high value is marked by a full circle."""
    middle = top + lane.row - 17 if lane.above else top + lane.row / 2
    low, high = panel.x(row.effect_at_low), panel.x(row.effect_at_high)
    canvas.rect(min(low, high), middle - 8, max(abs(high - low), 1.0), 16, BARS[row.grade])
    canvas.circle(high, middle, 3.5, "glyphf")


def _words(canvas: Canvas, row: Driver, drivers: Drivers, top: float, lane: _Lane) -> None:
    middle = top + lane.row - 17 if lane.above else top + lane.row / 2
    room = lane.width - 20 if lane.above else lane.left - 40
    lines = wrapped(row.meaning, room, text_size("lab2"))[:2]
    down = top + 18 if lane.above else middle - 9 * (len(lines) - 1) + 4
    canvas.glyph(6, down - 4, row.grade)
    for words in lines:
        canvas.text(18, down, words, "lab2")
        down += 17
    canvas.text(lane.width - lane.right + 14, middle + 4, _span(row, drivers), "tick")


def _span(row: Driver, drivers: Drivers) -> str:
    place = -1 if max(abs(row.effect_at_low), abs(row.effect_at_high)) < 10 else 0
    return (
        f"{plain(row.effect_at_low, place, signed=True)} to {plain(row.effect_at_high, place, signed=True)}"
    )


def _effect(row: Driver, drivers: Drivers) -> str:
    return f"{_span(row, drivers)}{NBSP}{drivers.unit}"


def _table(rows: tuple[Driver, ...], drivers: Drivers) -> Table:
    cells = tuple(
        (
            row.meaning,
            row.name,
            GRADES[row.grade],
            row.range_words,
            *_span(row, drivers).split(" to "),
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
