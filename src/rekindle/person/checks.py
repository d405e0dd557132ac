"""What a person's records cannot be: each refused by name, with its place; what is odd is noted.

Refused: scores that a scale does not have, totals that disagree with their items, two ratings of one scale at one time
that differ, impossible pressures and pulses, two doses of one drug at once, records before the first day, after the
time of the forecast or in the future, a dose without a time of day on a day on which something else has one. Noted:
doses outside what was studied, people whom the model does not know, ratings, vital signs and levels without a time of
day on the day of a dose.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from rekindle.errors import InputError
from rekindle.outcomes import Scale, scale
from rekindle.outcomes.recall import RECALL
from rekindle.person.moments import moment_of, words
from rekindle.person.record import Given, Level, LevelMethod, Person, Rated, Vital
from rekindle.person.unshown import shown

if TYPE_CHECKING:
    from rekindle.dosing.administration import Administration

Record = Given | Rated | Vital | Level

SYSTOLIC_MMHG, DIASTOLIC_MMHG, HEART_RATE = (40.0, 300.0), (20.0, 200.0), (20.0, 250.0)
"""Assumed. What lies outside is no reading of a person who is awake in a clinic."""

LONGEST_RECALL_DAYS = 366.0
ONE_RATING_H = 1.0 / 6.0
"""Assumed. Nobody fills in a questionnaire again within ten minutes; two systems enter one so far apart."""


def rated(
    name: str,
    total: float | None,
    items: Sequence[int] | Mapping[str, int] | None,
    where: str,
    *,
    recall_days: float | None = None,
    masked: bool | None = None,
) -> Rated:
    """A rating, at time 0, whose total and items are possible and agree; `recall_days` 0 is its moment, None not said.

    Raises:
        InputError: an unknown scale or item, an impossible score, or a total that is not the sum of its items.
    """
    found = _scale(name, where)
    scores = _items(found, items, where)
    missing = [item for item in found.items if item.name not in scores]
    if total is None:
        if missing:
            raise InputError(
                f"The rating has neither a total nor all {len(found.items)} items of {found.name}.",
                where=where,
                hint=f"Give the total, or also '{missing[0].name}'.",
            )
        total = float(sum(scores.values()))
    _check_total(found, total, where)
    low = sum(scores.values()) + sum(item.minimum for item in missing)
    high = sum(scores.values()) + sum(item.maximum for item in missing)
    if scores and not low <= total <= high:
        sums = f"sum to {low:g}" if not missing else f"leave {low:g} to {high:g}"
        full = f"The total of {found.name} is {total:g}, but its items {sums}."
        raise InputError(shown(full, f"The total of {found.name} disagrees with its items.", where), where=where)
    if recall_days is not None and not 0 <= recall_days <= LONGEST_RECALL_DAYS:
        raise InputError(f"A rating cannot look back over {recall_days:g} days.", where=where)
    return Rated(0.0, found.name, float(total), scores or None, recall_days, masked, where)


def _scale(name: str, where: str) -> Scale:
    try:
        found = scale(name)
    except InputError as error:
        error.where = where
        raise
    if found.person_inputs:
        raise InputError(f"'{found.name}' is a vital sign, not a rating scale.", where=where, hint="See 'vitals'.")
    return found


def _items(found: Scale, items: Sequence[int] | Mapping[str, int] | None, where: str) -> dict[str, int]:
    if items is None:
        return {}
    names = [item.name for item in found.items]
    if not isinstance(items, Mapping):
        if len(items) != len(names):
            raise InputError(
                f"{found.name} has {len(names)} items; {len(items)} scores are given.",
                where=where,
                hint="Give all in order, or name them: 'items: {mood: 2}'.",
            )
        items = dict(zip(names, items, strict=True))
    known = {name.casefold(): item for name, item in zip(names, found.items, strict=True)}
    scores: dict[str, int] = {}
    for name, score in items.items():
        item = known.get(name.casefold())
        if item is None or item.name in scores:
            what = "has no item" if item is None else "has twice the item"
            raise InputError(f"{found.name} {what} '{name}'.", where=where, hint=f"Items: {', '.join(names)}.")
        if not item.minimum <= score <= item.maximum:
            raise InputError(
                shown(
                    f"The item '{item.name}' of {found.name} is scored {score}.",
                    f"The score of the item '{item.name}' of {found.name} is not possible.",
                    where,
                ),
                where=where,
                hint=f"It goes from {item.minimum:g} to {item.maximum:g}.",
            )
        scores[item.name] = int(score)
    return scores


def _check_total(found: Scale, total: float, where: str) -> None:
    impossible = shown(
        f"A total of {total:g} is not possible on {found.name}.", f"The total is not possible on {found.name}.", where
    )
    if not found.minimum <= total <= found.maximum:
        raise InputError(
            impossible,
            where=where,
            hint=f"It goes from {found.minimum:g} to {found.maximum:g}.",
        )
    if len(found.items) > 1 and total != int(total):
        raise InputError(impossible, where=where, hint="Whole points.")


def vital(systolic: float | None, diastolic: float | None, heart_rate: float | None, where: str) -> Vital:
    """Vital signs, at time 0, that a person can have.

    Raises:
        InputError: none is given, one is out of range, or the pressures stand the wrong way round.
    """
    if systolic is None and diastolic is None and heart_rate is None:
        raise InputError("No vital sign is given.", where=where, hint="systolic, diastolic or heart_rate.")
    for name, value, (low, high) in (
        ("systolic pressure", systolic, SYSTOLIC_MMHG),
        ("diastolic pressure", diastolic, DIASTOLIC_MMHG),
        ("heart rate", heart_rate, HEART_RATE),
    ):
        if value is not None and not low <= value <= high:
            raise InputError(
                shown(f"A {name} of {value:g} cannot be meant.", f"The {name} cannot be meant.", where),
                where=where,
                hint=f"{low:g} to {high:g} are read.",
            )
    if systolic is not None and diastolic is not None and systolic <= diastolic:
        full = f"The systolic pressure ({systolic:g}) is not above the diastolic ({diastolic:g})."
        raise InputError(shown(full, "The systolic pressure is not above the diastolic.", where), where=where)
    return Vital(0.0, systolic, diastolic, heart_rate, where)


def check_times(
    records: Sequence[tuple[datetime, Record]], start: date, now: datetime | None, today: date, now_where: str
) -> None:
    """Refuse records before the first day, after `now`, or in the future, and doses whose place in a day is not known.

    Raises:
        InputError: the first such record.
    """
    latest = datetime.combine(today + timedelta(days=2), time())  # it may be tomorrow already where the person lives
    if now is not None and now >= latest:
        raise InputError(f"'now' ({words(now)}) lies in the future.", where=now_where)
    for moment, record in records:
        what = shown(f"{kind_of(record)} ({words(moment)})", kind_of(record), record.where)
        if moment >= latest:
            raise InputError(f"The {what} lies in the future.", where=record.where)
        if moment.date() < start:
            raise InputError(
                f"The {what} lies before the first day, {start.isoformat()}.",
                where=record.where,
                hint="Set 'start' to the first day recorded.",
            )
        if now is not None and moment > now:
            raise InputError(
                f"The {what} lies after 'now', {words(now)}.",
                where=record.where,
                hint="What is to come stands under 'plan'.",
            )
    _check_days(records)


def _check_days(records: Sequence[tuple[datetime, Record]]) -> None:
    """Refuse a dose without a time of day where what came before it and what after it that day is not known.

    Raises:
        InputError: something else on that day has a time.
    """
    timed: dict[date, Record] = {}
    for moment, record in records:
        if moment.time() != time():
            timed.setdefault(moment.date(), record)
    for moment, record in records:
        other = timed.get(moment.date())
        if isinstance(record, Given) and record.dated and other is not None:
            raise InputError(
                f"The dose has no time of day, and a {kind_of(other)} of that day has one: which came first?",
                where=record.where,
                hint="Give the dose its time.",
            )


def check_limits(records: Sequence[tuple[datetime, Record]], method: LevelMethod) -> None:
    """Refuse levels that the chosen method for those below the limit cannot take.

    Raises:
        InputError: M2, which knows of a level that it lies above the limit, and a level without one.
    """
    for _, record in records:
        if method == "M2" and isinstance(record, Level) and record.limit_ng_ml is None:
            raise InputError(
                "M2 needs the limit of every level, and this one has none.",
                where=record.where,
                hint="Give 'limit' with the level, or set 'levels_below' to M1, M3 or M4.",
            )


def kind_of(record: Record) -> str:
    """What a record is called in a message."""
    names: dict[type, str] = {Given: "dose", Rated: "rating", Vital: "vital sign", Level: "drug level"}
    return names[type(record)]


def settled_ratings(ratings: Sequence[Rated], start: date) -> tuple[tuple[Rated, ...], list[str]]:
    """Ratings in order of time, each questionnaire once, with how far back it looks; and notes on both.

    Ratings of one scale within `ONE_RATING_H` are one that was entered twice, unless the scale asks about the moment.

    Raises:
        InputError: two ratings of one scale at one time, or that near, that differ.
    """
    kept: list[Rated] = []
    last: dict[str, int] = {}
    notes: list[str] = []
    for each in sorted(ratings, key=lambda rating: rating.time_h):
        place = last.get(each.scale)
        near = 0.0 if RECALL[each.scale].days == 0.0 else ONE_RATING_H
        if place is None or each.time_h - kept[place].time_h > near + 1e-9:
            last[each.scale] = len(kept)
            kept.append(each)
            continue
        kept[place] = _as_one(kept[place], each, start)
        when = "twice" if each.time_h == kept[place].time_h else f"twice within {ONE_RATING_H * 60:g} minutes"
        notes.append(f"{each.where}: the same rating of {each.scale} stands {when}; it counts once.")
    return tuple(_looking_back(each) for each in kept), [*notes, *_assumed(kept)]


def _as_one(before: Rated, each: Rated, start: date) -> Rated:
    """The fuller of two entries of one rating, at the time of the first.

    Raises:
        InputError: they differ.
    """
    both = before.items or {}, each.items or {}
    same = all(both[0][name] == both[1][name] for name in both[0] if name in both[1])
    if before.total != each.total or not same:
        begin, end = (words(moment_of(rating.time_h, start)) for rating in (before, each))
        when = f"at {begin}" if before.time_h == each.time_h else f"at {begin} and {end}"
        bare = "at one time" if before.time_h == each.time_h else f"within {ONE_RATING_H * 60:g} minutes"
        full = f"Two ratings of {each.scale} {when} differ ({before.total:g} and {each.total:g})."
        raise InputError(
            shown(full, f"Two ratings of {each.scale} {bare} differ.", each.where),
            where=each.where,
            hint="Keep one, or give each its time of day.",
        )
    fuller = before if len(both[0]) >= len(both[1]) else each
    said = [rating.recall_days for rating in (before, each) if rating.recall_days is not None]
    masked = before.masked if before.masked is not None else each.masked
    return replace(fuller, time_h=before.time_h, recall_days=said[0] if said else None, masked=masked)


def _looking_back(rating: Rated) -> Rated:
    """The rating with the days that it looks back over: as it says, else as its scale asks; None for its moment."""
    days = RECALL[rating.scale].days if rating.recall_days is None else rating.recall_days
    return replace(rating, recall_days=days or None)


def _assumed(ratings: Sequence[Rated]) -> Iterator[str]:
    """A note for each scale whose own period was taken because no rating said one."""
    for name in dict.fromkeys(rating.scale for rating in ratings):
        silent = [rating.where for rating in ratings if rating.scale == name and rating.recall_days is None]
        days = RECALL[name].days
        if silent and days:
            more = f" and {len(silent) - 1} more" if len(silent) > 1 else ""
            yield f"{silent[0]}{more}: how far back {name} looks is not given; {days:g} days are taken, as it asks."


def check_doses(doses: Sequence[tuple[Administration, str]], start: date) -> None:
    """Refuse two doses of one drug at once: one of them is an entry made twice.

    Raises:
        InputError: infusions of a drug that overlap, or the same drug by the same route at the same time.
    """
    before: dict[tuple[str, str], tuple[float, float]] = {}
    for dose, where in sorted(doses, key=lambda each: each[0].time_h):
        key = (dose.drug, dose.route)
        if key in before:
            began, ended = before[key]
            if dose.time_h == began or dose.time_h < ended - 1e-9:
                when = words(moment_of(dose.time_h, start))
                raise InputError(
                    shown(f"Two doses of {dose.drug} by {dose.route} at {when} overlap.", "Two doses overlap.", where),
                    where=where,
                    hint="Give one dose at a time, or state the sum.",
                )
        before[key] = (dose.time_h, dose.end_h)


def oddities(person: Person, doses: Sequence[Administration]) -> Iterator[str]:
    """What is worth a word and no reason to refuse."""
    if not person.ratings:
        yield "There is no rating: the forecast is that of anybody like this person."
    days = {int(given.time_h // 24) for given in person.given}
    records: tuple[Rated | Vital | Level, ...] = (*person.ratings, *person.vitals, *person.levels)
    for each in records:
        if each.time_h % 24 == 0 and int(each.time_h // 24) in days:
            what = f"{kind_of(each)} of {each.scale}" if isinstance(each, Rated) else kind_of(each)
            yield f"{each.where}: the {what} has no time of day on a day with a dose; it counts as taken before it."
    yield from _outside(person, doses)


def _outside(person: Person, doses: Sequence[Administration]) -> Iterator[str]:
    """Whom and which doses the model does not know, so far as the file says."""
    import numpy as np

    from rekindle.population.domain import check_domain
    from rekindle.population.people import People

    weight = person.covariates.get("weight_kg")
    if weight is None:
        yield "The weight is not given: whether a dose lies within what was studied is not checked."
        doses = ()
    known = {**dict(person.covariates), **{name: float(value) for name, value in person.modifiers.items()
                                          if name in ("naltrexone", "benzodiazepine_mg")}}  # fmt: skip
    columns = {"age_years": 40.0, "sex": "female", "weight_kg": 75.0, **known}  # a middle where nothing is said
    people = People({name: np.asarray([value]) for name, value in columns.items()})
    for reason in check_domain(people, [list(doses)] if doses else ()):
        head = "Outside what the model knows" if reason.severity == "outside" else "To be weighed"
        yield f"{head}: {reason.message}."
