"""Who gets better, stays so, relapses or leaves: a hundred people over time, stacked by where they are."""

from __future__ import annotations

import numpy as np

from rekindle.report.arms import left_out, looks
from rekindle.report.axes import time_axis
from rekindle.report.draw import Canvas, Panel, Scale, spread_apart
from rekindle.report.figure import Drawing, Figure, Width
from rekindle.report.material import CLASSES, ReportInput, Whereabouts
from rekindle.report.numerals import plain, span, spoken, when
from rekindle.report.sentences import whereabouts_finding
from rekindle.report.tables import Table

SHORT = {
    "remission": "Remission",
    "half_better": "Half better",
    "partly_better": "Partly better",
    "relapsed": "Relapsed",
    "no_change": "No change",
    "left": "Left study",
}
MARKS = {key: f"s{index}" for index, key in enumerate(CLASSES, start=1)}
LEFT, RIGHT, TOP, PLOT, GAP, FOOT = 32.0, 126.0, 22.0, 186.0, 40.0, 42.0


def figure(material: ReportInput) -> Figure | None:
    """The figure of a hundred people over time, or None when the classes were not followed."""
    order = list(looks(material))
    blocks = sorted((b for b in material.whereabouts if b.arm in order), key=lambda block: order.index(block.arm))
    if not blocks:
        return None
    few = len(blocks) <= 2
    columns: dict[Width, int] = {
        "wide": 1 if few else 3 if len(blocks) == 3 else 2,
        "mid": min(2, len(blocks)),
        "narrow": 1,
    }
    widths: dict[Width, float] = {"wide": 340.0 if few else 1120.0, "mid": 680.0, "narrow": 350.0}
    end = float(blocks[0].times_h[-1])
    return Figure(
        key="people",
        heading=whereabouts_finding(material),
        lead=f"100 people, week by week; numbers at {when(_instant(material))} (dotted) and {when(end)} (right)",
        title="Where 100 people are over time",
        description=_description(material, blocks),
        drawings={name: _draw(material, blocks, widths[name], columns[name]) for name in columns},
        caption="Remission: at or below the scale's line. Half better: total at most half of the start. Relapsed: had "
        "halved and has come back. The table gives the range of repeated studies." + left_out(material),
        tables=(_table(material, blocks),),
        layout="side" if few else "full",
    )


def _instant(material: ReportInput) -> float:
    return min(material.study.end_of_treatment_h, float(material.whereabouts[0].times_h[-1]))


def _shares(block: Whereabouts) -> list[tuple[str, np.ndarray[tuple[int], np.dtype[np.float64]]]]:
    """The class shares in 100 people, scaled so that they fill the hundred."""
    present = [key for key in CLASSES if key in block.classes]
    total = np.sum([block.classes[key].middle for key in present], axis=0)
    return [(key, 100 * block.classes[key].middle / np.maximum(total, 1e-12)) for key in present]


