"""What anybody could do without the model: four simple forecasts, each with a spread so that scores compare.

Each is fitted on other persons of the same clinic, rated at the same visits, and then told the ratings of the person
so far. Ratings are put on a common footing first: less the mean and over the spread of their visit among those others.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rekindle.outcomes import scale

Array = NDArray[np.float64]

DRAWS = 400
RIVALS = ("last value", "population mean", "mixed model", "Gaussian process")


@dataclass(frozen=True)
class Fitted:
    """The four fitted on training persons: `training` (persons, ratings), `scales` and `days` of the ratings."""

    training: Array
    scales: tuple[str, ...]
    days: Array
    mean: Array
    sd: Array
    mixed: tuple[Array, float]
    process: object

    def forecasts(self, totals: Array, known: int, column: int) -> dict[str, Array]:
        """Draws before rounding for one rating from the first `known`; name to shape (persons, draws)."""
        normal = {
            "mixed model": self._mixed(totals, known, column),
            "Gaussian process": self._process(totals, known, column),
        }
        shown = {
            "last value": self._last(totals, known, column),
            "population mean": np.tile(_evenly(self.training[:, column]), (len(totals), 1)),
        }
        grid = _normal_grid()
        for name, (centre, spread) in normal.items():
            shown[name] = self.mean[column] + self.sd[column] * (centre[:, None] + spread[:, None] * grid)
        found = scale(self.scales[column])
        return {name: np.clip(shown[name], found.minimum, found.maximum) for name in RIVALS}

    def _last(self, totals: Array, known: int, column: int) -> Array:
        """The last value on the same scale, spread as its error was in training."""
        same = [place for place in range(known) if self.scales[place] == self.scales[column]]
        if not same:
            return np.tile(_evenly(self.training[:, column]), (len(totals), 1))
        change = self.training[:, column] - self.training[:, same[-1]]
        return np.asarray(totals[:, same[-1]][:, None] + _evenly(change)[None, :])

    def _mixed(self, totals: Array, known: int, column: int) -> tuple[Array, Array]:
        effects, noise = self.mixed
        design = _slopes(self.days)
        covariance = design @ effects @ design.T + noise * np.eye(len(self.days))
        return _conditional(covariance, (totals - self.mean) / self.sd, known, column)

    def _process(self, totals: Array, known: int, column: int) -> tuple[Array, Array]:
        covariance = self.process(_features(self.days, self.scales))  # type: ignore[operator]
        return _conditional(covariance, (totals - self.mean) / self.sd, known, column)


def fit(training: Array, scales: Sequence[str], days: Sequence[float]) -> Fitted:
    """Fit on training persons, shape (persons, ratings); missing ratings are NaN."""
    mean, sd = np.nanmean(training, axis=0), np.maximum(np.nanstd(training, axis=0, ddof=1), 0.5)
    normal = (training - mean) / sd
    when = np.asarray(days, dtype=np.float64)
    names = tuple(scales)
    return Fitted(training, names, when, mean, sd, _fit_mixed(normal, when), _fit_process(normal, when, names))


def _fit_mixed(normal: Array, days: Array) -> tuple[Array, float]:
    """Covariance of a person's own level and slope, and the noise, by restricted maximum likelihood."""
    from statsmodels.regression.mixed_linear_model import MixedLM

    persons, ratings = normal.shape
    seen = np.isfinite(normal).ravel()
    group = np.repeat(np.arange(persons), ratings)[seen]
    design = np.tile(_slopes(days), (persons, 1))[seen]
    visit = np.tile(np.eye(ratings), (persons, 1))[seen]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = MixedLM(normal.ravel()[seen], visit, groups=group, exog_re=design).fit(reml=True)
    effects = np.asarray(found.cov_re, dtype=np.float64)
    if not np.isfinite(effects).all():
        effects = np.diag([0.5, 0.0])
    return effects, float(found.scale)


def _fit_process(normal: Array, days: Array, scales: tuple[str, ...]) -> object:
    """The kernel of a Gaussian process over time and scale, by marginal likelihood over all persons together."""
    from sklearn.gaussian_process import GaussianProcessRegressor
    from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

    whole = normal[np.isfinite(normal).all(axis=1)]
    start = ConstantKernel(0.3) + ConstantKernel(0.5) * Matern([3.0, 3.0], nu=1.5) + WhiteKernel(0.2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        process = GaussianProcessRegressor(start, alpha=1e-8).fit(_features(days, scales), whole.T)
    return process.kernel_


def _slopes(days: Array) -> Array:
    return np.column_stack([np.ones(len(days)), np.sqrt(days / days.max())])


def _features(days: Array, scales: tuple[str, ...]) -> Array:
    return np.column_stack([np.sqrt(days), [float(name != scales[0]) for name in scales]])


def _conditional(covariance: Array, normal: Array, known: int, column: int) -> tuple[Array, Array]:
    """Mean and spread of one column given the first `known`, shape (persons,) each."""
    gain = np.linalg.solve(covariance[:known, :known], covariance[:known, column])
    left = covariance[column, column] - covariance[column, :known] @ gain
    return normal[:, :known] @ gain, np.full(len(normal), np.sqrt(max(float(left), 1e-6)))


def _evenly(values: Array) -> Array:
    """So many evenly spaced quantiles of what was seen."""
    return np.asarray(np.quantile(values[np.isfinite(values)], (np.arange(DRAWS) + 0.5) / DRAWS))


def _normal_grid() -> Array:
    from scipy.special import ndtri

    return np.asarray(ndtri((np.arange(DRAWS) + 0.5) / DRAWS))
