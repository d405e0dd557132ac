"""At which times a trial's people must be looked at, so that every number can be worked out.

Times are hours on the clock of the arm: from the start of the trial, in a crossover from the start of the period.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from rekindle.moments import visit_times
from rekindle.trial.design import Number, Trial, TrialArm

DAY_H = 24.0
WEEK_H = 168.0
USUAL_H = (2.0, 4.0, 24.0, 48.0, 72.0)
PEAK_H = (0.25, 0.5, 2.0 / 3.0, 0.75, 1.0, 1.5, 2.0)
AFTER_SESSION_H = 24.0
"""When a session's response is rated, for the number of sessions until response."""

RELAPSES = ("relapse", "survival", "time_to_relapse", "hazard_ratio")


def since_h(trial: Trial, arm: TrialArm, number: Number) -> float:
    """When the clock of a relapse starts."""
    since = number.options.since
    if isinstance(since, str):
        if since == "last dose":
            return last_dose_h(arm)
        return trial.stage_start_h(number.stage)
    return float(since)


def last_dose_h(arm: TrialArm) -> float:
    """Hour of the last session of any stage; 0 without one."""
    return max((stage.start_h + stage.course.sessions[-1].time_h for stage in arm.stages if stage.course.sessions),
               default=0.0)  # fmt: skip


def relapse_visits(trial: Trial, arm: TrialArm, number: Number) -> tuple[float, ...]:
    """Ratings at which relapse is looked for: the trial's visits after the start of the clock, or every week."""
    start = since_h(trial, arm, number)
    end = number.time_h
    if end is None:
        published = number.value * DAY_H if number.unit == "d" and math.isfinite(number.value) else 0.0
        end = start + max(8 * WEEK_H, 2.0 * published, (trial.visits_h or (0.0,))[-1] - start)
    own = [time for time in trial.visits_h if start < time <= end]
    if len(own) >= 3:
        return tuple(sorted({start, *own, end}))
    days = (end - start) / DAY_H
    step = DAY_H if days <= 10 else 3.5 * DAY_H if days <= 60 else WEEK_H
    count = max(1, round((end - start) / step))
    return tuple(start + (end - start) * place / count for place in range(count + 1))


def any_visits(trial: Trial, end_h: float) -> tuple[float, ...]:
    """Ratings up to a time: the trial's visits, or the usual ones."""
    own = tuple(time for time in trial.visits_h if 0 < time <= end_h)
    return own or tuple(time for time in visit_times(end_h) if time > 0)


def sessions_h(arm: TrialArm) -> tuple[float, ...]:
    """Hours of the arm's sessions, tablets left out."""
    return tuple(
        sorted(
            {
                stage.start_h + session.time_h
                for stage in arm.stages
                for session in stage.course.sessions
                if session.regimen.drug not in ("oral-antidepressant", "none")
            }
        )
    )


def after_sessions(arm: TrialArm) -> tuple[float, ...]:
    """When each session's response is rated: a day later, or just before the next session when that is sooner."""
    starts = sessions_h(arm)
    following = [*starts[1:], math.inf]
    return tuple(min(start + AFTER_SESSION_H, after) for start, after in zip(starts, following, strict=True))


def dropout_visits(trial: Trial) -> tuple[float, ...]:
    """Ratings between which people leave; the last is when the published share had left."""
    if trial.dropout is None:
        return ()
    end = trial.dropout.by_h
    own = [time for time in trial.visits_h if 0 < time < end]
    if not own:
        weeks = int(end // WEEK_H)
        own = [week * WEEK_H for week in range(1, weeks + 1) if week * WEEK_H < end]
    return (0.0, *own, end)


def number_times(trial: Trial, arm: TrialArm, number: Number) -> tuple[float, ...]:
    """Every time at which a number looks at the people of an arm."""
    options = number.options
    times: list[float] = [0.0, *options.times_h]
    times += [time for time in (number.time_h, options.end_h) if time is not None]
    if options.any_by_h is not None:
        times += any_visits(trial, options.any_by_h)
    if number.quantity in RELAPSES:
        times += relapse_visits(trial, arm, number)
    if number.quantity == "sessions_to_response":
        times += after_sessions(arm)
    if number.quantity == "peak" and number.time_h is not None:
        times += [time for time in PEAK_H if time <= number.time_h]
    if number.quantity in ("class_share", "class_mean") and not options.times_h:
        times += class_times(trial)
    if number.quantity == "correlation" and " at " in options.covariate:
        from rekindle.study_file import duration_h

        times.append(duration_h(options.covariate.split(" at ")[1]))
    times += [time for condition in (*number.among, *trial.enter) for time in condition.times_h]
    return tuple(times)


def class_times(trial: Trial) -> tuple[float, ...]:
    """Ratings by which courses are sorted into classes when the number names none: the trial's visits."""
    return (0.0, *(time for time in trial.visits_h if time > 0))


def needed_times(
    trial: Trial, arm: TrialArm, numbers: Sequence[Number], extra: Sequence[float] = ()
) -> tuple[float, ...]:
    """All times at which the arm's people are looked at, in order, from 0."""
    times = {0.0, *extra, *dropout_visits(trial)}
    for number in numbers:
        if arm.name in number.arms or any(arm.name in trial.arm(name).mixture for name in number.arms):
            times.update(number_times(trial, arm, number))
    return tuple(sorted({round(time, 6) for time in times}))
