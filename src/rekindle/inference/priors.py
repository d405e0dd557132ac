"""What is held before the trials are looked at: which parameters are shared, how far each may lie, how trials differ.

Each shared parameter moves on a scale of its own, its *share*: -1 at the low end of its plausible range, 0 at the
value in the table, 1 at the high end (two straight pieces, on the log scale where the range is positive). The prior
of a share is a normal around 0 cut at the ends, narrow for what was measured and wide for what was assumed, so the
sampler can work with a standard normal `score` for each. Trials differ from one another by shifts of a few named
parameters, and the model misses a number by more than luck: both have a size that is estimated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from rekindle.errors import unknown
from rekindle.mechanism.parameters import Parameter
from rekindle.mechanism.plausible import TAIL, at_quantile, uncertain_parameters
from rekindle.population import variability
from rekindle.streams import normals
from rekindle.trial.values import DEVIATIONS, POTENT
from rekindle.trial.words import settings

Array = NDArray[np.float64]

PRIOR_WIDTH: Mapping[str, float] = {"human": 0.61, "rodent": 0.75, "assumed": 1.0}
"""Standard deviation of a share before it is cut at -1 and 1, by grade.

A range that was measured is read as the middle nine tenths (1 / 1.645); an assumed one is nearly flat."""

SPREAD, SETTING, RATING_ERROR = "spread.", "setting.", "rating_error"
"""How the trial layer names the SD of a random effect, its own numbers, and the factor on every rater's error."""

MISFIT: Mapping[str, float] = {
    "points": 2.5,
    "share": 0.3,
    "effect size": 0.15,
    "spread": 0.1,
    "ratio": 0.3,
    "time": 0.3,
    "correlation": 0.1,
}
"""Median of the lognormal prior of the model's own misses, by kind of number, on the scale of `targets`.

Points are per cent of the scale's range (2.5 % of the MADRS is 1.5 points), shares are on the log-odds, spreads,
ratios and times on the log scale."""

MISFIT_WIDTH = 0.6
"""Standard deviation of the logarithm of a miss's size: a factor of 2.7 either way covers nine tenths."""


@dataclass(frozen=True)
class TrialEffect:
    """A way in which whole trials differ: a common shift of `parameters` on a scale, `log` or `logit`.

    The standard deviation between trials has a lognormal prior with this `median` and `width` of its logarithm;
    `setting` is the trial layer's name of it.
    """

    name: str
    parameters: tuple[str, ...]
    median: float
    width: float
    setting: str
    scale: Literal["log", "logit"] = "log"


BELIEF = ("session_lift_capacity", "expectancy_capacity")
"""What belief multiplies: a shift of the logarithm of belief is one of both."""


def trial_effects() -> tuple[TrialEffect, ...]:
    """How trials differ: what they make people expect, how well the drug works in those whom they enrol, how deep
    these rest in the depressive state. Sizes as the trial layer has them (`trial/data/settings.csv`)."""
    moved: Mapping[str, tuple[str, ...]] = {"belief": BELIEF, "potency": POTENT, "depth": ("depth",)}
    return tuple(
        TrialEffect(
            name, moved[name], settings()[own].value, _lognormal_width(settings()[own].low, settings()[own].high),
            f"{SETTING}{own}", "logit" if name == "depth" else "log",
        )
        for name, own in DEVIATIONS.items()
    )  # fmt: skip


def _lognormal_width(low: float, high: float) -> float:
    return float(np.log(high / low) / (2.0 * TAIL))


