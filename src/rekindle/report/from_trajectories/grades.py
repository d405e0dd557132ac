"""How far a curve can be trusted: the weakest evidence among the parameters that set its size and its speed."""

from __future__ import annotations

from collections.abc import Iterable

from rekindle.mechanism.parameters import parameter_table
from rekindle.report.material import Grade

ORDER: tuple[Grade, ...] = ("human", "rodent", "assumed")
"""From the strongest evidence to the weakest."""


def weakest(parameters: Iterable[str]) -> Grade:
    """The weakest grade among parameters of the model; of none, assumed.

    Raises:
        KeyError: a parameter that the model does not have.
    """
    found = [parameter_table()[name].grade for name in parameters]
    return next((grade for grade in reversed(ORDER) if grade in found), "assumed")
