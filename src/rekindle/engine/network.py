"""A model as equations: its states, the rates at which they change, and the formulas that go with them.

A `Network` is what a model text means once it is read, whether it was written in Antimony or SBML: ordinary
differential equations over named states, explicit formulas (assignments), and parameters with values and
units. Time is counted in hours. It knows no drug.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from typing import Any

from rekindle.errors import InputError, ModelError, nearest, unknown
from rekindle.provenance import digest

Expression = Any  # a sympy expression; sympy carries no types


@dataclass(frozen=True)
class Network:
    """Differential equations with named states, parameters and assignments; time in hours.

    `initial` gives the starting value of every state, and of every parameter whose value is a formula, as
    sympy expressions of parameters. `assignments` stand in an order in which each needs only earlier ones.
    `values` holds the free parameters' values (NaN where the text gives none). `sbml` is the document itself.
    """

    name: str
    states: tuple[str, ...]
    parameters: tuple[str, ...]
    initial: Mapping[str, Expression]
    rates: Mapping[str, Expression]
    assignments: Mapping[str, Expression]
    values: Mapping[str, float]
    units: Mapping[str, str] = field(default_factory=dict)
    sbml: str = ""

    @cached_property
    def derived(self) -> tuple[str, ...]:
        """Parameters whose value is a formula worked out once, at the start."""
        states = set(self.states)
        return tuple(name for name in self.initial if name not in states)

    @cached_property
    def missing(self) -> tuple[str, ...]:
        """Free parameters that have no value yet."""
        return tuple(name for name in self.parameters if math.isnan(self.values[name]))

    @cached_property
    def digest(self) -> str:
        """Short digest of the equations (not of the parameters' values)."""
        parts = [f"{kind}|{name}|{expression}" for kind, name, expression in self._definitions()]
        return digest(*parts, "states", *self.states, "parameters", *self.parameters)

    def _definitions(self) -> Iterable[tuple[str, str, Expression]]:
        for kind, table in (
            ("initial", self.initial),
            ("rate", self.rates),
            ("assignment", self.assignments),
        ):
            for name, expression in table.items():
                yield kind, name, expression

    @property
    def outputs(self) -> tuple[str, ...]:
        """Every name whose course can be asked for: states, assignments, parameters."""
        return (*self.states, *self.assignments, *self.parameters, *self.derived)

    def require(self, names: Iterable[str], *, kind: str = "output") -> None:
        """Refuse names that the network does not have.

        Raises:
            InputError: an unknown name, with the nearest known ones.
        """
        known = set(self.outputs)
        for name in names:
            if name not in known:
                raise unknown(kind, name, known, where=f"model '{self.name}'")

    def require_values(self) -> None:
        """Refuse a network in which a symbol has no value, which is what a misspelt name looks like.

        Raises:
            InputError: the symbols without a value, with near names.
        """
        if not self.missing:
            return
        known = [name for name in self.outputs if name not in self.missing]
        shown = []
        for name in self.missing[:8]:
            near = nearest(name, known, count=1)
            shown.append(f"'{name}'" + (f" (did you mean '{near[0]}'?)" if near else ""))
        rest = f" and {len(self.missing) - 8} more" if len(self.missing) > 8 else ""
        raise InputError(
            f"{len(self.missing)} symbol(s) are used but never given a value: {', '.join(shown)}{rest}.",
            where=f"model '{self.name}'",
            hint="Define each in the model or in the parameter table.",
        )

    def with_values(self, values: Mapping[str, float], where: str | None = None) -> Network:
        """The same network with these parameters, or states' plain starting values, set.

        Raises:
            InputError: an unknown name, a value that is not finite, or a name whose value is a formula.
        """
        import sympy as sp

        settable = {*self.parameters, *self.states, *self.derived}
        new_values, new_initial = dict(self.values), dict(self.initial)
        for name, value in values.items():
            if name in self.assignments:
                raise InputError(f"'{name}' is a formula of the model and cannot be given a value.", where=where)
            if name not in settable:
                raise unknown("parameter", name, settable, where=where)
            if not math.isfinite(value):
                raise InputError(f"The value of '{name}' is not a finite number.", where=where)
            if name in new_values:
                new_values[name] = float(value)
            elif new_initial[name].is_number:
                new_initial[name] = sp.Float(value)
            else:
                raise InputError(
                    f"'{name}' starts at the formula '{new_initial[name]}' and cannot be given a value.",
                    where=where,
                    hint="Set the parameters of that formula.",
                )
        return replace(self, values=new_values, initial=new_initial)


def ordered(definitions: Mapping[str, Expression], *, kind: str, where: str) -> dict[str, Expression]:
    """The definitions in an order in which each needs only earlier ones.

    Raises:
        ModelError: definitions that go round in a circle, with the circle named.
    """
    needs = {
        name: sorted({str(symbol) for symbol in expression.free_symbols} & definitions.keys())
        for name, expression in definitions.items()
    }
    try:
        order = tuple(TopologicalSorter(needs).static_order())
    except CycleError as error:
        circle = " -> ".join(reversed(error.args[1]))
        raise ModelError(f"The {kind} go round in a circle: {circle}.", where=where) from error
    return {name: definitions[name] for name in order}
