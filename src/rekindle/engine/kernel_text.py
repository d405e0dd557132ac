"""The Rosenbrock step as vector code: eight people side by side in the lanes of the processor.

Arrays keep the lanes of one number together: element i of lane l lies at i * width + l. The right-hand side,
the elimination and the solve are straight lists of vector operations; the sums over the stages are short
loops. What happens in one lane never depends on another, so a person's result does not depend on the
neighbours.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from rekindle.engine.emit import Writer
from rekindle.engine.lower import Lowered
from rekindle.engine.rosenbrock import GAMMA, STAGES, A, C

_WIDE = 'noinline nounwind "prefer-vector-width"="512" "min-legal-vector-width"="512" '
_HUGE = 1e300  # a state beyond this counts as not finite


class _Loop:
    """Writes a loop over the states: the body gets the register that counts in single numbers."""

    def __init__(self, writer: Writer, size: int) -> None:
        self.writer, self.size, self.count = writer, size, 0

    def over(self, body: Callable[[str], None]) -> None:
        writer, self.count = self.writer, self.count + 1
        tag = f"loop{self.count}"
        before = f"before{self.count}"
        writer.do(f"br label %{before}")
        writer.lines.append(f"{before}:")
        writer.do(f"br label %{tag}")
        writer.lines.append(f"{tag}:")
        index, following = f"%i{self.count}", f"%n{self.count}"
        writer.do(f"{index} = phi i64 [ 0, %{before} ], [ {following}, %{tag} ]")
        body(index)
        writer.do(f"{following} = add nuw nsw i64 {index}, {writer.width}")
        writer.do(f"%d{self.count} = icmp eq i64 {following}, {self.size * writer.width}")
        writer.do(f"br i1 %d{self.count}, label %after{self.count}, label %{tag}")
        writer.lines.append(f"after{self.count}:")


def kernel_functions(lowered: Lowered, width: int) -> list[tuple[str, list[str]]]:
    """The text and declarations of all vector functions: rates, factor, solve, step, accept."""
    return [
        _rates(lowered, width),
        _factor(lowered, width),
        _solve(lowered, width),
        _step(lowered, width),
        _accept(lowered, width),
    ]


def _rates(lowered: Lowered, width: int) -> tuple[str, list[str]]:
    """rates(y, q, into, out): rates of change with what is being infused."""
    writer = Writer(width)
    results = writer.program(lowered.rates, {"y": "%y", "q": "%q"})
    for i, value in enumerate(results):
        writer.store(writer.arithmetic("fadd", value, writer.load("%into", i)), "%out", i)
    text = writer.function("wide_rates", ["%y", "%q", "%into", "%out"], attributes=_WIDE)
    return text, list(writer.declarations)


def _factor(lowered: Lowered, width: int) -> tuple[str, list[str]]:
    """factor(y, q, h, w): the factors of I/(h gamma) - J, pivots inverted, in the order of the entries."""
    writer, elimination = Writer(width), lowered.elimination
    results = writer.program(lowered.jacobian, {"y": "%y", "q": "%q"})
    slopes = dict(zip(lowered.pattern, results, strict=True))
    shift = writer.arithmetic("fdiv", writer.number(1.0 / GAMMA), writer.load("%h", 0))
    entry: dict[tuple[int, int], str] = {}
    for row, column in sorted({*lowered.pattern, *((i, i) for i in range(elimination.size))}):
        slope = slopes.get((row, column))
        if row != column:
            entry[row, column] = writer.operation("negative", [str(slope)])
        else:
            entry[row, column] = writer.arithmetic("fsub", shift, slope) if slope else shift
    for kind, place in elimination.steps:
        if kind == "pivot":
            k = place[0]
            entry[k, k] = writer.arithmetic("fdiv", writer.number(1.0), entry[k, k])
        elif kind == "scale":
            i, k = place
            entry[i, k] = writer.arithmetic("fmul", entry[i, k], entry[k, k])
        else:
            i, j, k = place
            product = writer.arithmetic("fmul", entry[i, k], entry[k, j])
            known = entry.get((i, j))
            entry[i, j] = (
                writer.arithmetic("fsub", known, product) if known else writer.operation("negative", [product])
            )
    for position, place in enumerate(elimination.entries):
        writer.store(entry[place], "%w", position)
    return writer.function("wide_factor", ["%y", "%q", "%h", "%w"], attributes=_WIDE), list(writer.declarations)


def _solve(lowered: Lowered, width: int) -> tuple[str, list[str]]:
    """solve(w, b): b becomes the solution of the factorised system."""
    writer, elimination = Writer(width), lowered.elimination
    at = {place: position for position, place in enumerate(elimination.entries)}
    b = [writer.load("%b", i) for i in range(elimination.size)]

    def less(i: int, j: int) -> None:
        product = writer.arithmetic("fmul", writer.load("%w", at[i, j]), b[j])
        b[i] = writer.arithmetic("fsub", b[i], product)

    for i in elimination.order:
        for k in elimination.lower[i]:
            less(i, k)
    for i in reversed(elimination.order):
        for j in elimination.upper[i]:
            less(i, j)
        b[i] = writer.arithmetic("fmul", b[i], writer.load("%w", at[i, i]))
        writer.store(b[i], "%b", i)
    return writer.function("wide_solve", ["%w", "%b"], attributes=_WIDE), list(writer.declarations)


def _stage(writer: Writer, u: str, stage: int, size: int) -> str:
    return writer.address(u, stage * size)


def _combined(writer: Writer, coefficients: Sequence[float], stages: Sequence[str], index: str) -> str:
    total = ""
    for coefficient, stage in zip(coefficients, stages, strict=True):
        term = writer.load(stage, index)
        weight = writer.number(coefficient)
        total = writer.fused(weight, term, total) if total else writer.arithmetic("fmul", weight, term)
    return total


def _step(lowered: Lowered, width: int) -> tuple[str, list[str]]:
    """step(y, q, into, h, y_new, error, w, u, z, f, scale, control): a whole step and its error norm a lane.

    `control` holds the relative tolerance, the floor and the smallest absolute tolerance.
    """
    writer, size = Writer(width), len(lowered.states)
    loop = _Loop(writer, size)
    writer.do("call void @wide_factor(ptr %y, ptr %q, ptr %h, ptr %w)")
    inverse = writer.arithmetic("fdiv", writer.number(1.0), writer.load("%h", 0))
    stages = [_stage(writer, "%u", i, size) for i in range(STAGES)]
    writer.do(f"call void @wide_rates(ptr %y, ptr %q, ptr %into, ptr {stages[0]})")
    writer.do(f"call void @wide_solve(ptr %w, ptr {stages[0]})")
    for s in range(1, STAGES):

        def place(index: str, s: int = s) -> None:
            if s > 5:  # the seventh and eighth stage start one stage's solution beyond the one before
                value = writer.arithmetic("fadd", writer.load("%z", index), writer.load(stages[s - 1], index))
            else:
                moved = _combined(writer, A[s], stages[:s], index)
                value = writer.arithmetic("fadd", writer.load("%y", index), moved)
            writer.store(value, "%z", index)

        def right(index: str, s: int = s) -> None:
            past = _combined(writer, C[s], stages[:s], index)
            writer.store(writer.fused(past, inverse, writer.load("%f", index)), stages[s], index)

        loop.over(place)
        writer.do("call void @wide_rates(ptr %z, ptr %q, ptr %into, ptr %f)")
        loop.over(right)
        writer.do(f"call void @wide_solve(ptr %w, ptr {stages[s]})")
    _finish(writer, loop, stages[-1])
    arrays = ["y", "q", "into", "h", "y_new", "error", "w", "u", "z", "f", "scale", "control"]
    text = writer.function("wide_step", [f"%{name}" for name in arrays], attributes=_WIDE)
    return text, list(writer.declarations)


def _finish(writer: Writer, loop: _Loop, last: str) -> None:
    """The new states and the largest weighted error of each lane, kept in memory while the loop runs."""
    relative, floor, smallest = (_broadcast(writer, "%control", position) for position in range(3))
    writer.store(writer.number(0.0), "%error", 0)

    def body(index: str) -> None:
        old, change = writer.load("%y", index), writer.load(last, index)
        new = writer.arithmetic("fadd", writer.load("%z", index), change)
        writer.store(new, "%y_new", index)
        size = writer.operation("maximum", [writer.intrinsic("llvm.fabs", old), writer.intrinsic("llvm.fabs", new)])
        weight = writer.fused(floor, writer.load("%scale", index), size)
        weight = writer.fused(weight, relative, smallest)
        ratio = writer.arithmetic("fdiv", writer.intrinsic("llvm.fabs", change), weight)
        bounded = writer.compare("olt", size, writer.number(_HUGE))
        ratio = writer.choose(bounded, ratio, writer.number(math.nan))
        worst = writer.load("%error", 0)
        larger = writer.compare("ugt", ratio, worst)  # unordered, so that a NaN counts as larger and stays
        stuck = writer.compare("uno", worst, worst)
        writer.store(writer.choose(stuck, worst, writer.choose(larger, ratio, worst)), "%error", 0)

    loop.over(body)


def _broadcast(writer: Writer, array: str, position: int) -> str:
    pointer = writer.new(f"getelementptr inbounds double, ptr {array}, i64 {position}")
    value = writer.new(f"load double, ptr {pointer}, align 8")
    if writer.width == 1:
        return value
    first = writer.new(f"insertelement {writer.real} poison, double {value}, i64 0")
    return writer.new(
        f"shufflevector {writer.real} {first}, {writer.real} poison, <{writer.width} x i32> zeroinitializer"
    )


def _accept(lowered: Lowered, width: int) -> tuple[str, list[str]]:
    """accept(y, y_new, scale, taken): lanes whose `taken` is not zero move on and remember their largest value."""
    writer = Writer(width)
    loop = _Loop(writer, len(lowered.states))
    taken = writer.compare("one", writer.load("%taken", 0), writer.number(0.0))

    def body(index: str) -> None:
        old, new, scale = (writer.load(name, index) for name in ("%y", "%y_new", "%scale"))
        largest = writer.operation("maximum", [writer.intrinsic("llvm.fabs", new), scale])
        writer.store(writer.choose(taken, new, old), "%y", index)
        writer.store(writer.choose(taken, largest, scale), "%scale", index)

    loop.over(body)
    text = writer.function("wide_accept", ["%y", "%y_new", "%scale", "%taken"], attributes=_WIDE)
    return text, list(writer.declarations)
