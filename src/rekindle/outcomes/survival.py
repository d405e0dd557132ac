"""Keeping what was reached: the Kaplan-Meier estimate of the share still without the event, and its median.

Kaplan and Meier 1958 (doi:10.1080/01621459.1958.10501452); variance by Greenwood, interval on the
complementary log-log scale, which stays between 0 and 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rekindle.errors import InputError

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Survival:
    """Steps: at `time_h` (event times, from 0) the share `kept`, with its interval and those at risk."""

    time_h: Array
    kept: Array
    low: Array
    high: Array
    at_risk: NDArray[np.int64]

    def at(self, time_h: float) -> float:
        """Share still without the event at a time."""
        return float(self.kept[np.searchsorted(self.time_h, time_h, side="right") - 1])

    @property
    def median_h(self) -> float:
        """First time at which half or fewer are without the event; infinite when more are left to the end."""
        below = np.flatnonzero(self.kept <= 0.5 + 1e-12)
        return float(self.time_h[below[0]]) if len(below) else float("inf")


def kaplan_meier(time_h: Array, observed: NDArray[np.bool_], *, level: float = 0.95) -> Survival:
    """The estimate from times (shape people) and whether the event was seen; NaN times are left out.

    Raises:
        InputError: no times, a negative time, or a level outside 0-1.
    """
    from scipy.special import ndtri

    times, events = np.asarray(time_h, dtype=np.float64), np.asarray(observed, dtype=bool)
    events, times = events[np.isfinite(times)], times[np.isfinite(times)]
    if len(times) == 0 or np.any(times < 0) or not 0 < level < 1:
        raise InputError("Needs times from 0 on and a level between 0 and 1.", where="Kaplan-Meier")
    steps = np.unique(times[events])
    at_risk = np.array([(times >= step).sum() for step in steps], dtype=np.int64)
    died = np.array([((times == step) & events).sum() for step in steps], dtype=np.int64)
    kept = np.asarray(np.cumprod(1.0 - died / at_risk), dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        greenwood = np.cumsum(died / (at_risk * (at_risk - died)))
        spread = float(ndtri(0.5 + level / 2.0)) * np.sqrt(greenwood) / np.abs(np.log(kept))
        low, high = kept ** np.exp(spread), kept ** np.exp(-spread)
    low, high = (np.where(kept > 0, end, 0.0).astype(np.float64) for end in (low, high))
    if len(steps) and steps[0] == 0.0:
        return Survival(steps, kept, low, high, at_risk)
    one = np.ones(1)
    everyone = np.array([len(times)], dtype=np.int64)
    return Survival(
        np.concatenate([[0.0], steps]),
        np.concatenate([one, kept]),
        np.concatenate([one, low]),
        np.concatenate([one, high]),
        np.concatenate([everyone, at_risk]),
    )
