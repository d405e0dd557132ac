"""Other values that the parameters might have: draws over their plausible ranges, before any calibration.

Each uncertain parameter is drawn by itself. Its range is read as the middle nine tenths of a two-piece normal
around the value (on the log scale where all are positive), cut at the ends of the range. That says how far the
answer could move if every range were right and none were linked, no more: it is not a posterior.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rekindle.mechanism.hypotheses import HYPOTHESES
from rekindle.mechanism.modifiers import modifier_table
from rekindle.mechanism.parameters import Parameter, parameter_table
from rekindle.streams import normals

Array = NDArray[np.float64]

TAIL = 1.6448536269514722
"""The 95 % point of the standard normal: a range is the middle nine tenths."""

OF_THE_PERSON = (
    "weight_kg",
    "age_years",
    "female",
    "baseline_severity",
    "baseline_pain",
    "failed_treatments",
    "depressed",
    "bipolar",
    "dissociation_trait",
    "predisposition",
    "mood_tolerance",
    "liver_enzyme_activity",
    "gut_enzyme_activity",
)
"""Parameters that belong to a person, not to the model; they vary between people instead."""

INPUTS = ("infusion_S", "infusion_R", "midazolam_infusion", "contact", "care")
"""Parameters through which doses and visits enter."""


def uncertain_parameters() -> tuple[Parameter, ...]:
    """The parameters whose plausible range is wider than a point, in the order of the table.

    Inputs, modifiers, hypothesis switches and what belongs to a person are left out.
    """
    fixed = {modifier.parameter for row in modifier_table().values() for modifier in row}
    fixed |= {hypothesis.parameter for hypothesis in HYPOTHESES.values()}
    fixed |= {*OF_THE_PERSON, *INPUTS}
    return tuple(
        parameter
        for parameter in parameter_table().values()
        if parameter.low < parameter.high and parameter.name not in fixed
    )


def plausible_values(count: int, seed: int) -> dict[str, Array]:
    """Values of every uncertain parameter in `count` draws: name to array of shape (count,).

    Each parameter has its own stream, so adding one never moves another.
    """
    return {
        parameter.name: at_quantile(parameter, normals(seed, "parameter set", parameter.name, count=count))
        for parameter in uncertain_parameters()
    }


def at_quantile(parameter: Parameter, normal: Array) -> Array:
    """The parameter at standard normal quantiles: 0 gives its value, +-1.645 the ends of its range.

    >>> table = parameter_table()
    >>> bool(at_quantile(table["clearance"], np.zeros(1))[0] == table["clearance"].value)
    True
    """
    share = np.clip(np.asarray(normal, dtype=np.float64) / TAIL, -1.0, 1.0)
    value, low, high = parameter.value, parameter.low, parameter.high
    if low > 0.0:
        ends = np.where(share < 0.0, low / value, high / value)
        return np.asarray(value * ends ** np.abs(share))
    ends = np.where(share < 0.0, value - low, high - value)
    return np.asarray(value + ends * share)