@dataclass(frozen=True)
class Prior:
    """The shared parameters, in order, with the ways in which trials differ and the model misses.

    Numbers may bend with the parameters named in `curved` (all when None) and are straight in the others; with those
    in `steep` they may bend more than a square does.
    """

    parameters: tuple[Parameter, ...]
    trial_effects: tuple[TrialEffect, ...] = ()
    misfit: Mapping[str, float] | None = None
    curved: tuple[str, ...] | None = None
    steep: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the shared parameters."""
        return tuple(parameter.name for parameter in self.parameters)

    @property
    def curved_places(self) -> NDArray[np.int64]:
        """Places of the parameters with which numbers may bend."""
        wanted = self.names if self.curved is None else self.curved
        return np.array([place for place, name in enumerate(self.names) if name in wanted], dtype=np.int64)

    @property
    def steep_places(self) -> NDArray[np.int64]:
        """Places, among the curved parameters, of those in `steep`."""
        names = [self.names[place] for place in self.curved_places]
        return np.array([place for place, name in enumerate(names) if name in self.steep], dtype=np.int64)

    @property
    def widths(self) -> Array:
        """Prior widths of the shares, one a shared parameter; narrow for those with which numbers do not bend."""
        bent = self.names if self.curved is None else self.curved
        return np.array(
            [PRIOR_WIDTH[parameter.grade if parameter.name in bent else "human"] for parameter in self.parameters]
        )

    def shares(self, scores: Array) -> Array:
        """Shares (sets, parameters) at standard normal scores of the same shape."""
        from scipy.special import ndtr, ndtri

        low = ndtr(-1.0 / self.widths)
        return np.asarray(self.widths * ndtri(low + ndtr(scores) * (1.0 - 2.0 * low)))

    def scores(self, shares: Array) -> Array:
        """Standard normal scores at shares strictly between -1 and 1: the inverse of `shares`."""
        from scipy.special import ndtr, ndtri

        low = ndtr(-1.0 / self.widths)
        inside = np.clip(shares, -1.0 + 1e-9, 1.0 - 1e-9)
        return np.asarray(ndtri((ndtr(inside / self.widths) - low) / (1.0 - 2.0 * low)))

    def values(self, shares: Array) -> dict[str, Array]:
        """The parameters themselves at shares (sets, parameters): name to array of shape (sets,)."""
        return {
            parameter.name: at_quantile(parameter, TAIL * shares[:, index])
            for index, parameter in enumerate(self.parameters)
        }

    def shares_per_shift(self, effect: TrialEffect) -> Array:
        """How far each share moves for a shift of 1 in the effect's parameters on its scale, shape (parameters,).

        The two pieces of a range are averaged; a parameter that is not estimated stays where it is.
        """
        return np.array(
            [
                2.0 / _width(parameter, effect.scale) if parameter.name in effect.parameters else 0.0
                for parameter in self.parameters
            ]
        )

    @property
    def size_priors(self) -> Array:
        """Medians and widths (of the logarithm) of the sizes: trial effects, then misses by kind; shape (sizes, 2)."""
        between = [(effect.median, effect.width) for effect in self.trial_effects]
        return np.array([*between, *((median, MISFIT_WIDTH) for median in (self.misfit or {}).values())]).reshape(-1, 2)


def _width(parameter: Parameter, scale: str) -> float:
    if scale == "logit":
        odds = (parameter.high / (1.0 - parameter.high)) / (parameter.low / (1.0 - parameter.low))
        return float(np.log(odds))
    return float(np.log(parameter.high / parameter.low))


def spread_parameters() -> tuple[Parameter, ...]:
    """How far people differ where no record tells it (half to 1.6 times the table), and the raters' error."""
    people = tuple(
        _assumed(f"{SPREAD}{effect.parameter}", effect.sd, 0.5 * effect.sd, 1.6 * effect.sd, "between people")
        for effect in variability()
        if effect.grade == "assumed" and effect.sd > 0.1
    )
    return (*people, _assumed(RATING_ERROR, 1.0, 0.7, 1.4, "factor on every rater's error"))


def setting_parameters() -> tuple[Parameter, ...]:
    """The numbers of the trial layer whose range is wider than a point; the sizes of trial effects stand apart."""
    return tuple(
        Parameter(
            f"{SETTING}{name}", each.value, "1", each.low, each.high, each.grade, each.record, each.reason,
            each.meaning, "trial",
        )
        for name, each in settings().items()
        if each.low < each.high and name not in DEVIATIONS.values()
    )  # fmt: skip


def _assumed(name: str, value: float, low: float, high: float, meaning: str) -> Parameter:
    return Parameter(name, value, "1", low, high, "assumed", "", "no record tells it", meaning, "people")


@cache
def candidates() -> dict[str, Parameter]:
    """All that might be estimated, by name: uncertain parameters of the model, spreads, numbers of the trial layer."""
    every = (*uncertain_parameters(), *spread_parameters(), *setting_parameters())
    return {parameter.name: parameter for parameter in every}


def prior_of(
    names: Sequence[str],
    *,
    effects: Sequence[TrialEffect] | None = None,
    misfit: Mapping[str, float] = MISFIT,
    straight: Sequence[str] = (),
    steep: Sequence[str] = (),
) -> Prior:
    """The prior in which the named parameters are estimated and trials differ as said.

    Parameters that a trial effect shifts are estimated too, whether named or not. Those in `straight` are estimated
    without curvature, those in `steep` with more than a square's.

    Raises:
        InputError: a name that is no uncertain parameter and no spread.
    """
    known = candidates()
    between = tuple(trial_effects() if effects is None else effects)
    needed = [name for effect in between for name in effect.parameters]
    curved = tuple(dict.fromkeys([*names, *needed]))
    wanted = list(dict.fromkeys([*curved, *straight]))
    for name in wanted:
        if name not in known:
            raise unknown("uncertain parameter", name, known)
    order = {name: place for place, name in enumerate(known)}
    parameters = tuple(known[name] for name in sorted(wanted, key=order.__getitem__))
    return Prior(parameters, between, dict(misfit), curved, tuple(steep))


def other_shares(names: Sequence[str], seed: int, *, start: int = 0, count: int) -> Array:
    """Shares (count, names) of parameters that matter less, drawn over their plausible ranges.

    Row `start + i` is the same whatever `count` is.
    """
    columns = [
        np.clip(normals(seed, "calibration", "other", name, start=start, count=count) / TAIL, -1.0, 1.0)
        for name in names
    ]
    return np.stack(columns, axis=1) if columns else np.empty((count, 0))


def other_values(chosen: Sequence[str], seed: int, *, start: int = 0, count: int) -> dict[str, Array]:
    """Values of all candidates that are not estimated, name to array of shape (count,); see `other_shares`."""
    others = [parameter for parameter in candidates().values() if parameter.name not in chosen]
    shares = other_shares([parameter.name for parameter in others], seed, start=start, count=count)
    return {parameter.name: at_quantile(parameter, TAIL * shares[:, place]) for place, parameter in enumerate(others)}
