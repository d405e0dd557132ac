"""Two plain predictions to beat, from published numbers alone: the mean of comparable arms, and the nearest trial.

Both leave the scored trial out, and every trial that shares people with it. Comparable means the same quantity, and
as nearly as there are numbers the same sort of arm and the same stretch of time. Points of different scales are
brought to the MADRS range. The mean is a random-effects mean (DerSimonian and Laird 1986); its prediction carries
the spread between trials and the luck of a trial of the scored size.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rekindle.outcomes import SCALES
from rekindle.trial.design import Trial, TrialArm
from rekindle.trial.moments import SIGNED, ScoredNumber, scored_numbers
from rekindle.trial.prediction import COUNTED, misfit_kind, span_of

Array = NDArray[np.float64]
TIMES_H = (6.0, 84.0, 400.0, 1100.0)
"""Ends of the stretches of time within which numbers are comparable: hours, days, a fortnight, weeks, longer."""

USUAL_SHARE_OF_SCALE = 0.2
"""SD between people of a change, as a share of the scale's range, where none was printed (12 points of the MADRS)."""


@dataclass(frozen=True)
class Normal:
    """A baseline's prediction, on the footing of `ScoredNumber.published`; `because` says from which numbers."""

    mean: float
    sd: float
    because: str


@dataclass(frozen=True)
class Known:
    """A published number as something to compare with: value on the common footing and its error.

    The common footing is the MADRS range, and better is negative for changes and differences: `turn` is -1 where the
    number itself was printed the other way round.
    """

    number: ScoredNumber
    arms: tuple[str, ...]
    stretch: int
    value: float
    error: float
    year: int
    turn: int = 1


def arm_class(trial: Trial, arm: TrialArm) -> str:
    """What sort of arm it is, in a few words."""
    if arm.mixture:
        return "control"
    drugs = set(arm.drugs)
    besides = any("oral_antidepressant" in stage.modifiers for stage in arm.stages) or "oral-antidepressant" in drugs
    sessions = sum(stage.course.session_count for stage in arm.stages)
    if drugs & {"racemic-ketamine", "esketamine", "arketamine"}:
        routes = {route for stage in arm.stages for _, route in stage.course.routes}
        way = "spray" if routes & {"intranasal-device", "intranasal"} else "ketamine"
        return f"{way}, {'one' if sessions <= 1 else 'several'} session{'s' if sessions > 1 else ''}"
    if "ect" in drugs:
        return "ECT"
    if "midazolam" in drugs:
        return "midazolam"
    return "antidepressant" if besides else "inert"


def stretch(time_h: float | None) -> int:
    """Which stretch of time; -1 without a time."""
    return -1 if time_h is None else sum(time_h > end for end in TIMES_H)


def usual_luck(number: ScoredNumber, value: float) -> float:
    """Luck of a trial of that size, from the printed size alone, on the common footing."""
    sizes = [max(size, 2.0) for size in number.n] or [20.0]
    inverse = sum(1.0 / size for size in sizes)
    kind = misfit_kind(number)
    if number.quantity in COUNTED:
        share = min(max(value / 100.0, 0.02), 0.98)
        return 100.0 * math.sqrt(share * (1.0 - share) * inverse)
    if kind == "points":
        return USUAL_SHARE_OF_SCALE * 60.0 * math.sqrt(inverse)
    if kind == "spread":
        return USUAL_SHARE_OF_SCALE * 60.0 / math.sqrt(2.0 * max(sizes[0] - 1.0, 1.0))
    if number.quantity in ("percent_change", "risk_difference", "share_of_change", "share_of_difference"):
        return 40.0 * math.sqrt(inverse)
    if kind == "ratio":
        return 2.2 * math.sqrt(inverse)
    return (2.0 if number.quantity == "sessions_to_response" else 1.2) * math.sqrt(inverse)


def to_common(number: ScoredNumber, value: float) -> float:
    """Points of any scale as points of the MADRS range; the rest as it stands."""
    return value * 60.0 / span_of(number) if number.unit == "points" else value


def known_numbers(trials: Sequence[Trial]) -> list[Known]:
    """Every scored number of the trials as something to compare with."""
    found = []
    for trial in trials:
        for number in scored_numbers([trial]):
            turn = -1 if number.quantity in SIGNED and number.direction > 0 else 1
            value = turn * to_common(number, number.published)
            error = number.standard_error
            own = usual_luck(number, value) if error is None else to_common(number, error)
            arms = tuple(arm_class(trial, trial.arm(name)) for name in number.arms)
            found.append(Known(number, arms, stretch(number.time_h), value, max(own, 1e-3), trial.year or 2100, turn))
    return found


