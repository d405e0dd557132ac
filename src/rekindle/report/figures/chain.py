"""What happens inside: from drug in blood to synapses and mood after one dose, on one log axis of time.

Each strip's furthest point from rest is marked, so that the eye sees the delay walk to the right.
"""

from __future__ import annotations

import numpy as np

from rekindle.report import strips
from rekindle.report.arms import grade_entries
from rekindle.report.axes import LOG_TICKS
from rekindle.report.figure import Figure, Reading
from rekindle.report.material import ReportInput, Strip
from rekindle.report.numerals import brief, lasting, place_for, plain, ranged, span, spoken
from rekindle.report.sentences import chain_finding, peak_words
from rekindle.report.tables import Table

LANES = (
    strips.Lane("wide", 1120, 74, 20, above=False),
    strips.Lane("mid", 680, 54, 62, above=True),
    strips.Lane("narrow", 350, 70, 64, above=True),
)
FIRST_H = 1 / 60


def figure(material: ReportInput) -> Figure | None:
    """The chain figure, or None when no strip was computed."""
    chain = material.chain
    if not chain:
        return None
    last = max(float(strip.times_h[-1]) for strip in chain)
    ticks = tuple(tick for tick in LOG_TICKS if tick[0] <= last * 1.01)
    steps = [float(hour) for hour in np.geomspace(FIRST_H, last, 61)]
    who = "studies" if all(strip.spread == "studies" for strip in chain) else "people"
    summaries = [summary(strip) for strip in chain]
    drawings = {}
    for lane in LANES:
        spare = {FIRST_H * 10, 6.0, 672.0, *([72.0] if last > 100 else [])} if lane.width < 400 else set()
        shown = tuple(tick for tick in ticks if tick[0] not in spare)
        line = strips.TimeLine(FIRST_H, last, True, shown, "time since the dose, each step several times longer")
        drawings[lane.name] = strips.draw_strips(chain, lane, line, summaries, steps)
    return Figure(
        key="chain",
        heading=chain_finding(chain),
        lead=f"After one dose. Line: the middle; dark band: half of {who}; light band: 9 in 10; "
        "▾ the furthest point from rest; dotted: the level at rest",
        title="The chain from drug in blood to synapses and mood after one dose",
        description="Strips on one time axis. "
        + " ".join(f"{strip.name}: {', '.join(words)}." for strip, words in zip(chain, summaries, strict=True)),
        drawings=drawings,
        caption=_caption(chain),
        tables=(_peaks(chain), _values(chain, ticks)),
        entries=tuple(grade_entries()),
        reading=Reading("Read any time", tuple(_sentence(chain, hour) for hour in steps), 27),
    )


def summary(strip: Strip) -> strips.Summary:
    """When the strip is furthest from rest, and how far, with its nine-in-ten range and unit."""
    hour, value = peak_words(strip)
    word = "Highest" if value.middle >= strip.resting else "Lowest"
    if hour >= float(strip.times_h[-1]) * 0.999:
        return f"Still moving at {lasting(hour)}", ranged(value, strip.unit)
    return f"{word} at {lasting(hour)}", ranged(value, strip.unit)


def _caption(chain: tuple[Strip, ...]) -> str:
    by_grade = {grade: sum(strip.grade == grade for strip in chain) for grade in ("human", "rodent", "assumed")}
    return (
        f"Of {len(chain)} links {by_grade['human']} are measured in people, {by_grade['rodent']} carried over from "
        f"rodents and {by_grade['assumed']} assumed; a curve is as good as its weakest link."
    )


def _peaks(chain: tuple[Strip, ...]) -> Table:
    rows = []
    for strip in chain:
        hour, value = peak_words(strip)
        place = place_for(value.low90, value.high90)
        cells = (
            strip.name,
            strip.unit,
            strip.grade,
            brief(strip.resting),
            lasting(hour),
            plain(value.middle, place),
            span(value),
        )
        rows.append(cells)
    head = ("Quantity", "Unit", "Evidence", "At rest", "Furthest at", "Value there", "9 in 10")
    return Table("The chain: furthest point from rest after one dose.", head, tuple(rows), frozenset({0, 1, 2}))


def _values(chain: tuple[Strip, ...], ticks: tuple[tuple[float, str], ...]) -> Table:
    head = ("Quantity", *(words for _, words in ticks))
    rows = tuple(
        (strip.name, *(brief(strip.band.at(strip.times_h, hour).middle) for hour, _ in ticks)) for strip in chain
    )
    return Table("The chain: the middle line over time.", head, rows)


def _sentence(chain: tuple[Strip, ...], hour: float) -> str:
    said = [f"{spoken(strip.name)} {brief(strip.band.at(strip.times_h, hour).middle)} {strip.unit}" for strip in chain]
    return f"{lasting(hour).capitalize()} after the dose: {', '.join(said)}"
