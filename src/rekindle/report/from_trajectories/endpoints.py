"""The endpoints: what is asked of a trial, each arm with its range and the difference paired repeat by repeat."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np

from rekindle.outcomes import SCALES
from rekindle.outcomes.session import peak
from rekindle.report.bands import Interval
from rekindle.report.from_trajectories import harms, people
from rekindle.report.from_trajectories.bands import Array
from rekindle.report.from_trajectories.course import MAIN, mean_change
from rekindle.report.from_trajectories.exposure import exposure_endpoints
from rekindle.report.from_trajectories.policies import sessions_had
from rekindle.report.from_trajectories.sample import Index, Sample, compared, measured
from rekindle.report.from_trajectories.session import (
    can_tell_readiness,
    readiness_of_people,
    readiness_of_studies,
    session_end_h,
)
from rekindle.report.material import Endpoint, Kind
from rekindle.report.numerals import when
from rekindle.study import Arm

DAY_H = 24.0
MINUTES = 60.0
FUNCTION_SCALES = ("Sheehan", "EQ VAS")
Central = Callable[[str], float]
Draws = Callable[[str], Array]


@dataclass(frozen=True)
class _Row:
    """What one endpoint is called and how it is told."""

    key: str
    name: str
    kind: Kind
    role: Literal["benefit", "harm", "other"] = "other"
    time_h: float | None = None
    clause: str = ""
    unit: str = ""
    definition: str = ""


def endpoints(sample: Sample) -> tuple[Endpoint, ...]:
    """Every endpoint of the study, benefits first, then harms, then the rest."""
    found: list[Endpoint] = []
    if sample.has(MAIN):
        found += _chances(sample)
    found += _harms(sample)
    if sample.has(MAIN):
        found += [*_changes(sample, MAIN), *_relapse(sample)]
    for name in FUNCTION_SCALES:
        if name in sample.study.outcomes and sample.has(name):
            found += _changes(sample, name)
    found += _session(sample)
    found += exposure_endpoints(sample)
    found.append(_doses(sample))
    return tuple(found)


def _told(sample: Sample, row: _Row, central: Central, draws: Draws) -> Endpoint:
    """One endpoint from its two functions of an arm's name."""
    arms: dict[str, Interval | None] = {arm.name: measured(central(arm.name), draws(arm.name)) for arm in sample.arms}
    return _endpoint(row, arms, compared(sample, central, draws))


def _endpoint(row: _Row, arms: Mapping[str, Interval | None], difference: Interval | None = None) -> Endpoint:
    return Endpoint(
        row.key, row.name, row.kind, arms, row.role, row.time_h, row.clause, row.unit, difference, row.definition
    )


def _hours(sample: Sample) -> list[tuple[str, float]]:
    """The end of treatment, and of follow-up where it is later."""
    later = [("last", sample.last_h)] if sample.last_h > sample.end_h + 1e-6 else []
    return [("end", sample.end_h), *later]


def _chances(sample: Sample) -> list[Endpoint]:
    """Response and remission at the end of treatment and of follow-up."""
    scale, found = SCALES[MAIN], []
    for key, name, definition, clause in (
        ("response", "At least half better", people.response_words(scale), "have at least halved their symptoms"),
        ("remission", "In remission", people.remission_words(scale), "are in remission"),
    ):  # fmt: skip
        for label, hour in _hours(sample):
            role: Literal["benefit", "other"] = "benefit" if key == "response" else "other"
            words = f"{name} at {when(hour)}"
            row = _Row(f"{key}_{label}", words, "chance", role, hour, clause, definition=f"{definition}, as rated then")
            found.append(_told(sample, row, *people.share_at(sample, key, hour)))
    return sorted(found, key=lambda endpoint: endpoint.role != "benefit")


def _changes(sample: Sample, name: str) -> list[Endpoint]:
    """The average change of a scale at a day, the end of treatment and of follow-up."""
    scale, found = SCALES[name], []
    day = [("day", sample.visits_h[sample.visit(DAY_H)])] if name == MAIN and sample.end_h > DAY_H + 1e-6 else []
    for label, hour in (*day, *_hours(sample)):
        key = f"{name.lower().replace(' ', '_')}_{label}"
        words = f"Change of {name} at {when(hour)}"
        definition = f"Average rated {scale.title} less its average at the first visit."
        row = _Row(key, words, "points", time_h=float(hour), unit=scale.unit, definition=definition)
        found.append(_told(sample, row, *mean_change(sample, scale, float(hour))))
    return found


