"""Published results that seem to contradict one another, and whether the model tells them apart by their causes.

Each conflict is a handful of numbers from trials that differ in something a file says: the control, the setting, the
scale, the day. Averaging would predict them alike; a cause predicts them apart, in the published order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from itertools import combinations
from typing import Any

from rekindle.errors import ModelError
from rekindle.population.tables import rows
from rekindle.trial.score import Scored
from rekindle.trial.words import PACKAGE


@dataclass(frozen=True)
class Conflict:
    """One conflict: the question, the causes in words, and its numbers as (trial, record)."""

    name: str
    question: str
    causes: str
    numbers: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Judged:
    """A conflict beside its predictions.

    `pairs` of numbers that can be compared with each other, `in_order` of them predicted in the published order,
    `apart` the predicted over the published distance of the furthest pair, `inside` numbers in their 90 % interval.
    """

    conflict: Conflict
    numbers: tuple[Scored, ...]
    pairs: int
    in_order: int
    apart: float
    inside: int

    @property
    def verdict(self) -> str:
        """In words: by its causes, in part, or not."""
        if self.in_order < self.pairs:
            return "not told apart in the published order" if self.in_order == 0 else "in part: not every pair in order"
        if self.inside < len(self.numbers):
            return "in the published order, but a number lies outside its interval"
        return "told apart by its causes" if self.pairs else "each number in its interval"

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        numbers = [
            {"trial": each.trial, "label": each.label, "published": each.published, "median": each.median,
             "low90": each.low90, "high90": each.high90, "inside90": each.inside90}
            for each in self.numbers
        ]  # fmt: skip
        said = asdict(self.conflict) | {"numbers": numbers, "verdict": self.verdict}
        return said | {"pairs": self.pairs, "in_order": self.in_order, "apart": self.apart, "inside": self.inside}


@cache
def conflicts() -> tuple[Conflict, ...]:
    """The conflicts named in the evidence, in its order.

    Raises:
        ModelError: a malformed row.
    """
    found = []
    for row in rows("conflicts.csv", PACKAGE):
        numbers = tuple(_pair(text, row) for text in row["numbers"].split(";"))
        found.append(Conflict(row["name"], row["question"], row["causes"], numbers))
    return tuple(found)


def _pair(text: str, row: Mapping[str, str]) -> tuple[str, str]:
    trial, colon, record = text.strip().partition(":")
    if not colon:
        raise ModelError(f"'{text}' is not trial:record.", where=f"conflicts.csv, line {row['line']}")
    return trial, record


def judge(numbers: Sequence[Scored]) -> tuple[Judged, ...]:
    """The conflicts whose numbers were scored, at least two of each."""
    by_name = {(each.trial, each.record): each for each in numbers if each.quantity != "standard_deviation"}
    found = []
    for conflict in conflicts():
        own = tuple(by_name[pair] for pair in conflict.numbers if pair in by_name)
        if len(own) >= 2:
            found.append(_judged(conflict, own))
    return tuple(found)


def _judged(conflict: Conflict, own: tuple[Scored, ...]) -> Judged:
    pairs = [(a, b) for a, b in combinations(own, 2) if a.quantity == b.quantity and a.published != b.published]
    right = [(a.median - b.median) * (a.published - b.published) > 0 for a, b in pairs]
    apart = 0.0
    if pairs:
        a, b = max(pairs, key=lambda pair: abs(pair[0].published - pair[1].published))
        apart = (a.median - b.median) / (a.published - b.published)
    return Judged(conflict, own, len(pairs), sum(right), apart, sum(each.inside90 for each in own))
