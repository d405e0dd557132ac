"""One option measured on draws of a person: chances of breaking limits, of relapse, drug and visits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from rekindle.planning.doses import given_sessions
from rekindle.planning.following import Followed, follow, main_scale
from rekindle.planning.judging import LimitChance, Wellness, chances, summary, wellness
from rekindle.planning.options import Option

if TYPE_CHECKING:
    from rekindle.inference.update import Posterior
    from rekindle.person.record import Planned
    from rekindle.planning.limits import Limits


@dataclass(frozen=True)
class Measured:
    """An option on draws of a person (or of people like them).

    `drug` is on one footing (`rekindle.planning.doses`), `mg` as given; both, `visits` and `cost` are expected over
    the plan. The `draws` are worth as many independent ones as `worth` says: no more than there are different ones.
    """

    well: Wellness
    limits: tuple[LimitChance, ...]
    joint: LimitChance
    visits: float
    mg: float
    drug: float
    cost: float
    draws: int
    worth: int

    @property
    def kept(self) -> bool:
        """Whether every limit is kept, the joint one too, with the margin."""
        return self.joint.kept and all(each.kept for each in self.limits)

    @property
    def excess(self) -> float:
        """How far chances as found, without margin, pass what is allowed: 0 where none does."""
        rows = [each for each in (*self.limits, self.joint) if each.limit is None or each.limit.keep]
        return float(sum(max(0.0, each.chance - each.allowed) for each in rows if each.allowed is not None))

    def as_dict(self, goal: str) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {
            "chance": round(self.well.chance(goal), 4),
            "relapse": None if self.well.relapse is None else round(self.well.relapse, 4),
            "not_in_response": round(self.well.not_well, 4),
            "weeks_in_response": round(self.well.weeks_well, 2),
            "responding_now": round(self.well.responding, 4),
            "visits": round(self.visits, 2),
            "mg": round(self.mg, 1),
            "racemic_equivalent_mg": round(self.drug, 1),
            "cost": round(self.cost, 2),
            "limits": [each.as_dict() for each in self.limits],
            "joint": self.joint.as_dict(),
            "draws": self.draws,
            "worth": self.worth,
        }


def measure(
    posterior: Posterior,
    option: Option | Planned | None,
    limits: Limits,
    until_h: float,
    *,
    draws: int,
    seed: int = 1,
    threads: int | None = None,
) -> Measured:
    """An option (a schedule with or without a rule; None for no further dose) on draws of the person.

    Raises:
        InputError: a dose that cannot be given.
    """
    followed = followed_under(posterior, option, until_h, draws=draws, seed=seed, threads=threads)
    return measured(followed, posterior, limits)


def followed_under(
    posterior: Posterior,
    option: Option | Planned | None,
    until_h: float,
    *,
    draws: int,
    seed: int = 1,
    threads: int | None = None,
) -> Followed:
    """Draws of the person under an option.

    Raises:
        InputError: a dose that cannot be given.
    """
    judged_by = main_scale(posterior.person)
    if isinstance(option, Option) and option.stretch_weeks:
        from rekindle.planning.rules import follow_rule

        return follow_rule(posterior, option, until_h, draws=draws, seed=seed, judged_by=judged_by, threads=threads)
    planned = option.planned() if isinstance(option, Option) else option
    return follow(posterior, planned, until_h, draws=draws, seed=seed, judged_by=judged_by, threads=threads)


def measured(followed: Followed, posterior: Posterior, limits: Limits) -> Measured:
    """What draws that were followed come to, against limits."""
    worth = max(1, int(min(followed.distinct, np.floor(posterior.effective))))
    rows, joint = chances(followed, limits, given_sessions(posterior.person), float(worth))
    return Measured(
        well=wellness(followed), limits=rows, joint=joint, draws=followed.draws, worth=worth,
        **summary(followed, limits.costs),
    )  # fmt: skip
