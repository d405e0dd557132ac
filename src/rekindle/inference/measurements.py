"""Blood pressure, heart rate and drug levels of one person, as evidence on each candidate.

A vital sign counts as its rise over the last one taken before the same session; one without such a start says
nothing. A drug level has a proportional error. Levels under the limit of quantification are treated by name (Beal
2001, doi:10.1023/A:1012299115260): M1 drops them; M2 drops them and takes the others as known to be above the limit;
M3 gives them the chance to lie below it; M4 that chance given that a level is not negative.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rekindle.errors import unknown

if TYPE_CHECKING:
    from rekindle.dosing.administration import Administration
    from rekindle.person.record import Level, Person, Vital

Array = NDArray[np.float64]

ANALYTES = {
    "ketamine": "plasma_ketamine",
    "norketamine": "plasma_norketamine",
    "hydroxynorketamine": "plasma_hydroxynorketamine",
}
SIGNS = {
    "systolic_mmhg": "systolic_rise",
    "diastolic_mmhg": "diastolic_rise",
    "heart_rate": "heart_rate_rise",
}
BEFORE_H, AFTER_H = 12.0, 4.0
"""A vital sign belongs to a session from this long before its dose (a start) to this long after (a rise)."""


@dataclass(frozen=True)
class MeasurementError:
    """Errors of single measurements. Assumed, with plausible ranges.

    `pressure_mmhg` 4 to 10 (each reading; a rise has two), `pulse` 4 to 10 beats a minute, `level_share` 0.1 to 0.4 of
    the level (assay and the model's misfit within a person), `level_ng_ml` 0.5 to 3.
    """

    pressure_mmhg: float = 6.0
    pulse: float = 6.0
    level_share: float = 0.25
    level_ng_ml: float = 1.0


ERRORS = MeasurementError()


@dataclass(frozen=True)
class Rise:
    """A vital sign's rise over its start before the same session."""

    time_h: float
    sign: str
    value: float


def rises_of(vitals: Sequence[Vital], doses: Sequence[Administration]) -> tuple[Rise, ...]:
    """The rises that the vital signs show, in time order."""
    starts = sorted({dose.time_h for dose in doses})
    found: list[Rise] = []
    for sign in SIGNS:
        taken = sorted((v.time_h, float(getattr(v, sign))) for v in vitals if getattr(v, sign) is not None)
        for time, value in taken:
            session = max((start for start in starts if start < time <= start + AFTER_H), default=None)
            before = [own for when, own in taken if session is not None and session - BEFORE_H <= when <= session]
            if before:
                found.append(Rise(time, sign, value - before[-1]))
    return tuple(sorted(found, key=lambda rise: rise.time_h))


def measured_outputs(person: Person, rises: Sequence[Rise]) -> tuple[str, ...]:
    """The model's outputs that the measurements need.

    Raises:
        InputError: an analyte that the model does not follow.
    """
    for level in person.levels:
        if level.analyte not in ANALYTES:
            raise unknown("analyte", level.analyte, ANALYTES, where=level.where)
    return tuple(dict.fromkeys([SIGNS[r.sign] for r in rises] + [ANALYTES[each.analyte] for each in person.levels]))


def one_by_one(
    person: Person,
    rises: Sequence[Rise],
    outputs: Mapping[str, Array],
    times_h: Sequence[float],
    count: int,
    errors: MeasurementError = ERRORS,
) -> tuple[Array, Array]:
    """Each vital sign and level beside each candidate's expectation, shape (candidates, measurements) each: the chance
    of a value below the one seen, and the log likelihood. Outputs have shape (candidates, times).

    A level under its limit has half the chance of being there below it; one that is dropped says a half.
    """
    place = {time: column for column, time in enumerate(times_h)}
    found = []
    for rise in rises:
        error = (errors.pulse if rise.sign == "heart_rate" else errors.pressure_mmhg) * np.sqrt(2.0)
        found.append(_normal(rise.value - outputs[SIGNS[rise.sign]][:, place[rise.time_h]], error))
    for level in person.levels:
        mean = outputs[ANALYTES[level.analyte]][:, place[level.time_h]]
        found.append(_level(level, mean, person.level_method, errors))
    below, logs = (np.array([each[part] for each in found]).reshape(len(found), count).T for part in (0, 1))
    return below, logs


def log_likelihood(
    person: Person,
    rises: Sequence[Rise],
    outputs: Mapping[str, Array],
    times_h: Sequence[float],
    count: int,
    errors: MeasurementError = ERRORS,
) -> Array:
    """Log likelihood of vital signs and levels, shape (candidates,); outputs have shape (candidates, times)."""
    return np.asarray(one_by_one(person, rises, outputs, times_h, count, errors)[1].sum(axis=1))


def _level(level: Level, mean: Array, method: str, errors: MeasurementError) -> tuple[Array, Array]:
    """A level's chance to lie below the one seen, and its log likelihood, shape (candidates,) each."""
    from scipy.special import log_ndtr, ndtr

    error = np.hypot(errors.level_share * mean, errors.level_ng_ml)
    limit = level.limit_ng_ml
    if level.below:
        if method in ("M1", "M2") or limit is None:
            return np.full(len(mean), 0.5), np.zeros(len(mean))
        below = ndtr((limit - mean) / error)
        if method == "M4":
            negative = ndtr(-mean / error)
            below = (below - negative) / (1.0 - negative)
        return 0.5 * below, np.asarray(np.log(np.maximum(below, 1e-300)))
    under, value = _normal(np.asarray(level.ng_ml, dtype=np.float64) - mean, error)
    if method == "M2" and limit is not None:
        value = value - log_ndtr((mean - limit) / error)
    if method == "M4":
        value = value - log_ndtr(mean / error)
    return under, np.asarray(value)


def _normal(residuals: Array, error: Array | float) -> tuple[Array, Array]:
    """The chance of less than these residuals under normal errors, and their log density, shape (candidates,) each."""
    from scipy.special import ndtr

    away = residuals / error
    log = -0.5 * away**2 - np.log(error) - 0.5 * np.log(2.0 * np.pi)
    return np.asarray(ndtr(away)), np.asarray(log)
