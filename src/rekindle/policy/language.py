"""The sentences of a policy: text to values, and every mistake shown where it is.

The grammar is `policy.lark`. `str` of a value is the way back: `parse_condition(str(condition)) == condition`.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import Any, cast

from lark import Lark
from lark.exceptions import UnexpectedInput, UnexpectedToken

from rekindle.errors import InputError, nearest
from rekindle.outcomes import SCALES
from rekindle.policy.meaning import meaning
from rekindle.policy.rules import Action, Condition, Visits

LONGEST = 1000

_WORDS = (
    "and", "or", "not", "at", "visits running", "for", "output", "peak", "lowest", "expected", "improvement", "change",
    "rise from best", "baseline", "last visit", "time since last dose", "time since start", "day", "doses given",
    "sessions skipped", "dose", "interval", "response", "remission", "relapse", "by", "always", "stopped", "chance",
    "raise", "lower", "set", "to", "up", "down", "adjust", "between", "in steps of", "lengthen", "shorten", "skip",
    "postpone", "give a session", "taper", "over", "stop", "restart", "continue", "re-induce", "with", "switch", "each",
    "session", "every", "daily", "weekly", "fortnightly", "from", "days", "weeks", "h", "mg", "mg/kg", "points", "mmHg",
)  # fmt: skip


def parse_condition(text: str) -> Condition:
    """The condition that a sentence describes.

    >>> str(parse_condition("PHQ-9 < 10 at 2 visits running"))
    'PHQ-9 < 10 at 2 visits running'

    Raises:
        InputError: what is not understood, with its column.
    """
    return cast(Condition, _parsed(text, "condition"))


def parse_action(text: str) -> Action:
    """The action that a sentence describes.

    >>> parse_action("raise dose to 84 mg")
    DoseTo(way='raise', to=Amount(value=84.0, unit='mg'))

    Raises:
        InputError: what is not understood, with its column.
    """
    return cast(Action, _parsed(text, "action"))


def parse_visits(text: str) -> Visits:
    """The visits that a phrase describes.

    >>> str(parse_visits("weekly from day 8"))
    'weekly from day 8'

    Raises:
        InputError: what is not understood, with its column.
    """
    return cast(Visits, _parsed(text, "visits"))


def parse_time(text: str) -> float:
    """A span of time in hours.

    >>> parse_time("4 weeks")
    672.0

    Raises:
        InputError: it is none.
    """
    return cast(float, _parsed(text, "time"))


def _parsed(text: str, what: str) -> Any:
    if len(text) > LONGEST:
        raise InputError(f"The sentence has {len(text)} characters.", hint=f"At most {LONGEST} are read.")
    try:
        return meaning(_grammar().parse(text, start=what))
    except UnexpectedInput as error:
        raise _explained(error, text, what) from None


@cache
def _grammar() -> Lark:
    names = sorted(SCALES, key=len, reverse=True)
    scales = "|".join(re.escape(name).replace("\\ ", "\\s+").replace("/", "\\/") for name in names)
    text = (
        (files("rekindle.policy") / "policy.lark").read_text(encoding="utf-8").replace("@SCALES@", f"({scales})(?!\\w)")
    )
    return Lark(text, parser="lalr", start=["condition", "action", "visits", "time"], maybe_placeholders=True)


def _explained(error: UnexpectedInput, text: str, what: str) -> InputError:
    """What is wrong in words: the word that does not fit, and those that it is like."""
    start = getattr(error, "pos_in_stream", None)
    ended = isinstance(error, UnexpectedToken) and error.token.type == "$END"
    if start is None or ended or not text[start:].strip():
        return InputError(f"The {what} ends too early.", where=f"'{text}'", hint=_advice(error))
    shown = re.match(r"[\w/%.-]+|.", text[start:])
    word = shown.group() if shown else text[start]
    near = nearest(word, [*_WORDS, *SCALES]) if len(word) > 2 else []
    exact = [name for name in near if name.casefold() == word.casefold()]
    hint = f"Nearest: {', '.join(near)}." if near and not exact else _advice(error)
    return InputError(f"'{word}' does not fit here.", where=f"'{text}', column {start + 1}", hint=hint)


def _advice(error: UnexpectedInput) -> str:
    """What could stand there, when that is little enough to help."""
    expected = {str(name) for name in getattr(error, "accepts", None) or getattr(error, "expected", None) or ()}
    said = {
        "SIGN": "a comparison (<, <=, >, >=, =)", "NUMBER": "a number", "DOSE_UNIT": "mg or mg/kg",
        "SCALE": "a scale", "UP": "'up to' a dose or time", "DOWN": "'down to' a dose or time", "DOSE": "'dose'",
        "NAME": "a name", "QUOTED": "a text in quotation marks", "DAY": "days", "WEEK": "weeks", "TO": "'to'",
        "BY": "'by'", "SESSIONS": "'session'", "INTERVAL": "'interval'", "RESPONSE": "'response'",
    }  # fmt: skip
    words = [phrase for name, phrase in said.items() if name in expected]
    return f"Expected {' or '.join(words)}." if 0 < len(words) <= 4 else "The grammar is in docs/policies.md."
