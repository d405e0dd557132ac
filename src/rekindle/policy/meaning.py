"""From the tree of a policy's sentence to its value, leaf by leaf, with what cannot be refused."""

from __future__ import annotations

from typing import Any, cast

from lark import Token, Transformer, Tree
from lark.exceptions import VisitError

from rekindle.errors import InputError
from rekindle.outcomes import SCALES
from rekindle.outcomes.endpoints import relapse_rule
from rekindle.policy.rules import (
    Amount,
    AtTimes,
    Both,
    Chance,
    Comparison,
    Condition,
    DoseBy,
    DoseTo,
    EachSession,
    Either,
    EveryHours,
    GiveCourse,
    Interval,
    Judge,
    Known,
    Lasting,
    ModelOutput,
    Not,
    Plain,
    Postpone,
    Reading,
    Score,
    Simple,
    Skip,
    State,
    Taper,
)

_SIGNS = {"≤": "<=", "≥": ">="}
_HOURS = {"HOUR": 1.0, "DAY": 24.0, "WEEK": 168.0}
_TIMED = ("time since last dose", "time since start", "interval")
_COUNTED = ("day", "doses given", "sessions skipped")


def _scale_name(token: str) -> str:
    folded = " ".join(token.casefold().split())
    return next(name for name in SCALES if name.casefold() == folded)


def _unit(text: str) -> Any:
    return "".join(text.lower().split())


def _between(what: str, value: float, low: float, high: float) -> float:
    if not low <= value <= high:
        raise InputError(f"The {what} is {value:g}.", hint=f"It should be from {low:g} to {high:g}.")
    return value


def _whole(what: str, value: float, least: int = 1) -> int:
    if value != round(value) or not least <= value <= 10_000:
        raise InputError(f"The {what} is {value:g}.", hint=f"It should be a whole number from {least}.")
    return int(value)


def meaning(tree: Tree[Token]) -> Any:
    """The value of a sentence's tree.

    Raises:
        InputError: it says what cannot be.
    """
    try:
        return _Meaning().transform(tree)
    except VisitError as error:
        if isinstance(error.orig_exc, InputError):
            raise error.orig_exc from None
        raise


