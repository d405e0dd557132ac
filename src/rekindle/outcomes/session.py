"""The first hours of a session: how far things rise, when, and when the person is ready to leave.

Ready is the first time from which pressure, dissociation and sedation all stay within their limits to the end
of what was computed, and never before the label's two hours for the spray (`saf-esk-monitor-2h`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rekindle.errors import InputError

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Limits:
    """When each is back. Records: `lab-bp-thr-14090`, `cadss-cut4`, `lab-sed-moaas`, `saf-esk-monitor-2h`.

    Pressure is back at 140/90 or within 10 mmHg of the person's own start (the margin is assumed); CADSS at
    most 4; MOAA/S at least 4.5, half a step from fully alert (assumed, as expected scores are never quite
    5).
    """

    systolic_mmhg: float = 140.0
    diastolic_mmhg: float = 90.0
    margin_mmhg: float = 10.0
    cadss: float = 4.0
    moaas: float = 4.5
    spray_monitoring_h: float = 2.0


LIMITS = Limits()


def peak(times_h: Array, values: Array) -> tuple[Array, Array]:
    """Largest value and its time within the course (values people x times), shape people each.

    Raises:
        InputError: shapes that do not fit.
    """
    times, courses = _courses(times_h, values)
    place = np.argmax(np.where(np.isnan(courses), -np.inf, courses), axis=1)
    return courses[np.arange(len(courses)), place], times[place]


def time_to_readiness(
    times_h: Array,
    *,
    systolic: Array,
    diastolic: Array,
    cadss: Array,
    moaas: Array,
    spray: bool,
    limits: Limits = LIMITS,
) -> Array:
    """Hours from the session's start until ready to leave, shape people; infinite when never within the
    course.

    `times_h` counts from the session's start and its first time is before or at the dose; the courses are
    people x times. `spray` says whether the label's observation time of the spray applies.

    Raises:
        InputError: shapes that do not fit.
    """
    times, upper = _courses(times_h, systolic)
    lower, apart, awake = (_courses(times_h, course)[1] for course in (diastolic, cadss, moaas))
    within = (
        ((upper <= limits.systolic_mmhg) | (upper <= upper[:, :1] + limits.margin_mmhg))
        & ((lower <= limits.diastolic_mmhg) | (lower <= lower[:, :1] + limits.margin_mmhg))
        & (apart <= limits.cadss)
        & (awake >= limits.moaas)
    )
    stays = np.logical_and.accumulate(within[:, ::-1], axis=1)[:, ::-1]
    first = np.where(stays.any(axis=1), times[np.argmax(stays, axis=1)], np.inf)
    first = np.maximum(first, 0.0)
    return np.asarray(np.maximum(first, limits.spray_monitoring_h) if spray else first)


def _courses(times_h: Array, values: Array) -> tuple[Array, Array]:
    times, courses = np.asarray(times_h, dtype=np.float64), np.asarray(values, dtype=np.float64)
    if times.ndim != 1 or courses.ndim != 2 or courses.shape[1] != len(times) or len(times) < 2:
        raise InputError(
            f"Times {times.shape} and courses {courses.shape} do not fit.",
            where="session",
            hint="Courses are people x times.",
        )
    if np.any(np.diff(times) <= 0):
        raise InputError("Times must rise.", where="session")
    return times, courses
