"""Published averages over the forecast: which fall inside its band, and the marks and tables that say so.

A published mean is judged against the nine-in-ten band of the average of repeated studies of this size, never
against the band of people. Misses come first in every table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rekindle.report.bands import Interval
from rekindle.report.draw import Canvas, Panel
from rekindle.report.figure import KeyEntry
from rekindle.report.material import Outcome, PublishedPoint, ReportInput
from rekindle.report.numerals import NBSP, plain, span, when
from rekindle.report.tables import Table


@dataclass(frozen=True)
class Judged:
    """A published point with the forecast of the same arm at the same time."""

    point: PublishedPoint
    forecast: Interval

    @property
    def inside(self) -> bool:
        """Whether the published mean lies in the nine-in-ten band of the average."""
        return self.forecast.low90 <= self.point.mean <= self.forecast.high90


def judged(material: ReportInput, outcome: Outcome) -> list[Judged]:
    """The published points of an outcome within its times, misses first, then by time."""
    bands = {curve.arm: curve.average for curve in outcome.arms}
    found = [
        Judged(point, bands[point.arm].at(outcome.times_h, point.time_h))
        for point in material.published
        if point.outcome == outcome.key
        and point.arm in bands
        and outcome.times_h[0] - 1e-6 <= point.time_h <= outcome.times_h[-1] + 1e-6
    ]
    return sorted(found, key=lambda one: (one.inside, not one.point.matched, one.point.time_h))


def draw_points(
    canvas: Canvas, panel: Panel, points: Sequence[PublishedPoint], comparator: str, *, size: float = 5.0
) -> None:
    """Diamonds with their 95 % confidence intervals: filled for the drug, open for the comparator, small if
    unmatched.
    """
    for point in points:
        x = panel.x(point.time_h)
        canvas.line(x, panel.y(point.low95), x, panel.y(point.high95), "ci")
        radius = size if point.matched else size * 0.68
        canvas.diamond(x, panel.y(point.mean), radius, "obso" if point.arm == comparator else "obs")


def tally(found: Sequence[Judged]) -> str:
    """Sentences that count the published averages inside and outside the band."""
    if not found:
        return "No published average for this measure is in the catalogue."
    parts = []
    for matched, words in ((True, "of this design"), (False, "of other designs (small diamonds)")):
        of = [one for one in found if one.point.matched == matched]
        if of:
            inside = sum(one.inside for one in of)
            noun = "average" if len(of) == 1 else "averages"
            lie = "lies" if inside == 1 else "lie"
            parts.append(f"{inside} of {len(of)} published {noun} {words} {lie} inside the 9-in-10 band.")
    missed = sum(not one.inside for one in found)
    if missed:
        parts.append("The miss comes first in the table." if missed == 1 else "The misses come first in the table.")
    return " ".join(parts)


def points_table(found: Sequence[Judged], name: str) -> Table | None:
    """Each published average beside the forecast's band, misses first; None when there is none."""
    if not found:
        return None
    rows = tuple(
        (
            one.point.source,
            one.point.arm,
            when(one.point.time_h),
            f"{plain(one.point.mean, -1)} ({plain(one.point.low95, -1)} to {plain(one.point.high95, -1)})",
            f"{one.point.n:,}",
            span(one.forecast, -1),
            "inside" if one.inside else "outside",
            "this design" if one.point.matched else "another design",
            one.point.record,
        )
        for one in found
    )
    head = (
        "Source",
        "Arm",
        "When",
        f"Published mean (95{NBSP}% CI)",
        "People",
        "Forecast, 9 in 10 studies",
        "Band",
    )
    return Table(
        f"{name}: published averages beside the forecast, misses first.",
        (*head, "Trial", "Record"),
        rows,
        frozenset({0, 1, 2, 6, 7, 8}),
    )


def point_entries(found: Sequence[PublishedPoint], comparator: str) -> list[KeyEntry]:
    """The key entry for the diamonds that occur."""
    if not found:
        return []
    kinds = sorted({point.arm == comparator for point in found})
    swatch = Canvas(16.0 * len(kinds), 16)
    for index, is_comparator in enumerate(kinds):
        x = 8.0 + 16 * index
        swatch.line(x, 0, x, 16, "ci")
        swatch.diamond(x, 8, 5, "obso" if is_comparator else "obs")
    which = f" (open: {comparator})" if len(kinds) == 2 else ""
    return [KeyEntry(swatch.markup(), swatch.width, f"published averages, 95{NBSP}% CI{which}")]
