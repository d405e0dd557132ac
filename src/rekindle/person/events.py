"""A table of events in NONMEM's columns as one person's doses and observations.

Doses lie in the compartments of a course's table (`rekindle.dosing.course_table.COMPARTMENTS`), in mg of base. What is
observed is told by DVID: the name of a scale, a vital sign or an analyte, or a number that the person's file explains.
A column named as a scale holds its totals; a column of the table of people says who the person is. CENS 1 marks a
level below the DV given. TIME counts hours from 00:00 of the first day.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rekindle.dosing import COMPARTMENTS, Course, administrations_of, give, read_events
from rekindle.dosing.drugs import DEVICE_GAP_MIN, DEVICE_MG, DRUGS
from rekindle.errors import InputError, RekindleError, UnsupportedError, unknown
from rekindle.outcomes import SCALES
from rekindle.person import checks, words
from rekindle.person.fields import EventsFields
from rekindle.person.gather import Found
from rekindle.person.record import Given, Level
from rekindle.population.schema import BY_NAME

if TYPE_CHECKING:
    from rekindle.dosing import Administration, Event, EventTable

SIGNS = {"systolic pressure": "systolic", "diastolic pressure": "diastolic", "heart rate": "heart_rate"}
MOST_HOURS = 24.0 * 40_000


@dataclass(frozen=True)
class _Seen:
    """What a DVID stands for: a scale, a vital sign, or an analyte in a unit."""

    kind: str
    name: str
    unit: str = ""


def event_records(path: Path, start: date, fields: EventsFields) -> Found:
    """Doses and observations of one person of a table.

    Raises:
        InputError: the table cannot be read, holds several people and none is chosen, or a row cannot be.
        UnsupportedError: a row that is well formed and cannot be followed (a reset, a steady state).
    """
    table = read_events(path, carry="LOCF", compartments=COMPARTMENTS)
    person = _person(table, fields)
    found = Found()
    begin = datetime.combine(start, time())
    rows = table.of(person)
    for row in rows:
        if not 0 <= row.time_h <= MOST_HOURS:
            raise InputError(
                f"TIME {row.time_h:g} is not on the calendar.",
                where=table.place(row, "TIME"),
                hint="Hours from 00:00 of the first day.",
            )
    found.records += [(begin + timedelta(hours=given.time_h), given) for given in _given(table, person)]
    meanings = {cell: _meaning(text, f"{table.source}, DVID {cell}") for cell, text in fields.dvid.items()}
    for row in rows:
        moment = begin + timedelta(hours=row.time_h)
        found.records += [(moment, record) for record in _observed(table, row, meanings)]
    _columns(table, rows, found, begin)
    return found


def _person(table: EventTable, fields: EventsFields) -> str:
    if fields.person is not None:
        if str(fields.person) not in table.people:
            raise InputError("The table has no such ID.", where=table.source)
        return str(fields.person)
    if len(table.people) > 1:
        raise InputError(
            f"The table holds {len(table.people)} people.",
            where=table.source,
            hint="Say which: events: {file: ..., person: ID}.",
        )
    return table.people[0]


def _given(table: EventTable, person: str) -> list[Given]:
    lines = {row.time_h: table.place(row) for row in reversed(table.of(person)) if row.is_dose}
    found: list[Given] = []
    for doses in _sessions(administrations_of(table, person)):
        where = lines.get(doses[0].time_h, table.source)
        found.append(Given(doses[0].time_h, _sentence(doses, where), where))
    return found


def _sessions(doses: Sequence[Administration]) -> list[list[Administration]]:
    """Devices of one session together, five minutes apart; every other dose by itself."""
    found: list[list[Administration]] = []
    for dose in doses:
        last = found[-1] if found else []
        due = last[0].time_h + len(last) * DEVICE_GAP_MIN / 60 if last else 0.0
        if (
            dose.route == "intranasal-device" == (last[0].route if last else "")
            and dose.session == last[0].session
            and dose.amount_mg == last[-1].amount_mg == DEVICE_MG
            and abs(dose.time_h - due) < 1e-6
        ):
            last.append(dose)
        else:
            found.append([dose])
    return found


def _sentence(doses: Sequence[Administration], where: str) -> str:
    first = doses[0]
    amount = sum(dose.amount_mg for dose in doses) if DRUGS[first.drug].dosed else None
    over = None if first.duration_h is None else float(f"{first.duration_h * 60:.10g}")
    try:
        return Course.of(give(first.drug, amount, route=first.route, over_min=over)).spoken()
    except RekindleError as error:
        error.where = where
        raise


def _meaning(text: str, where: str) -> _Seen:
    """What an explanation of a DVID means.

    Raises:
        InputError: no scale, vital sign or analyte of this name; an analyte without its unit.
    """
    scales = {name.casefold(): name for name in SCALES}
    known = text.strip().casefold()
    if known in SIGNS:
        return _Seen("vital", SIGNS[known])
    if known in scales:
        return _Seen("rating", scales[known])
    analyte, _, unit = text.strip().partition(" ")
    if analyte.casefold() in words.ANALYTES:
        if not unit.strip():
            raise InputError(f"The unit of '{analyte}' is missing.", where=where, hint=f"'{analyte} ng/mL'.")
        words.nanograms(1.0, unit.strip(), analyte, where)
        return _Seen("level", analyte.casefold(), unit.strip())
    raise unknown("scale, vital sign or analyte", text, [*SCALES, *words.ANALYTES], where=where)


def _observed(table: EventTable, row: Event, meanings: dict[str, _Seen]) -> list[Any]:
    """What a row observes."""
    if row.evid != 0 or not row.observed or row.value is None:
        return []
    where = table.place(row, "DVID")
    if row.dvid is None:
        raise InputError("It is not said what DV is.", where=where, hint="A scale, a vital sign or an analyte.")
    seen = meanings.get(row.dvid) or _meaning_of_cell(row.dvid, where)
    place = table.place(row, "DV")
    if row.censored not in (0, 1) or (row.censored and seen.kind != "level"):
        raise UnsupportedError("Only levels are below a limit (CENS 1).", where=table.place(row, "CENS"))
    if seen.kind == "rating":
        return [checks.rated(seen.name, row.value, None, place)]
    if seen.kind == "vital":
        signs = {"systolic": None, "diastolic": None, "heart_rate": None, seen.name: row.value}
        return [checks.vital(signs["systolic"], signs["diastolic"], signs["heart_rate"], place)]
    below = row.censored == 1
    number = words.nanograms(row.value, seen.unit, seen.name, place, below=below)
    return [Level(0.0, seen.name, None if below else number, below, number if below else None, place)]


def _meaning_of_cell(cell: str, where: str) -> _Seen:
    if cell.replace(".", "", 1).isdigit():
        raise InputError(
            f"It is not said what DVID {cell} is.",
            where=where,
            hint=f"In the person's file: events: {{dvid: {{'{cell}': MADRS}}}}.",
        )
    return _meaning(cell, where)


def _columns(table: EventTable, rows: Sequence[Event], found: Found, begin: datetime) -> None:
    """Columns named as a scale, a vital sign or a column of the table of people; others are noted."""
    scales = {name.casefold(): name for name in SCALES}
    for index, name in enumerate(table.covariates):
        stated = [(row, value) for row in rows for value in (row.covariates[index],) if value is not None]
        if name.casefold() in scales:
            seen = _meaning(name, table.source)
            for row, value in stated:
                moment, place = begin + timedelta(hours=row.time_h), table.place(row, name)
                if seen.kind == "rating":
                    found.records.append((moment, checks.rated(seen.name, value, None, place)))
                else:
                    signs = {"systolic": None, "diastolic": None, "heart_rate": None, seen.name: value}
                    vital = checks.vital(signs["systolic"], signs["diastolic"], signs["heart_rate"], place)
                    found.records.append((moment, vital))
        elif name.casefold() in BY_NAME:
            values = {value for _, value in stated}
            if len(values) > 1:
                raise InputError(f"Column {name} changes in time.", where=table.source, hint="One value a person.")
            for value in values:
                found.covariates[name.casefold()] = words.flag(name.casefold(), value, f"{table.source}, {name}")
        else:
            found.notes.append(f"{table.source}: column {name} is not used.")
