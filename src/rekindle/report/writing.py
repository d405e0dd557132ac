"""What a run leaves in its directory: the page, the figures, the numbers, and how they were made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from rekindle.report.from_trajectories import material as report_material
from rekindle.report.html import write_report
from rekindle.report.sentences import answer
from rekindle.report.summary import summary_csv
from rekindle.run import write_run_file

if TYPE_CHECKING:
    from rekindle.trajectories import Trajectories


def write_outputs(
    trajectories: Trajectories, directory: Path, *, report: bool = True, command: str = ""
) -> dict[str, Any]:
    """Write trajectories.nc, summary.csv, run.json and, with `report`, report.html and figures/*.svg.

    `command` is what was typed, for the page. Returns the answer in a sentence, the warnings, and the names of
    the files, ready for JSON.

    Raises:
        OSError: a file cannot be written.
        SolverError: nobody could be solved in every arm.
    """
    material = report_material(trajectories, command=command)
    trajectories.save(directory / "trajectories.nc")
    (directory / "summary.csv").write_text(summary_csv(material), encoding="utf-8")
    if report:
        write_report(material, directory)
    found = {
        "answer": answer(material),
        "warnings": list(material.warnings),
        "outside_domain": list(material.study.outside_domain),
        "unsolved": list(trajectories.unsolved),
    }
    facts = {
        **found,
        "study": trajectories.study.as_dict(),
        "study_file": trajectories.study.text,
        "solver": dict(trajectories.solver),
    }
    written = write_run_file(directory, trajectories.provenance, facts=facts)
    return {**found, "files": sorted([*written["files"], "run.json"])}
