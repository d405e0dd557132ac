"""The work that every program is given: Rekindle's model, people, a course of infusions, and what is looked at."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rekindle.cohort import cohort
from rekindle.dosing import parse
from rekindle.engine.backends import solve
from rekindle.engine.lower import Lowered
from rekindle.engine.schedule import Schedule, Segments, compile_schedule, compile_together
from rekindle.mechanism.outputs import OUTPUTS
from rekindle.population import draw
from rekindle.simulate import lowered_model
from rekindle.study import Arm

Floats = NDArray[np.float64]

WEEKS, DAYS_A_WEEK, DAY_H, INFUSION_H = 12, 7, 24.0, 40.0 / 60.0
SEED = 20261124
EXACT_TOLERANCE = 1e-11
SCALE = 1e-3
"""The error of a value is judged relative to it plus this share of its output's largest value."""


@dataclass(frozen=True)
class Work:
    """People, their courses and what is looked at.

    `exact`, shape (people, times, outputs), is the plain solver's answer at a tolerance of 1e-11.
    """

    lowered: Lowered
    rows: Floats
    schedules: tuple[Schedule, ...]
    segments: tuple[Segments, ...]
    outputs: tuple[str, ...]
    times: tuple[float, ...]
    exact: Floats

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, people: range) -> Work:
        """Some of the people, again and again if there are fewer than asked for."""
        which = [i % len(self) for i in people]
        return replace(
            self,
            rows=self.rows[which],
            schedules=tuple(self.schedules[i] for i in which),
            segments=tuple(self.segments[i] for i in which),
            exact=self.exact[which] if len(self.exact) else self.exact,
        )

    def error(self, found: Floats) -> float:
        """The largest error of these values: |difference| / (|exact| + a thousandth of the output's largest)."""
        largest = np.abs(self.exact).max(axis=(0, 1))
        compared = np.abs(self.exact[: len(found)]) + SCALE * largest
        off = np.abs(found - self.exact[: len(found)]) / np.where(compared > 0.0, compared, 1.0)
        return float(off.max()) if np.isfinite(off).all() else float("inf")


def infusions(doses: int) -> str:
    """The sentence for so many infusions, evenly over twelve weeks."""
    days = sorted({1 + round(k * WEEKS * DAYS_A_WEEK / doses) for k in range(doses)})
    return f"0.5 mg/kg IV over 40 min, days {', '.join(map(str, days))}"


def looked_at(doses: int) -> tuple[float, ...]:
    """Hours looked at: start and end of every infusion, a day later, and every week."""
    starts = [DAY_H * round(k * WEEKS * DAYS_A_WEEK / doses) for k in range(doses)]
    hours = {start + after for start in starts for after in (0.0, INFUSION_H, DAY_H)}
    hours |= {week * DAYS_A_WEEK * DAY_H for week in range(1, WEEKS + 1)}
    return tuple(sorted(hour for hour in hours if 0.0 < hour <= WEEKS * DAYS_A_WEEK * DAY_H))


def make_work(people: int, doses: int = 12, *, exact: bool = True, outputs: tuple[str, ...] = OUTPUTS) -> Work:
    """People with treatment-resistant depression and their infusions; every person differs in body and parameters."""
    lowered, times = lowered_model(), looked_at(doses)
    ready = cohort(
        draw("treatment-resistant-depression", people, SEED),
        Arm("bench", parse(infusions(doses))),
        hypotheses={},
        output_times=times,
        horizon_h=WEEKS * DAYS_A_WEEK * DAY_H,
    )
    column = {name: index for index, name in enumerate(ready.names)}
    rows = np.ascontiguousarray(ready.parameters[:, [column[name] for name in lowered.parameters]])
    if ready.together is not None:
        segments = compile_together(ready.together, lowered, people)
    else:
        segments = tuple(compile_schedule(schedule, lowered) for schedule in ready.schedules)
    work = Work(lowered, rows, tuple(ready.schedules), segments, outputs, times, np.empty((0, len(times), 0)))
    if not exact:
        return work
    plain = solve(lowered, rows, segments, outputs, backend="reference", relative_tolerance=EXACT_TOLERANCE)
    return replace(work, exact=plain.values)
