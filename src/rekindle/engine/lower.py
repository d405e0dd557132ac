"""A network lowered to plain statement lists: what a processor is to do, one elementary operation at a time.

Five programs over arrays: `prepare` (parameters to the expressions they settle), `rates`, `jacobian` (its
non-zero entries), `initial` (starting values) and one to observe any names. A model that uses time gets the
extra state `time`, whose rate is one, so that every program depends on states and parameters only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from rekindle.engine.elimination import Elimination, eliminate
from rekindle.engine.graph import CONSTANT, STATE, Graph, Node
from rekindle.engine.network import Expression, Network
from rekindle.errors import InputError, ModelError

TIME = "time"


@dataclass(frozen=True)
class Program:
    """A straight list of statements.

    `inputs` maps a node to (array, position); `statements` are (node, operation, arguments) in order;
    `results` are the nodes whose values come out, in order. Arrays: "y" states, "p" parameters, "q" prepared
    expressions.
    """

    inputs: Mapping[int, tuple[str, int]]
    constants: Mapping[int, float]
    statements: tuple[tuple[int, str, tuple[int, ...]], ...]
    results: tuple[int, ...]


@dataclass(frozen=True)
class Lowered:
    """A network as statement lists.

    `parameters` are the free ones, in the order of a person's parameter row; `derived` follow them in the
    full row.
    """

    network: Network
    states: tuple[str, ...]
    parameters: tuple[str, ...]
    derived: tuple[str, ...]
    assignments: tuple[str, ...]
    prepare: Program
    rates: Program
    jacobian: Program
    initial: Program
    pattern: tuple[tuple[int, int], ...]
    elimination: Elimination
    graph: Graph
    nodes: Mapping[str, int]
    prepared: tuple[int, ...]

    @cached_property
    def state_index(self) -> dict[str, int]:
        """Position of each state."""
        return {name: i for i, name in enumerate(self.states)}

    @cached_property
    def parameter_index(self) -> dict[str, int]:
        """Position of each parameter in the full row: free ones first, then those given by a formula."""
        return {name: i for i, name in enumerate((*self.parameters, *self.derived))}

    @property
    def time_state(self) -> int | None:
        """Position of the state that counts time, or None when the model does not use it."""
        return self.state_index.get(TIME)

    @property
    def defaults(self) -> NDArray[np.float64]:
        """The network's own parameter values, shape (parameters,)."""
        return np.array([self.network.values[name] for name in self.parameters], dtype=np.float64)

    def row(self, values: Mapping[str, float] | None = None) -> NDArray[np.float64]:
        """A parameter row, shape (parameters,): the network's own values with some replaced.

        Raises:
            InputError: an unknown name or a value that is not finite.
        """
        network = self.network.with_values(values or {})
        return np.array([network.values[name] for name in self.parameters], dtype=np.float64)

    def observe(self, names: Sequence[str]) -> Program:
        """The program from states, prepared expressions and parameters to these outputs.

        Raises:
            InputError: an unknown name, with the nearest known ones.
        """
        self.network.require([name for name in names if name not in self.states])
        results = [self.nodes[name] for name in names]
        return _program(self.graph, results, self._places(), stop=set(self.prepared))

    def _places(self) -> dict[int, tuple[str, int]]:
        places = {self.nodes[name]: ("p", i) for name, i in self.parameter_index.items()}
        places |= {node: ("q", i) for i, node in enumerate(self.prepared)}
        places |= {self.nodes[name]: ("y", i) for i, name in enumerate(self.states)}
        return places


def _program(
    graph: Graph, results: Sequence[int], places: Mapping[int, tuple[str, int]], stop: Iterable[int] = ()
) -> Program:
    needed = graph.reachable(results, stop=stop)
    inputs = {node: places[node] for node in needed if node in places}
    constants = {node: graph.nodes[node].value for node in needed if graph.nodes[node].operation == "constant"}
    statements = tuple(
        (node, graph.nodes[node].operation, graph.nodes[node].arguments)
        for node in needed
        if node not in inputs and node not in constants
    )
    return Program(inputs, constants, statements, tuple(results))


