"""A person's file into a `Person`: YAML or JSON of the schema in `fields`, or a FHIR bundle, told apart by content.

Whatever cannot be is refused with its file, line and field. What identifies the person has no field here, and a file
that has one is refused without showing what stands in it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from rekindle.documents import Document, parse_document, read_text
from rekindle.errors import InputError
from rekindle.person import checks, words
from rekindle.person.doses import course_given, single
from rekindle.person.fields import DoseFields, EventsFields, LevelFields, PersonFields
from rekindle.person.gather import Found, assemble, body_of, check_clocks, first_day, plans_looked_at
from rekindle.person.moments import When
from rekindle.person.moments import words as moment_words
from rekindle.person.plans import forecast_scales, options, planned
from rekindle.person.record import Level, Person
from rekindle.person.who import who_they_are
from rekindle.study import with_place
from rekindle.study_file import field_error

DEFAULT_KIND = "treatment-resistant-depression"
LARGEST_FILE_BYTES = 20_000_000


def read_person(path: Path | str, *, events: Path | str | None = None, today: date | None = None) -> Person:
    """The person whom a file describes: YAML or JSON, or a FHIR R4 bundle.

    `events` names a table of events to read besides. Nothing may lie after `today` (the day on this computer).

    Raises:
        InputError: a file cannot be read or says something that cannot be, with its line or field.
        UnsupportedError: a bundle without `fhir.resources`, or something well formed that is not supported.
    """
    path = Path(path)
    text = read_text(path, kind="person file", largest_bytes=LARGEST_FILE_BYTES)
    return parse_person(text, str(path), folder=path.parent, events=events, today=today)


def parse_person(
    text: str,
    name: str = "person",
    *,
    folder: Path | None = None,
    events: Path | str | None = None,
    today: date | None = None,
) -> Person:
    """The person whom text describes; `name` is what messages call it, files that it names lie in `folder`.

    Raises:
        InputError: as `read_person`.
        UnsupportedError: as `read_person`.
    """
    day = today or date.today()
    loaded = _json(text, name)
    if isinstance(loaded, dict) and "resourceType" in loaded:
        return _person_of_bundle(loaded, name, events, day)
    if re.match(r"\s*\"?ID\"?\s*,", text, re.IGNORECASE):
        raise InputError(
            "This is a table of events, which has no calendar.",
            where=name,
            hint="Name it in a person's file, 'events: {file: ...}', which gives the first day.",
        )
    document = parse_document(text if loaded is None else text.replace("\t", " "), name)
    _refuse_identifying(document)
    _refuse_surrogates(document)
    try:
        fields = PersonFields.model_validate(document.values)
    except ValidationError as error:
        raise field_error(error, document, PersonFields) from error
    return _Reading(document, fields, folder or Path(), day).person(events)


def _json(text: str, name: str) -> Any:
    """The value of JSON text; None for anything that is not JSON."""
    if not text.lstrip().startswith("{"):
        return None
    try:
        return json.loads(text, parse_constant=_no_constant, object_pairs_hook=_each_once)
    except _Twice:
        if '"resourceType"' in text:
            raise InputError("A name stands twice in one object of the bundle.", where=name) from None
        return None
    except RecursionError:
        raise InputError("The JSON is nested too deep.", where=name) from None
    except ValueError as error:
        if '"resourceType"' in text:
            line = getattr(error, "lineno", None)
            place = f"{name}, line {line}" if line else name
            hint = "Check it with the program that wrote it."
            raise InputError("The bundle is not JSON.", where=place, hint=hint) from None
        return None


class _Twice(ValueError):
    """A name that an object has twice."""


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _Twice
    return found


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not JSON")


def _refuse_surrogates(document: Document) -> None:
    """Refuse text that no file can hold: half of a pair that stands for one character."""
    try:
        json.dumps(document.values, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise InputError("The file holds half a character (a lone surrogate).", where=document.name) from None


def _refuse_identifying(document: Document) -> None:
    for held in (document.values, document.values.get("who")):
        for key in held if isinstance(held, dict) else ():
            if words.slug(key).replace("-", "_") in words.IDENTIFYING:
                location = (key,) if held is document.values else ("who", key)
                raise InputError(
                    f"The field '{key}' would say who the person is.",
                    where=document.where(*location),
                    hint="Take it out; nothing here needs it.",
                )


def _person_of_bundle(bundle: dict[str, Any], name: str, events: Path | str | None, today: date) -> Person:
    from rekindle.person.fhir import read_bundle

    found = read_bundle(bundle, name)
    start = first_day(found, name)
    if events is not None:
        from rekindle.person.events import event_records

        table = event_records(Path(events), start, EventsFields(file=Path(events).name))
        check_clocks([moment for moment, _ in table.records], found, name)
        found.add(table, where=name)
    found.notes.append(
        f"{name}: a bundle does not say which depression is treated; {DEFAULT_KIND} is taken. "
        "A person's file with 'bundle:' can say."
    )
    return assemble(found, kind=DEFAULT_KIND, start=start, now=None, today=today, where=name)


class _Reading:
    """One file being read: its document, its fields, and the first day once it is known."""

    def __init__(self, document: Document, fields: PersonFields, folder: Path, today: date) -> None:
        self.document, self.fields, self.folder, self.today = document, fields, folder, today

    def person(self, events: Path | str | None) -> Person:
        fields, where = self.fields, self.document.where
        found, kind = who_they_are(fields, self.document)
        bundled = self._bundle()
        start = self._start(bundled)
        found.records += [*self._doses(start), *self._ratings(start), *self._vitals(start), *self._levels(start)]
        table = self._events(events, start)
        if table is not None:
            found.add(table, where=where("events"))
        if bundled is not None:
            check_clocks([*(moment for moment, _ in found.records), *self._ahead(start)], bundled, where("bundle"))
            found.add(bundled, where=where("bundle"))
        checks.check_limits(found.records, fields.levels_below)
        if fields.start is None and not found.records:
            first_day(found, self.document.name)
        now = fields.now.moment(start) if fields.now else None
        now = now or max((moment for moment, _ in found.records), default=datetime.combine(start, datetime.min.time()))
        person = assemble(
            found,
            kind=kind,
            start=start,
            now=now,
            today=self.today,
            where=self.document.name,
            now_where=where("now"),
            level_method=fields.levels_below,
            risk=fields.risk,
            forecast_scales=forecast_scales(fields, self.document),
        )
        asked = partial(planned, document=self.document, start=start, now=now, body=body_of(person))
        whole = replace(
            person,
            planned=asked(fields.plan, at=("plan",)) if fields.plan else None,
            options=options(fields, self.document, start=start, now=now, body=body_of(person)),
        )
        return plans_looked_at(whole)

    def _start(self, bundled: Found | None) -> date:
        if self.fields.start is not None:
            start = self.fields.start
            if not isinstance(start.day, date) or start.clock is not None:
                where = self.document.where("start")
                raise InputError("The first day is a date.", where=where, hint="For example 2024-03-04.")
            return start.day
        days = [moment.date() for moment, _ in bundled.records] if bundled else []
        for when, _ in self._moments():
            if not isinstance(when.day, date):
                raise InputError(
                    f"'day {when.day}' needs the first day.",
                    where=self.document.name,
                    hint="Give 'start', a date.",
                )
            days.append(when.day)
        if not days:
            raise InputError(
                "There is nothing recorded, and no 'start'.",
                where=self.document.name,
                hint="Give doses or ratings, or the first day.",
            )
        return min(days)

    def _moments(self) -> Iterator[tuple[When, tuple[str | int, ...]]]:
        """Every time in the lists of records, with its place."""
        for name in ("doses", "ratings", "vitals", "levels"):
            for place, entry in enumerate(getattr(self.fields, name)):
                key = "at" if getattr(entry, "at", None) is not None else "from"
                when = entry.at if key == "at" else entry.from_
                if when is not None:
                    yield when, (name, place, key)

    def _ahead(self, start: date) -> list[datetime]:
        """The times of day that the file gives for the present and for what is planned."""
        plans = [self.fields.plan, *self.fields.options]
        times = [self.fields.now, *(plan.from_ for plan in plans if plan is not None)]
        return [when.moment(start) for when in times if when is not None and when.clock is not None]

    def _in_order(self, name: str, moments: Sequence[datetime]) -> None:
        for place in range(1, len(moments)):
            if moments[place] < moments[place - 1]:
                key = "from" if name == "doses" and self.fields.doses[place].at is None else "at"
                raise InputError(
                    f"The {name} go back in time: {moment_words(moments[place])} stands after "
                    f"{moment_words(moments[place - 1])}.",
                    where=self.document.where(name, place, key),
                    hint="Check the date, or write them in order.",
                )

    def _doses(self, start: date) -> list[tuple[datetime, Any]]:
        found: list[tuple[datetime, Any]] = []
        moments: list[datetime] = []
        for place, entry in enumerate(self.fields.doses):
            where = self.document.where("doses", place)
            self._check_dose(entry, where)
            if entry.at is not None and entry.dose is not None:
                moments.append(entry.at.moment(start))
                given = single(entry.dose, self.document.where("doses", place, "dose"))
                found.append((moments[-1], replace(given, dated=entry.at.clock is None)))
            elif entry.from_ is not None and entry.course is not None:
                moments.append(entry.from_.moment(start))
                where, clocked = self.document.where("doses", place, "course"), entry.from_.clock is not None
                found += course_given(entry.course, moments[-1], where, clocked=clocked)
        self._in_order("doses", moments)
        return found

    def _check_dose(self, entry: DoseFields, where: str) -> None:
        given = {name for name in ("at", "dose", "from_", "course") if getattr(entry, name) is not None}
        if given not in ({"at", "dose"}, {"from_", "course"}):
            raise InputError(
                "An entry has a time and a dose, or a first day and a course.",
                where=where,
                hint="'at' with 'dose', or 'from' with 'course'.",
            )

    def _ratings(self, start: date) -> list[tuple[datetime, Any]]:
        found: list[tuple[datetime, Any]] = []
        for place, entry in enumerate(self.fields.ratings):
            where = self.document.where("ratings", place)
            days = None if entry.recall is None else entry.recall / 24.0
            rating = checks.rated(entry.scale, entry.total, entry.items, where, recall_days=days, masked=entry.masked)
            found.append((entry.at.moment(start), rating))
        self._in_order("ratings", [moment for moment, _ in found])
        return found

    def _vitals(self, start: date) -> list[tuple[datetime, Any]]:
        found: list[tuple[datetime, Any]] = []
        for place, entry in enumerate(self.fields.vitals):
            where = self.document.where("vitals", place)
            vital = checks.vital(entry.systolic, entry.diastolic, entry.heart_rate, where)
            found.append((entry.at.moment(start), vital))
        self._in_order("vitals", [moment for moment, _ in found])
        return found

    def _levels(self, start: date) -> list[tuple[datetime, Any]]:
        found: list[tuple[datetime, Any]] = []
        for place, entry in enumerate(self.fields.levels):
            found.append((entry.at.moment(start), self._level(place, entry)))
        self._in_order("levels", [moment for moment, _ in found])
        return found

    def _level(self, place: int, entry: LevelFields) -> Level:
        where = self.document.where("levels", place)
        number, below = words.level(entry.level, entry.analyte, self.document.where("levels", place, "level"))
        limit = number if below else None
        if entry.limit is not None:
            spot = self.document.where("levels", place, "limit")
            limit, open_ended = words.level(entry.limit, entry.analyte, spot)
            if open_ended or limit <= 0 or (below and limit != number):
                raise InputError("The limit is one number above zero, and that of 'below'.", where=spot)
            if not below and number < limit:
                raise InputError("The level lies below its limit.", where=where, hint="Write 'level: below ...'.")
        return Level(0.0, entry.analyte.casefold(), None if below else number, below, limit, where)

    def _bundle(self) -> Found | None:
        if self.fields.bundle is None:
            if self.fields.zone is not None:
                place = self.document.where("zone")
                raise InputError("'zone' is for a bundle, and none is named.", where=place, hint="Leave it out.")
            return None
        from rekindle.person.fhir import read_bundle

        where = self.document.where("bundle")
        path = self.folder / self.fields.bundle
        loaded = with_place(partial(_json, name=str(path)), with_place(_bundle_text, path, where), where)
        if isinstance(loaded, dict) and "resourceType" in loaded:
            return read_bundle(loaded, str(path), self.fields.zone)
        raise InputError("The bundle is not JSON with a 'resourceType'.", where=where)

    def _events(self, path: Path | str | None, start: date) -> Found | None:
        fields = self.fields.events
        if path is None and fields is None:
            return None
        from rekindle.person.events import event_records

        chosen = Path(path) if path is not None else self.folder / (fields.file if fields else "")
        asked = fields or EventsFields(file=chosen.name)
        read: Callable[[Path], Found] = partial(event_records, start=start, fields=asked)
        return read(chosen)


def _bundle_text(path: Path) -> str:
    return read_text(path, kind="bundle", largest_bytes=LARGEST_FILE_BYTES)
