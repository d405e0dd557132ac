"""Differential equations over many people. It knows no drug: states, parameters and inputs have names only.

A model text becomes a `Network`, is lowered to plain statement lists, and is solved for every person's
schedule:

    read_antimony(text) -> lower(network) -> solve(lowered, parameters, schedules, outputs) -> Solution
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rekindle.engine.lower import Lowered, lower  # at once: the function has its module's name

if TYPE_CHECKING:
    from rekindle.engine.backends import Solution, solve
    from rekindle.engine.network import Network
    from rekindle.engine.reading import read_antimony, read_model, read_sbml
    from rekindle.engine.schedule import Bolus, Infusion, Observe, Reset, Schedule, Set, SteadyState
    from rekindle.engine.task import Failure

_HOMES = {
    "Bolus": "schedule",
    "Failure": "task",
    "Infusion": "schedule",
    "Network": "network",
    "Observe": "schedule",
    "Reset": "schedule",
    "Schedule": "schedule",
    "Set": "schedule",
    "Solution": "backends",
    "SteadyState": "schedule",
    "read_antimony": "reading",
    "read_model": "reading",
    "read_sbml": "reading",
    "solve": "backends",
}

__all__ = [
    "Bolus",
    "Failure",
    "Infusion",
    "Lowered",
    "Network",
    "Observe",
    "Reset",
    "Schedule",
    "Set",
    "Solution",
    "SteadyState",
    "lower",
    "read_antimony",
    "read_model",
    "read_sbml",
    "solve",
]


def __getattr__(name: str) -> Any:
    """Load a public name from its module at first use.

    Raises:
        AttributeError: no such public name.
    """
    from importlib import import_module

    if name not in _HOMES:
        raise AttributeError(f"module 'rekindle.engine' has no attribute {name!r}")
    return getattr(import_module(f"rekindle.engine.{_HOMES[name]}"), name)
