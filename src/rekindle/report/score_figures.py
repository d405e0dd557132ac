"""Figures of the scoreboard: published beside predicted, and how often intervals of each width hold the number."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rekindle.report.axes import frame, nice_step, value_ticks
from rekindle.report.draw import Canvas, Panel, Scale
from rekindle.report.figure import Drawing, Figure, KeyEntry, Width
from rekindle.report.numerals import plain, when
from rekindle.report.tables import Table

if TYPE_CHECKING:
    from rekindle.trial.score import Scoreboard, Scored

WIDTHS: dict[Width, float] = {"wide": 1120.0, "mid": 680.0, "narrow": 350.0}
PANELS = (
    ("points", ("mean_change", "difference"), "changes and differences, points"),
    ("share", (), "shares of people, %"),
)


def agreement_figure(board: Scoreboard) -> Figure:
    """Published against predicted for changes and for shares, each with its 90 % interval."""
    totals = board.totals
    outside = [each for each in board.numbers if not each.inside90]
    return Figure(
        key="agreement",
        heading=f"{len(board.numbers) - len(outside)} of {len(board.numbers)} published numbers lie in their 90 % "
        "interval",
        lead="Each published number against its prediction; on the line they agree",
        title="Published and predicted",
        description=f"{len(board.numbers)} numbers of {totals.get('trials', 0)} trials.",
        drawings={name: _agreement(board.numbers, width) for name, width in WIDTHS.items()},
        caption="Dots are medians, bars 90 % predictive intervals: parameters, people of a trial of that size, and how "
        "one trial differs from the next. Open dots lie outside.",
        tables=(numbers_table(board.numbers),),
        entries=(
            KeyEntry('<circle cx="8" cy="8" r="4" class="obs"/>', 16, "inside"),
            KeyEntry('<circle cx="8" cy="8" r="4" class="obso"/>', 16, "outside its 90 % interval"),
        ),
    )


def _agreement(numbers: Sequence[Scored], width: float) -> Drawing:
    shown = []
    for kind, quantities, words in PANELS:
        own = [each for each in numbers if each.kind == kind and (not quantities or each.quantity in quantities)]
        if own:
            shown.append((own, words))
    columns = 1 if width < 600 else max(len(shown), 1)
    cell = (width - 30.0) / columns
    side = min(cell - 70.0, 440.0)
    canvas = Canvas(width, max(1, -(-len(shown) // columns)) * (side + 80.0))
    for place, (own, words) in enumerate(shown):
        row, column = divmod(place, columns)
        left, top = column * cell + 50.0, row * (side + 80.0) + 26.0
        ends = [value for each in own for value in (each.published, each.median)]
        step = nice_step(max(ends) - min(ends) or 1.0, 5)
        low, high = step * math.floor(min(ends) / step), step * math.ceil(max(ends) / step)
        panel = Panel(words, Scale(low, high, left, left + side), Scale(low, high, top + side, top))
        canvas.text(left, top - 10, words, "phead")
        ticks = value_ticks(low, high)
        frame(canvas, panel, ticks, ticks, x_unit="predicted")
        canvas.line(panel.x(low), panel.y(low), panel.x(high), panel.y(high), "threshold")
        canvas.open_panel(panel)
        for each in own:
            y = panel.y(each.published)
            start, end = (panel.x(min(max(value, low), high)) for value in (each.low90, each.high90))
            canvas.line(start, y, end, y, "i90")
        for each in own:
            x = panel.x(min(max(each.median, low), high))
            canvas.circle(x, panel.y(each.published), 3.5, "obs" if each.inside90 else "obso")
        canvas.close_panel()
    return Drawing(width, canvas.height, canvas.markup())


def calibration_figure(board: Scoreboard) -> Figure:
    """Share of numbers inside central intervals of every width."""
    coverage50, coverage90 = board.totals["coverage50"], board.totals["coverage90"]
    rows = tuple((f"{plain(100 * nominal)} %", f"{plain(100 * found)} %") for nominal, found in board.curve)
    return Figure(
        key="calibration",
        heading=f"Intervals that should hold 90 % hold {plain(100 * coverage90)} %, those for 50 % hold "
        f"{plain(100 * coverage50)} %",
        lead="Share of published numbers inside the middle so many per cent of their prediction",
        title="Calibration",
        description=" ".join(f"{nominal:.2f}: {found:.2f}." for nominal, found in board.curve),
        drawings={name: _calibration(board, width) for name, width in WIDTHS.items()},
        caption="On the dashed line intervals hold what they promise; below it they are too narrow, above it too wide.",
        tables=(Table("Calibration of the intervals.", ("Interval", "Numbers inside"), rows),),
        entries=(),
    )


def _calibration(board: Scoreboard, width: float) -> Drawing:
    side = min(width - 80.0, 400.0)
    canvas = Canvas(width, side + 70.0)
    panel = Panel("calibration", Scale(0.0, 100.0, 50, 50 + side), Scale(0.0, 100.0, side + 16, 16))
    ticks = value_ticks(0.0, 100.0)
    frame(canvas, panel, ticks, ticks, x_unit="per cent promised")
    canvas.line(panel.x(0), panel.y(0), panel.x(100), panel.y(100), "threshold")
    canvas.open_panel(panel)
    xs = [0.0, *(100 * nominal for nominal, _ in board.curve), 100.0]
    ys = [0.0, *(100 * found for _, found in board.curve), 100.0]
    canvas.curve(panel.x.all(xs), panel.y.all(ys), "kline", name="inside")
    canvas.close_panel()
    return Drawing(width, canvas.height, canvas.markup())


def numbers_table(numbers: Sequence[Scored]) -> Table:
    """Every number with its prediction and the two baselines."""
    rows = tuple(
        (
            each.trial,
            f"{each.quantity.replace('_', ' ')}, {' against '.join(each.arms)}",
            "" if each.time_h is None else when(each.time_h),
            _digits(each.published, each),
            _digits(each.median, each),
            f"{_digits(each.low90, each)} to {_digits(each.high90, each)}",
            "inside" if each.inside90 else "outside",
            plain(each.z, -1, signed=True),
            _digits(each.baseline_mean, each),
            _digits(each.baseline_last, each),
        )
        for each in numbers
    )
    head = ("Trial", "What", "When", "Published", "Predicted", "90 %", "", "z", "Mean of others", "Nearest trial")
    return Table("Every scored number.", head, rows, frozenset({0, 1, 2, 6}))


def _digits(value: float, each: Scored) -> str:
    if not math.isfinite(value):
        return "not known"
    fine = each.unit in ("d", "r", "odds ratio", "risk ratio", "hazard ratio") and each.quantity != "time_to_relapse"
    return plain(value, -2 if fine else -1)
