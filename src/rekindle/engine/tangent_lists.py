"""Derivatives of a network's statement lists, as statement lists themselves.

The lists of `rekindle.engine.lower` are traced again into a graph in which states, prepared expressions and
parameters are all variables; the chain rule of `rekindle.engine.graph` then gives every entry that is not
zero. Five lists result, each with the places of its entries:

`slopes`   derivatives of the rates to the states (the Jacobian's pattern), then to the prepared expressions;
`bends`    derivatives of the Jacobian's entries to the states, then to the prepared expressions;
`prepare`  derivatives of the prepared expressions to the parameters;
`initial`  derivatives of the starting values and derived parameters to the free parameters;
`observe`  derivatives of outputs to states, prepared expressions and parameters.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from rekindle.engine.graph import Graph
from rekindle.engine.lower import Lowered, Program

_EXTREMES = ("minimum", "maximum")
_CONDITIONS = ("less", "less_equal", "equal", "and", "or", "not")

Places = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Entries:
    """A statement list whose results are the non-zero entries of a matrix, and the (row, column) of each."""

    program: Program
    places: Places


@dataclass(frozen=True)
class TangentLists:
    """Every derivative that the tangents of a network need when chosen parameters move.

    `moving` are positions in the full parameter row, `moved` those of the prepared expressions that depend on them;
    columns that speak of prepared expressions count the moved ones only. `slopes` holds the Jacobian's entries in the
    order of the network's `pattern` and then those of `by_moved`: (state, moved). `bends` holds entries of
    `bent_by_state`: (entry of the pattern, state), then of `bent_by_moved`: (entry of the pattern, moved). The rows of
    `prepare` are the moved, its columns the moving; the rows of `initial` are states, then derived parameters, its
    columns positions in the free row.
    """

    moving: tuple[int, ...]
    moved: tuple[int, ...]
    slopes: Program
    by_moved: Places
    bends: Program
    bent_by_state: Places
    bent_by_moved: Places
    prepare: Entries
    initial: Entries


class _Guarded(Graph):
    """A graph whose powers have a slope of nought where the base is nought and the slope would be infinite.

    Such a slope is only ever multiplied by a change of that base, which is nought there.
    """

    def _slope(self, node: int, operation: str, arguments: tuple[int, ...]) -> int:
        slope = super()._slope(node, operation, arguments)
        if operation != "power":
            return slope
        steep = self.condition("less", arguments[1], self.constant(1.0))
        return self.select(self.condition("and", self._is_nought(arguments[0]), steep), self.constant(0.0), slope)


class _Tracer:
    """A graph in which inputs of some statement lists are variables; columns count the inputs from nought.

    `still` are places of inputs that do not vary.
    """

    def __init__(self, sizes: Mapping[str, int], still: Collection[tuple[str, int]] = ()) -> None:
        self.graph = _Guarded()
        self.first: dict[str, int] = {}
        self.places: dict[int, tuple[str, int]] = {}
        column = 0
        for array, size in sizes.items():
            self.first[array] = column
            for position in range(size):
                name, place = f"{array}{position}", (array, position)
                node = self.graph.parameter(name) if place in still else self.graph.state(name, column)
                self.places[node] = place
                column += 1
        self._variables = {place: node for node, place in self.places.items()}

    def trace(self, program: Program) -> list[int]:
        """The nodes of a statement list's results."""
        graph = self.graph
        node_of = {node: graph.constant(value) for node, value in program.constants.items()}
        node_of |= {node: self._variables[place] for node, place in program.inputs.items()}
        for node, operation, arguments in program.statements:
            node_of[node] = self._operation(operation, [node_of[argument] for argument in arguments])
        return [node_of[node] for node in program.results]

    def _operation(self, operation: str, given: list[int]) -> int:
        graph = self.graph
        if operation in ("add", "subtract", "multiply", "negative", "inverse", "power", "select"):
            made: int = getattr(graph, operation)(*given)
            return made
        if operation in _EXTREMES:
            return graph.extreme(operation, *given)
        if operation in _CONDITIONS:
            return graph.condition(operation, *given)
        return graph.unary(operation, given[0])

    def slopes(self, results: Sequence[int]) -> tuple[list[int], list[tuple[int, int]]]:
        """The derivatives that are not zero, with the (result, column) of each, result by result."""
        nodes, places = [], []
        for row, result in enumerate(results):
            for column, node in sorted(self.graph.derivatives(result).items()):
                if self.graph.value(node) != 0.0:
                    nodes.append(node)
                    places.append((row, column))
        return nodes, places

    def program(self, results: Sequence[int]) -> Program:
        """A statement list that ends in these nodes."""
        graph = self.graph
        needed = graph.reachable(results)
        inputs = {node: self.places[node] for node in needed if node in self.places}
        constants = {node: graph.nodes[node].value for node in needed if graph.nodes[node].operation == "constant"}
        statements = tuple(
            (node, graph.nodes[node].operation, graph.nodes[node].arguments)
            for node in needed
            if node not in inputs and node not in constants
        )
        return Program(inputs, constants, statements, tuple(results))


