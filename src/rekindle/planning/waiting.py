"""What waiting costs: the chance of relapse when the next session, and all after it, come some weeks later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from rekindle.planning.following import follow, main_scale
from rekindle.planning.judging import wellness
from rekindle.planning.options import WEEK_H

if TYPE_CHECKING:
    from rekindle.inference.update import Posterior
    from rekindle.person.record import Planned


@dataclass(frozen=True)
class Waited:
    """A delay in weeks; the chance by the end, how much more it is than without delay, and that difference's error.

    The chance is that of relapse among draws in response now, or of not being in response in the last weeks.
    """

    weeks: int
    chance: float
    more: float
    standard_error: float

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {
            "weeks": self.weeks, "chance": round(self.chance, 4), "more": round(self.more, 4),
            "standard_error": round(self.standard_error, 4),
        }  # fmt: skip


def waiting(
    posterior: Posterior,
    planned: Planned,
    *,
    weeks: Sequence[int] = (0, 1, 2, 4),
    until_h: float | None = None,
    goal: str = "relapse",
    draws: int = 1_000,
    seed: int = 1,
    threads: int | None = None,
) -> tuple[Waited, ...]:
    """The cost of delaying a plan, on the same draws and luck for every delay.

    Everything is counted to the same end, a week after the last session of the plan as it stands (or `until_h`, if that
    is sooner): after that a delayed plan would still be giving what the other no longer does.

    Raises:
        InputError: a dose that cannot be given.
    """
    judged_by = main_scale(posterior.person)
    last = max((session.time_h for session in planned.course.sessions), default=0.0)
    end = planned.from_h + last + WEEK_H
    end = end if until_h is None else min(end, until_h)
    found: list[Waited] = []
    first, first_place = None, np.zeros(0, dtype=np.intp)
    for late in weeks:
        moved = replace(planned, from_h=planned.from_h + late * WEEK_H)
        followed = follow(posterior, moved, end, draws=draws, seed=seed, judged_by=judged_by, threads=threads)
        well = wellness(followed)
        own = (
            np.where(np.isnan(well.relapsed), np.nan, np.isfinite(well.relapsed).astype(np.float64))
            if goal == "relapse" and well.relapse is not None
            else 1.0 - well.well_at_end
        )
        if first is None:
            first, first_place = own, followed.place
        _, here, there = np.intersect1d(followed.place, first_place, return_indices=True)
        both = np.isfinite(own[here]) & np.isfinite(first[there])
        more = (own[here] - first[there])[both] if both.any() else np.zeros(1)
        error = float(more.std(ddof=1) / np.sqrt(len(more))) if len(more) > 1 else 0.0
        found.append(Waited(late, float(np.nanmean(own)), float(more.mean()), error))
    return tuple(found)
