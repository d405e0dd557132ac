"""The course so far and to come on one scale: ratings and doses as they were, bands of what is expected."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rekindle.inference.forecast import LEVELS
from rekindle.outcomes import scale
from rekindle.report.axes import frame, upper_limit, value_ticks
from rekindle.report.draw import Canvas, Panel, Scale, spread_apart
from rekindle.report.figure import Drawing, Figure, KeyEntry, Width
from rekindle.report.from_trajectories.course import zones
from rekindle.report.numerals import NBSP, plain
from rekindle.report.person.dates import day, short, ticks, years
from rekindle.report.tables import Table

if TYPE_CHECKING:
    from rekindle.inference.forecast import ScaleForecast
    from rekindle.inference.outlook import Outlook, Past

Array = NDArray[np.float64]

SMALLEST, LARGEST = LEVELS.index(2.5), LEVELS.index(97.5)
BANDS = ((2.5, 97.5, "spread"), (10.0, 90.0, "b90"), (25.0, 75.0, "b50"))
MIDDLE = LEVELS.index(50.0)
TOP = 52.0
ROWS = 14
"""Rows of the table of what is to come, about."""


@dataclass(frozen=True)
class _Sheet:
    name: Width
    width: float
    height: float
    left: float
    right: float
    ticks: int


SHEETS = (
    _Sheet("wide", 1120, 430, 104, 150, 12),
    _Sheet("mid", 680, 390, 96, 116, 7),
    _Sheet("narrow", 350, 340, 62, 12, 3),
)


@dataclass(frozen=True)
class _Course:
    """What one figure draws."""

    outlook: Outlook
    ahead: ScaleForecast
    past: Past | None
    ratings: tuple[tuple[float, float], ...]
    end_h: float

    @property
    def now_h(self) -> float:
        return self.outlook.plan.person.now_h

    @property
    def given(self) -> list[float]:
        return sorted({each.time_h for each in self.outlook.plan.person.given})

    @property
    def planned(self) -> list[float]:
        plan = self.outlook.plan.planned
        starts = [] if plan is None else [plan.from_h + each.time_h for each in plan.course.sessions]
        return [start for start in starts if start <= self.end_h]


def course_figure(outlook: Outlook, name: str, *, key: str = "course") -> Figure:
    """The figure of one scale."""
    course = _gathered(outlook, name)
    ahead, known, person = course.ahead, scale(name), outlook.plan.person
    last = ahead.ratings[-1]
    end = day(person.start, course.end_h)
    count = len(course.ratings)
    rated = (
        f"{count} rating{'' if count == 1 else 's'}, {len(course.given)} sessions so far" if count else "not rated yet"
    )
    return Figure(
        key=key,
        heading=_heading(course, known.name),
        lead=f"{known.name}, {plain(known.minimum)} to {plain(known.maximum)} points, {known.better} is better; "
        + rated,
        title="Course" if key == "course" else f"Course, {known.name}",
        description=f"Line chart of the {known.name}. "
        + " ".join(f"{plain(total)} on {day(person.start, moment)}." for moment, total in course.ratings)
        + f" By {end} a rating of about {plain(last[MIDDLE])}, "
        f"19 times in 20 between {plain(last[SMALLEST])} and {plain(last[LARGEST])}.",
        drawings={sheet.name: _draw(course, sheet) for sheet in SHEETS},
        caption=f"Blue: ratings to come {_under(outlook)}; half, 8 in 10 and 19 in 20 of them fall into each band, "
        "the rater's error among it. Grey: where the person's own score lay, given all ratings. "
        + _inside(course),
        tables=_tables(course),
        entries=_entries(outlook),
    )  # fmt: skip


def _gathered(outlook: Outlook, name: str) -> _Course:
    ahead = outlook.plan[name]
    past = next((each for each in outlook.past if each.scale == ahead.scale), None)
    ratings = tuple(
        (each.time_h, float(each.total))
        for each in outlook.plan.person.ratings
        if scale(each.scale).name == ahead.scale
    )
    return _Course(outlook, ahead, past, ratings, float(ahead.times_h[-1]))


def _under(outlook: Outlook) -> str:
    plan = outlook.plan.planned
    return "as planned" if plan is not None and plan.course.sessions else "with no further dose"


def _heading(course: _Course, name: str) -> str:
    now, last = course.ahead.own[0][MIDDLE], course.ahead.ratings[-1]
    turn = last[MIDDLE] - now
    towards = "stays about where it is" if abs(turn) < 2.5 else f"goes {'down' if turn < 0 else 'up'} to about"
    where = "" if towards.startswith("stays") else f" {plain(last[MIDDLE])}"
    end = day(course.outlook.plan.person.start, course.end_h)
    given = "As planned" if _under(course.outlook) == "as planned" else "With no further dose"
    return f"{given}, the {name} {towards}{where} by {end}"


def _inside(course: _Course) -> str:
    """How many ratings lie in the grey band, counted."""
    if course.past is None or not course.ratings:
        return ""
    lows, highs = course.past.own[:, SMALLEST], course.past.own[:, LARGEST]
    held = sum(
        np.interp(moment, course.past.times_h, lows) - 0.5
        <= total
        <= np.interp(moment, course.past.times_h, highs) + 0.5
        for moment, total in course.ratings
    )
    return f"{held} of {len(course.ratings)} ratings lie in it; a rating's own error is not part of it."


def _draw(course: _Course, sheet: _Sheet) -> Drawing:
    canvas = Canvas(sheet.width, sheet.height)
    panel = _panel(course, sheet)
    start = course.outlook.plan.person.start
    marks = value_ticks(panel.y.low, panel.y.high)
    frame(canvas, panel, marks, ticks(start, 0.0, course.end_h, sheet.ticks), x_unit=years(start, 0.0, course.end_h))
    _words_of_zones(canvas, panel, course, sheet)
    lines = _lines(course)
    for value, _ in lines:
        canvas.line(panel.left, panel.y(value), panel.right, panel.y(value), "threshold")
    canvas.open_panel(panel)
    _fans(canvas, panel, course)
    canvas.close_panel()
    _now(canvas, panel, course)
    _doses(canvas, panel, course)
    for moment, total in course.ratings:
        canvas.diamond(panel.x(moment), panel.y(min(total, panel.y.high)), 6, "obs")
    if sheet.right > 100:
        _end_labels(canvas, panel, course, lines)
    return Drawing(sheet.width, sheet.height, canvas.markup())


def _panel(course: _Course, sheet: _Sheet) -> Panel:
    known = scale(course.ahead.scale)
    tops = [total for _, total in course.ratings] + [float(course.ahead.ratings[:, LARGEST].max())]
    tops += [float(course.past.own[:, LARGEST].max())] if course.past is not None else []
    top = min(known.maximum, upper_limit(max([*tops, *(value for value, _ in _lines(course))])))
    return Panel(
        course.ahead.scale,
        Scale(0.0, max(course.end_h, 1.0), sheet.left, sheet.width - sheet.right),
        Scale(min(0.0, known.minimum), float(top), sheet.height - 44, TOP),
    )


def _lines(course: _Course) -> list[tuple[float, str]]:
    """Scores that mean something: remission and half better."""
    known = scale(course.ahead.scale)
    found = [
        (line.value, f"remission, {plain(line.value)} or less")
        for line in known.remission[:1]
        if "<" in line.comparison
    ]
    if known.response is not None and known.better == "lower":
        half = course.ahead.baseline - known.response * (course.ahead.baseline - known.minimum)
        found.append((half, f"half better, {plain(half)}"))
    return found


def _words_of_zones(canvas: Canvas, panel: Panel, course: _Course, sheet: _Sheet) -> None:
    known = scale(course.ahead.scale)
    short_words = {"moderate": "mod."} if sheet.left < 80 else {}
    for zone in zones(known):
        low, high = max(zone.low, panel.y.low), min(zone.high, panel.y.high)
        if panel.y(low) - panel.y(high) > 14:
            word = short_words.get(zone.word, zone.word)
            canvas.text(panel.left - 28, panel.y((low + high) / 2) + 4, word, "zone", "end")
    canvas.text(panel.left - 8, panel.bottom + 35, "better ↓" if known.better == "lower" else "better ↑", "labn", "end")


def _fans(canvas: Canvas, panel: Panel, course: _Course) -> None:
    if course.past is not None and len(course.past.times_h) > 1:
        xs = panel.x.all(course.past.times_h)
        low, high = (panel.y.all(course.past.own[:, place]) for place in (SMALLEST, LARGEST))
        canvas.band(xs, low, high, "c90")
        for edge in (low, high):
            canvas.curve(xs, edge, "cedge")
        canvas.curve(xs, panel.y.all(course.past.own[:, MIDDLE]), "cline", name="own score so far")
    xs = panel.x.all(course.ahead.times_h)
    for low_level, high_level, mark in BANDS:
        edges = [panel.y.all(course.ahead.ratings[:, LEVELS.index(level)]) for level in (low_level, high_level)]
        canvas.band(xs, edges[0], edges[1], mark)
        if mark != "b50":
            for edge in edges:
                canvas.curve(xs, edge, "edge")
    canvas.curve(xs, panel.y.all(course.ahead.ratings[:, MIDDLE]), "kline", name="ratings to come")


def _now(canvas: Canvas, panel: Panel, course: _Course) -> None:
    x = panel.x(course.now_h)
    canvas.line(x, TOP - 8, x, panel.bottom, "ci")
    words = f"now, {short(course.outlook.plan.person.start, course.now_h)}"
    anchor = "end" if x > panel.right - canvas.words_width(words, "phead") else "start"
    canvas.text(x, 16, words, "phead", anchor)


def _doses(canvas: Canvas, panel: Panel, course: _Course) -> None:
    """A triangle a session: ink for those given, blue for those planned."""
    for hours, mark in ((course.given, "peak"), (course.planned, "dose")):
        gap = min((panel.x(b) - panel.x(a) for a, b in pairwise(hours)), default=20.0)
        half = 2.5 if gap < 7 else 4.5
        for hour in hours:
            x = panel.x(hour)
            canvas.shape([(x - half, TOP - 24), (x + half, TOP - 24), (x, TOP - 15)], mark)


def _end_labels(canvas: Canvas, panel: Panel, course: _Course, lines: list[tuple[float, str]]) -> None:
    last = course.ahead.ratings[-1]
    labels: list[tuple[float, tuple[tuple[str, str], ...]]] = [
        (
            panel.y(last[MIDDLE]),
            (
                (f"{plain(last[MIDDLE])} points", "labd"),
                (f"19 in 20: {plain(last[SMALLEST])} to {plain(last[LARGEST])}", "tick"),
            ),
        )
    ]
    labels += [
        (panel.y(value), ((words.split(",")[0], "tick"), (words.split(", ")[1], "tick"))) for value, words in lines
    ]
    places = spread_apart([place for place, _ in labels], 38, panel.top + 6, panel.bottom - 10)
    for (_, words), place in zip(labels, places, strict=True):
        canvas.text(panel.right + 12, place - 2, words[0][0], words[0][1])
        canvas.text(panel.right + 12, place + 15, words[1][0], words[1][1])


def _entries(outlook: Outlook) -> tuple[KeyEntry, ...]:
    rated, grey, fan = Canvas(14, 16), Canvas(34, 16), Canvas(34, 16)
    rated.diamond(7, 8, 6, "obs")
    grey.rect(0, 2, 34, 12, "c90")
    grey.line(0, 8, 34, 8, "cline")
    fan.rect(0, 0, 34, 16, "edge")
    fan.rect(0, 2, 34, 12, "b90")
    fan.rect(0, 5, 34, 6, "b50")
    fan.line(0, 8, 34, 8, "kline")
    doses = Canvas(30, 16)
    doses.shape([(3, 4), (12, 4), (7.5, 13)], "peak")
    doses.shape([(18, 4), (27, 4), (22.5, 13)], "dose")
    found = [
        KeyEntry(rated.markup(), 14, "rating"),
        KeyEntry(grey.markup(), 34, "own score so far, 19 in 20"),
        KeyEntry(fan.markup(), 34, "ratings to come: middle, 5, 8 and 9.5 in 10"),
        KeyEntry(doses.markup(), 30, "session given, session planned"),
    ]
    return tuple(found if outlook.past else [found[0], *found[2:]])


def _tables(course: _Course) -> tuple[Table, ...]:
    start, ahead = course.outlook.plan.person.start, course.ahead
    chosen = sorted({round(place) for place in np.linspace(0, len(ahead.times_h) - 1, min(ROWS, len(ahead.times_h)))})

    def share(values: Array | None, place: int) -> str:
        return "not known" if values is None else f"{plain(100 * values[place])}{NBSP}%"

    rows = []
    for place in chosen:
        low95, low80, low50, middle, high50, high80, high95 = (plain(value) for value in ahead.ratings[place])
        rows.append(
            (day(start, ahead.times_h[place], year=True), middle, f"{low50} to {high50}", f"{low80} to {high80}",
             f"{low95} to {high95}", share(ahead.response, place), share(ahead.remission, place),
             share(ahead.relapse, place))
        )  # fmt: skip
    head = ("Day", "Middle", "5 in 10", "8 in 10", "19 in 20", "Response", "Remission", "Relapse by then")
    coming = Table(f"Ratings to come, {ahead.scale}, {_under(course.outlook)}.", head, tuple(rows))
    if not course.ratings:
        return (coming,)
    rated = tuple((day(start, moment, year=True), plain(total)) for moment, total in course.ratings)
    return coming, Table(f"Ratings so far, {ahead.scale}.", ("Day", "Total"), rated)