def lower(network: Network) -> Lowered:
    """Lower a network to statement lists.

    Raises:
        InputError: a symbol without a value, no states at all.
        ModelError: starting values that go round in a circle.
    """
    from rekindle.engine.symbolic import Converter

    network.require_values()
    states = _with_time(network)
    if not states:
        raise InputError("The model has no state that changes.", where=f"model '{network.name}'")
    graph = Graph()
    free, derived = network.parameters, network.derived
    nodes = {name: graph.parameter(name) for name in (*free, *derived)}
    nodes |= {name: graph.state(name, i) for i, name in enumerate(states)}
    converter = Converter(graph, nodes)
    for name, expression in network.assignments.items():
        converter.define(name, expression)
    rates = [
        converter.convert(network.rates[name]) if name in network.rates else graph.constant(1.0) for name in states
    ]
    pattern, slopes = [], []
    for row, rate in enumerate(rates):
        for column, slope in sorted(graph.derivatives(rate).items()):
            if graph.value(slope) != 0.0:
                pattern.append((row, column))
                slopes.append(slope)
    assignments = tuple(network.assignments)
    prepared = _boundary(graph, [*rates, *slopes], [converter.names[name] for name in assignments])
    places = {nodes[name]: ("p", i) for i, name in enumerate((*free, *derived))}
    inner = {node: ("q", i) for i, node in enumerate(prepared)} | {
        nodes[name]: ("y", i) for i, name in enumerate(states)
    }
    return Lowered(
        network=network,
        states=states,
        parameters=free,
        derived=derived,
        assignments=assignments,
        prepare=_program(graph, prepared, places),
        rates=_program(graph, rates, inner, stop=prepared),
        jacobian=_program(graph, slopes, inner, stop=prepared),
        initial=_initial_program(network, states),
        pattern=tuple(pattern),
        elimination=eliminate(len(states), pattern),
        graph=graph,
        nodes=converter.names,
        prepared=prepared,
    )


def _with_time(network: Network) -> tuple[str, ...]:
    expressions = (*network.rates.values(), *network.assignments.values())
    uses = any(str(symbol) == TIME for expression in expressions for symbol in expression.free_symbols)
    return (*network.states, TIME) if uses else network.states


def _boundary(graph: Graph, hot: Sequence[int], observed: Sequence[int]) -> tuple[int, ...]:
    """Nodes settled by the parameters and used by ones that are not; those the solver needs come first."""
    found: dict[int, None] = {}
    for results in (hot, observed):
        for node in graph.reachable(results):
            if graph.level[node] == STATE:
                found |= dict.fromkeys(a for a in graph.nodes[node].arguments if _settled(graph, a))
        found |= dict.fromkeys(node for node in results if _settled(graph, node))
    return tuple(found)


def _settled(graph: Graph, node: int) -> bool:
    return CONSTANT < graph.level[node] < STATE or (
        graph.level[node] == CONSTANT and graph.nodes[node].operation != "constant"
    )


def _initial_program(network: Network, states: tuple[str, ...]) -> Program:
    """From the free parameters to the starting values of all states and then of the derived parameters."""
    from rekindle.engine.symbolic import Converter

    graph = Graph()
    converter = Converter(graph, {name: graph.parameter(name) for name in network.parameters})
    formulas: dict[str, Expression] = {**network.assignments, **network.initial}
    places = {converter.names[name]: ("p", i) for i, name in enumerate(network.parameters)}
    converter.names[TIME] = graph.constant(0.0)
    wanted = [name for name in (*states, *network.derived) if name != TIME]
    for name in _needed_first(formulas, wanted, network.name):
        converter.define(name, formulas[name])
    return _program(graph, [converter.names[name] for name in (*states, *network.derived)], places)


def _needed_first(formulas: Mapping[str, Expression], wanted: Sequence[str], model: str) -> list[str]:
    order: list[str] = []
    done: set[str] = set()
    path: list[str] = []

    def visit(name: str) -> None:
        if name in done or name not in formulas:
            return
        if name in path:
            circle = " -> ".join([*path[path.index(name) :], name])
            raise ModelError(f"The starting values go round in a circle: {circle}.", where=f"model '{model}'")
        path.append(name)
        for symbol in sorted(str(item) for item in formulas[name].free_symbols):
            visit(symbol)
        path.pop()
        done.add(name)
        order.append(name)

    for name in wanted:
        visit(name)
    return order


__all__ = ["Elimination", "Lowered", "Node", "Program", "lower"]
