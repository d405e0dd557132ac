"""Forecasts for the patients of OpenNeuro ds005917: each visit foretold from the ones before, beside simple forecasts.

    python benchmarks/forecasting/patients.py --data DIR --json patients.json

DIR holds ds005917 (BIDS phenotype; read by path, not part of this repository): a crossover of one infusion of ketamine
and one of saline, two weeks apart, MADRS at baseline and 2 and 10 days after each. The model's sets of parameters are
those of the posterior without this trial. The simple forecasts are fitted anew for every patient, without them.
"""

from __future__ import annotations

import argparse
import csv
import json
import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import scoring
from clinics import DAY, SETS, sets_made
from numpy.typing import NDArray
from pipeline import ratings_ahead
from rivals import DRAWS, RIVALS

from rekindle.inference.candidates import Sets
from rekindle.inference.sets import shared_sets
from rekindle.inference.update import update
from rekindle.mechanism.ensemble import calibrated, ensemble, people_values
from rekindle.person.record import Given, Person, Rated

Array = NDArray[np.float64]

SEED = 20261126
TRIAL = "nimh-ds005917-odd"
KINDS = {"MDD": "treatment-resistant-depression", "BP": "bipolar-depression"}
SENTENCES = {"d": "0.5 mg/kg IV over 40 min", "p": "saline IV over 40 min"}
HEIGHT_CM = {"male": 177.0, "female": 163.0}
"""Height is not in the data; weight is that of the BMI at the middle height of the population's table."""
INFUSION_DAYS = (1.0, 15.0)
AFTER_DAYS = {"2": 2.0, "10": 10.0}
MIDDLE = 0.5
"""Ratings are taken at midday, infusions at 10 in the morning."""


@dataclass(frozen=True)
class Patient:
    """One patient: MADRS by session name (b0, d2, d10, p2, p10), and what was infused first and second."""

    name: str
    kind: str
    covariates: dict[str, float | str]
    order: tuple[str, ...]
    totals: dict[str, float]

    def visits(self) -> list[tuple[str, float]]:
        """Sessions in time order with their day, those with a rating."""
        found = [("b0", 0.0)]
        for infusion, start in zip(self.order, INFUSION_DAYS, strict=False):
            found += [(f"{infusion}{after}", start + days) for after, days in AFTER_DAYS.items()]
        return [(name, day) for name, day in found if name in self.totals]

    def person(self, known: int) -> Person:
        """The person as known after the first `known` visits; all infusions are on file."""
        seen = self.visits()[:known]
        ratings = tuple(Rated((day + MIDDLE) * DAY, "MADRS", self.totals[name], masked=True) for name, day in seen)
        given = tuple(
            Given(start * DAY + 10.0, SENTENCES[each]) for each, start in zip(self.order, INFUSION_DAYS, strict=False)
        )
        return Person(date(2026, 1, 5), self.kind, ratings[-1].time_h, self.covariates, {}, given, ratings)


def read(folder: Path) -> list[Patient]:
    """Patients with depression who have an order, a baseline and a later MADRS."""
    root = folder / "ds005917" if (folder / "ds005917").is_dir() else folder
    totals: dict[str, dict[str, float]] = {}
    for row in _table(root / "phenotype.tsv"):
        if row["MADRS_Total"] != "n/a":
            name = row["session_id"].removeprefix("ses-")
            totals.setdefault(row["participant_id"], {})[name] = float(row["MADRS_Total"])
    found = []
    for row in _table(root / "participants.tsv"):
        own = totals.get(row["participant_id"], {})
        order = tuple(row[name] for name in ("infusion_1", "infusion_2") if row[name] in SENTENCES)
        if row["group"] in KINDS and order and "b0" in own and len(own) > 1:
            sex = {"F": "female", "M": "male"}[row["sex"]]
            known: dict[str, float | str] = {
                "sex": sex, "age_years": float(row["age"]), "height_cm": HEIGHT_CM[sex],
                "weight_kg": float(row["BMI"]) * (HEIGHT_CM[sex] / 100.0) ** 2, "benzodiazepine_mg": 0.0,
            }  # fmt: skip
            found.append(Patient(row["participant_id"], KINDS[row["group"]], known, order, own))
    return found


