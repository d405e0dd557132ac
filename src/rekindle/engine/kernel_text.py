"""The Rosenbrock step as vector code: eight people side by side in the lanes of the processor.

Arrays keep the lanes of one number together: element i of lane l lies at i * width + l. The right-hand side,
the elimination and the solve are straight lists of vector operations; the sums over the stages are short
loops. What happens in one lane never depends on another, so a person's result does not depend on the
neighbours.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from rekindle.engine.blocks import Block, Blocks, blocks_of
from rekindle.engine.elimination import Elimination
from rekindle.engine.emit import Writer
from rekindle.engine.lower import Lowered
from rekindle.engine.rosenbrock import GAMMA, STAGES, A, C

_WIDE = 'noinline nounwind "prefer-vector-width"="512" "min-legal-vector-width"="512" '
_HUGE = 1e300  # a state beyond this counts as not finite


class _Loop:
    """Writes loops over states: the body gets the register that counts in single numbers."""

    def __init__(self, writer: Writer) -> None:
        self.writer, self.count = writer, 0
        self.tables: list[str] = []

    def over(self, states: Sequence[int], body: Callable[[str], None]) -> None:
        """A loop that only reads and writes memory."""

        def plain(index: str, _: Sequence[str]) -> Sequence[str]:
            body(index)
            return ()

        self.carrying(states, (), plain)

    def carrying(
        self, states: Sequence[int], start: Sequence[str], body: Callable[[str, Sequence[str]], Sequence[str]]
    ) -> list[str]:
        """A loop whose body also turns some values into new ones; returns them as they are at the end."""
        writer, self.count = self.writer, self.count + 1
        n, place, width = self.count, len(self.writer.lines), self.writer.width
        index = f"%i{n}"
        ends = body(index, [f"%c{n}_{i}" for i in range(len(start))])
        inside, writer.lines[place:] = writer.lines[place:], []
        writer.do(f"br label %before{n}")
        writer.lines.append(f"before{n}:")
        writer.do(f"br label %loop{n}")
        writer.lines.append(f"loop{n}:")
        writer.do(f"%t{n} = phi i64 [ 0, %before{n} ], [ %n{n}, %loop{n} ]")
        for i, (first, last) in enumerate(zip(start, ends, strict=True)):
            writer.do(f"%c{n}_{i} = phi {writer.real} [ {first}, %before{n} ], [ {last}, %loop{n} ]")
        self._index(index, states)
        writer.lines.extend(inside)
        writer.do(f"%n{n} = add nuw nsw i64 %t{n}, {width}")
        writer.do(f"%d{n} = icmp eq i64 %n{n}, {len(states) * width}")
        writer.do(f"br i1 %d{n}, label %after{n}, label %loop{n}")
        writer.lines.append(f"after{n}:")
        return list(ends)

    def _index(self, index: str, states: Sequence[int]) -> None:
        """Where the loop's turn is in the arrays: a sum where the states follow each other, else from a table."""
        writer, turn = self.writer, f"%t{self.count}"
        if list(states) == list(range(states[0], states[0] + len(states))):
            writer.do(f"{index} = add nuw nsw i64 {turn}, {states[0] * writer.width}")
            return
        places = ", ".join(f"i64 {state * writer.width}" for state in states)
        kind = f"[{len(states)} x i64]"
        table = f" = private unnamed_addr constant {kind} [{places}]"
        known = next((each.split(" ")[0] for each in self.tables if each.endswith(table)), None)
        if known is None:
            known = f"@states{len(self.tables)}"
            self.tables.append(known + table)
        writer.do(f"{index}_at = udiv exact i64 {turn}, {writer.width}")
        writer.do(f"{index}_p = getelementptr inbounds {kind}, ptr {known}, i64 0, i64 {index}_at")
        writer.do(f"{index} = load i64, ptr {index}_p, align 8")


