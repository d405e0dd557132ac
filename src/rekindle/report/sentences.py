"""The sentences that open the page and head its figures, each computed from the numbers that it stands
over.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rekindle.report.bands import Interval
from rekindle.report.material import (
    Chance,
    Endpoint,
    Harm,
    Outcome,
    RelapseSteps,
    ReportInput,
    Session,
    Strip,
)
from rekindle.report.numerals import (
    HOURS_A_DAY,
    NBSP,
    chance,
    clock,
    count,
    lasting,
    moment,
    plain,
    ranged,
    span,
    spoken,
    when,
)
from rekindle.report.tables import chance_base, value_words

HARDLY = 0.1
WEEK_H = 168.0


@dataclass(frozen=True)
class Words:
    """A stretch of a sentence; `strong` numbers are set in bold, the arm in question's in its colour."""

    text: str
    strong: bool = False
    of_drug: bool = False


def answer(material: ReportInput) -> str:
    """The answer of the study as plain text: a few sentences, the number and its interval first."""
    return " ".join("".join(words.text for words in sentence) for sentence in answer_words(material))


def answer_words(material: ReportInput) -> list[list[Words]]:
    """The same sentences as stretches of words, so that a page can set the numbers in bold."""
    benefits = [endpoint for endpoint in material.endpoints if endpoint.role == "benefit"]
    chosen = benefits or list(material.endpoints[:1])
    if not chosen:
        return [[Words("This study has no endpoint to answer with; its curves are below.")]]
    sentences = [_value_sentence(material, chosen[0], full=True)]
    apart = _difference_sentence(chosen[0])
    if apart:
        sentences.append([Words(apart)])
    if len(chosen) > 1:
        sentences.append(_later_sentence(material, chosen[0], chosen[1]))
    harms = [endpoint for endpoint in material.endpoints if endpoint.role == "harm" and endpoint not in chosen]
    if harms:
        sentences.append(_value_sentence(material, harms[0], full=False))
    return sentences


def _value_sentence(material: ReportInput, endpoint: Endpoint, *, full: bool) -> list[Words]:
    value = endpoint.arms.get(material.active.name)
    if value is None:
        return [Words(f"{endpoint.name}: no one has measured this on {spoken(material.active.name)}.")]
    comparator = material.comparator
    beside = endpoint.arms.get(comparator.name) if comparator else None
    if endpoint.kind != "chance" or not endpoint.clause:
        start = (
            f"{moment(endpoint.time_h)}, {spoken(endpoint.name)}: "
            if endpoint.time_h is not None
            else f"{endpoint.name}: "
        )
        words = [Words(start), Words(value_words(endpoint, value, 0), strong=True, of_drug=True)]
        if beside is not None and comparator is not None:
            words += [
                Words(", beside "),
                Words(value_words(endpoint, beside, 0), strong=True),
                Words(f" on {spoken(comparator.name)}"),
            ]
        return [*words, Words(".")]
    base = chance_base(endpoint)
    opening = f"{moment(endpoint.time_h)} " if endpoint.time_h is not None else "Over the course "
    words = [Words(opening + about(value.middle, base)), Words(count(value.middle, base), strong=True, of_drug=True)]
    ends = span(value.times(base), 0, joined="and")
    words.append(Words(f" people on {spoken(material.active.name)} {endpoint.clause} (9 times in 10 between {ends})"))
    if beside is not None and comparator is not None:
        words.append(Words(f", beside {about(beside.middle, base)}"))
        words.append(Words(count(beside.middle, base), strong=True))
        again = f" ({span(beside.times(base), 0)})" if full else ""
        words.append(Words(f" on {spoken(comparator.name)}{again}"))
    return [*words, Words(".")]


def about(share: float, base: int) -> str:
    """'about ' before a number that was rounded, nothing before 'fewer than 1'."""
    return "about " if round(share * base) else ""


def _difference_sentence(endpoint: Endpoint) -> str:
    if endpoint.difference is None:
        return ""
    words = value_words(endpoint, endpoint.difference, 0, difference=True)
    if endpoint.difference.spans_zero:
        return f"The evidence cannot tell the two apart: {words}."
    return f"The difference is {words}."


