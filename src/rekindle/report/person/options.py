"""The options beside one another on one last date: the plan, the plan put off, what the file asks, and nothing more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rekindle.errors import InputError
from rekindle.inference.forecast import LEVELS
from rekindle.outcomes import scale
from rekindle.report.figure import Figure, KeyEntry
from rekindle.report.numerals import NBSP, count, lasting, plain
from rekindle.report.person.dates import day
from rekindle.report.person.rows import WIDTHS, Row, rows_drawing
from rekindle.report.tables import Table

if TYPE_CHECKING:
    from rekindle.inference.forecast import Forecast, ScaleForecast
    from rekindle.inference.outlook import Outlook
    from rekindle.person.record import Person

SWATCH = (
    '<line x1="1" y1="8" x2="33" y2="8" class="i90"/><line x1="9" y1="8" x2="25" y2="8" class="i50"/>'
    '<circle cx="17" cy="8" r="5" class="imid"/>'
)


BARE = "no further dose and no further visits"


@dataclass(frozen=True)
class _Option:
    name: str
    sentence: str
    sessions: int
    milligrams: float | None
    found: ScaleForecast


def options_figure(outlook: Outlook) -> Figure | None:
    """The figure, or None where there is nothing to compare."""
    options = _options(outlook)
    if len(options) < 2:
        return None
    start = outlook.plan.person.start
    end = day(start, outlook.plan[outlook.main].times_h[-1])
    rows = [_row(option) for option in options]
    return Figure(
        key="options",
        heading=_heading(options, end),
        lead=f"{outlook.main} by {end} under each option; {scale(outlook.main).better} is better",
        title="Options",
        description=" ".join(f"{option.name}: {row.words}." for option, row in zip(options, rows, strict=True)),
        drawings={name: rows_drawing(rows, width, f"{outlook.main}, points") for name, width in WIDTHS.items()},
        caption="The same person under each option, one possible future beside another. Drug in mg of base; different "
        "drugs and routes do not compare mg for mg.",
        tables=(_table(options, end),),
        entries=(KeyEntry(SWATCH, 34, "a rating then: middle, 5 in 10, 19 in 20"),),
    )  # fmt: skip


def _options(outlook: Outlook) -> list[_Option]:
    found = [_of("as planned" if outlook.plan is not outlook.without else BARE, outlook.plan, outlook)]
    found += [_of(f"the next session {lasting(delay)} later", each, outlook, "the rest of the plan as much later")
              for delay, each in outlook.waiting]  # fmt: skip
    found += [_of(each.name, each, outlook) for each in outlook.options]
    if outlook.plan is not outlook.without:
        bare = any(each.sessions == 0 for each in found)
        found.append(_of("no further dose", outlook.without, outlook, "in care as planned"))
        found += [] if bare else [_of(BARE, outlook.alone, outlook, "care ends a week after the last session")]
    return found


def _of(name: str, each: Forecast, outlook: Outlook, sentence: str | None = None) -> _Option:
    plan = each.planned
    course = None if plan is None else plan.course
    words = sentence if sentence is not None else "" if course is None else course.spoken()
    count_of = 0 if course is None else len(course.sessions)
    return _Option(name, words, count_of, _milligrams(each, outlook.plan.person), each[outlook.main])


def _milligrams(each: Forecast, person: Person) -> float | None:
    """Drug of the option, mg of base; None where a weight is missing."""
    if each.planned is None:
        return 0.0
    try:
        doses = each.planned.course.administrations(**person.measures)
        return sum((float(dose.amount_mg) for dose in doses), 0.0)
    except InputError:
        return None


def _row(option: _Option) -> Row:
    last = dict(zip(LEVELS, option.found.ratings[-1], strict=True))
    lost, better = option.found.relapse, option.found.response
    said = f"response {_chance(better)}" if lost is None and better is not None else f"relapse {_chance(lost)}"
    words = [said, _sessions(option)]
    return Row(option.name, float(last[2.5]), float(last[50.0]), float(last[97.5]), "; ".join(words), option.sentence,
               (float(last[25.0]), float(last[75.0])))  # fmt: skip


def _sessions(option: _Option) -> str:
    drug = "" if not option.sessions else f", {_mg(option)}"
    return f"{option.sessions} session{'' if option.sessions == 1 else 's'}{drug}"


def _mg(option: _Option) -> str:
    return "mg not known" if option.milligrams is None else f"{plain(option.milligrams)}{NBSP}mg"


def _chance(values: object) -> str:
    return "not known" if values is None else count(float(values[-1]), 100)  # type: ignore[index]


def _heading(options: list[_Option], end: str) -> str:
    known = [(float(option.found.relapse[-1]), option) for option in options if option.found.relapse is not None]
    if len(known) < 2:
        return f"The options, side by side, by {end}"
    low, high = min(known, key=lambda one: one[0]), max(known, key=lambda one: one[0])
    if high[0] - low[0] < 0.03:
        return f"By {end} the options hardly differ in the chance of a relapse"
    return (
        f"The chance of a relapse by {end} goes from {count(low[0], 100)} ({low[1].name}) to {count(high[0], 100)} "
        f"({high[1].name})"
    )


def _table(options: list[_Option], end: str) -> Table:
    rows = tuple(
        (
            option.name, option.sentence, str(option.sessions), _mg(option) if option.sessions else "0",
            plain(option.found.ratings[-1][LEVELS.index(50.0)]),
            f"{plain(option.found.ratings[-1][0])} to {plain(option.found.ratings[-1][-1])}",
            _chance(option.found.response), _chance(option.found.remission), _chance(option.found.relapse),
        )
        for option in options
    )  # fmt: skip
    head = ("Option", "Course", "Sessions", "Drug", "Score", "19 in 20", "Response", "Remission", "Relapse by then")
    return Table(f"Each option by {end}.", head, rows, frozenset({0, 1}))
