"""What a policy says, as values: visits, readings, conditions, actions. Each prints as it would be written.

`str` of any of them is read back to an equal value by `rekindle.policy.language`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from rekindle.dosing import Course

HOURS = {"h": 1.0, "days": 24.0, "weeks": 168.0}

Part = Literal["", "improvement", "change", "rise from best", "at baseline", "at last visit"]
Session = Literal["", "peak", "lowest"]
Fact = Literal["time since last dose", "time since start", "day", "doses given", "sessions skipped", "dose", "interval"]


def span(hours: float) -> str:
    """A span of time in its largest whole unit.

    >>> span(336.0)
    '2 weeks'
    """
    for unit in ("weeks", "days"):
        count = hours / HOURS[unit]
        if count >= 1 and count == round(count):
            return f"{count:g} {unit if count != 1 else unit[:-1]}"
    return f"{hours!r} h" if hours != round(hours) else f"{hours:g} h"


def number(value: float) -> str:
    """A number in full, without a needless point."""
    return f"{value:g}" if float(f"{value:g}") == value else repr(value)


@dataclass(frozen=True)
class Amount:
    """A dose as stated: mg, or mg for every kg."""

    value: float
    unit: Literal["mg", "mg/kg"]

    def __str__(self) -> str:
        return f"{number(self.value)} {self.unit}"


# Readings


@dataclass(frozen=True)
class Score:
    """A scale's total at the visit, or a `part` of its course, or its extreme of the last session."""

    scale: str
    part: Part = ""
    session: Session = ""
    expected: bool = False

    def __str__(self) -> str:
        words = (self.session, "expected" if self.expected else "", self.scale, self.part)
        return " ".join(word for word in words if word)


@dataclass(frozen=True)
class ModelOutput:
    """An output or state of the model at the visit, or its extreme of the last session."""

    name: str
    session: Session = ""

    def __str__(self) -> str:
        return f"{self.session} output {self.name}".strip()


@dataclass(frozen=True)
class Known:
    """What the clinic knows without asking: time, doses, the plan."""

    fact: Fact

    def __str__(self) -> str:
        return self.fact


Reading = Score | ModelOutput | Known

# Conditions


@dataclass(frozen=True)
class Comparison:
    """A reading held against a number; times in hours, shares in per cent."""

    reading: Reading
    sign: Literal["<", "<=", ">", ">=", "="]
    value: float
    unit: str = ""

    def __str__(self) -> str:
        shown = span(self.value) if self.unit == "h" else number(self.value) + (f" {self.unit}" if self.unit else "")
        return f"{self.reading} {self.sign} {shown}"


@dataclass(frozen=True)
class State:
    """Response, remission or relapse on a scale, by the scale's own line or the one named."""

    scale: str
    kind: Literal["response", "remission", "relapse"]
    expected: bool = False
    by: str = ""

    def __str__(self) -> str:
        by = f" by '{self.by}'" if self.by else ""
        return f"{'expected ' if self.expected else ''}{self.scale} {self.kind}{by}"


@dataclass(frozen=True)
class Plain:
    """True always, or for who has been stopped."""

    kind: Literal["always", "stopped"]

    def __str__(self) -> str:
        return self.kind


@dataclass(frozen=True)
class Chance:
    """True by luck, for `percent` of people at a visit."""

    percent: float

    def __str__(self) -> str:
        return f"chance {number(self.percent)} %"


@dataclass(frozen=True)
class Not:
    """The contrary."""

    inner: Condition

    def __str__(self) -> str:
        return f"not {_bracketed(self.inner)}"


@dataclass(frozen=True)
class Both:
    """All of several."""

    parts: tuple[Condition, ...]

    def __str__(self) -> str:
        return " and ".join(_bracketed(part) if isinstance(part, Either | Both) else str(part) for part in self.parts)


@dataclass(frozen=True)
class Either:
    """Any of several."""

    parts: tuple[Condition, ...]

    def __str__(self) -> str:
        return " or ".join(_bracketed(part) if isinstance(part, Either) else str(part) for part in self.parts)


@dataclass(frozen=True)
class Lasting:
    """A condition that held at the last `visits` visits, or at every visit for `hours`, this one included."""

    inner: Condition
    visits: int = 0
    hours: float = 0.0

    def __str__(self) -> str:
        how = f"at {self.visits} visits running" if self.visits else f"for {span(self.hours)}"
        return f"{_bracketed(self.inner)} {how}"


Condition = Comparison | State | Plain | Chance | Not | Both | Either | Lasting


def _bracketed(condition: Condition) -> str:
    simple = isinstance(condition, Comparison | State | Plain | Chance)
    return str(condition) if simple else f"({condition})"


# Actions


@dataclass(frozen=True)
class DoseTo:
    """A dose for the sessions still to come."""

    way: Literal["raise", "lower", "set"]
    to: Amount

    def __str__(self) -> str:
        return f"{self.way} dose to {self.to}"


@dataclass(frozen=True)
class DoseBy:
    """A step up or down, as an amount or per cent of the dose, never past the bound."""

    way: Literal["raise", "lower"]
    step: Amount | float
    bound: Amount

    def __str__(self) -> str:
        step = self.step if isinstance(self.step, Amount) else f"{number(self.step)} %"
        return f"{self.way} dose by {step} {'up' if self.way == 'raise' else 'down'} to {self.bound}"


