"""The first screen: the answer, a hundred people beside a hundred, and two benefits beside two harms alike
in form.
"""

from __future__ import annotations

from dataclasses import dataclass

from rekindle.report.bands import Interval
from rekindle.report.draw import Canvas, number
from rekindle.report.material import Endpoint, ReportInput
from rekindle.report.numerals import NBSP, clock, lasting, place_for, plain, when
from rekindle.report.sentences import fact_range
from rekindle.report.tables import NONE, chance_base


@dataclass(frozen=True)
class Fact:
    """One headline number: its kind (Benefit or Harm), what it is, the number, its bar and the small print."""

    kind: str
    name: str
    big: str
    small: str
    bar: str
    ticks: tuple[str, str, str]
    note: str


@dataclass(frozen=True)
class Hundred:
    """A hundred people of one arm as dots, and how many are at least half better."""

    arm: str
    better: str
    picture: str
    of_drug: bool


def facts(material: ReportInput) -> list[Fact]:
    """Up to two benefits and two harms; harms keep the form and the denominator of the benefits."""
    chosen = [end for end in material.endpoints if end.role == "benefit"][:2]
    chosen += [end for end in material.endpoints if end.role == "harm"][:2]
    return [_fact(material, endpoint) for endpoint in chosen]


def _fact(material: ReportInput, endpoint: Endpoint) -> Fact:
    value = endpoint.arms.get(material.active.name)
    comparator = material.comparator
    beside = endpoint.arms.get(comparator.name) if comparator else None
    kind = endpoint.role.capitalize()
    if value is None:
        return Fact(kind, endpoint.name, NONE, "", "", ("", "", ""), fact_range(endpoint, material))
    if endpoint.kind == "chance":
        base = chance_base(endpoint)
        bar = _bar(value.times(100), beside.times(100) if beside else None, 0.0, 100.0)
        none = round(value.middle * base) == 0
        big, small = "below 1" if none else plain(value.middle * base), f"in{NBSP}{base:,}"
        return Fact(
            kind,
            endpoint.name,
            big,
            small,
            bar,
            ("0", "50", f"100 in{NBSP}100"),
            fact_range(endpoint, material),
        )
    ends = [0.0, value.low90, value.high90, *([beside.low90, beside.high90] if beside else [])]
    low, high = min(ends), max(ends)
    big, small = _amount(endpoint, value)
    ticks = (plain(low), "", plain(high))
    return Fact(kind, endpoint.name, big, small, _bar(value, beside, low, high), ticks, fact_range(endpoint, material))


def _amount(endpoint: Endpoint, value: Interval) -> tuple[str, str]:
    """The number and its unit, apart, so that the number can be set large."""
    if endpoint.kind in ("minutes", "days"):
        words = clock(value.middle) if endpoint.kind == "minutes" else lasting(value.middle * 24)
        big, _, small = words.partition(NBSP)
        return big, small.replace(NBSP, " ")
    return plain(value.middle, place_for(value.low90, value.high90)), endpoint.unit or endpoint.kind


def _bar(value: Interval, beside: Interval | None, low: float, high: float) -> str:
    """A bar of the half and nine-in-ten range with the middle as a ring; it stretches to its column."""

    def across(amount: float) -> float:
        return 100 * (amount - low) / ((high - low) or 1.0)

    canvas = Canvas(100, 22)
    canvas.line(0, 11, 100, 11, "grid")
    if beside is not None:
        canvas.line(across(beside.middle), 2, across(beside.middle), 20, "jmid")
    canvas.line(across(value.low90), 11, across(value.high90), 11, "i90")
    canvas.line(across(value.low50), 11, across(value.high50), 11, "i50")
    x = across(value.middle)
    canvas.line(x, 11, x + 0.01, 11, "ring")
    canvas.line(x, 11, x + 0.01, 11, "ringin")
    return canvas.markup()


def hundreds(material: ReportInput) -> tuple[str, list[Hundred]]:
    """When, and a hundred people of the arm in question and of its comparator at the end of treatment."""
    wanted = [material.active.name, *([material.comparator.name] if material.comparator else [])]
    blocks = {block.arm: block for block in material.whereabouts}
    found = []
    hour = material.study.end_of_treatment_h
    for name in wanted:
        if name not in blocks:
            continue
        block = blocks[name]
        hour = min(hour, float(block.times_h[-1]))
        share = {key: band.at(block.times_h, hour).middle for key, band in block.classes.items()}
        well, half = share.get("remission", 0.0), share.get("half_better", 0.0)
        remission, better = _of_hundred(well), _of_hundred(well + half)
        partly = min(100 - better, _of_hundred(share.get("partly_better", 0.0)))
        found.append(Hundred(name, str(better), _dots(name, hour, remission, better, partly), name == wanted[0]))
    return when(hour), found


def _of_hundred(share: float) -> int:
    """People of 100, rounded as the sentences round the same share."""
    return int(plain(round(share, 9) * 100))


def _dots(arm: str, hour: float, remission: int, better: int, partly: int) -> str:
    """Ten by ten, filled from the bottom row up."""
    kinds = [0] * remission + [1] * (better - remission) + [2] * partly
    kinds += [3] * (100 - len(kinds))
    dots = "".join(
        f'<circle cx="{number(7 + index % 10 * 14)}" cy="{number(133 - index // 10 * 14)}" r="5.4" class="p{kind}"/>'
        for index, kind in enumerate(kinds)
    )
    ids = f"hundred-{arm.encode().hex()[:24]}"
    words = (
        f"Of 100 people at {when(hour)}: {remission} in remission, {better - remission} more at least half better, "
        f"{partly} partly better, {100 - better - partly} not better, relapsed or left."
    )
    return (
        f'<svg viewBox="0 0 140 140" role="img" aria-labelledby="{ids}-t {ids}-d">'
        f'<title id="{ids}-t">A hundred people</title><desc id="{ids}-d">{words}</desc>{dots}</svg>'
    )
