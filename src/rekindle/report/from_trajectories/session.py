"""The first four hours of the first session: blood, block, detachment, pressure, and who is ready to leave."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from rekindle.dosing.course import Course
from rekindle.dosing.line import Session as DosingSession
from rekindle.dosing.timing import once
from rekindle.evidence.catalog import catalog
from rekindle.moments import FIRST_SESSION_HOURS
from rekindle.outcomes import SCALES
from rekindle.outcomes.session import LIMITS, time_to_readiness
from rekindle.report.from_trajectories.bands import Array, studies_band
from rekindle.report.from_trajectories.grades import weakest
from rekindle.report.from_trajectories.sample import Index, Sample
from rekindle.report.from_trajectories.tables import table, words
from rekindle.report.material import PublishedPoint, Session, Strip
from rekindle.study import Arm

SPRAYS = ("intranasal-device", "intranasal")
READINESS = ("systolic pressure", "diastolic pressure", "CADSS", "MOAA/S")
MINUTES = 60.0


def session(sample: Sample) -> Session | None:
    """The first ketamine session of the arm in question, or None where there is none."""
    doses = sample.doses(sample.active)
    if not doses:
        return None
    first = doses[0]
    rows = [row for row in table("links") if row["figure"] == "session" and sample.has(row["output"])]
    strips = [_strip(sample, row, first) for row in rows]
    if can_tell_readiness(sample):
        strips.append(_readiness(sample, first))
    given = first.regimen.session_min
    watched = max(given, LIMITS.spray_monitoring_h * MINUTES)
    return Session(dose_words(first), given, watched, tuple(strips))


def dose_words(first: DosingSession) -> str:
    """What one session gives, as a clinician says it."""
    regimen = replace(first.regimen, timing=once(), start_day=None, clock_min=(0,))
    return Course.of(regimen).spoken().rpartition(", ")[0]


def session_end_h(sample: Sample, start_h: float) -> float:
    """The last hour of a session that is looked at."""
    return min(start_h + FIRST_SESSION_HOURS, sample.study.horizon_h)


def _strip(sample: Sample, row: Mapping[str, str], first: DosingSession) -> Strip:
    places = sample.window(sample.times_h, first.time_h, session_end_h(sample, first.time_h))
    band = sample.course_band(row["output"], sample.active.name, places, float(row["factor"]), float(row["offset"]))
    limit = (float(row["limit"]), row["limit_words"]) if row["limit"] else None
    return Strip(
        row["output"],
        row["name"],
        row["unit"],
        sample.times_h[places] - first.time_h,
        band,
        weakest(words(row["parameters"])),
        resting=float(band.middle[0]),
        limit=limit,
        observed=_observed(sample.active, row["output"], first),
    )


def _observed(arm: Arm, output: str, first: DosingSession) -> tuple[PublishedPoint, ...]:
    """Published averages of a session by the same drug and route."""
    points = []
    for row in table("session_points"):
        fits = first.regimen.drug in words(row["drugs"]) and first.regimen.route in words(row["routes"])
        record = catalog().get(row["record"])
        if row["output"] != output or not fits or record.interval is None:
            continue
        low, high = record.interval
        source = f"{record.source.citation} ({record.dose})"
        hour = float(row["minute"]) / MINUTES
        points.append(
            PublishedPoint(record.id, arm.name, output, hour, record.number, low, high, record.n or 0, source, False)
        )
    return tuple(points)


def can_tell_readiness(sample: Sample) -> bool:
    """Whether the result holds all that readiness is judged by."""
    return sample.has(*dict.fromkeys(latent for name in READINESS for latent in SCALES[name].latents))


def _moments(sample: Sample, start_h: float) -> tuple[Index, Array]:
    """Places among the moments of a session, and their hours since its start."""
    places = sample.window(sample.moments_h, start_h, session_end_h(sample, start_h))
    return places, sample.moments_h[places] - start_h


def _sprayed(sample: Sample, arm: Arm, start_h: float) -> bool:
    return any(each.time_h == start_h and each.regimen.route in SPRAYS for each in sample.sessions(arm))


def readiness_of_people(sample: Sample, arm: Arm, start_h: float) -> Array:
    """Hours from a session's start to being ready to leave, one a person; infinite if later than looked at.

    They are read at the moments of the repeats, so that they compare.
    """
    places, hours = _moments(sample, start_h)
    among = sample.places(sample.times_h, sample.moments_h[places])
    people = [sample.people_expected(name, arm.name)[:, among] for name in READINESS]
    return _ready(hours, people, _sprayed(sample, arm, start_h))


def readiness_of_studies(sample: Sample, arm: Arm, start_h: float) -> Array:
    """Hours from a session's start to being ready to leave, repeats x people; infinite if later than looked at."""
    if sample.drawn is not None:
        return readiness_of_people(sample, arm, start_h)[sample.drawn]
    places, hours = _moments(sample, start_h)
    studies = [sample.repeats_expected(SCALES[name], arm.name)[:, :, places] for name in READINESS]
    size = studies[0].shape[:2]
    flat = [values.reshape(-1, len(hours)) for values in studies]
    return _ready(hours, flat, _sprayed(sample, arm, start_h)).reshape(size)


def ready_by(sample: Sample, arm: Arm, first: DosingSession) -> Array:
    """Who is ready to leave at each moment of a session, people x moments."""
    _, hours = _moments(sample, first.time_h)
    left = hours[None, :] >= max(first.regimen.session_min / MINUTES, 0.0)
    people = readiness_of_people(sample, arm, first.time_h)
    return np.asarray((people[:, None] <= hours) & left, dtype=np.float64)


def _ready(hours: Array, courses: list[Array], spray: bool) -> Array:
    systolic, diastolic, cadss, moaas = courses
    return time_to_readiness(
        hours, systolic=systolic, diastolic=diastolic, cadss=cadss, moaas=moaas, spray=spray, limits=LIMITS
    )


def _readiness(sample: Sample, first: DosingSession) -> Strip:
    """How many of 100 people are ready to leave, minute by minute, with the ranges of the repeats."""
    _, hours = _moments(sample, first.time_h)
    studies = readiness_of_studies(sample, sample.active, first.time_h)
    given_h = first.regimen.session_min / MINUTES
    left = hours[None, :] >= max(given_h, 0.0)
    active = sample.active
    middle = 100.0 * sample.averages("ready by", active.name, lambda: ready_by(sample, active, first))
    draws = 100.0 * ((studies[:, :, None] <= hours) & left[None]).mean(axis=1)
    return Strip(
        "readiness",
        "Ready to leave",
        "of 100 people",
        hours,
        studies_band(middle, draws),
        "assumed",
        spread="studies",
    )
