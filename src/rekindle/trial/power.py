"""Power and assurance of a trial against its size: how likely it is to find what the model expects, unsure as it is.

Power is the chance of a significant result if the model's own values were true; assurance averages it over parameter
sets and over how one trial differs from the next (O'Hagan and others 2005, doi:10.1002/pst.175). Dropout, masking and
the rater are those of the file, and only those whom `enter` lets go on are compared. The test is the analysis of
covariance of the change, or the comparison of responders; in a crossover, where everybody is in both arms, it is
within people.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rekindle.errors import InputError
from rekindle.trial.compare import WITHIN
from rekindle.trial.design import Number, Trial
from rekindle.trial.draws import draws
from rekindle.trial.leaving import follow
from rekindle.trial.quantify import Seen, change, seen, spread_of
from rekindle.trial.quantify_events import share_in
from rekindle.trial.sequential import Looks, crossing_of, one_look
from rekindle.trial.solving import prepare
from rekindle.trial.values import sets_of
from rekindle.trial.view import Luck, views
from rekindle.trial.virtual import primary, stage_of

Array = NDArray[np.float64]
SIZES = (10, 15, 20, 30, 40, 50, 60, 80, 100, 120, 150, 200, 250, 300)


@dataclass(frozen=True)
class Effects:
    """What a comparison is under each set, (sets,): the difference, the SDs left after the baseline, who is rated.

    `paired` says that the people of both arms are the same; the SDs are then those of the change.
    """

    difference: Array
    sd: Array
    sd_other: Array
    rated: Array
    rated_other: Array
    shares: tuple[Array, Array]
    paired: bool = False


@dataclass(frozen=True)
class Row:
    """One size: people in the first arm and in all, power at the model's values, assurance with its middle nine tenths
    over sets, chance of each look being the last, and the mean number of people until the stop.
    """

    n: int
    total: int
    power: float
    assurance: float
    low: float
    high: float
    right_way: float
    stops: tuple[float, ...]
    expected_total: float


@dataclass(frozen=True)
class Power:
    """Power against size for one comparison of one trial."""

    trial: str
    arms: tuple[str, str]
    endpoint: str
    scale: str
    visit_h: float
    looks: Looks
    rows: tuple[Row, ...]
    effect: dict[str, float]
    source: str

    def size_for(self, assurance: float = 0.8) -> int | None:
        """The smallest size in the table whose assurance reaches this, or None."""
        return next((row.n for row in self.rows if row.assurance >= assurance), None)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "trial": self.trial,
            "arms": list(self.arms),
            "endpoint": self.endpoint,
            "scale": self.scale,
            "visit_h": self.visit_h,
            "alpha": self.looks.alpha,
            "looks": list(self.looks.shares),
            "bounds": list(self.looks.bounds),
            "effect": self.effect,
            "rows": [vars(row) | {"stops": list(row.stops)} for row in self.rows],
            "size_for_80": self.size_for(0.8),
            "source": self.source,
        }


def power(
    trial: Trial,
    *,
    sizes: Sequence[int] = SIZES,
    endpoint: str = "change",
    plan: Looks | None = None,
    sets: int = 64,
    people: int = 64,
    seed: int = 1,
    threads: int | None = None,
) -> Power:
    """Power and assurance of a trial for each number of people in its first arm; the others keep their proportion.

    Raises:
        InputError: no two arms to compare, an unknown end point, or sizes below 2.
        SolverError: too many people could not be solved.
    """
    if endpoint not in ("change", "response"):
        raise InputError(f"'{endpoint}' is no end point of a power calculation.", hint="change or response.")
    if not sizes or min(sizes) < 2:
        raise InputError("A size is at least 2 people an arm.")
    first, second = compared_arms(trial)
    scale, visit = primary(trial)
    plan = plan or one_look()
    asked = draws(trial, sets, seed, leave_out=False)
    spread = effects(trial, first, second, scale, visit, asked.values, asked.deviations, people, seed, threads)
    center = effects(trial, first, second, scale, visit, {}, {}, people, seed, threads)
    ratio = _ratio(trial, first, second)
    drifts = [_drift(found, size, _others(size, ratio), endpoint) for found in (spread, center) for size in sizes]
    lengths = np.cumsum([0, *(len(drift) for drift in drifts)])
    chances = crossing_of(plan, np.concatenate(drifts))
    parts = [chances[lengths[place] : lengths[place + 1]] for place in range(len(drifts))]
    rows = tuple(
        _row(size, ratio, parts[place], float(parts[len(sizes) + place].sum()), spread, center, plan)
        for place, size in enumerate(sizes)
    )
    effect = {
        "difference": float(np.mean(spread.difference)),
        "low": float(np.quantile(spread.difference, 0.05)),
        "high": float(np.quantile(spread.difference, 0.95)),
        "sd": float(np.mean(spread.sd)),
        "standardised": float(np.mean(spread.difference / spread.sd)),
        "response": 100.0 * float(np.mean(spread.shares[0])),
        "response_other": 100.0 * float(np.mean(spread.shares[1])),
    }
    return Power(trial.name, (first, second), endpoint, scale, visit, plan, rows, effect, asked.source)


def compared_arms(trial: Trial) -> tuple[str, str]:
    """The first active arm and the first comparator (or the second arm).

    Raises:
        InputError: the trial has one arm only.
    """
    arms = [arm for arm in trial.arms if not arm.mixture]
    active = [arm.name for arm in arms if arm.role == "active"]
    others = [arm.name for arm in arms if arm.role == "comparator"] or active[1:]
    if not active or not others:
        raise InputError("Power needs two arms to compare.", hint="Give one arm the role 'comparator'.")
    return active[0], others[0]


def _ratio(trial: Trial, first: str, second: str) -> float:
    one, other = trial.arm(first).n, trial.arm(second).n
    return other / one if one and other else 1.0


def effects(
    trial: Trial, first: str, second: str, scale: str, visit: float, values: Any, deviations: Any, people: int,
    seed: int, threads: int | None,
) -> Effects:  # fmt: skip
    """What the comparison is under each set of values.

    Raises:
        InputError: hardly anybody meets the criteria.
        SolverError: too many people could not be solved.
    """
    sets = sets_of(values)
    stage = stage_of(trial, visit)
    number = Number(0, "difference", (first, second), scale, "points", 0.0, (None, None), visit, stage)
    luck = Luck(seed)
    lanes = prepare(trial, people, seed, numbers=[number])
    courses = follow(lanes, sets, {trial.name: deviations}, luck=luck, threads=threads)
    seen_as = views(trial, courses, luck=luck)
    one, other = (seen(trial, seen_as, number, arm, 1.0) for arm in (first, second))
    mean, sd, rated = _adjusted(one, visit)
    mean_other, sd_other, rated_other = _adjusted(other, visit)
    shares, paired = (share_in(one), share_in(other)), trial.design == "crossover"
    return Effects(mean - mean_other, sd, sd_other, rated, rated_other, shares, paired)


def _adjusted(part: Seen, visit: float) -> tuple[Array, Array, Array]:
    """Mean change, its SD left after regression on the baseline, and the share of people whose rating counts.

    People who stop and are rated all the same count, and so do ratings that are filled. In a crossover nothing is
    adjusted for.
    """
    at, value, variance = change(part, visit)
    entry = part.view.entry(part.number.scale)
    start = entry - at.mean(entry)[:, None]
    joint = at.mean((value - at.mean(value)[:, None]) * start)
    explained = joint**2 / np.maximum(at.variance(entry), 1e-9)
    whole = spread_of(at, value, variance) ** 2
    missed = part.view.courses is None and part.view.trial.missing in ("model", "observed")
    rated = part.mean(part.stay.at(visit)) if missed else 1.0
    if part.view.trial.design == "crossover":
        explained = 0.0 * explained
    return (
        at.mean(value),
        np.sqrt(np.maximum(whole - explained, 0.05 * whole)),
        np.broadcast_to(rated, (part.view.sets,)),
    )


def _others(size: int, ratio: float) -> int:
    return max(2, round(size * ratio))


def _row(size: int, ratio: float, chances: Array, model: float, spread: Effects, center: Effects, plan: Looks) -> Row:
    other = _others(size, ratio)
    reached = chances.sum(axis=1)
    stops = chances.mean(axis=0)
    shares = np.asarray(plan.shares)
    until = float((stops * shares).sum() + (1.0 - stops.sum()) * 1.0)
    sign = np.sign(center.difference[0]) or 1.0
    right = float(np.mean(reached * (np.sign(spread.difference) == sign)))
    return Row(
        n=size,
        total=size if spread.paired else size + other,
        power=model,
        assurance=float(reached.mean()),
        low=float(np.quantile(reached, 0.05)),
        high=float(np.quantile(reached, 0.95)),
        right_way=right,
        stops=tuple(float(stop) for stop in stops),
        expected_total=until * (size if spread.paired else size + other),
    )


def _drift(found: Effects, size: int, other: int, endpoint: str) -> Array:
    """Mean of the test statistic at the end, (sets,)."""
    people, others = np.maximum(size * found.rated, 2.0), np.maximum(other * found.rated_other, 2.0)
    both = np.minimum(people, others)
    if endpoint == "response":
        one, two = (np.clip(share, 0.01, 0.99) for share in found.shares)
        pooled = (one * people + two * others) / (people + others)
        each = pooled * (1.0 - pooled)
        error = np.sqrt(2.0 * (1.0 - WITHIN) * each / both if found.paired else each * (1.0 / people + 1.0 / others))
        return np.asarray((one - two) / error)
    variance = found.sd**2 / people + found.sd_other**2 / others
    if found.paired:
        variance = (found.sd**2 + found.sd_other**2 - 2.0 * WITHIN * found.sd * found.sd_other) / both
    error = np.sqrt(variance)
    # The t test needs a little more than the normal: scaled so that the critical values agree.
    free = both - 2.0 if found.paired else people + others - 3.0
    return np.asarray(found.difference / error * _t_factor(free))


def _t_factor(free: Array) -> Array:
    from scipy.stats import t

    return np.asarray(1.959964 / t.ppf(0.975, np.maximum(free, 1.0)))


def chance_of(rows: Sequence[Row], size: float) -> float:
    """Assurance at a size between those of the table, on the logarithm of the size."""
    return float(np.interp(math.log(size), [math.log(row.n) for row in rows], [row.assurance for row in rows]))