def _relapse(sample: Sample) -> list[Endpoint]:
    """Median time from the end of treatment to relapse; nothing for an arm in which half never relapse."""
    if sample.end_h >= sample.last_h:
        return []
    followed = (sample.last_h - sample.end_h) / DAY_H
    arms: dict[str, Interval | None] = {}
    for arm in sample.arms:
        kept = people.arm_survival(sample, arm.name)
        middle = np.inf if kept is None else kept.median_h / DAY_H
        studies = people.studies_survival(sample, arm.name)
        medians = [min(study.median_h / DAY_H, followed) for study in studies if study is not None]
        arms[arm.name] = measured(middle, np.asarray(medians)) if np.isfinite(middle) and medians else None
    definition = f"{people.relapse_definition(sample)} Medians not reached count as the last visit."
    row = _Row("relapse_days", "Half of responders have relapsed after", "days", definition=definition)
    return [_endpoint(row, arms)]


def _harms(sample: Sample) -> list[Endpoint]:
    """The harms of sessions, at least once over the course."""
    found = []
    arms = {arm.name: arm for arm in sample.arms}
    until = sample.study.horizon_h
    for row in harms.harm_rows(sample):
        if row["periods"] != "session":
            continue
        told = _Row(
            row["key"], f"{row['name']}, at least once", "chance", "harm",
            clause=row["clause"], definition=f"{row['definition']} ({row['record']})",
        )  # fmt: skip
        values: dict[str, Interval | None] = {name: harms.share(sample, row, arm, until) for name, arm in arms.items()}
        found.append(_endpoint(told, values, harms.difference(sample, row, until)))
    return found


def _session(sample: Sample) -> list[Endpoint]:
    """Peaks of the first session, and when the middle person is ready to leave."""
    arms = {arm.name: arm for arm in sample.arms if sample.sessions(arm)}
    looked = session_end_h(sample, 0.0)
    found = []
    for key, output, name, kind, unit in (
        ("cadss_peak", "CADSS", "Highest CADSS, first session", "points", "points"),
        ("systolic_peak", "systolic_rise", "Highest rise in systolic pressure, first session", "number", "mmHg"),
    ):
        if not arms or output not in peak_outputs(sample):
            continue
        told: Kind = "points" if kind == "points" else "number"
        definition = "Average of each person's highest expected value in the first four hours."
        studies = {name: _study_peaks(sample, arm, output) for name, arm in arms.items()}
        values: dict[str, Interval | None] = {
            arm.name: measured(highest(sample, arm, output), studies[arm.name][0].mean(axis=1))
            if arm.name in arms
            else None
            for arm in sample.arms
        }
        found.append(_endpoint(_Row(key, name, told, time_h=looked, unit=unit, definition=definition), values))
        if output == "CADSS":
            times = {arm.name: _peak_minutes(sample, arm, studies.get(arm.name)) for arm in sample.arms}
            name_of_time = "Time of the highest CADSS, first session"
            row = _Row("cadss_peak_time", name_of_time, "minutes", time_h=looked, definition=PEAK_TIME_WORDS)
            found.append(_endpoint(row, times))
    if arms and can_tell_readiness(sample):
        found.append(_ready(sample, arms))
    return found


def peak_outputs(sample: Sample) -> tuple[str, ...]:
    """The outputs and scales whose peaks are told and which the result holds."""
    wanted = ("CADSS", "systolic_rise")
    return tuple(name for name in wanted if sample.has(*(SCALES[name].latents if name in SCALES else (name,))))


PEAK_TIME_WORDS = "Average time of the peak among people whose expected CADSS rises above 1 point."
Peaks = tuple[Array, Array]
"""Sizes of peaks and their hours, of one shape."""

FELT = 1.0
"""Points of CADSS above which a peak has a time."""


