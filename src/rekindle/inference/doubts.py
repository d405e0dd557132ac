"""Doubts about a person's file and about what was learned from it, as words for a page: the gravest first, no names."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rekindle.inference.importance import TRUSTED
from rekindle.inference.update import SURPRISE, UNLIKE

if TYPE_CHECKING:
    from rekindle.inference.update import Posterior

OUTSIDE = "Outside what the model knows"
HEADS = (OUTSIDE, "To be weighed")
"""How doubts begin that name no place."""


def unlike(found: Posterior) -> str:
    """Why nothing that follows is to be relied on; empty for a person whom the model can be."""
    if found.verdict != UNLIKE:
        return ""
    more = found.person.vitals or found.person.levels
    what = "Ratings, levels or vital signs" if more else "Ratings"
    why = (
        f"{what} as odd as these have a chance of {_rare(found.surprise)} in it."
        if found.surprise < SURPRISE
        else "Hardly any of the candidates tried comes near what was seen of this person."
    )
    return f"{why} Do not rely on what follows."


def _rare(chance: float) -> str:
    if chance < 1e-6:
        return "less than one in a million"
    return f"{10_000 * chance:.0f} in 10,000" if chance >= 1e-4 else "less than 1 in 10,000"


def heavy_tail(found: Posterior) -> str:
    """Words for weights that are hardly to be trusted; empty where they are."""
    if found.verdict == UNLIKE or found.pareto_k <= TRUSTED:
        return ""
    k = f"Pareto k {found.pareto_k:.2f}, above {TRUSTED:g}"
    return (
        f"Few candidates come near this person ({k}): chances and the ends "
        "of bands may be off. More candidates may help."
    )


def ordered(notes: Sequence[str]) -> tuple[str, ...]:
    """Doubts about a file without its name: what lies outside the model first, then what is to be weighed."""
    rank = {head: place for place, head in enumerate(HEADS)}
    return tuple(
        placeless(note) for note in sorted(notes, key=lambda note: rank.get(note.partition(": ")[0], len(HEADS)))
    )


def placeless(note: str) -> str:
    """A doubt about a person's file without the name of that file, which may say who the person is.

    >>> placeless("notes/jane.yaml, line 7, ratings[2]: it counts once.")
    'Line 7 of the file: it counts once.'
    >>> placeless("To be weighed: the person is 81 years old.")
    'To be weighed: the person is 81 years old.'
    """
    head, mark, rest = note.partition(": ")
    if not mark or head in HEADS:
        return note
    line = re.search(r"\bline (\d+)", head)
    return f"Line {line[1]} of the file: {rest}" if line else rest[:1].upper() + rest[1:]
