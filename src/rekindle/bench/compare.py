"""The comparison: tolerances tuned, rounds interleaved, medians and ranges, and how speed grows with the work."""

from __future__ import annotations

import resource
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from rekindle.bench.diffrax_peer import Diffrax
from rekindle.bench.machine import fused_peak, processor, step_flops
from rekindle.bench.peers import Copasi, Native, Peer, RoadRunner, Scipy, Setting, sizes, timed
from rekindle.bench.work import Work, make_work
from rekindle.engine.backends import solve
from rekindle.engine.specialise import task_part

TARGET = 1e-4
"""The largest error allowed to everybody."""

CHECKED = 64
MISSING = {
    "AMICI": "not used: the harness has no way to it yet",
    "mrgsolve": "not installed: it is reached through R",
}

Tell = Callable[[str], None]


def peers_here(quick: bool) -> tuple[list[Peer], dict[str, str]]:
    """The programs that are installed, and why the others are not used."""
    wanted: list[Any] = [Native(True), Native(False), RoadRunner(True), RoadRunner(False), Copasi(), Scipy()]
    if not quick:
        wanted.append(Diffrax())
    found = [peer for peer in wanted if peer.version() is not None]
    missing = {peer.name: "not installed" for peer in wanted if peer.version() is None}
    return found, missing | MISSING | ({"diffrax": "left out: --quick"} if quick else {})


def tuned(peer: Peer, work: Work, target: float = TARGET) -> dict[str, Any]:
    """A peer's grid: error and speed at every setting, and the quickest that is exact enough (or the most exact)."""
    held, begun = _resident(), time.process_time()
    peer.prepare(work)
    compile_s = time.process_time() - begun
    rows: list[dict[str, Any]] = []
    for setting in peer.grid:
        seconds, found = timed(peer, range(min(peer.checked, len(work))), setting)
        rows.append({"setting": setting, "error": work.error(found), "per_second": len(found) / seconds})
    good = [row for row in rows if row["error"] <= target]
    chosen = max(good, key=lambda row: row["per_second"]) if good else min(rows, key=lambda row: row["error"])
    return {
        "grid": rows,
        "setting": chosen["setting"],
        "error": chosen["error"],
        "compile_s": compile_s,
        "memory_mb": _resident() - held,
    }