def kernel_functions(lowered: Lowered, width: int) -> list[tuple[str, list[str]]]:
    """The text and declarations of the vector functions of a step: first and later for each block, step, accept."""
    blocks = blocks_of(lowered)
    parts = [
        part for i, block in enumerate(blocks.blocks) for part in (_first(block, i, width), _later(block, i, width))
    ]
    return [*parts, _step(lowered, blocks, width), _accept(lowered, width)]


def piece_functions(lowered: Lowered, width: int) -> list[tuple[str, list[str]]]:
    """The pieces of a step one by one, for those who build something else of them: rates, factor, solve."""
    return [_rates(lowered, width), _factor(lowered, width), _solve(lowered, width)]


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
    writer = Writer(width)
    results = writer.program(lowered.jacobian, {"y": "%y", "q": "%q"})
    slopes = dict(zip(lowered.pattern, results, strict=True))
    _write_factors(writer, lowered.elimination, slopes, 0)
    return writer.function("wide_factor", ["%y", "%q", "%h", "%w"], attributes=_WIDE), list(writer.declarations)


def _write_factors(
    writer: Writer, elimination: Elimination, slopes: Mapping[tuple[int, int], str], begin: int
) -> dict[tuple[int, int], str]:
    """Factorise with these slopes and store the factors in %w from `begin` on; returns them by place."""
    shift = writer.arithmetic("fdiv", writer.number(1.0 / GAMMA), writer.load("%h", 0))
    entry: dict[tuple[int, int], str] = {}
    for row, column in sorted({*slopes, *((i, i) for i in range(elimination.size))}):
        slope = slopes.get((row, column))
        if row != column:
            entry[row, column] = writer.operation("negative", [str(slope)])
        else:
            entry[row, column] = writer.arithmetic("fsub", shift, slope) if slope else shift
    for kind, place in elimination.steps:
        if kind == "pivot":
            k = place[0]
            entry[k, k] = writer.reciprocal(entry[k, k], finite=True)
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
        writer.store(entry[place], "%w", begin + position)
    return entry


def _solve(lowered: Lowered, width: int) -> tuple[str, list[str]]:
    """solve(w, b): b becomes the solution of the factorised system."""
    writer, elimination = Writer(width), lowered.elimination
    right = [writer.load("%b", i) for i in range(elimination.size)]
    at = {place: position for position, place in enumerate(elimination.entries)}
    solution = _write_solve(writer, elimination, right, lambda place: writer.load("%w", at[place]))
    for i, value in enumerate(solution):
        writer.store(value, "%b", i)
    return writer.function("wide_solve", ["%w", "%b"], attributes=_WIDE), list(writer.declarations)


def _write_solve(
    writer: Writer, elimination: Elimination, b: list[str], factor: Callable[[tuple[int, int]], str]
) -> list[str]:
    """The solution for the right sides `b`."""

    def less(i: int, j: int) -> None:
        b[i] = writer.arithmetic("fsub", b[i], writer.arithmetic("fmul", factor((i, j)), b[j]))

    for i in elimination.order:
        for k in elimination.lower[i]:
            less(i, k)
    for i in reversed(elimination.order):
        for j in elimination.upper[i]:
            less(i, j)
        b[i] = writer.arithmetic("fmul", b[i], factor((i, i)))
    return b


def _first(block: Block, number: int, width: int) -> tuple[str, list[str]]:
    """first(y, q, into, h, w, u, x): a block's factors and its first stage, which need much the same expressions."""
    writer, size = Writer(width), len(block.states)
    results = writer.program(block.first, {"y": "%y", "q": "%q", "x": "%x"})
    rates, slopes, left = results[:size], results[size:], results[len(results) - len(block.left_first) :]
    factors = _write_factors(writer, block.elimination, dict(zip(block.inside, slopes, strict=False)), block.entries)
    begin = block.entries + len(block.elimination.entries)
    right = [
        writer.arithmetic("fadd", rate, writer.load("%into", state))
        for rate, state in zip(rates, block.states, strict=True)
    ]
    for k, (row, state) in enumerate(block.upstream):
        slope = slopes[len(block.inside) + k]
        writer.store(slope, "%w", begin + k)
        right[row] = writer.fused(slope, writer.load("%u", state), right[row])
    solution = _write_solve(writer, block.elimination, right, lambda place: factors[place])
    _write_left(writer, block, solution, block.left_first, left)
    arrays = ["%y", "%q", "%into", "%h", "%w", "%u", "%x"]
    return writer.function(f"wide_first{number}", arrays, attributes=_WIDE), list(writer.declarations)


