"""Harms on one footing with benefits: what share of people have each, in the first session, the course, by month.

What a harm counts as, its line and its record stand in `data/harms.csv`. A month is reached when the run covers nine
tenths of it; beyond the run, and beyond what anyone followed, nothing is said but why.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from rekindle.outcomes import SCALES
from rekindle.report.bands import Interval
from rekindle.report.from_trajectories.bands import Array
from rekindle.report.from_trajectories.grades import weakest
from rekindle.report.from_trajectories.sample import Sample, compared, measured
from rekindle.report.from_trajectories.session import session_end_h
from rekindle.report.from_trajectories.tables import table, words
from rekindle.report.material import Harm, HarmPeriod
from rekindle.report.numerals import HOURS_A_MONTH, lasting, when
from rekindle.study import Arm

Row = Mapping[str, str]
Places = NDArray[np.intp]
MONTHS = (1, 3, 6, 12)
COVERED = 0.9
"""Share of a period that the run must cover for the period to count as followed."""


def harms(sample: Sample) -> tuple[Harm, ...]:
    """Every harm of the table that the result can tell."""
    return tuple(_harm(sample, row) for row in harm_rows(sample))


def harm_rows(sample: Sample) -> tuple[Row, ...]:
    """The rows of the table whose source the result holds."""
    found = []
    for row in table("harms"):
        source = row["source"]
        needed = SCALES[source].latents if source in SCALES else (source,)
        if sample.has(*needed):
            found.append(row)
    return tuple(found)


def _harm(sample: Sample, row: Row) -> Harm:
    periods = _session_periods(sample, row) if row["periods"] == "session" else _month_periods(sample, row)
    words_said = row["definition"].rstrip(".")
    definition = f"{words_said[:1].lower()}{words_said[1:]} ({row['record']})"
    return Harm(row["key"], row["name"], definition, weakest(words(row["parameters"])), periods)


def _session_periods(sample: Sample, row: Row) -> tuple[HarmPeriod, ...]:
    """The first session, and the whole course as far as the run goes."""
    first = {arm.name: share(sample, row, arm, session_end_h(sample, start_h(sample, arm))) for arm in sample.arms}
    whole = {arm.name: share(sample, row, arm, sample.study.horizon_h) for arm in sample.arms}
    if max((len(sample.sessions(arm)) for arm in sample.arms), default=0) < 2:
        return (HarmPeriod("first session", first),)
    return (HarmPeriod("first session", first), HarmPeriod("whole course", whole))


def told_hours(sample: Sample, row: Row, arm: Arm) -> tuple[float, ...]:
    """The hours until which the arm's share of a harm is told."""
    horizon = sample.study.horizon_h
    if row["periods"] == "session":
        return tuple(dict.fromkeys((session_end_h(sample, start_h(sample, arm)), horizon)))
    return tuple(dict.fromkeys(min(hour, horizon) for hour in month_marks(sample)))


def month_marks(sample: Sample) -> dict[float, str]:
    """The months of the table and the end of the run, where that is none of them, each with its name."""
    horizon = sample.study.horizon_h
    marks = {months * HOURS_A_MONTH: f"{months} month" if months == 1 else f"{months} months" for months in MONTHS}
    if not any(COVERED * hour <= horizon <= hour / COVERED for hour in marks):
        marks[horizon] = when(horizon)
    return marks


def _month_periods(sample: Sample, row: Row) -> tuple[HarmPeriod, ...]:
    """The months that are told, in order."""
    marks = month_marks(sample)
    return tuple(_month_period(sample, row, hour, marks[hour]) for hour in sorted(marks))


def _month_period(sample: Sample, row: Row, hour: float, label: str) -> HarmPeriod:
    """One stretch, empty with its reason beyond the run and beyond what anyone followed."""
    horizon, longest = sample.study.horizon_h, float(row["longest_h"])
    why = ""
    if horizon < COVERED * hour:
        why = f"this run ends after {lasting(horizon)}"
    elif longest < COVERED * hour:
        why = f"no one has followed this beyond {lasting(longest)}"
    if why:
        return HarmPeriod(label, {arm.name: None for arm in sample.arms}, why)
    return HarmPeriod(label, _shares(sample, row, min(hour, horizon)))


def _shares(sample: Sample, row: Row, until_h: float) -> dict[str, Interval | None]:
    return {arm.name: share(sample, row, arm, until_h) for arm in sample.arms}


def start_h(sample: Sample, arm: Arm) -> float:
    """Hour of the arm's first supervised session; 0 without one."""
    return min((session.time_h for session in sample.sessions(arm)), default=0.0)


def share(sample: Sample, row: Row, arm: Arm, until_h: float) -> Interval:
    """The share of an arm's people with the harm until an hour, with the ranges of the repeats."""
    return measured(central(sample, row, arm, until_h), draws(sample, row, arm, until_h))


def difference(sample: Sample, row: Row, until_h: float) -> Interval | None:
    """Active less comparator, paired by repeat; None without a second arm."""
    arms = {arm.name: arm for arm in sample.arms}
    return compared(
        sample,
        lambda name: central(sample, row, arms[name], until_h),
        lambda name: draws(sample, row, arms[name], until_h),
    )


def central(sample: Sample, row: Row, arm: Arm, until_h: float) -> float:
    """The share in the study itself, at the moments at which the repeats are looked at."""
    key = f"{row['key']} until {until_h:g} h"
    return float(sample.averages(key, arm.name, lambda: _each_person(sample, row, arm, until_h)))


def _each_person(sample: Sample, row: Row, arm: Arm, until_h: float) -> Array:
    """Whether (or how likely) each person of the study itself has the harm until an hour, shape people."""
    among = sample.places(sample.times_h, sample.moments_h)
    source = row["source"]
    values = sample.people_expected(source, arm.name) if source in SCALES else sample.people(source, arm.name)
    return _per_person(sample, row, arm, values[:, among], until_h)


def draws(sample: Sample, row: Row, arm: Arm, until_h: float) -> Array:
    """The share in every repeat, shape repeats."""
    if sample.drawn is not None:
        return sample.drawn_averages(_each_person(sample, row, arm, until_h))
    source = row["source"]
    scale = SCALES.get(source)
    values = sample.repeats(source, arm.name) if scale is None else sample.repeats_expected(scale, arm.name)
    flat = values.reshape(-1, values.shape[-1])
    held = _per_person(sample, row, arm, flat, until_h)
    return np.asarray(held.reshape(values.shape[:2]).mean(axis=1))


def _per_person(sample: Sample, row: Row, arm: Arm, values: Array, until_h: float) -> Array:
    """Whether (or how likely) each person has the harm until an hour, from people x moments."""
    places = sample.window(sample.moments_h, 0.0, until_h)
    measure = row["measure"]
    if measure == "chance":
        return np.asarray(values[:, places].max(axis=1))
    line = float(row["line"])
    extreme = values[:, places].max(axis=1) if measure == "peak" else values[:, places].min(axis=1)
    held = {">": extreme > line, ">=": extreme >= line, "<": extreme < line}[row["comparison"]]
    return np.asarray(held, dtype=np.float64)
