"""`rekindle simulate`: run a study and write its report, summary, trajectories and figures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from shutil import rmtree
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rekindle.cli.options import Json, ModelFile, ParameterFile

if TYPE_CHECKING:
    from rekindle.engine.backends import Backend
    from rekindle.large.streaming import Streaming
    from rekindle.models import Model
    from rekindle.simulate import Progress, Settings
    from rekindle.study import Study
    from rekindle.trajectories import Trajectories


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
        str, typer.Option("--backend", help="The solver: native (fast), xla (with JAX) or reference (plain).")
    ] = "native",
    no_report: Annotated[
        bool, typer.Option("--no-report", help="Write the numbers only, no page and no figures.")
    ] = False,
    outside_domain: Annotated[
        bool,
        typer.Option("--outside-domain", help="Run people or doses that the model does not know; pages say so."),
    ] = False,
    stream: Annotated[
        bool,
        typer.Option("--stream", help="Solve block by block and keep summaries, as a study of more than 2,000 people."),
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the run that was stopped, from DIR.partial.")
    ] = False,
    cluster: Annotated[
        str | None, typer.Option("--cluster", help="Use the workers of this Dask scheduler.", metavar="ADDRESS")
    ] = None,
    trajectories: Annotated[
        str | None,
        typer.Option("--trajectories", help="Keep everybody's course of a large study: zarr.", metavar="zarr"),
    ] = None,
    json: Json = False,
) -> None:
    """Run a study: report.html, summary.csv, trajectories.nc, run.json and figures/*.svg."""
    from rekindle.models import open_model
    from rekindle.run import check_replaceable
    from rekindle.simulate import Settings
    from rekindle.study import read_study

    check_replaceable(out)
    asked = _asked(read_study(study), seed, outside_domain)
    settings = Settings(backend=_known_backend(backend), threads=_counted(threads))
    opened = open_model(model, parameters) if model or parameters else None
    streaming = _streaming(asked, out, stream, resume, cluster, trajectories)
    written = _written(asked, settings, opened, streaming, out, report=not no_report, command=_typed(study, seed))
    if json:
        from rekindle.cli.output import emit_json

        emit_json({"out": str(out), **written})
    else:
        _tell(written, out, report=not no_report)


def _written(
    study: Study,
    settings: Settings,
    model: Model | None,
    streaming: Streaming | None,
    out: Path,
    *,
    report: bool,
    command: str,
) -> dict[str, Any]:
    """Solve the study and write its directory; what is kept of a large one goes when that is done."""
    from rekindle.cli.output import progress_bars
    from rekindle.report.writing import write_outputs
    from rekindle.run import run_directory

    with run_directory(out) as directory:
        with progress_bars() as progress:
            found = _solved(study, settings, model, streaming, progress)
        with _in_place(None if streaming is None else streaming.store, directory):
            written = write_outputs(found, directory, report=report, command=command)
    if streaming is not None and streaming.partial is not None:
        rmtree(streaming.partial, ignore_errors=True)
    return written


@contextmanager
def _in_place(store: Path | None, directory: Path) -> Iterator[None]:
    """Everybody's courses within the directory while the rest is written; back where they were if that fails."""
    if store is None:
        yield
        return
    moved = store.rename(directory / store.name)
    try:
        yield
    except BaseException:
        moved.rename(store)
        raise


def _tell(written: Mapping[str, Any], out: Path, *, report: bool) -> None:
    """The answer, what a reader must know, and where the rest is."""
    from rekindle.cli.output import emit

    if written["answer"]:
        emit(str(written["answer"]))
    for warning in written["warnings"]:
        emit(f"Note: {warning}")
    emit(f"Wrote {out / 'report.html' if report else out}")


def _streaming(
    study: Study, out: Path, stream: bool, resume: bool, cluster: str | None, trajectories: str | None
) -> Streaming | None:
    """How a large study is run; None for one that is held whole.

    Raises:
        InputError: trajectories in a format that is not known.
    """
    from rekindle.errors import unknown
    from rekindle.large.streaming import STREAM_ABOVE, Streaming

    if trajectories not in (None, "zarr"):
        raise unknown("format", str(trajectories), ["zarr"], where="--trajectories")
    asked = stream or resume or cluster is not None or trajectories is not None
    if not asked and study.participants.people <= STREAM_ABOVE:
        return None
    whole = out.absolute()
    partial = whole.with_name(f"{whole.name}.partial")
    return Streaming(partial, resume, cluster, trajectories is not None)


def _solved(
    study: Study, settings: Settings, model: Model | None, streaming: Streaming | None, progress: Progress | None
) -> Trajectories:
    """The study held whole, or block by block."""
    if streaming is None:
        from rekindle.simulate import simulate as run

        return run(study, settings=settings, model=model, progress=progress)
    from rekindle.large import simulate_large
    from rekindle.report.from_trajectories.tally import tally

    return simulate_large(study, settings=settings, model=model, streaming=streaming, measure=tally, progress=progress)


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
