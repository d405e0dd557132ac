"""`rekindle calibrate`: fit the shared parameters to the calibration trials again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from rekindle.cli.options import Json

Out = Annotated[
    Path, typer.Option("--out", help="Directory to write; the bank of simulations is kept in it.", metavar="DIR")
]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with the bank that lies in DIR.")]
Seed = Annotated[int, typer.Option("--seed", help="Seed of everything drawn.", metavar="N")]
Sets = Annotated[int, typer.Option("--sets", help="Parameter sets over the prior.", metavar="N")]
Refined = Annotated[
    int, typer.Option("--refined", help="Parameter sets of each later round, around the posterior.", metavar="N")
]
Rounds = Annotated[int, typer.Option("--rounds", help="Rounds around the posterior, one after another.", metavar="N")]
People = Annotated[int, typer.Option("--people", help="People simulated in each arm and set.", metavar="N")]
Checked = Annotated[
    int, typer.Option("--checked", help="Synthetic data sets that check the calibration; 0 for none.", metavar="N")
]
Shared = Annotated[
    int | None, typer.Option("--shared", help="Estimate only the N most important shared parameters.", metavar="N")
]
Data = Annotated[
    Path | None,
    typer.Option("--data", help="Individual ratings (ds005917) in place of their printed summary.", metavar="DIR"),
]
Without = Annotated[
    list[str] | None, typer.Option("--without", help="Leave a trial out; may be repeated.", metavar="TRIAL")
]
Hypotheses = Annotated[
    list[str] | None,
    typer.Option(
        "--hypothesis",
        help="Put a hypothesis in (name), take it out (no-name), or weigh it (name=0.5).",
        metavar="NAME",
    ),
]
Rivals = Annotated[
    int,
    typer.Option("--rivals", help="Weigh the rival explanations too, each simulated at N sets; 0: no.", metavar="N"),
]
Threads = Annotated[int | None, typer.Option("--threads", help="Processor cores to use; all if left out.", metavar="N")]


def calibrate(
    out: Out,
    resume: Resume = False,
    seed: Seed = 1,
    sets: Sets = 256,
    refined: Refined = 144,
    rounds: Rounds = 2,
    people: People = 32,
    checked: Checked = 100,
    shared: Shared = None,
    data: Data = None,
    without: Without = None,
    hypothesis: Hypotheses = None,
    rivals: Rivals = 0,
    threads: Threads = None,
    json: Json = False,
) -> None:
    """Calibrate: the ensemble of parameter sets, prior beside posterior, every number predicted, the checks."""
    from rekindle.cli.output import emit, emit_json, progress_bars
    from rekindle.errors import InputError
    from rekindle.inference.calibrate import Settings
    from rekindle.inference.running import run_calibration, sentences
    from rekindle.inference.setup import hypothesis_values

    if not 0 <= seed < 2**62:
        raise InputError(f"The seed {seed} is not from 0 to 2^62 - 1.", where="--seed")
    if threads is not None and not 1 <= threads <= 1024:
        raise InputError(f"{threads} is no number of processor cores.", where="--threads", hint="1 or more.")
    settings = Settings(
        seed=seed,
        sets=_at_least(sets, 40, "--sets"),
        refined=_at_least(refined, 0, "--refined"),
        rounds=_at_most(_at_least(rounds, 0, "--rounds"), 9, "--rounds"),
        people=_at_least(people, 4, "--people"),
        checked=_at_least(checked, 0, "--checked"),
        held=hypothesis_values(hypothesis or []),
    )
    with progress_bars() as progress:
        facts = run_calibration(
            out, settings, resume=resume, shared=shared, data=data, without=without or [],
            rivals=_at_least(rivals, 0, "--rivals"), threads=threads, progress=progress,
        )  # fmt: skip
    _write_page(out, facts, seed)
    if json:
        emit_json({"out": str(out), **facts})
        return
    for sentence in sentences(facts):
        emit(sentence)
    emit(f"Wrote {out / 'report.html'}")


def _write_page(out: Path, facts: Mapping[str, Any], seed: int) -> None:
    """The page about the calibration in `out`, from the tables there."""
    from rekindle.inference.setup import SHARED
    from rekindle.report.calibration_page import calibration_page
    from rekindle.report.plain import write_plain
    from rekindle.run import disk_error

    try:
        numbers, parameters, trials, pairs = (
            _rows(out / f"{name}.csv") for name in ("numbers", "parameters", "trials", "pairs")
        )
        write_plain(calibration_page(facts, numbers, parameters, trials, pairs, _rows(SHARED), seed=seed), out)
    except OSError as error:
        raise disk_error(error, str(out)) from error


def _rows(path: Path) -> list[dict[str, str]]:
    import csv

    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def _at_least(count: int, least: int, option: str) -> int:
    from rekindle.errors import InputError

    if count < least:
        raise InputError(f"{count} is too few.", where=option, hint=f"{least} or more.")
    return count


def _at_most(count: int, most: int, option: str) -> int:
    from rekindle.errors import InputError

    if count > most:
        raise InputError(f"{count} is too many.", where=option, hint=f"{most} or fewer.")
    return count
