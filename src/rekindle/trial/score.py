"""The scoreboard: every published number beside its prediction, two plain baselines, and how often we are right.

Predictions carry parameters, the people of a trial of that size, and what one trial differs from the next. Nothing
about the scored trial enters the baselines, nor the parameter sets where the calibration was done without it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rekindle.trial.baselines import (
    Known,
    Normal,
    arm_class,
    known_numbers,
    meta_mean,
    nearest_earlier,
    to_common,
)
from rekindle.trial.design import Trial, related
from rekindle.trial.moments import ScoredNumber
from rekindle.trial.prediction import COUNTED, Predicted, misfit_kind
from rekindle.trial.rules import bootstrap, crps_of_draws, crps_of_normal

Array = NDArray[np.float64]
LEVELS = (0.5, 0.9)
CURVE = tuple(round(0.05 * place, 2) for place in range(1, 20))
"""Nominal coverages of the calibration plot."""

CHANGES = ("mean_change", "difference", "mean")
"""Quantities that the mean absolute error in points is taken over."""


@dataclass(frozen=True)
class Scored:
    """One number, predicted and published; ratios and times as themselves, `crps` on the common footing.

    `footing` of the scores: MADRS-range points, per cent, logarithms of ratios and times.
    """

    trial: str
    label: str
    record: str | None
    quantity: str
    arms: tuple[str, ...]
    arm_class: str
    scale: str
    unit: str
    time_h: float | None
    n: tuple[float, ...]
    published: float
    median: float
    low50: float
    high50: float
    low90: float
    high90: float
    inside50: bool
    inside90: bool
    rank: float
    z: float
    crps: float
    crps_mean: float
    crps_last: float
    width90: float
    width90_mean: float
    error: float
    kind: str
    weight: float
    baseline_mean: float
    baseline_last: float
    because_mean: str
    because_last: str
    luck_share: float
    left_out: bool
    use: str


@dataclass(frozen=True)
class Shown:
    """A published number that is not scored: what it is, why not, and what the model has of it."""

    trial: str
    label: str
    quantity: str
    scale: str
    value: float | None
    unit: str
    status: str
    reason: str


@dataclass(frozen=True)
class Scoreboard:
    """All numbers and the totals over them; `worst` are the ten furthest outside, each with a reason.

    `by_use` holds the totals of the trials that are marked for calibration and of the others, where there are both.
    """

    numbers: tuple[Scored, ...]
    totals: Mapping[str, Any]
    by_use: Mapping[str, Mapping[str, Any]]
    worst: tuple[tuple[Scored, str], ...]
    curve: tuple[tuple[float, float], ...]
    source: str
    shown: tuple[Shown, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "totals": dict(self.totals),
            "totals_by_use": {use: dict(each) for use, each in self.by_use.items()},
            "numbers": [_plain(asdict(each)) for each in self.numbers],
            "worst": [{"trial": each.trial, "label": each.label, "reason": reason} for each, reason in self.worst],
            "calibration_curve": [{"nominal": nominal, "observed": found} for nominal, found in self.curve],
            "source": self.source,
            "shown": [asdict(each) for each in self.shown],
        }


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: (None if isinstance(value, float) and not math.isfinite(value) else value)
        for name, value in values.items()
    }


def score(predicted: Sequence[Predicted], library: Sequence[Trial], *, seed: int = 1) -> Scoreboard:
    """The scoreboard of predicted trials; `library` are the published trials that the baselines may use."""
    known = known_numbers(library)
    by_name = {trial.name: trial for trial in library}
    numbers: list[Scored] = []
    for each in predicted:
        others = [one for one in known if not related(each.trial, by_name[one.number.trial])]
        own = known_numbers([each.trial])
        for place, mine in enumerate(own):
            numbers.append(_scored(each, place, mine, meta_mean(mine, others), nearest_earlier(mine, others)))
    found = tuple(_weighted(numbers))
    curve = tuple((level, _covered(found, level)) for level in CURVE)
    source = predicted[0].source if predicted else ""
    shown = tuple(one for each in predicted for one in shown_only(each.trial))
    return Scoreboard(found, totals(found, seed), totals_by_use(found, seed), worst(found), curve, source, shown)


def shown_only(trial: Trial) -> tuple[Shown, ...]:
    """The numbers of a trial that are shown with a reason and not scored."""
    return tuple(
        Shown(
            trial.name,
            number.label,
            number.quantity,
            number.scale,
            number.value if math.isfinite(number.value) else None,
            number.unit,
            number.status,
            number.reason,
        )
        for number in trial.published
        if not number.scored
    )


def _covered(numbers: Sequence[Scored], level: float) -> float:
    if not numbers:
        return math.nan
    return float(np.mean([abs(each.rank - 0.5) <= level / 2.0 for each in numbers]))


def _scored(each: Predicted, place: int, mine: Known, mean: Normal, last: Normal) -> Scored:
    number, drawn = mine.number, each.draws[:, place]
    truth = number.published
    low90, low50, median, high50, high90 = np.quantile(drawn, (0.05, 0.25, 0.5, 0.75, 0.95))
    factor = to_common(number, 1.0)
    sd = max(float(drawn.std()), 1e-9)
    below, equal = float((drawn < truth).mean()), float((drawn == truth).mean())
    luck = float(each.parts["luck"][place])

    def shown(value: float) -> float:
        return math.exp(value) if number.logarithm else float(value)

    def back(value: float) -> float:
        return shown(value / factor)

    trial = each.trial
    return Scored(
        trial=trial.name,
        label=number.label,
        record=number.record,
        quantity=number.quantity,
        arms=number.arms,
        arm_class=" / ".join(arm_class(trial, trial.arm(name)) for name in number.arms),
        scale=number.scale,
        unit=number.unit,
        time_h=number.time_h,
        n=number.n,
        published=shown(truth),
        median=shown(float(median)),
        low50=shown(float(low50)),
        high50=shown(float(high50)),
        low90=shown(float(low90)),
        high90=shown(float(high90)),
        inside50=bool(low50 - 1e-9 <= truth <= high50 + 1e-9),
        inside90=bool(low90 - 1e-9 <= truth <= high90 + 1e-9),
        rank=below + 0.5 * equal,
        z=(truth - float(drawn.mean())) / sd,
        crps=crps_of_draws(drawn * factor, truth * factor),
        crps_mean=crps_of_normal(mean.mean, mean.sd, truth * factor),
        crps_last=crps_of_normal(last.mean, last.sd, truth * factor),
        width90=float(high90 - low90) * factor,
        width90_mean=2.0 * 1.644854 * mean.sd,
        error=float(median - truth) * factor,
        kind=misfit_kind(number),
        weight=1.0,
        baseline_mean=back(mean.mean),
        baseline_last=back(last.mean),
        because_mean=mean.because,
        because_last=last.because,
        luck_share=min(1.0, luck**2 / sd**2),
        left_out=each.left_out,
        use=trial.use,
    )


def _weighted(numbers: Sequence[Scored]) -> list[Scored]:
    """Numbers with one over the usual size of their kind, so that points and per cents can be added up."""
    from dataclasses import replace

    sizes: dict[str, float] = {}
    for kind in {each.kind for each in numbers}:
        scores = [each.crps_mean for each in numbers if each.kind == kind]
        sizes[kind] = max(float(np.mean(scores)), 1e-9)
    return [replace(each, weight=1.0 / sizes[each.kind]) for each in numbers]


def totals(numbers: Sequence[Scored], seed: int = 1) -> dict[str, Any]:
    """Coverage, mean absolute errors, skill and widths over numbers, with 90 % intervals by resampling trials.

    `mae_points` is over changes, differences and means, brought to the MADRS range; `skill_vs_mean` and
    `skill_vs_last` are one less the ratio of the scores (each kind of number in units of its usual size).
    """
    if not numbers:
        return {"numbers": 0, "trials": 0}
    groups = [each.trial for each in numbers]
    ours, mean, last = (
        np.array([getattr(each, name) * each.weight for each in numbers]) for name in ("crps", "crps_mean", "crps_last")
    )
    points = [abs(each.error) for each in numbers if each.kind == "points" and each.quantity in CHANGES]
    shares = [abs(each.error) for each in numbers if each.quantity in COUNTED]
    rows: dict[str, Any] = {
        "numbers": len(numbers),
        "trials": len(set(groups)),
        "left_out": sum(each.left_out for each in numbers),
        "coverage50": float(np.mean([each.inside50 for each in numbers])),
        "coverage90": float(np.mean([each.inside90 for each in numbers])),
        "mae_points": float(np.mean(points)) if points else None,
        "mae_percentage_points": float(np.mean(shares)) if shares else None,
        "skill_vs_mean": _skill(ours, mean),
        "skill_vs_last": _skill(ours, last),
        "skill_vs_mean_90": list(bootstrap(groups, lambda rows: _skill(ours[rows], mean[rows]), seed)),
        "skill_vs_last_90": list(bootstrap(groups, lambda rows: _skill(ours[rows], last[rows]), seed)),
        "median_width90": _median_width(numbers, "width90"),
        "median_width90_of_mean": _median_width(numbers, "width90_mean"),
    }
    for level in ("50", "90"):
        hits = np.array([getattr(each, f"inside{level}") for each in numbers], dtype=np.float64)
        rows[f"coverage{level}_90"] = list(bootstrap(groups, lambda rows, hits=hits: float(hits[rows].mean()), seed))  # type: ignore[misc]
    return rows


def totals_by_use(numbers: Sequence[Scored], seed: int = 1) -> dict[str, dict[str, Any]]:
    """`totals` of the trials of each use (`calibrate`, `context` ...); empty where all are of one."""
    uses = sorted({each.use for each in numbers})
    if len(uses) < 2:
        return {}
    return {use: totals([each for each in numbers if each.use == use], seed) for use in uses}


def _median_width(numbers: Sequence[Scored], name: str) -> float:
    """Median width of the 90 % interval in units of the usual size of the kind of number."""
    return float(np.median([getattr(each, name) * each.weight for each in numbers]))


def _skill(ours: Array, theirs: Array) -> float:
    return float(1.0 - ours.mean() / theirs.mean()) if theirs.mean() > 0 else math.nan


def worst(numbers: Sequence[Scored], count: int = 10) -> tuple[tuple[Scored, str], ...]:
    """The numbers furthest outside their prediction, each with what it shares with others like it."""
    ranked = sorted(numbers, key=lambda each: -abs(each.z))[:count]
    return tuple((each, _reason(each, numbers)) for each in ranked)


def _reason(number: Scored, numbers: Sequence[Scored]) -> str:
    """In words: which way it is missed, whether others like it are too, and whether luck could do it."""
    way = "higher" if number.median > number.published else "lower"
    like = [
        each
        for each in numbers
        if each.quantity == number.quantity and each.arm_class == number.arm_class and each.trial != number.trial
    ]
    said = [f"predicted {way} than published"]
    if like:
        same = sum((each.median > each.published) == (number.median > number.published) for each in like)
        if same == len(like):
            said.append(
                f"as are all {len(like)} others of its kind ({number.arm_class}): the model's fault, not luck's"
            )
        elif 2 * same >= len(like):
            said.append(f"as are {same} of {len(like)} others of its kind ({number.arm_class})")
        else:
            said.append(f"unlike {len(like) - same} of {len(like)} others of its kind: this trial differs")
    else:
        said.append(f"the only number of its kind ({number.quantity.replace('_', ' ')}, {number.arm_class})")
    if min(number.n, default=99.0) < 20:
        said.append(f"in {min(number.n):g} people")
    return "; ".join(said) + "."


def footing(number: ScoredNumber) -> str:
    """The unit in which a number's scores are added up."""
    return "MADRS-range points" if number.unit == "points" else number.unit
