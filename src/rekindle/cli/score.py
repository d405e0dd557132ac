"""`rekindle score`: predict every published number in trial files, and say how far off each prediction is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rekindle.cli.options import Json

if TYPE_CHECKING:
    from rekindle.trial.design import Trial
    from rekindle.trial.score import Scoreboard


def score(
    files: Annotated[
        list[Path] | None,
        typer.Argument(help="Trial files; all that the package ships if left out.", metavar="TRIAL.yaml..."),
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", help="Directory to write: new, empty, or an earlier run.", metavar="DIR")
    ] = ...,  # type: ignore[assignment]
    sets: Annotated[int, typer.Option("--sets", help="Parameter sets behind each prediction.", metavar="N")] = 64,
    people: Annotated[int, typer.Option("--people", help="People who stand for each arm.", metavar="N")] = 32,
    seed: Annotated[int, typer.Option("--seed", help="Names the luck of the predictions.", metavar="N")] = 1,
    threads: Annotated[
        int | None, typer.Option("--threads", help="Processor cores to use; all if left out.", metavar="N")
    ] = None,
    in_sample: Annotated[
        bool, typer.Option("--in-sample", help="Also score with sets that have seen every trial.")
    ] = False,
    no_report: Annotated[bool, typer.Option("--no-report", help="Write the numbers only, no page.")] = False,
    json: Json = False,
) -> None:
    """Score trials: score.json (totals, numbers), report.html and figures/*.svg."""
    from rekindle.cli.output import emit, emit_json, progress_bars
    from rekindle.inference.setup import ensemble_is_current
    from rekindle.report.plain import write_plain
    from rekindle.report.trial_pages import score_page
    from rekindle.run import as_json, check_replaceable, run_directory, write_run_file
    from rekindle.trial.conflicts import judge
    from rekindle.trial.files import published_trials
    from rekindle.trial.prediction import predict
    from rekindle.trial.score import score as score_of

    check_replaceable(out)
    _checked(sets, people, seed, threads)
    trials = _read(files)
    library = [*published_trials(), *_foreign(trials)]
    with run_directory(out) as directory:
        with progress_bars() as progress:
            how: dict[str, Any] = {"sets": sets, "people": people, "seed": seed, "threads": threads}
            board = score_of(predict(trials, progress=progress, **how), library, seed=seed)
            seen = None
            if in_sample:
                again = score_of(predict(trials, leave_out=False, progress=progress, **how), library, seed=seed)
                seen = dict(again.totals)
        judged, current = judge(board.numbers), ensemble_is_current()
        content = board.as_dict() | {"conflicts": [each.as_dict() for each in judged]}
        content |= {"in_sample": seen} if seen else {}
        content |= {"ensemble_is_current": current}
        (directory / "score.json").write_text(as_json(content) + "\n", encoding="utf-8")
        if not no_report:
            write_plain(score_page(board, judged, seen, trials, seed, current=current), directory)
        write_run_file(directory, _provenance(trials, seed, how))
    if json:
        emit_json({"out": str(out), **content})
        return
    for line in _lines(board, current):
        emit(line)
    emit(f"Wrote {out if no_report else out / 'report.html'}")


def _lines(board: Scoreboard, current: bool) -> list[str]:
    """The totals in words; whether the ensemble was made with the trial files as they are now."""
    totals = board.totals
    points, shares = _words(totals["mae_points"]), _words(totals["mae_percentage_points"])
    outdated = "The ensemble was calibrated with other trial files or another model: run `rekindle calibrate` again."
    return [
        f"{totals['numbers']} numbers of {totals['trials']} trials; {board.source}",
        *(() if current else (outdated,)),
        f"coverage: 90 % intervals {totals['coverage90']:.2f}, 50 % intervals {totals['coverage50']:.2f}",
        f"mean absolute error: {points} points, {shares} percentage points",
        f"skill: {totals['skill_vs_mean']:.2f} over the mean of others, {totals['skill_vs_last']:.2f} over the nearest",
    ]


def _words(value: float | None) -> str:
    return "not known" if value is None else f"{value:.1f}"


def _checked(sets: int, people: int, seed: int, threads: int | None) -> None:
    """Nothing, when these can be.

    Raises:
        InputError: a negative seed, too few sets or people, or no processor core.
    """
    from rekindle.errors import InputError

    if not 0 <= seed < 2**63:
        raise InputError(f"The seed {seed} is not from 0 to 2^63 - 1.", where="--seed")
    for count, option in ((sets, "--sets"), (people, "--people")):
        if not 2 <= count <= 100_000:
            raise InputError(f"{count} cannot be.", where=option, hint="2 to 100,000.")
    if threads is not None and threads < 1:
        raise InputError(f"{threads} is no number of processor cores.", where="--threads", hint="1 or more.")


def _read(files: list[Path] | None) -> list[Trial]:
    """The trials to score, each with a number that can be.

    Raises:
        InputError: a file is wrong, two trials have one name, or nothing in them can be scored.
    """
    from rekindle.errors import InputError
    from rekindle.trial.files import published_trials
    from rekindle.trial.reading import read_trial

    found = [read_trial(path) for path in files] if files else list(published_trials())
    names: set[str] = set()
    for trial in found:
        if trial.name in names:
            raise InputError(f"Two files are of the trial '{trial.name}'.", hint="Give each once.")
        names.add(trial.name)
    chosen = [trial for trial in found if trial.scored]
    if not chosen:
        raise InputError(
            "No number in these files can be scored.", hint="Give each a record or a value, and 'use: score'."
        )
    return chosen


def _foreign(trials: list[Trial]) -> list[Trial]:
    """Trials that the package does not ship: others may be compared with them."""
    from rekindle.trial.files import published_trials

    known = {trial.name for trial in published_trials()}
    return [trial for trial in trials if trial.name not in known]


def _provenance(trials: list[Trial], seed: int, how: dict[str, Any]) -> Any:
    from rekindle.provenance import Provenance, digest

    inputs = {trial.name: digest(trial.text) for trial in trials}
    return Provenance(seed=seed, inputs=inputs, settings={name: value for name, value in how.items() if value})
