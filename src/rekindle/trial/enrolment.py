"""Who gets in: people of the diagnosis who meet the criteria, and the score that let them in.

People enter on an *observed* score. Given that score, the true one lies nearer the mean of everybody who was
screened: that is regression to the mean, and it shows as a fall in every arm. Observed scores are drawn from a
normal, cut to the window, whose mean and SD are those published; the true score given the observed one follows
from the rating error and from `baseline_inflation`, the points by which scores near a line of entry are rated up.

Everything that a person draws is balanced (scrambled Sobol points) over the few random effects that move ratings
most, so that few people stand for many.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rekindle.errors import InputError
from rekindle.outcomes import SCALES, Scale
from rekindle.population import People, concat, draw
from rekindle.population.schema import ETA
from rekindle.population.variability import variability
from rekindle.streams import uniforms
from rekindle.trial.design import Enrolled, Severity
from rekindle.trial.rating import resting_total, severity_at_rest, total_sd_at_rest

Array = NDArray[np.float64]

BALANCED = (
    "bdnf_release_rate",
    "depth",
    "belief",
    "expectancy_capacity",
    "residual_share",
    "drive_functional",
    "drive_habenula",
    "tau_functional",
    "unmasking",
    "dissociation_maximum",
)
"""Random effects that are drawn in balance, with the two draws of the baseline before them."""

MOST_SCREENED = 60
"""Screened for each place before the criteria count as too narrow."""


@dataclass(frozen=True)
class Roster:
    """Enrolled people: their table (without a baseline), and the two standard normal scores of their baseline."""

    people: People
    observed_score: Array
    truth_score: Array

    def __len__(self) -> int:
        return len(self.people)


@dataclass(frozen=True)
class Baseline:
    """The score at entry: `observed` (people,), and `severity`, the true severity 0-1, (sets, people)."""

    observed: Array
    severity: Array
    scale: str


@lru_cache(maxsize=512)
def _roster(key: tuple[object, ...], count: int, seed: int, balanced: bool) -> Roster:
    population, criteria, female, age_mean, weight_mean = key
    people = _screened(str(population), dict(criteria), female, count, seed)  # type: ignore[call-overload]
    changes: dict[str, Array] = {}
    if age_mean is not None:
        limits = dict(criteria).get("age_years", (18.0, 90.0))  # type: ignore[call-overload]
        moved = people["age_years"] + float(age_mean) - float(people["age_years"].mean())  # type: ignore[arg-type]
        changes["age_years"] = np.clip(moved, float(limits[0]), float(limits[1]))
    if weight_mean is not None:
        factor = float(weight_mean) / float(people["weight_kg"].mean())  # type: ignore[arg-type]
        changes |= {name: people[name] * factor for name in ("weight_kg", "bmi")}
    scores = _scores(count, seed, balanced)
    if balanced:
        known = {effect.parameter: effect for effect in variability()}
        for place, name in enumerate(BALANCED, start=2):
            if name in known and not known[name].correlations:
                changes[ETA + name] = known[name].sd * scores[:, place]
    return Roster(people.with_columns(**changes) if changes else people, scores[:, 0], scores[:, 1])


def roster(enrolled: Enrolled, count: int, seed: int, *, balanced: bool = True) -> Roster:
    """`count` people who meet the criteria, the same for the same seed.

    Raises:
        InputError: hardly anybody meets the criteria.
    """
    criteria = tuple(sorted(enrolled.criteria.items()))
    key = (enrolled.population, criteria, enrolled.female, enrolled.age_mean, enrolled.weight_mean)
    return _roster(key, count, seed, balanced)


def _scores(count: int, seed: int, balanced: bool) -> Array:
    from scipy.special import ndtri
    from scipy.stats import qmc

    if not balanced:
        names = ("observed baseline", "true baseline")
        return np.column_stack([ndtri(uniforms(seed, "trial", name, count=count)) for name in names])
    width = 2 + len(BALANCED)
    power = max(1, int(np.ceil(np.log2(count))))
    points = qmc.Sobol(width, scramble=True, seed=np.random.default_rng(seed)).random_base2(power)[:count]
    return np.asarray(ndtri(np.clip(points, 1e-9, 1.0 - 1e-9)), dtype=np.float64)


def _screened(
    population: str,
    criteria: Mapping[str, tuple[float, float] | tuple[str, ...]],
    female: object,
    count: int,
    seed: int,
) -> People:
    wanted = None if female is None else round(float(female) * count)  # type: ignore[arg-type]
    quota = {"female": wanted, "male": None if wanted is None else count - wanted}
    found: list[People] = []
    enrolled = screened = 0
    taken = {"female": 0, "male": 0}
    while enrolled < count:
        batch = draw(population, count, seed, start=screened)
        screened += count
        chosen = batch.take(_meets(batch, criteria))
        if wanted is not None:
            chosen = chosen.take(_within_quota(chosen["sex"], quota, taken))
        found.append(chosen)
        enrolled += len(chosen)
        if enrolled < count and screened >= MOST_SCREENED * count:
            raise InputError(
                f"Of {screened} people screened only {enrolled} meet the criteria of the trial.",
                hint="Widen the criteria.",
            )
    return concat([each for each in found if len(each)]).take(slice(0, count))


def _within_quota(sexes: NDArray[np.str_], quota: Mapping[str, int | None], taken: dict[str, int]) -> NDArray[np.bool_]:
    keep = np.zeros(len(sexes), dtype=bool)
    for row, sex in enumerate(sexes):
        if taken[str(sex)] < (quota[str(sex)] or 0):
            taken[str(sex)] += 1
            keep[row] = True
    return keep


def _meets(people: People, criteria: Mapping[str, tuple[float, float] | tuple[str, ...]]) -> NDArray[np.bool_]:
    keep = np.ones(len(people), dtype=bool)
    for column, allowed in criteria.items():
        values = people[column]
        if isinstance(allowed[0], str):
            keep &= np.isin(values, np.asarray(allowed))
        else:
            low, high = (float(limit) for limit in allowed)
            keep &= (values.astype(float) >= low) & (values.astype(float) <= high)
    return keep


def baseline(
    enrolled: Enrolled, who: Roster, *, rating_error: Array | float = 1.0, inflation: Array | float = 0.0,
    arm_mean: float | None = None,
) -> Baseline:  # fmt: skip
    """Observed and true baseline of everybody; `rating_error` (a factor) and `inflation` (points) one a set.

    An arm whose observed mean differs from that of all (`arm_mean`) was drawn from the same people screened: its true
    scores are nearer their mean.

    With no window on the observed score, or a baseline rated anew after screening, the observed scores are those
    of a plain normal, and only the rating error lies between the observed and the true score.
    """
    severity = enrolled.severity
    scale = SCALES[severity.scale]
    error = np.atleast_1d(np.asarray(rating_error, dtype=np.float64))[:, None]
    lift = np.atleast_1d(np.asarray(inflation, dtype=np.float64))[:, None] * scale.maximum / 60.0
    mean, sd, low, high = _screened_normal(severity, scale, who)
    own_mean, own_sd = mean, sd
    if arm_mean is not None:
        own_mean, own_sd, _, _ = _screened_normal(replace(severity, mean=arm_mean), scale, who)
    observed = _cut_normal(who.observed_score, own_mean, own_sd, low, high)
    observed = np.clip(np.round(observed), scale.minimum, scale.maximum)
    noise = error * total_sd_at_rest(scale, mean)
    reliability = np.clip(1.0 - noise**2 / sd**2, 0.1, 1.0)
    if low is None:
        lift = np.zeros_like(lift)
    true = (
        mean
        - lift
        + reliability * (observed - mean)
        + sd * np.sqrt(reliability * (1.0 - reliability)) * who.truth_score
    )
    return Baseline(observed, severity_at_rest(scale, true), scale.name)


def _screened_normal(severity: Severity, scale: Scale, who: Roster) -> tuple[float, float, float | None, float | None]:
    """Mean and SD of the observed score before the window was applied, and the window."""
    low = severity.at_least if severity.on_baseline else None
    high = severity.at_most if severity.on_baseline else None
    totals = resting_total(scale, np.asarray(who.people["baseline_madrs"], dtype=np.float64) / 60.0)
    usual_mean = float(totals.mean())
    usual_sd = float(np.hypot(totals.std(), total_sd_at_rest(scale, usual_mean)))
    if scale.name == "pain":
        usual_mean, usual_sd = 6.0, 1.5
    if severity.mean is None:
        return usual_mean, severity.sd or usual_sd, low, high
    sd = severity.sd or min(usual_sd, severity.mean - scale.minimum)
    if low is None and high is None:
        return severity.mean, sd, None, None
    mean, spread = _before_the_cut(severity.mean, sd, low, high)
    return mean, spread, low, high


@lru_cache(maxsize=512)
def _before_the_cut(mean: float, sd: float, low: float | None, high: float | None) -> tuple[float, float]:
    """The normal that, cut to the window, has this mean and SD (nearest, where none has)."""
    from scipy.optimize import least_squares
    from scipy.stats import truncnorm

    bottom = -np.inf if low is None else low - 0.5
    top = np.inf if high is None else high + 0.5

    def miss(guess: Array) -> Array:
        center, spread = guess[0], float(np.exp(guess[1]))
        cut = truncnorm((bottom - center) / spread, (top - center) / spread, loc=center, scale=spread)
        return np.array([cut.mean() - mean, cut.std() - sd])

    found = least_squares(
        miss, np.array([mean, np.log(sd)]), bounds=([mean - 4 * sd, np.log(sd)], [mean + 4 * sd, np.log(3 * sd)])
    )
    return float(found.x[0]), float(np.exp(found.x[1]))


def _cut_normal(score: Array, mean: float, sd: float, low: float | None, high: float | None) -> Array:
    """The normal cut to the window, at these standard normal scores."""
    from scipy.special import ndtr, ndtri

    bottom = 0.0 if low is None else float(ndtr((low - 0.5 - mean) / sd))
    top = 1.0 if high is None else float(ndtr((high + 0.5 - mean) / sd))
    inside = bottom + ndtr(score) * (top - bottom)
    return np.asarray(mean + sd * ndtri(np.clip(inside, 1e-9, 1.0 - 1e-9)), dtype=np.float64)


def columns_of(who: Roster, names: Sequence[str]) -> dict[str, Array]:
    """Columns of the people as numbers."""
    return {name: np.asarray(who.people[name], dtype=np.float64) for name in names}
