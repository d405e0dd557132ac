"""`rekindle simulate`: run a study and write its report, summary, trajectories and figures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rekindle.cli.options import Json, ModelFile, ParameterFile

if TYPE_CHECKING:
    from rekindle.engine.backends import Backend
    from rekindle.study import Study


def simulate(
    study: Annotated[Path, typer.Argument(help="The study file.", metavar="STUDY.yaml")],
    out: Annotated[
        Path, typer.Option("--out", help="Directory to write: new, empty, or an earlier run.", metavar="DIR")
    ],
    model: ModelFile = None,
    parameters: ParameterFile = None,
    seed: Annotated[
        int | None, typer.Option("--seed", help="Use this seed instead of the study's.", metavar="N")
    ] = None,
    threads: Annotated[
        int | None, typer.Option("--threads", help="Processor cores to use; all if left out.", metavar="N")
    ] = None,
    backend: Annotated[
        str, typer.Option("--backend", help="The solver: native (fast) or reference (plain).")
    ] = "native",
    no_report: Annotated[
        bool, typer.Option("--no-report", help="Write the numbers only, no page and no figures.")
    ] = False,
    outside_domain: Annotated[
        bool,
        typer.Option("--outside-domain", help="Run people or doses that the model does not know; pages say so."),
    ] = False,
    json: Json = False,
) -> None:
    """Run a study: report.html, summary.csv, trajectories.nc, run.json and figures/*.svg."""
    from rekindle.cli.output import emit, emit_json, progress_bars
    from rekindle.models import open_model
    from rekindle.report.writing import write_outputs
    from rekindle.run import check_replaceable, run_directory
    from rekindle.simulate import Settings
    from rekindle.simulate import simulate as run
    from rekindle.study import read_study

    check_replaceable(out)
    asked = _asked(read_study(study), seed, outside_domain)
    settings = Settings(backend=_known_backend(backend), threads=_counted(threads))
    opened = open_model(model, parameters) if model or parameters else None
    with run_directory(out) as directory:
        with progress_bars() as progress:
            trajectories = run(asked, settings=settings, model=opened, progress=progress)
        written = write_outputs(trajectories, directory, report=not no_report, command=_typed(study, seed))
    if json:
        emit_json({"out": str(out), **written})
        return
    if written["answer"]:
        emit(str(written["answer"]))
    for warning in written["warnings"]:
        emit(f"Note: {warning}")
    emit(f"Wrote {out / 'report.html' if not no_report else out}")


def _typed(study: Path, seed: int | None) -> str:
    """The command that makes the same run again."""
    chosen = "" if seed is None else f" --seed {seed}"
    return f"rekindle simulate {study.name}{chosen} --out DIR"


def _asked(study: Study, seed: int | None, outside_domain: bool) -> Study:
    """The study with what the command line says instead.

    Raises:
        InputError: a negative seed.
    """
    from rekindle.errors import InputError

    if seed is not None and not 0 <= seed < 2**63:
        raise InputError(f"The seed {seed} is not from 0 to 2^63 - 1.", where="--seed")
    return replace(
        study,
        seed=study.seed if seed is None else seed,
        outside_domain=study.outside_domain or outside_domain,
    )


def _known_backend(name: str) -> Backend:
    from rekindle.engine.backends import BACKENDS
    from rekindle.errors import unknown

    for known in BACKENDS:
        if name == known:
            return known
    raise unknown("backend", name, BACKENDS, where="--backend")


def _counted(threads: int | None) -> int | None:
    from rekindle.errors import InputError

    if threads is not None and not 1 <= threads <= 1024:
        raise InputError(f"{threads} is no number of processor cores.", where="--threads", hint="1 or more.")
    return threads
