"""Individual estimates of everybody in an event table under a published population model.

estimate(population, "theophylline.csv", method="M3") -> Estimates
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from rekindle.dosing.event import Carry
from rekindle.dosing.event_reader import read_events
from rekindle.dosing.event_table import EventTable
from rekindle.dosing.expansion import Intake
from rekindle.errors import InputError, unknown
from rekindle.event_schedule import event_map
from rekindle.inference.classic.draws import Draws, importance_draws, metropolis_draws
from rekindle.inference.classic.mode import Mode, Posterior, find_mode
from rekindle.inference.classic.population import Array, Method, Population
from rekindle.inference.classic.subject import Subject, subject

Sampling = Literal["none", "importance", "metropolis"]


@dataclass(frozen=True)
class Individual:
    """One person's estimate: the mode of the posterior (empirical Bayes, MAP), and draws of it where asked for.

    `parameters` are the person's parameters at the mode, on the first occasion where there are several;
    `effects` the random effects in the order of `labels`.
    """

    person: str
    labels: tuple[str, ...]
    parameters: Mapping[str, float]
    by_occasion: Mapping[int, Mapping[str, float]]
    mode: Mode
    draws: Draws | None
    posterior: Posterior

    @property
    def effects(self) -> Array:
        """Random effects at the mode, shape (size,)."""
        return self.mode.effects

    @property
    def standard_errors(self) -> Array:
        """Standard deviations of the effects by the curvature at the mode, shape (size,)."""
        return np.asarray(np.sqrt(np.diag(self.mode.observed)))

    def predicted(self) -> Array:
        """Predictions at the mode at every look (EVID 0 and 2), shape (looks, outputs)."""
        return np.asarray(self.posterior.subject.predictions(self.mode.effects[None])[0])

    def weighted_residuals(self) -> Array:
        """Individual weighted residuals of the values that were measured, of one kind after the other."""
        predicted = self.predicted()
        found = []
        for measured in self.posterior.subject.measurements:
            own = predicted[measured.rows, measured.column]
            found.append(((measured.values - own) / measured.error.spread(own)[0])[~measured.below])
        return np.concatenate(found)


@dataclass(frozen=True)
class Estimates:
    """Everybody's estimates, in the table's order."""

    population: Population
    people: tuple[Individual, ...]

    def __getitem__(self, person: str) -> Individual:
        """One person.

        Raises:
            InputError: nobody of that name.
        """
        for each in self.people:
            if each.person == person:
                return each
        raise unknown("person", person, [each.person for each in self.people])

    @cached_property
    def effects(self) -> Array:
        """Everybody's own effects at the mode (without occasions), shape (people, effects)."""
        return np.array([each.effects[: len(self.population.effects)] for each in self.people])

    @property
    def shrinkage(self) -> dict[str, float]:
        """How much the effects at the mode vary less than in the population: 1 - SD / population SD.

        0 says that the data speak for everybody, 1 that they say nothing.

        Raises:
            InputError: fewer than two people.
        """
        if len(self.people) < 2:
            raise InputError("Shrinkage is of two people or more.")
        spread = self.effects.std(axis=0, ddof=1) / np.sqrt(np.diag(self.population.omega))
        return dict(zip(self.population.names, (1.0 - spread).tolist(), strict=True))

    @property
    def error_shrinkage(self) -> float:
        """1 - SD of all individual weighted residuals: near 0 unless the model follows the error."""
        return float(1.0 - np.concatenate([each.weighted_residuals() for each in self.people]).std(ddof=1))


def estimate(
    population: Population,
    table: EventTable | str | Path,
    *,
    method: Method = "M3",
    sampling: Sampling = "none",
    draws: int = 1000,
    seed: int = 1,
    carry: Carry | None = None,
    compartments: Mapping[str, str] | None = None,
    default_compartment: str | None = None,
    covariates: Mapping[str, str] | None = None,
    ignored: Collection[str] = (),
    intakes: Mapping[str, Intake] | None = None,
) -> Estimates:
    """The most likely parameters of each person of a table, and the whole posterior where `sampling` asks for it.

    Values below the limit of quantification (CENS 1, or below the error's `limit`) count by `method`. The table and its
    columns are read as `rekindle predict` reads them; `carry`, `compartments`, `default_compartment`, `covariates`,
    `ignored` and `intakes` are as for `rekindle.predictions.simulate_events`.

    Raises:
        InputError: a table and a model that do not fit together, an unknown method.
        UnsupportedError: what the table asks for and no solver here follows.
        SolverError: a person who cannot be solved, or whose mode is not found.
    """
    from rekindle.engine.lower import lower

    if method not in get_args(Method):
        raise unknown("method", method, get_args(Method), where="method")
    if sampling not in get_args(Sampling):
        raise unknown("way of sampling", sampling, get_args(Sampling), where="sampling")
    if isinstance(table, EventTable):
        if carry is not None or default_compartment is not None:
            raise InputError("The carry rule and the compartment belong to the table that was read already.")
        read = table
    else:
        read = read_events(table, carry=carry, default_compartment=default_compartment)
    network = population.model.network
    way = event_map(network, read, compartments=compartments, covariates=covariates, ignored=ignored, intakes=intakes)
    lowered = lower(network)
    people = [subject(population, lowered, way, read, person, method) for person in read.people]
    return Estimates(population, tuple(_individual(each, method, sampling, draws, seed) for each in people))


def _individual(person: Subject, method: Method, sampling: Sampling, draws: int, seed: int) -> Individual:
    posterior = Posterior(person, method)
    mode = find_mode(posterior)
    drawn = _drawn(posterior, mode, sampling, draws, seed)
    if drawn is not None and posterior.objectives(posterior.whitened(drawn.highest[None]))[0] < mode.objective - 1e-6:
        other = find_mode(posterior, drawn.highest)  # the draws met a likelier person: another hill
        if other.objective < mode.objective - 1e-6:
            mode, drawn = other, _drawn(posterior, other, sampling, draws, seed)
    sets = person.parameters(mode.effects)
    by_occasion = dict(zip(person.occasions, sets, strict=True)) if person.occasions else {}
    return Individual(person.person, person.labels, sets[0], by_occasion, mode, drawn, posterior)


def _drawn(posterior: Posterior, mode: Mode, sampling: Sampling, draws: int, seed: int) -> Draws | None:
    if sampling == "importance":
        return importance_draws(posterior, mode, draws, seed)
    if sampling == "metropolis":
        return metropolis_draws(posterior, mode, seed=seed, steps=max(draws // 10, 100))
    return None
