"""Everything that one page about a person says, worked out once: forecasts under the plan, without a further dose,
with the next session put off, and under each option; the course so far; what lies behind it; the coming session.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rekindle.dosing import parse
from rekindle.inference.explain import Fading, Part, fading, gain_so_far
from rekindle.inference.forecast import DRAWS, LEVELS, RISK, WEEK_H, Forecast, default_times, forecast
from rekindle.inference.next_session import SessionAhead, next_session
from rekindle.inference.paths import future, paths, times_for
from rekindle.inference.saved import saved
from rekindle.outcomes import scale
from rekindle.person.record import Planned

if TYPE_CHECKING:
    from rekindle.inference.update import Posterior

Array = NDArray[np.float64]

NOTHING, NO_VISITS = "no further dose", "no further dose and no further visits"
PAST_DRAWS, SIDE_DRAWS = 400, 1_000
LOOKS = 60
"""Times at which the course so far is looked at."""


@dataclass(frozen=True)
class Past:
    """The person's own score so far on one scale, given all ratings: quantiles at LEVELS, shape (times, levels)."""

    scale: str
    times_h: Array
    own: Array


@dataclass(frozen=True)
class Outlook:
    """What is known and foreseen of one person.

    `plan` is the forecast under the plan; `without` the one with no further dose, in care for as long as under the
    plan; `alone` the one with no further dose and no further visits; `waiting` those with the next session put off by
    so many hours, `options` those of the person's file, all to one last date. `main` names the
    scale that words and pictures follow. `gain` and `fading` are None where there is nothing to explain yet.
    """

    posterior: Posterior
    plan: Forecast
    without: Forecast
    alone: Forecast
    waiting: tuple[tuple[float, Forecast], ...]
    options: tuple[Forecast, ...]
    main: str
    past: tuple[Past, ...]
    gain: tuple[Part, ...] | None
    fading: Fading | None
    session: SessionAhead | None

    def as_dict(self) -> dict[str, Any]:
        """`forecast.json`: the forecast under the plan as saved, and the rest beside it."""
        end = self.plan[self.main].times_h[-1]
        return {
            **saved(self.plan),
            "main_scale": self.main,
            "without_further_dose": _short(self.without),
            "without_further_visits": _short(self.alone),
            "waiting": [{"hours": delay, **_short(each)} for delay, each in self.waiting],
            "options": [_short(each) for each in self.options],
            "compared_at": self.plan.date(end),
            "gain_so_far": None if self.gain is None else [part.as_dict() for part in self.gain],
            "fading": None if self.fading is None else self.fading.as_dict(),
            "next_session": None if self.session is None else self.session.as_dict(),
        }


def _short(each: Forecast) -> dict[str, Any]:
    """A forecast's chances at its last date."""
    whole = each.as_dict()
    return {
        "name": each.name,
        "plan": whole["plan"],
        "scales": [
            {key: one[key] for key in ("scale", "levels", "responding", "due")}
            | {f"{key}_at_end": None if one[key] is None else one[key][-1]
               for key in ("ratings", "response", "remission", "relapse")}
            for one in whole["scales"]
        ],
    }  # fmt: skip


