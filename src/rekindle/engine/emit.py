"""Statement lists written as LLVM assembly, one number or several lanes at a time.

With width 1 the text uses the processor's exact operations and the C library's functions, and nothing is
reordered: it computes what the statement lists say. With more lanes each operation works on a vector, and the
exponential and the logarithm are polynomials (relative error below 1e-15) so that they stay in the lanes.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Collection, Iterable, Mapping, Sequence

from rekindle.engine.compiled import quick_reciprocal
from rekindle.engine.lower import Program

_ARITHMETIC = {"add": "fadd", "subtract": "fsub", "multiply": "fmul"}
_COMPARISON = {"less": "olt", "less_equal": "ole", "equal": "oeq"}
_LOGIC = {"and": "and", "or": "or"}
_INTRINSIC = {"sqrt": "llvm.sqrt", "floor": "llvm.floor", "ceil": "llvm.ceil", "abs": "llvm.fabs"}
_LIBRARY = ("exp", "log", "tanh", "sin", "cos", "tan", "atan")

LOG2_E = 1.0 / math.log(2.0)
LN2_HIGH, LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10  # their sum is ln 2 (fdlibm)
_ROOT_HALF_BITS = 0x3FE6A09E667F3BCD
_LARGEST_EXPONENT = 709.782712893384


class Writer:
    """Writes the body of one function; values are names of LLVM registers or constants."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.lines: list[str] = []
        self.declarations: dict[str, None] = {}
        self.flags = "" if width == 1 else "contract nsz "
        self.quick = width in (8, 16) and quick_reciprocal()
        self.real = self.vector("double")
        self.truth = self.vector("i1")
        self.whole = self.vector("i64")
        self._count = 0

    def vector(self, scalar: str) -> str:
        """The type of a value of all lanes."""
        return scalar if self.width == 1 else f"<{self.width} x {scalar}>"

    def new(self, text: str) -> str:
        """Write an instruction and name its result."""
        self._count += 1
        name = f"%v{self._count}"
        self.lines.append(f"  {name} = {text}")
        return name

    def do(self, text: str) -> None:
        """Write an instruction that has no result."""
        self.lines.append(f"  {text}")

    def _spread(self, scalar: str, literal: str) -> str:
        if self.width == 1:
            return literal
        return "<" + ", ".join([f"{scalar} {literal}"] * self.width) + ">"

    def number(self, value: float) -> str:
        """A constant, the same in every lane."""
        return self._spread("double", f"0x{struct.unpack('<Q', struct.pack('<d', value))[0]:016X}")

    def integer(self, value: int) -> str:
        """An integer constant, the same in every lane."""
        return self._spread("i64", str(value))

    def address(self, array: str, position: int | str) -> str:
        """Where an element (all its lanes) of an array lies; a register counts in single numbers."""
        offset = position if isinstance(position, str) else position * self.width
        return self.new(f"getelementptr inbounds double, ptr {array}, i64 {offset}")

    def load(self, array: str, position: int | str) -> str:
        """The value at a position of an array."""
        return self.new(f"load {self.real}, ptr {self.address(array, position)}, align 8")

    def store(self, value: str, array: str, position: int | str) -> None:
        """Put a value at a position of an array."""
        self.do(f"store {self.real} {value}, ptr {self.address(array, position)}, align 8")

    def arithmetic(self, operation: str, left: str, right: str) -> str:
        """fadd, fsub, fmul or fdiv."""
        return self.new(f"{operation} {self.flags}{self.real} {left}, {right}")

    def fused(self, left: str, right: str, added: str) -> str:
        """left * right + added, which the processor may round once."""
        return self.arithmetic("fadd", self.arithmetic("fmul", left, right), added)

    def choose(self, condition: str, left: str, right: str) -> str:
        """`left` where the condition holds, else `right`."""
        return self.new(f"select {self.truth} {condition}, {self.real} {left}, {self.real} {right}")

    def compare(self, kind: str, left: str, right: str) -> str:
        """A truth value a lane."""
        return self.new(f"fcmp {kind} {self.real} {left}, {right}")

    def intrinsic(self, name: str, *values: str) -> str:
        """A call of an LLVM intrinsic on all lanes."""
        suffix = "f64" if self.width == 1 else f"v{self.width}f64"
        kinds = ", ".join([self.real] * len(values))
        self.declarations[f"declare {self.real} @{name}.{suffix}({kinds})"] = None
        given = ", ".join(f"{self.real} {value}" for value in values)
        return self.new(f"call {self.real} @{name}.{suffix}({given})")

    def library(self, name: str, *values: str) -> str:
        """A call of the C library, lane by lane."""
        kinds = ", ".join(["double"] * len(values))
        self.declarations[f"declare double @{name}({kinds})"] = None
        if self.width == 1:
            given = ", ".join(f"double {value}" for value in values)
            return self.new(f"call double @{name}({given})")
        total = "zeroinitializer"
        for lane in range(self.width):
            parts = [self.new(f"extractelement {self.real} {value}, i64 {lane}") for value in values]
            result = self.new(f"call double @{name}({', '.join(f'double {part}' for part in parts)})")
            total = self.new(f"insertelement {self.real} {total}, double {result}, i64 {lane}")
        return total

    def estimate(self, value: str) -> str:
        """About 1 / value: to four digits where the processor has an instruction for that."""
        if not self.quick:
            return self.arithmetic("fdiv", self.number(1.0), value)
        name, eight = "llvm.x86.avx512.rcp14.pd.512", "<8 x double>"
        self.declarations[f"declare {eight} @{name}({eight}, {eight}, i8)"] = None
        found = ""
        for begin in range(0, self.width, 8):
            part = value
            if self.width > 8:
                part = self._shuffled(self.real, value, value, range(begin, begin + 8))
            estimate = self.new(f"call {eight} @{name}({eight} {part}, {eight} {part}, i8 -1)")
            found = self._shuffled(eight, found, estimate, range(begin + 8)) if found else estimate
        return found

    def _shuffled(self, kind: str, left: str, right: str, chosen: Iterable[int]) -> str:
        """Some lanes of two vectors side by side."""
        picked = [f"i32 {lane}" for lane in chosen]
        return self.new(f"shufflevector {kind} {left}, {kind} {right}, <{len(picked)} x i32> <{', '.join(picked)}>")

    def reciprocal(self, value: str, *, finite: bool = False) -> str:
        """1 / value; with AVX-512 an estimate refined by Newton's method to 3e-16, which is quicker than dividing.

        With `finite`, the value is neither zero nor infinite, and 3e-13 will do.
        """
        if not self.quick:
            return self.arithmetic("fdiv", self.number(1.0), value)
        one = self.number(1.0)
        first = self.estimate(value)
        off = self.arithmetic("fsub", one, self.arithmetic("fmul", value, first))
        better = self.fused(first, self.fused(off, off, off), first)
        if finite:
            return better
        off = self.arithmetic("fsub", one, self.arithmetic("fmul", value, better))
        best = self.fused(better, off, better)
        return self.choose(self.compare("uno", best, best), first, best)

    def _polynomial(self, variable: str, coefficients: Sequence[float]) -> str:
        total = self.number(coefficients[0])
        for coefficient in coefficients[1:]:
            total = self.fused(total, variable, self.number(coefficient))
        return total

    def exponential(self, value: str) -> str:
        """exp by Cody and Waite's reduction and a Taylor polynomial of degree 13; 0 or inf out of range."""
        if self.width == 1:
            return self.library("exp", value)
        scaled = self.arithmetic("fmul", value, self.number(LOG2_E))
        low, high = self.number(-1021.0), self.number(1023.0)
        turns = self.intrinsic("llvm.rint", scaled)
        turns = self.choose(self.compare("ogt", turns, low), turns, low)
        turns = self.choose(self.compare("olt", turns, high), turns, high)
        rest = self.arithmetic("fsub", value, self.arithmetic("fmul", turns, self.number(LN2_HIGH)))
        rest = self.arithmetic("fsub", rest, self.arithmetic("fmul", turns, self.number(LN2_LOW)))
        series = self._polynomial(rest, [1.0 / math.factorial(k) for k in range(13, -1, -1)])
        whole = self.new(f"fptosi {self.real} {turns} to {self.whole}")
        biased = self.new(f"add {self.whole} {whole}, {self.integer(1023)}")
        bits = self.new(f"shl {self.whole} {biased}, {self.integer(52)}")
        result = self.arithmetic("fmul", series, self.new(f"bitcast {self.whole} {bits} to {self.real}"))
        too_small = self.compare("olt", value, self.number(-707.0))
        result = self.choose(too_small, self.number(0.0), result)
        too_large = self.compare("ogt", value, self.number(_LARGEST_EXPONENT))
        result = self.choose(too_large, self.number(math.inf), result)
        return self.choose(self.compare("uno", value, value), value, result)

    def logarithm(self, value: str) -> str:
        """log by splitting off the power of two and the series of artanh; -inf at 0, NaN below."""
        if self.width == 1:
            return self.library("log", value)
        bits = self.new(f"bitcast {self.real} {value} to {self.whole}")
        raised = self.new(f"sub {self.whole} {bits}, {self.integer(_ROOT_HALF_BITS)}")
        turns = self.new(f"ashr {self.whole} {raised}, {self.integer(52)}")
        shift = self.new(f"shl {self.whole} {turns}, {self.integer(52)}")
        mantissa = self.new(f"sub {self.whole} {bits}, {shift}")
        reduced = self.new(f"bitcast {self.whole} {mantissa} to {self.real}")
        one = self.number(1.0)
        above, below = self.arithmetic("fsub", reduced, one), self.arithmetic("fadd", reduced, one)
        ratio = self.arithmetic("fmul", above, self.reciprocal(below))
        square = self.arithmetic("fmul", ratio, ratio)
        series = self._polynomial(square, [2.0 / k for k in range(21, 0, -2)])
        power = self.new(f"sitofp {self.whole} {turns} to {self.real}")
        small = self.arithmetic("fmul", power, self.number(LN2_LOW))
        result = self.fused(ratio, series, small)
        result = self.fused(power, self.number(LN2_HIGH), result)
        zero = self.number(0.0)
        result = self.choose(self.compare("oeq", value, zero), self.number(-math.inf), result)
        result = self.choose(self.compare("oeq", value, self.number(math.inf)), self.number(math.inf), result)
        valid = self.compare("oge", value, zero)
        return self.choose(valid, result, self.number(math.nan))

    def power(self, base: str, exponent: str) -> str:
        """base to the power of exponent, for a base that is not negative when there are several lanes."""
        if self.width == 1:
            return self.library("pow", base, exponent)
        return self.exponential(self.arithmetic("fmul", exponent, self.logarithm(base)))

    def hyperbolic_tangent(self, value: str) -> str:
        """tanh; with several lanes 1 - 2 / (exp(2 x) + 1), exact to 2e-16 of one."""
        if self.width == 1:
            return self.library("tanh", value)
        grown = self.exponential(self.arithmetic("fadd", value, value))
        below = self.arithmetic("fadd", grown, self.number(1.0))
        return self.arithmetic("fsub", self.number(1.0), self.arithmetic("fdiv", self.number(2.0), below))

    def operation(self, name: str, values: Sequence[str]) -> str:
        """One statement's operation on values that are ready.

        Raises:
            ValueError: no instruction of that name.
        """
        if name in _ARITHMETIC:
            return self.arithmetic(_ARITHMETIC[name], *values)
        if name == "inverse":
            return self.reciprocal(values[0])
        if name == "negative":
            return self.new(f"fneg {self.flags}{self.real} {values[0]}")
        if name == "power":
            return self.power(*values)
        if name == "select":
            return self.choose(*values)
        if name in _COMPARISON:
            return self.compare(_COMPARISON[name], *values)
        if name in _LOGIC:
            return self.new(f"{_LOGIC[name]} {self.truth} {values[0]}, {values[1]}")
        if name == "not":
            return self.new(f"xor {self.truth} {values[0]}, {self._spread('i1', 'true')}")
        if name in ("minimum", "maximum"):
            kind = "ult" if name == "minimum" else "ugt"
            return self.choose(self.compare(kind, *values), *values)
        if name in _INTRINSIC:
            return self.intrinsic(_INTRINSIC[name], *values)
        special = {"exp": self.exponential, "log": self.logarithm, "tanh": self.hyperbolic_tangent}
        if name in special:
            return special[name](values[0])
        if name in _LIBRARY:
            return self.library(name, *values)
        raise ValueError(f"no instruction for {name}")

    def program(self, program: Program, arrays: Mapping[str, str]) -> list[str]:
        """Write a statement list over these arrays; returns the results' values."""
        values = {node: self.number(value) for node, value in program.constants.items()}
        values |= {node: self.load(arrays[array], position) for node, (array, position) in program.inputs.items()}
        for node, operation, arguments in program.statements:
            values[node] = self.operation(operation, [values[argument] for argument in arguments])
        return [values[node] for node in program.results]

    def function(self, name: str, arrays: Sequence[str], *, attributes: str = "") -> str:
        """The finished function over pointers with these names."""
        given = ", ".join(f"ptr noalias nocapture {array}" for array in arrays)
        body = "\n".join(self.lines)
        return f"define void @{name}({given}) {attributes}{{\n{body}\n  ret void\n}}\n"


