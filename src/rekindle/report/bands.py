"""A number, or a line over time, with its half (25 to 75 %) and nine-in-ten (5 to 95 %) ranges."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
QUANTILES = (0.05, 0.25, 0.75, 0.95)
_SLACK = 1e-9


@dataclass(frozen=True)
class Interval:
    """One number with its half (25 to 75 %) and nine-in-ten (5 to 95 %) ranges."""

    middle: float
    low90: float
    low50: float
    high50: float
    high90: float

    def __post_init__(self) -> None:
        ends = (self.low90, self.low50, self.high50, self.high90)
        if not np.all(np.isfinite((self.middle, *ends))):
            raise ValueError(f"an interval must be finite: {self}")
        if any(after < before - _SLACK * max(1.0, abs(before)) for before, after in pairwise(ends)):
            raise ValueError(f"the ends of an interval must not fall: {self}")

    @classmethod
    def from_draws(cls, draws: ArrayLike, middle: float | None = None) -> Interval:
        """Quantiles of `draws` (one value a draw); the middle is their median unless given."""
        values = np.asarray(draws, dtype=float)
        low90, low50, high50, high90 = (float(v) for v in np.quantile(values, QUANTILES))
        return cls(float(np.median(values)) if middle is None else float(middle), low90, low50, high50, high90)

    def times(self, factor: float) -> Interval:
        """The same interval in another unit; `factor` must be positive."""
        return Interval(
            self.middle * factor,
            self.low90 * factor,
            self.low50 * factor,
            self.high50 * factor,
            self.high90 * factor,
        )

    @property
    def spans_zero(self) -> bool:
        """Whether zero lies within the nine-in-ten range."""
        return self.low90 <= 0.0 <= self.high90


@dataclass(frozen=True)
class Band:
    """A line over time with its half and nine-in-ten ranges; every array has the shape of the times."""

    middle: Floats
    low90: Floats
    low50: Floats
    high50: Floats
    high90: Floats

    def __post_init__(self) -> None:
        arrays = {name: np.asarray(getattr(self, name), dtype=float) for name in self.__dataclass_fields__}
        if len({array.shape for array in arrays.values()}) != 1 or arrays["middle"].ndim != 1:
            raise ValueError("the five lines of a band must be one-dimensional and equally long")
        for name, array in arrays.items():
            if not np.all(np.isfinite(array)):
                raise ValueError(f"'{name}' of a band holds a value that is not finite")
            object.__setattr__(self, name, array)
        ends = [arrays[name] for name in ("low90", "low50", "high50", "high90")]
        for before, after in pairwise(ends):
            if np.any(after < before - _SLACK * np.maximum(1.0, np.abs(before))):
                raise ValueError("the quantiles of a band cross")

    @classmethod
    def from_draws(cls, draws: ArrayLike, middle: ArrayLike | None = None) -> Band:
        """Quantiles over the first axis of `draws` (draws x times); the middle is their median unless
        given.
        """
        values = np.asarray(draws, dtype=float)
        low90, low50, high50, high90 = np.quantile(values, QUANTILES, axis=0)
        line = np.median(values, axis=0) if middle is None else np.asarray(middle, dtype=float)
        return cls(line, low90, low50, high50, high90)

    @classmethod
    def from_quantiles(cls, quantiles: ArrayLike, middle: ArrayLike | None = None) -> Band:
        """From the rows 5, 25, 50, 75 and 95 % (5 x times); the middle is the 50 % row unless given."""
        low90, low50, median, high50, high90 = np.asarray(quantiles, dtype=float)
        return cls(median if middle is None else np.asarray(middle, dtype=float), low90, low50, high50, high90)

    def at(self, times_h: Floats, hour: float) -> Interval:
        """The interval at one time, by linear interpolation between the band's times."""
        return Interval(*(float(np.interp(hour, times_h, line)) for line in self.lines()))

    def lines(self) -> tuple[Floats, Floats, Floats, Floats, Floats]:
        """Middle, low 90, low 50, high 50, high 90, in that order."""
        return self.middle, self.low90, self.low50, self.high50, self.high90

    def times(self, factor: float) -> Band:
        """The same band in another unit; `factor` must be positive."""
        return Band(*(line * factor for line in self.lines()))
