"""What is to come for one person under a plan: ratings with bands, chances by date, when the next dose is due.

A forecast carries when and from what it was made, so that it can be saved and scored against what happened.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rekindle.inference.paths import Future, Paths, future, paths, times_for
from rekindle.outcomes import scale
from rekindle.outcomes.endpoints import relapse_rule, remission, response, time_to_gain_lost
from rekindle.provenance import Provenance, digest

if TYPE_CHECKING:
    from rekindle.inference.update import Posterior
    from rekindle.person.record import Person, Planned

Array = NDArray[np.float64]

LEVELS = (2.5, 10.0, 25.0, 50.0, 75.0, 90.0, 97.5)
"""Quantiles of a forecast, per cent."""
DRAWS = 2_000
RISK = 0.2
"""Relapse risk at which the next dose counts as due, unless another is chosen."""
WEEK_H = 168.0
RELAPSE = "half of the gain that there is now, lost at two weekly looks running"
"""What counts as a relapse here, in the words of the page: first looked at a week from now, among draws in response
now. Trials are scored by the rules of `rekindle.outcomes.endpoints`."""


@dataclass(frozen=True)
class ScaleForecast:
    """Ratings to come on one scale.

    `ratings` and `own` hold quantiles, shape (times, levels): of a rating with its error, before it is rounded, and of
    the person's own score without. `response`, `remission` are chances at each time, `relapse` the chance of a relapse
    by then among draws that are in response now (`responding`, a share); None where the scale has no such line.
    `baseline` is what change is counted from, and `rated` whether anybody rated it; else it is what the model takes.
    Ratings look back over `recall_days`, as the person's last one did.
    """

    scale: str
    times_h: Array
    ratings: Array
    own: Array
    response: Array | None
    remission: Array | None
    relapse: Array | None
    responding: float | None
    due_h: float | None
    baseline: float
    rated: bool = True
    recall_days: float | None = None


@dataclass(frozen=True)
class Forecast:
    """A forecast for one person under one plan."""

    name: str
    person: Person
    planned: Planned | None
    scales: tuple[ScaleForecast, ...]
    risk: float
    diagnostics: Mapping[str, Any]
    provenance: Provenance
    extras: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, name: str) -> ScaleForecast:
        wanted = scale(name).name
        return next(each for each in self.scales if each.scale == wanted)

    def date(self, time_h: float) -> str:
        """A time as the person's calendar has it, to the minute."""
        moment = datetime.combine(self.person.start, time()) + timedelta(hours=float(time_h))
        return moment.isoformat(timespec="minutes")

    def as_dict(self) -> dict[str, Any]:
        """Everything as plain values, ready for JSON; nothing in it says who the person is."""
        return {
            "name": self.name,
            "made": self.provenance.as_dict(),
            "data": person_digest(self.person),
            "now": self.date(self.person.now_h),
            "plan": None if self.planned is None else {
                "course": str(self.planned.course),
                "from": self.date(self.planned.from_h),
                "until": self.date(self.planned.until_h),
            },
            "risk": self.risk,
            "scales": [self._scale(each) for each in self.scales],
            "diagnostics": dict(self.diagnostics),
            **dict(self.extras),
        }  # fmt: skip

    def _scale(self, each: ScaleForecast) -> dict[str, Any]:
        def rounded(values: Array | None, places: int = 4) -> Any:
            return None if values is None else np.round(values, places).tolist()

        return {
            "scale": each.scale,
            "baseline": round(each.baseline, 2),
            "baseline_rated": each.rated,
            "recall_days": each.recall_days,
            "levels": list(LEVELS),
            "dates": [self.date(moment) for moment in each.times_h],
            "hours": rounded(each.times_h),
            "ratings": rounded(each.ratings, 2),
            "own": rounded(each.own, 2),
            "response": rounded(each.response),
            "remission": rounded(each.remission),
            "relapse": rounded(each.relapse),
            "responding": each.responding,
            "due": None if each.due_h is None else self.date(each.due_h),
        }


def person_digest(person: Person) -> str:
    """Digest of the data that a forecast was made from: all that its likelihood goes by, and the items of ratings."""
    facts = {
        "start": person.start.isoformat(),
        "kind": person.kind,
        "now": person.now_h,
        "covariates": dict(person.covariates),
        "modifiers": dict(person.modifiers),
        "given": [[each.time_h, each.sentence] for each in person.given],
        "ratings": [
            [each.time_h, each.scale, each.total, each.recall_days or 0.0, dict(each.items or {})]
            for each in person.ratings
        ],
        "vitals": [[v.time_h, v.systolic_mmhg, v.diastolic_mmhg, v.heart_rate] for v in person.vitals],
        "levels": [
            [each.time_h, each.analyte, each.ng_ml, each.below, each.limit_ng_ml, person.level_method]
            for each in person.levels
        ],
    }
    return digest(json.dumps(facts, sort_keys=True, default=str))


