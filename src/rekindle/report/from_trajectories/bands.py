"""Lines and their ranges: how well an average is known (repeats), and how much people differ (people).

The range of an average is read where the repeats were looked at. Between two such moments the distance of each
quantile from the middle line is drawn straight, so that the range equals the repeats' quantiles at every moment and
follows the line between. It is not moved to the middle: where the central values lie at the edge of what is
plausible, the line lies at the edge of its band.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rekindle.report.bands import QUANTILES, Band

Array = NDArray[np.float64]


def average_band(
    times_h: Array,
    middle: Array,
    moments_h: Array,
    draws: Array,
    *,
    low: float = -np.inf,
    high: float = np.inf,
) -> Band:
    """The middle line at `times_h` with the quantiles of `draws` (repeats x moments), kept from `low` to `high`."""
    at_moments = np.interp(moments_h, times_h, middle)
    lines = []
    for quantile in np.quantile(draws, QUANTILES, axis=0):
        away = np.interp(times_h, moments_h, quantile - at_moments)
        lines.append(np.clip(middle + away, low, high))
    return Band(np.clip(middle, low, high), *lines)


def people_band(values: Array) -> Band:
    """The middle person and the ranges of people, from people x times."""
    return Band.from_draws(values)


def studies_band(middle: Array, draws: Array) -> Band:
    """The study's own line with the quantiles of the repeats (repeats x times) at the same times."""
    return Band.from_draws(draws, middle=middle)
