"""Whom and which doses the model does not know: refused, or let through with a mark on every page.

Three tables say where the limits are: `data/domain.csv` (people), `data/studied_doses.csv` (doses by drug and
route, from the smallest to the largest that was studied) and `data/dose_rules.csv` (overdose, frequency). A
reason is `outside` (refused unless asked for) or a `warning` (said, never refused).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from rekindle.errors import InputError, OutsideDomainError
from rekindle.population.people import People
from rekindle.population.tables import number, rows

PEOPLE_TABLE = "domain.csv"
DOSE_TABLE = "studied_doses.csv"
RULE_TABLE = "dose_rules.csv"
SESSION_H = 2.0
"""Doses of one drug within two hours of the first are one session (the spray's devices)."""
WITHOUT_DOSE = ("saline", "placebo-spray", "oral-antidepressant", "ect", "none")
INJECTED = ("iv-infusion", "iv-bolus", "intramuscular", "subcutaneous")
Array = NDArray[np.float64]
Mask = NDArray[np.bool_]


class DoseLike(Protocol):
    """What a dose must say of itself; an administration of the dosing layer fits as it is."""

    @property
    def time_h(self) -> float:
        """Hours from the start of the course."""
        ...

    @property
    def drug(self) -> str:
        """Name of the drug."""
        ...

    @property
    def route(self) -> str:
        """Name of the route."""
        ...

    @property
    def amount_mg(self) -> float:
        """Milligrams of base."""
        ...


@dataclass(frozen=True)
class Dose:
    """A dose as plain values: hours, name of drug and route, milligrams of base."""

    time_h: float
    drug: str
    route: str
    amount_mg: float


@dataclass(frozen=True)
class Reason:
    """Why people or doses lie outside: `severity` outside or warning, and whom it is true of by name.

    Of very many people only the first are named; `counted` then says how many there are.
    """

    code: str
    severity: str
    message: str
    record: str
    people: tuple[str, ...]
    counted: int | None = None

    @property
    def count(self) -> int:
        """How many people it is true of."""
        return len(self.people) if self.counted is None else self.counted

    def __str__(self) -> str:
        count = self.count
        whom = f"person {self.people[0]}" if count == 1 else f"{count} people"
        record = f" ({self.record})" if self.record else ""
        return f"{whom}: {self.message}{record}"


@dataclass(frozen=True)
class Markings:
    """What every page must carry: the reasons let through on request, and the warnings."""

    outside: tuple[Reason, ...]
    warnings: tuple[Reason, ...]

    @property
    def banner(self) -> str:
        """The sentence for the top of every page; empty when everything lies inside."""
        if not self.outside:
            return ""
        return "Outside what the model knows: " + "; ".join(str(reason) for reason in self.outside) + "."

    def __bool__(self) -> bool:
        return bool(self.outside)


def check_domain(people: People, doses: Sequence[DoseLike] | Sequence[Sequence[DoseLike]] = ()) -> tuple[Reason, ...]:
    """All reasons that hold for these people and doses, `outside` ones first.

    `doses` is one list for everybody, or one list a person. Amounts are milligrams of base; a range in
    mg/kg is compared with each person's weight. Doses of one drug and route within two hours count
    together.

    Raises:
        InputError: lists of doses for another number of people, or a dose that is no positive number.
    """
    reasons = [*_people_reasons(people), *_dose_reasons(people, _by_person(people, doses))]
    return tuple(sorted(reasons, key=lambda reason: reason.severity != "outside"))


def require_domain(
    people: People,
    doses: Sequence[DoseLike] | Sequence[Sequence[DoseLike]] = (),
    *,
    outside_domain: bool = False,
) -> Markings:
    """The markings for the report; refuses what lies outside unless `outside_domain` is asked for.

    Raises:
        OutsideDomainError: somebody or some dose lies outside and `outside_domain` is false.
        InputError: as `check_domain`.
    """
    return mark(check_domain(people, doses), outside_domain=outside_domain)


def mark(reasons: Iterable[Reason], *, outside_domain: bool) -> Markings:
    """The markings that these reasons make.

    Raises:
        OutsideDomainError: somebody or some dose lies outside and `outside_domain` is false.
    """
    reasons = tuple(reasons)
    outside = tuple(reason for reason in reasons if reason.severity == "outside")
    if outside and not outside_domain:
        more = f" And {len(outside) - 1} more." if len(outside) > 1 else ""
        raise OutsideDomainError(
            f"Outside what the model knows: {outside[0]}.{more}",
            hint="Leave them out, or pass --outside-domain (outside_domain=True), which marks every page.",
        )
    return Markings(outside, tuple(reason for reason in reasons if reason.severity == "warning"))


def check_together(people: People, doses: Sequence[DoseLike]) -> tuple[Reason, ...]:
    """As `check_domain`, for doses that everybody gets at the same times.

    An amount may be an array, one number a person.

    Raises:
        InputError: a dose that is no positive number.
    """
    _by_person(people, list(doses))
    weights = np.asarray(people["weight_kg"], dtype=np.float64)
    ages = np.asarray(people["age_years"], dtype=np.float64)
    gathered: dict[tuple[str, str, str, str], Mask] = {}
    for reason, held in _session_reasons(sessions(doses), weights, ages):
        everybody = np.broadcast_to(held, weights.shape)
        gathered[reason] = gathered[reason] | everybody if reason in gathered else everybody
    reasons = list(_people_reasons(people))
    reasons += [Reason(*reason, _named(people, mask)) for reason, mask in gathered.items() if mask.any()]
    return tuple(sorted(reasons, key=lambda reason: reason.severity != "outside"))


def _people_reasons(people: People) -> Iterable[Reason]:
    for row in rows(PEOPLE_TABLE):
        if row["column"] not in people:
            continue
        values = np.asarray(people[row["column"]], dtype=np.float64)
        limit = number(row, "value", PEOPLE_TABLE)
        mask = {"<": values < limit, ">": values > limit, "==": values == limit}[row["operator"]]
        if mask.any():
            yield Reason(row["code"], row["severity"], row["message"], row["record"], _named(people, mask))


def _named(people: People, mask: Mask) -> tuple[str, ...]:
    return tuple(people.names[row] for row in np.flatnonzero(mask))


def _by_person(people: People, doses: Sequence[DoseLike] | Sequence[Sequence[DoseLike]]) -> list[Sequence[DoseLike]]:
    """One list of doses a person, each dose checked."""
    lists: list[Sequence[DoseLike]] = []
    shared: list[DoseLike] = []
    for entry in doses:
        if isinstance(entry, Sequence):
            lists.append(entry)
        else:
            shared.append(entry)
    if lists and (shared or len(lists) != len(people)):
        raise InputError(
            f"Doses for {len(lists)} of {len(people)} people.",
            where="doses",
            hint="One list for everybody, or one list a person.",
        )
    each = lists or [shared] * len(people)
    for dose in {id(dose): dose for given in each for dose in given}.values():
        if dose.drug in WITHOUT_DOSE:
            continue
        amounts = np.atleast_1d(dose.amount_mg)
        wrong = amounts[~(np.isfinite(amounts) & (amounts > 0))]
        if len(wrong) or not np.isfinite(dose.time_h):
            raise InputError(
                f"A dose of {[*wrong, *amounts][0]:g} mg {dose.drug} at {dose.time_h:g} h.",
                where="doses",
                hint="Amounts are positive and times are numbers.",
            )
    return each


@dataclass(frozen=True)
class _Session:
    time_h: float
    drug: str
    route: str
    amount_mg: float


def sessions(doses: Iterable[DoseLike]) -> tuple[_Session, ...]:
    """Doses added up by drug, route and session (within two hours of its first), in order of time."""
    found: list[_Session] = []
    for dose in sorted(doses, key=lambda dose: dose.time_h):
        if dose.drug in WITHOUT_DOSE:
            continue
        for index, session in enumerate(found):
            same = (session.drug, session.route) == (dose.drug, dose.route)
            if same and dose.time_h - session.time_h <= SESSION_H:
                found[index] = _Session(session.time_h, session.drug, session.route, session.amount_mg + dose.amount_mg)
                break
        else:
            found.append(_Session(dose.time_h, dose.drug, dose.route, dose.amount_mg))
    return tuple(found)


def _dose_reasons(people: People, each: list[Sequence[DoseLike]]) -> Iterable[Reason]:
    """Reasons from doses, gathered over people: (code, message) -> names."""
    gathered: dict[tuple[str, str, str, str], list[str]] = {}
    weights = np.asarray(people["weight_kg"], dtype=np.float64)
    ages = np.asarray(people["age_years"], dtype=np.float64)
    known: dict[int, tuple[_Session, ...]] = {}
    for row, given in enumerate(each):
        if id(given) not in known:
            known[id(given)] = sessions(given)
        found = _session_reasons(known[id(given)], float(weights[row]), float(ages[row]))
        for reason in dict.fromkeys(reason for reason, holds in found if holds):
            gathered.setdefault(reason, []).append(people.names[row])
    for (code, severity, message, record), names in gathered.items():
        yield Reason(code, severity, message, record, tuple(names))


def _session_reasons(
    held: Sequence[_Session], weight_kg: Any, age_years: Any
) -> Iterable[tuple[tuple[str, str, str, str], Any]]:
    """(code, severity, message, record) for some sessions, and whether it holds: of one person, or person by person."""
    studied = {(row["drug"], row["route"]): row for row in rows(DOSE_TABLE)}
    rules = {row["code"]: row for row in rows(RULE_TABLE)}
    for session in held:
        range_ = studied.get((session.drug, session.route))
        name = f"{session.drug} by {session.route}"
        if range_ is None:
            yield ("unstudied", "outside", f"{name} is not among what was studied", ""), True
            continue
        low, high = number(range_, "low", DOSE_TABLE), number(range_, "high", DOSE_TABLE)
        amount = session.amount_mg / weight_kg if range_["unit"] == "mg/kg" else session.amount_mg
        limits = f"{low:g} to {high:g} {range_['unit']}"
        said = f"{name} in a dose {{}} what was studied ({limits})"
        yield ("dose", "outside", said.format("below"), range_["record_low"]), amount < low * (1 - 1e-9)
        yield ("dose", "outside", said.format("above"), range_["record_high"]), amount > high * (1 + 1e-9)
        overdose = rules["overdose"]
        if session.route in INJECTED:
            much = session.amount_mg / weight_kg >= number(overdose, "value", RULE_TABLE)
            yield ("overdose", overdose["severity"], overdose["message"], overdose["record"]), much
    spray = next((session for session in held if session.route == "intranasal-device"), None)
    start = rules["elderly-start"]
    if spray is not None:
        old = (age_years >= 65) & (spray.amount_mg > number(start, "value", RULE_TABLE))
        yield ("elderly-start", start["severity"], start["message"], start["record"]), old
    often = rules["frequency"]
    if _most_in_a_week([session.time_h for session in held]) > number(often, "value", RULE_TABLE):
        yield ("frequency", often["severity"], often["message"], often["record"]), True


def _most_in_a_week(times_h: Sequence[float]) -> int:
    """The largest number of sessions that start within any seven days."""
    return max((sum(first <= time < first + 168.0 for time in times_h) for first in times_h), default=0)
