"""The quantities that a paper reports, each with what a trial file must say about it and the unit it comes in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Needs = Literal["arm", "arms", "any"]


@dataclass(frozen=True)
class Quantity:
    """One quantity: whether it is of one arm or compares two, the fields it needs and may have, and its unit.

    `spread_between` says that the published spread is between people (an SD), so that a standard error follows
    from it and n.
    """

    name: str
    meaning: str
    needs: Needs
    unit: str
    required: tuple[str, ...] = ("time",)
    allowed: tuple[str, ...] = ()
    of: tuple[str, ...] = ()


_TIMES = ("times", "at_least", "any_by")
_RESPONSE = ("share", "strict")
_REMISSION = ("at_most", "below")
_RATES = (*_RESPONSE, *_TIMES, *_REMISSION)
_RELAPSE = ("since", "rule")

_ALL = (
    Quantity("mean", "observed score", "arm", "points"),
    Quantity("mean_change", "change from baseline", "arm", "points"),
    Quantity("percent_change", "change in per cent of baseline", "arm", "%"),
    Quantity("standard_deviation", "between people, of change or score", "arm", "points", of=("change", "score")),
    Quantity("difference", "first arm less second", "arms", "points", allowed=("sign",), of=("change", "score")),
    Quantity(
        "standardised_difference", "difference over the pooled SD", "arms", "d",
        allowed=("sign",), of=("change", "score"),
    ),
    Quantity("within_group_d", "fall from baseline over an SD; better is positive", "arm", "d", allowed=("over",)),
    Quantity("response", "people who responded", "arm", "%", required=(), allowed=(*_RESPONSE, *_TIMES)),
    Quantity("remission", "people in remission", "arm", "%", required=(), allowed=(*_TIMES, *_REMISSION)),
    Quantity("worse", "people above their baseline", "arm", "%"),
    Quantity("odds_ratio", "odds in the first arm over the second", "arms", "odds ratio", required=(), allowed=_RATES,
             of=("response", "remission", "free_of_ideation")),
    Quantity("risk_ratio", "share in the first arm over the second", "arms", "risk ratio", required=(), allowed=_RATES,
             of=("response", "remission", "free_of_ideation")),
    Quantity("risk_difference", "share in the first arm less the second", "arms", "%", required=(), allowed=_RATES,
             of=("response", "remission", "free_of_ideation")),
    Quantity("number_needed", "one over the difference in shares", "arms", "people", required=(), allowed=_RATES,
             of=("response", "remission", "free_of_ideation")),
    Quantity("relapse", "people who relapsed by the time", "arm", "%", allowed=_RELAPSE),
    Quantity("survival", "people without relapse at the time (Kaplan-Meier)", "arm", "%", allowed=_RELAPSE),
    Quantity("time_to_relapse", "median time to relapse", "arm", "d", required=(), allowed=(*_RELAPSE, "quantile")),
    Quantity("hazard_ratio", "of relapse, first arm over second (Cox)", "arms", "hazard ratio", allowed=_RELAPSE),
    Quantity("class_share", "people in a class of courses", "arm", "%", required=("classes", "class"),
             allowed=("times",)),
    Quantity("class_mean", "mean score of a class of courses", "arm", "points",
             required=("time", "classes", "class"), allowed=("times",)),
    Quantity("correlation", "of the change with a covariate", "arm", "r", required=("time", "covariate")),
    Quantity("share_of_change", "change at the time in per cent of that at the end", "arm", "%",
             required=("time", "end")),
    Quantity("share_of_difference", "difference at the time in per cent of that at the end", "arms", "%",
             required=("time", "end")),
    Quantity("sensitivity", "of response at the time for response at the end", "arm", "%", required=("time", "end"),
             allowed=("share",)),
    Quantity("sessions_to_response", "median sessions until response", "arm", "sessions", required=(),
             allowed=("share",)),
    Quantity("completion", "people still in the trial", "arm", "%"),
    Quantity("peak", "mean of each person's largest value until then", "arm", "points"),
    Quantity("other", "anything else, shown and never scored", "any", "", required=(),
             allowed=(*_RATES, *_RELAPSE, "sign", "quantile", "classes", "class", "covariate", "end", "over"),
             of=("change", "score", "response", "remission", "free_of_ideation")),
)  # fmt: skip

QUANTITIES: Mapping[str, Quantity] = {quantity.name: quantity for quantity in _ALL}

COUNTED = (
    "response", "remission", "worse", "relapse", "survival", "class_share", "sensitivity", "completion",
)  # fmt: skip
"""Quantities that count people."""

OF_STATES: Mapping[str, tuple[str, ...]] = {
    "response": _RESPONSE, "remission": _REMISSION, "free_of_ideation": (),
}  # fmt: skip
"""What a comparison of shares may say of the state that it is of."""

OF_TOTALS = (
    "remission", "relapse", "survival", "time_to_relapse", "hazard_ratio", "sensitivity", "sessions_to_response",
)  # fmt: skip
"""Quantities that look at the total of a scale only, never at one item."""

ALWAYS = (
    "record", "quantity", "arm", "arms", "time", "stage", "scale", "item", "among", "use", "reason", "value",
    "spread", "n", "unit", "analysis", "periods", "baseline",
)  # fmt: skip
"""Fields that any number may have."""


@dataclass(frozen=True)
class Options:
    """What a number says beyond arm, time and scale; the names are those of the file."""

    of: str = ""
    over: str = "baseline"
    sign: str = "change"
    share: float | None = None
    strict: bool = False
    times_h: tuple[float, ...] = ()
    at_least: int = 1
    any_by_h: float | None = None
    at_most: float | None = None
    below: float | None = None
    end_h: float | None = None
    since: str | float = "start"
    rule: str = "half lost"
    quantile: float = 0.5
    classes: int = 3
    which: str = "best"
    covariate: str = ""
    periods: str = "all"
    baseline: str = "period"
