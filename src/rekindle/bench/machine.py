"""What the processor can do at most, and how much of it the kernel does."""

from __future__ import annotations

import platform
import time

import numpy as np

from rekindle.engine.blocks import blocks_of
from rekindle.engine.compiled import lanes, load
from rekindle.engine.lower import Lowered, Program
from rekindle.engine.rosenbrock import STAGES, A, C

# Additions, multiplications and divisions of what the kernel makes of an operation (a division counts once).
_FLOPS = {"exp": 32, "log": 28, "power": 61, "tanh": 36}
_FREE = ("select", "less", "less_equal", "equal", "and", "or", "not", "negative", "abs")


def processor() -> str:
    """The processor's name where the system tells it, else its family."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:  # noqa: PTH123
            names = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
        return names[0] if names else platform.machine()
    except OSError:
        return platform.processor() or platform.machine()


def fused_peak(rounds: int = 7) -> float:
    """Floating-point operations a second (a fused multiply-add counts two) of one thread doing nothing else."""
    width, chains, repeats = lanes(), 12, 4
    kind, turns = f"<{width} x double>", 400_000
    name = f"llvm.fma.v{width}f64"
    lines = [
        f"declare {kind} @{name}({kind}, {kind}, {kind})",
        'define void @peak(ptr %a, ptr %n) "prefer-vector-width"="512" "min-legal-vector-width"="512" {',
        "entry:",
        f"  %m = load {kind}, ptr %a, align 8",
        "  %turns = load i64, ptr %n, align 8",
        "  br label %loop",
        "loop:",
        "  %i = phi i64 [ 0, %entry ], [ %j, %loop ]",
    ]
    last = repeats - 1
    lines += [f"  %x{k} = phi {kind} [ %m, %entry ], [ %x{k}_{last}, %loop ]" for k in range(chains)]
    for r in range(repeats):
        for k in range(chains):
            before = f"%x{k}_{r - 1}" if r else f"%x{k}"
            lines.append(f"  %x{k}_{r} = call {kind} @{name}({kind} {before}, {kind} %m, {kind} %m)")
    lines += ["  %j = add i64 %i, 1", "  %d = icmp eq i64 %j, %turns", "  br i1 %d, label %out, label %loop", "out:"]
    total = f"%x0_{last}"
    for k in range(1, chains):
        lines.append(f"  %s{k} = fadd {kind} {total}, %x{k}_{last}")
        total = f"%s{k}"
    lines += [f"  store {kind} {total}, ptr %a, align 8", "  ret void", "}"]
    function = load("\n".join(lines) + "\n").function("peak", 2)
    best = float("inf")
    for _ in range(rounds):
        values, count = np.full(width, 0.5), np.array([turns])
        begun = time.thread_time()
        function(values.ctypes.data, count.ctypes.data)
        best = min(best, time.thread_time() - begun)
    return 2.0 * width * chains * repeats * turns / best


def step_flops(lowered: Lowered) -> int:
    """Floating-point operations of one step of one person, counted from the statement lists.

    Every addition, multiplication and division counts one; roots one; exponentials and logarithms what their
    polynomials take. Comparisons, choices, signs, moves and what a lane does besides the step count nothing.
    """
    blocks, size = blocks_of(lowered), len(lowered.states)
    total = 0
    for block in blocks.blocks:
        elimination = block.elimination
        total += _program(block.first) + (STAGES - 1) * _program(block.later)
        total += sum(2 if kind == "update" else 1 for kind, _ in elimination.steps) + len(block.states)
        terms = len(elimination.entries) - len(block.states) + len(block.upstream)
        total += STAGES * (2 * terms + 2 * len(block.states))  # the solve, and what is infused or past
    for stage in range(1, STAGES):
        place = 2 * len(A[stage]) if stage <= 5 else 1
        total += size * (place + 2 * len(C[stage]) - 1 + 2)
    return total + size * 7  # the new states and their weighted error


def _program(program: Program) -> int:
    return sum(0 if name in _FREE else _FLOPS.get(name, 1) for _, name, _ in program.statements)
