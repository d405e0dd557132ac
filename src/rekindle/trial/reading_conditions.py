"""Conditions on a person in a trial file, with their times on the clock of the trial; and the names of scales."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from rekindle.documents import Document
from rekindle.errors import InputError, unknown
from rekindle.study import with_place
from rekindle.study_words import Vocabulary
from rekindle.trial.design import Condition
from rekindle.trial.fields import ConditionFields


def known_scale(name: str, words: Vocabulary, where: str) -> str:
    """The known spelling of a scale that the model has.

    Raises:
        InputError: no such scale, or one that only other trials use.
    """
    from rekindle.trial.words import other_scales

    known = {each.casefold(): each for each in words.scales}
    if name.casefold() in known:
        return known[name.casefold()]
    if name.casefold() in {other.casefold() for other in other_scales()}:
        raise InputError(
            f"The model has no '{name}'.",
            where=where,
            hint="Name it with the numbers that are on it; they are shown, not scored.",
        )
    raise unknown("scale", name, [*words.scales, *other_scales()], where=where)


STATES = ("response", "no_response", "remission", "no_remission")
GOES_WITH: Mapping[str, tuple[str, ...]] = {
    "response": ("share", "stage"),
    "no_response": ("share", "stage"),
    "remission": ("at_most", "stage"),
    "no_remission": ("at_most", "stage"),
    "score": ("time", "at_least", "at_most", "stage"),
    "column": ("at_least", "at_most", "is_"),
}
"""What each kind of condition may say besides."""


def read_condition(
    given: ConditionFields,
    starts: Mapping[str, float],
    document: Document,
    place: tuple[str | int, ...],
    words: Vocabulary,
) -> Condition:
    """A condition with its times on the clock of the trial.

    Raises:
        InputError: not exactly one thing is asked, or a name, time or limit is missing or unknown.
    """
    where = document.where(*place)
    asked = [name for name in (*STATES, "column", "score") if getattr(given, name) is not None]
    if len(asked) != 1:
        known = ", ".join((*STATES, "column", "score"))
        raise InputError(f"A condition asks for exactly one of {known}.", where=where)
    offset = 0.0
    if given.stage is not None:
        if given.stage not in starts:
            raise unknown("stage", given.stage, starts, where=document.where(*place, "stage"))
        offset = starts[given.stage]
    kind = asked[0]
    for name in ("time", "at_least", "at_most", "is_", "share", "stage"):
        if getattr(given, name) is not None and name not in GOES_WITH.get(kind, ()):
            plain = name.rstrip("_")
            raise InputError(
                f"'{plain}' does not go with a condition on {kind.replace('_', ' ')}.",
                where=document.where(*place, plain),
                hint=f"It takes {', '.join(each.rstrip('_') for each in GOES_WITH[kind])}.",
            )
    if given.at_least is not None and given.at_most is not None and given.at_least > given.at_most:
        raise InputError("No number is so large and so small.", where=document.where(*place, "at_most"))
    if kind in STATES:
        times = tuple(offset + time for time in getattr(given, kind))
        return Condition(kind, times, at_most=given.at_most, share=given.share)
    limited = given.at_least is not None or given.at_most is not None
    if kind == "score":
        if given.time is None or not limited:
            raise InputError("A score needs a time, and at_least or at_most.", where=where)
        name = known_scale(str(given.score), words, document.where(*place, "score"))
        return Condition("score", (offset + given.time,), name, given.at_least, given.at_most)
    column = str(given.column)
    if column not in words.columns:
        raise unknown("column", column, words.columns, where=document.where(*place, "column"))
    allowed = words.columns[column]
    if allowed:
        if given.is_ is None or limited:
            raise InputError(f"'{column}' needs a word.", where=where, hint=f"is: {' or '.join(allowed)}")
        with_place(partial(_known_word, column, allowed), given.is_, document.where(*place, "is"))
        return Condition("column", (), column, word=given.is_)
    if not limited or given.is_ is not None:
        raise InputError(f"'{column}' needs at_least or at_most.", where=where)
    return Condition("column", (), column, given.at_least, given.at_most)


def _known_word(column: str, allowed: tuple[str, ...], word: str) -> None:
    if word not in allowed:
        raise unknown(f"value of {column}", word, allowed)
