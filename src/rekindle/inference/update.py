"""What a person's ratings teach about them: the candidates weighted, moved towards what was seen, and checked.

In steps: (1) covariates that fit the ratings before the first dose; (2) candidates with luck drawn from the
population; (3) more of them near what fitted best, some still from the population. All are weighted by likelihood
times prior over the mixture they came from (Owen and Zhou 2000, doi:10.1080/01621459.2000.10473909). (4) Candidates
drawn by weight walk a few steps (`rekindle.inference.walk`), so that all are different and count alike.
Drift and bent are integrated out in closed form.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rekindle.errors import SolverError
from rekindle.inference.candidates import (
    WEIGHING,
    Candidates,
    Sets,
    candidates_of,
    courses,
    doses_of,
    draw_candidates,
    draw_covariates,
    draw_luck,
    luck_names,
    moved,
    parameters_of,
    schedules_of,
)
from rekindle.inference.drift import DEFAULT, Wander
from rekindle.inference.importance import TRUSTED, effective_size, pareto_smoothed, systematic
from rekindle.inference.learned import Learned, learned_of
from rekindle.inference.measurements import measured_outputs, one_by_one, rises_of
from rekindle.inference.oddness import chance_of, forecast_scores, measured_scores
from rekindle.inference.proposal import DEFENSIVE, Proposal, Seen, proposal_near
from rekindle.inference.ratings import MOOD, Expected, expected_ratings, latents_of, look_times
from rekindle.inference.sets import shared_sets
from rekindle.inference.sizes import sizes
from rekindle.inference.walk import Walkers, walked
from rekindle.outcomes import scale
from rekindle.person.record import Person
from rekindle.streams import normals, uniforms

if TYPE_CHECKING:
    from rekindle.engine.schedule import Segments
    from rekindle.inference.standing import Kept
    from rekindle.population import People

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

POOL = 4
"""Covariates tried for each one kept."""
FRESH = 1_000_000
"""Where in its sequence the luck of those kept begins."""
FEWEST = 60.0
"""Effective candidates below which another round is made."""
MOST_ROUNDS = 4
FIRST, LATER = 0.4, 0.2
"""Shares of the candidates that are drawn from the population, and near what fitted best."""
WALKERS, STEPS = 10, 4
"""One candidate in ten is set walking in the end, for four steps: the other two fifths."""
SURPRISE = 0.01
"""Chance of ratings, levels and vital signs as odd as these, below which the person is unlike anyone in the model's
range."""
HOPELESS = 1.0
"""Pareto k above which hardly a candidate comes near the person."""

OK, TOO_LITTLE, UNLIKE = "ok", "too little data", "unlike anyone in the model's range"


@dataclass(frozen=True)
class Posterior:
    """Weighted candidates after a person's data.

    `weights` sum to 1, shape (candidates,). `expected` holds each candidate's expected ratings at the person's
    ratings, `observed` the ratings. `surprise` is the chance of ratings, vital signs and levels as odd, each beside its
    forecast from those before. `verdict` is "ok", "too little data" or "unlike anyone in the model's range". `solved`
    counts the candidates that were followed over the person's past and weighed, those that came before the last sample
    among them.
    """

    person: Person
    candidates: Candidates
    weights: Array
    expected: Expected
    observed: Array
    wander: Wander
    effective: float
    pareto_k: float
    surprise: float
    verdict: str
    learned: tuple[Learned, ...]
    seed: int
    solved: int = 0
    unsolved: int = 0
    walked: float = 0.0
    kept: Kept = field(default_factory=dict, init=False, repr=False, compare=False)

    def resampled(self, count: int) -> NDArray[np.intp]:
        """Rows of `count` candidates drawn by weight."""
        uniform = float(uniforms(self.seed, "posterior", "resample", count=1)[0])
        return systematic(self.weights, count, uniform)

    def diagnostics(self) -> dict[str, object]:
        """Numbers that say how far to trust it, ready for JSON."""
        return {
            "verdict": self.verdict,
            "candidates": len(self.candidates),
            "solved": self.solved,
            "effective_candidates": round(self.effective, 1),
            "pareto_k": None if not np.isfinite(self.pareto_k) else round(self.pareto_k, 3),
            "surprise": round(self.surprise, 6),
            "unsolved": self.unsolved,
            "walked": round(self.walked, 3),
            "ratings": len(self.observed),
            "learned": [
                {"name": each.name, "mean": round(each.mean, 3), "spread": round(each.spread, 3),
                 "information": round(each.information, 4)}
                for each in self.learned
            ],
        }  # fmt: skip


@dataclass(frozen=True)
class _Round:
    """Candidates of one round with what came out of them.

    `below` and `logs` are each measurement's chance to lie below what was seen, and its log likelihood, shape
    (candidates, measurements).
    """

    candidates: Candidates
    place: Integers
    expected: Expected
    log_likelihood: Array
    below: Array
    logs: Array


def update(
    person: Person,
    *,
    candidates: int = 10_000,
    seed: int = 1,
    sets: Sets | None = None,
    wander: Wander = DEFAULT,
    threads: int | None = None,
) -> Posterior:
    """The posterior of a person from their doses, ratings, vital signs and drug levels.

    `candidates` are solved, and up to two fifths more when few of the first fit. The same person, seed and model
    give the same answer.

    Raises:
        InputError: the person's doses or ratings cannot be used, with their place.
        SolverError: hardly any candidate could be solved.
    """
    sets = sets or shared_sets()
    work = _Work(person, sets, wander, threads)
    first = int(FIRST * candidates) if work.informed else candidates
    base, first_log, scores = _screened(work, first, seed)
    rounds = [work.solve(base.take(np.arange(first)), np.arange(first))]
    proposals: list[Proposal] = []
    counts = [first]
    while True:
        prior = _log_prior(rounds, proposals, counts, first_log)
        weights, k = pareto_smoothed(np.concatenate([each.log_likelihood for each in rounds]) + prior)
        enough = effective_size(weights) >= FEWEST and k <= TRUSTED
        if not work.informed or (len(rounds) > 1 and (enough or len(rounds) >= MOST_ROUNDS)):
            break
        proposals.append(_next(rounds, weights, work, base))
        counts.append(max(int(LATER * candidates), 1))
        rounds.append(work.solve(*_drawn(proposals[-1], base, counts[-1], seed, len(rounds))))
    surprise = _surprise(work, rounds, prior, scores)
    found = _posterior(work, rounds, weights, k, surprise, seed)
    return _walked(found, work, rounds, base, first_log, candidates // WALKERS) if work.informed else found


class _Work:
    """One person's part of every round: doses, times and likelihood are worked out once."""

    def __init__(self, person: Person, sets: Sets, wander: Wander, threads: int | None) -> None:
        self.person, self.sets, self.wander, self.threads = person, sets, wander, threads
        self.doses = tuple(dose for dose in doses_of(person) if dose.time_h <= person.now_h)
        self.sizes, self.solved = sizes(self.doses), 0
        self.alike: Sequence[Segments] | None = None
        self.rises = rises_of(person.vitals, self.doses)
        latents = latents_of(tuple(rating.scale for rating in person.ratings)) or ("severity",)
        self.outputs = tuple(dict.fromkeys((*latents, *measured_outputs(person, self.rises))))
        looks = look_times(person.ratings) + [rise.time_h for rise in self.rises]
        self.times = sorted({0.0, *looks, *(level.time_h for level in person.levels)})
        self.observed = np.array([rating.total for rating in person.ratings], dtype=np.float64)
        first = min((dose.time_h for dose in self.doses), default=np.inf)
        self.informed = bool(person.ratings)
        self.before = [place for place, rating in enumerate(person.ratings) if rating.time_h <= first]
        after = {rating.scale for place, rating in enumerate(person.ratings) if place not in self.before}
        self.tells = any(set(scale(name).latents) & set(MOOD) for name in after)
        self.order = sorted(range(len(person.ratings)), key=lambda place: person.ratings[place].time_h)

    def solve(self, candidates: Candidates, place: Integers) -> _Round:
        """A round: every candidate given the person's doses and compared with what was seen."""
        parameters = parameters_of(candidates, self.person)
        outputs = self._courses(parameters, self._schedules(parameters))
        expected = expected_ratings(self.person.ratings, outputs, self.times)
        solved = np.isfinite(outputs[self.outputs[0]]).all(axis=1)
        self.solved += len(candidates)
        total = np.full(len(candidates), -np.inf)
        rows = np.flatnonzero(solved)
        total[rows] = expected.of(rows).log_likelihood(self.observed, self.wander)
        own = {name: values[rows] for name, values in outputs.items()}
        shape = len(candidates), len(self.rises) + len(self.person.levels)
        below, logs = np.zeros(shape), np.zeros(shape)
        below[rows], logs[rows] = one_by_one(self.person, self.rises, own, self.times, len(rows))
        total[rows] += logs[rows].sum(axis=1)
        return _Round(candidates, place, expected, total, below, logs)

    def at_rest(self, people: People) -> Expected:
        """What people's ratings before the first dose are expected to be; luck and sets have no part in that."""
        nothing = np.zeros((len(people), len(luck_names())))
        alike = Candidates(people, self.sets, np.zeros(len(people), dtype=np.int64), nothing)
        parameters = parameters_of(alike, self.person)
        latents = self._courses(parameters, schedules_of((), parameters, (0.0,)))
        ratings = [self.person.ratings[place] for place in self.order if place in self.before]
        still = {name: np.repeat(values, len(self.times), axis=1) for name, values in latents.items()}
        return expected_ratings(ratings, still, self.times)

    def _schedules(self, parameters: Mapping[str, Array]) -> Sequence[Segments]:
        """Everybody's schedule; a single one is that of every round, as nothing in it belongs to a candidate."""
        if self.alike is None:
            found = schedules_of(self.doses, parameters, self.times, now_h=self.person.now_h)
            self.alike = found if len(found) == 1 and len(parameters["care_after"]) > 1 else None
            return found
        return self.alike

    def _courses(self, parameters: Mapping[str, Array], schedules: Sequence[Segments]) -> dict[str, Array]:
        how: dict[str, Any] = {"threads": self.threads, "tolerance": WEIGHING, "sizes": self.sizes}
        return courses(parameters, schedules, self.outputs, **how)


