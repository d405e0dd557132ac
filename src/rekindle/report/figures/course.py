"""How symptoms run: the first three days in hours, then the whole study, on one vertical axis.

Bands are repeated studies of this size; dotted lines are where nine in ten single people fall; diamonds are
published averages with their 95 % confidence intervals.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rekindle.report import arms, published
from rekindle.report.axes import frame, time_axis, upper_limit, value_ticks
from rekindle.report.draw import Canvas, Panel, Scale, spread_apart
from rekindle.report.figure import Drawing, Figure, Reading, Width
from rekindle.report.material import Outcome, ReportInput
from rekindle.report.numerals import NBSP, lasting, moment, plain, ranged, span, spoken, when
from rekindle.report.sentences import course_finding
from rekindle.report.tables import Table

FIRST_DAYS_H = 72.0
Panels = tuple[Panel, ...]


@dataclass(frozen=True)
class _Sheet:
    """Sizes of one width: the sheet, its margins, the gap between the panels and whether words are short."""

    name: Width
    width: float
    height: float
    left: float
    right: float
    gap: float
    short: bool


SHEETS = (
    _Sheet("wide", 790, 450, 104, 158, 28, False),
    _Sheet("mid", 620, 410, 104, 10, 24, False),
    _Sheet("narrow", 350, 370, 74, 8, 16, True),
)
TOP, BOTTOM = 46.0, 44.0


def figure(material: ReportInput) -> Figure | None:
    """The course figure, or None when the study has no main outcome."""
    outcome = material.main
    if outcome is None or not outcome.arms:
        return None
    found = published.judged(material, outcome)
    comparator = material.comparator.name if material.comparator else ""
    steps = reading_hours(outcome)
    points = published.points_table(found, outcome.name)
    entries = arms.arm_entries(material)
    return Figure(
        key="course",
        heading=course_finding(material, outcome),
        lead=f"Average {outcome.name}, {plain(outcome.low)} to {plain(outcome.high)} {outcome.unit}, "
        f"{outcome.better} is better",
        title=f"Average {outcome.name} over {lasting(material.study.horizon_h)}, "
        + ", beside ".join(curve.arm for curve, _ in arms.drawn(material, outcome.arms)),
        description=_description(material, outcome) + " " + published.tally(found),
        drawings={sheet.name: _draw(material, outcome, sheet, steps) for sheet in SHEETS},
        caption=f"{published.tally(found)} {_people_words(material, outcome)}{arms.left_out(material)}",
        tables=(course_table(material, outcome), *((points,) if points else ())),
        entries=(*entries, *published.point_entries([one.point for one in found], comparator)),
        reading=Reading("Read any day", tuple(_sentence(material, outcome, hour) for hour in steps), len(steps) // 2),
        layout="main",
    )


def reading_hours(outcome: Outcome) -> list[float]:
    """The times at which the slider reads: dense in the first days, then daily, at most 130 steps."""
    last = float(outcome.times_h[-1])
    early = [hour for hour in (0.0, 2.0, 4.0, 8.0, 12.0, 18.0, 24.0, 36.0, 48.0, 60.0) if hour <= last]
    step = 24.0 * max(1, round((last - FIRST_DAYS_H) / 24 / 120))
    return early + list(np.arange(FIRST_DAYS_H, last + 1e-6, step))


def table_hours(material: ReportInput) -> list[float]:
    """The times of the table's rows: start, first day, weekly or monthly, end of treatment and of
    follow-up.
    """
    horizon, end = material.study.horizon_h, material.study.end_of_treatment_h
    week = 168.0
    every = week * max(1, round(horizon / week / 8))
    wanted = {0.0, 4.0, 24.0, FIRST_DAYS_H, week, end, horizon, *np.arange(every, horizon, every)}
    return sorted(float(hour) for hour in wanted if hour <= horizon + 1e-6)


def course_table(material: ReportInput, outcome: Outcome) -> Table:
    """Average, its nine-in-ten range and that of people, each arm, at the times that matter."""
    head = ["When"]
    for curve in outcome.arms:
        head += [f"{curve.arm}, average", "9 in 10 studies", *(["9 in 10 people"] if curve.people else [])]
    rows = []
    for hour in table_hours(material):
        cells = ["start" if hour == 0 else when(hour)]
        for curve in outcome.arms:
            average = curve.average.at(outcome.times_h, hour)
            cells += [plain(average.middle), span(average, 0)]
            if curve.people:
                cells.append(span(curve.people.at(outcome.times_h, hour), 0))
        rows.append(tuple(cells))
    return Table(f"{outcome.name}, {outcome.unit}: averages and their ranges.", tuple(head), tuple(rows))


def _draw(material: ReportInput, outcome: Outcome, sheet: _Sheet, steps: list[float]) -> Drawing:
    canvas = Canvas(sheet.width, sheet.height)
    panels = _panels(material, outcome, sheet)
    ticks = value_ticks(panels[0].y.low, panels[0].y.high)
    for index, panel in enumerate(panels):
        _people(canvas, panel, material, outcome)
        axis = time_axis(panel.x.high, 3 if panel.right - panel.left < 170 else 7)
        since = "" if sheet.short or (len(panels) > 1 and index == 0) else " since the first session"
        frame(canvas, panel, ticks, axis.ticks, labels=index == 0, x_unit=axis.unit + since)
        first = len(panels) > 1 and index == 0
        canvas.text(panel.left, 16, "First 3 days" if first else lasting(panel.x.high), "phead")
        if outcome.line is not None:
            canvas.line(panel.left, panel.y(outcome.line), panel.right, panel.y(outcome.line), "threshold")
        _sessions(canvas, panel, material, sheet, mention=index == len(panels) - 1)
    _zones(canvas, panels[0], outcome, sheet)
    for index, panel in enumerate(panels):
        canvas.open_panel(panel)
        _curves(canvas, panel, material, outcome)
        _points(canvas, panel, material, outcome, after=FIRST_DAYS_H if index else -1.0)
        canvas.close_panel()
        canvas.reading_line("ab"[index], TOP - 4, panel.bottom)
    if sheet.right > 100:
        _end_labels(canvas, panels[-1], material, outcome)
    return Drawing(sheet.width, sheet.height, canvas.markup(), _reading(panels, steps))


def _panels(material: ReportInput, outcome: Outcome, sheet: _Sheet) -> Panels:
    highest = [
        max(curve.average.high90.max(), curve.people.high90.max() if curve.people else 0.0) for curve in outcome.arms
    ]
    highest += [point.high95 for point in material.published if point.outcome == outcome.key]
    top_value = min(outcome.high, upper_limit(max(highest)))
    y = Scale(0.0, float(top_value), sheet.height - BOTTOM, TOP)
    horizon = float(outcome.times_h[-1])
    right = sheet.width - sheet.right
    if horizon <= FIRST_DAYS_H * 1.34:
        return (Panel("all", Scale(0.0, horizon, sheet.left, right), y),)
    inner = right - sheet.left - sheet.gap
    first = inner * (0.32 if sheet.short else 0.29)
    return (
        Panel("first", Scale(0.0, FIRST_DAYS_H, sheet.left, sheet.left + first), y),
        Panel("all", Scale(0.0, horizon, sheet.left + first + sheet.gap, right), y),
    )


def _zones(canvas: Canvas, panel: Panel, outcome: Outcome, sheet: _Sheet) -> None:
    """Words for stretches of the scale at the left of the axis, and which way is better."""
    short = {"moderate": "mod.", "remission": "well"}
    for zone in outcome.zones:
        low, high = max(zone.low, panel.y.low), min(zone.high, panel.y.high)
        if high > low:
            word = short.get(zone.word, zone.word) if sheet.short else zone.word
            canvas.text(panel.left - (28 if sheet.short else 34), panel.y((low + high) / 2) + 4, word, "zone", "end")
    arrow = "↓" if outcome.better == "lower" else "↑"
    words = f"{arrow} better" if sheet.short else f"better {arrow}"
    canvas.text(panel.left - 8, panel.bottom + 35, words, "labn", "end")


def _sessions(canvas: Canvas, panel: Panel, material: ReportInput, sheet: _Sheet, *, mention: bool) -> None:
    """A triangle for each session of the arm in question, and how many there are."""
    hours = [hour for hour in material.active.session_hours if hour <= panel.x.high * 0.999]
    crowd = len(hours) > 1 and (panel.x(max(hours)) - panel.x(min(hours))) / (len(hours) - 1) < 7
    half = 2.5 if crowd else 4.0
    for hour in hours:
        x = panel.x(hour)
        canvas.shape([(x - half, TOP - 14), (x + half, TOP - 14), (x, TOP - 7)], "dose")
    if not mention or not hours:
        return
    total = len(material.active.session_hours)
    words = f"{total} session{'s' if total > 1 else ''}"
    if not sheet.short and total > 1:
        words += f", the last {spoken(moment(max(material.active.session_hours)))}"
    x = panel.x(max(hours)) + 9
    if x + canvas.words_width(words, "tick") > sheet.width - 2:
        canvas.text(panel.right, 16, words, "tick", "end")
    else:
        canvas.text(x, TOP - 7, words, "tick")


def _people(canvas: Canvas, panel: Panel, material: ReportInput, outcome: Outcome) -> None:
    """Where nine in ten people of the arm in question are, below the grid and everything else."""
    people = arms.drawn(material, outcome.arms)[0][0].people
    if people is not None:
        arms.people_outline(canvas, panel, outcome.times_h, people)


def _curves(canvas: Canvas, panel: Panel, material: ReportInput, outcome: Outcome) -> None:
    """The bands, then the lines, the arm in question on top."""
    shown = arms.drawn(material, outcome.arms)
    arms.fans(canvas, panel, outcome.times_h, [(curve.average, look) for curve, look in shown])
    for curve, look in reversed(shown):
        arms.middle(canvas, panel, outcome.times_h, curve.average.middle, look, curve.arm)


def _points(canvas: Canvas, panel: Panel, material: ReportInput, outcome: Outcome, *, after: float) -> None:
    shown = {curve.arm for curve, _ in arms.drawn(material, outcome.arms)}
    points = [
        one.point
        for one in published.judged(material, outcome)
        if one.point.arm in shown and after < one.point.time_h <= panel.x.high + 1e-6
    ]
    comparator = material.comparator.name if material.comparator else ""
    published.draw_points(canvas, panel, points, comparator)


def _end_labels(canvas: Canvas, panel: Panel, material: ReportInput, outcome: Outcome) -> None:
    """Names and last values beside the lines' ends, moved apart where they would meet."""
    labels: list[tuple[float, str, str, str]] = []
    for curve, look in arms.drawn(material, outcome.arms):
        last = curve.average.at(outcome.times_h, panel.x.high)
        words = f"{plain(last.middle)} ({span(last, 0)})"
        labels.append((panel.y(last.middle), curve.arm, look.label, words))
    people = arms.drawn(material, outcome.arms)[0][0].people
    if people is not None:
        last = people.at(outcome.times_h, panel.x.high)
        labels.append((panel.y(last.high90), "9 in 10 people are", "tick", "between the dots"))
    if outcome.line is not None:
        labels.append((panel.y(outcome.line), "remission line,", "tick", f"{plain(outcome.line)} or less"))
    places = spread_apart([label[0] for label in labels], 38, panel.top + 6, panel.bottom - 10)
    for (_, name, mark, words), place in zip(labels, places, strict=True):
        canvas.text(panel.right + 12, place - 2, canvas.fitted(name, mark, canvas.width - panel.right - 14), mark)
        canvas.text(panel.right + 12, place + 15, words, "tick")


