"""Chances of breaking limits, and how well the person stays, from draws that were followed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rekindle.outcomes.endpoints import response, time_to_gain_lost
from rekindle.planning.doses import window_sums
from rekindle.planning.limits import ChanceLimit, Costs, Limits

if TYPE_CHECKING:
    from rekindle.planning.doses import Sessions
    from rekindle.planning.following import Followed

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

CONFIDENCE = 0.975
"""One-sided: a limit counts as kept when its chance lies below the allowed one with this confidence."""
RELAPSE, NOT_WELL = "relapse", "not in response"
LAST_VISITS = 4
ROUNDING = 1e-9


@dataclass(frozen=True)
class LimitChance:
    """A limit with the chance of breaking it, and the upper end of that chance given how many draws there were."""

    limit: ChanceLimit | None
    name: str
    chance: float
    upper: float
    allowed: float | None
    per: str

    @property
    def kept(self) -> bool:
        """Whether it is kept with the margin; a limit that is only shown always is."""
        barring = self.allowed is not None and (self.limit is None or self.limit.keep)
        return not barring or self.upper <= (self.allowed or 0.0)

    def as_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        ground = {} if self.limit is None else self.limit.ground.as_dict()
        return {
            "limit": self.name, "per": self.per, "chance": round(self.chance, 5), "at_most": round(self.upper, 5),
            "allowed": self.allowed, "kept": self.kept, "bars": self.limit is None or self.limit.keep, **ground,
        }  # fmt: skip


@dataclass(frozen=True)
class Wellness:
    """How the person fares: chances over the plan.

    `relapse` is among draws in response now (`responding`, a share), None where they are too few; `not_well` the
    share of the last weeks' ratings that are no response; `weeks_well` the expected weeks in response.
    """

    relapse: float | None
    responding: float
    not_well: float
    weeks_well: float
    relapsed: Array
    well_at_end: Array

    def chance(self, goal: str) -> float:
        """The chance that a plan is to keep low."""
        return self.not_well if goal == NOT_WELL or self.relapse is None else self.relapse


def upper_chance(chance: float, draws: float, confidence: float = CONFIDENCE) -> float:
    """The upper end of a chance that was found among so many draws (Clopper and Pearson 1934, doi:10.2307/2331986).

    >>> round(upper_chance(0.0, 200.0), 4)
    0.0183
    """
    from scipy.special import betaincinv

    if chance >= 1.0 - ROUNDING:
        return 1.0
    return float(betaincinv(chance * draws + 1.0, (1.0 - chance) * draws, confidence))


def chances(
    followed: Followed, limits: Limits, given: Sessions, draws: float
) -> tuple[tuple[LimitChance, ...], LimitChance]:
    """Every limit's chance of being broken, and that of breaking any of those kept.

    `given` are the sessions before the plan; `draws` is what the draws are worth as independent ones.
    """
    found = []
    any_session: Mask = np.zeros(followed.times_h.shape, dtype=bool)
    any_plan: Mask = np.zeros(followed.draws, dtype=bool)
    surely = True
    for limit in limits.chances:
        broken = broken_at(followed, limit, given, limits.costs)
        exact = not broken.size or (not limit.quantity.random and _surely(followed, limit, given, limits.costs))
        over_plan: Mask = np.asarray(broken.any(axis=1))
        if limit.per == "session" and broken.size:
            chance, upper = _at_a_session(broken, np.isfinite(followed.times_h), draws)
        else:
            chance = float(over_plan.mean()) if broken.size else 0.0
            upper = upper_chance(chance, draws)
        upper = chance if exact else upper
        found.append(LimitChance(limit, limit.name, chance, upper, limit.chance, limit.per))
        if limit.keep:
            surely = surely and exact
            any_plan = any_plan | over_plan
            if any_session.size:
                everywhere = broken if broken.shape == any_session.shape else over_plan[:, None]
                any_session = np.asarray(any_session | everywhere)
    by_session = limits.joint_per == "session" and any_session.size > 0
    if by_session:
        chance, upper = _at_a_session(any_session, np.isfinite(followed.times_h), draws)
    else:
        chance = float(any_plan.mean())
        upper = upper_chance(chance, draws)
    upper = chance if surely else upper
    return tuple(found), LimitChance(None, "any limit at all", chance, upper, limits.joint, limits.joint_per)


def _at_a_session(broken: Mask, there: Mask, draws: float) -> tuple[float, float]:
    """The chance that a session breaks a limit, of the worst one, and its upper end; shape (draws, sessions) each.

    Of the first, the second, ... session among draws that have it. From the last one on that half of them have,
    sessions count together, each as likely to be the one.
    """
    have = there.sum(axis=0)
    last = int(np.flatnonzero(2 * have >= len(there))[-1]) if (2 * have >= len(there)).any() else 0
    groups = [slice(place, place + 1) for place in range(last)] + [slice(last, None)]
    shares = [
        (float((broken[:, group] & there[:, group]).sum() / max(there[:, group].sum(), 1)),
         float(there[:, group].any(axis=1).mean()))
        for group in groups
    ]  # fmt: skip
    return (
        max(chance for chance, _ in shares),
        max(upper_chance(chance, max(draws * share, 1.0)) for chance, share in shares),
    )


def _surely(followed: Followed, limit: ChanceLimit, given: Sessions, costs: Costs | None) -> bool:
    """Whether what is found of a schedule's own counts holds for every draw: fixed, or kept by the densest there is."""
    if followed.fixed:
        return True
    times, mg = followed.densest[None, :, :].swapaxes(0, 1)
    densest = replace(followed, times_h=times, mg=mg, footing_mg=mg, fixed=True)
    return not broken_at(densest, limit, given, costs).any()


