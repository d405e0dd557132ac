"""The report's figures in a notebook: the same drawings from the same numbers, one by one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rekindle.report.figure import Figure
from rekindle.report.figures import draw_figures
from rekindle.report.from_trajectories import material

if TYPE_CHECKING:
    from rekindle.trajectories import Trajectories


def figures(trajectories: Trajectories) -> dict[str, Figure]:
    """Every figure that a result allows, by its key (course, people, items, session, harms, ...).

    Raises:
        SolverError: nobody could be solved in every arm.
    """
    return draw_figures(material(trajectories))
