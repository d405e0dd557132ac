"""The derivative of a Rosenbrock step as vector code, several directions at a time.

A step solves W u_i = f(z_i) + sum_j (c_ij / h) u_j with z_i = y + sum_j a_ij u_j and W = I/(h gamma) - J(y).
Differentiated along s (of the states) and q' (of the prepared expressions), at the same step length,

    W U_i = J(z_i) Z_i + (df/dq)(z_i) q' + sum_j (c_ij / h) U_j + (J' u_i),    Z_i = s + sum_j a_ij U_j,

where J' = (dJ/dy) s + (dJ/dq) q' is one matrix for all stages. The factors of W are those of the step itself, so
a direction costs sparse products and solves only. The step keeps its order, and so do the derivatives.

Arrays hold number i of direction d and lane l at (i * depth + d) * width + l.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rekindle.engine.emit import Writer
from rekindle.engine.lower import Lowered, Program
from rekindle.engine.rosenbrock import GAMMA, STAGES, A, C
from rekindle.engine.tangent_layout import Block, Layout

_WIDE = 'noinline nounwind "prefer-vector-width"="512" "min-legal-vector-width"="512" '
FLOOR = 1.0  # of a derivative's largest value so far, added to its size when its error is judged
_NOTHING = 1e-200  # keeps the error of what cannot move at nought
_CHAINED = 5  # stages after this one start one stage's solution beyond the one before

Function = tuple[str, list[str]]


def tangent_functions(lowered: Lowered, layout: Layout, width: int) -> list[Function]:
    """The text and declarations of `tangent_ready` and, a block each, `tangent_step` and `tangent_accept`."""
    found = [
        _list("tangent_slopes", layout.slopes, width),
        _list("tangent_bends", layout.bends, width),
        _factor(lowered, layout, width),
        _ready(lowered, layout, width),
    ]
    for number, block in enumerate(layout.blocks):
        found += [
            _bend(lowered, layout, block, number, width),
            _stage_solve(lowered, layout, block, number, width),
            _step(layout, lowered, block, number, width),
            _accept(layout, block, number, width),
        ]
    return found


def _list(name: str, program: Program, width: int) -> Function:
    """name(y, q, out): a statement list in all lanes."""
    writer = Writer(width)
    for position, value in enumerate(writer.program(program, {"y": "%y", "q": "%q"})):
        writer.store(value, "%out", position)
    return writer.function(name, ["%y", "%q", "%out"], attributes=_WIDE), list(writer.declarations)


class _Loops:
    """Writes loops over arrays of `size` vectors; the body gets the register that counts in single numbers."""

    def __init__(self, writer: Writer, size: int) -> None:
        self.writer, self.size, self.count = writer, size, 0

    def over(self, body: Callable[[str], None]) -> None:
        """One loop."""
        writer, self.count = self.writer, self.count + 1
        number = self.count
        writer.do(f"br label %before{number}")
        writer.lines.append(f"before{number}:")
        writer.do(f"br label %loop{number}")
        writer.lines.append(f"loop{number}:")
        index, following = f"%i{number}", f"%n{number}"
        writer.do(f"{index} = phi i64 [ 0, %before{number} ], [ {following}, %loop{number} ]")
        body(index)
        writer.do(f"{following} = add nuw nsw i64 {index}, {writer.width}")
        writer.do(f"%d{number} = icmp eq i64 {following}, {self.size * writer.width}")
        writer.do(f"br i1 %d{number}, label %after{number}, label %loop{number}")
        writer.lines.append(f"after{number}:")


def _weighted(writer: Writer, weights: Sequence[float], terms: Sequence[str]) -> str:
    total = ""
    for weight, term in zip(weights, terms, strict=True):
        number = writer.number(weight)
        total = writer.fused(number, term, total) if total else writer.arithmetic("fmul", number, term)
    return total


def _held(layout: Layout, entry: int) -> tuple[str, int]:
    """The array and position that hold an entry of the slopes."""
    if entry in layout.varying:
        return "%slopes", layout.varying[entry]
    return "%bends", layout.settled[entry]


def _factor(lowered: Lowered, layout: Layout, width: int) -> Function:
    """tangent_factor(slopes, bends, h, w): the factors of I/(h gamma) - J, pivots inverted, for rows that can move."""
    writer, elimination = Writer(width), lowered.elimination
    rows = {row for block in layout.blocks for row in block.rows}
    shift = writer.arithmetic("fdiv", writer.number(1.0 / GAMMA), writer.load("%h", 0))
    entry = {(row, row): shift for row in rows}
    for number, (row, column) in enumerate(lowered.pattern):
        if row in rows and column in rows:
            held = (
                ("%slopes", layout.varying[number]) if number in layout.varying else ("%bends", layout.settled[number])
            )
            left = entry.get((row, column), writer.number(0.0))
            entry[row, column] = writer.arithmetic("fsub", left, writer.load(*held))
    for kind, where in elimination.steps:
        k = where[-1]
        if not rows.issuperset(where):
            continue
        if kind == "pivot":
            entry[k, k] = writer.arithmetic("fdiv", writer.number(1.0), entry[k, k])
        elif kind == "scale":
            entry[where[0], k] = writer.arithmetic("fmul", entry[where[0], k], entry[k, k])
        else:
            i, j = where[0], where[1]
            product = writer.arithmetic("fmul", entry[i, k], entry[k, j])
            entry[i, j] = writer.arithmetic("fsub", entry.get((i, j), writer.number(0.0)), product)
    for position, place in enumerate(elimination.entries):
        if place in entry:
            writer.store(entry[place], "%w", position)
    arrays = ["%slopes", "%bends", "%h", "%w"]
    return writer.function("tangent_factor", arrays, attributes=_WIDE), list(writer.declarations)


def _ready(lowered: Lowered, layout: Layout, width: int) -> Function:
    """tangent_ready(y, q, u, slopes, bends, z, w, h): slopes at every stage; bends and factors at the start."""
    writer, size, count = Writer(width), len(lowered.states), max(1, len(layout.slopes.results))
    loops = _Loops(writer, size)
    stages = [writer.address("%u", stage * size) for stage in range(STAGES)]
    writer.do("call void @tangent_bends(ptr %y, ptr %q, ptr %bends)")
    writer.do("call void @tangent_slopes(ptr %y, ptr %q, ptr %slopes)")
    writer.do("call void @tangent_factor(ptr %slopes, ptr %bends, ptr %h, ptr %w)")
    for stage in range(1, STAGES):

        def place(index: str, stage: int = stage) -> None:
            if stage > _CHAINED:
                begin, moved = writer.load("%z", index), writer.load(stages[stage - 1], index)
            else:
                begin = writer.load("%y", index)
                moved = _weighted(writer, A[stage], [writer.load(each, index) for each in stages[:stage]])
            writer.store(writer.arithmetic("fadd", begin, moved), "%z", index)

        loops.over(place)
        writer.do(f"call void @tangent_slopes(ptr %z, ptr %q, ptr {writer.address('%slopes', stage * count)})")
    names = ["y", "q", "u", "slopes", "bends", "z", "w", "h", "spare1", "spare2", "spare3", "spare4"]
    arrays = [f"%{name}" for name in names]
    return writer.function("tangent_ready", arrays, attributes=_WIDE), list(writer.declarations)


class _Sums:
    """Writes sums of products for all directions of a block side by side."""

    def __init__(self, writer: Writer, depth: int) -> None:
        self.writer, self.depth = writer, depth

    def load(self, array: str, position: int) -> list[str]:
        """A number of every direction."""
        return [self.writer.load(array, position * self.depth + d) for d in range(self.depth)]

    def store(self, values: Sequence[str], array: str, position: int) -> None:
        """Put away a number of every direction."""
        for d, value in enumerate(values):
            self.writer.store(value, array, position * self.depth + d)

    def add(self, total: list[str], factor: str | Sequence[str], terms: Sequence[str]) -> list[str]:
        """total + factor * terms; the factor is one for all directions or one each."""
        factors = [factor] * self.depth if isinstance(factor, str) else factor
        if not total:
            return [self.writer.arithmetic("fmul", f, t) for f, t in zip(factors, terms, strict=True)]
        return [self.writer.fused(f, t, old) for f, t, old in zip(factors, terms, total, strict=True)]

    def less(self, total: list[str], factor: str, terms: Sequence[str]) -> list[str]:
        """total - factor * terms."""
        products = [self.writer.arithmetic("fmul", factor, term) for term in terms]
        return [self.writer.arithmetic("fsub", old, product) for old, product in zip(total, products, strict=True)]


def bent_entries(lowered: Lowered, layout: Layout, block: Block) -> list[int]:
    """Entries of the Jacobian's pattern in the block's rows that change along its directions."""
    rows, lists = set(block.rows), layout.lists
    found = {entry for entry, column in lists.bent_by_state if column in rows}
    found |= {entry for entry, slot in lists.bent_by_moved if slot in block.moved}
    return sorted(entry for entry in found if lowered.pattern[entry][0] in rows)


def _bend(lowered: Lowered, layout: Layout, block: Block, number: int, width: int) -> Function:
    """tangent_bend(s, dq, bends, bent): how each entry of the Jacobian changes along every direction."""
    writer, lists = Writer(width), layout.lists
    sums, local = _Sums(writer, layout.depth), {state: i for i, state in enumerate(block.rows)}
    terms: dict[int, list[tuple[int, str, int]]] = {}
    for place, (entry, column) in enumerate(lists.bent_by_state):
        if column in local:
            terms.setdefault(entry, []).append((place, "%s", local[column]))
    for place, (entry, slot) in enumerate(lists.bent_by_moved, start=len(lists.bent_by_state)):
        if slot in block.moved:
            terms.setdefault(entry, []).append((place, "%dq", slot))
    for position, entry in enumerate(bent_entries(lowered, layout, block)):
        total: list[str] = []
        for place, array, source in terms[entry]:
            total = sums.add(total, writer.load("%bends", place), sums.load(array, source))
        sums.store(total, "%bent", position)
    name = f"tangent_bend{number}"
    return writer.function(name, ["%s", "%dq", "%bends", "%bent"], attributes=_WIDE), list(writer.declarations)


def _stage_solve(lowered: Lowered, layout: Layout, block: Block, number: int, width: int) -> Function:
    """tangent_stage(z, b, u, slopes, bends, bent, dq, w): b, the past's part, becomes the derivative."""
    writer, elimination = Writer(width), lowered.elimination
    sums, local = _Sums(writer, layout.depth), {state: i for i, state in enumerate(block.rows)}
    at = {place: position for position, place in enumerate(elimination.entries)}
    bent = {entry: position for position, entry in enumerate(bent_entries(lowered, layout, block))}
    terms = _terms(lowered, layout)
    solved: dict[int, list[str]] = {}
    for row in block.rows:
        total = sums.load("%b", local[row])
        for entry, array, source in terms.get(row, ()):
            if array == "%z" and entry in bent:
                total = sums.add(total, writer.load("%u", source), sums.load("%bent", bent[entry]))
            if source not in (local if array == "%z" else block.moved):
                continue
            slope = writer.load(*_held(layout, entry))
            total = sums.add(total, slope, sums.load(array, local[source] if array == "%z" else source))
        if row in layout.into:
            total = _plus(writer, total, sums.load("%dq", len(layout.lists.moved) + layout.into.index(row)))
        for k in elimination.lower[row]:
            if k in local:
                total = sums.less(total, writer.load("%w", at[row, k]), solved[k])
        solved[row] = total
    for row in reversed(block.rows):
        for j in elimination.upper[row]:
            if j in local:
                solved[row] = sums.less(solved[row], writer.load("%w", at[row, j]), solved[j])
        pivot = writer.load("%w", at[row, row])
        solved[row] = [writer.arithmetic("fmul", value, pivot) for value in solved[row]]
        sums.store(solved[row], "%b", local[row])
    arrays = ["%z", "%b", "%u", "%slopes", "%bends", "%bent", "%dq", "%w"]
    return writer.function(f"tangent_stage{number}", arrays, attributes=_WIDE), list(writer.declarations)