def _resident() -> float:
    """Megabytes of memory that this process holds at most so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0


def interleaved(peers: Sequence[tuple[Peer, Setting]], rounds: int) -> tuple[list[list[float]], list[float]]:
    """People a processor second of every peer in every round, and the machine's peak in every round.

    The peers take turns, the order goes back and forth; the peak is measured beside them, so that what other work on
    the machine takes from one it takes from the other.
    """
    found: list[list[float]] = [[] for _ in peers]
    peaks: list[float] = []
    for turn in range(rounds):
        order = range(len(peers)) if turn % 2 == 0 else reversed(range(len(peers)))
        peaks.append(fused_peak())
        for i in order:
            peer, setting = peers[i]
            seconds, _ = timed(peer, range(peer.people), setting)
            found[i].append(peer.people / seconds)
    return found, peaks


def compare(rounds: int = 5, quick: bool = False, tell: Tell = lambda line: None) -> dict[str, Any]:
    """Everything that `rekindle bench` reports, as one document."""
    begun = time.perf_counter()
    tell(f"solving {CHECKED} people exactly")
    work = make_work(CHECKED)
    present, missing = peers_here(quick)
    tunings = []
    for peer in present:
        tell(f"tuning {peer.name}")
        tunings.append(tuned(peer, work))
    tell("timing, in turns")
    speeds, peaks = interleaved(
        [(peer, each["setting"]) for peer, each in zip(present, tunings, strict=True)], 3 if quick else rounds
    )
    rivals = [i for i, peer in enumerate(present) if peer.name.startswith("libRoadRunner")]
    best = max(rivals, key=lambda i: statistics.median(speeds[i])) if rivals else None
    entries = {}
    for i, (peer, tuning) in enumerate(zip(present, tunings, strict=True)):
        against = [a / b for a, b in zip(speeds[i], speeds[best], strict=True)] if best is not None else []
        entries[peer.name] = _entry(peer, tuning, speeds[i], against, _fraction(peer, speeds[i], peaks))
    own = entries["rekindle"]
    tell("how speed grows with the work")
    setting = tunings[0]["setting"]
    return {
        "people_per_second_per_thread": own["people_per_second_per_thread"],
        "max_error": own["max_error"],
        "ratio_to_libroadrunner": own["ratio_to_libroadrunner"],
        "fma_peak_fraction": own["fma_peak_fraction"],
        "all_equations": entries["rekindle, all equations"],
        "peers": entries,
        "missing": missing,
        "quickest_libroadrunner": present[best].name if best is not None else None,
        "error_allowed": TARGET,
        "people_checked": CHECKED,
        "outputs": len(work.outputs),
        "times": len(work.times),
        "processor": processor(),
        "fma_peak_gflops": max(peaks) / 1e9,
        "scaling": scaling(setting, quick),
        "memory_peak_mb": _resident(),
        "wall_s": time.perf_counter() - begun,
    }


def _entry(
    peer: Peer, tuning: dict[str, Any], speeds: Sequence[float], against: Sequence[float], fraction: float | None
) -> dict[str, Any]:
    return {
        "version": peer.version(),
        "method": peer.method,
        "people_per_second_per_thread": statistics.median(speeds),
        "people_per_second_range": [min(speeds), max(speeds)],
        "max_error": tuning["error"],
        "people_checked": peer.checked,
        "setting": str(tuning["setting"]),
        "ratio_to_libroadrunner": statistics.median(against) if against else None,
        "ratio_range": [min(against), max(against)] if against else None,
        "fma_peak_fraction": fraction,
        "compile_s": tuning["compile_s"],
        "memory_growth_mb": tuning["memory_mb"],
        "grid": [row | {"setting": str(row["setting"])} for row in tuning["grid"]],
    }


def _fraction(peer: Peer, speeds: Sequence[float], peaks: Sequence[float]) -> float | None:
    """The share of the machine's peak that the peer's counted operations come to, middle of the rounds, each beside the
    peak of its round; only ours can be counted."""
    if not isinstance(peer, Native):
        return None
    work, report = peer.work, peer.report
    lowered = work.lowered
    if peer.specialise:
        part = task_part(lowered, work.rows, work.segments, work.outputs)
        lowered = part.lowered if part is not None else lowered
    steps = (report["steps"] + report["refused_steps"]) / report["people"]
    share = statistics.median(speed / peak for speed, peak in zip(speeds, peaks, strict=True))
    return share * steps * step_flops(lowered)


def scaling(setting: Setting, quick: bool) -> dict[str, list[dict[str, Any]]]:
    """People a second against the number of people, of doses, of equations, and of threads (wall time)."""
    counts = (16, 64, 250, 1000) if quick else (16, 64, 250, 1000, 4000)
    base = make_work(250, exact=False)
    scale = sizes(base)

    def speed(work: Work, people: int, threads: int = 1, specialise: bool = True) -> dict[str, Any]:
        part = work.take(range(people))
        taken = []
        for _ in range(3):
            begun = time.perf_counter() if threads > 1 else time.process_time()
            found = solve(
                part.lowered, part.rows, part.segments, part.outputs, relative_tolerance=setting.relative,
                threads=threads, scale=scale, specialise=specialise,
            )  # fmt: skip
            taken.append((time.perf_counter() if threads > 1 else time.process_time()) - begun)
        seconds = statistics.median(taken)
        steps = (found.report["steps"] + found.report["refused_steps"]) / people
        return {"people": people, "per_second": people / seconds, "steps_a_person": steps}

    doses = [(count, make_work(250, count, exact=False)) for count in (3, 6, 12, 24)]
    speed(base, 64)
    parts = {
        "plasma levels": ("plasma_ketamine", "plasma_norketamine"),
        "severity": ("severity",),
        "every output": base.outputs,
    }
    sizes_of = []
    for name, outputs in parts.items():
        part = task_part(base.lowered, base.rows, base.segments, outputs)
        states = len(part.lowered.states) if part is not None else len(base.lowered.states)
        own = replace(base, outputs=outputs)
        speed(own, 8)
        sizes_of.append({"what": name, "states": states} | speed(own, 250))
    sizes_of.append({"what": "all equations", "states": len(base.lowered.states)} | speed(base, 250, specialise=False))
    return {
        "people": [speed(base, count) for count in counts],
        "doses": [{"doses": count} | speed(work, 250) for count, work in doses],
        "states": sizes_of,
        "threads": [{"threads": count} | speed(base, 1000, threads=count) for count in (1, 2)],
    }
