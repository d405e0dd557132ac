"""The first hours of one session, minute by minute: blood, block, detachment, pressure, fit to go home."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from rekindle.report import strips
from rekindle.report.arms import grade_entries
from rekindle.report.axes import Tick
from rekindle.report.draw import Canvas, Panel, Scale
from rekindle.report.figure import Figure, Reading
from rekindle.report.material import ReportInput, Session, Strip
from rekindle.report.numerals import brief, clock, place_for, plain, ranged, span, spoken
from rekindle.report.published import point_entries
from rekindle.report.sentences import peak_words, session_finding
from rekindle.report.tables import Table

LANES = (
    strips.Lane("wide", 1120, 92, 18, above=False),
    strips.Lane("mid", 680, 66, 62, above=True),
    strips.Lane("narrow", 350, 84, 64, above=True),
)
HEAD = 30.0


def figure(material: ReportInput) -> Figure | None:
    """The session figure, or None when no session was computed."""
    session = material.session
    if session is None or not session.strips:
        return None
    last = max(float(strip.times_h[-1]) for strip in session.strips)
    steps = [float(hour) for hour in np.arange(0.0, last + 1e-9, last / 48)]
    summaries = [summary(strip) for strip in session.strips]
    drawings = {}
    for lane in LANES:
        line = strips.TimeLine(
            0.0, last, False, _ticks(last, few=lane.width < 400), decorate=lambda c, p: _during(c, p, session)
        )
        drawings[lane.name] = strips.draw_strips(
            session.strips,
            lane,
            line,
            summaries,
            steps,
            head=HEAD,
            top_words=_top_words(session, short=lane.width < 400),
        )
    seen = [point for strip in session.strips for point in strip.observed]
    studied = " Shares of people: bands are repeated studies." if _mixed(session) else ""
    return Figure(
        key="session",
        heading=session_finding(session),
        lead=f"{session.dose}, minute by minute. Line: the middle person; dark band: half of people; "
        f"light band: 9 in 10.{studied}",
        title=f"The first {clock(last * 60)} of a session",
        description=f"{len(session.strips)} strips on one axis of minutes. "
        + " ".join(f"{s.name}: {', '.join(words)}." for s, words in zip(session.strips, summaries, strict=True)),
        drawings=drawings,
        caption=_caption(session),
        tables=(_table(session, last),),
        entries=(*grade_entries(), *point_entries(seen, "")),
        reading=Reading("Read any minute", tuple(_sentence(session, hour) for hour in steps), 8),
    )


def summary(strip: Strip) -> strips.Summary:
    """When the middle person peaks and is half way back; for readiness, when 90 of 100 may go."""
    if strip.key == "readiness":
        return _ready(strip)
    hour, value = peak_words(strip)
    half = strip.resting + 0.5 * (value.middle - strip.resting)
    after = strip.times_h > hour
    back = after & (np.abs(strip.band.middle - strip.resting) <= abs(half - strip.resting))
    gone = (f"half gone by {clock(float(strip.times_h[back][0]) * 60)}",) if back.any() else ()
    return f"Peak at {clock(hour * 60)}", ranged(value, strip.unit.split(",")[0]), *gone


def _ready(strip: Strip) -> strips.Summary:
    """When 90 of 100 people are fit to go home, by the middle line and by the ends of its band."""
    times = []
    for line in (strip.band.middle, strip.band.high90, strip.band.low90):
        reached = np.flatnonzero(line >= 90.0)
        times.append(clock(float(strip.times_h[reached[0]]) * 60) if reached.size else None)
    if times[0] is None:
        return (
            f"Not 90 of 100 by {clock(float(strip.times_h[-1]) * 60)}",
            f"{plain(float(strip.band.middle[-1]))} of 100 then",
        )
    return f"90 of 100 by {times[0]}", f"9 in 10 studies: {times[1]} to {times[2] or 'later than shown'}"


def _mixed(session: Session) -> bool:
    return any(strip.spread == "studies" for strip in session.strips)


def _ticks(last_h: float, *, few: bool) -> tuple[Tick, ...]:
    minutes = (
        (0, 40, 80, 120, 180, 240, 300, 360) if few else (0, 20, 40, 60, 80, 100, 120, 150, 180, 210, 240, 300, 360)
    )
    return tuple(
        (minute / 60, "0" if minute == 0 else clock(minute)) for minute in minutes if minute <= last_h * 60 + 1e-6
    )


def _during(canvas: Canvas, panel: Panel, session: Session) -> None:
    """The time in which the drug is given, and the end of the watch."""
    given = panel.x(session.given_over_min / 60)
    if session.given_over_min > 0:
        canvas.rect(panel.left, panel.top, given - panel.left, panel.bottom - panel.top, "during")
    if session.watched_until_min / 60 < panel.x.high:
        watched = panel.x(session.watched_until_min / 60)
        canvas.line(watched, panel.top, watched, panel.bottom, "threshold")


def _top_words(session: Session, *, short: bool) -> Callable[[Canvas, Scale], None]:
    def draw(canvas: Canvas, across: Scale) -> None:
        given, watched = (
            across(session.given_over_min / 60),
            across(min(session.watched_until_min / 60, across.high)),
        )
        if session.given_over_min > 0:
            words = "given" if short else f"given, {clock(session.given_over_min)}"
            if canvas.words_width(words, "ticki") + 8 < given - across.start:
                canvas.text(across.start + 4, 14, words, "ticki")
        if watched - given > 70:
            canvas.text(given + 6, 14, "watched", "tick")
        if across.end - watched > 130:
            canvas.text(watched + 6, 14, "may leave when fit", "tick")

    return draw


def _caption(session: Session) -> str:
    words = [f"Grey ground: the drug is given ({clock(session.given_over_min)})."] if session.given_over_min > 0 else []
    words.append(f"Dotted upright: watched until {clock(session.watched_until_min)}.")
    words += [f"Red line: {strip.limit[1]}." for strip in session.strips if strip.limit]
    return " ".join(words)


def _table(session: Session, last: float) -> Table:
    minutes = [minute for minute in (0, 20, 40, 60, 80, 120, 180, 240) if minute <= last * 60 + 1e-6]
    head = ("Quantity", "Unit", *("start" if minute == 0 else clock(minute) for minute in minutes))
    rows = []
    for strip in session.strips:
        place = place_for(float(strip.band.low90.min()), float(strip.band.high90.max()))
        cells = []
        for minute in minutes:
            value = strip.band.at(strip.times_h, minute / 60)
            cells.append(f"{plain(value.middle, place)} ({span(value, place)})")
        rows.append((strip.name, strip.unit, *cells))
    return Table("One session: the middle person and 9 in 10 people.", head, tuple(rows), frozenset({0, 1}))


def _sentence(session: Session, hour: float) -> str:
    said = [
        f"{spoken(strip.name)} {brief(strip.band.at(strip.times_h, hour).middle)} {strip.unit.split(',')[0]}"
        for strip in session.strips
    ]
    return f"{clock(hour * 60)}: {', '.join(said)}"
