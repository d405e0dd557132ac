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
    endpoint: Annotated[
        str | None, typer.Option("--endpoint", help="What --power is for: change (if left out) or response.")
    ] = None,
    look: Annotated[
        list[float] | None,
        typer.Option("--look", help="A share of the information at which to look; may be repeated.", metavar="SHARE"),
    ] = None,
    spending: Annotated[
        str | None,
        typer.Option("--spending", help="How looks spend alpha: obrien-fleming (if left out) or pocock."),
    ] = None,
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
    from rekindle.cli.output import emit_json
    from rekindle.run import check_replaceable
    from rekindle.trial.reading import read_trial

    check_replaceable(out)
    read = read_trial(file)
    luck = _checked(read.seed if seed is None else seed, people, threads)
    asked = _asked(power, endpoint, look, spending, sets)
    found = _run(read, out, luck, people, threads, asked, page=not no_report)
    if json:
        emit_json({"out": str(out), **found})
    else:
        _say(found, out if no_report else out / "report.html")


def _run(
    read: Trial, out: Path, seed: int, people: int | None, threads: int | None, asked: dict[str, Any] | None,
    *, page: bool,
) -> dict[str, Any]:  # fmt: skip
    """Run the trial, write everything, and give the results as plain values."""
    from rekindle.report.plain import write_plain
    from rekindle.report.trial_pages import trial_page
    from rekindle.run import run_directory, write_run_file
    from rekindle.trial.contributions import contributions
    from rekindle.trial.power import power
    from rekindle.trial.results import arm_results, results
    from rekindle.trial.virtual import as_table, plain_facts, run_trial

    with run_directory(out) as directory:
        done = run_trial(read, people=people, seed=seed, threads=threads)
        parts = contributions(read, seed=seed, threads=threads)
        sized = power(read, seed=seed, threads=threads, **asked) if asked is not None else None
        found = results(done) | {"people": plain_facts(done), "contributions": parts.as_dict()}
        if sized is not None:
            found["power"] = sized.as_dict()
        (directory / "ratings.csv").write_text(as_table(done), encoding="utf-8")
        _write_json(directory / "trial.json", found)
        if page:
            write_plain(trial_page(read, arm_results(done, found["scale"]), found, parts, sized, seed), directory)
        write_run_file(directory, _provenance(read, seed), facts={"trial_file": read.text})
    return found


def _say(found: dict[str, Any], where: Path) -> None:
    from rekindle.cli.output import emit

    for one in found["comparisons"]:
        estimate = one["estimates"][0]
        emit(f"{one['arms'][0]} less {one['arms'][1]}: {estimate['value']:.1f} points, p {_p(estimate['p'])}")
    for arm, change in found["contributions"]["change"].items():
        drug = next(part for part in found["contributions"]["parts"] if part["arm"] == arm and part["part"] == "drug")
        emit(f"{arm}: {change:.1f} points on average, {drug['added']:.1f} of them the drug itself")
    if "power" in found:
        size = found["power"]["size_for_80"]
        emit(f"For an assurance of 80 %: {size or 'more than the table holds'} people in the first arm")
    emit(f"Wrote {where}")


def _p(value: float | None) -> str:
    return "not known" if value is None else "< 0.001" if value < 0.001 else f"{value:.3f}"


def _checked(seed: int, people: int | None, threads: int | None) -> int:
    """The seed, when it and the numbers of people and threads can be.

    Raises:
        InputError: a negative seed, fewer than two people, or no processor core.
    """
    from rekindle.errors import InputError

    if not 0 <= seed < 2**63:
        raise InputError(f"The seed {seed} is not from 0 to 2^63 - 1.", where="--seed")
    if people is not None and not 2 <= people <= 100_000:
        raise InputError(f"{people} people an arm cannot be.", where="--people", hint="2 to 100,000.")
    if threads is not None and threads < 1:
        raise InputError(f"{threads} is no number of processor cores.", where="--threads", hint="1 or more.")
    return seed


def _asked(
    power: bool, endpoint: str | None, look: list[float] | None, spending: str | None, sets: int
) -> dict[str, Any] | None:
    """What is asked of the power calculation, or None without one.

    Raises:
        InputError: an option of the power calculation without it, or looks that cannot be.
    """
    from rekindle.errors import InputError

    if power:
        plan = _plan(look, spending or "obrien-fleming")
        return {"endpoint": endpoint or "change", "plan": plan, "sets": sets}
    for option, given in (("--look", look), ("--endpoint", endpoint), ("--spending", spending)):
        if given:
            raise InputError("This says nothing without --power.", where=option, hint="Add --power.")
    return None


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