def default_times(person: Person, until_h: float) -> Array:
    """Each day of the next week, then twice a week, and the end, in hours."""
    now = person.now_h
    daily = now + 24.0 * np.arange(8)
    later = np.arange(now + WEEK_H, until_h, WEEK_H / 2.0)
    times = np.unique(np.concatenate([daily, later, [until_h]]))
    return np.asarray(times[(times >= now) & (times <= until_h)])


def forecast(
    posterior: Posterior,
    planned: Planned | None = None,
    *,
    name: str = "as planned",
    scales: Sequence[str] | None = None,
    times_h: Sequence[float] | None = None,
    until_h: float | None = None,
    risk: float = RISK,
    draws: int = DRAWS,
    seed: int = 1,
    cared_as: Planned | None = None,
    threads: int | None = None,
) -> Forecast:
    """The forecast under a plan (the person's own when none is given; no further dose when they have none).

    `scales` are those the person was rated on unless named (MADRS without ratings), `times_h` as `default_times`. With
    `cared_as` the person stays in care as long as under that plan, whatever is given.

    Raises:
        InputError: an unknown scale, or a dose that cannot be given.
    """
    person = posterior.person
    planned = person.planned if planned is None else planned
    end = until_h or (planned.until_h if planned else person.now_h + 8 * WEEK_H)
    names = tuple(scale(each).name for each in scales or person.scales or ("MADRS",))
    times = default_times(person, end) if times_h is None else np.asarray(sorted(times_h), dtype=np.float64)
    looks = times_for(person, names, times)
    ahead = future(posterior, planned, scales=names, times_h=looks, draws=draws, cared_as=cared_as, threads=threads)
    made = tuple(_summary(paths(ahead, each, times, posterior.wander, seed), person, risk) for each in names)
    return Forecast(
        name=name,
        person=person,
        planned=planned,
        scales=made,
        risk=risk,
        diagnostics=posterior.diagnostics() | {"draws": len(ahead.candidates)},
        provenance=Provenance(seed=seed, inputs={"person": person_digest(person)}),
    )


def _summary(path: Paths, person: Person, risk: float) -> ScaleForecast:
    found = path.scale
    better = response(found, path.ratings, path.baseline) if found.response is not None else None
    well = remission(found, path.ratings) if found.remission else None
    relapse, responding, due = _relapse(path, person, risk)
    return ScaleForecast(
        scale=found.name,
        times_h=path.times_h,
        ratings=np.percentile(path.unrounded, LEVELS, axis=0).T,
        own=np.percentile(path.own, LEVELS, axis=0).T,
        response=None if better is None else better.mean(axis=0),
        remission=None if well is None else well.mean(axis=0),
        relapse=relapse,
        responding=responding,
        due_h=due,
        baseline=float(path.baseline.mean()),
        rated=path.rated,
        recall_days=path.recall_days,
    )


def _relapse(path: Paths, person: Person, risk: float) -> tuple[Array | None, float | None, float | None]:
    """Chance of relapse by each time among draws in response now, their share, and when it passes the risk.

    A relapse is what `RELAPSE` says: of each draw's own gain, from the baseline to its own score now.
    """
    found = path.scale
    if found.response is None or not len(path.times_h):
        return None, None, None
    now = response(found, path.own[:, :1], path.baseline)[:, 0]
    share = float(now.mean())
    weekly = weekly_visits(path.times_h)[1:]
    if share < 0.05 or len(weekly) < relapse_rule("half lost").visits:
        return None, share, None
    since = np.where(now, path.times_h[0], np.nan)
    times = path.times_h[weekly]
    own = path.own[:, 0]
    lost = time_to_gain_lost(found, times, path.ratings[:, weekly], path.baseline, own, since_h=since)
    when = np.where(lost.observed, lost.time_h + path.times_h[0], np.inf)[now]
    chance = (when[:, None] <= path.times_h[None, :]).mean(axis=0)
    past = np.flatnonzero(chance > risk)
    return chance, share, float(path.times_h[past[0]]) if len(past) else None


def weekly_visits(times_h: Array) -> NDArray[np.intp]:
    """Places of times about a week apart, the first among them."""
    chosen = [0]
    for place, moment in enumerate(times_h):
        if moment - times_h[chosen[-1]] >= WEEK_H - 1e-6:
            chosen.append(place)
    return np.array(chosen, dtype=np.intp)


__all__ = ["Forecast", "Future", "ScaleForecast", "default_times", "forecast", "person_digest"]