def _later_sentence(material: ReportInput, first: Endpoint, later: Endpoint) -> list[Words]:
    value, before = later.arms.get(material.active.name), first.arms.get(material.active.name)
    if value is None or before is None or later.kind != "chance" or first.kind != "chance" or later.time_h is None:
        return _value_sentence(material, later, full=True)
    base = chance_base(later)
    fading, growing = value.middle < before.middle - 0.02, value.middle > before.middle + 0.02
    sessions_end = max(material.active.session_hours, default=0.0) < later.time_h - WEEK_H
    course = "the gain fades" if fading else "the gain grows" if growing else "the gain holds"
    opening = f"With no further sessions {course}: by " if sessions_end else f"As sessions go on {course}: by "
    words = [
        Words(f"{opening}{when(later.time_h)} it is "),
        Words(count(value.middle, base), strong=True, of_drug=True),
    ]
    words.append(Words(f" ({span(value.times(base), 0)})"))
    comparator = material.comparator
    beside = later.arms.get(comparator.name) if comparator else None
    if beside is not None:
        words += [
            Words(" beside "),
            Words(count(beside.middle, base), strong=True),
            Words(f" ({span(beside.times(base), 0)})"),
        ]
    return [*words, Words(".")]


def course_finding(material: ReportInput, outcome: Outcome) -> str:
    """How the average of the arm in question runs: how fast it gets better and what becomes of it."""
    curve = next((curve for curve in outcome.arms if curve.arm == material.active.name), outcome.arms[0])
    sign = 1.0 if outcome.better == "lower" else -1.0
    gain = sign * (curve.average.middle[0] - curve.average.middle)
    hours = outcome.times_h
    best = float(gain.max())
    if best < HARDLY * max(abs(float(curve.average.middle[0])), 1e-9):
        return f"Symptoms hardly move on {spoken(curve.arm)}"
    half = float(hours[int(np.argmax(gain >= 0.5 * best))])
    speed = "within a day" if half <= 26 else "within a week" if half <= WEEK_H else f"over {lasting(half)}"
    lost = (best - float(gain[-1])) / best
    if hours[-1] <= material.study.end_of_treatment_h + HOURS_A_DAY or hours[-1] <= 2 * WEEK_H:
        later = "" if lost > 0.25 else " and stay down"
    else:
        ended = max(material.active.session_hours, default=0.0) < hours[-1] - WEEK_H
        after = " after the last session" if ended else ""
        later = (
            f" and climb back{after}"
            if lost > 0.4
            else f" and climb back in part{after}"
            if lost > 0.15
            else f" and stay down to {when(float(hours[-1]))}"
        )
    return f"On {spoken(curve.arm)} symptoms fall {speed}{later}"


def whereabouts_finding(material: ReportInput) -> str:
    """What share of the arm in question has relapsed or gets better by the end."""
    block = next(
        (block for block in material.whereabouts if block.arm == material.active.name),
        material.whereabouts[0],
    )
    end = float(block.times_h[-1])
    well = sum(float(block.classes[key].middle[-1]) for key in ("remission", "half_better") if key in block.classes)
    relapsed = float(block.classes["relapsed"].middle[-1]) if "relapsed" in block.classes else 0.0
    words = f"By {when(end)}, {plain(100 * well)} of 100 people on {spoken(block.arm)} are at least half better"
    return f"{words} and {plain(100 * relapsed)} have relapsed" if relapsed >= 0.005 else words


def chances_finding(material: ReportInput, shown: Chance) -> str:
    """How the chance compares between the arms at the end of treatment."""
    hour = min(material.study.end_of_treatment_h, float(shown.times_h[-1]))
    by_arm = {curve.arm: curve.average.at(shown.times_h, hour) for curve in shown.arms}
    value = by_arm.get(material.active.name)
    comparator = material.comparator
    beside = by_arm.get(comparator.name) if comparator else None
    if value is None:
        return shown.name
    start = f"{shown.name} at {when(hour)}: {count(value.middle, 100)}"
    return (
        f"{start}, beside {count(beside.middle, 100)} on {spoken(comparator.name)}" if beside and comparator else start
    )


def relapse_finding(steps: RelapseSteps) -> str:
    """When half have relapsed, or how many have by the end."""
    below = np.flatnonzero(steps.without_relapse.middle <= 0.5)
    if below.size:
        later = lasting(float(steps.times_h[below[0]]))
        return f"Half of those who respond to {spoken(steps.arm)} have relapsed {later} later"
    share = 100 * (1.0 - float(steps.without_relapse.middle[-1]))
    followed = lasting(float(steps.times_h[-1]))
    return f"{plain(share)} of 100 who respond to {spoken(steps.arm)} relapse within {followed}"


