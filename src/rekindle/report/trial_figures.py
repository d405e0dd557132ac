"""Figures of a virtual trial: the arms' courses, what makes each arm's change, and power against size."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rekindle.report.axes import frame, nice_step, time_axis, value_ticks
from rekindle.report.draw import Canvas, Panel, Scale
from rekindle.report.figure import Drawing, Figure, KeyEntry, Width, wrapped
from rekindle.report.marks import text_size
from rekindle.report.numerals import plain, when
from rekindle.report.tables import Table

if TYPE_CHECKING:
    from rekindle.trial.contributions import Contributions
    from rekindle.trial.power import Power
    from rekindle.trial.results import ArmResult

WIDTHS: dict[Width, float] = {"wide": 1120.0, "mid": 680.0, "narrow": 350.0}
LINES = ("kline", "cline", "bline", "dline", "rodent", "assumed")
SMALLEST_PART = 0.05
"""Parts that move no arm by this much are left out of the picture (not of the table)."""


def line_of(place: int) -> str:
    """The mark of the line of an arm by its place."""
    return LINES[place % len(LINES)]


def swatch(mark: str) -> str:
    """A short piece of a line for the key."""
    return f'<line x1="1" y1="8" x2="31" y2="8" class="{mark}"/>'


def arm_keys(arms: Sequence[str]) -> tuple[KeyEntry, ...]:
    """One entry an arm."""
    return tuple(KeyEntry(swatch(line_of(place)), 34, arm) for place, arm in enumerate(arms))


def course_figure(results: Sequence[ArmResult], scale: str) -> Figure:
    """Mean observed score of every arm at every visit, with twice its standard error."""
    arms = list(dict.fromkeys(each.arm for each in results))
    visits = sorted({each.visit_h for each in results})
    last = {arm: [each for each in results if each.arm == arm][-1] for arm in arms}
    said = ", ".join(f"{arm} {plain(last[arm].change, -1, signed=True)}" for arm in arms)
    rows = tuple(
        (each.arm, when(each.visit_h), str(each.n), _one(each.mean), _one(each.change), _one(each.sd),
         _one(each.response), _one(each.remission))
        for each in results
    )  # fmt: skip
    return Figure(
        key="course",
        heading=f"{scale} as it was rated",
        lead=f"Change to the last visit: {said} points",
        title="Course",
        description=f"Mean {scale} of {len(arms)} arms at {len(visits)} visits.",
        drawings={name: _course(results, arms, width) for name, width in WIDTHS.items()},
        caption="Means of the people still rated, filled as the trial fills missing ratings; bars are two standard "
        "errors. One virtual trial of this size: another would differ by luck.",
        tables=(
            Table(f"{scale} by arm and visit.",
                  ("Arm", "Visit", "Rated", "Mean", "Change", "SD of change", "Response, %", "Remission, %"), rows,
                  frozenset({0, 1})),
        ),
        entries=arm_keys(arms),
    )  # fmt: skip


def _one(value: float | None) -> str:
    return "not known" if value is None or not math.isfinite(value) else plain(value, -1)


def _course(results: Sequence[ArmResult], arms: Sequence[str], width: float) -> Drawing:
    canvas = Canvas(width, 330)
    errors = [2.0 * each.sd / math.sqrt(each.n) if each.n > 1 and math.isfinite(each.sd) else 0.0 for each in results]
    high = max(each.mean + error for each, error in zip(results, errors, strict=True))
    low = min(each.mean - error for each, error in zip(results, errors, strict=True))
    step = nice_step(high - min(0.0, low) if low < 5 else high - low, 5)
    bottom, top = step * math.floor(low / step), step * math.ceil(high / step)
    horizon = max(each.visit_h for each in results)
    panel = Panel("course", Scale(0.0, horizon, 44, width - 16), Scale(bottom, top, 275, 16))
    axis = time_axis(horizon, 5 if width < 400 else 8)
    frame(canvas, panel, value_ticks(bottom, top), axis.ticks, x_unit=axis.unit)
    canvas.open_panel(panel)
    for place, arm in enumerate(arms):
        own = [(each, error) for each, error in zip(results, errors, strict=True) if each.arm == arm]
        shift = (place - (len(arms) - 1) / 2.0) * 3.0
        xs = [panel.x(each.visit_h) + shift for each, _ in own]
        canvas.curve(xs, panel.y.all([each.mean for each, _ in own]), line_of(place), name=arm)
        for x, (each, error) in zip(xs, own, strict=True):
            canvas.line(x, panel.y(each.mean - error), x, panel.y(each.mean + error), "ci")
            canvas.circle(x, panel.y(each.mean), 3.5, "obs" if place == 0 else "obso")
    canvas.close_panel()
    return Drawing(width, canvas.height, canvas.markup())


def contributions_figure(found: Contributions) -> Figure:
    """What each part of the trial adds to each arm's change, a panel an arm."""
    arms = list(found.whole)
    first = arms[0]
    drug = next(part for part in found.parts if part.arm == first and part.part == "drug")
    share = 100.0 * drug.added / found.whole[first] if abs(found.whole[first]) > 0.5 else math.nan
    said = f"the drug itself makes {plain(share)} % of it" if math.isfinite(share) and 0 <= share <= 100 else (
        f"the drug itself makes {plain(drug.added, -1, signed=True)} points of it"
    )  # fmt: skip
    rows = tuple(
        (part.words, part.arm, plain(part.added, -1, signed=True), plain(part.alone, -1, signed=True))
        for part in found.parts
    )
    return Figure(
        key="parts",
        heading=f"{first} changes by {plain(found.whole[first], -1, signed=True)} points: {said}",
        lead=f"Points of the {found.scale} by {when(found.visit_h)} that each part adds, put in one after another",
        title="What makes the change",
        description=" ".join(f"{part.words}, {part.arm}: {part.added:.1f}." for part in found.parts),
        drawings={name: _parts(found, arms, width) for name, width in WIDTHS.items()},
        caption="From many simulated people at the model's values, without luck. The parts add up to the arm's change; "
        "in another order each would differ a little, so the table also gives what is lost when one part alone is "
        "taken out.",
        tables=(
            Table("Points that each part adds, and that are lost without it alone.", ("Part", "Arm", "Added", "Alone"),
                  rows, frozenset({0, 1})),
        ),
    )  # fmt: skip