def program_function(name: str, program: Program, arrays: Sequence[str], width: int = 1) -> tuple[str, list[str]]:
    """A function `name(arrays..., out)` that runs a statement list; returns its text and its declarations."""
    writer = Writer(width)
    results = writer.program(program, {array: f"%{array}" for array in arrays})
    for position, value in enumerate(results):
        writer.store(value, "%out", position)
    text = writer.function(name, [*(f"%{array}" for array in arrays), "%out"])
    return text, list(writer.declarations)


def renewing(program: Program, array: str, changed: Collection[int]) -> tuple[Program, list[int]]:
    """The part of a statement list that must be done again when these positions of an array change; which results."""
    moved = {node for node, (name, position) in program.inputs.items() if name == array and position in changed}
    for node, _, used in program.statements:
        if not moved.isdisjoint(used):
            moved.add(node)
    again = [i for i, node in enumerate(program.results) if node in moved]
    arguments = {node: needed for node, _, needed in program.statements}
    needed, waiting = set(), [program.results[i] for i in again]
    while waiting:
        node = waiting.pop()
        if node not in needed:
            needed.add(node)
            waiting.extend(arguments.get(node, ()))
    return (
        Program(
            {node: place for node, place in program.inputs.items() if node in needed},
            {node: value for node, value in program.constants.items() if node in needed},
            tuple(each for each in program.statements if each[0] in needed),
            tuple(program.results[i] for i in again),
        ),
        again,
    )


def joined(*programs: Program) -> Program:
    """One statement list that does the work of several, shared statements once; their results in turn."""
    statements = {each[0]: each for program in programs for each in program.statements}
    return Program(
        {node: place for program in programs for node, place in program.inputs.items()},
        {node: value for program in programs for node, value in program.constants.items()},
        tuple(statements[node] for node in sorted(statements)),
        tuple(node for program in programs for node in program.results),
    )


def module_text(functions: Sequence[tuple[str, list[str]]]) -> str:
    """One module of several functions."""
    declared = dict.fromkeys(line for _, lines in functions for line in lines)
    return "\n".join([*declared, *(text for text, _ in functions)])