def _reading(panels: Panels, steps: list[float]) -> dict[str, tuple[float | None, ...]]:
    return {
        "ab"[index]: tuple(round(panel.x(hour), 1) if hour <= panel.x.high + 1e-6 else None for hour in steps)
        for index, panel in enumerate(panels)
    }


def _sentence(material: ReportInput, outcome: Outcome, hour: float) -> str:
    parts = [f"{curve.arm} {ranged(curve.average.at(outcome.times_h, hour), whole=True)}" for curve in outcome.arms]
    people = next((curve.people for curve in outcome.arms if curve.arm == material.active.name), None)
    who = (
        f"; 9 in 10 people on {spoken(material.active.name)} {span(people.at(outcome.times_h, hour), 0)}"
        if people
        else ""
    )
    return f"{when(hour) if hour else 'Start'}: {', '.join(parts)}{who}"


def _people_words(material: ReportInput, outcome: Outcome) -> str:
    if not any(curve.people for curve in outcome.arms if curve.arm == material.active.name):
        return ""
    return (
        f"Dotted lines: where 9 in 10 single people on {spoken(material.active.name)} fall, far wider than the average."
    )


def _description(material: ReportInput, outcome: Outcome) -> str:
    parts = ["Line chart."]
    for curve in outcome.arms:
        values = [
            f"{plain(curve.average.at(outcome.times_h, hour).middle)} at {when(hour) if hour else 'the start'}"
            for hour in (0.0, 24.0, material.study.end_of_treatment_h, material.study.horizon_h)
            if hour <= outcome.times_h[-1] + 1e-6
        ]
        parts.append(f"On {spoken(curve.arm)} the average is {', '.join(dict.fromkeys(values))}{NBSP}{outcome.unit}.")
    return " ".join(parts)