def _later(block: Block, number: int, width: int) -> tuple[str, list[str]]:
    """later(z, q, past, w, u, x): a block's later stage, from the states there and what its earlier stages add."""
    writer, size = Writer(width), len(block.states)
    results = writer.program(block.later, {"y": "%z", "q": "%q", "x": "%x"})
    rates, left = results[:size], results[size:]
    begin = block.entries + len(block.elimination.entries)
    right = [
        writer.arithmetic("fadd", rate, writer.load("%past", state))
        for rate, state in zip(rates, block.states, strict=True)
    ]
    for k, (row, state) in enumerate(block.upstream):
        right[row] = writer.fused(writer.load("%w", begin + k), writer.load("%u", state), right[row])
    at = {place: block.entries + position for position, place in enumerate(block.elimination.entries)}
    solution = _write_solve(writer, block.elimination, right, lambda place: writer.load("%w", at[place]))
    _write_left(writer, block, solution, block.left, left)
    arrays = ["%z", "%q", "%past", "%w", "%u", "%x"]
    return writer.function(f"wide_later{number}", arrays, attributes=_WIDE), list(writer.declarations)


def _write_left(
    writer: Writer, block: Block, solution: Sequence[str], places: Sequence[int], left: Sequence[str]
) -> None:
    for value, state in zip(solution, block.states, strict=True):
        writer.store(value, "%u", state)
    for value, place in zip(left, places, strict=True):
        writer.store(value, "%x", place)


def _stage(writer: Writer, u: str, stage: int, size: int) -> str:
    return writer.address(u, stage * size)


def _combined(writer: Writer, coefficients: Sequence[float], terms: Sequence[str], start: str = "") -> str:
    total = start
    for coefficient, term in zip(coefficients, terms, strict=True):
        weight = writer.number(coefficient)
        total = writer.fused(weight, term, total) if total else writer.arithmetic("fmul", weight, term)
    return total


def scratch(lowered: Lowered) -> tuple[int, int]:
    """How many numbers a lane needs for the factors (`w`), and for a stage's states and what blocks leave (`z`)."""
    blocks = blocks_of(lowered)
    stages = STAGES - 1
    entries = max(blocks.entries, len(lowered.elimination.entries))
    return entries, len(lowered.states) + stages * blocks.passed + blocks.passed_first


