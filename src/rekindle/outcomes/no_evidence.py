"""Where there is no evidence, and the sentence that says so.

A report prints the sentence for every topic that a study touches: a named illness, an outcome that is
asked for, a horizon beyond what anyone followed.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from rekindle.errors import ModelError

LONGEST_FOLLOWED_H = 365.0 * 24.0
"""The longest follow-up with numbers in the catalogue: one year of open spray treatment (SUSTAIN-2)."""


@dataclass(frozen=True)
class Gap:
    """A topic without evidence: the words that name it, the sentence to print, the records nearest to it."""

    topic: str
    words: tuple[str, ...]
    sentence: str
    records: tuple[str, ...]


@cache
def all_gaps() -> tuple[Gap, ...]:
    """Every topic in the table, in its order.

    Raises:
        ModelError: a row lacks a topic, words or a sentence.
    """
    text = (files("rekindle.outcomes") / "data" / "gaps.csv").read_text(encoding="utf-8")
    found = []
    for row in csv.DictReader(text.splitlines()):
        if not (row["topic"] and row["words"] and row["sentence"]):
            raise ModelError(f"Incomplete row '{row['topic']}'.", where="outcomes/data/gaps.csv")
        records = tuple(name for name in row["records"].split(";") if name)
        found.append(Gap(row["topic"], tuple(row["words"].split(";")), row["sentence"], records))
    return tuple(found)


def gaps(words: Iterable[str] = (), *, horizon_h: float = 0.0) -> tuple[Gap, ...]:
    """The topics that a study touches: any of `words` names one, or the horizon goes beyond a year.

    >>> [gap.topic for gap in gaps(["pain in fibromyalgia"])]
    ['fibromyalgia']
    """
    said = [word.casefold() for word in words]
    touched = []
    for gap in all_gaps():
        named = any(word in text for word in gap.words for text in said)
        if named or (gap.topic == "years" and horizon_h > LONGEST_FOLLOWED_H):
            touched.append(gap)
    return tuple(touched)