def outlook(
    posterior: Posterior,
    *,
    scales: Sequence[str] | None = None,
    until_h: float | None = None,
    risk: float | None = None,
    draws: int = DRAWS,
    seed: int = 1,
    threads: int | None = None,
) -> Outlook:
    """Forecasts and explanations for a page. What is not given is as the person's file says, else as `forecast`.

    Raises:
        InputError: an unknown scale, or a dose that cannot be given.
    """
    person = posterior.person
    asked = scales or person.forecast_scales or person.scales or ("MADRS",)
    names = tuple(dict.fromkeys(scale(each).name for each in asked))
    planned = person.planned
    end = until_h or (planned.until_h if planned else person.now_h + 8 * WEEK_H)
    how: dict[str, Any] = {"scales": names, "seed": seed, "threads": threads,
                           "risk": (person.risk or RISK) if risk is None else risk}  # fmt: skip
    nothing = Planned(parse("no treatment"), person.now_h, end)
    if planned is None:
        plan = forecast(posterior, nothing, name=NO_VISITS, times_h=forecast_times(None, person.now_h, end, posterior),
                        draws=draws, **how)  # fmt: skip
        without = alone = plan
    else:
        times = forecast_times(planned, person.now_h, end, posterior)
        plan = forecast(posterior, planned, times_h=times, draws=draws, **how)
        side_how: dict[str, Any] = {**how, "until_h": end, "draws": min(draws, SIDE_DRAWS)}
        without = forecast(posterior, nothing, name=NOTHING, cared_as=planned, **side_how)
        alone = forecast(posterior, nothing, name=NO_VISITS, **side_how)
    side = {**how, "until_h": end, "draws": min(draws, SIDE_DRAWS)}
    main = main_scale(names, [rating.scale for rating in person.ratings])
    return Outlook(
        posterior=posterior,
        plan=plan,
        without=without,
        alone=alone,
        waiting=tuple((delay, forecast(posterior, late, name=f"{delay:g} hours later", **side))
                      for delay, late in put_off(planned, person.now_h, end)),
        options=tuple(forecast(posterior, replace(option, until_h=end), name=name, **side)
                      for name, option in person.options),
        main=main,
        past=tuple(_past(posterior, name, seed, threads) for name in names) if person.ratings else (),
        gain=gain_so_far(posterior, main) if person.given else None,
        fading=fading(posterior, main, planned),
        session=next_session(posterior, planned),
    )  # fmt: skip


def main_scale(names: Sequence[str], rated: Sequence[str]) -> str:
    """The scale that words follow: one with a response, rated most often, the first of these."""
    whole = [name for name in names if scale(name).response is not None] or list(names)
    often = [sum(scale(each).name == name for each in rated) for name in whole]
    return whole[int(np.argmax(often))]


def put_off(planned: Planned | None, now_h: float, end_h: float) -> list[tuple[float, Planned]]:
    """The plan with what is left of it one and two weeks later, where that still lies before the end."""
    if planned is None or not planned.course.sessions:
        return []
    first = planned.from_h + planned.course.sessions[0].time_h
    return [
        (delay, replace(planned, from_h=planned.from_h + delay, until_h=end_h))
        for delay in (WEEK_H, 2 * WEEK_H)
        if first >= now_h and first + delay < end_h
    ]


def forecast_times(planned: Planned | None, now_h: float, end_h: float, posterior: Posterior) -> list[float]:
    """The usual times, and those just before and a day after each planned session (the first 30 of them)."""
    times = set(default_times(posterior.person, end_h).tolist())
    if planned is not None:
        for session in planned.course.sessions[:30]:
            start = planned.from_h + session.time_h
            times |= {moment for moment in (start - 0.5, start + 24.0) if now_h <= moment <= end_h}
    return sorted(times)


def _past(posterior: Posterior, name: str, seed: int, threads: int | None) -> Past:
    """The course so far: at even steps, just before each dose and a day after."""
    person = posterior.person
    doses = sorted({given.time_h for given in person.given})
    times = set(np.linspace(0.0, person.now_h, LOOKS).tolist()) if person.now_h > 0 else {0.0}
    times |= {moment for start in doses[-30:] for moment in (start, start + 24.0) if 0.0 <= moment <= person.now_h}
    moments = np.array(sorted(times))
    looks = times_for(person, (name,), moments)
    ahead = future(posterior, None, scales=(name,), times_h=looks, draws=PAST_DRAWS, threads=threads)
    own = paths(ahead, name, moments, posterior.wander, seed).own
    return Past(name, moments, np.percentile(own, LEVELS, axis=0).T)
