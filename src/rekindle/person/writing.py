"""A `Person` as the text of a person's file. Reading it back gives the same person, apart from notes and places."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from rekindle.outcomes import scale
from rekindle.outcomes.recall import RECALL
from rekindle.person import words
from rekindle.person.moments import exact_words, moment_of
from rekindle.person.moments import words as moment_words
from rekindle.person.record import Given, Level, Person, Planned, Rated, Vital
from rekindle.run import write_file

WHO = {"age_years": "age", "sex": "sex", "weight_kg": "weight", "height_cm": "height",
       "failed_treatments": "failed_treatments"}  # fmt: skip
UNITS = {"weight_kg": "kg", "height_cm": "cm"}


def write_person(person: Person, path: Path | str) -> None:
    """Write a person's file (YAML); it is whole or unchanged.

    Raises:
        InputError: the path cannot be written or the disk is full.
    """
    write_file(Path(path), person_yaml(person))


def person_yaml(person: Person) -> str:
    """The text of a person's file, one record a line."""
    return "\n".join(_lines(person)) + "\n"


def _lines(person: Person) -> Iterator[str]:
    yield f"start: {person.start.isoformat()}"
    yield f"now: {_at(person, person.now_h)}"
    yield "who:"
    yield from (f"  {key}: {_value(value)}" for key, value in _who(person).items())
    taken = {name: bool(person.covariates[name]) for name in words.TAKEN if name in person.covariates}
    yield from _mapping("takes", {**person.modifiers, **taken})
    yield from _records("doses", [{"at": _given_at(person, g), "dose": g.sentence} for g in person.given])
    yield from _records("ratings", [_rating(person, rating) for rating in person.ratings])
    yield from _records("vitals", [_vital(person, vital) for vital in person.vitals])
    yield from _records("levels", [_level(person, level) for level in person.levels])
    yield f"levels_below: {person.level_method}"
    if person.planned is not None:
        yield f"plan: {_flow(_plan(person, person.planned))}"
    yield from _records("options", [{"name": name, **_plan(person, plan)} for name, plan in person.options])
    if person.risk is not None:
        yield f"risk: {_value(person.risk)}"
    if person.forecast_scales:
        yield f"scales: {_value(list(person.forecast_scales))}"


def _who(person: Person) -> dict[str, Any]:
    known: dict[str, Any] = {}
    rest: dict[str, Any] = {}
    illnesses = [person.kind]
    for name, value in person.covariates.items():
        if name in UNITS:
            known[WHO[name]] = f"{value!r} {UNITS[name]}"
        elif name == "failed_treatments" and value == int(value):
            known["failed_treatments"] = int(value)
        elif name in WHO:
            known[WHO[name]] = value
        elif name in words.ILLNESSES and value == 1.0:
            illnesses.append(name)
        elif name not in words.TAKEN:
            rest[name] = value
    return {**known, "diagnoses": illnesses, **({"covariates": rest} if rest else {})}


def _at(person: Person, time_h: float) -> str:
    return moment_words(moment_of(time_h, person.start))


def _given_at(person: Person, given: Given) -> str:
    moment = moment_of(given.time_h, person.start)
    return moment_words(moment) if given.dated else exact_words(moment)


def _rating(person: Person, rating: Rated) -> dict[str, Any]:
    return _said(
        at=_at(person, rating.time_h),
        scale=rating.scale,
        total=rating.total,
        items=None if rating.items is None else dict(rating.items),
        recall=_recall(rating),
        masked=rating.masked,
    )


def _recall(rating: Rated) -> str | None:
    if rating.recall_days is not None:
        return f"{rating.recall_days!r} days"
    return "0 days" if RECALL[scale(rating.scale).name].days else None


def _vital(person: Person, vital: Vital) -> dict[str, Any]:
    return _said(
        at=_at(person, vital.time_h),
        systolic=vital.systolic_mmhg,
        diastolic=vital.diastolic_mmhg,
        heart_rate=vital.heart_rate,
    )


def _level(person: Person, level: Level) -> dict[str, Any]:
    shown = f"below {level.limit_ng_ml!r} ng/mL" if level.below else f"{level.ng_ml!r} ng/mL"
    limit = None if level.limit_ng_ml is None or level.below else f"{level.limit_ng_ml!r} ng/mL"
    return _said(at=_at(person, level.time_h), analyte=level.analyte, level=shown, limit=limit)


def _plan(person: Person, plan: Planned) -> dict[str, Any]:
    return {"course": str(plan.course), "from": _at(person, plan.from_h), "until": _at(person, plan.until_h)}


def _said(**values: Any) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _mapping(name: str, values: Mapping[str, Any]) -> Iterator[str]:
    if values:
        yield f"{name}:"
        yield from (f"  {key}: {_value(value)}" for key, value in values.items())


def _records(name: str, records: list[dict[str, Any]]) -> Iterator[str]:
    if records:
        yield f"{name}:"
        yield from (f"- {_flow(record)}" for record in records)


def _flow(record: Mapping[str, Any]) -> str:
    return "{" + ", ".join(f"{_value(key)}: {_value(value)}" for key, value in record.items()) + "}"


def _value(value: Any) -> str:
    """A value as YAML on one line; what JSON writes is YAML too."""
    if isinstance(value, Mapping):
        return _flow(value)
    if isinstance(value, str) and value.isidentifier() and value not in ("true", "false", "null", "yes", "no"):
        return value
    if isinstance(value, float) and value == int(value) and abs(value) < 1e15:
        return str(int(value))
    return json.dumps(value, ensure_ascii=False)
