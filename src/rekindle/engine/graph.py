"""Formulas as one shared graph of elementary operations, and their derivatives.

Equal subexpressions are one node, however often they are written. Every node knows whether it depends on
nothing, on parameters only, or on the states, so that whatever a person's parameters settle is worked out
once. Derivatives follow the chain rule node by node (forward mode), which never expands a formula.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

CONSTANT, PARAMETER, STATE = 0, 1, 2

_UNARY: dict[str, Callable[[float], float]] = {
    "exp": math.exp,
    "log": math.log,
    "sqrt": math.sqrt,
    "tanh": math.tanh,
    "sin": math.sin,
    "cos": math.cos,
    "tan": math.tan,
    "atan": math.atan,
    "abs": abs,
    "floor": math.floor,
    "ceil": math.ceil,
}

_SMALLEST_BASE = 1e-300

_WITHOUT_SLOPE = ("floor", "ceil", "less", "less_equal", "equal", "and", "or", "not")


@dataclass(frozen=True)
class Node:
    """One elementary operation: its arguments are numbers of earlier nodes (a value or a name for leaves)."""

    operation: str
    arguments: tuple[int, ...]
    value: float = 0.0
    name: str = ""


class Graph:
    """A growing list of nodes in which every node comes after its arguments and none occurs twice."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.level: list[int] = []
        self._known: dict[Node, int] = {}
        self._derivatives: dict[int, dict[int, int]] = {}
        self._state_of: dict[int, int] = {}

    def _intern(self, node: Node, level: int) -> int:
        found = self._known.get(node)
        if found is None:
            found = self._known[node] = len(self.nodes)
            self.nodes.append(node)
            self.level.append(level)
        return found

    def constant(self, value: float) -> int:
        """The node of a number."""
        return self._intern(Node("constant", (), float(value)), CONSTANT)

    def parameter(self, name: str) -> int:
        """The node of a parameter."""
        return self._intern(Node("symbol", (), 0.0, name), PARAMETER)

    def state(self, name: str, position: int) -> int:
        """The node of a state, which derivatives call by its position."""
        node = self._intern(Node("symbol", (), 0.0, name), STATE)
        self._state_of[node] = position
        return node

    def value(self, node: int) -> float | None:
        """The number a node stands for, or None when it is not a constant."""
        return self.nodes[node].value if self.nodes[node].operation == "constant" else None

    def _make(self, operation: str, *arguments: int) -> int:
        return self._intern(Node(operation, arguments), max(self.level[a] for a in arguments))

    def add(self, left: int, right: int) -> int:
        """left + right."""
        a, b = self.value(left), self.value(right)
        if a is not None and b is not None:
            return self.constant(a + b)
        if a == 0.0:
            return right
        if b == 0.0:
            return left
        if self.nodes[right].operation == "negative":
            return self.subtract(left, self.nodes[right].arguments[0])
        return self._make("add", *sorted((left, right)))

    def subtract(self, left: int, right: int) -> int:
        """left - right."""
        a, b = self.value(left), self.value(right)
        if a is not None and b is not None:
            return self.constant(a - b)
        if b == 0.0:
            return left
        if a == 0.0:
            return self.negative(right)
        if left == right:
            return self.constant(0.0)
        return self._make("subtract", left, right)

    def negative(self, node: int) -> int:
        """-node."""
        number = self.value(node)
        if number is not None:
            return self.constant(-number)
        if self.nodes[node].operation == "negative":
            return self.nodes[node].arguments[0]
        return self._make("negative", node)

    def multiply(self, left: int, right: int) -> int:
        """left * right."""
        a, b = self.value(left), self.value(right)
        if a is not None and b is not None:
            return self.constant(a * b)
        if a is not None:
            left, right, a, b = right, left, b, a
        if b == 0.0:
            return self.constant(0.0)
        if b == 1.0:
            return left
        if b == -1.0:
            return self.negative(left)
        return self._make("multiply", *sorted((left, right)))

    def inverse(self, node: int) -> int:
        """1 / node."""
        number = self.value(node)
        if number is not None and number != 0.0:
            return self.constant(1.0 / number)
        if self.nodes[node].operation == "inverse":
            return self.nodes[node].arguments[0]
        return self._make("inverse", node)

    def power(self, base: int, exponent: int) -> int:
        """base to the power of exponent; whole and half powers become products and roots."""
        number = self.value(exponent)
        if number is None:
            known = self.value(base)
            if known is not None and known > 0.0:
                return self.unary("exp", self.multiply(exponent, self.constant(math.log(known))))
            return self._make("power", base, exponent)
        if number < 0.0:
            return self.inverse(self.power(base, self.constant(-number)))
        if number == 0.0:
            return self.constant(1.0)
        if number.is_integer() and number <= 64:
            return self._whole_power(base, int(number))
        if (2.0 * number).is_integer() and number <= 8:
            root = self.unary("sqrt", base)
            return self.multiply(root, self._whole_power(base, int(number))) if number > 1.0 else root
        known = self.value(base)
        if known is not None and known >= 0.0:
            return self.constant(known**number)
        return self._make("power", base, exponent)

    def _whole_power(self, base: int, count: int) -> int:
        if count == 1:
            return base
        half = self._whole_power(base, count // 2)
        square = self.multiply(half, half)
        return self.multiply(square, base) if count % 2 else square

    def unary(self, operation: str, node: int) -> int:
        """exp, log, sqrt, tanh, sin, cos, tan, atan, abs, floor or ceil of a node."""
        number = self.value(node)
        if number is not None:
            try:
                return self.constant(float(_UNARY[operation](number)))
            except (ValueError, OverflowError):
                pass
        if operation == "log" and self.nodes[node].operation == "exp":
            return self.nodes[node].arguments[0]
        return self._make(operation, node)

    def extreme(self, operation: str, left: int, right: int) -> int:
        """The `minimum` or `maximum` of two nodes."""
        a, b = self.value(left), self.value(right)
        if a is not None and b is not None:
            return self.constant(min(a, b) if operation == "minimum" else max(a, b))
        return left if left == right else self._make(operation, *sorted((left, right)))

    def condition(self, operation: str, *arguments: int) -> int:
        """A truth value: less, less_equal, equal (of numbers), and, or, not (of truth values)."""
        return self._make(operation, *arguments)

    def select(self, condition: int, left: int, right: int) -> int:
        """`left` where the condition holds, else `right`."""
        return left if left == right else self._make("select", condition, left, right)

    def reachable(self, results: Iterable[int], stop: Iterable[int] = ()) -> list[int]:
        """The nodes that the results need, in order; the search does not go below the nodes in `stop`."""
        leaves, found, waiting = set(stop), set(), list(results)
        while waiting:
            node = waiting.pop()
            if node not in found:
                found.add(node)
                if node not in leaves:
                    waiting.extend(self.nodes[node].arguments)
        return sorted(found)

    def derivatives(self, node: int) -> dict[int, int]:
        """The derivative of a node to every state on which it depends, as nodes."""
        for current in self.reachable([node], stop=self._derivatives):
            if current not in self._derivatives:
                self._derivatives[current] = self._differentiate(current)
        return self._derivatives[node]

    def _differentiate(self, node: int) -> dict[int, int]:
        if self.level[node] < STATE:
            return {}
        if node in self._state_of:
            return {self._state_of[node]: self.constant(1.0)}
        operation, arguments = self.nodes[node].operation, self.nodes[node].arguments
        if operation in ("add", "subtract"):
            return self._sum_rule(operation, *arguments)
        if operation == "multiply":
            return self._product_rule(node, *arguments)
        if operation in ("minimum", "maximum", "select"):
            return self._choice_rule(operation, arguments)
        if operation == "power" and self.level[arguments[1]] == STATE:
            return self._general_power_rule(node, *arguments)
        if operation in _WITHOUT_SLOPE:
            return {}
        inner = self._derivatives[arguments[0]]
        if not inner:
            return {}
        slope = self._slope(node, operation, arguments)
        return {state: self.multiply(slope, part) for state, part in inner.items()}

    def _sum_rule(self, operation: str, left: int, right: int) -> dict[int, int]:
        total = dict(self._derivatives[left])
        for state, part in self._derivatives[right].items():
            signed = part if operation == "add" else self.negative(part)
            total[state] = self.add(total[state], signed) if state in total else signed
        return {state: part for state, part in total.items() if self.value(part) != 0.0}

    def _product_rule(self, node: int, left: int, right: int) -> dict[int, int]:
        if self.nodes[left].operation == "inverse":
            left, right = right, left
        if self.nodes[right].operation == "inverse" and self.level[right] == STATE:
            return self._quotient_rule(node, left, right)
        total = {state: self.multiply(part, right) for state, part in self._derivatives[left].items()}
        for state, part in self._derivatives[right].items():
            term = self.multiply(part, left)
            total[state] = self.add(total[state], term) if state in total else term
        return total

    def _quotient_rule(self, node: int, above: int, inverse: int) -> dict[int, int]:
        """(a / b)' = (a' - (a / b) b') / b."""
        top, bottom = self._derivatives[above], self._derivatives[self.nodes[inverse].arguments[0]]
        total = {}
        for state in dict.fromkeys((*top, *bottom)):
            part = top.get(state, self.constant(0.0))
            if state in bottom:
                part = self.subtract(part, self.multiply(node, bottom[state]))
            total[state] = self.multiply(part, inverse)
        return total

    def _choice_rule(self, operation: str, arguments: tuple[int, ...]) -> dict[int, int]:
        left, right = arguments[-2:]
        if operation == "select":
            condition = arguments[0]
        else:
            pair = (left, right) if operation == "minimum" else (right, left)
            condition = self.condition("less", *pair)
        zero, one, other = self.constant(0.0), self._derivatives[left], self._derivatives[right]
        return {
            state: self.select(condition, one.get(state, zero), other.get(state, zero))
            for state in dict.fromkeys((*one, *other))
        }

    def _general_power_rule(self, node: int, base: int, exponent: int) -> dict[int, int]:
        total: dict[int, int] = {}
        # At a base of nought the logarithm and negative powers must stay finite: what they multiply is nought.
        positive = self.extreme("maximum", base, self.constant(_SMALLEST_BASE))
        logarithm = self.unary("log", positive)
        for state, part in self._derivatives[exponent].items():
            total[state] = self.multiply(node, self.multiply(part, logarithm))
        lower = self.power(positive, self.subtract(exponent, self.constant(1.0)))
        slope = self.multiply(exponent, lower)
        steep = self.condition("less", exponent, self.constant(1.0))
        slope = self.select(self.condition("and", self._is_nought(base), steep), self.constant(0.0), slope)
        for state, part in self._derivatives[base].items():
            term = self.multiply(slope, part)
            total[state] = self.add(total[state], term) if state in total else term
        return total

    def _is_nought(self, base: int) -> int:
        return self.condition("less", base, self.constant(_SMALLEST_BASE))

    def _slope(self, node: int, operation: str, arguments: tuple[int, ...]) -> int:
        """The derivative of a function of one argument, at that argument."""
        inner, one = arguments[0], self.constant(1.0)
        if operation == "negative":
            return self.constant(-1.0)
        if operation == "inverse":
            return self.negative(self.multiply(node, node))
        if operation == "power":
            lower = self.power(inner, self.subtract(arguments[1], one))
            return self.multiply(arguments[1], lower)
        if operation == "exp":
            return node
        if operation == "log":
            return self.inverse(inner)
        if operation == "sqrt":
            return self.multiply(self.constant(0.5), self.inverse(node))
        if operation == "tanh":
            return self.subtract(one, self.multiply(node, node))
        if operation == "sin":
            return self.unary("cos", inner)
        if operation == "cos":
            return self.negative(self.unary("sin", inner))
        if operation == "tan":
            return self.add(one, self.multiply(node, node))
        if operation == "atan":
            return self.inverse(self.add(one, self.multiply(inner, inner)))
        if operation == "abs":
            negative = self.condition("less", inner, self.constant(0.0))
            return self.select(negative, self.constant(-1.0), one)
        raise ValueError(f"no derivative of {operation}")
