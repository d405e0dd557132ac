"""The part of a network that a piece of work needs: the same numbers from fewer equations.

A course of infusions leaves the states of every other route at zero, and a question about mood needs no bladder.
Two things are taken out, both exactly: states that start at zero and that nothing fills (found by assuming as many
as possible are zero and dropping from the assumption whatever would change), and states on which no wanted output
depends. Parameters that are zero for everybody help to find them. People's parameter rows keep their shape.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rekindle.engine.kept_model import kept
from rekindle.engine.lower import Lowered, lower
from rekindle.engine.network import Network
from rekindle.engine.schedule import BASE, INPUT, JUMP, LOAD, RATE, Segments

Floats = NDArray[np.float64]
Expression = Any  # a sympy expression; sympy carries no types


@dataclass(frozen=True)
class Part:
    """A smaller network: `place[i]` is the position in it of state i of the whole, or -1 where it was left out."""

    lowered: Lowered
    place: NDArray[np.int64]

    @property
    def kept(self) -> NDArray[np.int64]:
        """Positions in the whole network of the states kept, in their order in the part."""
        return np.argsort(np.where(self.place < 0, len(self.place), self.place))[: int((self.place >= 0).sum())]

    def segments(self, whole: Sequence[Segments]) -> tuple[Segments, ...]:
        """The segments of the whole network for the part; what acts on a state left out is dropped."""
        known: dict[tuple[int, int, int], tuple[Segments, NDArray[np.bool_]]] = {}
        found = []
        for each in whole:
            # Schedules compiled together share all but their values, so what to drop is worked out once.
            key = (id(each.kind), id(each.position), id(each.first))
            if key not in known:
                known[key] = self._thinned(each)
            thin, stays = known[key]
            found.append(replace(thin, value=each.value[stays]))
        return tuple(found)

    def _thinned(self, whole: Segments) -> tuple[Segments, NDArray[np.bool_]]:
        on_state = np.isin(whole.kind, (JUMP, LOAD, RATE))
        position = whole.position.copy()
        position[on_state] = self.place[position[on_state]]
        stays = ~on_state | (position >= 0)
        before = np.concatenate([[0], np.cumsum(stays)])
        thin = replace(
            whole, first=before[whole.first].astype(np.int64), kind=whole.kind[stays], position=position[stays]
        )
        return thin, stays


_MADE: dict[tuple[str, frozenset[str], frozenset[str], frozenset[str], frozenset[str]], Part] = {}


def part_of(
    lowered: Lowered,
    outputs: Iterable[str],
    *,
    zero: Collection[str],
    touched: Collection[str],
    positive: Collection[str] = (),
) -> Part:
    """The part of a network that these outputs need.

    `zero` names parameters that are zero for everybody all the time, `touched` the states and parameters that
    schedules act on, `positive` parameters above zero for everybody (zero to such a power is zero). Made once for
    the same names.
    """
    untouched = frozenset(zero) - frozenset(touched)
    key = (lowered.network.digest, frozenset(outputs), untouched, frozenset(touched), frozenset(positive))
    if key not in _MADE:
        _MADE[key] = _part(lowered, key[1], untouched, key[3], key[4])
    return _with_values_of(lowered.network, _MADE[key])


def _with_values_of(network: Network, part: Part) -> Part:
    """The part with the values of this network: it may have been made for one with the same equations."""
    made = part.lowered.network
    if made.values is network.values or made.values == network.values:
        return part
    own = replace(made, values=network.values)
    own.__dict__.update({"digest": made.digest, "derived": made.derived})  # of the equations, which are the same
    return replace(part, lowered=replace(part.lowered, network=own))


def task_part(lowered: Lowered, rows: Floats, segments: Sequence[Segments], outputs: Iterable[str]) -> Part | None:
    """The part that serves these people and schedules, or None where a steady state needs the whole network.

    `rows` has shape (people, parameters). Which parameters are zero is read off the rows, so that two groups of
    people may be given two different parts: their numbers agree to the solver's tolerance only.
    """
    if any(each.steady for each in segments):
        return None
    kinds = np.concatenate([each.kind for each in segments])
    positions = np.concatenate([each.position for each in segments])
    states = {lowered.states[i] for i in np.unique(positions[np.isin(kinds, (JUMP, LOAD, RATE))])}
    inputs = {lowered.parameters[i] for i in np.unique(positions[np.isin(kinds, (BASE, INPUT))])}
    names = np.array(lowered.parameters)
    zero = set(names[(rows == 0.0).all(axis=0)].tolist())
    positive = set(names[(rows > 0.0).all(axis=0)].tolist()) - inputs
    return part_of(lowered, outputs, zero=zero, touched=states | inputs, positive=positive)


def _part(
    lowered: Lowered,
    outputs: frozenset[str],
    zero: frozenset[str],
    touched: frozenset[str],
    positive: frozenset[str],
) -> Part:
    """The part, taken from the disk where it was made before: what these names leave of these equations."""
    names = (outputs, zero, touched, positive)
    text = "\n".join(("part", lowered.network.digest, *(" ".join(sorted(each)) for each in names)))
    made = kept(text, lambda: lower(_smaller(lowered.network, *names)))
    return Part(made, np.array([made.state_index.get(name, -1) for name in lowered.states], dtype=np.int64))


def _smaller(
    network: Network,
    outputs: frozenset[str],
    zero: frozenset[str],
    touched: frozenset[str],
    positive: frozenset[str],
) -> Network:
    import sympy as sp

    nothing = {sp.Symbol(name): sp.Integer(0) for name in zero}
    initial = {name: _folded(network.initial[name], nothing, positive) for name in network.states}
    empty = {name for name in network.states if initial[name].is_zero and name not in touched}
    while True:
        values = nothing | {sp.Symbol(name): sp.Integer(0) for name in empty}
        assignments = _assignments(network, values, positive)
        rates = {name: _folded(network.rates[name], values, positive) for name in network.states}
        filled = {name for name in empty if not rates[name].is_zero}
        if not filled:
            break
        empty -= filled
    formulas = assignments | {name: rates[name] for name in network.states if name not in empty}
    needed = _needed(formulas, outputs)
    kept = tuple(name for name in network.states if name in needed and name not in empty)
    shown = {name: sp.Integer(0) for name in network.states if name in empty and name in outputs}
    if not kept:  # outputs that no state moves still need one equation to be a network at all; it stands still
        kept = network.states[:1]
        rates[kept[0]] = sp.Integer(0)
    shown = {name: value for name, value in shown.items() if name not in kept}
    return replace(
        network,
        states=kept,
        initial={name: network.initial[name] for name in (*kept, *network.derived)},
        rates={name: rates[name] for name in kept},
        assignments=shown | {name: value for name, value in assignments.items() if name in needed},
        sbml="",
    )


def _assignments(
    network: Network, values: dict[Expression, Expression], positive: frozenset[str]
) -> dict[str, Expression]:
    """The formulas with what is known put in; those that turn out to be numbers are put into the later ones."""
    import sympy as sp

    found = {}
    for name, formula in network.assignments.items():
        found[name] = _folded(formula, values, positive)
        if found[name].is_number:
            values[sp.Symbol(name)] = found[name]
    return found


def _folded(formula: Expression, values: Mapping[Expression, Expression], positive: frozenset[str]) -> Expression:
    """A formula with values put in, and zero to a positive power made zero."""
    import sympy as sp

    put = formula.xreplace(values)
    if not put.has(sp.Pow):
        return put
    return put.replace(
        lambda term: term.is_Pow and bool(term.base.is_zero) and term.exp.is_Symbol and str(term.exp) in positive,
        lambda term: sp.Integer(0),
    )


def _needed(formulas: Mapping[str, Expression], outputs: Iterable[str]) -> set[str]:
    """The outputs and everything that they depend on."""
    needed: set[str] = set()
    waiting = list(outputs)
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed.add(name)
            if name in formulas:
                waiting.extend(str(symbol) for symbol in formulas[name].free_symbols)
    return needed
