"""Frames of charts: where ticks stand and what they say, in the units that people use for that stretch of
time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from rekindle.report.draw import Canvas, Panel
from rekindle.report.numerals import HOURS_A_DAY, HOURS_A_MONTH, HOURS_A_WEEK, NBSP, brief

Tick = tuple[float, str]


@dataclass(frozen=True)
class TimeAxis:
    """Ticks (hour, label) of a stretch of time and the unit they count in ('hours', 'weeks since the first
    session').
    """

    ticks: tuple[Tick, ...]
    unit: str


def nice_step(span: float, count: int) -> float:
    """A step of 1, 2 or 5 times a power of ten that cuts `span` into at most about `count` parts."""
    if span <= 0:
        return 1.0
    rough = span / max(1, count)
    power = 10.0 ** math.floor(math.log10(rough))
    return next((step * power for step in (1, 2, 5, 10) if step * power >= rough * 0.999), 10 * power)


def value_ticks(low: float, high: float, count: int = 5) -> tuple[Tick, ...]:
    """Round numbers from `low` to `high`."""
    step = nice_step(high - low, count)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return tuple((index * step, brief(index * step)) for index in range(first, last + 1))


def upper_limit(largest: float, count: int = 5) -> float:
    """The round number at which an axis from zero ends so that `largest` fits."""
    if largest <= 0:
        return 1.0
    step = nice_step(largest, count)
    return math.ceil(largest / step - 1e-9) * step


_UNITS = (
    (2.0, 1 / 60, "minutes", (5, 10, 20, 30, 60)),
    (72.0, 1.0, "hours", (1, 2, 4, 6, 12, 24)),
    (20 * HOURS_A_DAY, HOURS_A_DAY, "days", (1, 2, 4, 7, 14)),
    (26.1 * HOURS_A_WEEK, HOURS_A_WEEK, "weeks", (1, 2, 4, 8, 13)),
    (math.inf, HOURS_A_MONTH, "months", (1, 2, 3, 6, 12, 24, 60, 120)),
)


def time_axis(horizon_h: float, count: int = 7) -> TimeAxis:
    """Ticks from zero: minutes to two hours, hours to three days, days to three weeks, weeks to 26, then months."""
    _, unit_h, word, steps = next(unit for unit in _UNITS if horizon_h <= unit[0] + 1e-6)
    span = horizon_h / unit_h
    step = next((step for step in steps if span / step <= count), steps[-1])
    last = math.floor(span / step + 1e-6)
    return TimeAxis(tuple((index * step * unit_h, brief(index * step)) for index in range(last + 1)), word)


LOG_TICKS: tuple[Tick, ...] = (
    (1 / 60, "1" + NBSP + "min"),
    (1 / 6, "10" + NBSP + "min"),
    (1.0, "1" + NBSP + "h"),
    (6.0, "6" + NBSP + "h"),
    (24.0, "1" + NBSP + "d"),
    (72.0, "3" + NBSP + "d"),
    (168.0, "1" + NBSP + "wk"),
    (672.0, "4" + NBSP + "wk"),
    (2016.0, "12" + NBSP + "wk"),
)


def frame(
    canvas: Canvas,
    panel: Panel,
    y_ticks: tuple[Tick, ...],
    x_ticks: tuple[Tick, ...] = (),
    *,
    labels: bool = True,
    x_unit: str = "",
) -> None:
    """Grid lines, a base line, tick words at the left and below, and the unit of the horizontal axis."""
    for value, words in y_ticks:
        base = abs(value - panel.y.low) < 1e-12
        canvas.line(panel.left, panel.y(value), panel.right, panel.y(value), "axis0" if base else "grid")
        if labels:
            canvas.text(panel.left - 7, panel.y(value) + 4, words, "tick", "end")
    for value, words in x_ticks:
        canvas.line(panel.x(value), panel.bottom, panel.x(value), panel.bottom + 4, "axis0")
        canvas.text(panel.x(value), panel.bottom + 18, words, "tick", "middle")
    if x_unit:
        canvas.text((panel.left + panel.right) / 2, panel.bottom + 35, x_unit, "tick", "middle")
