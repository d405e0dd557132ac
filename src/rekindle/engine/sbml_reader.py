"""An SBML document as a `Network`: rules, reactions, functions and starting values, or a refusal by name.

Reactions become rates by their stoichiometry. A species whose symbol means a concentration is kept as a
concentration (its compartment must keep its volume), one with only substance units as an amount. Constraints
do not change a solution and are passed over. Source: SBML Level 3 Version 2 Core, sections 4.6 to 4.12.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import libsbml
import sympy as sp

from rekindle.engine.network import Expression, Network, ordered
from rekindle.engine.sbml_math import TIME, FormulaReader
from rekindle.errors import InputError, UnsupportedError, nearest

_LARGEST_REPORT = 3
_HARMLESS = ("layout", "render", "groups", "fbc")  # packages that say nothing about the equations over time


def network_of(document_text: str, where: str) -> Network:
    """Read one SBML document.

    Raises:
        InputError: text that is not consistent SBML, or formulas with undefined symbols.
        ModelError: definitions that go round in a circle.
        UnsupportedError: a construct the engine refuses, with its id.
    """
    document = libsbml.readSBMLFromString(document_text)
    _refuse_inconsistent(document, where)
    model = document.getModel()
    if model is None:
        raise InputError("The document holds no model.", where=where)
    _refuse_unsupported(document, model, where)
    return _Reading(model, where).network(document_text)


def _refuse_inconsistent(document: Any, where: str) -> None:
    for category in (
        libsbml.LIBSBML_CAT_UNITS_CONSISTENCY,
        libsbml.LIBSBML_CAT_MODELING_PRACTICE,
        libsbml.LIBSBML_CAT_SBO_CONSISTENCY,
    ):
        document.setConsistencyChecks(category, False)
    document.checkConsistency()
    errors = [
        document.getError(i)
        for i in range(document.getNumErrors())
        if document.getError(i).getSeverity() >= libsbml.LIBSBML_SEV_ERROR
    ]
    if errors:
        said = "; ".join(
            f"line {error.getLine()}: {' '.join(error.getMessage().split())}" for error in errors[:_LARGEST_REPORT]
        )
        raise InputError(f"The SBML document is not consistent: {said}", where=where)


def _items(listing: Any) -> Iterator[Any]:
    return (listing.get(i) for i in range(listing.size()))


def _refuse_unsupported(document: Any, model: Any, where: str) -> None:
    def refuse(what: str, name: str) -> None:
        raise UnsupportedError(f"{what} are not supported: '{name}'.", where=where)

    for i in range(document.getNumPlugins()):
        prefix = document.getPlugin(i).getPrefix()
        if prefix not in _HARMLESS and document.getPackageRequired(prefix):
            refuse("SBML packages that change the mathematics", prefix)
    for rule in _items(model.getListOfRules()):
        if rule.isAlgebraic():
            refuse("Algebraic rules", rule.getIdAttribute() or libsbml.formulaToL3String(rule.getMath()))
    for event in _items(model.getListOfEvents()):
        refuse("Events inside a model (doses belong to the schedule)", event.getIdAttribute() or "unnamed")
    for reaction in _items(model.getListOfReactions()):
        if reaction.isSetFast() and reaction.getFast():
            refuse("Fast reactions", reaction.getId())
        for reference in (*_items(reaction.getListOfReactants()), *_items(reaction.getListOfProducts())):
            if reference.isSetStoichiometryMath():
                refuse("Computed stoichiometries", reaction.getId())
    for species in _items(model.getListOfSpecies()):
        if species.isSetConversionFactor():
            refuse("Conversion factors", species.getId())
    if model.isSetConversionFactor():
        refuse("Conversion factors", model.getConversionFactor())
    _refuse_other_time(model, where)


def _refuse_other_time(model: Any, where: str) -> None:
    name = model.getTimeUnits() if model.isSetTimeUnits() else ""
    definition = model.getUnitDefinition(name or "time")
    if definition is not None and definition.getNumUnits() == 1:
        unit = definition.getUnit(0)
        seconds = unit.getMultiplier() * 10.0 ** unit.getScale() if unit.isSecond() else math.nan
        if not math.isclose(seconds, 3600.0, rel_tol=1e-12):
            raise UnsupportedError(
                f"The model counts time in '{name or 'time'}', not in hours.",
                where=where,
                hint="Rewrite its rates per hour and declare the time unit as 3600 seconds.",
            )
    elif name == "second":
        raise UnsupportedError("The model counts time in seconds, not in hours.", where=where)


@dataclass
class _Reading:
    """What has been gathered from one model so far."""

    model: Any
    where: str
    values: dict[str, float] = field(default_factory=dict)
    initial: dict[str, Expression] = field(default_factory=dict)
    rates: dict[str, Expression] = field(default_factory=dict)
    assignments: dict[str, Expression] = field(default_factory=dict)
    units: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        functions = {}
        for definition in _items(self.model.getListOfFunctionDefinitions()):
            names = [definition.getArgument(i).getName() for i in range(definition.getNumArguments())]
            functions[definition.getId()] = (names, definition.getBody())
        self.reader = FormulaReader(functions)

    def network(self, text: str) -> Network:
        """The network of the model."""
        self._constants()
        self._rules()
        self._reactions()
        self._initial_assignments()
        self._check_symbols()
        states = tuple(self.rates)
        for name in states:
            self.initial.setdefault(name, sp.Float(self.values[name]))
            self.values.pop(name, None)
            if self.initial[name] is sp.nan:
                raise InputError(f"The state '{name}' has no starting value.", where=self.where)
        for name, start in list(self.initial.items()):
            if name not in self.rates and start.is_number:
                self.values[name] = float(self.initial.pop(name))
        for name in (*self.assignments, *self.initial):
            self.values.pop(name, None)
        formulas = {**self.assignments, **self.initial}
        ordered(formulas, kind="starting values", where=self.where)
        return Network(
            name=self.model.getId() or "model",
            states=states,
            parameters=tuple(self.values),
            initial=self.initial,
            rates=self.rates,
            assignments=ordered(self.assignments, kind="assignment rules", where=self.where),
            values=self.values,
            units=self.units,
            sbml=text,
        )

    def _constants(self) -> None:
        for compartment in _items(self.model.getListOfCompartments()):
            self._declare(compartment, compartment.getSize() if compartment.isSetSize() else math.nan)
        for parameter in _items(self.model.getListOfParameters()):
            self._declare(parameter, parameter.getValue() if parameter.isSetValue() else math.nan)
        for species in _items(self.model.getListOfSpecies()):
            self._declare(species, math.nan)
            self._species_start(species)

    def _declare(self, element: Any, value: float) -> None:
        name = element.getId()
        if name == TIME:
            raise InputError("The name 'time' is taken: it is the time in hours.", where=self.where)
        self.values[name] = float(value)
        self.units[name] = element.getUnits() if element.isSetUnits() else ""

    def _species_start(self, species: Any) -> None:
        name, compartment = species.getId(), sp.Symbol(species.getCompartment())
        self.units[name] = species.getSubstanceUnits() if species.isSetSubstanceUnits() else ""
        as_amount = species.getHasOnlySubstanceUnits()
        if species.isSetInitialAmount():
            amount = sp.Float(species.getInitialAmount())
            self.initial[name] = amount if as_amount else amount / compartment
        elif species.isSetInitialConcentration():
            concentration = sp.Float(species.getInitialConcentration())
            self.initial[name] = concentration * compartment if as_amount else concentration

    def _rules(self) -> None:
        for rule in _items(self.model.getListOfRules()):
            name = rule.getVariable()
            place = f"{self.where}, {'rate' if rule.isRate() else 'formula'} of {name}"
            expression = self.reader.read(rule.getMath(), place)
            if rule.isRate():
                self.rates[name] = expression
            else:
                self.assignments[name] = expression
                self.initial.pop(name, None)

    def _reactions(self) -> None:
        species = {item.getId(): item for item in _items(self.model.getListOfSpecies())}
        flows: dict[str, list[Expression]] = {name: [] for name in species}
        for reaction in _items(self.model.getListOfReactions()):
            rate = sp.Symbol(reaction.getId())
            self.assignments[reaction.getId()] = self._kinetic_law(reaction)
            for sign, listing in ((-1, reaction.getListOfReactants()), (1, reaction.getListOfProducts())):
                for reference in _items(listing):
                    flows[reference.getSpecies()].append(sign * self._stoichiometry(reference, reaction) * rate)
        for name, item in species.items():
            if item.getConstant() or item.getBoundaryCondition() or name in self.rates or name in self.assignments:
                continue
            total = sp.Add(*flows[name])
            if not item.getHasOnlySubstanceUnits():
                self._require_steady_volume(item)
                total = total / sp.Symbol(item.getCompartment())
            if flows[name]:
                self.rates[name] = total

    def _require_steady_volume(self, species: Any) -> None:
        compartment = species.getCompartment()
        if compartment in self.rates or compartment in self.assignments:
            raise UnsupportedError(
                f"Concentrations in a compartment that changes its volume are not supported: "
                f"'{species.getId()}' in '{compartment}'.",
                where=self.where,
            )

    def _stoichiometry(self, reference: Any, reaction: Any) -> Expression:
        name = reference.getIdAttribute()
        changed = name and (self.model.getInitialAssignment(name) or self.model.getRule(name))
        unsaid = not reference.isSetStoichiometry()
        if changed or (unsaid and self.model.getLevel() > 2):
            raise UnsupportedError(
                f"Computed stoichiometries are not supported: '{reaction.getId()}'.", where=self.where
            )
        if name:
            self.values[name] = float(reference.getStoichiometry())
        value = 1.0 if unsaid else reference.getStoichiometry()  # one by default up to Level 2
        return sp.Integer(int(value)) if value.is_integer() else sp.Float(value)

    def _kinetic_law(self, reaction: Any) -> Expression:
        name, law = reaction.getId(), reaction.getKineticLaw()
        if law is None:
            raise InputError(f"The reaction '{name}' has no kinetic law.", where=self.where)
        local: dict[str, Expression] = {}
        for parameter in (*_items(law.getListOfLocalParameters()), *_items(law.getListOfParameters())):
            full = f"{name}_{parameter.getId()}"
            if full in self.values:
                raise InputError(f"The local parameter '{full}' clashes with another symbol.", where=self.where)
            self.values[full] = float(parameter.getValue()) if parameter.isSetValue() else math.nan
            self.units[full] = parameter.getUnits() if parameter.isSetUnits() else ""
            local[parameter.getId()] = sp.Symbol(full)
        return self.reader.read(law.getMath(), f"{self.where}, reaction {name}", local)

    def _initial_assignments(self) -> None:
        for assignment in _items(self.model.getListOfInitialAssignments()):
            name = assignment.getSymbol()
            expression = self.reader.read(assignment.getMath(), f"{self.where}, starting value of {name}")
            if name not in self.rates and expression.is_number:
                self.values[name] = float(expression)
                self.initial.pop(name, None)
            else:
                self.initial[name] = expression

    def _check_symbols(self) -> None:
        known = {*self.values, *self.assignments, *self.rates, TIME}
        for table, what in (
            (self.rates, "rate"),
            (self.assignments, "formula"),
            (self.initial, "starting value"),
        ):
            for name, expression in table.items():
                for symbol in sorted(str(item) for item in expression.free_symbols):
                    if symbol not in known:
                        near = nearest(symbol, known)
                        raise InputError(
                            f"The {what} of '{name}' uses the undefined symbol '{symbol}'.",
                            where=self.where,
                            hint=f"Nearest: {', '.join(near)}." if near else None,
                        )


@cache
def strict_unit_errors(document_text: str) -> tuple[str, ...]:
    """What libSBML's strict check of units and consistency finds wrong in a document; empty when all is well.

    Each message opens with the line in the document.
    """
    document = libsbml.readSBMLFromString(document_text)
    document.checkConsistencyWithStrictUnits()
    return tuple(
        f"line {document.getError(i).getLine()}: {' '.join(document.getError(i).getMessage().split())}"
        for i in range(document.getNumErrors())
        if document.getError(i).getSeverity() >= libsbml.LIBSBML_SEV_ERROR
    )