class _Meaning(Transformer[Token, Any]):
    """From the tree of a sentence to its value, leaf by leaf."""

    def NUMBER(self, token: Token) -> float:
        return float(token)

    def SCALE(self, token: Token) -> str:
        return _scale_name(token)

    def QUOTED(self, token: Token) -> Token:
        return Token("QUOTED", token[1:-1].strip())

    # readings

    def score(self, given: list[Any]) -> Score:
        return Score(given[-1], expected=given[0] is not None)

    def score_of_session(self, given: list[Any]) -> Score:
        return Score(given[-1], "", _session(given[0]), expected=given[1] is not None)

    def part(self, given: list[Token]) -> str:
        return " ".join(str(token).lower() for token in given).replace("visits", "visit")

    def output(self, given: list[Token]) -> ModelOutput:
        return ModelOutput(str(given[1]))

    def output_of_session(self, given: list[Token]) -> ModelOutput:
        return ModelOutput(str(given[2]), _session(given[0]))

    def known(self, given: list[Token]) -> Known:
        words = " ".join(str(token).lower() for token in given)
        return Known(cast(Any, {"d": "day", "days": "day", "session skipped": "sessions skipped"}.get(words, words)))

    def reading(self, given: list[Any]) -> Reading:
        reading = given[0]
        if len(given) > 1 and given[1] is not None:
            return Score(reading.scale, given[1], "", reading.expected)
        return cast(Reading, reading)

    # conditions

    def unit(self, given: list[Token]) -> Token:
        return given[0]

    def comparison(self, given: list[Any]) -> Comparison:
        reading, sign, value, unit = given
        return _compared(reading, _SIGNS.get(sign, str(sign)), value, unit)

    def response(self, given: list[Any]) -> State:
        return _state(given[0], "response", None)

    def remission(self, given: list[Any]) -> State:
        return _state(given[0], "remission", given[-1])

    def relapse(self, given: list[Any]) -> State:
        return _state(given[0], "relapse", given[-1])

    def always(self, _: list[Any]) -> Plain:
        return Plain("always")

    def stopped(self, _: list[Any]) -> Plain:
        return Plain("stopped")

    def chance(self, given: list[Any]) -> Chance:
        return Chance(_between("chance", given[1], 0.0, 100.0))

    def visits_running(self, given: list[Any]) -> tuple[int, float]:
        return _whole("number of visits", given[1]), 0.0

    def for_time(self, given: list[Any]) -> tuple[int, float]:
        return 0, given[1]

    def held(self, given: list[Any]) -> Condition:
        inner, lasting = given
        return inner if lasting is None else Lasting(inner, *lasting)

    def negated(self, given: list[Any]) -> Condition:
        return Not(given[-1])

    def both(self, given: list[Any]) -> Condition:
        parts = tuple(part for part in given if not isinstance(part, Token))
        return parts[0] if len(parts) == 1 else Both(parts)

    def condition(self, given: list[Any]) -> Condition:
        parts = tuple(part for part in given if not isinstance(part, Token))
        return parts[0] if len(parts) == 1 else Either(parts)

    # actions

    def time(self, given: list[Any]) -> float:
        hours = given[0] * _HOURS[given[1].type]
        return _between("time in hours", hours, 0.0, 100_000.0)

    def amount(self, given: list[Any]) -> Amount:
        if given[0] <= 0:
            raise InputError(
                f"A dose of {given[0]:g} {_unit(given[1])} is not a dose.", hint="It should be more than 0."
            )
        return Amount(given[0], _unit(given[1]))

    def percent(self, given: list[Any]) -> float:
        return _between("per cent", given[0], 0.0, 1000.0)

    def step(self, given: list[Any]) -> Amount | float:
        return cast("Amount | float", given[0])

    def dose_to(self, given: list[Any]) -> DoseTo:
        return DoseTo(cast(Any, str(given[0]).lower()), given[-1])

    def dose_by(self, given: list[Any]) -> DoseBy:
        way, side = str(given[0]).lower(), str(given[4]).lower()
        if (way, side) not in (("raise", "up"), ("lower", "down")):
            raise InputError(f"A dose is raised 'up to' and lowered 'down to' a bound; this says '{way} ... {side}'.")
        step, bound = given[3], given[-1]
        if isinstance(step, Amount) and step.unit != bound.unit:
            raise InputError(f"The step is in {step.unit}, the bound in {bound.unit}.", hint="Give both in one unit.")
        if way == "lower" and not isinstance(step, Amount):
            _between("per cent", step, 0.0, 100.0)
        return DoseBy(cast(Any, way), step, bound)

    def judge(self, given: list[Any]) -> Judge:
        low, high, step = (each for each in given if isinstance(each, Amount))
        if len({low.unit, high.unit, step.unit}) > 1:
            raise InputError("The bounds and the step are not in one unit.")
        if low.value >= high.value:
            raise InputError(f"There is nothing between {low} and {high}.", hint="Write the smaller dose first.")
        return Judge(low, high, step, given[-1] or "MADRS")

    def interval_by(self, given: list[Any]) -> Interval:
        way, side, by, bound = str(given[0]).lower(), str(given[4]).lower(), given[3], given[-1]
        if (way, side) not in (("lengthen", "up"), ("shorten", "down")):
            raise InputError(
                f"An interval is lengthened 'up to' and shortened 'down to'; this says '{way} ... {side}'."
            )
        return Interval(cast(Any, way), _longer_than_none(by), _longer_than_none(bound))

    def interval_to(self, given: list[Any]) -> Interval:
        return Interval("set", 0.0, _longer_than_none(given[-1]))

    def skip(self, given: list[Any]) -> Skip:
        return Skip(1 if given[1] is None else _whole("number of sessions", given[1]))

    def postpone(self, given: list[Any]) -> Postpone:
        return Postpone(given[-1])

    def extra(self, _: list[Any]) -> Simple:
        return Simple("give a session")

    def taper(self, given: list[Any]) -> Taper:
        return Taper(_longer_than_none(given[-1]))

    def stop(self, _: list[Any]) -> Simple:
        return Simple("stop")

    def restart(self, _: list[Any]) -> Simple:
        return Simple("restart")

    def continue_(self, _: list[Any]) -> Simple:
        return Simple("continue")

    def course(self, given: list[Token]) -> tuple[str, bool]:
        return str(given[0]), given[0].type == "QUOTED"

    def reinduce(self, given: list[Any]) -> GiveCourse:
        return GiveCourse("re-induce", *(given[-1] or ()))

    def switch(self, given: list[Any]) -> GiveCourse:
        return GiveCourse("switch", *given[-1])

    # visits

    def each_session(self, _: list[Any]) -> EachSession:
        return EachSession()

    def rhythm(self, given: list[Any]) -> float:
        if isinstance(given[-1], float):
            return _longer_than_none(given[-1])
        return {"DAILY": 24.0, "DAY": 24.0, "FORTNIGHTLY": 336.0}.get(given[-1].type, 168.0)

    def rhythmic(self, given: list[Any]) -> EveryHours:
        numbers = [given[3], given[6]]
        first, last = (0 if day is None else _whole("day", day) for day in numbers)
        if last and last < (first or 1):
            raise InputError(f"The visits end on day {last}, before day {first or 1}.")
        return EveryHours(given[0], first or 1, last)

    def on_days(self, given: list[Any]) -> AtTimes:
        return _rising(tuple((_whole("day", each) - 1) * 24.0 for each in given if isinstance(each, float)))

    def at_times(self, given: list[Any]) -> AtTimes:
        return _rising(tuple(each for each in given if isinstance(each, float)))


