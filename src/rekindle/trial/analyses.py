"""The analyses of a trial's ratings, each by a library that its readers know: statsmodels, lifelines, scipy.

`ancova` adjusts the change for the baseline; `mixed_model` uses every visit with a random intercept for the person;
a crossover is compared within people (`within_people`, `paired_difference`, `paired_odds_ratio`);
shares are compared by the two-by-two table; times to relapse by Kaplan and Meier and by Cox. Missing ratings are
filled before, by `filled`.
"""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rekindle.errors import InputError
from rekindle.outcomes import SCALES

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """An estimate with its standard error, 95 % interval and p value; ratios and their intervals are as printed."""

    name: str
    value: float
    standard_error: float
    low: float
    high: float
    p: float
    n: int

    def as_dict(self) -> dict[str, Any]:
        """Plain values; None where not finite."""
        numbers = {key: getattr(self, key) for key in ("value", "standard_error", "low", "high", "p")}
        return {
            "name": self.name,
            **{key: value if math.isfinite(value) else None for key, value in numbers.items()},
            "n": self.n,
        }


def wide(ratings: pd.DataFrame, scale: str) -> pd.DataFrame:
    """One row a person and period, a column a visit, with arm and baseline.

    Raises:
        InputError: the scale was not rated.
    """
    chosen = ratings[ratings["scale"] == scale]
    if not len(chosen):
        raise InputError(f"'{scale}' was not rated.")
    table = chosen.pivot(index=["person", "arm", "period", "baseline"], columns="visit_h", values="score").reset_index()
    return table[table[[column for column in table.columns if isinstance(column, float)]].notna().any(axis=1)]


def filled(scores: Array, how: str, baseline: Array) -> Array:
    """Scores (people, visits) with gaps filled: `locf` carries the last one on, `nri` puts the baseline back,
    `observed` and `model` leave them.

    Raises:
        InputError: another way of filling.
    """
    found = np.array(scores, dtype=np.float64)
    if how in ("observed", "model"):
        return found
    if how == "nri":
        return np.where(np.isnan(found), baseline[:, None], found)
    if how != "locf":
        raise InputError(f"'{how}' is no way of filling missing ratings.", hint="locf, nri, observed or model.")
    last = np.array(baseline, dtype=np.float64)
    for column in range(found.shape[1]):
        here = found[:, column]
        found[:, column] = np.where(np.isnan(here), last, here)
        last = found[:, column]
    return found


def ancova(change: Array, active: NDArray[np.bool_], covariate: Array) -> Estimate:
    """Least-squares difference of the change, active less other, adjusted for a covariate (the baseline).

    People without a change are left out. With a covariate of zeros it is the t test.
    """
    import statsmodels.api as sm

    seen = np.isfinite(change)
    columns = [np.ones(int(seen.sum())), active[seen].astype(np.float64)]
    if np.ptp(covariate[seen]) > 0:
        columns.append(covariate[seen] - covariate[seen].mean())
    fitted = sm.OLS(change[seen], np.column_stack(columns)).fit()
    low, high = fitted.conf_int()[1]
    return Estimate(
        "difference (ANCOVA)", float(fitted.params[1]), float(fitted.bse[1]), float(low), float(high),
        float(fitted.pvalues[1]), int(seen.sum()),
    )  # fmt: skip


def mixed_model(changes: Array, active: NDArray[np.bool_], baseline: Array) -> Estimate:
    """Difference at the last visit by a mixed model for repeated measures: visit, arm by visit, baseline, a random
    intercept a person.

    `changes` has shape (people, visits), NaN where missing. With one visit it is the analysis of covariance.
    """
    import statsmodels.api as sm

    people, visits = changes.shape
    if visits == 1:
        return ancova(changes[:, 0], active, baseline)
    seen = np.isfinite(changes)
    who, when = np.nonzero(seen)
    design = [np.asarray(when == visit, dtype=np.float64) for visit in range(visits)]
    design += [np.asarray((when == visit) & active[who], dtype=np.float64) for visit in range(visits)]
    if np.ptp(baseline) > 0:
        design.append(baseline[who] - baseline.mean())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = sm.MixedLM(changes[seen], np.column_stack(design), groups=who).fit(reml=True)
    place = 2 * visits - 1
    low, high = np.asarray(fitted.conf_int())[place]
    return Estimate(
        "difference (mixed model)", float(fitted.params[place]), float(fitted.bse[place]), float(low), float(high),
        float(fitted.pvalues[place]), people,
    )  # fmt: skip