def _table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))


def rivals_for(patient: Patient, known: int, others: list[Patient]) -> dict[str, Array]:
    """Draws of the simple forecasts for the next visit, from the other patients alone; name to shape (draws,)."""
    visits = patient.visits()
    past, (target, _) = [name for name, _ in visits[:known]], visits[known]
    grid = (np.arange(DRAWS) + 0.5) / DRAWS
    seen = np.array([each.totals[target] for each in others if target in each.totals])
    last = past[-1]
    both = [each for each in others if target in each.totals and last in each.totals and _next(each, last, target)]
    change = np.array([each.totals[target] - each.totals[last] for each in both])
    if len(change) < 4:
        change = _changes(others)
    found = {"last value": patient.totals[last] + np.quantile(change, grid), "population mean": np.quantile(seen, grid)}
    table = _long(others)
    own = _long([patient])[: len(past)]
    found |= _mixed(table, own, target, visits[known][1])
    found |= _process(table, own, target, visits[known][1])
    return {name: np.clip(found[name], 0.0, 60.0) for name in RIVALS}


def _next(patient: Patient, last: str, target: str) -> bool:
    names = [name for name, _ in patient.visits()]
    return names.index(target) == names.index(last) + 1


def _changes(others: list[Patient]) -> Array:
    """Every change from one visit to the next."""
    rows = [[patient.totals[name] for name, _ in patient.visits()] for patient in others]
    return np.concatenate([np.diff(row) for row in rows])


def _long(patients: list[Patient]) -> list[tuple[str, str, float, float]]:
    """Name, session, day and MADRS, a row a rating."""
    return [(each.name, name, day, each.totals[name]) for each in patients for name, day in each.visits()]


SESSIONS = ("b0", "d2", "d10", "p2", "p10")


def _fixed(rows: list[tuple[str, str, float, float]]) -> Array:
    return np.array([[float(row[1] == name) for name in SESSIONS] for row in rows])


def _normal(mean: float, sd: float) -> Array:
    from scipy.special import ndtri

    return np.asarray(mean + sd * ndtri((np.arange(DRAWS) + 0.5) / DRAWS))


Rows = list[tuple[str, str, float, float]]


def _given(cov: Array, own: Rows, means: Array, mean: float) -> Array:
    """A normal given the patient's own ratings; `cov` covers them and, last, the target."""
    count = len(own)
    gain = np.linalg.solve(cov[:count, :count], cov[:count, count])
    centre = mean + gain @ (np.array([row[3] for row in own]) - means)
    return _normal(centre, float(np.sqrt(max(cov[count, count] - cov[count, :count] @ gain, 1e-6))))


def _mixed(table: Rows, own: Rows, target: str, day: float) -> dict[str, Array]:
    """A mean for each session, a level for each patient (statsmodels)."""
    import warnings

    from statsmodels.regression.mixed_linear_model import MixedLM

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = MixedLM([row[3] for row in table], _fixed(table), groups=[row[0] for row in table])
        found = model.fit(reml=True)
    between, noise = float(np.asarray(found.cov_re)[0, 0]), float(found.scale)
    means = np.asarray(found.fe_params)
    cov = between * np.ones((len(own) + 1, len(own) + 1)) + noise * np.eye(len(own) + 1)
    mean = means[SESSIONS.index(target)]
    return {"mixed model": _given(cov, own, _fixed(own) @ means, mean)}


def _process(table: Rows, own: Rows, target: str, day: float) -> dict[str, Array]:
    """A mean for each session, then a process over time within each patient (scikit-learn kernels)."""
    from scipy.optimize import minimize
    from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

    sums = _fixed(table)
    means = (sums.T @ np.array([row[3] for row in table])) / sums.sum(axis=0)
    groups = {name: [row for row in table if row[0] == name] for name in dict.fromkeys(row[0] for row in table)}
    kernel = ConstantKernel(20.0) + ConstantKernel(20.0) * Matern(7.0, nu=0.5) + WhiteKernel(10.0)

    def misfit(theta: Array) -> float:
        chosen, total = kernel.clone_with_theta(theta), 0.0
        for rows in groups.values():
            cov = chosen(np.array([[row[2]] for row in rows]))
            away = np.array([row[3] for row in rows]) - _fixed(rows) @ means
            total += 0.5 * away @ np.linalg.solve(cov, away) + 0.5 * np.linalg.slogdet(cov)[1]
        return float(total)

    bounds = [(-2.0, 6.0), (-2.0, 6.0), (0.0, 4.0), (0.0, 5.0)]
    best = kernel.clone_with_theta(minimize(misfit, kernel.theta, bounds=bounds, method="L-BFGS-B").x)
    cov = best(np.array([*([row[2]] for row in own), [day]]))
    return {"Gaussian process": _given(cov, own, _fixed(own) @ means, means[SESSIONS.index(target)])}


