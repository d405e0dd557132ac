"""Ratings to come for weighted candidates: the model's course, the drift so far, the rater's error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rekindle.inference.candidates import Candidates, courses, doses_of, parameters_of, schedules_of
from rekindle.inference.drift import Wander
from rekindle.inference.ratings import Expected, coming_ratings, expected_ratings, latents_of, look_times, recall_of
from rekindle.inference.sizes import sizes
from rekindle.inference.standing import gone_on
from rekindle.outcomes import Scale, scale
from rekindle.person.record import Rated
from rekindle.streams import generator

if TYPE_CHECKING:
    from rekindle.inference.update import Posterior
    from rekindle.person.record import Person, Planned

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Paths:
    """One scale's future for some candidates, drawn by weight.

    `own` is the person's own expected score and `ratings` whole-point ratings, shape (draws, times); `unrounded` the
    same ratings before rounding, whose quantiles make bands (those of whole points hold too much: a band's ends belong
    to it). `drift` is the conditional mean of what treatment does not explain, in points; `baseline` the rating that
    change is counted from, shape (draws,), and `rated` whether anybody rated it (else it is what the model takes).
    `recall_days` is how far each rating looks back, as the person's last one on the scale did.
    """

    scale: Scale
    times_h: Array
    own: Array
    ratings: Array
    unrounded: Array
    drift: Array
    baseline: Array
    rated: bool = True
    recall_days: float | None = None


@dataclass(frozen=True)
class Future:
    """Candidates drawn by weight with their course under one plan: each is one draw of the person.

    `outputs` has shape (draws, times) by name of the model's output, over `times_h`. `place` numbers the draws: the
    same number is the same draw under every plan, and those that could not be solved are missing.
    """

    person: Person
    candidates: Candidates
    times_h: Array
    outputs: Mapping[str, Array]
    place: NDArray[np.intp]

    def at(self, name: str, times_h: Array) -> Array:
        """An output at some of the times, shape (draws, times)."""
        return self.outputs[name][:, np.searchsorted(self.times_h, times_h)]


def future(
    posterior: Posterior,
    planned: Planned | None,
    *,
    scales: Sequence[str],
    times_h: Sequence[float],
    draws: int = 2_000,
    outputs: Sequence[str] = (),
    drug: bool = True,
    changes: Mapping[str, float] | None = None,
    cared_as: Planned | None = None,
    threads: int | None = None,
) -> Future:
    """The course of `draws` candidates under a plan, at the person's ratings and at `times_h`.

    `drug` off leaves visits and care and gives no drug. `changes` sets parameters for everybody. With `cared_as` the
    person stays in care as long as under that plan.

    Raises:
        InputError: a dose that cannot be given, with its place.
    """
    person = posterior.person
    rows, count = np.unique(posterior.resampled(draws), return_counts=True)
    some = posterior.candidates.take(rows)
    parameters = parameters_of(some, person)
    for name, value in (changes or {}).items():
        parameters[name] = np.full(len(some), value)
    doses = doses_of(person, planned)
    cared = None if cared_as is None else doses_of(person, cared_as)
    ratings = [rating for rating in person.ratings if not scale(rating.scale).person_inputs]
    times = sorted({0.0, *look_times(ratings), *(float(time) for time in times_h)})
    wanted = tuple(dict.fromkeys((*latents_of((*scales, *(rating.scale for rating in ratings))), *outputs)))
    solved = None
    if drug and not changes:
        solved = gone_on(posterior, rows, parameters, doses, times, wanted, threads, cared)
    if solved is None:
        schedules = schedules_of(doses, parameters, times, now_h=person.now_h, drug=drug, cared_as=cared)
        solved = courses(parameters, schedules, wanted, threads=threads, sizes=sizes(doses))
    each = np.repeat(np.arange(len(rows)), count)
    good = np.asarray(np.isfinite(solved[wanted[0]]).all(axis=1))
    place = np.flatnonzero(good[each])
    each = each[place]
    own = {name: values[each] for name, values in solved.items()}
    return Future(person, some.take(each), np.array(times), own, place)


def times_for(person: Person, scales: Sequence[str], times_h: Sequence[float] | Array) -> list[float]:
    """Hours at which to look for ratings on these scales at `times_h`: those, and what each looks back over."""
    times = [float(time) for time in times_h]
    back = [look_times(coming_ratings(person.ratings, name, times)) for name in scales]
    return sorted({*times, *(time for looks in back for time in looks)})


def paired(*futures: Future) -> list[NDArray[np.intp]]:
    """Rows of each future that are the same draws of the person, in one order."""
    common = futures[0].place
    for each in futures[1:]:
        common = np.intersect1d(common, each.place)
    return [np.searchsorted(each.place, common) for each in futures]


def paths(ahead: Future, name: str, times_h: Array, wander: Wander, seed: int) -> Paths:
    """Ratings to come on one scale at `times_h`, given the ratings so far; `times_for` says where `ahead` must look."""
    person, found = ahead.person, scale(name)
    luck = generator(seed, "forecast", found.name)
    times = [float(time) for time in ahead.times_h]
    past = expected_ratings(person.ratings, ahead.outputs, times)
    wanted = coming_ratings(person.ratings, found.name, [float(time) for time in times_h])
    coming = expected_ratings(wanted, ahead.outputs, times)
    observed = np.array([rating.total for rating in person.ratings], dtype=np.float64)
    own, ratings, mean = drawn(past, coming, observed, wander, found, luck)
    baseline, rated = _baseline(ahead, found, times)
    recall = recall_of(person.ratings, found.name)
    return Paths(found, np.asarray(times_h), own, np.rint(ratings), ratings, mean, baseline, rated, recall)


def drawn(
    past: Expected, coming: Expected, observed: Array, wander: Wander, found: Scale, luck: np.random.Generator
) -> tuple[Array, Array, Array]:
    """One draw a candidate of what is to come on one scale, given the ratings so far; shape (candidates, times) each.

    The person's own expected score, a rating with its error before it is rounded, and the conditional mean of drift.
    """
    mean, covariance = conditional(past, coming, observed, wander)
    count, length = mean.shape
    factor = np.linalg.cholesky(covariance + 1e-9 * np.eye(length))
    wandered = mean + (factor @ luck.standard_normal((count, length, 1)))[..., 0]
    own = np.clip(coming.mean + wandered, found.minimum, found.maximum)
    error = np.sqrt(coming.variance) * luck.standard_normal((count, length))
    # The error shrinks towards the ends of the scale with the candidate's own score, as the rater's does.
    return own, np.clip(own + error, found.minimum, found.maximum), mean


def conditional(past: Expected, coming: Expected, observed: Array, wander: Wander) -> tuple[Array, Array]:
    """Mean (draws, times) and covariance (draws, times, times), in points, of drift and bent given the past ratings."""
    own = coming.wander_covariance(wander)
    if not len(observed):
        return np.zeros(coming.mean.shape), own
    covariance = past.wander_covariance(wander)
    places = np.arange(len(observed))
    covariance[:, places, places] += past.variance
    across = coming.wander_covariance(wander, past)
    gain = np.linalg.solve(covariance, np.swapaxes(across, 1, 2))
    residual = observed[None, :] - past.mean
    mean = np.einsum("drt,dr->dt", gain, residual)
    return mean, own - across @ gain


def _baseline(ahead: Future, found: Scale, times: Sequence[float]) -> tuple[Array, bool]:
    """The last rating on the scale at or before the first dose, what the model expects at the start without one; and
    whether there is one."""
    person = ahead.person
    first = min((given.time_h for given in person.given), default=person.now_h)
    before = [r.total for r in person.ratings if scale(r.scale).name == found.name and r.time_h <= first]
    count = len(next(iter(ahead.outputs.values())))
    if before:
        return np.full(count, float(before[-1])), True
    return expected_ratings([Rated(0.0, found.name, 0.0)], ahead.outputs, times).mean[:, 0], False
