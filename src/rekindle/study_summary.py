"""What is kept of a study too large to hold: summaries of every quantity over all people, arm by arm.

A quantity is named after what it is of each person: an output or a scale's expected total over `time`, a scale's
rating ("MADRS rated") over `visit`, one number a person over `person`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rekindle.errors import unknown

if TYPE_CHECKING:
    import xarray as xr

    from rekindle.engine.sketch import Sketches

Array = NDArray[np.float64]
Over = Literal["time", "visit", "person", "points"]
SHARES = (0.05, 0.25, 0.5, 0.75, 0.95)


class Quantity(NamedTuple):
    """One quantity of one arm: its name, what it runs over, and at how many points."""

    arm: str
    name: str
    over: Over
    points: int


@dataclass(frozen=True)
class StudySummary:
    """Summaries of `quantities` side by side, over the people who could be solved in every arm.

    `times_h` and `visits_h` are the hours that `time` and `visit` run over; `people` took part in all, of whom
    `solved` are counted here.
    """

    quantities: tuple[Quantity, ...]
    sketches: Sketches
    times_h: Array
    visits_h: Array
    people: int
    solved: int

    @cached_property
    def _places(self) -> dict[tuple[str, str], tuple[int, Quantity]]:
        begins = np.cumsum([0, *(quantity.points for quantity in self.quantities)])
        pairs = zip(begins, self.quantities, strict=False)
        return {(quantity.name, quantity.arm): (int(begin), quantity) for begin, quantity in pairs}

    def has(self, name: str, arm: str) -> bool:
        """Whether this quantity is kept."""
        return (name, arm) in self._places

    def of(self, name: str, arm: str) -> Sketches:
        """The summaries of one quantity of one arm, one series a point.

        Raises:
            InputError: it is not kept.
        """
        if not self.has(name, arm):
            raise unknown("quantity", name, dict.fromkeys(quantity.name for quantity in self.quantities), where=arm)
        begin, quantity = self._places[name, arm]
        return self.sketches.take(begin, begin + quantity.points)

    def mean(self, name: str, arm: str) -> Array:
        """Means over the people, shape (points,).

        Raises:
            InputError: the quantity is not kept.
        """
        return self.of(name, arm).mean

    def sd(self, name: str, arm: str) -> Array:
        """Standard deviations over the people, shape (points,).

        Raises:
            InputError: the quantity is not kept.
        """
        return self.of(name, arm).sd

    def quantiles(self, name: str, arm: str, shares: Iterable[float] = SHARES) -> Array:
        """Quantiles over the people, shape (shares, points), each wrong by at most 1/64 of its size.

        Raises:
            InputError: the quantity is not kept.
        """
        return self.of(name, arm).quantiles(tuple(shares))

    def as_dataset(self, over: Over) -> xr.Dataset:
        """Counts, means, SDs, ends and quantiles of everything over `time` or `visit`: arm x statistic x point."""
        import xarray as xr

        statistics = ["people", "mean", "SD", "lowest", "highest", *(f"quantile {share:g}" for share in SHARES)]
        arms = list(dict.fromkeys(quantity.arm for quantity in self.quantities))
        names = dict.fromkeys(quantity.name for quantity in self.quantities if quantity.over == over)
        variables = {}
        for name in names:
            tables = []
            for arm in arms:
                found = self.of(name, arm)
                plain = [found.count.astype(np.float64), found.mean, found.sd, found.low, found.high]
                tables.append(np.vstack([*plain, found.quantiles(SHARES)]))
            variables[name] = (("arm", "statistic", over), np.stack(tables))
        hours = {"time": self.times_h, "visit": self.visits_h}
        points = {over: (over, hours[over], {"units": "h"})} if over in hours else {}
        return xr.Dataset(variables, coords={"arm": arms, "statistic": statistics, **points})