@dataclass(frozen=True)
class Judge:
    """One step up or down within two bounds, by improvement and tolerability."""

    low: Amount
    high: Amount
    step: Amount
    scale: str = "MADRS"

    def __str__(self) -> str:
        by = "" if self.scale == "MADRS" else f" by {self.scale}"
        return f"adjust dose between {self.low} and {self.high} in steps of {self.step}{by}"


@dataclass(frozen=True)
class Interval:
    """Another interval: longer or shorter by hours up or down to a bound, or set to the bound."""

    way: Literal["lengthen", "shorten", "set"]
    by_h: float
    bound_h: float

    def __str__(self) -> str:
        if self.way == "set":
            return f"set interval to {span(self.bound_h)}"
        side = "up" if self.way == "lengthen" else "down"
        return f"{self.way} interval by {span(self.by_h)} {side} to {span(self.bound_h)}"


@dataclass(frozen=True)
class Skip:
    """Leave out the next session or sessions."""

    count: int = 1

    def __str__(self) -> str:
        return "skip" if self.count == 1 else f"skip {self.count} sessions"


@dataclass(frozen=True)
class Postpone:
    """Put off the next session and all after it."""

    hours: float

    def __str__(self) -> str:
        return f"postpone by {span(self.hours)}"


@dataclass(frozen=True)
class Taper:
    """Fall in a straight line to nothing, then no more."""

    hours: float

    def __str__(self) -> str:
        return f"taper over {span(self.hours)}"


@dataclass(frozen=True)
class Simple:
    """What needs no more words."""

    kind: Literal["stop", "restart", "continue", "give a session"]

    def __str__(self) -> str:
        return self.kind


@dataclass(frozen=True)
class GiveCourse:
    """A course from now: on top of the plan (`re-induce`), or instead of it (`switch`).

    `course` is a name, or a sentence when `quoted`; empty for the first part of the arm's own course.
    """

    way: Literal["re-induce", "switch"]
    course: str = ""
    quoted: bool = False

    def __str__(self) -> str:
        named = f'"{self.course}"' if self.quoted else self.course
        if self.way == "switch":
            return f"switch to {named}"
        return f"re-induce with {named}" if named else "re-induce"


Action = DoseTo | DoseBy | Judge | Interval | Skip | Postpone | Taper | Simple | GiveCourse

# Visits, rules, policies


@dataclass(frozen=True)
class EachSession:
    """Just before every session."""

    def __str__(self) -> str:
        return "each session"


@dataclass(frozen=True)
class EveryHours:
    """A rhythm from a day to a day (days from 1; 0 for the end of the study)."""

    hours: float
    from_day: int = 1
    to_day: int = 0

    def __str__(self) -> str:
        words = {24.0: "daily", 168.0: "weekly"}.get(self.hours) or f"every {span(self.hours)}"
        until = f" to day {self.to_day}" if self.to_day else ""
        return f"{words} from day {self.from_day}{until}"


@dataclass(frozen=True)
class AtTimes:
    """Hours since the start of the study."""

    hours: tuple[float, ...]

    def __str__(self) -> str:
        if all(hour % 24.0 == 0 for hour in self.hours):
            return "days " + ", ".join(f"{hour / 24 + 1:g}" for hour in self.hours)
        return ", ".join(span(hour) for hour in self.hours)


Visits = EachSession | EveryHours | AtTimes


@dataclass(frozen=True)
class Rule:
    """A condition and what is then done. `where` names the file and line it came from."""

    when: Condition
    then: tuple[Action, ...]
    name: str = ""
    at_most: int = 0
    not_within_h: float = 0.0
    go_on: bool = False
    where: str = field(default="", compare=False)

    def __str__(self) -> str:
        limits = [f"at most {self.at_most} times"] if self.at_most else []
        limits += [f"not within {span(self.not_within_h)} of the last time"] if self.not_within_h else []
        limits += ["then read on"] if self.go_on else []
        more = f" ({', '.join(limits)})" if limits else ""
        return f"when {self.when}: {', '.join(str(action) for action in self.then)}{more}"

    def as_dict(self) -> dict[str, Any]:
        """The rule as it would stand in a file."""
        actions = [str(action) for action in self.then]
        found: dict[str, Any] = {"when": str(self.when), "then": actions if len(actions) > 1 else actions[0]}
        if self.name:
            found["name"] = self.name
        if self.at_most:
            found["at_most"] = self.at_most
        if self.not_within_h:
            found["not_within"] = span(self.not_within_h)
        if self.go_on:
            found["go_on"] = True
        return found


@dataclass(frozen=True)
class Policy:
    """When the clinic looks, what it then does, and the courses that it may give.

    `exact` ratings are expected scores. `drug` is the one that actions change; empty for all given at sessions.
    """

    visits: tuple[Visits, ...]
    rules: tuple[Rule, ...]
    courses: dict[str, Course] = field(default_factory=dict)
    exact: bool = False
    drug: str = ""

    def __str__(self) -> str:
        visits = " and ".join(str(each) for each in self.visits)
        return f"At visits ({visits}): " + "; ".join(str(rule) for rule in self.rules) + "."

    def as_dict(self) -> dict[str, Any]:
        """The policy as it would stand in a file."""
        found: dict[str, Any] = {
            "visits": [str(each) for each in self.visits],
            "rules": [rule.as_dict() for rule in self.rules],
        }
        if self.courses:
            found["courses"] = {name: str(course) for name, course in self.courses.items()}
        if self.exact:
            found["ratings"] = "exact"
        if self.drug:
            found["drug"] = self.drug
        return found
