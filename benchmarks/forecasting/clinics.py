"""Synthetic clinics: persons drawn from the model, treated and rated by a plan, in its own world and in others.

A person is one draw of all that the model does not know of a patient: which set of shared parameters holds, random
effects, covariates, then the drift of the illness, the bent of each scale and the rater's error. All persons of one
design have the same doses and visits, so one large cloud of candidates serves them all: only the weights differ.
Drift moves the latent states themselves and ratings are made item by item (`rekindle.outcomes.observe`), so what
inference takes as normal and linear is put to the test too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date

import numpy as np
from numpy.typing import NDArray

from rekindle.inference.candidates import Candidates, Sets, courses, doses_of, draw_candidates, parameters_of
from rekindle.inference.candidates import schedules_of as schedules
from rekindle.inference.drift import DEFAULT, Wander
from rekindle.inference.oddness import chance_of
from rekindle.inference.ratings import MOOD, Expected, expected_ratings, latents_of, look_times
from rekindle.inference.sets import COUNT as SETS
from rekindle.inference.sets import shared_sets
from rekindle.mechanism.ensemble import calibrated, made, people_values
from rekindle.outcomes import observe, scale
from rekindle.person.record import Given, Person, Rated

Array = NDArray[np.float64]

DAY = 24.0
TRD = "treatment-resistant-depression"


@dataclass(frozen=True)
class Design:
    """Doses (day, sentence) and ratings (day, scale) of everybody in one clinic; `known` are covariates they share."""

    name: str
    doses: tuple[tuple[float, str], ...]
    ratings: tuple[tuple[float, str], ...]
    known: Mapping[str, float | str] = field(default_factory=dict)

    def person(self, totals: Array | None = None, count: int | None = None) -> Person:
        """A person of this design with the first `count` ratings (all, and of no total, unless given)."""
        some = self.ratings[: len(self.ratings) if count is None else count]
        rated = tuple(
            Rated(day * DAY, name, 0.0 if totals is None else float(totals[place]))
            for place, (day, name) in enumerate(some)
        )
        now = max((each.time_h for each in rated), default=0.0)
        given = tuple(Given(day * DAY + 10.0, sentence) for day, sentence in self.doses)
        return Person(date(2026, 1, 5), TRD, now, self.known, {}, given, rated)

    @property
    def groups(self) -> list[tuple[int, int]]:
        """First and last place (exclusive) of the ratings of each visit."""
        days = [day for day, _ in self.ratings]
        starts = [place for place, day in enumerate(days) if place == 0 or day != days[place - 1]]
        return list(zip(starts, [*starts[1:], len(days)], strict=True))


def _days(sentence: str, *days: float) -> tuple[tuple[float, str], ...]:
    return tuple((day, sentence) for day in days)


def _seen(scales: str, *days: float) -> tuple[tuple[float, str], ...]:
    return tuple((day, name) for day in days for name in scales.split())


IV, SPRAY = "40 mg IV over 40 min", "84 mg intranasal esketamine"
DESIGNS = (
    Design("single infusion", _days(IV, 1), _seen("MADRS", 0, 2, 4, 8, 15, 29)),
    Design("six infusions in three weeks", _days(IV, 1, 4, 8, 11, 15, 18), _seen("MADRS", 0, 3, 10, 17, 24, 38, 52)),
    Design(
        "infusions, two scales in turn", _days(IV, 1, 4, 8, 11, 18, 25),
        ((0, "MADRS"), (0, "PHQ-9"), (5, "PHQ-9"), (12, "MADRS"), (19, "PHQ-9"), (26, "MADRS"), (40, "PHQ-9")),
    ),
    Design(
        "spray by the label, self-rated", _days(SPRAY, 1, 4, 8, 11, 15, 18, 22, 25, 29, 36, 43),
        _seen("PHQ-9", 0, 7, 14, 21, 28, 42, 56), {"sex": "female", "age_years": 38.0, "failed_treatments": 3.0},
    ),
    Design(
        "spray, two scales at each visit", _days(SPRAY, 1, 4, 8, 11, 15, 18, 22, 25),
        _seen("MADRS PHQ-9", 0, 7, 21, 42), {"weight_kg": 90.0, "sex": "male"},
    ),
    Design("series then monthly, visits missed", _days(IV, 1, 4, 8, 36, 64), _seen("MADRS", 0, 9, 36, 44, 72, 90)),
    Design(
        "saline first, ketamine after two weeks", ((1, "saline IV over 40 min"), (15, IV)),
        _seen("MADRS", 0, 3, 11, 17, 25), {"weight_kg": 80.0},
    ),
    Design(
        "weekly for two months, Hamilton scale", _days(IV, *range(1, 57, 7)),
        _seen("HAM-D17", 0, 5, 19, 33, 47, 61, 82), {"age_years": 60.0},
    ),
)  # fmt: skip


@dataclass(frozen=True)
class World:
    """How a clinic differs from the model: `factors` multiply and `values` set parameters of everybody.

    `drift` multiplies the drift's standard deviation; `tails` gives ratings an error from a t distribution with three
    degrees of freedom, its scale the rater's standard deviation; `leaving` is the chance at each visit that somebody
    who is not better than at the start stays away from then on (a quarter of that for the others).
    """

    name: str
    factors: Mapping[str, float] = field(default_factory=dict)
    values: Mapping[str, float] = field(default_factory=dict)
    drift: float = 1.0
    tails: bool = False
    leaving: float = 0.0


DRUG = {
    "bdnf_release_rate": 0.5, "drive_habenula": 0.5, "drive_functional": 1.5, "tau_functional": 0.5, "tau_spines": 0.5,
}  # fmt: skip
NO_EXPECTANCY = {"switch_expectancy": 0.0}
WORLDS = (
    World("as the model"),
    World("another drug effect, lost sooner, no expectancy", DRUG, NO_EXPECTANCY),
    World("heavy-tailed rating error", tails=True),
    World("drift twice as large", drift=2.0),
    World("those who are not better leave", leaving=0.3),
    World("all of these", DRUG, NO_EXPECTANCY, 2.0, True, 0.3),
)  # fmt: skip


@dataclass(frozen=True)
class Clinic:
    """Persons of one design: `totals` as rated (persons, ratings), NaN after they left; `own` scores without error.

    `severity` is the model's severity at each rating and `luck` its random effects, shape (persons, effects).
    """

    design: Design
    totals: Array
    own: Array
    severity: Array
    luck: Array


def solved(design: Design, sets: Sets, count: int, seed: int, world: World | None = None) -> tuple[
    Candidates, dict[str, Array], list[float]
]:  # fmt: skip
    """Candidates of a design, their latent states (candidates, times), and the times."""
    person = design.person()
    drawn = draw_candidates(person, sets, count, seed)
    parameters = parameters_of(drawn, person)
    for name, factor in (world.factors if world else {}).items():
        parameters[name] = parameters[name] * factor
    for name, value in (world.values if world else {}).items():
        parameters[name] = np.full(count, value)
    doses = doses_of(person)
    times = sorted({0.0, *look_times(person.ratings)})
    names = tuple(dict.fromkeys(("severity", *latents_of(person.scales))))
    return drawn, courses(parameters, schedules(doses, parameters, times), names, threads=1), times


def clinic(design: Design, sets: Sets, count: int, seed: int, world: World, wander: Wander = DEFAULT) -> Clinic:
    """Persons of a world with their ratings."""
    drawn, latents, times = solved(design, sets, count, seed, world)
    luck = np.random.default_rng([seed, 77])
    place = [times.index(day * DAY) for day, _ in design.ratings]
    looked = np.array([day * DAY for day, _ in design.ratings])
    moved = replace(wander, sd=wander.sd * world.drift, bent=0.0)
    unique, back = np.unique(looked, return_inverse=True)
    factor = np.linalg.cholesky(moved.covariance(unique, unique) + 1e-12 * np.eye(len(unique)))
    drift = (luck.standard_normal((count, len(unique))) @ factor.T)[:, back]
    scales = list(dict.fromkeys(name for _, name in design.ratings))
    bent = wander.bent * luck.standard_normal((count, len(scales)))
    totals, own = np.empty((count, len(looked))), np.empty((count, len(looked)))
    for column, (_, name) in enumerate(design.ratings):
        found = scale(name)
        shift = (drift[:, column] + bent[:, scales.index(name)])[:, None]
        at = {each: latents[each][:, [place[column]]] for each in found.latents}
        raised = {each: np.clip(values + shift, 0.0, 1.0) if each in MOOD else values for each, values in at.items()}
        own[:, column] = observe(found, raised, seed=seed, error=False).total[:, 0]
        if world.tails:
            wide = found.error_sd * luck.standard_t(3, count)
            totals[:, column] = np.clip(np.rint(own[:, column] + wide), found.minimum, found.maximum)
        else:
            totals[:, column] = observe(found, raised, seed=seed + 1, visits=[column]).total[:, 0]
    if world.leaving:
        _leave(design, totals, world.leaving, luck)
    return Clinic(design, totals, own, latents["severity"][:, place], drawn.luck)


def _leave(design: Design, totals: Array, chance: float, luck: np.random.Generator) -> None:
    """Blank what comes after somebody has left."""
    gone = np.zeros(len(totals), dtype=bool)
    for begin, end in design.groups[1:]:
        totals[gone, begin:end] = np.nan
        last = design.ratings[begin][1]
        before = next(place for place, (_, name) in enumerate(design.ratings) if name == last)
        worse = totals[:, begin] >= totals[:, before]
        gone |= luck.random(len(totals)) < np.where(worse, chance, chance / 4.0)


@dataclass(frozen=True)
class Cloud:
    """Candidates of a design with everything that depends on no rating: expected ratings and whitening factors.

    `white` (candidates, ratings, ratings) is the inverse Cholesky factor of the ratings' covariance; its leading parts
    are those of the first ratings alone, so that one product gives the likelihood of every history.
    """

    design: Design
    expected: Expected
    severity: Array
    luck: Array
    white: Array
    wander: Wander

    def log_likelihoods(self, totals: Array) -> tuple[Array, Array]:
        """Log likelihood of the first rating, the first two, ..., and how far each lies from what the candidate and
        the ratings before it make of it, in standard deviations; shape (candidates, ratings) each."""
        away = np.einsum("cij,cj->ci", self.white, np.nan_to_num(totals) - self.expected.mean)
        logs = np.log(np.diagonal(self.white, axis1=1, axis2=2)) - 0.5 * np.log(2.0 * np.pi)
        return np.asarray(np.cumsum(logs - 0.5 * away**2, axis=1)), away


def oddness(logs: Array, away: Array, count: int) -> float:
    """Chance of ratings as odd as the first `count`, each beside its forecast from those before it."""
    from scipy.stats import norm

    scores = []
    for place in range(count):
        before = logs[:, place - 1] if place else np.zeros(len(logs))
        weights = np.exp(before - before.max())
        below = float(weights @ norm.cdf(away[:, place]) / weights.sum())
        scores.append(norm.ppf(np.clip(below, 1e-9, 1.0 - 1e-9)))
    return chance_of(np.array(scores))


def sets_made() -> str:
    """When the ensemble of the package was made; goes into every result."""
    return str(made().get("made_at", "not calibrated"))


def sets() -> Sets:
    """The sets of shared parameters that clinics and forecasts draw from: the calibrated ensemble, if there is one."""
    if not calibrated():
        return shared_sets()
    return Sets(people_values(SETS, 1))


def cloud(design: Design, sets: Sets, count: int, seed: int, wander: Wander = DEFAULT) -> Cloud:
    """The cloud of a design."""
    drawn, latents, times = solved(design, sets, count, seed)
    good = np.isfinite(latents["severity"]).all(axis=1)
    latents = {name: values[good] for name, values in latents.items()}
    expected = expected_ratings(design.person().ratings, latents, times)
    covariance = expected.wander_covariance(wander)
    places = np.arange(len(design.ratings))
    covariance[:, places, places] += expected.variance
    white = np.linalg.inv(np.linalg.cholesky(covariance))
    place = [times.index(day * DAY) for day, _ in design.ratings]
    return Cloud(design, expected, latents["severity"][:, place], drawn.luck[good], white, wander)
