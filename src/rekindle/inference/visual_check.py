"""Visual predictive check of individual ratings: percentiles over persons, observed and simulated.

The patients are those of OpenNeuro ds005917 (one infusion of ketamine and one of saline, either first), read where they
lie. The trial is simulated again and again with as many persons as were rated, under parameter sets that have not seen
it; where a percentile over persons falls in nine of ten simulated trials is the band in which the observed one should
lie. Small trials have wide bands, so this can show a model wrong and cannot show it right.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rekindle.errors import InputError
from rekindle.inference.individuals import RATINGS, individual_visits
from rekindle.streams import generator
from rekindle.trial.draws import draws
from rekindle.trial.files import published_trial
from rekindle.trial.moments import Simulator
from rekindle.trial.solving import solve_lanes
from rekindle.trial.values import sets_of
from rekindle.trial.view import View, views

Array = NDArray[np.float64]

SCALE = "MADRS"
PERCENTILES = (10, 50, 90)
VISITS = (("Ketamine", "d2", 48.0), ("Ketamine", "d10", 240.0), ("Saline", "p2", 48.0), ("Saline", "p10", 240.0))
REPEATS = 1000


def visual_check(
    folder: Path, *, sets: int = 100, people: int = 64, seed: int = 1, threads: int | None = None
) -> list[dict[str, Any]]:
    """One row an infusion, day and percentile: `observed`, and `low`, `middle`, `high` of the simulated trials.

    `low` and `high` are the 5 and 95 % points over simulated trials of `persons` people each; points of the MADRS.

    Raises:
        InputError: the files are not there or lack a column.
        SolverError: too many people could not be solved.
    """
    observed = individual_visits(folder)[SCALE]
    trial = published_trial(RATINGS)
    asked = draws(trial, sets, seed)
    given = sets_of(asked.values)
    lanes = Simulator((trial,), people, seed, threads=threads).prepared(trial)
    seen = views(trial, solve_lanes(lanes, given, {trial.name: asked.deviations}, threads=threads))
    rows: list[dict[str, Any]] = []
    for arm, session, hours in VISITS:
        rated = observed[session][np.isfinite(observed[session])]
        if len(rated) < 3:
            raise InputError(f"Fewer than three ratings at '{session}'.", where=str(folder))
        trials = _trials(seen[arm], hours, len(rated), seed)
        for percentile in PERCENTILES:
            low, middle, high = np.quantile(np.percentile(trials, percentile, axis=1), (0.05, 0.5, 0.95))
            rows.append({
                "arm": arm, "day": hours / 24.0, "persons": len(rated), "percentile": percentile,
                "observed": float(np.percentile(rated, percentile)),
                "low": float(low), "middle": float(middle), "high": float(high),
                "ratings": " ".join(f"{each:g}" for each in np.sort(rated)),
            })  # fmt: skip
    return rows


def _trials(view: View, hours: float, persons: int, seed: int) -> Array:
    """Ratings of simulated trials, shape (`REPEATS`, persons): each under one set, its persons drawn by chance."""
    expected, error = view.score(SCALE, hours)
    random = generator(seed, "visual predictive check", view.arm.name, f"{hours:g}")
    sets = np.arange(REPEATS) % len(expected)
    chosen = random.integers(expected.shape[1], size=(REPEATS, persons))
    middle, sd = expected[sets[:, None], chosen], error[sets[:, None], chosen]
    return np.clip(np.round(middle + sd * random.standard_normal(middle.shape)), 0.0, 60.0)
