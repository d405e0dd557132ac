"""How a model's compartments take the doses of an event table: bioavailability, lag, modelled rate and duration.

NONMEM keeps these outside the equations, as Fn, ALAGn, Rn and Dn of compartment n. Here they are parameters, or
formulas of parameters, of the model under the same names, or with the state's name: F_depot. One that the model's
formulas use themselves would be applied twice and is refused.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from rekindle.dosing.event import MODELLED_DURATION, MODELLED_RATE
from rekindle.dosing.event_table import EventTable
from rekindle.dosing.expansion import Intake
from rekindle.engine.network import Network
from rekindle.errors import InputError, UnsupportedError

STEMS: Mapping[str, str] = {"bioavailability": "F", "lag_h": "ALAG", "rate": "R", "duration_h": "D"}
"""NONMEM's names for how compartment n takes a dose: Fn, ALAGn, Rn, Dn."""


def needed(network: Network, name: str) -> frozenset[str]:
    """All names that the value of a name rests on, itself included."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        at = waiting.pop()
        if at in found:
            continue
        found.add(at)
        formula = network.assignments.get(at)
        if formula is None and at in network.derived:
            formula = network.initial[at]
        if formula is not None:
            waiting.extend(str(symbol) for symbol in formula.free_symbols)
    return frozenset(found)


def intakes_of(
    table: EventTable,
    person: str,
    network: Network,
    targets: Mapping[str, str],
    said: Mapping[str, Intake],
    *,
    values: Mapping[str, float],
    changing: Collection[str],
) -> Iterator[tuple[str, Intake]]:
    """How each compartment of a person's doses takes them: as `said`, or as the model's own names say.

    `targets` gives the state or input of each compartment, `values` all parameters of this person; what is in
    `changing` changes in time. A modelled rate or duration is asked for only where the table leaves it to the
    model.

    Raises:
        InputError: two names for one thing, or a name that the model's formulas use themselves.
        UnsupportedError: a value that changes in time.
    """
    rows = table.of(person)
    cells = dict.fromkeys(row.compartment for row in rows if row.is_dose and row.compartment)
    for cell in cells:
        if cell in said:
            yield cell, said[cell]
            continue
        rates = {row.rate for row in rows if row.is_dose and row.compartment == cell}
        parts: dict[str, float] = {}
        for part, stem in STEMS.items():
            asked = {"rate": MODELLED_RATE in rates, "duration_h": MODELLED_DURATION in rates}.get(part, True)
            name = _name(network, targets[cell], table.label(cell), cell, stem) if asked else None
            if name is not None:
                parts[part] = _settled(network, name, values, changing)
        yield cell, Intake(**parts)


def _name(network: Network, target: str, label: str, cell: str, stem: str) -> str | None:
    """The model's name for a part of an intake, if it has one and does not use it itself."""
    number = label if label.isdigit() else ""
    if not number and target in network.states:
        number = str(network.states.index(target) + 1)
    known = {*network.parameters, *network.derived, *network.assignments}
    names = [name for name in (f"{stem}{number}", f"{stem}_{target}") if number and name in known]
    if not names:
        return None
    hint = f"Say how compartment {cell} takes its doses: intakes={{{cell!r}: Intake(...)}}."
    if len(names) > 1:
        raise InputError(f"Both '{names[0]}' and '{names[1]}' could be meant for compartment {cell}.", hint=hint)
    formulas = [*network.rates.values(), *network.assignments.values(), *network.initial.values()]
    if any(names[0] in {str(symbol) for symbol in formula.free_symbols} for formula in formulas):
        raise InputError(
            f"The model's own formulas use '{names[0]}', and doses into compartment {cell} would use it again.",
            where=f"model '{network.name}'",
            hint=hint,
        )
    return names[0]


def _settled(network: Network, name: str, values: Mapping[str, float], changing: Collection[str]) -> float:
    """The value of a parameter or of a formula of parameters.

    Raises:
        UnsupportedError: it rests on a state, on time, or on a covariate that changes.
    """
    import sympy as sp

    inner = needed(network, name)
    for cause in sorted(inner):
        if cause in changing or cause in network.states or cause == "time":
            raise UnsupportedError(
                f"'{name}' changes in time with '{cause}'; a dose needs a value that holds.",
                where=f"model '{network.name}'",
            )
    formulas = {**{key: network.initial[key] for key in network.derived}, **network.assignments}
    expression: sp.Expr = formulas.get(name, sp.Symbol(name))
    while expression.free_symbols & {sp.Symbol(each) for each in inner & formulas.keys()}:
        expression = expression.subs({each: formulas[str(each)] for each in expression.free_symbols
                                      if str(each) in formulas})  # fmt: skip
    return float(expression.subs({each: values[str(each)] for each in expression.free_symbols}))
