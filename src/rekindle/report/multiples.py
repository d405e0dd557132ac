"""Small multiples: one panel a measure, the same axes in all, each headed by its name and its change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rekindle.report import arms
from rekindle.report.axes import frame, time_axis, value_ticks
from rekindle.report.bands import Interval
from rekindle.report.draw import Canvas, Panel, Scale
from rekindle.report.figure import Drawing, Width, wrapped
from rekindle.report.marks import text_size
from rekindle.report.material import ArmBand, Outcome, ReportInput
from rekindle.report.numerals import NBSP, lasting, place_for, plain, span, spoken, when
from rekindle.report.tables import Table


@dataclass(frozen=True)
class Grid:
    """One width of a set of panels: columns, the height of a plot and room for two lines of name above it."""

    name: Width
    width: float
    columns: int
    plot: float
    left: float = 34.0
    gap: float = 30.0
    right: float = 8.0
    head: float = 56.0
    foot: float = 24.0

    def panel_width(self) -> float:
        """Width of one plot."""
        inner = self.width - self.left - self.right - self.gap * (self.columns - 1)
        return inner / self.columns


def separate_grids(count: int) -> tuple[Grid, ...]:
    """Three widths for `count` panels whose axes differ."""
    return (
        Grid("wide", 1120, max(2, min(4, count)), 150, gap=48),
        Grid("mid", 680, count if count in (2, 3) else 2, 140, gap=40),
        Grid("narrow", 350, 1, 120),
    )


def change(material: ReportInput, outcome: Outcome) -> float:
    """Change of the arm in question's average from the start to the end of treatment, in the outcome's
    unit.
    """
    curve = next((curve for curve in outcome.arms if curve.arm == material.active.name), outcome.arms[0])
    end = min(material.study.end_of_treatment_h, float(outcome.times_h[-1]))
    return curve.average.at(outcome.times_h, end).middle - curve.average.at(outcome.times_h, 0.0).middle


def change_words(material: ReportInput, outcome: Outcome) -> str:
    """The change as a panel's second line: '−2.1 by week 3'."""
    return f"{plain(change(material, outcome), value_place(outcome), signed=True)} by {end_words(material, outcome)}"


def directed(material: ReportInput, outcome: Outcome) -> str:
    """The change and which way is better."""
    return f"{change_words(material, outcome)}, better {'↓' if outcome.better == 'lower' else '↑'}"


def way_to_health(material: ReportInput, outcome: Outcome, arm: str = "") -> str:
    """How much of the way from the start to the healthy end of the scale is covered by the end of
    treatment: '44 %'.
    """
    name = arm or material.active.name
    curve = next((curve for curve in outcome.arms if curve.arm == name), outcome.arms[0])
    start = float(curve.average.middle[0])
    target = outcome.low if outcome.better == "lower" else outcome.high
    end = curve.average.at(outcome.times_h, min(material.study.end_of_treatment_h, float(outcome.times_h[-1]))).middle
    return f"{plain(100 * (end - start) / (target - start) if target != start else 0.0)}{NBSP}%"


def end_words(material: ReportInput, outcome: Outcome) -> str:
    """The end of treatment, or of the curve if that is sooner, in words."""
    return when(min(material.study.end_of_treatment_h, float(outcome.times_h[-1])))


def value_place(outcome: Outcome) -> int:
    """The place to which an outcome's averages are written: tenths on short scales, whole numbers on long
    ones.
    """
    return -1 if outcome.high - outcome.low <= 12 else 0


