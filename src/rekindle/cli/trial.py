"""`rekindle trial`: run one virtual trial and show what makes each arm's change; with `--power`, its power."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rekindle.cli.options import Json

if TYPE_CHECKING:
    from rekindle.trial.design import Trial
    from rekindle.trial.sequential import Looks


def trial(
    file: Annotated[Path, typer.Argument(help="The trial file.", metavar="TRIAL.yaml")],
    out: Annotated[
        Path, typer.Option("--out", help="Directory to write: new, empty, or an earlier run.", metavar="DIR")
    ],
    power: Annotated[bool, typer.Option("--power", help="Power and assurance against the number of people.")] = False,
    endpoint: Annotated[str, typer.Option("--endpoint", help="What --power is for: change or response.")] = "change",
    look: Annotated[
        list[float] | None,
        typer.Option("--look", help="A share of the information at which to look; may be repeated.", metavar="SHARE"),
    ] = None,
    spending: Annotated[
        str, typer.Option("--spending", help="How looks spend alpha: obrien-fleming or pocock.")
    ] = "obrien-fleming",
    sets: Annotated[int, typer.Option("--sets", help="Parameter sets behind --power.", metavar="N")] = 64,
    people: Annotated[
        int | None, typer.Option("--people", help="People in each arm; as the file says if left out.", metavar="N")
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", help="Use this seed instead of the file's.", metavar="N")
    ] = None,
    threads: Annotated[
        int | None, typer.Option("--threads", help="Processor cores to use; all if left out.", metavar="N")
    ] = None,
    no_report: Annotated[bool, typer.Option("--no-report", help="Write the numbers only, no page.")] = False,
    json: Json = False,
) -> None:
    """Run a virtual trial: report.html, ratings.csv, trial.json, run.json and figures/*.svg."""
    from rekindle.cli.output import emit, emit_json
    from rekindle.report.plain import write_plain
    from rekindle.report.trial_pages import trial_page
    from rekindle.run import check_replaceable, run_directory, write_run_file
    from rekindle.trial.contributions import contributions
    from rekindle.trial.power import power as power_of
    from rekindle.trial.reading import read_trial
    from rekindle.trial.results import arm_results, results
    from rekindle.trial.virtual import as_table, plain_facts, run_trial

    check_replaceable(out)
    read = read_trial(file)
    luck = _checked(read.seed if seed is None else seed, people)
    plan = _plan(look, spending)
    with run_directory(out) as directory:
        done = run_trial(read, people=people, seed=luck, threads=threads)
        found: dict[str, Any] = results(done) | {"people": plain_facts(done)}
        parts = contributions(read, seed=luck, threads=threads)
        found["contributions"] = parts.as_dict()
        sized = power_of(read, endpoint=endpoint, plan=plan, sets=sets, seed=luck, threads=threads) if power else None
        if sized is not None:
            found["power"] = sized.as_dict()
        (directory / "ratings.csv").write_text(as_table(done), encoding="utf-8")
        _write_json(directory / "trial.json", found)
        if not no_report:
            page = trial_page(read, arm_results(done, str(found["scale"])), found, parts, sized, luck)
            write_plain(page, directory)
        write_run_file(directory, _provenance(read, luck), facts={"trial_file": read.text})
    if json:
        emit_json({"out": str(out), **found})
        return
    for one in found["comparisons"]:
        estimate = one["estimates"][0]
        emit(f"{one['arms'][0]} less {one['arms'][1]}: {estimate['value']:.1f} points, p {estimate['p']:.3f}")
    for arm, change in parts.whole.items():
        drug = next(part for part in parts.parts if part.arm == arm and part.part == "drug")
        emit(f"{arm}: {change:.1f} points on average, {drug.added:.1f} of them the drug itself")
    if sized is not None:
        emit(f"For an assurance of 80 %: {sized.size_for(0.8) or 'more than the table holds'} people in the first arm")
    emit(f"Wrote {out if no_report else out / 'report.html'}")


def _checked(seed: int, people: int | None) -> int:
    """The seed, when it and the number of people can be.

    Raises:
        InputError: a negative seed, or fewer than two people.
    """
    from rekindle.errors import InputError

    if not 0 <= seed < 2**63:
        raise InputError(f"The seed {seed} is not from 0 to 2^63 - 1.", where="--seed")
    if people is not None and not 2 <= people <= 100_000:
        raise InputError(f"{people} people an arm cannot be.", where="--people", hint="2 to 100,000.")
    return seed


def _plan(shares: list[float] | None, spending: str) -> Looks | None:
    from rekindle.trial.sequential import looks

    if not shares:
        return None
    whole = sorted({*shares, 1.0})
    return looks(whole, spending=spending)


def _write_json(path: Path, content: Any) -> None:
    from rekindle.run import as_json

    path.write_text(as_json(content) + "\n", encoding="utf-8")


def _provenance(read: Trial, seed: int) -> Any:
    from rekindle.provenance import Provenance, digest

    return Provenance(seed=seed, inputs={"trial": digest(read.text)})
