"""The `policy` block of a file: its fields, and the policy that they say, every mistake with its line."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from rekindle.documents import Document, Location
from rekindle.errors import InputError, RekindleError, unknown
from rekindle.policy.language import parse_action, parse_condition, parse_time, parse_visits
from rekindle.policy.rules import (
    Action,
    Amount,
    Comparison,
    Condition,
    DoseBy,
    DoseTo,
    EachSession,
    GiveCourse,
    Judge,
    Known,
    Plain,
    Policy,
    Rule,
)

if TYPE_CHECKING:
    from rekindle.dosing import Course

Found = TypeVar("Found")
AT_HOME = ("oral-antidepressant", "none")
"""What is taken without a session, and so stays out of a policy's reach unless it names it."""


class _Fields(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class RuleFields(_Fields):
    """One rule: when it holds and what is then done."""

    when: str = Field(description="The condition, such as `PHQ-9 < 10 at 2 visits running`.")
    then: str | list[str] = Field(
        description="The action or actions, such as `lengthen interval by 1 week up to 4 weeks`."
    )
    name: str | None = Field(default=None, max_length=80, description="What tables call the rule.")
    at_most: int | None = Field(default=None, ge=1, le=1000, description="How often for one person.")
    not_within: str | None = Field(default=None, description="Not again so soon after its last use, such as `4 weeks`.")
    go_on: bool = Field(default=False, description="Whether the rules after it are still read at that visit.")


class PolicyFields(_Fields):
    """Visits at which the clinic looks at a person, and the rules by which it then changes the plan."""

    visits: str | list[str] = Field(description="When the clinic decides: `each session`, `weekly from day 8`, ...")
    rules: list[RuleFields] = Field(min_length=1, max_length=40, description="The rules, the first that holds first.")
    courses: dict[str, str] = Field(default_factory=dict, description="Dosing sentences that actions give by name.")
    ratings: Literal["observed", "exact"] = Field(
        default="observed", description="`observed` has the rater's error, `exact` is the expected score."
    )
    drug: str | None = Field(default=None, description="The drug whose doses the actions change.")


def read_policy(fields: PolicyFields, document: Document, location: Location, course: Course | None) -> Policy:
    """The policy that the fields at a `location` of a file say, for an arm of that course.

    Without a course (one that is put together elsewhere), what depends on it is not checked.

    Raises:
        InputError: a sentence that is not understood, a name that is not known, or what cannot be; with the line.
    """

    def place(*steps: str | int) -> str:
        return document.where(*location, *steps)

    given = [fields.visits] if isinstance(fields.visits, str) else fields.visits
    places: list[Location] = (
        [("visits",)] if isinstance(fields.visits, str) else [("visits", i) for i in range(len(given))]
    )
    if not given:
        raise InputError("There are no visits.", where=place("visits"), hint="For example: each session.")
    policy = Policy(
        visits=tuple(_at(place(*where), parse_visits, text) for where, text in zip(places, given, strict=True)),
        rules=tuple(_rule(rule, number, place) for number, rule in enumerate(fields.rules)),
        courses={name: _course(place("courses", name), text) for name, text in fields.courses.items()},
        exact=fields.ratings == "exact",
        drug=_drug(fields.drug, course, place("drug")),
    )
    _check(policy, course, place)
    return policy


def _at(where: str, read: Callable[[str], Found], text: str) -> Found:
    """What `read` makes of a text; its error names the file and line."""
    try:
        return read(text)
    except RekindleError as error:
        error.where = f"{where}: {error.where}" if error.where else where
        raise


def _course(where: str, text: str) -> Course:
    from rekindle.dosing import parse

    course = _at(where, parse, text)
    if not course.lines:
        raise InputError("A policy's course gives something.", where=where, hint="To give nothing: stop.")
    return course


def _rule(fields: RuleFields, number: int, place: Callable[..., str]) -> Rule:
    actions = [fields.then] if isinstance(fields.then, str) else fields.then
    if not actions:
        raise InputError("The rule does nothing.", where=place("rules", number, "then"), hint="For example: continue.")
    where = place("rules", number, "then")
    apart = 0.0
    if fields.not_within is not None:
        apart = _at(place("rules", number, "not_within"), parse_time, fields.not_within)
    return Rule(
        when=_at(place("rules", number, "when"), parse_condition, fields.when),
        then=tuple(_at(where, parse_action, text) for text in actions),
        name=fields.name or "",
        at_most=fields.at_most or 0,
        not_within_h=apart,
        go_on=fields.go_on,
        where=place("rules", number),
    )


def _drug(name: str | None, course: Course | None, where: str) -> str:
    if name is None:
        return ""
    from rekindle.dosing.drugs import DRUGS

    spoken = {drug.spoken: drug.name for drug in DRUGS.values()} | {name: name for name in DRUGS}
    if name not in spoken:
        raise unknown("drug", name, spoken, where=where)
    found = spoken[name]
    if found in AT_HOME:
        raise InputError(
            "A policy changes what is given at sessions.", where=where, hint="Name the drug of the sessions."
        )
    if course is not None and found not in course.drugs:
        raise InputError(f"The arm's course gives no {name}.", where=where, hint=f"It gives {', '.join(course.drugs)}.")
    return found


def _check(policy: Policy, course: Course | None, place: Callable[..., str]) -> None:
    """Refuse what cannot be: names without a course, units that do not fit, rules that are never reached.

    Raises:
        InputError: the first such rule.
    """
    used: set[str] = set()
    for number, rule in enumerate(policy.rules):
        where = place("rules", number, "then")
        for action in rule.then:
            _check_course(action, policy, course, where)
            if isinstance(action, GiveCourse):
                used.add(action.course)
            if course is not None:
                _check_units(action, policy, course, where)
        last = number == len(policy.rules) - 1
        if rule.when == Plain("always") and not (last or rule.go_on or rule.at_most or rule.not_within_h):
            raise InputError(
                f"Rule {number + 2} is never reached: rule {number + 1} holds always.",
                where=place("rules", number + 1),
                hint="Put it first, or give the rule before it `go_on: true`.",
            )
    for name in policy.courses:
        if name not in used:
            raise InputError(f"No rule gives the course '{name}'.", where=place("courses", name))
    if course is not None and not course.lines and any(isinstance(visit, EachSession) for visit in policy.visits):
        raise InputError(
            "The arm has no session to look at.", where=place("visits"), hint="Name days: weekly from day 8."
        )


def _check_course(action: Action, policy: Policy, course: Course | None, where: str) -> None:
    if not isinstance(action, GiveCourse):
        return
    if action.quoted:
        _course(where, action.course)
    elif action.course and action.course not in policy.courses:
        raise unknown("course", action.course, policy.courses, where=where)
    elif not action.course and course is not None and not course.lines:
        raise InputError("The arm's course has no first part to give again.", where=where, hint="Name a course.")


def amounts(action: Action) -> tuple[Amount, ...]:
    """The doses that an action names as a target or bound."""
    if isinstance(action, DoseTo):
        return (action.to,)
    if isinstance(action, DoseBy):
        return (action.bound,)
    return (action.low, action.high) if isinstance(action, Judge) else ()


def courses_of(policy: Policy, course: Course) -> dict[str, Course]:
    """Every course that a person may come to: the arm's under the empty name, those named, those quoted."""
    from rekindle.dosing import parse

    found = {"": course, **policy.courses}
    for rule in policy.rules:
        for action in rule.then:
            if isinstance(action, GiveCourse) and action.quoted:
                found[action.course] = parse(action.course)
    return found


def reached(policy: Policy, drug: str) -> bool:
    """Whether the policy's actions change what is given of a drug."""
    return drug == policy.drug if policy.drug else drug not in AT_HOME


def _check_units(action: Action, policy: Policy, course: Course, where: str) -> None:
    """Refuse a dose in a unit in which nothing is dosed here."""
    units = {
        step.dose.unit
        for each in courses_of(policy, course).values()
        for line in each.lines
        for regimen in line.regimens
        for step in regimen.steps
        if step.dose is not None and reached(policy, regimen.drug)
    }
    for amount in amounts(action):
        if units and amount.unit not in units:
            raise InputError(
                f"'{action}' is in {amount.unit}, and the course is dosed in {', '.join(sorted(units))}.",
                where=where,
                hint="Give the dose in the course's unit.",
            )


def comparisons(condition: Condition) -> tuple[Comparison, ...]:
    """All comparisons within a condition."""
    if isinstance(condition, Comparison):
        return (condition,)
    inner: Any = getattr(condition, "parts", None) or (getattr(condition, "inner", None),)
    return tuple(found for part in inner if part is not None for found in comparisons(part))


def readings_known(condition: Condition) -> bool:
    """Whether a condition asks only for what is known without looking at the person."""
    found = comparisons(condition)
    return bool(found) and all(isinstance(each.reading, Known) for each in found)