def within_people(
    change: Array, active: NDArray[np.bool_], period: NDArray[np.int64], person: NDArray[np.int64]
) -> Estimate:
    """Difference of a crossover, active less other, by a mixed model: arm, period, a random intercept a person.

    One row a person and period; rows without a change are left out. Tests use t with the rows left after people and
    terms.
    """
    import statsmodels.api as sm
    from scipy.stats import t

    seen = np.isfinite(change)
    periods = np.unique(period[seen])
    columns = [np.ones(int(seen.sum())), active[seen].astype(np.float64)]
    columns += [np.asarray(period[seen] == each, dtype=np.float64) for each in periods[1:]]
    design, people = np.column_stack(columns), len(np.unique(person[seen]))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = sm.MixedLM(change[seen], design, groups=person[seen]).fit(reml=True)
    value, error = float(fitted.params[1]), float(fitted.bse[1])
    free = max(len(design) - people - len(columns) + 1, 1)
    far = float(t.ppf(0.975, free))
    return Estimate(
        "difference (mixed model)", value, error, value - far * error, value + far * error,
        float(2.0 * t.sf(abs(value) / error, free)), people,
    )  # fmt: skip


def paired_difference(active: Array, other: Array) -> Estimate:
    """Standardised difference of the same people under two arms, over the pooled SD of both (Hedges' correction).

    `active` and `other` have one entry a person. Its error is that of a difference within people (Borenstein and
    others 2009, chapter 4).
    """
    both = np.isfinite(active) & np.isfinite(other)
    one, two = active[both], other[both]
    count = len(one)
    pooled = math.sqrt((one.var(ddof=1) + two.var(ddof=1)) / 2.0)
    together = float(np.corrcoef(one, two)[0, 1]) if min(one.std(), two.std()) > 0 else 0.0
    size = float((one.mean() - two.mean()) / pooled)
    small = 1.0 - 3.0 / (4.0 * (count - 1) - 1.0)
    error = small * math.sqrt((1.0 / count + size**2 / (2.0 * count)) * 2.0 * (1.0 - together))
    size = small * size
    far = 1.959964 * error
    p = math.erfc(abs(size) / error / math.sqrt(2.0)) if error > 0 else math.nan
    return Estimate("standardised difference", size, error, size - far, size + far, p, count)


def paired_odds_ratio(active: NDArray[np.bool_], other: NDArray[np.bool_]) -> Estimate:
    """Odds ratio of the same people under two arms (that of the population, as between groups), with the error of a
    comparison within people by the delta method; half a person is added to each way where an arm has none or all.
    """
    count = float(len(active))
    table = np.array([[(active & other).sum(), (active & ~other).sum()],
                      [(~active & other).sum(), (~active & ~other).sum()]], dtype=np.float64)  # fmt: skip
    if min(table.sum(axis=0).min(), table.sum(axis=1).min()) == 0:
        table, count = table + 0.25, count + 1.0
    one, two, both = table[0].sum() / count, table[:, 0].sum() / count, table[0, 0] / count
    room, room_2 = one * (1.0 - one), two * (1.0 - two)
    log_ratio = math.log(one / (1.0 - one)) - math.log(two / (1.0 - two))
    variance = (1.0 / room + 1.0 / room_2 - 2.0 * (both - one * two) / (room * room_2)) / count
    error = math.sqrt(max(variance, 0.0))
    p = math.erfc(abs(log_ratio) / error / math.sqrt(2.0)) if error > 0 else math.nan
    low, high = math.exp(log_ratio - 1.959964 * error), math.exp(log_ratio + 1.959964 * error)
    return Estimate("odds ratio", math.exp(log_ratio), error, low, high, p, len(active))


