"""`rekindle plan`: schedules that keep one person well with the least drug, within a file of limits."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rekindle.cli.options import Json

if TYPE_CHECKING:
    from rekindle.planning.plan import Plan

LONGEST_WEEKS = 104


def plan(
    file: Annotated[
        Path, typer.Argument(help="The person's file: YAML, JSON or a FHIR bundle.", metavar="PERSON.yaml")
    ],
    limits: Annotated[
        str, typer.Option("--limits", help="Limits that hold: a name or a file.", metavar="LIMITS")
    ] = ...,  # type: ignore[assignment]
    out: Annotated[
        Path, typer.Option("--out", help="Directory to write: new, empty, or an earlier run.", metavar="DIR")
    ] = ...,  # type: ignore[assignment]
    events: Annotated[
        Path | None, typer.Option("--events", help="A table of events to read besides.", metavar="CSV")
    ] = None,
    weeks: Annotated[int, typer.Option("--weeks", help="How far to plan.", metavar="N")] = 26,
    risk: Annotated[float | None, typer.Option("--risk", help="Chance of relapse that is low enough, 0 to 1.")] = None,
    budget: Annotated[int, typer.Option("--budget", help="Options to look at.", metavar="N")] = 48,
    candidates: Annotated[int, typer.Option("--candidates", help="Candidates to weigh.", metavar="N")] = 10_000,
    draws: Annotated[int, typer.Option("--draws", help="Draws behind each trade-off shown.", metavar="N")] = 1_000,
    seed: Annotated[int, typer.Option("--seed", help="Names the luck.", metavar="N")] = 1,
    threads: Annotated[
        int | None, typer.Option("--threads", help="Processor cores to use; all if left out.", metavar="N")
    ] = None,
    json: Json = False,
) -> None:
    """Plan the next doses of one person: report.html, plan.json, plan.txt, run.json and figures/trade-offs.svg."""
    from rekindle.cli.output import emit, emit_json, progress_bars
    from rekindle.person import read_person
    from rekindle.planning.limits import read_limits
    from rekindle.planning.plan import plan as plan_of
    from rekindle.planning.search import Settings
    from rekindle.report.plain import write_plain
    from rekindle.report.plan_pages import plan_page
    from rekindle.run import as_json, check_replaceable, run_directory, write_run_file

    _check(weeks, risk, budget, candidates, draws)
    check_replaceable(out)
    known, person = read_limits(limits), read_person(file, events=events)
    with run_directory(out) as directory:
        with progress_bars() as progress:
            settings = Settings(budget=budget, final_draws=draws, threads=threads, progress=progress)
            made = plan_of(person, known, weeks=weeks, risk=risk, seed=seed, settings=settings, candidates=candidates)
        content = made.as_dict()
        (directory / "plan.json").write_text(as_json(content) + "\n", encoding="utf-8")
        (directory / "plan.txt").write_text("\n".join(lines(made)) + "\n", encoding="utf-8")
        write_plain(plan_page(made), directory)
        write_run_file(directory, made.provenance)
    if json:
        emit_json({"out": str(out), **content})
        return
    for line in lines(made):
        emit(line)
    emit(f"Wrote {out / 'plan.json'}")


def _check(weeks: int, risk: float | None, budget: int, candidates: int, draws: int) -> None:
    """Refuse numbers that make no plan.

    Raises:
        InputError: one is out of range.
    """
    from rekindle.errors import InputError

    rules = (
        (4 <= weeks <= LONGEST_WEEKS, "--weeks", f"from 4 to {LONGEST_WEEKS}"),
        (risk is None or 0.0 < risk < 1.0, "--risk", "above 0 and below 1"),
        (1 <= budget <= 2_000, "--budget", "from 1 to 2,000"),
        (200 <= candidates <= 1_000_000, "--candidates", "from 200 to 1,000,000"),
        (50 <= draws <= 100_000, "--draws", "from 50 to 100,000"),
    )
    for holds, where, words in rules:
        if not holds:
            raise InputError("The number is out of range.", where=where, hint=f"It lies {words}.")


def lines(made: Plan) -> list[str]:
    """The plan as text: what must be known first, the answer, the trade-offs, every limit's chance, the schedules of
    the file, what waits."""
    found = [*made.cautions, *([""] if made.cautions else []), made.answer, ""]
    for number, each in enumerate(made.choices, 1):
        found.append(f"{number}. {each.option.words}")
        found.append(
            f"   {_row(made, each.person)}; people like them {_percent(each.population.well.chance(made.goal))}"
        )
        found += [f"   {_limit(one)}" for one in (*each.person.limits, each.person.joint)]
        broken = [one.name for one in (*each.population.limits, each.population.joint) if not one.kept]
        if broken:
            found.append(f"   for people like them not surely kept: {', '.join(broken)}")
    found += ["", "The file's own schedules:"]
    for other in made.compared:
        found.append(f"- {other.name}: {other.words}")
        found.append(f"   {_row(made, other.person)}")
        found += [f"   beyond the rules: {words}" for words in other.departures]
        found += [
            f"   not surely kept: {_limit(one)}" for one in (*other.person.limits, other.person.joint) if not one.kept
        ]
    if made.waiting:
        found += ["", "Waiting, under the plan as it stands:"]
        found += [
            f"- {each.weeks} week{'' if each.weeks == 1 else 's'}: {_percent(each.chance)}, "
            f"{100 * each.more:+.1f} points (± {200 * each.standard_error:.1f})"
            for each in made.waiting
        ]
    from rekindle.planning.plan import UNKNOWN

    return [*found, "", "Not known:", *(f"- {each}" for each in UNKNOWN), *(f"- {each}" for each in made.limits.notes)]


def _row(made: Plan, measured: Any) -> str:
    return (
        f"{made.goal} {_percent(measured.well.chance(made.goal))}, {measured.visits:.1f} visits, "
        f"{measured.mg:.0f} mg as given, {measured.drug:.0f} mg racemic equivalent, "
        f"{measured.well.weeks_well:.1f} weeks in response"
    )


def _limit(one: Any) -> str:
    allowed = "" if one.allowed is None else f", allowed {_percent(one.allowed)}"
    shown = " (shown only)" if one.limit is not None and not one.limit.keep else ""
    return f"{one.name}, per {one.per}: {_percent(one.chance)}, at most {_percent(one.upper)}{allowed}{shown}"


def _percent(chance: float) -> str:
    return f"{100 * chance:.1f} %"
