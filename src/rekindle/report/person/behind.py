"""What lies behind the course: what made the gain, and why the last rating is not better."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rekindle.report.figure import Figure, KeyEntry
from rekindle.report.numerals import NBSP, count, plain
from rekindle.report.person.dates import day
from rekindle.report.person.rows import HALVES, Row, rows_drawing
from rekindle.report.tables import Table

if TYPE_CHECKING:
    from rekindle.inference.explain import Part
    from rekindle.inference.outlook import Outlook

LEAST = 2.5
"""Points of gain below which there is nothing to share out."""
NINE = "9 times in 10 within the line"


def points(part: Part, *, signed: bool = False) -> str:
    """A part with its range: '14 points (7 to 20)'."""
    middle, low, high = (plain(value, signed=signed) for value in (part.mean, part.low, part.high))
    return f"{middle}{NBSP}points ({low} to {high})"


def gained(outlook: Outlook) -> bool:
    """Whether there is a gain worth sharing out."""
    return outlook.gain is not None and sum(part.mean for part in outlook.gain) >= LEAST


def gain_heading(parts: Sequence[Part]) -> str:
    """The finding: the part that is largest, and whether the drug's counts."""
    whole = sum(part.mean for part in parts)
    if whole < LEAST:
        return "There is hardly a gain to share out"
    largest = max(parts, key=lambda part: part.mean)
    share = largest.mean / whole
    words = "Most" if share > 0.5 else "The largest part"
    return f"{words} of the gain is {largest.name}: about {plain(largest.mean)} of {plain(whole)} points"


def gain_figure(outlook: Outlook) -> Figure | None:
    """What made the gain so far."""
    parts = outlook.gain
    if parts is None:
        return None
    rows = [Row(part.name, part.low, part.mean, part.high, points(part)) for part in parts]
    drug = parts[0]
    return Figure(
        key="gain",
        heading=gain_heading(parts),
        lead=f"Points of the {outlook.main} gained since the start, by what made them",
        title="Drug or attention",
        description=" ".join(f"{part.name}: {points(part)}." for part in parts),
        drawings={name: rows_drawing(rows, width, "points for the better") for name, width in HALVES.items()},
        caption="The chance that the drug's part is at least 2 in 60 of the scale: "
        f"{count(drug.counts, 100)}. Parts from the model: the same person with sessions but no drug, without belief "
        "and care, and untreated. No rating of one person can show them apart.",
        tables=(_table(parts, f"Points of the {outlook.main} for the better."),),
        entries=(_key(),),
        layout="half",
    )


def fading_figure(outlook: Outlook) -> Figure | None:
    """Why the last rating is not better, and the next measurement that would tell."""
    found = outlook.fading
    if found is None:
        return None
    parts = (found.wearing_off, found.drift, found.noise)
    names = ("the effect wears off", "the illness drifts", "noise of the rating")
    rows = [Row(name, part.low, part.mean, part.high, points(part, signed=True))
            for name, part in zip(names, parts, strict=True)]  # fmt: skip
    chances = [part.counts if part.mean > 0 else 0.0 for part in parts]
    worst = max(range(3), key=lambda place: chances[place])
    heading = (
        "There is hardly a gain that could fade"
        if not gained(outlook)
        else f"If it fades, then most likely because {names[worst]}"
        if worst < 2 and chances[worst] > 0.5
        else "No sign that the effect wears off" if chances[0] < 0.2 and chances[1] < 0.5
        else "What makes it fade cannot be told yet"
    )  # fmt: skip
    when = day(outlook.plan.person.start, found.next_h)
    return Figure(
        key="fading",
        heading=heading,
        lead=f"Points of the {outlook.main} by which each makes the last rating worse (to the right) or better",
        title="Fading",
        description=" ".join(f"{name}: {points(part, signed=True)}." for name, part in zip(names, parts, strict=True)),
        drawings={name: rows_drawing(rows, width, "points for the worse") for name, width in HALVES.items()},
        caption=f"What would tell most: {found.next_measurement}, on {when}; it would remove "
        f"{plain(100 * found.share)}{NBSP}% of the doubt about wearing off against drift.",
        tables=(_table(parts, f"Points of the {outlook.main} for the worse."),),
        entries=(_key(),),
        layout="half",
    )


def _table(parts: Sequence[Part], caption: str) -> Table:
    rows = tuple(
        (part.name, plain(part.mean, -1), f"{plain(part.low, -1)} to {plain(part.high, -1)}", count(part.counts, 100))
        for part in parts
    )
    return Table(caption, ("Part", "Points", "9 in 10", "Chance that it counts"), rows)


def _key() -> KeyEntry:
    swatch = '<line x1="1" y1="8" x2="33" y2="8" class="i90"/><circle cx="17" cy="8" r="5" class="imid"/>'
    return KeyEntry(swatch, 34, f"average; {NINE}")
