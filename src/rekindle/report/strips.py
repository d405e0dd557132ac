"""Strips: several quantities above one another on one time axis, each in its own unit, with its evidence
grade.

Used for the chain after a dose (time on a log axis) and for the first hours of a session (minutes). On a
wide sheet a strip's name stands at its left and its summary at its right; on a narrow one both stand above
it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rekindle.report.arms import GRADES, LINES
from rekindle.report.axes import Tick, value_ticks
from rekindle.report.draw import Canvas, Panel, Scale
from rekindle.report.figure import Drawing, Width, wrapped
from rekindle.report.marks import text_size
from rekindle.report.material import Strip
from rekindle.report.published import draw_points
from rekindle.report.sentences import peak_words

LABEL_PX, SUMMARY_PX = 252.0, 222.0
Summary = tuple[str, ...]


@dataclass(frozen=True)
class Lane:
    """One width of a set of strips: sheet width, height of a strip, room between strips, and whether names
    go above.
    """

    name: Width
    width: float
    strip: float
    gap: float
    above: bool

    @property
    def left(self) -> float:
        """Pixels kept free at the left for names or tick words."""
        return 40.0 if self.above else LABEL_PX

    @property
    def right(self) -> float:
        """Pixels kept free at the right for summaries."""
        return 10.0 if self.above else SUMMARY_PX


@dataclass(frozen=True)
class TimeLine:
    """The time axis that all strips share: its ends and ticks in hours, and extra marks in each strip."""

    low_h: float
    high_h: float
    log: bool
    ticks: tuple[Tick, ...]
    unit: str = ""
    decorate: Callable[[Canvas, Panel], None] | None = None


def value_axis(strip: Strip) -> tuple[float, float]:
    """Ends of a strip's value axis: zero, every part of the band, its limit and its published averages."""
    inside = [0.0, strip.resting, float(strip.band.low90.min()), float(strip.band.high90.max())]
    inside += [end for point in strip.observed for end in (point.low95, point.high95)]
    if strip.limit:
        inside.append(strip.limit[0] * 1.15)
    low, high = min(inside), max(inside)
    return low, high + 0.02 * (high - low) if high > low else low + 1.0


def draw_strips(
    strips: Sequence[Strip],
    lane: Lane,
    line: TimeLine,
    summaries: Sequence[Summary],
    steps: Sequence[float],
    *,
    head: float = 12.0,
    top_words: Callable[[Canvas, Scale], None] | None = None,
) -> Drawing:
    """All strips from top to bottom; the lowest carries the times."""
    gap = lane.gap if not lane.above else 38.0 + 17 * max(len(_above(lane, words)) for words in summaries)
    top = head + (gap - 10 if lane.above else 0)
    bottom = top + len(strips) * (lane.strip + gap) - gap
    canvas = Canvas(lane.width, bottom + (40 if line.unit else 26))
    across = Scale(line.low_h, line.high_h, lane.left, lane.width - lane.right, log=line.log)
    if top_words:
        top_words(canvas, across)
    for index, (strip, summary) in enumerate(zip(strips, summaries, strict=True)):
        start = top + index * (lane.strip + gap)
        low, high = value_axis(strip)
        panel = Panel(strip.key, across, Scale(low, high, start + lane.strip, start))
        if line.decorate:
            line.decorate(canvas, panel)
        _axis(canvas, panel, strip)
        canvas.open_panel(panel)
        _curve(canvas, panel, strip)
        canvas.close_panel()
        _limit(canvas, panel, strip, lane)
        (_words_above if lane.above else _words_beside)(canvas, panel, strip, summary, lane)
        canvas.reading_line("a", panel.top, panel.bottom)
    for hour, words in line.ticks:
        edge = across(hour) + canvas.words_width(words, "tick") / 2 > lane.width
        canvas.text(lane.width if edge else across(hour), bottom + 19, words, "tick", "end" if edge else "middle")
    if line.unit:
        canvas.text((across.start + across.end) / 2, bottom + 36, line.unit, "tick", "middle")
    places = tuple(round(across(hour), 1) if line.low_h <= hour <= line.high_h else None for hour in steps)
    return Drawing(lane.width, canvas.height, canvas.markup(), {"a": places})


