"""People who stop their treatment but are still rated: what `treatment-policy` asks about.

Everybody is followed twice, with the whole course and with a course that ends when they would stop; a rating is then
that of either course, by the chance that they stop at all. When a person would stop is drawn once from their own
chances: given that they stop, for expected numbers; in one virtual trial only some do. Under every other estimand the
second course is not needed and not solved.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rekindle.trial.design import Trial
from rekindle.trial.solving import Courses, Prepared, solve_lanes
from rekindle.trial.staying import staying
from rekindle.trial.switches import ALL_ON, Switches
from rekindle.trial.values import Sets, set_of
from rekindle.trial.view import Luck, views

Array = NDArray[np.float64]


def follow(
    prepared: Sequence[Prepared],
    sets: Sets,
    deviations: Mapping[str, Mapping[str, Array]],
    *,
    switches: Switches = ALL_ON,
    luck: Luck | None = None,
    **how: Any,
) -> list[Courses]:
    """The courses of every lane, with those of people who stop where the trial's estimand asks for them.

    Raises:
        SolverError: too many people could not be solved.
    """
    courses = solve_lanes(prepared, sets, deviations, switches=switches, **how)
    return [
        replace(course, stopped=_stopped(each, course, sets, deviations, switches, luck, how))
        if follows_stopped(each.trial) and switches.dropout
        else course
        for each, course in zip(prepared, courses, strict=True)
    ]


def follows_stopped(trial: Trial) -> bool:
    """Whether the trial rates people after they stop."""
    return trial.estimand == "treatment-policy" and trial.dropout is not None and trial.design != "crossover"


def _stopped(
    each: Prepared,
    course: Courses,
    sets: Sets,
    deviations: Mapping[str, Mapping[str, Array]],
    switches: Switches,
    luck: Luck | None,
    how: Mapping[str, Any],
) -> Courses:
    """The lane again, everybody's doses ending when they would stop."""
    times = stop_times(each, course, switches, luck)
    parts = []
    for number in range(sets.count):
        doses = [
            [dose for dose in own if dose.time_h <= times[number, person]] for person, own in enumerate(each.doses)
        ]
        alone = replace(each, doses=doses, kept={})
        own_deviations = {
            name: {key: np.atleast_1d(np.broadcast_to(value, (sets.count,))[number]) for key, value in given.items()}
            for name, given in deviations.items()
        }
        parts += solve_lanes([alone], set_of(sets, number), own_deviations, switches=switches, **how)
    latents = {name: np.concatenate([part.latents[name] for part in parts]) for name in parts[0].latents}
    return replace(course, latents=latents, stop_h=times)


def stop_times(each: Prepared, course: Courses, switches: Switches, luck: Luck | None = None) -> Array:
    """When each person would stop, (sets, people), from the chances of staying by one draw.

    With the luck of one trial, infinite for those who do not stop; else given that they do.
    """
    given = luck or Luck(each.trial.seed)
    view = views(each.trial, [course], None, switches, luck)[each.lane.arms[0].name]
    stay = staying(view)
    drawn = given.uniforms("trial", "stopping", each.lane.name, count=len(each.who))
    gone = 1.0 - stay.chance
    wanted = drawn[None, :] * (gone[-1] if given.balanced else np.ones_like(gone[-1]))
    found = np.where(wanted <= gone[-1], stay.times_h[-1], np.inf)
    for place in range(len(stay.times_h) - 1, 0, -1):
        before, after = gone[place - 1], gone[place]
        share = np.clip((wanted - before) / np.maximum(after - before, 1e-12), 0.0, 1.0)
        inside = wanted <= after
        begin, end = stay.times_h[place - 1], stay.times_h[place]
        found = np.where(inside, begin + share * (end - begin), found)
    return found