def _first_hours(sample: Sample, arm: Arm) -> tuple[Index, Array]:
    """Places among the moments of the arm's first session, and their hours since its start."""
    start = harms.start_h(sample, arm)
    places = sample.window(sample.moments_h, start, session_end_h(sample, start))
    return places, sample.moments_h[places] - start


def _person_peaks(sample: Sample, arm: Arm, output: str) -> Peaks:
    """Largest value and its hour, one a person, in the arm's first session."""
    places, hours = _first_hours(sample, arm)
    among = sample.places(sample.times_h, sample.moments_h[places])
    scale = output in SCALES
    values = sample.people_expected(output, arm.name) if scale else sample.people(output, arm.name)
    return peak(hours, values[:, among])


def highest(sample: Sample, arm: Arm, output: str) -> float:
    """The average of people's largest values in the arm's first session."""
    return float(sample.averages(f"highest {output}", arm.name, lambda: _person_peaks(sample, arm, output)[0]))


def person_minutes(sample: Sample, arm: Arm) -> Array:
    """Minutes to the highest CADSS, one a person; NaN for who feels next to nothing."""
    size, hour = _person_peaks(sample, arm, "CADSS")
    return np.where(size > FELT, hour * MINUTES, np.nan)


def _study_peaks(sample: Sample, arm: Arm, output: str) -> Peaks:
    """Largest value and its hour, repeats x people, in the arm's first session."""
    if sample.drawn is not None:
        size, hour = _person_peaks(sample, arm, output)
        return size[sample.drawn], hour[sample.drawn]
    places, hours = _first_hours(sample, arm)
    if output in SCALES:
        studies = sample.repeats_expected(SCALES[output], arm.name)[:, :, places]
    else:
        studies = sample.repeats(output, arm.name)[:, :, places]
    size, hour = peak(hours, studies.reshape(-1, len(hours)))
    return size.reshape(studies.shape[:2]), hour.reshape(studies.shape[:2])


def _peak_minutes(sample: Sample, arm: Arm, studies: Peaks | None) -> Interval | None:
    """Average minutes to the peak over people with a peak; None where nobody has one."""
    if studies is None:
        return None
    sizes, hours = studies
    felts = sizes > FELT
    middle = sample.known_average("minutes to highest CADSS", arm.name, lambda: person_minutes(sample, arm))
    if not np.isfinite(middle) or not felts.any(axis=1).all():
        return None
    each = np.asarray([row[mask].mean() for row, mask in zip(hours, felts, strict=True)]) * MINUTES
    return measured(middle, each)


def _ready(sample: Sample, arms: Mapping[str, Arm]) -> Endpoint:
    """Minutes until the middle person of each arm is ready to leave; later than looked at counts as its end."""
    values: dict[str, Interval | None] = {arm.name: None for arm in sample.arms}
    for name, arm in arms.items():
        start = harms.start_h(sample, arm)
        longest = session_end_h(sample, start) - start
        studies = readiness_of_studies(sample, arm, start)
        middle = sample.middle("ready after", name, partial(ready_after, sample, arm))
        values[name] = measured(MINUTES * middle, MINUTES * np.median(np.minimum(studies, longest), axis=1))
    definition = (
        "The middle person's time from the start of the first session until pressure, detachment and alertness stay "
        "within their limits, at least two hours for the spray (saf-esk-monitor-2h)."
    )
    looked = session_end_h(sample, 0.0)
    row = _Row("ready", "Half ready to leave after", "minutes", time_h=looked, definition=definition)
    return _endpoint(row, values)


def ready_after(sample: Sample, arm: Arm) -> Array:
    """Hours to being ready to leave the arm's first session, one a person; later counts as the end of looking."""
    start = harms.start_h(sample, arm)
    return np.minimum(readiness_of_people(sample, arm, start), session_end_h(sample, start) - start)


def _doses(sample: Sample) -> Endpoint:
    """How many supervised sessions each arm has."""
    counts = {arm.name: float(len(sample.sessions(arm))) for arm in sample.arms}
    values: dict[str, Interval | None] = {
        name: Interval(count, count, count, count, count) for name, count in counts.items()
    }
    values |= sessions_had(sample)
    words = "By the course as it is written; where a policy decides, as it came to be on average."
    row = _Row("doses", "Sessions given", "number", unit="sessions", definition=words)
    return _endpoint(row, values)