def differentiated(program: Program, sizes: Mapping[str, int]) -> Entries:
    """The derivatives of a statement list to its input arrays, whose columns follow one another in this order."""
    tracer = _Tracer(sizes)
    nodes, places = tracer.slopes(tracer.trace(program))
    return Entries(tracer.program(nodes), tuple(places))


def observed(lowered: Lowered, outputs: Sequence[str]) -> Entries:
    """The derivatives of outputs; columns count states, then prepared expressions, then the full parameter row."""
    parameters = len(lowered.parameters) + len(lowered.derived)
    return differentiated(
        lowered.observe(outputs), {"y": len(lowered.states), "q": len(lowered.prepared), "p": parameters}
    )


_MADE: dict[tuple[str, tuple[int, ...]], TangentLists] = {}


def tangent_lists(lowered: Lowered, moving: tuple[int, ...]) -> TangentLists:
    """The derivatives that are needed when these parameters (positions in the full row) move; made once a process."""
    key = (lowered.network.digest, moving)
    if key not in _MADE:
        _MADE[key] = _tangent_lists(lowered, moving)
    return _MADE[key]


def _tangent_lists(lowered: Lowered, moving: tuple[int, ...]) -> TangentLists:
    states = len(lowered.states)
    prepare, moved = _prepare(lowered, moving)
    still = {("q", position) for position in range(len(lowered.prepared)) if position not in moved}
    tracer = _Tracer({"y": states, "q": len(lowered.prepared)}, still)
    jacobian, rates = tracer.trace(lowered.jacobian), tracer.trace(lowered.rates)
    _, (outside, by_moved) = _parted(*tracer.slopes(rates), states, moved)
    (by_state, bent_by_state), (by_other, bent_by_moved) = _parted(*tracer.slopes(jacobian), states, moved)
    return TangentLists(
        moving=moving,
        moved=moved,
        slopes=tracer.program([*jacobian, *outside]),
        by_moved=by_moved,
        bends=tracer.program([*by_state, *by_other]),
        bent_by_state=bent_by_state,
        bent_by_moved=bent_by_moved,
        prepare=prepare,
        initial=differentiated(lowered.initial, {"p": len(lowered.parameters)}),
    )


def _prepare(lowered: Lowered, moving: tuple[int, ...]) -> tuple[Entries, tuple[int, ...]]:
    """The derivatives of the prepared expressions to the moving parameters, and which expressions move."""
    full = range(len(lowered.parameters) + len(lowered.derived))
    tracer = _Tracer({"p": len(full)}, {("p", position) for position in full if position not in moving})
    nodes, places = tracer.slopes(tracer.trace(lowered.prepare))
    kept = [(node, row, column) for node, (row, column) in zip(nodes, places, strict=True)]
    moved = tuple(sorted({row for _, row, _ in kept}))
    program = tracer.program([node for node, _, _ in kept])
    return Entries(program, tuple((moved.index(row), moving.index(column)) for _, row, column in kept)), moved


Part = tuple[list[int], Places]


def _parted(
    nodes: Sequence[int], places: Sequence[tuple[int, int]], states: int, moved: tuple[int, ...]
) -> tuple[Part, Part]:
    """Entries whose column is a state, and those whose column is a moved expression."""
    slot = {states + position: number for number, position in enumerate(moved)}
    inside = [(node, place) for node, place in zip(nodes, places, strict=True) if place[1] < states]
    outside = [(node, (row, slot[column])) for node, (row, column) in zip(nodes, places, strict=True) if column in slot]
    return (
        ([node for node, _ in inside], tuple(place for _, place in inside)),
        ([node for node, _ in outside], tuple(place for _, place in outside)),
    )