def _draw(material: ReportInput, blocks: list[Whereabouts], width: float, columns: int) -> Drawing:
    rows = -(-len(blocks) // columns)
    canvas = Canvas(width, rows * (TOP + PLOT + GAP) - GAP + FOOT + 4)
    cell = width / columns
    for index, block in enumerate(blocks):
        row, column = divmod(index, columns)
        top, left = row * (TOP + PLOT + GAP) + TOP, column * cell + LEFT
        horizon = float(block.times_h[-1])
        panel = Panel(
            block.arm,
            Scale(0.0, horizon, left, column * cell + cell - RIGHT),
            Scale(0.0, 100.0, top + PLOT, top),
        )
        canvas.text(
            panel.left, panel.top - 8, canvas.fitted(f"On {spoken(block.arm)}", "phead", cell - LEFT - 4), "phead"
        )
        canvas.open_panel(panel)
        _areas(canvas, panel, block)
        canvas.close_panel()
        _numbers(canvas, panel, block, _instant(material))
        for value in (0, 50, 100):
            canvas.text(panel.left - 6, panel.y(value) + 4, str(value), "tick", "end")
        if index + columns >= len(blocks):
            axis = time_axis(horizon, 5)
            for hour, words in axis.ticks:
                canvas.text(panel.x(hour), panel.bottom + 17, words, "tick", "middle")
            canvas.text((panel.left + panel.right) / 2, panel.bottom + 34, axis.unit, "tick", "middle")
    return Drawing(width, canvas.height, canvas.markup())


def _areas(canvas: Canvas, panel: Panel, block: Whereabouts) -> None:
    base = np.zeros(len(block.times_h))
    xs = panel.x.all(block.times_h)
    for key, share in _shares(block):
        canvas.band(xs, panel.y.all(base), panel.y.all(base + share), f"st {MARKS[key]}")
        base = base + share


def _numbers(canvas: Canvas, panel: Panel, block: Whereabouts, instant: float) -> None:
    """Numbers within the dark classes at the end of treatment and beside every class at the end."""
    at_instant = instant < panel.x.high * 0.96
    if at_instant:
        canvas.line(panel.x(instant), panel.top, panel.x(instant), panel.bottom, "instant")
    base_instant = base_end = 0.0
    marks, ends = [], []
    for position, (key, share) in enumerate(_shares(block)):
        now, end = float(np.interp(instant, block.times_h, share)), float(share[-1])
        if at_instant and position < 3 and now * PLOT / 100 > 18:
            aside, before, after = _roomier_side(block, instant, position)
            middle = panel.y((before + after) / 2)
            anchor = "start" if aside > 0 else "end"
            canvas.text(panel.x(instant) + 5 * aside, middle + 4, plain(now), f"in{position + 1}", anchor)
        marks.append((key, end))
        ends.append(panel.y(base_end + end / 2))
        base_instant += now
        base_end += end
    places = spread_apart(ends, 15.5, panel.top + 2, panel.bottom + 6)
    for (key, end), middle, place in zip(marks, ends, places, strict=True):
        canvas.curve([panel.right + 2, panel.right + 10], [middle, place], "leader")
        canvas.text(panel.right + 34, place + 4, plain(end), "labn", "end")
        canvas.text(panel.right + 38, place + 4, SHORT[key], "lab2")


def _roomier_side(block: Whereabouts, instant: float, position: int) -> tuple[int, float, float]:
    """On which side of an instant (-1 or 1) a class is wider, and where it begins and ends there, in 100 people."""
    found = []
    for side in (1, -1):
        hour = instant + side * 0.06 * float(block.times_h[-1])
        shares = [float(np.interp(hour, block.times_h, share)) for _, share in _shares(block)]
        found.append((shares[position], side, sum(shares[:position]), sum(shares[: position + 1])))
    _, side, start, end = max(found)
    return side, start, end


def _table(material: ReportInput, blocks: list[Whereabouts]) -> Table:
    last = float(blocks[0].times_h[-1])
    hours = sorted(
        {24.0, 168.0, _instant(material), last} & {h for h in (24.0, 168.0, _instant(material), last) if h <= last}
    )
    head = ["Class", "Arm"]
    for hour in hours:
        head += [f"{when(hour).capitalize()}, of 100", "9 in 10 studies"]
    rows = []
    for key, name in CLASSES.items():
        for block in blocks:
            if key in block.classes:
                cells = [name, block.arm]
                for hour in hours:
                    value = block.classes[key].at(block.times_h, hour).times(100)
                    cells += [plain(value.middle), span(value, 0)]
                rows.append(tuple(cells))
    return Table("People of 100 in each class.", tuple(head), tuple(rows), frozenset({0, 1}))


def _description(material: ReportInput, blocks: list[Whereabouts]) -> str:
    parts = ["Stacked areas."]
    for block in blocks:
        for hour in sorted({_instant(material), float(block.times_h[-1])}):
            said = [
                f"{plain(100 * block.classes[key].at(block.times_h, hour).middle)} {name.lower()}"
                for key, name in CLASSES.items()
                if key in block.classes
            ]
            parts.append(f"On {spoken(block.arm)} at {when(hour)}, of 100 people: {', '.join(said)}.")
    return " ".join(parts)
