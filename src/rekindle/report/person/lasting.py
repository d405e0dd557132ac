"""How long it will hold: the chance of a relapse by each day, as planned and with no further dose."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from rekindle.inference.forecast import RELAPSE
from rekindle.report.axes import frame, upper_limit, value_ticks
from rekindle.report.draw import Canvas, Panel, Scale, spread_apart
from rekindle.report.figure import Drawing, Figure, KeyEntry
from rekindle.report.numerals import count, plain
from rekindle.report.person.dates import day, ticks, years
from rekindle.report.person.rows import WIDTHS
from rekindle.report.tables import Table

if TYPE_CHECKING:
    from rekindle.inference.forecast import ScaleForecast
    from rekindle.inference.outlook import Outlook

Curve = tuple[str, str, "ScaleForecast"]
SHARE = 100.0
LABELS = {"kline": "labd", "cline": "labc", "dline": "labn"}
CARE = (
    "With no further dose the person stays in care as long as under the plan; with no further visits care ends a week "
    "after the last session."
)


def lasting_figure(outlook: Outlook) -> Figure | None:
    """The figure, or None where there is no response to lose."""
    curves = _curves(outlook)
    if not curves:
        return None
    start, risk = outlook.plan.person.start, outlook.plan.risk
    last = outlook.without[outlook.main]
    assert last.relapse is not None
    due = last.due_h
    end = day(start, last.times_h[-1])
    care = ", in care as planned," if outlook.plan is not outlook.without else " and no further visits"
    care = care if due is not None else care.rstrip(",")
    heading = (
        f"With no further dose{care} the chance of a relapse passes {count(risk, 100)} on {day(start, due)}"
        if due is not None
        else f"The chance of a relapse stays below {count(risk, 100)} until {end}, even with no further dose{care}"
    )
    return Figure(
        key="lasting",
        heading=heading,
        lead=f"Chance of a relapse by each day, in 100: {RELAPSE}",
        title="How long it holds",
        description=" ".join(
            f"{name}: {count(float(each.relapse[-1]), 100)} by {end}."
            for name, _, each in curves
            if each.relapse is not None
        ),
        drawings={name: _draw(outlook, curves, width) for name, width in WIDTHS.items()},
        caption=f"Dotted: the risk that was chosen, {count(risk, 100)}. Looked at once a week, so a date is known to "
        "the week. " + CARE,
        tables=(_table(outlook, curves),),
        entries=tuple(KeyEntry(f'<line x1="0" y1="8" x2="34" y2="8" class="{mark}"/>', 34, name)
                      for name, mark, _ in curves),
    )  # fmt: skip


def _curves(outlook: Outlook) -> list[Curve]:
    """As planned first; then with no further dose, in care as planned; with no further visits either last."""
    found: list[Curve] = []
    if outlook.plan is not outlook.without:
        found.append(("as planned", "kline", outlook.plan[outlook.main]))
        found.append(("no further dose", "cline", outlook.without[outlook.main]))
    found.append(("no dose, no visits", "dline", outlook.alone[outlook.main]))
    return [one for one in found if one[2].relapse is not None]


def _draw(outlook: Outlook, curves: list[Curve], width: float) -> Drawing:
    canvas = Canvas(width, 300)
    begin, end = curves[0][2].times_h[0], curves[0][2].times_h[-1]
    highest = max(float(np.max(each.relapse)) for _, _, each in curves if each.relapse is not None)
    top = max(20.0, min(SHARE, upper_limit(SHARE * max(highest, outlook.plan.risk) * 1.05)))
    roomy = width > 600
    panel = Panel("lasting", Scale(begin, end, 44, width - (170 if roomy else 12)), Scale(0.0, top, 250, 26))
    start = outlook.plan.person.start
    places = ticks(start, begin, end, 12 if width > 1000 else 7 if roomy else 3)
    frame(canvas, panel, value_ticks(0.0, top), places, x_unit=years(start, begin, end))
    canvas.text(0, 14, "in 100", "tick")
    risk = panel.y(SHARE * outlook.plan.risk)
    canvas.line(panel.left, risk, panel.right, risk, "threshold")
    canvas.open_panel(panel)
    labels = []
    for name, mark, each in reversed(curves):
        assert each.relapse is not None
        values = SHARE * each.relapse
        canvas.curve(panel.x.all(each.times_h), panel.y.all(values), mark, name=name)
        labels.append((panel.y(float(values[-1])), f"{name}, {plain(float(values[-1]))}", LABELS[mark]))
    canvas.close_panel()
    _due(canvas, panel, outlook, outlook.without[outlook.main])
    if roomy:
        labels.append((risk, f"chosen risk, {plain(SHARE * outlook.plan.risk)}", "tick"))
        spots = spread_apart([place for place, _, _ in labels], 20, panel.top, panel.bottom)
        for (_, words, mark), spot in zip(labels, spots, strict=True):
            canvas.text(panel.right + 10, spot + 4, words, mark)
    return Drawing(width, canvas.height, canvas.markup())


def _due(canvas: Canvas, panel: Panel, outlook: Outlook, without: ScaleForecast) -> None:
    if without.due_h is None:
        return
    x = panel.x(without.due_h)
    canvas.line(x, panel.y(SHARE * outlook.plan.risk), x, panel.bottom, "ci")
    words = day(outlook.plan.person.start, without.due_h)
    side = "end" if x > panel.right - canvas.words_width(words, "labn") - 8 else "start"
    canvas.text(x + (-6 if side == "end" else 6), panel.bottom - 8, words, "labn halo", side)


def _table(outlook: Outlook, curves: list[Curve]) -> Table:
    start = outlook.plan.person.start
    every = curves[-1][2].times_h
    chosen = every[np.unique(np.linspace(0, len(every) - 1, min(12, len(every))).round().astype(int))]
    rows = []
    for hour in chosen:
        cells = [f"{plain(SHARE * float(np.interp(hour, each.times_h, each.relapse)))}" for _, _, each in curves
                 if each.relapse is not None]  # fmt: skip
        rows.append((day(start, hour, year=True), *cells))
    return Table("Chance of a relapse by then, in 100.", ("By", *(name for name, _, _ in curves)), tuple(rows))