def _tier(one: Known, other: Known) -> int | None:
    """How near two numbers are, 0 the nearest; None when they are not of the same quantity or sort of scale."""
    if one.number.quantity != other.number.quantity or len(one.arms) != len(other.arms):
        return None
    if _of_session(one.number) != _of_session(other.number):
        return None
    same_arms, same_time = one.arms == other.arms, one.stretch == other.stretch
    active = [each[:3] in ("ket", "spr") for each in (one.arms[0], other.arms[0])]
    if same_arms:
        return 0 if same_time else 1
    if active[0] == active[1]:
        return 2 if same_time else 3
    return 4


def _of_session(number: ScoredNumber) -> bool:
    """Whether it is about what a session does (pressure, pulse, detachment), not about an illness."""
    return number.scale in SCALES and SCALES[number.scale].response is None


def _same_sort(one: ScoredNumber, other: ScoredNumber) -> bool:
    """Whether two numbers of different quantities can be averaged: one kind, in one unit or both logarithms."""
    if misfit_kind(one) != misfit_kind(other) or one.logarithm != other.logarithm:
        return False
    if _of_session(one) != _of_session(other):
        return False
    return one.logarithm or one.unit == other.unit


def meta_mean(own: Known, others: Sequence[Known]) -> Normal:
    """The random-effects mean of comparable numbers."""
    tiers: dict[int, list[Known]] = {}
    for other in others:
        tier = _tier(own, other)
        if tier is not None:
            tiers.setdefault(tier, []).append(other)
    chosen: list[Known] = []
    for tier in sorted(tiers):
        chosen += tiers[tier]
        if len({each.number.trial for each in chosen}) >= 2:
            break
    if not chosen:
        chosen = [each for each in others if _same_sort(own.number, each.number)]
    if not chosen:
        return Normal(0.0, max(3.0 * own.error, 1.0), "no comparable number")
    mean, spread = random_effects([each.value for each in chosen], [each.error for each in chosen])
    if len(chosen) < 3:
        spread = math.hypot(spread, 0.5 * usual_between(own.number))
    names = sorted({each.number.trial for each in chosen})
    because = f"{len(chosen)} numbers of {len(names)} trials ({', '.join(names[:4])}{' ...' if len(names) > 4 else ''})"
    return Normal(own.turn * mean, math.hypot(spread, usual_luck(own.number, mean)), because)


def usual_between(number: ScoredNumber) -> float:
    """A usual spread between trials, for where there are too few to tell: 4 points, 15 %, a third on a log scale."""
    kind = misfit_kind(number)
    return {"points": 4.0, "share": 15.0, "spread": 2.0}.get(kind, 15.0 if number.unit == "%" else 0.35)


def random_effects(values: Sequence[float], errors: Sequence[float]) -> tuple[float, float]:
    """The mean, and the SD of another trial's true value around it (between trials and of the mean itself).

    >>> mean, spread = random_effects([1.0, 1.0], [0.5, 0.5])
    >>> mean, round(spread, 3)
    (1.0, 0.354)
    """
    y, v = np.asarray(values, dtype=np.float64), np.asarray(errors, dtype=np.float64) ** 2
    fixed = 1.0 / v
    center = float((fixed * y).sum() / fixed.sum())
    excess = float((fixed * (y - center) ** 2).sum()) - (len(y) - 1)
    scale = float(fixed.sum() - (fixed**2).sum() / fixed.sum())
    between = max(0.0, excess / scale) if scale > 0 and len(y) > 1 else 0.0
    weight = 1.0 / (v + between)
    return float((weight * y).sum() / weight.sum()), math.sqrt(between + 1.0 / float(weight.sum()))


def nearest_earlier(own: Known, others: Sequence[Known]) -> Normal:
    """The number of the nearest earlier trial by design, as if it would be found again."""
    ranked = []
    for other in others:
        tier = _tier(own, other)
        if tier is None:
            continue
        apart = abs(math.log((own.number.time_h or 24.0) + 1.0) - math.log((other.number.time_h or 24.0) + 1.0))
        later = other.year >= own.year
        same_scale = own.number.scale == other.number.scale
        ranked.append((later, tier, not same_scale, round(apart, 3), own.year - other.year, other.number.label, other))
    if not ranked:
        return meta_mean(own, others)
    chosen: Known = min(ranked, key=lambda each: each[:6])[6]
    sd = math.hypot(chosen.error, usual_luck(own.number, chosen.value))
    return Normal(own.turn * chosen.value, sd, f"{chosen.number.trial}, {chosen.number.label}")