def foretold(patients: list[Patient], candidates: int, shared: Sets) -> list[dict[str, Any]]:
    """Every forecast: whose, of what, from how many ratings, the draws of every method."""
    found = []
    for place, patient in enumerate(patients):
        others = patients[:place] + patients[place + 1 :]
        for known in range(1, len(patient.visits())):
            target, day = patient.visits()[known]
            posterior = update(patient.person(known), candidates=candidates, seed=SEED, sets=shared, threads=1)
            own, _ = ratings_ahead(posterior, "MADRS", (day + MIDDLE) * DAY, SEED + known)
            draws = {"Rekindle": own, **rivals_for(patient, known, others)}
            found.append({
                "patient": place, "target": target, "known": known, "truth": patient.totals[target],
                "draws": draws, "verdict": posterior.verdict, "surprise": posterior.surprise,
            })  # fmt: skip
    return found


def report(found: list[dict[str, Any]]) -> dict[str, Any]:
    """The figures, ready for JSON; nothing in them says who a patient is."""
    truth = np.array([each["truth"] for each in found])
    persons = np.array([each["patient"] for each in found])
    draws = {name: np.array([each["draws"][name] for each in found]) for name in ("Rekindle", *RIVALS)}
    scores = {name: scoring.crps_of_rows(np.rint(values), truth) for name, values in draws.items()}
    targets = np.array([each["target"] for each in found])
    parts = {"all": np.ones(len(found), bool)} | {name: targets == name for name in SESSIONS[1:]}
    return {
        "patients": len(set(persons.tolist())),
        "forecasts": len(found),
        "methods": {name: scoring.summary(values, truth) for name, values in draws.items()},
        "against": {name: scoring.paired(scores["Rekindle"], scores[name], persons, SEED) for name in RIVALS},
        "crps": {
            part: {"count": int(rows.sum()), **{name: float(values[rows].mean()) for name, values in scores.items()}}
            for part, rows in parts.items()
        },
        "bias": {part: float((draws["Rekindle"].mean(axis=1) - truth)[rows].mean()) for part, rows in parts.items()},
        "unlike": sum(each["verdict"].startswith("unlike") for each in found),
    }


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--candidates", type=int, default=4000)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    begun = time.perf_counter()
    shared = shared_sets()
    if calibrated():
        values = ensemble(SETS, 1, without=TRIAL)
        of_people = [name for name in people_values(1, 1) if name in values]
        shared = Sets({name: values[name] for name in of_people})
    made = report(foretold(read(asked.data), asked.candidates, shared))
    for part, row in made["crps"].items():
        words = ", ".join(f"{name} {value:.2f}" for name, value in row.items() if name != "count")
        print(f"{part} ({row['count']}): CRPS {words}; bias {made['bias'][part]:.2f}")
    for name, row in made["against"].items():
        print(
              f"against {name}: {row['difference']:+.2f} [{row['low']:+.2f}, {row['high']:+.2f}], that is "
              f"{100 * row['share']:+.0f} % [{100 * row['share_low']:+.0f}, {100 * row['share_high']:+.0f}]"
        )  # fmt: skip
    own = made["methods"]["Rekindle"]
    print(f"95 % {100 * own['cover95']:.0f}, 50 % {100 * own['cover50']:.0f}; unlike anyone: {made['unlike']}")
    if asked.json:
        content = {
            "seed": SEED,
            "sets_made": sets_made(),
            "seconds": time.perf_counter() - begun,
            "calibrated": calibrated(),
            **made,
        }
        asked.json.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
