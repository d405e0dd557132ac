"""Published averages that belong over the forecast, chosen by design and never by how well they fit.

`data/published.csv` lists the records of a mean with its spread and what was given up to then. A point is *matched*
to an arm when drug, route, dose, companion treatment, population and the number of sessions up to its time agree; it
is *shown* when drug, route and dose agree; otherwise it is left out, with the reason. A published change is set on
the average with which the forecast's arm starts, and its source says so.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from rekindle.dosing.line import Session
from rekindle.evidence.catalog import catalog
from rekindle.evidence.record import Record
from rekindle.outcomes import SCALES
from rekindle.report.from_trajectories.sample import Sample
from rekindle.report.from_trajectories.tables import table, words
from rekindle.report.material import PublishedPoint
from rekindle.study import Arm

NORMAL_95 = 1.96
DOSE_SLACK = 0.05
"""Relative difference up to which two doses are the same."""

COMPANION = "oral-antidepressant"
_LATE_H = 1.0


@dataclass(frozen=True)
class LeftOut:
    """A published average that is not drawn, and why."""

    record: str
    reason: str


@dataclass(frozen=True)
class Chosen:
    """The points drawn and the records left out."""

    points: tuple[PublishedPoint, ...]
    left_out: tuple[LeftOut, ...]


def published(sample: Sample) -> Chosen:
    """The published averages for a study: by design ("auto"), none, or the records that it names."""
    asked = sample.study.published
    if asked == "none":
        return Chosen((), ())
    rows = {row["record"]: row for row in table("published")}
    if not isinstance(asked, str):
        known = [rows[name] for name in asked if name in rows]
        unknown = [LeftOut(name, NOT_DRAWN) for name in asked if name not in rows]
        found = choose(sample, known, named=True)
        return Chosen(found.points, (*found.left_out, *unknown))
    return choose(sample, list(rows.values()))


NOT_DRAWN = "its table has no design for this record: it is no mean with a spread on a scale that is drawn over time"


def choose(sample: Sample, rows: list[Mapping[str, str]], *, named: bool = False) -> Chosen:
    """Points for the rows whose design fits; rows that the study names are shown on any arm with their drug."""
    points: list[PublishedPoint] = []
    left: list[LeftOut] = []
    for row in rows:
        verdicts = [(arm, judge(sample, row, arm, named=named)) for arm in sample.arms]
        matched = [arm for arm, (kind, _) in verdicts if kind == "matched"]
        shown = [arm for arm, (kind, _) in verdicts if kind == "shown"][:1]
        points += [point(sample, row, arm, matched=bool(matched)) for arm in matched or shown]
        if not matched and not shown:
            reasons = dict.fromkeys(reason for _, (_, reason) in verdicts)
            left.append(LeftOut(row["record"], "; ".join(reasons)))
    return Chosen(tuple(points), tuple(left))


def judge(sample: Sample, row: Mapping[str, str], arm: Arm, *, named: bool = False) -> tuple[str, str]:
    """'matched', 'shown' or 'left out', with the reason for less than matched."""
    scale, hour = row["outcome"], float(row["time_h"])
    if scale not in SCALES or not sample.has(scale):
        return "left out", f"{scale} is not followed"
    if hour > sample.last_h + _LATE_H:
        return "left out", "after the end of the study"
    sessions = sample.sessions(arm)
    if not sessions:
        return "left out", f"{arm.name} has no session"
    start = sessions[0].time_h
    before = [session for session in sessions if session.time_h < start + hour - 1e-6] or [sessions[0]]
    for session in before:
        reason = differs(row, session, with_dose=not named)
        if reason:
            return "left out", reason
    given = sum(session.time_h < start + hour - 1e-6 for session in sessions)
    companion = COMPANION in arm.course.drugs
    if given != int(row["sessions"]):
        return "shown", f"{given} sessions up to then, not {row['sessions']}"
    if any(differs(row, session, with_dose=True) for session in before):
        return "shown", "another dose"
    if companion != (row["beside"] == COMPANION):
        return "shown", f"with{'out' if companion else ''} an oral antidepressant"
    if sample.study.participants.kind not in words(row["populations"]):
        return "shown", "another population"
    return "matched", ""


def differs(row: Mapping[str, str], session: Session, *, with_dose: bool) -> str:
    """How a session differs from what a record gave; empty when it does not."""
    regimen = session.regimen
    if regimen.drug not in words(row["drugs"]):
        return "another drug"
    if regimen.route not in words(row["routes"]):
        return "another route"
    dose = regimen.steps[0].dose
    if not with_dose or not row["dose_low"] or dose is None:
        return ""
    low, high = float(row["dose_low"]) * (1 - DOSE_SLACK), float(row["dose_high"]) * (1 + DOSE_SLACK)
    if len(regimen.steps) > 1 or dose.unit != row["dose_unit"] or not low <= dose.amount <= high:
        return "another dose"
    return ""


def point(sample: Sample, row: Mapping[str, str], arm: Arm, *, matched: bool) -> PublishedPoint:
    """One point on the arm's axis, its 95 % interval from the standard error of the mean."""
    record = catalog().get(row["record"])
    people = int(row["n"]) if row["n"] else record.n or 0
    half = NORMAL_95 * standard_error(record, people)
    mean, source = record.number, record.source.citation
    if row["kind"] == "change":
        mean += float(sample.course(row["outcome"], arm.name, np.arange(1))[0])
        source += " (change, set on the forecast's start)"
    scale = SCALES[row["outcome"]]
    ends = max(mean - half, scale.minimum), min(mean + half, scale.maximum)
    start = sample.sessions(arm)[0].time_h
    hour = start + float(row["time_h"])
    return PublishedPoint(record.id, arm.name, row["outcome"], hour, mean, *ends, people, source, matched)


def standard_error(record: Record, people: int) -> float:
    """The standard error of a record's mean: as printed, or its standard deviation over the root of the people.

    Raises:
        ValueError: the record prints neither, or a standard deviation without people.
    """
    spread = record.spread[0] if len(record.spread) == 1 else None
    if spread is not None and record.spread_kind == "SE":
        return spread
    if spread is not None and record.spread_kind == "SD" and people > 1:
        return spread / math.sqrt(people)
    raise ValueError(f"record '{record.id}' has no standard error of its mean")