def broken_at(followed: Followed, limit: ChanceLimit, given: Sessions, costs: Costs | None) -> Mask:
    """Where a limit is broken, shape (draws, sessions), or (draws, 1) for what is of the whole plan."""
    values = values_of(followed, limit.quantity.name, limit.quantity.days, given, costs)
    beyond = values > limit.line + ROUNDING if limit.quantity.upper else values < limit.line - ROUNDING
    return np.asarray(beyond & np.isfinite(values))


def values_of(followed: Followed, name: str, days: int, given: Sessions, costs: Costs | None) -> Array:
    """A quantity's values, shape (draws, sessions) or (draws, 1)."""
    if name in followed.peaks:
        return followed.peaks[name]
    if name in followed.lasting:
        return followed.lasting[name][:, None]
    if followed.fixed and followed.draws:
        one = counted(name, days, followed.times_h[:1], followed.mg[:1], given, costs)
        return np.broadcast_to(one, (followed.draws, one.shape[1]))
    return counted(name, days, followed.times_h, followed.mg, given, costs)


def counted(name: str, days: int, times: Array, mg: Array, given: Sessions, costs: Costs | None) -> Array:
    """Doses, visits or cost of sessions (draws, sessions): in each one's window, or in all, shape (draws, 1)."""
    visits = np.where(np.isfinite(times), 1.0, 0.0)
    mg = np.where(np.isfinite(times), mg, 0.0)
    money = _money(visits, mg, costs)
    whole = {"visits": visits, "drug": mg, "cost": money}
    if name in whole:
        return np.asarray(whole[name].sum(axis=1, keepdims=True))
    earlier_visits, earlier_mg = np.ones(len(given)), given.mg
    values, earlier = {
        "dose": (mg, earlier_mg),
        "visits": (visits, earlier_visits),
        "cost": (money, _money(earlier_visits, earlier_mg, costs)),
    }[name.split(" a ")[0]]
    return window_sums(given, times, values, earlier, days)


def _money(visits: Array, mg: Array, costs: Costs | None) -> Array:
    return np.zeros_like(mg) if costs is None else costs.session * visits + costs.per_mg * mg


def wellness(followed: Followed, fewest: float = 0.05) -> Wellness:
    """How draws fare by their weekly ratings; a relapse is half of each one's gain until now lost at two looks running.

    Where a smaller share than `fewest` is in response now, there is nothing to relapse from.
    """
    path = followed.ratings
    found = path.scale
    now = response(found, path.own[:, :1], path.baseline)[:, 0]
    well = response(found, path.ratings, path.baseline)
    share = float(now.mean())
    since = np.where(now, path.times_h[0], np.nan)
    relapsed = np.full(len(now), np.nan)
    if share >= fewest and len(path.times_h) > 1:
        later = path.ratings[:, 1:]
        lost = time_to_gain_lost(found, path.times_h[1:], later, path.baseline, path.own[:, 0], since_h=since)
        relapsed = np.where(now, np.where(lost.observed, lost.time_h + path.times_h[0], np.inf), np.nan)
    relapse = float(np.isfinite(relapsed[now]).mean()) if share >= fewest else None
    end = well[:, 1:][:, -LAST_VISITS:].mean(axis=1)
    weeks = float(well[:, 1:].sum(axis=1).mean())
    return Wellness(relapse, share, float(1.0 - end.mean()), weeks, relapsed, end)


def summary(followed: Followed, costs: Costs | None) -> Mapping[str, float]:
    """Expected sessions, mg as given, mg on one footing and cost over the plan."""
    there = np.isfinite(followed.times_h)
    mg = np.where(there, followed.mg, 0.0)
    footing = np.where(there, followed.footing_mg, 0.0)
    return {
        "visits": float(there.sum(axis=1).mean()),
        "mg": float(mg.sum(axis=1).mean()),
        "drug": float(footing.sum(axis=1).mean()),
        "cost": float(_money(there.astype(np.float64), mg, costs).sum(axis=1).mean()),
    }
