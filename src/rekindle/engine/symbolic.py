"""From sympy's formulas to the graph of elementary operations.

Products and sums are regrouped so that numbers come first, then parameters, then states: `CL * A / V` becomes
`(CL / V) * A`, whose first factor is worked out once a person.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import sympy as sp
from sympy.core.relational import Relational

from rekindle.engine.graph import STATE, Graph
from rekindle.errors import UnsupportedError

Expression = Any

_FUNCTIONS = {
    sp.exp: "exp",
    sp.log: "log",
    sp.tanh: "tanh",
    sp.sin: "sin",
    sp.cos: "cos",
    sp.tan: "tan",
    sp.atan: "atan",
    sp.Abs: "abs",
    sp.floor: "floor",
    sp.ceiling: "ceil",
}


class Converter:
    """Adds sympy expressions to a graph; `names` says which node each symbol stands for."""

    def __init__(self, graph: Graph, names: Mapping[str, int]) -> None:
        self.graph = graph
        self.names = dict(names)
        self._done: dict[Expression, int] = {}

    def define(self, name: str, expression: Expression) -> int:
        """Add a formula and let later ones use it by name; returns its node."""
        self.names[name] = self.convert(expression)
        return self.names[name]

    def convert(self, expression: Expression) -> int:
        """The node of an expression.

        Raises:
            UnsupportedError: a function that the engine does not know.
        """
        found = self._done.get(expression)
        if found is None:
            found = self._done[expression] = self._convert(expression)
        return found

    def _convert(self, expression: Expression) -> int:
        graph = self.graph
        if expression.is_Symbol:
            return self.names[str(expression)]
        if expression.is_number and not expression.is_Boolean:
            return graph.constant(float(expression))
        if expression.is_Add:
            return self._sum(expression)
        if expression.is_Mul:
            return self._product(expression)
        if expression.is_Pow:
            return self._power(expression)
        if expression.func in _FUNCTIONS:
            return graph.unary(_FUNCTIONS[expression.func], self.convert(expression.args[0]))
        if isinstance(expression, (sp.Max, sp.Min)):
            operation = "maximum" if isinstance(expression, sp.Max) else "minimum"
            total, *others = (self.convert(argument) for argument in expression.args)
            for other in others:
                total = graph.extreme(operation, total, other)
            return total
        if isinstance(expression, sp.Piecewise):
            return self._piecewise(expression)
        if isinstance(expression, (Relational, sp.And, sp.Or, sp.Not)):
            return self._condition(expression)
        raise UnsupportedError(f"The function '{expression.func.__name__}' is not supported.")

    def _power(self, expression: Expression) -> int:
        base, exponent = expression.as_base_exp()
        if exponent.as_coeff_Mul()[0].is_negative:
            return self.graph.inverse(self.graph.power(self.convert(base), self.convert(-exponent)))
        return self.graph.power(self.convert(base), self.convert(exponent))

    def _sum(self, expression: Expression) -> int:
        """Parameters' part first; terms with a minus are subtracted."""
        graph = self.graph
        parts: list[tuple[int, bool]] = []
        for argument in expression.args:
            negative = bool(argument.as_coeff_Mul()[0].is_negative)
            parts.append((self.convert(-argument if negative else argument), negative))
        total = graph.constant(0.0)
        for settled in (True, False):
            for node, negative in parts:
                if (graph.level[node] < STATE) == settled:
                    total = graph.subtract(total, node) if negative else graph.add(total, node)
        return total

    def _product(self, expression: Expression) -> int:
        graph = self.graph
        groups = {True: graph.constant(1.0), False: graph.constant(1.0)}
        below = {True: graph.constant(1.0), False: graph.constant(1.0)}
        for argument in expression.args:
            base, exponent = argument.as_base_exp()
            under = bool(exponent.as_coeff_Mul()[0].is_negative) and not argument.is_number
            node = self.convert(base**-exponent if under else argument)
            settled = graph.level[node] < STATE
            side = below if under else groups
            side[settled] = graph.multiply(side[settled], node)
        coefficient = graph.multiply(groups[True], graph.inverse(below[True]))
        varying = graph.multiply(groups[False], graph.inverse(below[False]))
        return graph.multiply(coefficient, varying)

    def _piecewise(self, expression: Expression) -> int:
        *pieces, (last, _) = expression.args
        total = self.convert(last)
        for value, condition in reversed(pieces):
            if condition == sp.true:
                total = self.convert(value)
            elif condition != sp.false:
                total = self.graph.select(self.convert(condition), self.convert(value), total)
        return total

    def _condition(self, expression: Expression) -> int:
        graph = self.graph
        if expression == sp.true or expression == sp.false:
            raise UnsupportedError("A condition that is always true or false inside another is not supported.")
        if isinstance(expression, sp.Not):
            return graph.condition("not", self.convert(expression.args[0]))
        if isinstance(expression, (sp.And, sp.Or)):
            operation = "and" if isinstance(expression, sp.And) else "or"
            total, *others = (self.convert(argument) for argument in expression.args)
            for other in others:
                total = graph.condition(operation, total, other)
            return total
        left, right = (self.convert(argument) for argument in expression.args)
        if isinstance(expression, (sp.StrictGreaterThan, sp.GreaterThan)):
            left, right = right, left
        if isinstance(expression, (sp.StrictLessThan, sp.StrictGreaterThan)):
            return graph.condition("less", left, right)
        if isinstance(expression, (sp.LessThan, sp.GreaterThan)):
            return graph.condition("less_equal", left, right)
        equal = graph.condition("equal", left, right)
        return graph.condition("not", equal) if isinstance(expression, sp.Ne) else equal
