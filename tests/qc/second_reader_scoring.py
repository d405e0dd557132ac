"""How a course of illness is scored, derived a second time from the definitions alone, as plainly as can be.

Written without sight of the package's own scoring. Loops instead of arrays, so that each line can be held against
the words of a protocol.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

NORMAL_975 = 1.959963984540054


def madrs_total(items: Sequence[int]) -> int:
    """Ten items from 0 to 6, summed."""
    if len(items) != 10 or any(not 0 <= item <= 6 for item in items):
        raise ValueError(items)
    return sum(items)


def madrs_response(baseline: float, score: float) -> bool:
    """A fall of at least half of the baseline."""
    return baseline - score >= 0.5 * baseline


def madrs_remission(score: float) -> bool:
    return score <= 10


def half_lost_visits(baseline: float, best: float, scores: Sequence[float]) -> int | None:
    """Number of the visit that completes a relapse: two running at which the person is less than half better.

    `best` is the score from which the fall from `baseline` is counted; exactly half left is no relapse.
    """
    running = 0
    for number, score in enumerate(scores):
        left = baseline - score
        running = running + 1 if left < 0.5 * (baseline - best) else 0
        if running == 2:
            return number
    return None


def kaplan_meier(times: Sequence[float], happened: Sequence[bool]) -> list[tuple[float, float, int, int]]:
    """(time, share still free, at risk, events) at every time with an event.

    Who is censored at a time is at risk for the events of that time.
    """
    free, steps = 1.0, []
    for time in sorted({t for t, event in zip(times, happened, strict=True) if event}):
        at_risk = sum(1 for t in times if t >= time)
        events = sum(1 for t, event in zip(times, happened, strict=True) if event and t == time)
        free *= 1.0 - events / at_risk
        steps.append((time, free, at_risk, events))
    return steps


def area_linear_up_log_down(times: Sequence[float], levels: Sequence[float]) -> float:
    """Trapezia where the level rises or stays or touches zero, exponential pieces where it falls."""
    total = 0.0
    for k in range(len(times) - 1):
        width, first, second = times[k + 1] - times[k], levels[k], levels[k + 1]
        if first > second > 0:
            total += width * (first - second) / math.log(first / second)
        else:
            total += width * (first + second) / 2
    return total


def wilson(successes: int, count: int, z: float = NORMAL_975) -> tuple[float, float]:
    """The shares p for which the observed share is z standard errors away, found by bisection of that definition."""
    observed = successes / count

    def too_far(share: float) -> bool:
        return (observed - share) ** 2 > z * z * share * (1 - share) / count

    return _edge(too_far, 0.0, observed), _edge(too_far, 1.0, observed)


def _edge(too_far, outer: float, inner: float) -> float:
    if not too_far(outer):
        return outer
    for _ in range(200):
        middle = 0.5 * (outer + inner)
        outer, inner = (middle, inner) if too_far(middle) else (outer, middle)
    return 0.5 * (outer + inner)