def _axis(canvas: Canvas, panel: Panel, strip: Strip) -> None:
    for value, words in value_ticks(panel.y.low, panel.y.high, 2):
        canvas.line(panel.left, panel.y(value), panel.right, panel.y(value), "axis0" if value == 0 else "grid")
        canvas.text(panel.left - 6, panel.y(value) + 4, words, "tick", "end")
    if strip.resting:
        canvas.line(panel.left, panel.y(strip.resting), panel.right, panel.y(strip.resting), "rest")


def _curve(canvas: Canvas, panel: Panel, strip: Strip) -> None:
    """Bands, the middle line in the dash of its grade, published averages, and the sign of the peak."""
    inside = (strip.times_h >= panel.x.low - 1e-12) & (strip.times_h <= panel.x.high + 1e-9)
    xs = panel.x.all(strip.times_h[inside])
    middle, low90, low50, high50, high90 = (panel.y.all(values[inside]) for values in strip.band.lines())
    canvas.band(xs, low90, high90, "b90")
    canvas.band(xs, low50, high50, "b50")
    for edge in (low90, high90):
        canvas.curve(xs, edge, "edge")
    canvas.curve(xs, middle, LINES[strip.grade], name=strip.key)
    hour, value = peak_words(strip)
    if panel.x.low <= hour <= panel.x.high and panel.x.log:
        x, y = panel.x(hour), panel.y(value.middle)
        falls = value.middle < strip.resting
        tip, back = (y + 4, y + 12) if falls else (y - 4, y - 12)
        canvas.shape([(x - 5, back), (x + 5, back), (x, tip)], "peak")
    draw_points(canvas, panel, strip.observed, "", size=4.5)


def _limit(canvas: Canvas, panel: Panel, strip: Strip, lane: Lane) -> None:
    if strip.limit is None:
        return
    value, act = strip.limit
    canvas.line(panel.left, panel.y(value), panel.right, panel.y(value), "limit")
    room = panel.right - panel.left - 8
    words = act if canvas.words_width(act, "stopt") <= room else f"{value:g} {strip.unit}"
    canvas.text(panel.right - 2, panel.y(value) - 5, words, "stopt halo", "end")


def _words_beside(canvas: Canvas, panel: Panel, strip: Strip, summary: Summary, lane: Lane) -> None:
    down = panel.top + 14
    for words in wrapped(strip.name, LABEL_PX - 50, text_size("rname"), bold=True)[:2]:
        canvas.text(0, down, words, "rname")
        down += 18
    canvas.text(0, down, strip.unit, "tick")
    canvas.glyph(5, down + 16, strip.grade)
    canvas.text(16, down + 20, GRADES[strip.grade], "tick")
    down = panel.top + 30
    for place, words in enumerate(summary):
        mark = "tick" if place else "rsum"
        for part in wrapped(words, SUMMARY_PX - 20, text_size(mark)):
            canvas.text(panel.right + 18, down, part, mark)
            down += 18


def _words_above(canvas: Canvas, panel: Panel, strip: Strip, summary: Summary, lane: Lane) -> None:
    lines = _above(lane, summary)
    down = panel.top - 10
    for words in reversed(lines):
        canvas.text(16, down, words, "tick")
        down -= 17
    canvas.glyph(5, down + 13, strip.grade)
    canvas.text(0, down - 2, strip.name, "rname")
    if canvas.words_width(strip.name, "rname") + canvas.words_width(strip.unit, "tick") + 12 < lane.width:
        canvas.text(lane.width - 2, down - 2, strip.unit, "tick", "end")


def _above(lane: Lane, summary: Summary) -> list[str]:
    """A summary in at most two lines above a strip."""
    return wrapped(f"{summary[0]}: {', '.join(summary[1:])}", lane.width - 20, text_size("tick"))[:2]
