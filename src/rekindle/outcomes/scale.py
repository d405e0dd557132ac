"""A rating scale: items, each a rising (or falling) function of the latent states it measures.

An item's latent is a weighted sum of the mechanism's outputs, cut to 0-1. Its expected score runs from
`at_zero` to `at_one` along

    share = s + lean s (1 - s),   s = x^steepness / (x^steepness + (difficulty (1 - x))^steepness)

so that with steepness and difficulty 1 and no lean the score is proportional to the latent; the log-odds of s
are linear in those of x, as in a graded response. Leans whose weighted sum is zero shape the profile of the
items and leave the expected total alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rekindle.errors import InputError, unknown

Array = NDArray[np.float64]


class Curve(NamedTuple):
    """How an item's share rises with its latent; steepness 1 and difficulty 1 is a straight line."""

    steepness: float = 1.0
    difficulty: float = 1.0


STRAIGHT = Curve()


@dataclass(frozen=True)
class Item:
    """One item: what it measures (`inputs`, name to weight), its integer range, and its curve.

    `text` is what the patient reads and is there only where the licence allows it.
    """

    name: str
    inputs: Mapping[str, float]
    maximum: float
    minimum: float = 0.0
    at_zero: float | None = None
    at_one: float | None = None
    curve: Curve = STRAIGHT
    lean: float = 0.0
    text: str | None = None

    @property
    def ends(self) -> tuple[float, float]:
        """Expected score when the latent is 0 and when it is 1."""
        low = self.minimum if self.at_zero is None else self.at_zero
        high = self.maximum if self.at_one is None else self.at_one
        return low, high

    def expected(self, latent: Array) -> Array:
        """Expected score at the item's latent (0-1, any shape; what lies beyond is cut)."""
        inside = np.clip(latent, 0.0, 1.0)
        if self.curve == STRAIGHT:
            share = inside
        else:
            up = inside**self.curve.steepness
            share = up / (up + (self.curve.difficulty * (1.0 - inside)) ** self.curve.steepness)
        share = share + self.lean * share * (1.0 - share)
        low, high = self.ends
        return np.asarray(low + (high - low) * share)


@dataclass(frozen=True)
class Line:
    """A line that defines an endpoint on a scale: at most (or below) a value, and who said so."""

    name: str
    comparison: str
    value: float
    record: str
    reason: str

    def holds(self, totals: Array) -> NDArray[np.bool_]:
        """Where a total satisfies the line; a missing total (NaN) does not."""
        value = self.value
        return np.asarray(
            {"<=": totals <= value, "<": totals < value, ">=": totals >= value, ">": totals > value}[self.comparison]
        )


@dataclass(frozen=True)
class Scale:
    """A scale: its items, its rating error and its lines.

    `error_sd` is the standard deviation of one rating's error in points of the total, mid-range; `halo` the
    correlation of the error between items of one rating. `person_inputs` are inputs that come from the person
    (a baseline), the rest come from the mechanism. `better` says whether lower or higher is better;
    `remission` holds the lines that mean being well (the first is the usual one), `events` lines that mean
    something else. `response` is the share of the way from baseline to the best score that counts as a
    response.
    """

    name: str
    title: str
    measures: str
    rated_by: str
    items: tuple[Item, ...]
    error_sd: float
    error_record: str
    error_reason: str
    level_records: tuple[str, ...]
    level_reason: str
    licence: str
    halo: float = 0.2
    unit: str = "points"
    better: str = "lower"
    response: float | None = 0.5
    remission: tuple[Line, ...] = ()
    events: tuple[Line, ...] = ()
    person_inputs: tuple[str, ...] = ()

    @property
    def minimum(self) -> float:
        """Smallest possible total."""
        return float(sum(item.minimum for item in self.items))

    @property
    def maximum(self) -> float:
        """Largest possible total."""
        return float(sum(item.maximum for item in self.items))

    @property
    def inputs(self) -> tuple[str, ...]:
        """Everything that the items need, mechanism and person, in order of first use."""
        return tuple(dict.fromkeys(name for item in self.items for name in item.inputs))

    @property
    def latents(self) -> tuple[str, ...]:
        """What the items need from the mechanism."""
        return tuple(name for name in self.inputs if name not in self.person_inputs)

    def expected_items(self, latents: Mapping[str, Array], person: Mapping[str, Array] | None = None) -> Array:
        """Expected item scores, shape people x times x items.

        `latents` holds arrays of people x times, `person` one value a person.

        Raises:
            InputError: a latent or a person's value is missing or has the wrong shape.
        """
        values = self._gather(latents, person or {})
        scores = []
        for item in self.items:
            latent = sum(weight * values[name] for name, weight in item.inputs.items())
            scores.append(item.expected(np.asarray(latent)))
        return np.stack(np.broadcast_arrays(*scores), axis=-1)

    def expected(self, latents: Mapping[str, Array], person: Mapping[str, Array] | None = None) -> Array:
        """Expected totals, shape people x times.

        Raises:
            InputError: as `expected_items`.
        """
        return np.asarray(self.expected_items(latents, person).sum(axis=-1))

    def _gather(self, latents: Mapping[str, Array], person: Mapping[str, Array]) -> dict[str, Array]:
        found: dict[str, Array] = {}
        for name in self.inputs:
            source = person if name in self.person_inputs else latents
            if name not in source:
                kind = "person's value" if name in self.person_inputs else "latent"
                raise unknown(kind, name, source, where=f"scale {self.name}")
            values = np.asarray(source[name], dtype=np.float64)
            wanted = 1 if name in self.person_inputs else 2
            if values.ndim != wanted:
                shape = "one value a person" if wanted == 1 else "people x times"
                raise InputError(f"'{name}' has {values.ndim} dimensions.", where=f"scale {self.name}", hint=shape)
            found[name] = values[:, None] if wanted == 1 else values
        if len({len(values) for values in found.values()}) > 1:
            raise InputError("The inputs are for different numbers of people.", where=f"scale {self.name}")
        return found

    def line(self, name: str | None = None) -> Line:
        """The remission line of a name; the first when none is given.

        Raises:
            InputError: the scale has no such line.
        """
        for line in self.remission:
            if name is None or line.name == name:
                return line
        raise unknown("remission line", name or "any", [line.name for line in self.remission], where=self.name)