def draw_grid(
    material: ReportInput,
    outcomes: Sequence[Outcome],
    grid: Grid,
    *,
    heads: Callable[[ReportInput, Outcome], str] = change_words,
) -> Drawing:
    """All panels in reading order; the left column carries the values, the lowest panel of a column the
    times.
    """
    rows = -(-len(outcomes) // grid.columns)
    row_height = grid.head + grid.plot + 14
    canvas = Canvas(grid.width, rows * row_height + grid.foot + 20)
    wide = grid.panel_width()
    shared = len({(outcome.low, outcome.high) for outcome in outcomes}) == 1
    for index, outcome in enumerate(outcomes):
        row, column = divmod(index, grid.columns)
        left, top = grid.left + column * (wide + grid.gap), row * row_height + grid.head
        horizon = float(outcome.times_h[-1])
        panel = Panel(
            outcome.key,
            Scale(0.0, horizon, left, left + wide),
            Scale(outcome.low, outcome.high, top + grid.plot, top),
        )
        lowest = index + grid.columns >= len(outcomes)
        axis = time_axis(horizon, 3 if wide < 130 else 4 if wide < 230 else 7)
        frame(
            canvas,
            panel,
            value_ticks(outcome.low, outcome.high, 3),
            axis.ticks if lowest else (),
            labels=column == 0 or not shared,
        )
        if lowest and column == 0:
            canvas.text(left, panel.bottom + 35, axis.unit, "tick")
        _heads(canvas, panel, outcome.name, heads(material, outcome))
        canvas.open_panel(panel)
        _lines(canvas, panel, material, outcome)
        canvas.close_panel()
    return Drawing(canvas.width, canvas.height, canvas.markup())


def multiples_table(material: ReportInput, outcomes: Sequence[Outcome], caption: str, *, health: bool = False) -> Table:
    """Each measure and arm: start, end of treatment and end of follow-up with nine-in-ten ranges of the
    average.

    `health`: also how much of the way to the healthy end of the scale is covered by the end of treatment.
    """
    end, last = material.study.end_of_treatment_h, material.study.horizon_h
    hours = sorted({min(end, last), last})
    head = ["Measure", "Arm", "Start"]
    for hour in hours:
        head += [when(hour).capitalize(), "9 in 10 studies"]
    head.append(f"Change by {when(min(end, last))}")
    rows = []
    for outcome in outcomes:
        for curve in outcome.arms:
            cells = _row(material, outcome, curve, hours)
            rows.append((*cells, *([way_to_health(material, outcome, curve.arm)] if health else [])))
    if health:
        head.append("Of the way to health")
    return Table(caption, tuple(head), tuple(rows), frozenset({0, 1}))


def _row(material: ReportInput, outcome: Outcome, curve: ArmBand, hours: list[float]) -> list[str]:
    place = value_place(outcome)
    start = curve.average.at(outcome.times_h, 0.0)
    cells = [outcome.name, curve.arm, plain(start.middle, place)]
    for hour in hours:
        value: Interval = curve.average.at(outcome.times_h, hour)
        cells += [plain(value.middle, place), span(value, min(place, place_for(value.low90, value.high90)))]
    moved = curve.average.at(outcome.times_h, hours[0]).middle - start.middle
    return [*cells, plain(moved, place, signed=True)]


def _heads(canvas: Canvas, panel: Panel, name: str, words: str) -> None:
    lines = wrapped(name, panel.right - panel.left + 6, text_size("phead"), bold=True)[:2]
    down = panel.top - 10
    canvas.text(panel.left, down, words, "ticki")
    for line in reversed(lines):
        down -= 17
        canvas.text(panel.left, down, line, "phead")


def _lines(canvas: Canvas, panel: Panel, material: ReportInput, outcome: Outcome) -> None:
    shown = arms.drawn(material, outcome.arms)
    arms.fans(canvas, panel, outcome.times_h, [(curve.average, look) for curve, look in shown])
    for curve, look in reversed(shown):
        arms.middle(canvas, panel, outcome.times_h, curve.average.middle, look, curve.arm)


def multiples_description(material: ReportInput, outcomes: Sequence[Outcome]) -> str:
    """Every panel's change in one sentence each."""
    parts = [f"{outcome.name} {change_words(material, outcome)}" for outcome in outcomes]
    start = f"{len(outcomes)} panels over {lasting(material.study.horizon_h)}, on {spoken(material.active.name)}"
    return f"{start}: {'; '.join(parts)}."
