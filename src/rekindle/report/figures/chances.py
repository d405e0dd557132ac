"""Who responds and remits, and when: the share of people over time, one panel an event."""

from __future__ import annotations

from rekindle.report import arms
from rekindle.report.axes import frame, time_axis, upper_limit, value_ticks
from rekindle.report.draw import Canvas, Panel, Scale
from rekindle.report.figure import Drawing, Figure, Width
from rekindle.report.material import Chance, ReportInput
from rekindle.report.numerals import chance, count, plain, span, when
from rekindle.report.sentences import chances_finding
from rekindle.report.tables import Table

WIDTHS: dict[Width, tuple[float, int]] = {"wide": (540.0, 2), "mid": (680.0, 2), "narrow": (350.0, 1)}
LEFT, RIGHT, TOP, PLOT, GAP, ROW = 34.0, 10.0, 40.0, 190.0, 44.0, 62.0


def figure(material: ReportInput) -> Figure | None:
    """The figure of response and remission over time, or None when no scale defines them."""
    if not material.chances:
        return None
    return Figure(
        key="chances",
        heading=chances_finding(material, material.chances[0]),
        lead="People of 100 at each time, whether or not they will stay so",
        title=" and ".join(chance.name for chance in material.chances) + " over time",
        description=_description(material),
        drawings={name: _draw(material, *WIDTHS[name]) for name in WIDTHS},
        caption=" ".join(
            f"{shown.name}: {shown.definition.rstrip('.')}." for shown in material.chances if shown.definition
        )
        + arms.left_out(material),
        tables=(_table(material),),
        entries=tuple(arms.arm_entries(material)),
        layout="half",
    )


def _draw(material: ReportInput, width: float, columns: int) -> Drawing:
    shown = material.chances
    columns = min(columns, len(shown))
    rows = -(-len(shown) // columns)
    canvas = Canvas(width, rows * (TOP + PLOT + ROW) - 16)
    cell = (width - LEFT - RIGHT - GAP * (columns - 1)) / columns
    highest = max(float(curve.average.high90.max()) for one in shown for curve in one.arms)
    top_value = min(100.0, upper_limit(100 * highest))
    for index, one in enumerate(shown):
        row, column = divmod(index, columns)
        left, top = LEFT + column * (cell + GAP), row * (TOP + PLOT + ROW) + TOP
        horizon = float(one.times_h[-1])
        panel = Panel(one.key, Scale(0.0, horizon, left, left + cell), Scale(0.0, top_value, top + PLOT, top))
        axis = time_axis(horizon, 5)
        frame(canvas, panel, value_ticks(0, top_value), axis.ticks, x_unit=axis.unit)
        canvas.text(left, top - 16, one.name, "phead")
        canvas.open_panel(panel)
        _lines(canvas, panel, material, one)
        canvas.close_panel()
    return Drawing(width, canvas.height, canvas.markup())


def _lines(canvas: Canvas, panel: Panel, material: ReportInput, one: Chance) -> None:
    curves = arms.drawn(material, one.arms)
    arms.fans(canvas, panel, one.times_h, [(curve.average.times(100), look) for curve, look in curves])
    for curve, look in reversed(curves):
        arms.middle(canvas, panel, one.times_h, 100 * curve.average.middle, look, curve.arm)


def _hours(material: ReportInput, one: Chance) -> list[float]:
    last = float(one.times_h[-1])
    wanted = {24.0, 168.0, 336.0, material.study.end_of_treatment_h, 0.5 * last, last}
    return sorted(hour for hour in wanted if hour <= last)


def _table(material: ReportInput) -> Table:
    head = ["Event", "When"]
    names = [curve.arm for curve in material.chances[0].arms]
    for name in names:
        head += [f"{name}, of 100", "9 in 10 studies"]
    rows = []
    for one in material.chances:
        by_arm = {curve.arm: curve.average for curve in one.arms}
        for hour in _hours(material, one):
            cells = [one.name, when(hour)]
            for name in names:
                value = by_arm[name].at(one.times_h, hour).times(100) if name in by_arm else None
                cells += [plain(value.middle), span(value, 0)] if value else ["not known", ""]
            rows.append(tuple(cells))
    return Table("Chance of each event over time.", tuple(head), tuple(rows), frozenset({0, 1}))


def _description(material: ReportInput) -> str:
    parts = ["Line charts."]
    for one in material.chances:
        hour = min(material.study.end_of_treatment_h, float(one.times_h[-1]))
        said = [f"{curve.arm} {chance(curve.average.at(one.times_h, hour), of=100)}" for curve in one.arms]
        last = [f"{curve.arm} {count(float(curve.average.middle[-1]), 100)}" for curve in one.arms]
        parts.append(
            f"{one.name} at {when(hour)}: {', '.join(said)}; at {when(float(one.times_h[-1]))}: {', '.join(last)}."
        )
    return " ".join(parts)
