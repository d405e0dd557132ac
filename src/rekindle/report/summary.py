"""`summary.csv`: every number of a report as one long table, so that nothing has to be read off a picture.

One row holds one number with its half (25 to 75 %) and nine-in-ten (5 to 95 %) ranges. `part` is the part of the
report, `spread` says what the ranges are: repeated studies (how well an average is known) or people (how much they
differ). Chances are fractions.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from rekindle.report.bands import Band, Floats, Interval
from rekindle.report.material import ArmBand, Outcome, ReportInput, Strip

COLUMNS = (
    "part", "key", "name", "arm", "time_h", "unit", "spread",
    "middle", "low50", "high50", "low90", "high90",
)  # fmt: skip

Row = tuple[str | float, ...]


def summary_csv(material: ReportInput) -> str:
    """The whole table as CSV text with a header; numbers to six significant digits."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in summary_rows(material):
        writer.writerow([f"{cell:.6g}" if isinstance(cell, float) else cell for cell in row])
    return out.getvalue()


def summary_rows(material: ReportInput) -> Iterator[Row]:
    """Rows in the order of the report; the cells are those of `COLUMNS`."""
    yield from _endpoints(material)
    outcomes = [("course", material.main)] if material.main else []
    for part, group in (("item", material.items), ("drive", material.drive), ("other", material.others)):
        outcomes += [(part, each) for each in group]
    for part, outcome in outcomes:
        yield from _outcome(part, outcome)
    for chance in material.chances:
        for each in chance.arms:
            yield from _arm_band("chance", (chance.key, chance.name), "fraction", chance.times_h, each)
    for place in material.whereabouts:
        for name, band in place.classes.items():
            yield from _band(("whereabouts", name, name, place.arm), "fraction", "studies", place.times_h, band)
    for steps in material.relapse:
        names = ("relapse", "without_relapse", "responders without relapse", steps.arm)
        yield from _band(names, "fraction", "studies", steps.times_h, steps.without_relapse)
    strips = [("chain", strip) for strip in material.chain]
    strips += [("session", strip) for strip in (material.session.strips if material.session else ())]
    for part, strip in strips:
        yield from _strip(part, strip)
    yield from _harms(material)


def _endpoints(material: ReportInput) -> Iterator[Row]:
    for each in material.endpoints:
        unit = "fraction" if each.kind == "chance" else each.unit or each.kind
        time = "" if each.time_h is None else float(each.time_h)
        for arm, interval in each.arms.items():
            if interval is not None:
                yield ("endpoint", each.key, each.name, arm, time, unit, "studies", *_numbers(interval))
        if each.difference is not None:
            yield ("endpoint", each.key, each.name, "difference", time, unit, "studies", *_numbers(each.difference))


def _outcome(part: str, outcome: Outcome) -> Iterator[Row]:
    for each in outcome.arms:
        yield from _arm_band(part, (outcome.key, outcome.name), outcome.unit, outcome.times_h, each)


def _arm_band(part: str, names: tuple[str, str], unit: str, times: Floats, each: ArmBand) -> Iterator[Row]:
    yield from _band((part, *names, each.arm), unit, "studies", times, each.average)
    if each.people is not None:
        yield from _band((part, *names, each.arm), unit, "people", times, each.people)


def _strip(part: str, strip: Strip) -> Iterator[Row]:
    yield from _band((part, strip.key, strip.name, ""), strip.unit, strip.spread, strip.times_h, strip.band)


def _harms(material: ReportInput) -> Iterator[Row]:
    for harm in material.harms:
        for period in harm.periods:
            for arm, interval in period.arms.items():
                if interval is not None:
                    name = f"{harm.name}, {period.label}"
                    yield ("harm", harm.key, name, arm, "", "fraction", "studies", *_numbers(interval))


def _band(names: tuple[str, str, str, str], unit: str, spread: str, times: Floats, band: Band) -> Iterator[Row]:
    lines = (band.middle, band.low50, band.high50, band.low90, band.high90)
    for place, time in enumerate(times):
        yield (*names, float(time), unit, spread, *(float(line[place]) for line in lines))


def _numbers(interval: Interval) -> tuple[float, ...]:
    return (interval.middle, interval.low50, interval.high50, interval.low90, interval.high90)
