"""A network, and what is done to a person, as an SBML document that any SBML program can run.

The document the network was read from is kept, so its units survive; parameters get their values and the
schedule becomes SBML events. An event whose time has come when the run starts must say that its trigger was
false before (`initialValue="false"`), or the first dose is silently lost. Source: SBML Level 3 Version 2
Core, section 4.11.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import libsbml
import numpy as np

from rekindle.engine.kernels import kernels_of
from rekindle.engine.lower import Lowered, lower
from rekindle.engine.network import Network
from rekindle.engine.person import Accuracy, Person
from rekindle.engine.schedule import (
    BASE,
    INPUT,
    JUMP,
    LOAD,
    RATE,
    RESET,
    STEADY,
    Infusion,
    Observe,
    Schedule,
    Segments,
    compile_schedule,
)
from rekindle.engine.steady import steady_states
from rekindle.errors import ModelError

HOUR = "hour"
RATE_PREFIX = "infusion_into_"


def to_sbml(network: Network, schedule: Schedule | None = None, parameters: Mapping[str, float] | None = None) -> str:
    """SBML Level 3 Version 2 of a network, with the schedule as events.

    `parameters` replaces values by name. A number without a unit is written as dimensionless. A steady state
    is written as the states it leads to, worked out for these parameters.

    Raises:
        InputError: unknown parameters, or a schedule that does not fit the network.
        ModelError: the document cannot be written at this level.
    """
    network = network.with_values(parameters or {})
    document = libsbml.readSBMLFromString(network.sbml)
    if (document.getLevel(), document.getVersion()) != (3, 2) and not document.setLevelAndVersion(3, 2, False):
        raise ModelError("The model cannot be written as SBML Level 3 Version 2.", where=network.name)
    model = document.getModel()
    _set_time_unit(model)
    _set_values(model, network)
    if schedule is not None and schedule.events:
        _add_events(model, lower(network), schedule)
    _mark_bare_numbers(model)
    return str(libsbml.writeSBMLToString(document))


def _set_time_unit(model: Any) -> None:
    """Time in hours, unless the document already says so under a name of its own."""
    if model.isSetTimeUnits():
        return
    if model.getUnitDefinition(HOUR) is None:
        definition = model.createUnitDefinition()
        definition.setId(HOUR)
        _add_unit(definition, libsbml.UNIT_KIND_SECOND, 1, 3600.0)
    model.setTimeUnits(HOUR)


def _add_unit(definition: Any, kind: int, exponent: float, multiplier: float, scale: int = 0) -> None:
    unit = definition.createUnit()
    unit.setKind(kind)
    unit.setExponent(exponent)
    unit.setScale(scale)
    unit.setMultiplier(multiplier)


def _set_values(model: Any, network: Network) -> None:
    starts = {name: float(value) for name, value in network.initial.items() if value.is_number}
    for name, value in {**network.values, **starts}.items():
        element = model.getElementBySId(name)
        if element is None:
            _set_local(model, name, value)
        elif isinstance(element, libsbml.Species):
            if name in network.states and not element.isSetInitialAmount():
                element.setInitialConcentration(value)
            elif name in network.states and element.getHasOnlySubstanceUnits():
                element.setInitialAmount(value)
        elif isinstance(element, libsbml.Compartment):
            element.setSize(value)
        elif isinstance(element, libsbml.Parameter):
            element.setValue(value)


def _set_local(model: Any, name: str, value: float) -> None:
    for i in range(model.getNumReactions()):
        reaction = model.getReaction(i)
        law = reaction.getKineticLaw()
        prefix = f"{reaction.getId()}_"
        if name.startswith(prefix) and law is not None and law.getLocalParameter(name[len(prefix) :]) is not None:
            law.getLocalParameter(name[len(prefix) :]).setValue(value)


@dataclass
class _Writing:
    """Events while they are written: what each variable is to become at one time."""

    model: Any
    lowered: Lowered
    base: dict[str, float]
    running: dict[str, float] = field(default_factory=dict)

    def unit_of(self, name: str) -> str:
        element = self.model.getElementBySId(name)
        if isinstance(element, libsbml.Species):
            amounts = element.getHasOnlySubstanceUnits() and element.isSetSubstanceUnits()
            return str(element.getSubstanceUnits()) if amounts else ""
        return str(element.getUnits()) if element is not None and element.isSetUnits() else ""

    def number(self, value: float, unit: str) -> Any:
        node = libsbml.ASTNode(libsbml.AST_REAL)
        node.setValue(float(value))
        if unit:
            node.setUnits(unit)
        return node

    def symbol(self, name: str) -> Any:
        node = libsbml.ASTNode(libsbml.AST_NAME)
        node.setName(name)
        return node

    def raised(self, name: str, amount: float) -> Any:
        return _apply(libsbml.AST_PLUS, self.symbol(name), self.number(amount, self.unit_of(name)))


def _apply(kind: int, *children: Any) -> Any:
    node = libsbml.ASTNode(kind)
    for child in children:
        node.addChild(child)
    return node


def _add_events(model: Any, lowered: Lowered, schedule: Schedule) -> None:
    ends = [
        event.time + (event.duration if isinstance(event, Infusion) else 0.0)
        for event in schedule.events
        if not isinstance(event, Observe)
    ]
    events = tuple(event for event in schedule.events if not isinstance(event, Observe))
    if not events:
        return
    horizon = max(*ends, *schedule.output_times, schedule.start) + 1.0
    segments = compile_schedule(replace(schedule, events=events, output_times=(horizon,)), lowered)
    writing = _Writing(model, lowered, {name: lowered.network.values[name] for name in lowered.parameters})
    for position in dict.fromkeys(segments.position[segments.kind == RATE].tolist()):
        _add_rate_parameter(writing, lowered.states[position])
    for k, edge in enumerate(segments.edges):
        _add_event(writing, segments, k, float(edge))


def _add_rate_parameter(writing: _Writing, state: str) -> None:
    """A parameter that the state's rate contains from now on, as a rate rule's term or as a reaction."""
    model, name = writing.model, RATE_PREFIX + state
    parameter = model.createParameter()
    parameter.setId(name)
    parameter.setConstant(False)
    parameter.setValue(0.0)
    unit = writing.unit_of(state)
    if unit:
        parameter.setUnits(_per_hour(model, unit))
    rule = model.getRateRuleByVariable(state)
    if rule is not None:
        rule.setMath(_apply(libsbml.AST_PLUS, rule.getMath().deepCopy(), writing.symbol(name)))
        return
    reaction = model.createReaction()
    reaction.setId(f"giving_{name}")
    reaction.setReversible(False)
    product = reaction.createProduct()
    product.setSpecies(state)
    product.setStoichiometry(1.0)
    product.setConstant(True)
    species = model.getSpecies(state)
    amount_rate = writing.symbol(name)
    if not species.getHasOnlySubstanceUnits():
        amount_rate = _apply(libsbml.AST_TIMES, amount_rate, writing.symbol(species.getCompartment()))
    reaction.createKineticLaw().setMath(amount_rate)


def _per_hour(model: Any, unit: str) -> str:
    """The id of a unit of the document that is `unit` per hour; added when it is not there."""
    name = f"{unit}_per_hour_given"
    if model.getUnitDefinition(name) is None:
        definition = model.createUnitDefinition()
        definition.setId(name)
        original = model.getUnitDefinition(unit)
        if original is None:
            _add_unit(definition, libsbml.UnitKind_forName(unit), 1, 1.0)
        else:
            for i in range(original.getNumUnits()):
                part = original.getUnit(i)
                _add_unit(
                    definition,
                    part.getKind(),
                    part.getExponentAsDouble(),
                    part.getMultiplier(),
                    part.getScale(),
                )
        _add_unit(definition, libsbml.UNIT_KIND_SECOND, -1, 3600.0)
    return name


def _add_event(writing: _Writing, segments: Segments, k: int, time: float) -> None:
    changes = _changes(writing, segments, k)
    if not changes:
        return
    event = writing.model.createEvent()
    event.setId(f"schedule_{k}")
    event.setUseValuesFromTriggerTime(True)
    trigger = event.createTrigger()
    trigger.setInitialValue(False)
    trigger.setPersistent(True)
    clock = libsbml.ASTNode(libsbml.AST_NAME_TIME)
    clock.setName("time")
    trigger.setMath(_apply(libsbml.AST_RELATIONAL_GEQ, clock, writing.number(time, writing.model.getTimeUnits())))
    for name, formula in changes.items():
        assignment = event.createEventAssignment()
        assignment.setVariable(name)
        assignment.setMath(formula)


def _changes(writing: _Writing, segments: Segments, k: int) -> dict[str, Any]:
    """What each variable becomes at edge k, all actions there taken together."""
    lowered = writing.lowered
    free, states = lowered.parameters, lowered.states
    jumps: dict[str, float] = {}
    loads: dict[str, float] = {}
    parameters: dict[str, None] = {}
    rates: dict[str, float] = {}
    for a in range(segments.first[k], segments.first[k + 1]):
        kind, position, value = segments.kind[a], int(segments.position[a]), float(segments.value[a])
        if kind == JUMP:
            table = loads if states[position] in loads else jumps
            table[states[position]] = table.get(states[position], 0.0) + value
        elif kind == LOAD:
            loads[states[position]] = value
        elif kind == RATE:
            rates[RATE_PREFIX + states[position]] = value
        elif kind in (RESET, STEADY):
            pattern = segments.steady[position] if kind == STEADY else None
            jumps = _take_up(writing, pattern, loads, jumps)
        elif kind in (BASE, INPUT):
            (writing.base if kind == BASE else writing.running)[free[position]] = value
            parameters[free[position]] = None
    changes = {name: writing.raised(name, amount) for name, amount in jumps.items() if name not in loads}
    changes |= {name: writing.number(value, writing.unit_of(name)) for name, value in loads.items()}
    changes |= {name: writing.number(value, writing.unit_of(name)) for name, value in rates.items()}
    for name in parameters:
        writing.model.getElementBySId(name).setConstant(False)
        value = writing.base[name] + writing.running.get(name, 0.0)
        changes[name] = writing.number(value, writing.unit_of(name))
    return changes


def _take_up(writing: _Writing, pattern: Any, loads: dict[str, float], jumps: dict[str, float]) -> dict[str, float]:
    """Load the states of a reset or of a steady state; returns the jumps that remain."""
    lowered = writing.lowered
    row = np.array([writing.base[name] for name in lowered.parameters])
    person = Person(lowered, kernels_of(lowered), row, Accuracy(), steady_states)
    before = person.y.copy()
    after = before if pattern is None else steady_states(person, pattern)
    if pattern is not None and pattern.add:
        extra = {name: float(after[i] - before[i]) for i, name in enumerate(lowered.states)}
        for name, amount in extra.items():
            table = loads if name in loads else jumps
            table[name] = table.get(name, 0.0) + amount
        return jumps
    kept = {} if pattern is None else _collecting(lowered)
    loads.update({name: float(after[i]) for i, name in enumerate(lowered.states) if name not in kept})
    return {name: amount for name, amount in jumps.items() if name in kept}


def _collecting(lowered: Lowered) -> set[str]:
    from rekindle.engine.steady import collecting_states

    flags = collecting_states(lowered.pattern, len(lowered.states))
    return {name for name, flag in zip(lowered.states, flags, strict=True) if flag}


def _mark_bare_numbers(model: Any) -> None:
    """Give every number of a formula that has no unit the unit `dimensionless`."""
    holders = [
        *(model.getRule(i) for i in range(model.getNumRules())),
        *(model.getInitialAssignment(i) for i in range(model.getNumInitialAssignments())),
        *(model.getReaction(i).getKineticLaw() for i in range(model.getNumReactions())),
        *(model.getFunctionDefinition(i) for i in range(model.getNumFunctionDefinitions())),
    ]
    for holder in holders:
        if holder is not None and holder.getMath() is not None:
            formula = holder.getMath().deepCopy()
            if _mark(formula):
                holder.setMath(formula)


def _mark(node: Any) -> bool:
    changed = False
    if node.isNumber() and not node.isSetUnits():
        node.setUnits("dimensionless")
        changed = True
    for i in range(node.getNumChildren()):
        changed = _mark(node.getChild(i)) or changed
    return changed
