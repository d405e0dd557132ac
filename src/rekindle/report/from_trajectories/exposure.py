"""What the blood saw: peak, its time, area, half-life and trough of ketamine, person by person.

The averages are over the people; their ranges come from people drawn again, since the repeats do not keep blood
levels. They say how far the average of such a study moves by who takes part.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from rekindle.outcomes.exposure import areas, half_lives
from rekindle.outcomes.session import peak
from rekindle.report.bands import Interval
from rekindle.report.from_trajectories.bands import Array
from rekindle.report.from_trajectories.sample import RESAMPLED_STUDIES, Sample, measured
from rekindle.report.material import Endpoint, Kind
from rekindle.streams import uniforms
from rekindle.study import Arm

OUTPUT = "plasma_ketamine"
DAY_H = 24.0
OF_THE_FIRST_DAY = ("cmax", "tmax", "auc")
RANGE_WORDS = "The range is of people drawn again; the parameters' ranges are not in it."
LARGE_WORDS = "The range is that of the average of so many people; the parameters' ranges are not in it."
NORMAL_SCORES = (-1.6448536269514722, -0.6744897501960817, 0.6744897501960817, 1.6448536269514722)
ROWS: tuple[tuple[str, str, Kind, str, str], ...] = (
    ("cmax", "Highest ketamine in blood, first dose", "number", "ng/mL", "The highest venous level in the first day."),
    ("tmax", "Time of the highest level", "minutes", "", "Minutes from the start of the first session."),
    ("auc", "Area under the level, first day", "number", "ng h/mL", "Linear up, logarithmic down, to 24 h."),
    ("half_life", "Half-life in blood", "hours", "", "Regression over the last points before the next dose."),
    ("trough", "Level before the next dose", "number", "ng/mL", "Mean level just before each later dose."),
)  # fmt: skip


def exposure_endpoints(sample: Sample) -> tuple[Endpoint, ...]:
    """One row a summary; arms that give no ketamine have none."""
    if not sample.has(OUTPUT):
        return ()
    dosed = [arm for arm in sample.arms if sample.doses(arm)]
    if not dosed:
        return ()
    if sample.summary is not None:
        return _rows(lambda arm, key: _summarised(sample, arm, key), sample, LARGE_WORDS)
    found = {arm.name: person_summaries(sample, arm) for arm in dosed}
    return _rows(lambda arm, key: _average(sample, found, arm, key), sample, RANGE_WORDS)


def _rows(average: Callable[[Arm, str], Interval | None], sample: Sample, range_words: str) -> tuple[Endpoint, ...]:
    rows = []
    for key, name, kind, unit, definition in ROWS:
        values: dict[str, Interval | None] = {arm.name: average(arm, key) for arm in sample.arms}
        if any(value is not None for value in values.values()):
            hour = DAY_H if key in OF_THE_FIRST_DAY else None
            words = f"{definition} {range_words}"
            rows.append(Endpoint(key, name, kind, values, time_h=hour, unit=unit, definition=words))
    return tuple(rows)


def person_summaries(sample: Sample, arm: Arm) -> dict[str, Array]:
    """Each summary for each person, shape people; NaN where a course has none."""
    starts = np.asarray([dose.time_h for dose in sample.doses(arm)])
    first = float(starts[0])
    later = starts[starts > first + 1e-6]
    second = float(later[0]) if len(later) else sample.study.horizon_h
    tail = sample.window(sample.times_h, first, min(second, sample.study.horizon_h))
    day = sample.window(sample.times_h, first, min(second, first + DAY_H, sample.study.horizon_h))
    levels = np.maximum(sample.people(OUTPUT, arm.name), 0.0)
    early, hours = levels[:, day], sample.times_h[day] - first
    highest, when_h = peak(hours, early)
    before = levels[:, sample.places(sample.times_h, later)]
    return {
        "cmax": highest,
        "tmax": 60.0 * when_h,
        "auc": areas(hours, early),
        "half_life": half_lives(sample.times_h[tail] - first, levels[:, tail]),
        "trough": before.mean(axis=1) if len(later) else np.full(len(levels), np.nan),
    }


def _summarised(sample: Sample, arm: Arm, key: str) -> Interval | None:
    """The average of a large study, with its normal range."""
    assert sample.summary is not None
    name = f"exposure {key}"
    if not sample.summary.has(name, arm.name):
        return None
    held = sample.summary.of(name, arm.name)
    middle, count = float(held.mean[0]), int(held.count[0])
    if not count:
        return None
    error = float(np.nan_to_num(held.sd[0])) / np.sqrt(count)
    return Interval(middle, *(middle + error * score for score in NORMAL_SCORES))


def _average(sample: Sample, found: Mapping[str, Mapping[str, Array]], arm: Arm, key: str) -> Interval | None:
    if arm.name not in found:
        return None
    values = found[arm.name][key]
    values = values[np.isfinite(values)]
    if not len(values):
        return None
    luck = uniforms(sample.seed, "report", "exposure", key, count=RESAMPLED_STUDIES * len(values))
    again = (luck * len(values)).astype(np.intp).reshape(RESAMPLED_STUDIES, -1)
    return measured(values.mean(), values[again].mean(axis=1))