def _parts(found: Contributions, arms: Sequence[str], width: float) -> Drawing:
    shown = list(dict.fromkeys(part.part for part in found.parts if abs(part.added) >= SMALLEST_PART)) or [
        found.parts[0].part
    ]
    words = {part.part: part.words for part in found.parts}
    narrow = width < 400
    left = 12.0 if width < 700 else 330.0
    above = width < 700
    row = 24.0 * len(arms) + (40.0 if above else 18.0)
    canvas = Canvas(width, row * len(shown) + 60)
    values = [part.added for part in found.parts] + [0.0]
    step = nice_step(max(values) - min(values), 4)
    low, high = step * math.floor(min(values) / step), step * math.ceil(max(values) / step)
    names = max(canvas.words_width(arm, "tick") for arm in arms) if not narrow else 70.0
    across = Scale(low, high, left + 8, width - min(names, 170.0) - 70)
    bottom = row * len(shown) + 8
    for value, label in value_ticks(low, high, 4):
        canvas.line(across(value), 8, across(value), bottom, "axis0" if value == 0 else "grid")
        canvas.text(across(value), bottom + 18, label, "tick", "middle")
    canvas.text((across.start + across.end) / 2, bottom + 38, f"points of the {found.scale}", "tick", "middle")
    for number, name in enumerate(shown):
        top = 8 + row * number
        lines = wrapped(words[name], width - 20 if above else left - 20, text_size("lab2"))
        for line_number, line in enumerate(lines[:2]):
            canvas.text(4, top + 16 + 15 * line_number, line, "lab2")
        for place, arm in enumerate(arms):
            part = next(each for each in found.parts if each.arm == arm and each.part == name)
            y = top + (32 if above else 4) + 24 * place
            start, end = across(0.0), across(part.added)
            canvas.rect(min(start, end), y, max(abs(end - start), 1.0), 16, "bar" if place == 0 else "bard")
            amount = plain(part.added, -1, signed=True)
            label = canvas.fitted(f"{amount}  {arm}", "tick", width - across.end - 12)
            canvas.text(across.end + 10, y + 13, label, "tick")
    return Drawing(width, canvas.height, canvas.markup())


def power_figure(found: Power) -> Figure:
    """Assurance and power against the people in the first arm."""
    size = found.size_for(0.8)
    said = f"{size} in the first arm give four chances in five" if size else "no size here gives four chances in five"
    several = len(found.looks.shares) > 1
    head = ("People, first arm", "In all", "Power at the model's values", "Assurance", "Middle nine tenths")
    rows = tuple(
        (str(row.n), str(row.total), _percent(row.power), _percent(row.assurance),
         f"{_percent(row.low)} to {_percent(row.high)}", *((plain(row.expected_total),) if several else ()))
        for row in found.rows
    )  # fmt: skip
    looks = ", ".join(
        f"{plain(100 * share)} % at {bound:.3f}"
        for share, bound in zip(found.looks.shares, found.looks.bounds, strict=True)
    )
    return Figure(
        key="power",
        heading=f"{said[0].upper()}{said[1:]}",
        lead="Chance of a significant difference against the number of people",
        title="Power",
        description=" ".join(f"{row.n} people: {row.assurance:.2f}, power {row.power:.2f}." for row in found.rows),
        drawings={name: _power(found, width) for name, width in WIDTHS.items()},
        caption="Assurance (solid) averages over parameter sets and over how one trial differs from the next; the band "
        f"is the middle nine tenths of the sets. Power (dashed) takes the model's values for true. Looks: {looks}.",
        tables=(Table("Power by size.", (*head, *(("People until the stop",) if several else ())), rows),),
        entries=(
            KeyEntry(swatch("kline"), 34, "assurance"),
            KeyEntry(swatch("cline"), 34, "power at the model's values"),
        ),
    )  # fmt: skip


def _percent(share: float) -> str:
    return f"{plain(100.0 * share)} %"


def _power(found: Power, width: float) -> Drawing:
    canvas = Canvas(width, 330)
    sizes = [row.n for row in found.rows]
    panel = Panel("power", Scale(min(sizes), max(sizes), 52, width - 20, log=True), Scale(0.0, 100.0, 275, 16))
    chosen = sizes if width > 500 else sizes[::3]
    frame(
        canvas, panel, value_ticks(0.0, 100.0), tuple((float(size), str(size)) for size in chosen),
        x_unit="people in the first arm",
    )  # fmt: skip
    canvas.line(panel.left, panel.y(80.0), panel.right, panel.y(80.0), "threshold")
    xs = panel.x.all(sizes)
    canvas.open_panel(panel)
    low, high = ([100 * getattr(row, end) for row in found.rows] for end in ("low", "high"))
    canvas.band(xs, panel.y.all(low), panel.y.all(high), "b90")
    canvas.curve(xs, panel.y.all([100 * row.power for row in found.rows]), "cline", name="power")
    canvas.curve(xs, panel.y.all([100 * row.assurance for row in found.rows]), "kline", name="assurance")
    canvas.close_panel()
    return Drawing(width, canvas.height, canvas.markup())