def _longer_than_none(hours: float) -> float:
    if hours < 1.0:
        raise InputError(f"A time of {hours:g} h is too short here.", hint="It should be an hour or more.")
    return hours


def _rising(hours: tuple[float, ...]) -> AtTimes:
    if list(hours) != sorted(set(hours)):
        raise InputError("The visits go back in time.", hint="Write them in order, each once.")
    return AtTimes(hours)


def _session(token: Token) -> Any:
    return str(token).lower()


def _compared(reading: Reading, sign: str, value: float, unit: Token | None) -> Comparison:
    """The comparison with its unit checked.

    Raises:
        InputError: a unit that does not fit, or none where one is needed.
    """
    kind = "" if unit is None else str(unit.type)
    known = reading.fact if isinstance(reading, Known) else ""
    part = reading.part if isinstance(reading, Score) else ""
    if known in _TIMED:
        if kind not in _HOURS:
            raise InputError(f"'{known}' needs a unit of time.", hint="For example: 10 days.")
        return Comparison(reading, cast(Any, sign), value * _HOURS[kind], "h")
    allowed: tuple[str, ...] = ("POINTS", "MMHG")
    if known == "dose":
        allowed, needed = ("DOSE_UNIT",), "mg or mg/kg"
    elif part == "improvement":
        allowed, needed = ("PERCENT",), "%"
    else:
        needed = ""
        allowed = () if known in _COUNTED or isinstance(reading, ModelOutput) else allowed
        allowed = ("PERCENT", *allowed) if part == "rise from best" else allowed
    if (kind and kind not in allowed) or (needed and not kind):
        given = f"'{unit}' was given" if unit is not None else "none was given"
        hint = "'improvement' is in per cent, 'change' in points." if part in ("improvement", "change") else None
        raise InputError(f"'{reading}' needs {needed or 'no such unit'}; {given}.", hint=hint)
    shown = {"PERCENT": "%", "DOSE_UNIT": _unit(str(unit))}.get(kind, "")
    return Comparison(reading, cast(Any, sign), value, shown)


def _state(score: Score, kind: str, by: Token | None) -> State:
    """The state with its definition checked.

    Raises:
        InputError: the scale has no such state, or no line or rule of that name.
    """
    scale = SCALES[score.scale]
    if kind in ("response", "relapse") and scale.response is None:
        raise InputError(f"The {scale.name} has no definition of response.", hint="Compare a value instead.")
    if kind == "remission":
        scale.line(None if by is None else str(by))
    if kind == "relapse" and by is not None:
        rule = relapse_rule(str(by))
        if rule.scale not in ("any", scale.name):
            raise InputError(f"The rule '{by}' is for the {rule.scale}.", hint=f"Read {rule.scale} instead.")
    return State(score.scale, cast(Any, kind), score.expected, "" if by is None else str(by))
