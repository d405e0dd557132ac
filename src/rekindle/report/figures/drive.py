"""Motivation beside mood: latent measures that can part company, each on its own axis."""

from __future__ import annotations

from rekindle.report import arms, multiples
from rekindle.report.figure import Figure
from rekindle.report.material import Outcome, ReportInput
from rekindle.report.numerals import spoken


def figure(material: ReportInput) -> Figure | None:
    """The figure of motivation beside mood, or None when the study has no such measure."""
    if not material.drive:
        return None
    return Figure(
        key="drive",
        heading=_finding(material),
        lead="Latent measures behind the ratings, each on its own axis; the arrow says which way is better",
        title="Mood, motivation and their kin over time",
        description=multiples.multiples_description(material, material.drive),
        drawings={
            grid.name: multiples.draw_grid(material, material.drive, grid, heads=multiples.directed)
            for grid in multiples.separate_grids(len(material.drive))
        },
        caption=_grades(material.drive) + arms.left_out(material),
        tables=(
            multiples.multiples_table(
                material, material.drive, "Mood, motivation and their kin: averages.", health=True
            ),
        ),
        entries=tuple(arms.arm_entries(material)),
    )


def _finding(material: ReportInput) -> str:
    """Compare what share of the way to full health mood and motivation have come."""
    end = multiples.end_words(material, material.drive[0])
    shares = [(spoken(outcome.name), multiples.way_to_health(material, outcome)) for outcome in material.drive[:2]]
    first = f"By {end} {shares[0][0]} has come {shares[0][1]} of the way to health"
    return f"{first}, {shares[1][0]} {shares[1][1]}" if len(shares) > 1 else first


def _grades(outcomes: tuple[Outcome, ...]) -> str:
    """Which measures rest on what kind of evidence."""
    by_grade: dict[str, list[str]] = {}
    for outcome in outcomes:
        by_grade.setdefault(arms.GRADES[outcome.grade], []).append(spoken(outcome.name))
    return (
        "Weakest link of each curve: "
        + "; ".join(f"{', '.join(names)} {grade}" for grade, names in by_grade.items())
        + "."
    )
