"""Which symptoms change: the items of the main scale as small multiples on one axis, ordered by their
change.
"""

from __future__ import annotations

from rekindle.report import arms, multiples
from rekindle.report.figure import Figure
from rekindle.report.material import ReportInput
from rekindle.report.numerals import spoken
from rekindle.report.sentences import items_finding

GRIDS = (
    multiples.Grid("wide", 1120, 5, 104),
    multiples.Grid("mid", 680, 5, 96, gap=16, right=4),
    multiples.Grid("narrow", 350, 2, 84, left=26, gap=18, right=4),
)


def figure(material: ReportInput) -> Figure | None:
    """The items figure, or None when the study observes no items."""
    if not material.items:
        return None
    ordered = sorted(material.items, key=lambda outcome: multiples.change(material, outcome))
    changes = [(outcome.name, -multiples.change(material, outcome)) for outcome in ordered]
    scale = material.main.name if material.main else "scale"
    return Figure(
        key="items",
        heading=items_finding(changes),
        lead=f"The {len(ordered)} items of the {scale}, {ordered[0].low:g} to {ordered[0].high:g} points each, "
        f"ordered by their change on {spoken(material.active.name)} by {multiples.end_words(material, ordered[0])}",
        title=f"Items of the {scale} over time",
        description=multiples.multiples_description(material, ordered),
        drawings={grid.name: multiples.draw_grid(material, ordered, grid) for grid in GRIDS},
        caption="Averages of repeated studies of this size; every panel has the same axis." + arms.left_out(material),
        tables=(multiples.multiples_table(material, ordered, "Items: average points, in order of change."),),
        entries=tuple(arms.arm_entries(material)),
    )
