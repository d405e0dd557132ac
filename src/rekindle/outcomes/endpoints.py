"""Response, remission, relapse and their times, from courses of totals at visits.

A response is a fall of at least half of the way from baseline to the scale's best score; remission is the
scale's own line; a relapse undoes a response by a named rule (`data/relapse.csv`), because trials differ. A
score that is missing (NaN) is neither, and a person is watched until the last visit that has a score.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from rekindle.errors import InputError, unknown
from rekindle.outcomes.scale import Line, Scale

Array = NDArray[np.float64]
Mask = NDArray[np.bool_]
CLASSES: tuple[str, ...] = ("remission", "half better", "partly better", "relapsed", "not better")
PARTLY = 0.25
"""Share of the way from baseline that counts as partly better; assumed, as no record defines it."""


@dataclass(frozen=True)
class Durations:
    """Times to an event in hours, shape people; `observed` is false where watching ended first."""

    time_h: Array
    observed: Mask


@dataclass(frozen=True)
class RelapseRule:
    """When a responder has relapsed: the score passes a line, or too small a share of the way from baseline is left.

    The condition must hold at `visits` visits running, the last at least `shortest_gap_h` after the first;
    the relapse is dated at the first of them.
    """

    name: str
    scale: str
    line: Line | None
    regained: float | None
    both: bool
    visits: int
    shortest_gap_h: float
    record: str
    reason: str

    def holds(self, scale: Scale, totals: Array, baseline: Array) -> Mask:
        """Where the condition holds at a visit, shape people x times."""
        parts = []
        if self.line is not None:
            parts.append(self.line.holds(totals))
        if self.regained is not None:
            parts.append(improvement(scale, totals, baseline) < self.regained)
        return np.asarray(np.all(parts, axis=0) if self.both else np.any(parts, axis=0))


@cache
def relapse_rules() -> Mapping[str, RelapseRule]:
    """The rules by name, in the order of the table; the first is the default."""
    text = (files("rekindle.outcomes") / "data" / "relapse.csv").read_text(encoding="utf-8")
    found = {}
    for row in csv.DictReader(text.splitlines()):
        line = None
        if row["comparison"]:
            line = Line(row["name"], row["comparison"], float(row["value"]), row["record"], row["reason"])
        regained = float(row["regained"]) if row["regained"] else None
        found[row["name"]] = RelapseRule(
            row["name"],
            row["scale"],
            line,
            regained,
            row["both"] == "yes",
            int(row["visits"]),
            float(row["shortest_gap_h"]),
            row["record"],
            row["reason"],
        )
    return found


def relapse_rule(name: str) -> RelapseRule:
    """The rule of a name.

    Raises:
        InputError: no such rule.
    """
    if name not in relapse_rules():
        raise unknown("relapse rule", name, relapse_rules())
    return relapse_rules()[name]


def improvement(scale: Scale, totals: Array, baseline: Array) -> Array:
    """Share of the way from baseline to the best score, shape people x times; negative when worse.

    NaN where a score is missing or the baseline is already the best score.

    Raises:
        InputError: shapes that do not fit.
    """
    totals, baseline = np.asarray(totals, dtype=np.float64), np.asarray(baseline, dtype=np.float64)
    if totals.ndim != 2 or baseline.shape != totals.shape[:1]:
        raise InputError(
            f"Totals {totals.shape} and baselines {baseline.shape} do not fit.",
            where=scale.name,
            hint="Totals are people x times, baselines one a person.",
        )
    best = scale.minimum if scale.better == "lower" else scale.maximum
    room = (baseline - best)[:, None]
    gone = np.full(totals.shape, np.nan)
    return np.asarray(np.divide(baseline[:, None] - totals, room, out=gone, where=room != 0))


def response(scale: Scale, totals: Array, baseline: Array, *, share: float | None = None) -> Mask:
    """Who has responded at each visit (people x times): at least `share` (the scale's own if none) of the
    way.

    Raises:
        InputError: the scale has no response and none is given, or shapes that do not fit.
    """
    wanted = scale.response if share is None else share
    if wanted is None:
        raise InputError("The scale has no definition of response.", where=scale.name, hint="Give a share.")
    return np.asarray(improvement(scale, totals, baseline) >= wanted - 1e-12)


def remission(scale: Scale, totals: Array, *, line: str | None = None) -> Mask:
    """Who is in remission at each visit (people x times), by the scale's first line or the one named.

    Raises:
        InputError: the scale has no such line.
    """
    return scale.line(line).holds(np.asarray(totals, dtype=np.float64))


def time_to_first(times_h: Array, happened: Mask, seen: Mask | None = None) -> Durations:
    """Time to the first visit at which something holds, censored at the last visit seen.

    `times_h` has shape times; `happened` and `seen` people x times (all seen when not given).
    """
    times = np.asarray(times_h, dtype=np.float64)
    watched = np.ones(happened.shape, dtype=bool) if seen is None else seen
    event = happened & watched
    observed = np.asarray(event.any(axis=1), dtype=np.bool_)
    last = np.where(watched.any(axis=1), times[watched.shape[1] - 1 - np.argmax(watched[:, ::-1], axis=1)], 0.0)
    return Durations(np.where(observed, times[np.argmax(event, axis=1)], last), observed)


def time_to_response(scale: Scale, times_h: Array, totals: Array, baseline: Array) -> Durations:
    """Time to the first response in hours, shape people, censored at the last score.

    Raises:
        InputError: as `response`.
    """
    return time_to_first(times_h, response(scale, totals, baseline), np.isfinite(totals))


def time_to_relapse(
    scale: Scale, times_h: Array, totals: Array, baseline: Array, *, since_h: Array, rule: str = "half lost"
) -> Durations:
    """Time from `since_h` (one a person: the last session, or the first response) to relapse, shape people.

    Censored at the last score; people whose `since_h` is NaN never responded: their time is NaN and no event.

    Raises:
        InputError: unknown rule, a rule of another scale, or shapes that do not fit.
    """
    chosen = relapse_rule(rule)
    if chosen.scale not in ("any", scale.name):
        raise InputError(f"The rule '{rule}' is for the {chosen.scale}.", where=scale.name)
    times = np.asarray(times_h, dtype=np.float64)
    since = np.asarray(since_h, dtype=np.float64)
    seen = np.isfinite(totals)
    bad = chosen.holds(scale, totals, baseline) & seen
    watched = seen & (times >= since[:, None])
    first = _first_runs(times, bad, watched, chosen.visits, chosen.shortest_gap_h)
    observed = np.isfinite(first)
    last = np.where(watched, times, -np.inf).max(axis=1, initial=-np.inf)
    end = np.where(observed, first, np.where(np.isfinite(last), last, since))
    return Durations(end - since, observed)


def time_to_gain_lost(
    scale: Scale, times_h: Array, totals: Array, baseline: Array, own: Array, *, since_h: Array, rule: str = "half lost"
) -> Durations:
    """Time from `since_h` (one a person) until the gain each has then is lost, shape people.

    A person's own gain goes from `baseline` to `own`, the person's own score at that time; what is lost of it is the
    share of the rule, at as many looks running, all of them later. For people followed from a known state; trials are
    scored by `time_to_relapse`, which counts from baseline to the best score. Censored at the last score; people whose
    `since_h` is NaN had nothing to lose: their time is NaN and no event.

    >>> from rekindle.outcomes import scale
    >>> looks, rated = np.array([168.0, 336.0, 504.0]), np.array([[19.0, 18.0, 20.0], [20.0, 28.0, 29.0]])
    >>> start, own = np.array([36.0, 36.0]), np.array([18.0, 18.0])
    >>> time_to_gain_lost(scale("MADRS"), looks, rated, start, own, since_h=np.zeros(2)).time_h
    array([504., 336.])

    Raises:
        InputError: unknown rule, or one that keeps no share of a gain.
    """
    chosen = relapse_rule(rule)
    if chosen.regained is None:
        raise InputError(f"The rule '{rule}' is no share of a gain.")
    times, since = np.asarray(times_h, dtype=np.float64), np.asarray(since_h, dtype=np.float64)
    sign = 1.0 if scale.better == "lower" else -1.0
    kept = sign * (baseline - own) * chosen.regained
    seen = np.isfinite(totals)
    watched = seen & (times > since[:, None])
    lost = watched & (sign * (baseline[:, None] - totals) < kept[:, None] - 1e-9)
    first = _first_runs(times, lost, watched, chosen.visits, chosen.shortest_gap_h)
    last = np.where(watched, times, -np.inf).max(axis=1, initial=-np.inf)
    end = np.where(np.isfinite(first), first, np.where(np.isfinite(last), last, since))
    return Durations(end - since, np.isfinite(first))


def _first_runs(times: Array, bad: Mask, watched: Mask, visits: int, gap_h: float) -> Array:
    """Time of the first of `visits` bad visits running, among those watched, that span at least `gap_h`; NaN without.

    `times` has shape times; `bad` and `watched` people x times.
    """
    people = len(bad)
    start, run, found = np.full(people, np.nan), np.zeros(people, dtype=np.int64), np.full(people, np.nan)
    for place, time in enumerate(times):
        here, holds = watched[:, place], watched[:, place] & bad[:, place]
        start = np.where(holds & (run == 0), time, start)
        run = np.where(here, np.where(holds, run + 1, 0), run)
        enough = holds & (run >= visits) & (time - start >= gap_h - 1e-9) & np.isnan(found)
        found = np.where(enough, start, found)
    return found


def classes(scale: Scale, totals: Array, baseline: Array, *, line: str | None = None) -> NDArray[np.int64]:
    """The class of everybody at each visit, as a number into `CLASSES`, shape people x times; -1 when not
    seen.

    In this order: in remission; half better; relapsed (was half better or in remission at an earlier visit
    and no longer is); partly better (a quarter of the way or more); not better.

    Raises:
        InputError: as `response` and `remission`.
    """
    well = remission(scale, totals, line=line)
    better = response(scale, totals, baseline)
    partly = improvement(scale, totals, baseline) >= PARTLY - 1e-12
    before = np.zeros_like(well)
    before[:, 1:] = np.logical_or.accumulate(well | better, axis=1)[:, :-1]
    found = np.select([well, better, before, partly], [0, 1, 3, 2], default=4)
    return np.asarray(np.where(np.isfinite(totals), found, -1), dtype=np.int64)


def out_of_100(numbers: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many of 100 people are in each class at each visit, shape times x classes, each row adding to 100.

    Shares of those seen, rounded by the largest remainder; a visit with nobody seen has zeros.
    """
    counts = np.stack([(numbers == place).sum(axis=0) for place in range(len(CLASSES))], axis=1)
    seen = counts.sum(axis=1, keepdims=True)
    exact = 100.0 * counts / np.maximum(seen, 1)
    whole: NDArray[np.int64] = np.floor(exact).astype(np.int64)
    for row in np.flatnonzero(seen[:, 0] > 0):
        missing = 100 - int(whole[row].sum())
        order = np.argsort(-(exact[row] - whole[row]), kind="stable")
        whole[row, order[:missing]] += 1
    return whole
