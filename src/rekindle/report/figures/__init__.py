"""The figures of a report, one a module, each with the same part: `figure(material) -> Figure | None`."""

from __future__ import annotations

from rekindle.report.figure import Figure
from rekindle.report.figures import (
    chain,
    chances,
    course,
    drive,
    drivers,
    harms,
    items,
    others,
    relapse,
    session,
    whereabouts,
)
from rekindle.report.material import ReportInput

FAMILY = (course, whereabouts, chances, relapse, items, drive, others, chain, session, harms, drivers)


def draw_figures(material: ReportInput) -> dict[str, Figure]:
    """Every figure that the material allows, by its key, in the order of the page."""
    drawn = (member.figure(material) for member in FAMILY)
    return {figure.key: figure for figure in drawn if figure is not None}
