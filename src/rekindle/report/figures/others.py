"""The other scales that the study observes, one panel each on its own axis."""

from __future__ import annotations

from rekindle.report import arms, multiples
from rekindle.report.figure import Figure
from rekindle.report.material import ReportInput
from rekindle.report.numerals import plain


def figure(material: ReportInput) -> Figure | None:
    """The figure of the other scales, or None when there is none."""
    if not material.others:
        return None
    first = material.others[0]
    moved = plain(multiples.change(material, first), multiples.value_place(first), signed=True)
    return Figure(
        key="others",
        heading=f"{first.name} changes by {moved} {first.unit} by {multiples.end_words(material, first)}",
        lead="Other scales of this study, each on its own axis; the arrow says which way is better",
        title="Other scales over time",
        description=multiples.multiples_description(material, material.others),
        drawings={
            grid.name: multiples.draw_grid(material, material.others, grid, heads=multiples.directed)
            for grid in multiples.separate_grids(len(material.others))
        },
        caption="Averages of repeated studies of this size." + arms.left_out(material),
        tables=(multiples.multiples_table(material, material.others, "Other scales: averages."),),
        entries=tuple(arms.arm_entries(material)),
    )