def _plus(writer: Writer, left: Sequence[str], right: Sequence[str]) -> list[str]:
    return [writer.arithmetic("fadd", a, b) for a, b in zip(left, right, strict=True)]


def _terms(lowered: Lowered, layout: Layout) -> dict[int, list[tuple[int, str, int]]]:
    """For each state its slopes: (entry, array of what it multiplies, position there)."""
    terms: dict[int, list[tuple[int, str, int]]] = {}
    for entry, (row, column) in enumerate(lowered.pattern):
        terms.setdefault(row, []).append((entry, "%z", column))
    for entry, (row, slot) in enumerate(layout.lists.by_moved, start=len(lowered.pattern)):
        terms.setdefault(row, []).append((entry, "%dq", slot))
    return terms


def _step(layout: Layout, lowered: Lowered, block: Block, number: int, width: int) -> Function:
    """tangent_step(s, s_new, dq, u, slopes, bends, w, h, v, z, bent, judged): a step's derivatives; v its stages'.

    After `s_new` lie the largest derivatives so far. `judged` holds each lane's largest error so far, in terms of what
    is allowed, and the relative tolerance.
    """
    writer, states = Writer(width), len(lowered.states)
    size, count = len(block.rows) * layout.depth, max(1, len(layout.slopes.results))
    loops = _Loops(writer, size)
    writer.do(f"call void @tangent_bend{number}(ptr %s, ptr %dq, ptr %bends, ptr %bent)")
    inverse = writer.arithmetic("fdiv", writer.number(1.0), writer.load("%h", 0))
    grown = writer.address("%s_new", size)
    stages = [writer.address("%v", stage * size) for stage in range(STAGES)]
    scaled = [[writer.arithmetic("fmul", writer.number(c), inverse) for c in row] for row in C]
    for stage in range(STAGES):

        def begin(index: str, stage: int = stage) -> None:
            past = [writer.load(each, index) for each in stages[:stage]]
            if stage > _CHAINED:
                place = writer.arithmetic("fadd", writer.load("%z", index), past[-1])
            else:
                place = writer.load("%s", index)
                for a, term in zip(A[stage], past, strict=True):
                    place = writer.fused(writer.number(a), term, place)
            writer.store(place, "%z", index)
            total = writer.number(0.0)
            for position, (c, term) in enumerate(zip(scaled[stage], past, strict=True)):
                total = writer.fused(c, term, total) if position else writer.arithmetic("fmul", c, term)
            writer.store(total, stages[stage], index)

        loops.over(begin)
        own = [writer.address("%u", stage * states), writer.address("%slopes", stage * count)]
        writer.do(
            f"call void @tangent_stage{number}(ptr %z, ptr {stages[stage]}, ptr {own[0]}, ptr {own[1]}, "
            "ptr %bends, ptr %bent, ptr %dq, ptr %w)"
        )
    relative = writer.load("%judged", 1)

    def finish(index: str) -> None:
        change, old = writer.load(stages[-1], index), writer.load("%s", index)
        new = writer.arithmetic("fadd", writer.load("%z", index), change)
        writer.store(new, "%s_new", index)
        size = writer.operation("maximum", [writer.intrinsic("llvm.fabs", old), writer.intrinsic("llvm.fabs", new)])
        weight = writer.fused(writer.number(FLOOR), writer.load(grown, index), size)
        weight = writer.fused(weight, relative, writer.number(_NOTHING))
        ratio = writer.arithmetic("fmul", writer.intrinsic("llvm.fabs", change), writer.estimate(weight))
        writer.store(writer.operation("maximum", [ratio, writer.load("%judged", 0)]), "%judged", 0)

    loops.over(finish)
    arrays = ["s", "s_new", "dq", "u", "slopes", "bends", "w", "h", "v", "z", "bent", "judged"]
    given = [f"%{name}" for name in arrays]
    return writer.function(f"tangent_step{number}", given, attributes=_WIDE), list(writer.declarations)


def _accept(layout: Layout, block: Block, number: int, width: int) -> Function:
    """tangent_accept(s, s_new, taken, unused): lanes whose `taken` is not zero move on and remember the largest."""
    writer, size = Writer(width), len(block.rows) * layout.depth
    taken = writer.compare("one", writer.load("%taken", 0), writer.number(0.0))
    grown = writer.address("%s_new", size)

    def body(index: str) -> None:
        old, new, held = writer.load("%s", index), writer.load("%s_new", index), writer.load(grown, index)
        largest = writer.operation("maximum", [writer.intrinsic("llvm.fabs", new), held])
        writer.store(writer.choose(taken, new, old), "%s", index)
        writer.store(writer.choose(taken, largest, held), grown, index)

    _Loops(writer, size).over(body)
    arrays = ["%s", "%s_new", "%taken", "%unused"]
    return writer.function(f"tangent_accept{number}", arrays, attributes=_WIDE), list(writer.declarations)


__all__ = ["bent_entries", "tangent_functions"]