def _screened(work: _Work, count: int, seed: int) -> tuple[Candidates, Array, Array]:
    """Candidates whose covariates fit the ratings before the first dose, the log likelihood used for it, and where
    those ratings fall in their forecasts."""
    if not work.before:
        return draw_candidates(work.person, work.sets, count, seed), np.zeros(count), np.zeros(0)
    pool = draw_covariates(work.person, POOL * count, seed)
    expected = work.at_rest(pool)
    observed = work.observed[[place for place in work.order if place in work.before]]
    fit = expected.log_likelihood(observed, work.wander)
    scores = forecast_scores(expected, observed, work.wander, np.zeros(len(pool)))
    weights = np.exp(fit - fit.max())
    rows = systematic(weights / weights.sum(), count, float(uniforms(seed, "candidate", "screen", count=1)[0]))
    rows = rows[np.argsort(uniforms(seed, "candidate", "shuffle", count=count))]
    # Random effects and sets have no part in the state of rest, so luck of their own repeats nobody.
    luck, which = draw_luck(work.sets, count, seed, start=FRESH)
    return candidates_of(pool.take(rows), work.sets, luck, which), fit[rows], scores


def _log_prior(
    rounds: Sequence[_Round], proposals: Sequence[Proposal], counts: Sequence[int], first_log: Array
) -> Array:
    """Log weight before any rating of the candidates of all rounds, by how each was found."""
    share = np.log(np.array(counts) / sum(counts))
    logs = []
    for each in rounds:
        mixture = np.full(len(each.place), share[0])
        for number, proposal in enumerate(proposals):
            ratio = proposal.log_ratio(each.candidates.luck, each.place, each.candidates.which)
            mixture = np.logaddexp(mixture, share[number + 1] + ratio)
        logs.append(-first_log[each.place] - mixture)
    return np.concatenate(logs)


