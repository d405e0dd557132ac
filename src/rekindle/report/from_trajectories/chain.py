"""What happens inside after one dose: from drug in blood to synapses and symptoms, person by person.

The strips begin with the first session of the arm in question and end at its second, or after twelve weeks. A strip's
grade is that of the weakest parameter among those that set its own size and speed; the whole curve is as good as its
weakest link.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from rekindle.report.from_trajectories.bands import Array, people_band
from rekindle.report.from_trajectories.grades import weakest
from rekindle.report.from_trajectories.sample import Sample
from rekindle.report.from_trajectories.tables import table, words
from rekindle.report.material import Strip

LONGEST_H = 12 * 168.0
FIRST_H = 1.0 / 60.0
"""The first time drawn: a log axis has no zero."""


def chain(sample: Sample) -> tuple[Strip, ...]:
    """The strips of the arm in question; none where it gives no ketamine."""
    doses = sample.doses(sample.active)
    if not doses:
        return ()
    start = doses[0].time_h
    second = next((dose.time_h for dose in doses if dose.time_h > start + 2.0), start + LONGEST_H)
    end = min(second, start + LONGEST_H, sample.study.horizon_h)
    rows = [row for row in table("links") if row["figure"] == "chain" and sample.has(row["output"])]
    return tuple(_strip(sample, row, start, end) for row in rows)


def _strip(sample: Sample, row: Mapping[str, str], start_h: float, end_h: float) -> Strip:
    places = sample.window(sample.times_h, start_h, end_h)
    hours = sample.times_h[places] - start_h
    values = scaled(row, sample.people(row["output"], sample.active.name)[:, places])
    resting = float(np.median(values[:, 0]))
    early = values[:, 0] + (values[:, 1] - values[:, 0]) * (FIRST_H / (hours[1] - hours[0]))
    times = np.concatenate([[FIRST_H], hours[1:]])
    band = people_band(np.column_stack([early, values[:, 1:]]))
    return Strip(row["output"], row["name"], row["unit"], times, band, weakest(words(row["parameters"])), resting)


def scaled(row: Mapping[str, str], values: Array) -> Array:
    """An output in the unit in which its strip is printed."""
    return values * float(row["factor"]) + float(row["offset"])
