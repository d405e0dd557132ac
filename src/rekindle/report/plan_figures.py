"""The trade-offs of a plan: chance of relapse against drug, each option numbered as in its table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rekindle.planning.judging import RELAPSE
from rekindle.report.axes import frame, upper_limit, value_ticks
from rekindle.report.draw import Canvas, Panel, Scale
from rekindle.report.figure import Drawing, Figure, KeyEntry, Width
from rekindle.report.numerals import plain
from rekindle.report.tables import Table

if TYPE_CHECKING:
    from rekindle.planning.measuring import Measured
    from rekindle.planning.plan import Plan

WIDTHS: dict[Width, float] = {"wide": 1120.0, "mid": 680.0, "narrow": 350.0}
HEIGHT = 380.0


def trade_offs(plan: Plan) -> Figure:
    """Every trade-off, and the schedules that the person's file names."""
    what = "relapse" if plan.goal == RELAPSE else "not being in response"
    return Figure(
        key="trade-offs",
        heading=f"{len(plan.choices)} trade-offs within {plan.limits.name}",
        lead=f"Chance of {what} against drug, mg of racemic ketamine that reach the blood",
        title="Trade-offs",
        description=plan.answer,
        drawings={name: _drawing(plan, width) for name, width in WIDTHS.items()},
        caption="Numbers are the rows of the table: dots for this person, open dots for people like them. "
        "Letters are the schedules of the file. The dashed line is the chance that is low enough.",
        tables=(choices_table(plan),),
        entries=(
            KeyEntry('<circle cx="8" cy="8" r="4" class="obs"/>', 16, "this person"),
            KeyEntry('<circle cx="8" cy="8" r="4" class="obso"/>', 16, "people like them"),
        ),
    )


def choices_table(plan: Plan) -> Table:
    """The trade-offs, then the schedules that the file names."""
    rows = [
        (
            name, words, *_cells(plan, person, population)
        )
        for name, words, person, population in _all(plan)
    ]  # fmt: skip
    header = (
        "",
        "Schedule",
        f"Chance of {plan.goal}, %",
        "Like them, %",
        "Visits",
        "mg",
        "Any limit broken, %",
        "Kept",
    )
    return Table("Trade-offs and the schedules of the file.", header, tuple(rows), frozenset({0, 1, 7}))


def _cells(plan: Plan, person: Measured, population: Measured | None) -> tuple[str, ...]:
    other = "" if population is None else plain(100 * population.well.chance(plan.goal), 1)
    return (
        plain(100 * person.well.chance(plan.goal), 1), other, plain(person.visits, 1), plain(person.mg),
        plain(100 * person.joint.chance, 1), "yes" if person.kept else "not surely",
    )  # fmt: skip


def _all(plan: Plan) -> Sequence[tuple[str, str, Measured, Measured | None]]:
    found: list[tuple[str, str, Measured, Measured | None]] = [
        (str(number), each.option.words, each.person, each.population) for number, each in enumerate(plan.choices, 1)
    ]
    for place, each in enumerate(plan.compared):
        beyond = " (beyond the limits' rules)" if each.departures else ""
        found.append((chr(ord("A") + place), f"{each.name}: {each.words}{beyond}", each.person, each.population))
    return found


def _drawing(plan: Plan, width: float) -> Drawing:
    canvas = Canvas(width, HEIGHT)
    rows = _all(plan)
    each = [measured for _, _, *both in rows for measured in both if measured is not None]
    top = upper_limit(max([100 * one.well.chance(plan.goal) for one in each] + [100 * plan.risk]) * 1.05)
    right = upper_limit(max([one.drug for one in each] + [1.0]) * 1.05)
    panel = Panel("trade-offs", Scale(0.0, right, 50, width - 20), Scale(0.0, top, HEIGHT - 60, 16))
    frame(canvas, panel, value_ticks(0.0, top), value_ticks(0.0, right), x_unit="mg, racemic equivalent")
    canvas.line(panel.x(0), panel.y(100 * plan.risk), panel.x(right), panel.y(100 * plan.risk), "threshold")
    for name, _, person, population in rows:
        x, y = panel.x(person.drug), panel.y(100 * person.well.chance(plan.goal))
        if population is not None:
            other = panel.y(100 * population.well.chance(plan.goal))
            canvas.line(x, y, panel.x(population.drug), other, "grid")
            canvas.circle(panel.x(population.drug), other, 4.0, "obso")
        canvas.circle(x, y, 4.5, "obs")
        canvas.text(x + 8, y - 7, name, "tick")
    return Drawing(width, HEIGHT, canvas.markup())