def _surprise(work: _Work, rounds: Sequence[_Round], prior: Array, before: Array) -> float:
    """The chance of ratings, vital signs and levels as odd as the person's, each beside its forecast from the ones
    before it: first the ratings in order of time (`before` are the scores of those before the first dose), then what
    was measured."""
    solved = np.concatenate([np.isfinite(each.log_likelihood) for each in rounds])
    if not solved.any():
        return 1.0
    prior, scores = prior[solved], [before]
    if len(work.observed):
        expected = _joined([each.expected for each in rounds]).take(work.order).of(np.flatnonzero(solved))
        scores.append(forecast_scores(expected, work.observed[work.order], work.wander, prior, len(before)))
        prior = prior + expected.log_likelihood(work.observed[work.order], work.wander)
    below = np.concatenate([each.below for each in rounds])[solved]
    logs = np.concatenate([each.logs for each in rounds])[solved]
    return chance_of(np.concatenate([*scores, measured_scores(below, logs, prior)]))


def _joined(parts: Sequence[Expected]) -> Expected:
    return Expected(
        np.concatenate([part.mean for part in parts]),
        np.concatenate([part.variance for part in parts]),
        np.concatenate([part.slope for part in parts]),
        parts[0].scales,
        parts[0].times_h,
    )


def _next(rounds: Sequence[_Round], weights: Array, work: _Work, base: Candidates) -> Proposal:
    """Where to look next."""
    rows = np.concatenate([np.isfinite(each.log_likelihood) for each in rounds])
    ratings = np.concatenate([each.expected.mean for each in rounds])[rows]
    luck = np.concatenate([each.candidates.luck for each in rounds])[rows]
    place = np.concatenate([each.place for each in rounds])[rows]
    which = np.concatenate([each.candidates.which for each in rounds])[rows]
    some = rounds[-1].expected.of(np.flatnonzero(np.isfinite(rounds[-1].log_likelihood)))
    noise = some.wander_covariance(work.wander).mean(axis=0) + np.diag(some.variance.mean(axis=0))
    start = np.asarray(base.people["baseline_madrs"], dtype=np.float64)
    kept = weights[rows] / weights[rows].sum()
    seen = Seen(luck, place, which, ratings, noise)
    return proposal_near(seen, kept, work.observed, start, len(base.sets))