def odds_ratio(active_yes: int, active_n: int, other_yes: int, other_n: int) -> Estimate:
    """Odds ratio of a two-by-two table, half a person added where a cell is empty."""
    from statsmodels.stats.contingency_tables import Table2x2

    table = np.array([[active_yes, active_n - active_yes], [other_yes, other_n - other_yes]], dtype=np.float64)
    found = Table2x2(table + 0.5 if (table == 0).any() else table)
    low, high = found.oddsratio_confint()
    return Estimate(
        "odds ratio", float(found.oddsratio), float(found.log_oddsratio_se), float(low), float(high),
        float(found.log_oddsratio_pvalue()), active_n + other_n,
    )  # fmt: skip


def standardised_difference(active: Array, other: Array) -> Estimate:
    """Hedges' g of two samples, first less second, by statsmodels' meta-analysis formulas."""
    from statsmodels.stats.meta_analysis import effectsize_smd

    one, two = active[np.isfinite(active)], other[np.isfinite(other)]
    size, variance = effectsize_smd(one.mean(), one.std(ddof=1), len(one), two.mean(), two.std(ddof=1), len(two))
    error = math.sqrt(float(variance))
    z = float(size) / error
    p = math.erfc(abs(z) / math.sqrt(2.0))
    low, high = float(size) - 1.959964 * error, float(size) + 1.959964 * error
    return Estimate("standardised difference", float(size), error, low, high, p, len(one) + len(two))


def kaplan_meier(time_h: Array, observed: NDArray[np.bool_]) -> tuple[Array, Array, float]:
    """Times, share without the event, and the median time (infinite when not reached), by lifelines."""
    from lifelines import KaplanMeierFitter

    fitted = KaplanMeierFitter().fit(time_h, observed)
    curve = fitted.survival_function_
    return (
        np.asarray(curve.index, dtype=np.float64),
        np.asarray(curve.iloc[:, 0], dtype=np.float64),
        float(fitted.median_survival_time_),
    )


def hazard_ratio(time_h: Array, observed: NDArray[np.bool_], active: NDArray[np.bool_]) -> Estimate:
    """Cox's hazard ratio, active over other, by lifelines (Efron's ties).

    Raises:
        InputError: no events, or none that tell the arms apart.
    """
    import pandas as pd
    from lifelines import CoxPHFitter
    from lifelines.exceptions import ConvergenceError

    if not observed.any() or observed[active].sum() == 0 or observed[~active].sum() == 0:
        raise InputError("An arm has no relapse: there is no hazard ratio.")
    table = pd.DataFrame({"time": time_h, "event": observed.astype(int), "active": active.astype(float)})
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fitted = CoxPHFitter().fit(table, "time", "event")
    except ConvergenceError as error:
        raise InputError("The hazard ratio cannot be estimated from these events.") from error
    row = fitted.summary.loc["active"]
    return Estimate(
        "hazard ratio", float(row["exp(coef)"]), float(row["se(coef)"]), float(row["exp(coef) lower 95%"]),
        float(row["exp(coef) upper 95%"]), float(row["p"]), len(table),
    )  # fmt: skip


def responders(scores: Array, baseline: Array, scale: str, share: float = 0.5) -> NDArray[np.bool_]:
    """Who has come the share of the way from the baseline to the best score; a missing score is no response."""
    of = SCALES[scale]
    best = of.minimum if of.better == "lower" else of.maximum
    room = np.where(baseline == best, np.nan, baseline - best)
    return np.asarray((baseline - scores) / room >= share - 1e-12)
