"""Draws of a person followed under a fixed schedule: sessions with their peaks, what builds up, ratings to come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rekindle.inference.paths import Future, Paths, future, paths, times_for
from rekindle.inference.resting import resting
from rekindle.outcomes import scale
from rekindle.planning.doses import planned_sessions

if TYPE_CHECKING:
    from rekindle.inference.update import Posterior
    from rekindle.person.record import Person, Planned

Array = NDArray[np.float64]

WEEK_H = 168.0
LOOKS_H = np.array([20.0, 30.0, 40.0, 60.0, 90.0]) / 60.0
"""When a session is looked at, hours from its start; the labelled peak of pressure is at 40 minutes."""
LATER_LOOKS = 4
"""Looks more, up to half an hour after its end, at a session that gives for longer than an hour."""
ACUTE = ("systolic_rise", "diastolic_rise", "dissociation", "sedation")
LASTING = ("craving", "bladder_injury")


@dataclass(frozen=True)
class Followed:
    """What happens to draws of a person.

    `times_h`, `mg`, `footing_mg` and the `peaks` by quantity have shape (draws, sessions), NaN where a draw has
    fewer; `lasting` by quantity has shape (draws,). `ratings` are those of one scale, weekly from now. `densest` has
    hours and mg, shape (2, sessions), of the fixed schedule itself, or of the one that a rule can only stretch.
    `place` numbers the draws as `rekindle.inference.paths.Future` does; `distinct` is how many different candidates
    they are.
    """

    times_h: Array
    mg: Array
    footing_mg: Array
    peaks: Mapping[str, Array]
    lasting: Mapping[str, Array]
    ratings: Paths
    fixed: bool
    densest: Array
    place: NDArray[np.intp]
    distinct: int

    @property
    def draws(self) -> int:
        """How many draws there are."""
        return len(self.times_h)


def looks_of(longest_h: float) -> Array:
    """When sessions are looked at, of which the longest gives for so many hours; hours from the start.

    >>> looks_of(0.67).tolist()[-1], looks_of(4.0).tolist()[-3:]
    (1.5, [3.0, 3.75, 4.5])
    """
    if longest_h <= 1.0:
        return LOOKS_H
    last = longest_h + 0.5
    return np.unique(np.concatenate([LOOKS_H, np.linspace(LOOKS_H[-1], last, LATER_LOOKS + 1)]))


def longest_session(planned: Planned | None, person: Person) -> float:
    """Hours for which the longest session of a plan gives; 0 without any.

    Raises:
        InputError: a dose by a weight that is not known.
    """
    if planned is None:
        return 0.0
    spans: dict[tuple[int, int], tuple[float, float]] = {}
    for dose in planned.course.administrations(**person.measures):
        begin, end = spans.get((dose.line, dose.session), (dose.time_h, dose.end_h))
        spans[dose.line, dose.session] = min(begin, dose.time_h), max(end, dose.end_h)
    return max((end - begin for begin, end in spans.values()), default=0.0)


def main_scale(person: Person) -> str:
    """The scale by which the plan judges: the person's last one that has a response, the MADRS without any."""
    rated = [each for each in person.scales if scale(each).response is not None]
    return scale(rated[-1]).name if rated else "MADRS"


def weekly(now_h: float, until_h: float) -> Array:
    """Times of the weekly ratings to come, hours."""
    return np.asarray(now_h + WEEK_H * np.arange(int((until_h - now_h) / WEEK_H + 1e-9) + 1))


def follow(
    posterior: Posterior,
    planned: Planned | None,
    until_h: float,
    *,
    draws: int,
    seed: int,
    judged_by: str,
    threads: int | None = None,
) -> Followed:
    """Draws of a person under a fixed schedule, to `until_h`.

    Raises:
        InputError: a dose that cannot be given.
    """
    person = posterior.person
    coming = planned_sessions(planned, person)
    visits = weekly(person.now_h, until_h)
    after = looks_of(longest_session(planned, person))
    looks = (coming.times_h[:, None] + after[None, :]).ravel()
    times = sorted({*times_for(person, (judged_by,), visits), *looks.tolist()})
    names = (judged_by, "CADSS", "MOAA/S")
    ahead = future(
        posterior, planned, scales=names, times_h=times, draws=draws, outputs=(*ACUTE, *LASTING), threads=threads
    )
    count = len(ahead.candidates)
    sizes = count, len(coming), len(after)
    seen = {name: ahead.at(name, looks).reshape(sizes) for name in ACUTE}
    later = np.searchsorted(ahead.times_h, person.now_h)
    rest = resting(posterior, ahead.candidates.people, len(coming), seed)
    return Followed(
        times_h=np.broadcast_to(coming.times_h, sizes[:2]),
        mg=np.broadcast_to(coming.mg, sizes[:2]),
        footing_mg=np.broadcast_to(coming.footing_mg, sizes[:2]),
        peaks=peaks(seen, rest),
        lasting=lasting({name: ahead.outputs[name][:, later:] for name in LASTING}),
        ratings=paths(ahead, judged_by, visits, posterior.wander, seed),
        fixed=True,
        densest=np.stack([coming.times_h, coming.mg]),
        place=ahead.place,
        distinct=len(np.unique(posterior.resampled(draws)[ahead.place])),
    )


def peaks(seen: Mapping[str, Array], rest: Mapping[str, Array]) -> dict[str, Array]:
    """The extreme of every quantity of a session, from looks of shape (draws, sessions, looks)."""
    dissociation = seen["dissociation"]
    apart = np.clip(dissociation, scale("CADSS").minimum, scale("CADSS").maximum)
    awake = scale("MOAA/S").expected({"sedation": seen["sedation"].reshape(-1, 1)}).reshape(seen["sedation"].shape)
    return {
        "systolic peak": rest["systolic"] + _most(seen["systolic_rise"]),
        "diastolic peak": rest["diastolic"] + _most(seen["diastolic_rise"]),
        "dissociation peak": _most(apart),
        "alertness": -_most(-awake),
    }


def _most(values: Array) -> Array:
    empty = np.full(values.shape[:-1], np.nan)
    known = np.isfinite(values).any(axis=-1)
    found = np.where(np.isfinite(values), values, -np.inf).max(axis=-1, initial=-np.inf)
    return np.where(known, found, empty)


def lasting(values: Mapping[str, Array]) -> dict[str, Array]:
    """The highest of what builds up, from courses of shape (draws, times)."""
    return {
        "craving": 100.0 * values["craving"].max(axis=1),
        "bladder injury": values["bladder_injury"].max(axis=1),
    }


__all__ = ["Followed", "Future", "follow", "lasting", "main_scale", "peaks", "resting", "weekly"]
