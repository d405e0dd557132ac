"""The words of a filter: what a user calls a drug or a route, and what the tables call it."""

from __future__ import annotations

from collections.abc import Iterable

from rekindle.errors import unknown
from rekindle.evidence.record import Record

_ORAL_ANTIDEPRESSANTS = ("SSRI", "citalopram", "antidepressant (any)", "duloxetine/SSRI", "desvenlafaxine")
DRUG_WORDS: dict[str, tuple[str, ...]] = {
    "ketamine": ("racemic-ketamine",),
    "placebo-spray": ("placebo",),
    "saline": ("placebo",),
    "ect": ("ECT",),
    "oral-antidepressant": _ORAL_ANTIDEPRESSANTS,
    "hydroxynorketamine": ("hydroxynorketamine", "(2R,6R)-hydroxynorketamine"),
    "norketamine": ("norketamine", "(S)-norketamine", "(R)-norketamine"),
}
ROUTE_WORDS: dict[str, tuple[str, ...]] = {
    "intramuscular": ("im",),
    "sublingual-film": ("sublingual",),
    "sublingual-lozenge": ("sublingual",),
    "intranasal-device": ("intranasal",),
    "oral-extended-release": ("oral",),
}
"""`inhaled` has no entry: the tables hold it in the dose, with the route `none`."""


def drug_names(word: str, known: Iterable[str]) -> tuple[str, ...]:
    """The tables' names for a drug as the user writes it.

    Raises:
        InputError: no record is about such a drug; the nearest names are offered.
    """
    return _names("drug", word, DRUG_WORDS, known)


def route_matches(record: Record, names: Iterable[str]) -> bool:
    """Whether the record was measured on one of the routes; `inhaled` is read from the dose."""
    return any(record.route == name or (name == "inhaled" and "inhaled" in record.dose.casefold()) for name in names)


def route_names(word: str, known: Iterable[str]) -> tuple[str, ...]:
    """The tables' names for a route as the user writes it.

    Raises:
        InputError: no record is about such a route; the nearest names are offered.
    """
    return _names("route", word, ROUTE_WORDS, [*known, "inhaled"])


def _names(kind: str, word: str, words: dict[str, tuple[str, ...]], known: Iterable[str]) -> tuple[str, ...]:
    folded: dict[str, tuple[str, ...]] = {name.casefold(): (name,) for name in known}
    folded.update({name.casefold(): names for name, names in words.items()})
    if word.casefold() not in folded:
        raise unknown(kind, word, [*folded], where="evidence")
    return folded[word.casefold()]