def items_finding(changes: list[tuple[str, float]]) -> str:
    """Which item changes most and which least; `changes` are falls in points, largest first."""
    most, least = changes[0], changes[-1]
    return (
        f"{_capital(most[0])} changes most ({plain(-most[1], -1, signed=True)}), "
        f"{spoken(least[0])} least ({plain(-least[1], -1, signed=True)})"
    )


def peak_words(strip: Strip) -> tuple[float, Interval]:
    """Hour and interval of the strip's furthest departure from rest, of its middle line."""
    departure = np.abs(strip.band.middle - strip.resting)
    at = int(np.argmax(departure))
    hour = float(strip.times_h[at])
    return hour, strip.band.at(strip.times_h, hour)


def chain_finding(strips: tuple[Strip, ...]) -> str:
    """How long the chain takes from its first to its last peak."""
    first, last = peak_words(strips[0])[0], peak_words(strips[-1])[0]
    if last <= first:
        return f"{strips[0].name} peaks at {lasting(first)}, the rest within the same time"
    value = peak_words(strips[-1])[1].middle
    turns = "is lowest" if value < strips[-1].resting else "peaks"
    start = f"One dose: {spoken(strips[0].name)} peaks at {lasting(first)}"
    return f"{start}, {spoken(strips[-1].name)} {turns} at {lasting(last)}"


def session_finding(session: Session) -> str:
    """When half of people are fit to go home, or when the acute effects have gone."""
    ready = next((strip for strip in session.strips if strip.key == "readiness"), None)
    if ready is not None:
        reached = np.flatnonzero(ready.band.middle >= 90.0)
        if reached.size:
            hour = float(ready.times_h[reached[0]])
            return f"90 of 100 people are fit to go home {clock(hour * 60)} after the start"
        share = float(ready.band.middle[-1])
        return f"{plain(share)} of 100 people are fit to go home after {clock(float(ready.times_h[-1]) * 60)}"
    hour, _ = peak_words(session.strips[0])
    return f"{session.strips[0].name} peaks {clock(hour * 60)} after the start"


def harms_finding(material: ReportInput, harms: tuple[Harm, ...]) -> str:
    """The commonest harm on the arm in question, with its number."""
    name = material.active.name
    largest: tuple[float, Harm, str, Interval] | None = None
    for harm in harms:
        for period in harm.periods:
            value = period.arms.get(name)
            if value is not None and (largest is None or value.middle > largest[0]):
                largest = (value.middle, harm, period.label, value)
    if largest is None:
        return "No harm of this course has been counted"
    _, harm, label, value = largest
    return f"Commonest harm on {spoken(name)}: {spoken(harm.name)}, {count(value.middle, 1000)} ({label})"


def drivers_finding(name: str, low: float, high: float, unit: str) -> str:
    """The parameter that moves the answer most, and how far."""
    size = abs(high - low)
    digits = 0 if size >= 10 else -1
    return f"{_capital(name)} matters most: over its range the answer moves by {plain(size, digits)}{NBSP}{unit}"


def fact_range(endpoint: Endpoint, material: ReportInput) -> str:
    """The small print below a headline number: its range in words, and the comparator's number."""
    value = endpoint.arms.get(material.active.name)
    if value is None:
        return "Not measured."
    base = chance_base(endpoint)
    comparator = material.comparator
    beside = endpoint.arms.get(comparator.name) if comparator else None
    if endpoint.kind == "chance":
        words = f"9 times in 10 between {span(value.times(base), 0, joined='and')}."
        other = ""
        if comparator and beside:
            few = "below 1" if round(beside.middle * base) == 0 else plain(beside.middle * base)
            other = f" {_capital(comparator.name)} {few}."
        if value.high90 == 0.0:
            words = f"{_capital(chance(value, people=material.study.people_per_arm))}."
        return words + other
    words = f"9 times in 10 between {span(value, joined='and')}."
    other = f" {_capital(comparator.name)} {ranged(beside, endpoint.unit)}." if comparator and beside else ""
    return words + other


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