def _drawn(proposal: Proposal, base: Candidates, count: int, seed: int, number: int) -> tuple[Candidates, Integers]:
    """Candidates of a proposal: some as the population has them."""
    name = f"round {number}"

    def uniform(what: str) -> Array:
        return uniforms(seed, "candidate", name, what, count=count)

    adapted = uniform("defensive") >= DEFENSIVE
    luck = np.column_stack([normals(seed, "candidate", name, parameter, count=count) for parameter in luck_names()])
    sets = len(base.sets)
    place = _by_chance(proposal.rows, uniform("row"))
    place = np.where(adapted, place, (uniform("row") * len(base)).astype(np.int64))
    which = _by_chance(proposal.sets, uniform("set"))
    which = np.where(adapted, which, (uniform("set") * sets).astype(np.int64))
    luck = np.where(adapted[:, None], proposal.mean(place, which) + luck @ proposal.factor.T, luck)
    return moved(base.take(place), luck, which), place


def _walked(
    found: Posterior, work: _Work, rounds: Sequence[_Round], base: Candidates, first_log: Array, count: int
) -> Posterior:
    """The posterior as candidates that all count alike, after a walk of each."""

    def follow(place: Integers, which: Integers, luck: Array) -> Walkers:
        made = work.solve(moved(base.take(place), luck, which), place)
        return Walkers(place, which, luck, made.log_likelihood - first_log[place], made.expected)

    rows = found.resampled(max(count, 1))
    place = np.concatenate([each.place for each in rounds])[rows]
    logs = np.concatenate([each.log_likelihood for each in rounds])[rows]
    drawn = found.candidates
    start = Walkers(place, drawn.which[rows], drawn.luck[rows], logs - first_log[place], found.expected.of(rows))
    end, share = walked(start, follow, rows=len(base), sets=len(base.sets), steps=STEPS, seed=found.seed)
    candidates = moved(base.take(end.place), end.luck, end.which)
    weights = np.full(len(rows), 1.0 / len(rows))
    return replace(
        found, candidates=candidates, weights=weights, expected=end.expected, walked=share, solved=work.solved,
        learned=learned_of(candidates, weights),
    )  # fmt: skip


def _by_chance(chances: Array, uniform: Array) -> Integers:
    places = np.searchsorted(np.cumsum(chances), uniform * chances.sum(), side="right")
    return np.asarray(np.minimum(places, len(chances) - 1), dtype=np.int64)


def _posterior(
    work: _Work, rounds: Sequence[_Round], weights: Array, k: float, surprise: float, seed: int
) -> Posterior:
    from rekindle.population.people import concat

    candidates = Candidates(
        concat([each.candidates.people for each in rounds]),
        work.sets,
        np.concatenate([each.candidates.which for each in rounds]),
        np.concatenate([each.candidates.luck for each in rounds]),
    )
    expected = _joined([each.expected for each in rounds])
    unsolved = int(sum(np.isneginf(each.log_likelihood).sum() for each in rounds))
    if unsolved > 0.5 * len(candidates):
        raise SolverError(f"{unsolved} of {len(candidates)} candidates could not be solved.")
    size = effective_size(weights)
    return Posterior(
        person=work.person,
        candidates=candidates,
        weights=weights,
        expected=expected,
        observed=work.observed,
        wander=work.wander,
        effective=size,
        pareto_k=k,
        surprise=surprise,
        verdict=_verdict(work, size, k, surprise),
        learned=learned_of(candidates, weights),
        seed=seed,
        solved=work.solved,
        unsolved=unsolved,
    )


def _verdict(work: _Work, size: float, k: float, surprise: float) -> str:
    if surprise < SURPRISE or size < FEWEST / 4.0 or not k <= HOPELESS:
        return UNLIKE
    return OK if work.tells else TOO_LITTLE


def covariate_spread(posterior: Posterior, name: str) -> Mapping[str, float]:
    """Weighted mean and spread of a covariate among the candidates."""
    values = np.asarray(posterior.candidates.people[name], dtype=np.float64)
    mean = float(posterior.weights @ values)
    return {"mean": mean, "spread": float(np.sqrt(posterior.weights @ (values - mean) ** 2))}
