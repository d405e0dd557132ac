"""Dosing sentences: from what a clinician would say to a course, and every mistake shown where it is.

`parse` reads a sentence such as "0.5 mg/kg IV over 40 min, twice a week for 4 weeks, then weekly for 4 weeks".
The grammar is `sentence.lark`; it finds the items of a sentence, and `phrases` says what they mean together.
`str(course)` is the way back. Case does not matter.
"""

from __future__ import annotations

import re
from contextlib import suppress
from functools import cache, lru_cache
from importlib.resources import files

from lark import Lark, Token
from lark.exceptions import UnexpectedCharacters, UnexpectedEOF, UnexpectedInput, UnexpectedToken

from rekindle.dosing.course import Course
from rekindle.dosing.mistakes import SentenceError, strange_word
from rekindle.dosing.phrases import course_from

LONGEST_SENTENCE = 4000

_EXPECTED = {
    "DOSE_UNIT": "a unit of dose (mg, mg/kg)",
    "MINUTE": "a unit of time (min, h, days, weeks)",
    "NUMBER": "a number",
    "SESSIONS": '"sessions"',
    "CLOCK": "a time of day (09:00)",
    "_A": '"a week" or "a day"',
    "_OF": '"of"',
}


def parse(text: str) -> Course:
    """The course that a sentence describes.

    >>> print(parse("84 mg intranasal esketamine on days 1, 4 and 8"))
    84 mg intranasal esketamine, days 1, 4, 8

    Raises:
        SentenceError: (an `InputError`) what is wrong, at which column, and what would be right.
    """
    if not text.strip():
        raise SentenceError("The dosing sentence is empty.", text, 0, hint='Say "no treatment" if that is meant.')
    if len(text) > LONGEST_SENTENCE:
        raise SentenceError(
            f"The dosing sentence has {len(text)} characters.", text[:40], 0,
            hint=f"At most {LONGEST_SENTENCE} are read; combine courses in Python.",
        )  # fmt: skip
    return _course(text)


@lru_cache(maxsize=512)
def _course(text: str) -> Course:
    """The course of a sentence, read once: one person's doses and options say the same again and again."""
    folded = "".join(c.lower() if len(c.lower()) == 1 else c for c in text)
    try:
        tree = _grammar().parse(folded)
    except UnexpectedInput as error:
        raise _explained(error, text, folded) from None
    return course_from(tree, text)


@cache
def _grammar() -> Lark:
    rules = files("rekindle.dosing").joinpath("sentence.lark").read_text(encoding="utf-8")
    return Lark(rules, parser="lalr", lexer="basic", propagate_positions=True, maybe_placeholders=False)


def _explained(error: UnexpectedInput, text: str, folded: str) -> SentenceError:
    word = _first_stranger(folded, before=getattr(error, "pos_in_stream", None))
    if word is not None and not (isinstance(error, UnexpectedToken) and error.token.type == "WORD"):
        start = word.start_pos or 0
        return strange_word(text[start : start + len(word)], text, start)
    if isinstance(error, UnexpectedCharacters):
        start = error.pos_in_stream or 0
        return SentenceError(
            f"Cannot read '{text[start]}' here.",
            text,
            start,
            hint="Use words, numbers and plain punctuation.",
        )
    if isinstance(error, UnexpectedToken) and error.token.type != "$END":
        return _unexpected(error.token, set(error.accepts or error.expected), text, folded)
    expected = set(error.accepts or error.expected) if isinstance(error, UnexpectedToken) else set()
    if isinstance(error, UnexpectedEOF):
        expected = set(error.expected)
    return SentenceError("The sentence ends too early.", text, len(text.rstrip()), hint=_expectation(expected) or None)


def _first_stranger(folded: str, *, before: int | None) -> Token | None:
    """The first word, up to a place in the sentence, that the grammar does not know.

    It is most often why the parser stopped later on. A word right before a unit is a number gone wrong, which has a
    message of its own.
    """
    found: Token | None = None
    with suppress(UnexpectedInput):
        for token in _grammar().lex(folded):
            if found is not None:
                return None if token.type == "DOSE_UNIT" and token.start_pos == before else found
            if before is not None and (token.start_pos or 0) >= before:
                return None
            found = token if token.type == "WORD" else None
    return found


def _unexpected(token: Token, expected: set[str], text: str, folded: str) -> SentenceError:
    start = token.start_pos or 0
    shown = text[start : start + len(token)]
    comma = re.search(r"\d\s*,\s*$", folded[:start])
    if token.type == "NUMBER" and comma is not None:
        return SentenceError(
            f"Two numbers, '{folded[comma.start()]}' and '{shown}', with a comma between.",
            text, comma.start(), hint="Write decimals with a point: 0.5.",
        )  # fmt: skip
    if token.type == "DOSE_UNIT":
        word = re.search(r"(\S+)\s*$", folded[:start])
        return SentenceError(
            f"'{word[1]}' is not a number." if word else f"'{shown}' has no number.",
            text, word.start(1) if word else start, hint='A dose is a number and a unit: "0.5 mg/kg".',
        )  # fmt: skip
    if token.type == "WORD":
        return strange_word(shown, text, start, expected=_expectation(expected))
    return SentenceError(f"'{shown}' does not fit here.", text, start, hint=_expectation(expected) or None)


def _expectation(expected: set[str]) -> str:
    """What could stand there, said only when it is little enough to help."""
    if "WORD" in expected or "ROUTE" in expected:
        return "" if "_THEN" in expected else "Expected a dose, a drug, a route, or when it is given."
    if "DAY" in expected and "MINUTE" not in expected:
        return 'Expected a day, for example "day 15".'
    words = [said for name, said in _EXPECTED.items() if name in expected]
    return f"Expected {' or '.join(words)}." if words else ""
