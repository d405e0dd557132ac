"""Formulas of an SBML document as symbolic expressions.

Walks libSBML's abstract syntax trees and builds sympy expressions with plain symbols. Time is the symbol
`time`. Calls to the document's own function definitions are expanded. What the engine cannot integrate
(delays, rates of other variables) is refused by name. Source: SBML Level 3 Version 2 Core, section 3.4.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

import libsbml
import sympy as sp

from rekindle.errors import InputError, UnsupportedError

TIME = "time"
AVOGADRO = 6.02214179e23  # the value SBML Level 3 fixes for its csymbol (section 3.4.6)

Expression = Any
Formula = Any


def _maximum(*values: Expression) -> Expression:
    return sp.Max(*values, evaluate=False) if len(values) > 1 else values[0]


def _minimum(*values: Expression) -> Expression:
    return sp.Min(*values, evaluate=False) if len(values) > 1 else values[0]


def _relation(kind: Any) -> Callable[..., Expression]:
    def chained(*values: Expression) -> Expression:
        pairs = [kind(left, right) for left, right in pairwise(values)]
        return sp.And(*pairs) if len(pairs) != 1 else pairs[0]

    return chained


def _minus(*values: Expression) -> Expression:
    return -values[0] if len(values) == 1 else values[0] - values[1]


def _root(*values: Expression) -> Expression:
    return sp.sqrt(values[0]) if len(values) == 1 else values[1] ** (1 / values[0])


def _logarithm(*values: Expression) -> Expression:
    return sp.log(values[0]) / sp.log(10) if len(values) == 1 else sp.log(values[1]) / sp.log(values[0])


def _operations() -> dict[int, Callable[..., Expression]]:
    return {
        libsbml.AST_PLUS: lambda *values: sp.Add(*values),
        libsbml.AST_MINUS: _minus,
        libsbml.AST_TIMES: lambda *values: sp.Mul(*values),
        libsbml.AST_DIVIDE: lambda above, below: above / below,
        libsbml.AST_POWER: lambda base, power: base**power,
        libsbml.AST_FUNCTION_POWER: lambda base, power: base**power,
        libsbml.AST_FUNCTION_ROOT: _root,
        libsbml.AST_FUNCTION_EXP: sp.exp,
        libsbml.AST_FUNCTION_LN: sp.log,
        libsbml.AST_FUNCTION_LOG: _logarithm,
        libsbml.AST_FUNCTION_ABS: sp.Abs,
        libsbml.AST_FUNCTION_FLOOR: sp.floor,
        libsbml.AST_FUNCTION_CEILING: sp.ceiling,
        libsbml.AST_FUNCTION_SIN: sp.sin,
        libsbml.AST_FUNCTION_COS: sp.cos,
        libsbml.AST_FUNCTION_TAN: sp.tan,
        libsbml.AST_FUNCTION_ARCTAN: sp.atan,
        libsbml.AST_FUNCTION_SINH: lambda x: (sp.exp(x) - sp.exp(-x)) / 2,
        libsbml.AST_FUNCTION_COSH: lambda x: (sp.exp(x) + sp.exp(-x)) / 2,
        libsbml.AST_FUNCTION_TANH: sp.tanh,
        libsbml.AST_FUNCTION_MAX: _maximum,
        libsbml.AST_FUNCTION_MIN: _minimum,
        libsbml.AST_RELATIONAL_LT: _relation(sp.StrictLessThan),
        libsbml.AST_RELATIONAL_LEQ: _relation(sp.LessThan),
        libsbml.AST_RELATIONAL_GT: _relation(sp.StrictGreaterThan),
        libsbml.AST_RELATIONAL_GEQ: _relation(sp.GreaterThan),
        libsbml.AST_RELATIONAL_EQ: _relation(sp.Eq),
        libsbml.AST_RELATIONAL_NEQ: lambda left, right: sp.Ne(left, right),
        libsbml.AST_LOGICAL_AND: lambda *values: sp.And(*values),
        libsbml.AST_LOGICAL_OR: lambda *values: sp.Or(*values),
        libsbml.AST_LOGICAL_NOT: lambda value: sp.Not(value),
    }


def _constants() -> dict[int, Expression]:
    return {
        libsbml.AST_CONSTANT_E: sp.E,
        libsbml.AST_CONSTANT_PI: sp.pi,
        libsbml.AST_CONSTANT_TRUE: sp.true,
        libsbml.AST_CONSTANT_FALSE: sp.false,
        libsbml.AST_NAME_TIME: sp.Symbol(TIME),
        libsbml.AST_NAME_AVOGADRO: sp.Float(AVOGADRO),
    }


class FormulaReader:
    """Turns the formulas of one SBML model into sympy expressions.

    `functions` maps the id of a function definition to (argument names, body).
    """

    def __init__(self, functions: Mapping[str, tuple[list[str], Formula]]) -> None:
        self._functions = functions
        self._operations = _operations()
        self._constants = _constants()

    def read(self, node: Formula, where: str, local: Mapping[str, Expression] | None = None) -> Expression:
        """The expression of a formula; `local` maps names that mean something else inside it.

        Raises:
            UnsupportedError: a delay, a rate of another variable, or a function that is not known.
            InputError: an empty formula, or a call of an undefined function.
        """
        if node is None:
            raise InputError("A formula is empty.", where=where)
        kind = node.getType()
        if node.isNumber():
            return self._number(node, where)
        if kind in self._constants:
            return self._constants[kind]
        if kind == libsbml.AST_NAME:
            name = node.getName()
            return local[name] if local and name in local else sp.Symbol(name)
        if kind == libsbml.AST_FUNCTION_PIECEWISE:
            return self._piecewise(node, where, local)
        children = [self.read(node.getChild(i), where, local) for i in range(node.getNumChildren())]
        if kind == libsbml.AST_FUNCTION:
            return self._call(node.getName(), children, where)
        if kind == libsbml.AST_FUNCTION_DELAY:
            raise UnsupportedError("Delays are not supported ('delay').", where=where)
        if kind not in self._operations:
            shown = node.getName() or libsbml.formulaToL3String(node)
            raise UnsupportedError(f"The function '{shown}' is not supported.", where=where)
        try:
            return self._operations[kind](*children)
        except TypeError as error:
            shown = libsbml.formulaToL3String(node)
            raise InputError(f"The formula '{shown}' mixes numbers and conditions.", where=where) from error

    @staticmethod
    def _number(node: Formula, where: str) -> Expression:
        if node.isInteger():
            return sp.Integer(node.getInteger())
        if node.isRational():
            return sp.Rational(node.getNumerator(), node.getDenominator())
        value = float(node.getValue())
        if value != value or value in (float("inf"), float("-inf")):
            raise InputError("A formula holds a number that is not finite.", where=where)
        return sp.Integer(int(value)) if value.is_integer() and abs(value) < 2**53 else sp.Float(value)

    def _piecewise(self, node: Formula, where: str, local: Mapping[str, Expression] | None) -> Expression:
        children = [self.read(node.getChild(i), where, local) for i in range(node.getNumChildren())]
        pieces = [(children[i], children[i + 1]) for i in range(0, len(children) - 1, 2)]
        if len(children) % 2 == 0:
            raise UnsupportedError("A piecewise formula without an 'otherwise' is not supported.", where=where)
        return sp.Piecewise(*pieces, (children[-1], sp.true), evaluate=False)

    def _call(self, name: str, values: list[Expression], where: str) -> Expression:
        if name not in self._functions:
            if name == "rateOf":
                raise UnsupportedError("The rate of another variable ('rateOf') is not supported.", where=where)
            raise InputError(f"The function '{name}' is not defined.", where=where)
        arguments, body = self._functions[name]
        if len(arguments) != len(values):
            raise InputError(f"The function '{name}' takes {len(arguments)} arguments, not {len(values)}.", where=where)
        return self.read(body, f"{where}, function {name}", dict(zip(arguments, values, strict=True)))
