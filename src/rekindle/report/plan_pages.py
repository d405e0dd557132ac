"""The page of a plan: the answer, the trade-offs, every limit with the chance to break it, the cost of waiting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rekindle.planning.judging import RELAPSE
from rekindle.planning.plan import UNKNOWN
from rekindle.report.numerals import NBSP, count, plain
from rekindle.report.person.limits import limits_rows
from rekindle.report.plain import PlainFact, PlainPage
from rekindle.report.plan_figures import trade_offs
from rekindle.report.tables import Table

if TYPE_CHECKING:
    from rekindle.planning.plan import Choice, Plan
    from rekindle.planning.waiting import Waited

LIMIT_HEAD = ("Limit", "Chance to break it", "At most", "Allowed", "Kept")


def plan_page(plan: Plan) -> PlainPage:
    """A plan as a page."""
    weeks = round((plan.frame.until_h - plan.person.now_h) / 168.0)
    return PlainPage(
        title="Which doses next?",
        subtitle=f"One person, {weeks} weeks, within “{plan.limits.title}”.",
        answer=plan.answer,
        above=plan.cautions,
        facts=_facts(plan),
        notes=("Chances hold as far as the model does; where it is wrong about a person, limits break more often.",),
        figures=(trade_offs(plan),),
        tables=tuple(_tables(plan)),
        made={
            "Digest of the data": plan.provenance.inputs.get("person", ""),
            "Limits": f"{plan.limits.name}, digest {plan.limits.digest}",
            "Options": f"{plan.found.grid:,} in all, {plan.found.allowed:,} within the rules, "
            f"{plan.found.looked_at:,} measured",
        },
        closing="Nothing beyond the limits is proposed. Decisions belong to that person and their clinician.",
        seed=plan.provenance.seed,
        version=plan.provenance.version,
        made_on=plan.provenance.made_at[:10],
    )


def _facts(plan: Plan) -> tuple[PlainFact, ...]:
    """The lightest of the trade-offs that are good enough, benefit and harm side by side."""
    enough = [each for each in plan.choices if each.person.well.chance(plan.goal) < plan.risk]
    if not enough:
        return ()
    light = min(enough, key=lambda each: each.person.drug)
    what = "Relapse" if plan.goal == RELAPSE else "Not in response"
    big, rest = _split(light.person.well.chance(plan.goal))
    broken, broken_rest = _split(light.person.joint.chance)
    return (
        PlainFact("Risk", f"{what}, least drug that is good enough", big, rest, light.option.words),
        PlainFact("Harm", "Any limit broken", broken, broken_rest, f"{_per(light)}; the upper end is "
                  f"{count(light.person.joint.upper, 100)}"),
        PlainFact("Drug", "Over the plan", plain(light.person.mg), "mg", f"{plain(light.person.visits)} visits"),
    )  # fmt: skip


def _per(choice: Choice) -> str:
    return "at any one session" if choice.person.joint.per == "session" else "over the plan"


def _split(share: float) -> tuple[str, str]:
    words = count(share, 100)
    if words.startswith("fewer"):
        return "< 1", f"in{NBSP}100"
    big, rest = words.split(NBSP, 1)
    return big, rest


def _tables(plan: Plan) -> Sequence[tuple[str, str, Table]]:
    found = []
    for number, each in enumerate(plan.choices, 1):
        caption = (
            f"{each.option.words}. From {each.person.draws:,} draws of this person, worth {each.person.worth:,} "
            "independent ones."
        )
        rows = limits_rows([*each.person.limits, each.person.joint])
        found.append(
            (f"limits-{number}", f"{number}. Every limit", Table(caption, LIMIT_HEAD, rows, frozenset({0, 4})))
        )
    beyond = [(each.name, "; ".join(each.departures)) for each in plan.compared if each.departures]
    if beyond:
        rows = tuple(beyond)
        found.append(("beyond", "Schedules of the file beyond the rules",
                      Table("Shown and never proposed.", ("Schedule", "Beyond"), rows, frozenset({0, 1}))))  # fmt: skip
    if plan.waiting:
        rows = tuple(_waited(each) for each in plan.waiting)
        what = "a relapse" if plan.goal == RELAPSE else "not being in response"
        head = ("Delay", f"Chance of {what}", "More, in 100 (9 in 10)")
        found.append(("waiting", "What waiting costs", Table("The plan with its next session put off.", head, rows)))
    notes = (*UNKNOWN, *plan.limits.notes)
    rows = tuple((str(number), words) for number, words in enumerate(notes, 1))
    found.append(
        (
            "unknown",
            "What it does not know",
            Table("What no chance on this page counts.", ("Number", "What"), rows, frozenset({0, 1})),
        )
    )
    return found


def _waited(each: Waited) -> tuple[str, ...]:
    """A delay, its chance, and how much more that is, nine times in ten."""
    ends = [each.more + turn * 1.645 * each.standard_error for turn in (0.0, -1.0, 1.0)]
    more, low, high = (plain(100 * value, -1, signed=True) for value in ends)
    said = "" if each.weeks == 0 else f"{more} ({low} to {high})"
    return (f"{each.weeks} week{'' if each.weeks == 1 else 's'}", count(each.chance, 100), said)
