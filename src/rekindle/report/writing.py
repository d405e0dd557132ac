"""What a run leaves in its directory: the page, the figures, the numbers, and how they were made."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rekindle.models import OUR_MODEL
from rekindle.report.from_trajectories import material as report_material
from rekindle.report.from_trajectories.policies import doses_csv
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

    Where a policy decided on doses, doses.csv holds every session that was given. The trajectories are packed on
    threads of their own while the rest is worked out.

    `command` is what was typed, for the page. Returns the answer in a sentence, the warnings, and the names of
    the files, ready for JSON.

    Raises:
        OSError: a file cannot be written.
        SolverError: nobody could be solved in every arm.
    """
    with ThreadPoolExecutor(1) as pool:
        saving = pool.submit(trajectories.save, directory / "trajectories.nc")
        material = report_material(trajectories, command=command)
        material = replace(material, warnings=(*_about_the_model(trajectories), *material.warnings))
        (directory / "summary.csv").write_text(summary_csv(material), encoding="utf-8")
        if trajectories.doses:
            (directory / "doses.csv").write_text(doses_csv(trajectories.doses), encoding="utf-8")
        if report:
            write_report(material, directory)
        saving.result()
    found: dict[str, Any] = {
        "answer": answer(material),
        "warnings": list(material.warnings),
        "outside_domain": list(material.study.outside_domain),
        "unsolved": list(trajectories.unsolved),
    }
    if trajectories.summary is not None:
        found["summarised"] = {"people": trajectories.summary.people, "solved": trajectories.summary.solved}
    facts = {
        **found,
        "study": trajectories.study.as_dict(),
        "study_file": trajectories.study.text,
        "solver": dict(trajectories.solver),
    }
    written = write_run_file(directory, trajectories.provenance, facts=facts)
    return {**found, "files": sorted([*written["files"], "run.json"])}


def _about_the_model(trajectories: Trajectories) -> list[str]:
    """What a reader must know when a user's model or values were solved instead of ours."""
    said = []
    source = trajectories.solver.get("model", OUR_MODEL)
    if source != OUR_MODEL:
        said.append(f"This is the model {Path(str(source)).name}, not Rekindle's own: its evidence is its author's.")
    changed = trajectories.solver.get("changed", {})
    if changed:
        named = ", ".join(f"{name} = {value:g}" for name, value in list(changed.items())[:5])
        more = f" and {len(changed) - 5} more" if len(changed) > 5 else ""
        said.append(f"Values were set by the user: {named}{more}.")
    if trajectories.left_out:
        said.append(
            f"The model lacks what these scales read, so they are left out: {', '.join(trajectories.left_out)}."
        )
    return said
