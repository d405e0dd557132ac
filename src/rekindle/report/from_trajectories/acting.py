"""Which parameters can act at all in an arm: read from the equations, not from numbers.

An arm that gives an infusion never fills the states of the spray, and a hypothesis that is switched off takes its
chain out. What is 0 for everybody, or 1, is put into the equations as that number, and states that nothing ever fills
as 0; a parameter acts on an output when a path leads from it to the output through what is left.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rekindle.cohort import administrations, person_parameters
from rekindle.keeping import kept, version_of
from rekindle.life import STRESS
from rekindle.mechanism.delivery import NEEDED, deliver
from rekindle.mechanism.parameters import parameter_table
from rekindle.mechanism.plausible import uncertain_parameters
from rekindle.report.from_trajectories.sample import Sample
from rekindle.simulate import lowered_model
from rekindle.study import Arm

if TYPE_CHECKING:
    from rekindle.engine.network import Network


def acting_parameters(sample: Sample, arm: Arm, outputs: Iterable[str]) -> frozenset[str]:
    """Names of the model's parameters on which any of the outputs depends in this arm."""
    network = lowered_model().network
    filled = dosed(sample, arm)
    people = sample.trajectories.cohort
    given = person_parameters(people, arm, hypotheses=sample.study.hypotheses)
    uncertain = {parameter.name for parameter in uncertain_parameters()}
    fixed = {
        name: int(values[0])
        for name, values in given.items()
        if name not in uncertain | filled and values[0] in (0.0, 1.0) and np.all(values == values[0])
    }
    wanted = tuple(outputs)

    def made_from() -> tuple[str | bytes, ...]:
        words = json.dumps([sorted(fixed.items()), sorted(filled), sorted(wanted), network.states, network.parameters])
        return (network.digest, words, Path(__file__).read_bytes(), version_of("sympy"))

    found = kept("acting", frozenset, made_from, lambda: reached(network, fixed, filled, wanted))
    return frozenset(found) | delivering(sample, arm)


def dosed(sample: Sample, arm: Arm) -> set[str]:
    """States and inputs that the arm's schedule reaches."""
    events = _events(sample, arm, {})
    lived = {STRESS} if sample.trajectories.calibrated and sample.study.life else set()
    return {str(getattr(event, "target", "") or getattr(event, "parameter", "")) for event in events} | {"care"} | lived


def delivering(sample: Sample, arm: Arm) -> frozenset[str]:
    """Parameters that act where a dose is split over its ways in: those that change the arm's schedule."""
    table = parameter_table()
    usual = _events(sample, arm, {})
    ends = {name: {table[name].low, table[name].high} - {table[name].value} for name in NEEDED}
    return frozenset(name for name in NEEDED if any(_events(sample, arm, {name: end}) != usual for end in ends[name]))


def _events(sample: Sample, arm: Arm, changed: Mapping[str, float]) -> tuple[object, ...]:
    """What the first person of an arm is given, with some parameters of delivery changed."""
    given = administrations(sample.trajectories.cohort.take([0]), arm)[0]
    return deliver(given, changed)


def reached(network: Network, fixed: Mapping[str, int], filled: set[str], outputs: Iterable[str]) -> frozenset[str]:
    """The parameters that lead to the outputs with `fixed` ones put in, and as 0 the states that nothing fills."""
    import sympy as sp

    dry = {name for name in network.states if name not in filled}
    while True:
        nothing = {sp.Symbol(name): sp.Integer(value) for name, value in fixed.items()}
        nothing |= {sp.Symbol(name): sp.Integer(0) for name in dry}
        initial = _without(network.initial, nothing)
        assigned = _resolved(_without(network.assignments, nothing), nothing)
        vanish = {**nothing, **{sp.Symbol(name): sp.Integer(0) for name, each in assigned.items() if _is_zero(each)}}
        rates = _without(network.rates, vanish)
        wet = {name for name in dry if not _is_zero(rates[name]) or not _is_zero(initial[name])}
        if not wet:
            break
        dry -= wet
    definitions: dict[str, list[Any]] = {}
    for table in (initial, assigned, rates):
        for name, expression in table.items():
            definitions.setdefault(name, []).append(expression)
    return _parameters(definitions, outputs, set(network.parameters))


def _is_zero(expression: Any) -> bool:
    return bool(expression.is_zero)


def _without(table: Mapping[str, Any], nothing: Mapping[Any, Any]) -> dict[str, Any]:
    return {name: expression.xreplace(dict(nothing)) for name, expression in table.items()}


def _resolved(assigned: Mapping[str, Any], nothing: Mapping[Any, Any]) -> dict[str, Any]:
    """Assignments with those that come out as zero put into the ones after them, which they stand before."""
    import sympy as sp

    vanish, found = dict(nothing), {}
    for name, expression in assigned.items():
        found[name] = expression.xreplace(vanish)
        if _is_zero(found[name]):
            vanish[sp.Symbol(name)] = sp.Integer(0)
    return found


def _parameters(definitions: Mapping[str, list[Any]], outputs: Iterable[str], parameters: set[str]) -> frozenset[str]:
    """Parameters met on the way back from the outputs."""
    seen: set[str] = set()
    waiting = list(outputs)
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        waiting += [str(symbol) for each in definitions.get(name, ()) for symbol in each.free_symbols]
    return frozenset(seen & parameters)
