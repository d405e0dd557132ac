"""When a simulated person is looked at: at rating visits, around every session, and often enough to draw a line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

SESSION_MINUTES = (0, 10, 20, 30, 40, 50, 60, 90, 120, 180, 240)
"""Minutes after each later session at which acute effects are looked at."""

PEAK_MINUTES = (30, 40, 60)
"""Minutes after a session's start at which its acute effects peak, by any route."""

FIRST_SESSION_STEP_MIN = 5
FIRST_SESSION_HOURS = 4
USUAL_VISITS_H = (0.0, 2.0, 4.0, 24.0, 48.0, 72.0)
WEEK_H = 168.0
DAY_H = 24.0


def visit_times(horizon_h: float, wanted: Sequence[float] | None = None) -> tuple[float, ...]:
    """Hours of the rating visits: those wanted, or the usual ones (first days, then every week) to the horizon.

    The first is always 0, before the first dose.

    >>> visit_times(200.0)
    (0.0, 2.0, 4.0, 24.0, 48.0, 72.0, 168.0, 200.0)
    """
    if wanted is not None:
        return tuple(sorted({0.0, *wanted}))
    weekly = [week * WEEK_H for week in range(1, int(horizon_h // WEEK_H) + 1)]
    return tuple(sorted({time for time in (*USUAL_VISITS_H, *weekly, horizon_h) if time <= horizon_h}))


def session_times(sessions_h: Iterable[float], horizon_h: float) -> tuple[float, ...]:
    """Hours around every session: the first every five minutes for four hours, the others at fewer moments."""
    times: set[float] = set()
    for number, start in enumerate(sorted(set(sessions_h))):
        minutes: Iterable[int] = SESSION_MINUTES
        if number == 0:
            minutes = range(0, FIRST_SESSION_HOURS * 60 + 1, FIRST_SESSION_STEP_MIN)
        times.update(round(start + minute / 60.0, 9) for minute in minutes)
    return tuple(sorted(time for time in times if time <= horizon_h))


def course_times(sessions_h: Sequence[float], visits_h: Sequence[float], horizon_h: float) -> tuple[float, ...]:
    """Hours at which one arm's people are followed: visits, sessions, every hour for three days, then every day."""
    times = {*visits_h, *session_times(sessions_h, horizon_h)}
    times.update(float(hour) for hour in range(min(72, int(horizon_h)) + 1))
    times.update(day * DAY_H for day in range(int(horizon_h // DAY_H) + 1))
    times.add(horizon_h)
    return tuple(sorted(times))


def repeat_times(sessions_h: Sequence[float], visits_h: Sequence[float], horizon_h: float) -> tuple[float, ...]:
    """Hours at which repeats are looked at: visits, the first session every ten minutes, the others at their peaks."""
    first = session_times(sessions_h[:1], horizon_h)[::2]
    peaks = [round(start + minute / 60.0, 9) for start in sessions_h for minute in PEAK_MINUTES]
    return tuple(sorted({*visits_h, *first, *(time for time in peaks if time <= horizon_h)}))
