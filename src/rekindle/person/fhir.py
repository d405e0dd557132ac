"""A FHIR R4 bundle as one person's records.

Patient (age and sex), MedicationAdministration (ketamine and its enantiomers), Observation (ratings, blood pressure,
heart rate, weight, height, drug levels) and QuestionnaireResponse (PHQ-9, GAD-7) are read, with the R4B models of
`fhir.resources`, which reads R4. What is not used is listed in the notes. Names, addresses, numbers, free text and the
birth date beyond the age are dropped before anything is looked at, and no message shows a value of the bundle.

Times with an offset are told on the clock of the earliest one, so that the hours between them are exact across a change
to or from summer time, and between records whose systems write different zones; or in the zone of the person's file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any

from rekindle.errors import InputError
from rekindle.person.checks import Record
from rekindle.person.fhir_doses import by_weight, dose, weighed
from rekindle.person.fhir_ratings import answered, observed
from rekindle.person.fhir_resources import KEPT, Resource, checked
from rekindle.person.gather import Found
from rekindle.person.record import Given
from rekindle.person.unshown import Unshown
from rekindle.person.words import flag

MOST_ENTRIES = 20_000
MUCH = 0.1
"""Of the weight: a difference that is worth a note."""
Time = datetime | date


def read_bundle(bundle: Mapping[str, Any], name: str, zone: tzinfo | None = None) -> Found:
    """The records of a bundle (parsed JSON); `name` is what messages call it, `zone` that of the person's own clock.

    Raises:
        InputError: not a bundle, several people, or a resource that cannot be; its place is named, no value is shown.
        UnsupportedError: `fhir.resources` is not installed, or something well formed is not supported.
    """
    resources, others, references = _resources(bundle, name)
    found = Found()
    patients = [each for each in resources if each.kind == "Patient"]
    _one_person(resources, len(patients), name)
    timed: list[tuple[Time, Any]] = []
    for each in resources:
        if each.kind == "MedicationAdministration":
            given = dose(each, references, found.notes)
            timed += [given] if given else []
        elif each.kind == "Observation":
            timed += observed(each, found.notes)
        elif each.kind == "QuestionnaireResponse":
            rated = answered(each, found.notes)
            timed += [rated] if rated else []
    if not timed:
        raise InputError("The bundle holds no dose, rating or measurement that is read.", where=name)
    _place(timed, found, name, zone)
    found.notes = _together(found.notes)
    for patient in patients:
        _who(patient, found)
    found.notes += [f"{name}: {count} of kind {kind} not used." for kind, count in sorted(others.items())]
    return found


def _resources(bundle: Mapping[str, Any], name: str) -> tuple[list[Resource], Counter[str], dict[str, Any]]:
    """What is read, how many there are of each other kind, and the code of each medication by its references."""
    if bundle.get("resourceType") != "Bundle":
        raise InputError("The file holds one resource; a Bundle is needed.", where=name)
    entries = bundle.get("entry")
    if not isinstance(entries, list) or not entries:
        raise InputError("The bundle has no entries.", where=name)
    if len(entries) > MOST_ENTRIES:
        raise InputError(f"The bundle has more than {MOST_ENTRIES:,} entries.", where=name)
    found: list[Resource] = []
    others: Counter[str] = Counter()
    references: dict[str, Any] = {}
    for number, entry in enumerate(entries, start=1):
        place = f"{name}, entry {number}"
        given = entry.get("resource") if isinstance(entry, dict) else None
        kind = given.get("resourceType") if isinstance(given, dict) else None
        if not isinstance(given, dict) or not isinstance(kind, str):
            raise InputError("The entry holds no resource.", where=place)
        if kind not in KEPT:
            others[kind if kind.isalpha() and len(kind) <= 40 else "unknown"] += 1
            continue
        resource = checked(kind, given, Unshown(f"{place} ({kind})"))
        if kind == "Medication":
            for reference in (entry.get("fullUrl"), f"Medication/{given.get('id')}"):
                if isinstance(reference, str):
                    references[reference] = resource.values.get("code")
        else:
            found.append(resource)
    return found, others, references


def _together(notes: list[str]) -> list[str]:
    """Notes that say the same of several entries as one, with the place of the first."""
    said: dict[str, list[str]] = {}
    for note in notes:
        place, _, what = note.rpartition(": ")
        said.setdefault(what, []).append(place)
    return [
        f"{places[0]}{f' and {len(places) - 1} more' if len(places) > 1 else ''}: {what}"
        for what, places in said.items()
    ]


def _one_person(resources: list[Resource], patients: int, name: str) -> None:
    """Refuse a bundle about several people.

    Raises:
        InputError: several patients, or records of several subjects.
    """
    subjects = {
        str(reference).rpartition("/")[2].rpartition(":")[2]
        for each in resources
        for reference in [(each.values.get("subject") or {}).get("reference")]
        if reference
    }
    if patients > 1 or len(subjects) > 1:
        raise InputError(
            f"The bundle is about {max(patients, len(subjects))} people.", where=name, hint="One person a file."
        )


def _place(timed: list[tuple[Time, Any]], found: Found, name: str, zone: tzinfo | None) -> None:
    """Put everything on one clock; weight and height are those last taken, doses by weight go by that of their day."""
    earliest, offsets = _clock(timed)
    clock = zone or (earliest.tzinfo if earliest else None)
    if earliest is not None and zone is None:
        found.offset = earliest.utcoffset() or timedelta(0)
        found.instants = [_told(when, clock) for when, _ in timed if isinstance(when, datetime)]
    if offsets > 1:
        whose = "in the zone given" if zone else "on the clock of the earliest"
        found.notes.append(f"{name}: times have {offsets} offsets from universal time; all are told {whose}.")
    placed = sorted(((_told(when, clock), what) for when, what in timed), key=lambda each: each[0])
    weights = [(moment, what[1]) for moment, what in placed if isinstance(what, tuple) and what[0] == "weight_kg"]
    for moment, what in placed:
        if isinstance(what, tuple):
            column, value = what
            if column in found.covariates and found.covariates[column] != value:
                found.notes.append(f"{name}: {column.partition('_')[0]} was taken more than once; the last counts.")
            found.covariates[column] = value
        else:
            record: Record = what
            if isinstance(record, Given) and by_weight(record) and weights:
                record = _in_mg(record, moment, weights, found.notes)
            found.records.append((moment, record))


def _in_mg(given: Given, moment: datetime, weights: list[tuple[datetime, float]], notes: list[str]) -> Given:
    """A dose by weight in mg, by the weight nearest before it, else the first after; noted where it is not the last.

    A later weight thus leaves earlier doses as they were.
    """
    before = [weight for taken, weight in weights if taken <= moment]
    weight, last = before[-1] if before else weights[0][1], weights[-1][1]
    if abs(weight - last) > MUCH * last:
        notes.append(
            f"{given.where}: the dose by weight goes by the weight nearest before it (else the first after), which "
            "is more than a tenth away from the last one."
        )
    return weighed(given, weight)


def _clock(timed: list[tuple[Time, Any]]) -> tuple[datetime | None, int]:
    """The earliest time that has an offset, and how many offsets there are."""
    aware = [when for when, _ in timed if isinstance(when, datetime)]
    return min(aware, default=None), len({when.utcoffset() for when in aware})


def _told(when: Time, clock: tzinfo | None) -> datetime:
    """A time on one clock, without its offset; a date is 00:00 of that day."""
    if isinstance(when, datetime):
        return when.astimezone(clock).replace(tzinfo=None)
    return datetime.combine(when, time())


def _who(patient: Resource, found: Found) -> None:
    """Age at the first record, and sex; nothing else of a patient is read."""
    sex = patient.values.get("gender")
    if sex in ("female", "male"):
        found.covariates["sex"] = str(sex)
    else:
        found.notes.append(f"{patient.where}: no sex that body volumes go with; drawn from the population.")
    birth = patient.values.get("birthDate")
    day = min((moment for moment, _ in found.records), default=None)
    if birth is None or day is None:
        return
    years = _age(str(birth), day.date(), patient.where, found.notes)
    found.covariates["age_years"] = flag("age_years", years, patient.where)


def _age(birth: str, day: date, where: str, notes: list[str]) -> float:
    """Whole years between a birth date and a day.

    Raises:
        InputError: the birth date is no date, or lies after the day or too far before it.
    """
    parts = birth.split("-")
    try:
        year, month, dom = (int(part) for part in [*parts, "1", "1"][:3])
        born = date(year, month, dom)
    except (ValueError, OverflowError):
        raise InputError("The birth date is no date.", where=where) from None
    if len(parts) < 3:
        notes.append(f"{where}: the birth date is not exact to the day; the age may be off by a year.")
    years = day.year - born.year - ((day.month, day.day) < (born.month, born.day))
    if not 0 <= years <= 120:
        raise InputError("The age at the first record cannot be meant.", where=where, hint="Check the birth date.")
    return float(years)
