"""Who a person is, as their file says it: body, illnesses, what they take besides."""

from __future__ import annotations

from functools import partial

from rekindle.documents import Document
from rekindle.errors import InputError, unknown
from rekindle.person import words
from rekindle.person.fields import PersonFields
from rekindle.person.gather import Found
from rekindle.study import with_place


def who_they_are(fields: PersonFields, document: Document) -> tuple[Found, str]:
    """Covariates and modifiers that a file gives, and the population that the person belongs to.

    Raises:
        InputError: an unknown name or unit, a value out of range, or no illness that is treated.
    """
    who, where = fields.who, document.where
    found = Found()
    if who.age is not None:
        found.covariates["age_years"] = words.flag("age_years", who.age, where("who", "age"))
    if who.sex is not None:
        found.covariates["sex"] = who.sex
    for column, units in (("weight_kg", words.WEIGHT_KG), ("height_cm", words.HEIGHT_CM)):
        field = column.partition("_")[0]
        given, place = getattr(who, field), where("who", field)
        if given is not None:
            found.covariates[column] = words.flag(column, words.amount(given, units, field, place), place)
    if who.failed_treatments is not None:
        found.covariates["failed_treatments"] = float(who.failed_treatments)
    kind = _diagnoses(fields, document, found)
    for name, value in who.covariates.items():
        _once(found, name, words.flag(name, value, where("who", "covariates", name)), where("who", "covariates", name))
    _takes(fields, document, found)
    return found, kind


def _once(found: Found, name: str, value: float | str, where: str) -> None:
    if name in found.covariates:
        raise InputError(f"'{name}' is given twice.", where=where, hint="Keep one of them.")
    found.covariates[name] = value


def _diagnoses(fields: PersonFields, document: Document, found: Found) -> str:
    kinds: list[str] = []
    for place, name in enumerate(fields.who.diagnoses):
        where = document.where("who", "diagnoses", place)
        kind = words.population_of(name)
        if kind is None:
            _once(found, words.illness(name, where), 1.0, where)
            continue
        if kinds and kinds[0] != kind:
            raise InputError(
                f"Two populations are named, '{kinds[0]}' and '{kind}'.",
                where=where,
                hint="Keep the illness that is treated.",
            )
        kinds.append(kind)
    if not kinds:
        raise InputError(
            "The illness that is treated is missing.",
            where=document.where("who", "diagnoses"),
            hint=f"who: {{diagnoses: [...]}} with one of {', '.join(words.POPULATIONS)}.",
        )
    return kinds[0]


def _takes(fields: PersonFields, document: Document, found: Found) -> None:
    from rekindle.mechanism.modifiers import modifier_table
    from rekindle.study_words import package_vocabulary

    check = package_vocabulary().modifier
    for name, value in fields.takes.items():
        where = document.where("takes", name)
        if name in words.TAKEN:
            _once(found, name, words.flag(name, value, where), where)
        elif name in modifier_table():
            with_place(partial(check, name), value, where)
            found.modifiers[name] = value
        else:
            raise unknown("drug or circumstance", name, [*modifier_table(), *words.TAKEN], where=where)
