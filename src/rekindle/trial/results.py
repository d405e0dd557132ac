"""The results of a virtual trial: each arm's course, and the arms compared by the trial's own analyses."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rekindle.errors import InputError
from rekindle.outcomes import SCALES
from rekindle.trial.analyses import (
    Estimate,
    ancova,
    filled,
    hazard_ratio,
    kaplan_meier,
    mixed_model,
    odds_ratio,
    paired_difference,
    paired_odds_ratio,
    responders,
    standardised_difference,
    wide,
    within_people,
)
from rekindle.trial.virtual import Followed, VirtualTrial, primary

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ArmResult:
    """One arm at one visit: people rated, mean score, change with its SD, responders and remitters in per cent."""

    arm: str
    visit_h: float
    n: int
    mean: float
    change: float
    sd: float
    response: float | None
    remission: float | None


def arm_results(run: VirtualTrial, scale: str) -> list[ArmResult]:
    """Every arm at every visit, missing ratings filled as the trial says."""
    table = wide(run.ratings, scale)
    visits = [column for column in table.columns if isinstance(column, float)]
    found = []
    for arm in dict.fromkeys(run.ratings["arm"]):
        rows = table[table["arm"] == arm]
        baseline = rows["baseline"].to_numpy(dtype=np.float64)
        scores = filled(rows[visits].to_numpy(dtype=np.float64), run.trial.missing, baseline)
        for place, visit in enumerate(visits):
            found.append(_arm_at(str(arm), float(visit), scores[:, place], baseline, scale, run.trial.missing))
    return found


def _arm_at(arm: str, visit: float, scores: Array, baseline: Array, scale: str, missing: str) -> ArmResult:
    seen = np.isfinite(scores)
    change = (scores - baseline)[seen]
    of = SCALES[scale]
    counted = np.ones(len(scores), dtype=bool) if missing == "nri" else seen
    responded = responders(scores, baseline, scale) & seen
    remitted = of.line().holds(scores) & seen if of.remission else None
    total = max(int(counted.sum()), 1)
    return ArmResult(
        arm=arm,
        visit_h=visit,
        n=int(seen.sum()),
        mean=float(scores[seen].mean()) if seen.any() else math.nan,
        change=float(change.mean()) if len(change) else math.nan,
        sd=float(change.std(ddof=1)) if len(change) > 1 else math.nan,
        response=100.0 * float(responded.sum()) / total,
        remission=None if remitted is None else 100.0 * float(remitted.sum()) / total,
    )


def comparisons(run: VirtualTrial, scale: str, visit_h: float) -> list[dict[str, Any]]:
    """Each active arm beside each comparator at a visit, by the analyses that the trial's estimand asks for."""
    arms = {arm.name: arm for arm in run.trial.arms if not arm.mixture}
    active = [name for name, arm in arms.items() if arm.role == "active"]
    others = [name for name, arm in arms.items() if arm.role == "comparator"] or active[1:]
    pairs = [(one, other) for one in active for other in others if one != other]
    return [_compared(run, scale, visit_h, one, other) for one, other in pairs]


def _compared(run: VirtualTrial, scale: str, visit_h: float, one: str, other: str) -> dict[str, Any]:
    table = wide(run.ratings, scale)
    rows = table[table["arm"].isin([one, other])]
    visits = [column for column in rows.columns if isinstance(column, float) and 0.0 < column <= visit_h + 1e-6]
    baseline = rows["baseline"].to_numpy(dtype=np.float64)
    scores = filled(rows[visits].to_numpy(dtype=np.float64), run.trial.missing, baseline)
    is_one = (rows["arm"] == one).to_numpy()
    changes = scores - baseline[:, None]
    if run.trial.design == "crossover":
        estimates = _within(rows, changes[:, -1], responders(scores[:, -1], baseline, scale), is_one, run.trial.missing)
        return {"arms": [one, other], "scale": scale, "visit_h": visit_h, "estimates": estimates}
    found: list[Estimate] = [ancova(changes[:, -1], is_one, baseline)]
    if run.trial.missing == "model" and run.trial.dropout is not None:
        found.append(mixed_model(changes, is_one, baseline))
    found.append(standardised_difference(changes[is_one, -1], changes[~is_one, -1]))
    seen = np.isfinite(scores[:, -1]) if run.trial.missing != "nri" else np.ones(len(scores), dtype=bool)
    yes = responders(scores[:, -1], baseline, scale)
    counts = [int((yes & seen & is_one).sum()), int((seen & is_one).sum()),
              int((yes & seen & ~is_one).sum()), int((seen & ~is_one).sum())]  # fmt: skip
    found.append(odds_ratio(*counts))
    return {"arms": [one, other], "scale": scale, "visit_h": visit_h, "estimates": [each.as_dict() for each in found]}