def _step(lowered: Lowered, blocks: Blocks, width: int) -> tuple[str, list[str]]:
    """step(y, q, into, h, y_new, error, w, u, z, f, scale, control): a whole step and its error norm a lane.

    `control` holds the relative tolerance, the floor, the smallest absolute tolerance, and how the next step is
    chosen: safety, shrink, grow. `error` receives the norm of each lane and then each lane's factor for the next step.
    """
    writer, size = Writer(width), len(lowered.states)
    loop = _Loop(writer)
    u = [_stage(writer, "%u", s, size) for s in range(STAGES)]
    x = [writer.address("%z", size + s * blocks.passed) for s in range(STAGES)]
    limits = [_broadcast(writer, "%control", i) for i in range(3)]
    inverse = writer.reciprocal(writer.load("%h", 0), finite=True)
    found = [writer.number(0.0)] * 3
    for number, block in enumerate(blocks.blocks):
        given = ", ".join(f"ptr {name}" for name in ("%y", "%q", "%into", "%h", "%w", u[0], x[-1]))
        writer.do(f"call void @wide_first{number}({given})")
        for s in range(1, STAGES):

            def prepare(index: str, s: int = s) -> None:
                known = [writer.load(stage, index) for stage in u[:s]]
                if s > 5:  # the seventh and eighth stage start one stage's solution beyond the one before
                    place = writer.arithmetic("fadd", writer.load("%z", index), known[-1])
                else:
                    place = _combined(writer, A[s], known, writer.load("%y", index))
                writer.store(place, "%z", index)
                past = writer.fused(_combined(writer, C[s], known), inverse, writer.load("%into", index))
                writer.store(past, "%f", index)

            loop.over(block.states, prepare)
            given = ", ".join(f"ptr {name}" for name in ("%z", "%q", "%f", "%w", u[s], x[s - 1]))
            writer.do(f"call void @wide_later{number}({given})")
        found = _finish(writer, loop, block.states, u[-1], found, limits)
    _choose(writer, *found)
    arrays = ["y", "q", "into", "h", "y_new", "error", "w", "u", "z", "f", "scale", "control"]
    text = writer.function("wide_step", [f"%{name}" for name in arrays], attributes=_WIDE)
    return "\n".join([*loop.tables, text]), list(writer.declarations)


def _finish(
    writer: Writer,
    loop: _Loop,
    states: Sequence[int],
    u: str,
    start: Sequence[str],
    limits: Sequence[str],
) -> list[str]:
    """A block's new states; the largest weighted error so far, whether one is not a number, and the largest state."""
    relative, floor, smallest = limits

    def body(index: str, found: Sequence[str]) -> Sequence[str]:
        worst, undefined, largest = found
        old, change = writer.load("%y", index), writer.load(u, index)
        new = writer.arithmetic("fadd", writer.load("%z", index), change)
        writer.store(new, "%y_new", index)
        size = writer.operation("maximum", [writer.intrinsic("llvm.fabs", old), writer.intrinsic("llvm.fabs", new)])
        weight = writer.fused(floor, writer.load("%scale", index), size)
        weight = writer.fused(weight, relative, smallest)
        ratio = writer.arithmetic("fmul", writer.intrinsic("llvm.fabs", change), writer.estimate(weight))
        return (
            writer.operation("maximum", [worst, ratio]),
            writer.fused(ratio, writer.number(0.0), undefined),  # zero, and not a number once a ratio was not one
            writer.operation("maximum", [largest, size]),
        )

    return loop.carrying(states, start, body)


def _choose(writer: Writer, worst: str, undefined: str, largest: str) -> None:
    """Each lane's error, and by how much its next step is to be longer."""
    safety, shrink, grow = (_broadcast(writer, "%control", i) for i in range(3, 6))
    error = writer.arithmetic("fadd", worst, undefined)
    error = writer.choose(writer.compare("olt", largest, writer.number(_HUGE)), error, writer.number(math.nan))
    writer.store(error, "%error", 0)
    factor = writer.power(writer.arithmetic("fadd", error, writer.number(1e-12)), writer.number(-0.2))
    factor = writer.arithmetic("fmul", factor, safety)
    factor = writer.choose(writer.compare("ogt", factor, shrink), factor, shrink)
    factor = writer.choose(writer.compare("olt", factor, grow), factor, grow)
    writer.store(factor, "%error", 1)


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
    loop = _Loop(writer)
    taken = writer.compare("one", writer.load("%taken", 0), writer.number(0.0))

    def body(index: str) -> None:
        old, new, scale = (writer.load(name, index) for name in ("%y", "%y_new", "%scale"))
        largest = writer.operation("maximum", [writer.intrinsic("llvm.fabs", new), scale])
        writer.store(writer.choose(taken, new, old), "%y", index)
        writer.store(writer.choose(taken, largest, scale), "%scale", index)

    loop.over(range(len(lowered.states)), body)
    text = writer.function("wide_accept", ["%y", "%y_new", "%scale", "%taken"], attributes=_WIDE)
    return text, list(writer.declarations)
