"""What happens inside after one dose: from drug in blood to synapses and symptoms, person by person.

The strips begin with the first session of the arm in question and end at its second, or after twelve weeks. A strip's
grade is that of the weakest parameter among those that set its own size and speed; the whole curve is as good as its
weakest link.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields

import numpy as np

from rekindle.report.bands import Band
from rekindle.report.from_trajectories.bands import Array
from rekindle.report.from_trajectories.grades import weakest
from rekindle.report.from_trajectories.sample import Index, Sample, summary_band
from rekindle.report.from_trajectories.tables import table, words
from rekindle.report.material import Strip

LONGEST_H = 12 * 168.0
FIRST_H = 1.0 / 60.0
"""The first time drawn: a log axis has no zero."""


def chain(sample: Sample) -> tuple[Strip, ...]:
    """The strips of the arm in question; none where it gives no ketamine."""
    if not sample.doses(sample.active):
        return ()
    places, start = stretch(sample)
    return tuple(_strip(sample, row, places, start) for row in chain_rows(sample))


def chain_rows(sample: Sample) -> list[Mapping[str, str]]:
    """The rows of the table whose output the result holds."""
    return [row for row in table("links") if row["figure"] == "chain" and sample.has(row["output"])]


def stretch(sample: Sample) -> tuple[Index, float]:
    """Places of the times from the first dose of the arm in question to its second, and the hour of the first."""
    doses = sample.doses(sample.active)
    start = doses[0].time_h
    second = next((dose.time_h for dose in doses if dose.time_h > start + 2.0), start + LONGEST_H)
    end = min(second, start + LONGEST_H, sample.study.horizon_h)
    return sample.window(sample.times_h, start, end), start


def _strip(sample: Sample, row: Mapping[str, str], places: Index, start_h: float) -> Strip:
    hours = sample.times_h[places] - start_h
    times = np.concatenate([[FIRST_H], hours[1:]])
    output, unit = row["output"], (float(row["factor"]), float(row["offset"]))
    whole = sample.course_band(output, sample.active.name, places, *unit)
    if sample.summary is None:
        first = Band.from_draws((early(sample, output, places) * unit[0] + unit[1])[:, None])
    else:
        first = summary_band(sample.summary, f"early {output}", sample.active.name, *unit)
    lines = [np.concatenate([getattr(first, line.name), getattr(whole, line.name)[1:]]) for line in fields(Band)]
    grade = weakest(words(row["parameters"]))
    return Strip(output, row["name"], row["unit"], times, Band(*lines), grade, float(whole.middle[0]))


def early(sample: Sample, output: str, places: Index) -> Array:
    """An output a minute after the dose, one a person, on the line to the next time looked at."""
    values = sample.people(output, sample.active.name)[:, places[:2]]
    hours = sample.times_h[places[:2]]
    return np.asarray(values[:, 0] + (values[:, 1] - values[:, 0]) * (FIRST_H / (hours[1] - hours[0])))