def _within(
    rows: Any, change: Array, responded: NDArray[np.bool_], is_one: NDArray[np.bool_], missing: str
) -> list[dict[str, Any]]:
    """A crossover's comparisons, every person beside themselves; only people seen in both arms in the last two."""
    import pandas as pd

    person, names = pd.factorize(rows["person"])
    places = np.full((2, len(names)), -1)
    places[0, person[is_one]], places[1, person[~is_one]] = np.flatnonzero(is_one), np.flatnonzero(~is_one)
    first, second = places[:, (places >= 0).all(axis=0)]
    seen = np.isfinite(change[first]) & np.isfinite(change[second]) | (missing == "nri")
    found = [
        within_people(change, is_one, rows["period"].to_numpy(), person),
        paired_difference(change[first], change[second]),
        paired_odds_ratio(responded[first][seen], responded[second][seen]),
    ]
    return [each.as_dict() for each in found]


def relapses(run: VirtualTrial) -> list[dict[str, Any]]:
    """Relapse as the file's published numbers count it: each arm's share without it (Kaplan and Meier), its median, and
    the hazard ratio of the first active arm beside each comparator (Cox)."""
    return [_relapse(run, followed) for followed in run.relapses]


def _relapse(run: VirtualTrial, followed: Followed) -> dict[str, Any]:
    arm = np.asarray(followed.arm, dtype=object)
    number = followed.number
    found: dict[str, Any] = {"scale": number.scale, "rule": number.options.rule, "arms": [], "hazard_ratios": []}
    for name in dict.fromkeys(followed.arm):
        own = arm == name
        times, kept, median = kaplan_meier(followed.time_h[own], followed.observed[own])
        found["arms"].append({
            "arm": name, "people": int(own.sum()), "relapsed": int(followed.observed[own].sum()),
            "days": (times / 24.0).tolist(), "without": kept.tolist(),
            "median_days": median / 24.0 if math.isfinite(median) else None,
        })  # fmt: skip
    roles = {each.name: each.role for each in run.trial.arms}
    there = list(dict.fromkeys(followed.arm))
    active = [name for name in there if roles[name] == "active"]
    others = [name for name in there if roles[name] == "comparator"] or active[1:]
    for other in others if active else []:
        both = (arm == active[0]) | (arm == other)
        try:
            estimate = hazard_ratio(followed.time_h[both], followed.observed[both], arm[both] == active[0])
        except InputError as error:
            found["hazard_ratios"].append({"arms": [active[0], other], "estimate": None, "reason": error.message})
            continue
        found["hazard_ratios"].append({"arms": [active[0], other], "estimate": estimate.as_dict()})
    return found


def results(run: VirtualTrial) -> dict[str, Any]:
    """Everything about a virtual trial as plain values.

    Raises:
        InputError: the trial has no visit after its start.
    """
    scale, visit = primary(run.trial)
    if visit <= 0.0:
        raise InputError("The trial has no visit after its start.", hint="visits: [24 h, 7 days]")
    return {
        "trial": run.trial.name,
        "seed": run.seed,
        "scale": scale,
        "primary_visit_h": visit,
        "arms": [
            {key: (None if isinstance(value, float) and not math.isfinite(value) else value)
             for key, value in vars(each).items()}
            for each in arm_results(run, scale)
        ],
        "comparisons": comparisons(run, scale, visit),
        **({"relapse": relapses(run)} if run.relapses else {}),
    }  # fmt: skip
