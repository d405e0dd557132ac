"""`rekindle forecast`: what is to come for one person, as a page and as numbers; and later the score of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rekindle.cli.options import Json

if TYPE_CHECKING:
    from rekindle.inference.outlook import Outlook
    from rekindle.inference.saved import Score
    from rekindle.person.record import Person


def forecast(
    file: Annotated[
        Path, typer.Argument(help="The person's file: YAML, JSON or a FHIR bundle.", metavar="PERSON.yaml")
    ],
    out: Annotated[
        Path | None, typer.Option("--out", help="Directory to write: new, empty, or an earlier run.", metavar="DIR")
    ] = None,
    score: Annotated[
        Path | None,
        typer.Option("--score", help="Score this saved forecast against the person's new ratings.", metavar="SAVED"),
    ] = None,
    events: Annotated[
        Path | None, typer.Option("--events", help="A table of events to read besides.", metavar="CSV")
    ] = None,
    scale: Annotated[
        list[str] | None,
        typer.Option("--scale", help="A scale to forecast; may be repeated. As the file says if left out."),
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", help="How far to look: a date, or a span such as '12 weeks'.")
    ] = None,
    risk: Annotated[
        float | None, typer.Option("--risk", help="Chance of a relapse at which a dose is due, 0 to 1.")
    ] = None,
    limits: Annotated[
        str | None,
        typer.Option("--limits", help="Limits to hold the plan against: a name or a file.", metavar="LIMITS"),
    ] = None,
    candidates: Annotated[int, typer.Option("--candidates", help="Candidates to weigh.", metavar="N")] = 10_000,
    draws: Annotated[int, typer.Option("--draws", help="Draws behind each forecast.", metavar="N")] = 2_000,
    seed: Annotated[int, typer.Option("--seed", help="Names the luck.", metavar="N")] = 1,
    threads: Annotated[
        int | None, typer.Option("--threads", help="Processor cores to use; all if left out.", metavar="N")
    ] = None,
    no_report: Annotated[bool, typer.Option("--no-report", help="Write the numbers only, no page.")] = False,
    json: Json = False,
) -> None:
    """Forecast one person: forecast.html, forecast.json, run.json and figures/*.svg."""
    from rekindle.cli.output import emit_json
    from rekindle.person import read_person

    if score is not None:
        _score(file, score, events, as_json=json)
        return
    target = _target(out)
    checked = _checked(risk, candidates, draws, seed)
    person = read_person(file, events=events)
    asked = {"scales": _scales(scale), "until_h": _until(until, person), "risk": risk, "draws": draws, "seed": seed}
    found = _run(person, target, asked, limits, candidates, threads, page=not no_report)
    if json:
        emit_json({"out": str(target), **found, "settings": checked})
    else:
        _say(found, target / ("forecast.json" if no_report else "forecast.html"))


def _run(
    person: Person, out: Path, asked: dict[str, Any], limits: str | None, candidates: int, threads: int | None,
    *, page: bool,
) -> dict[str, Any]:  # fmt: skip
    """Work it out, write everything, and give the forecast as plain values."""
    from rekindle.inference.outlook import outlook
    from rekindle.inference.update import update
    from rekindle.planning.limits import read_limits
    from rekindle.run import as_json, run_directory, write_run_file

    known = None if limits is None else read_limits(limits)
    with run_directory(out) as directory:
        posterior = update(person, candidates=candidates, seed=asked["seed"], threads=threads)
        found = outlook(posterior, threads=threads, **asked)
        content = found.as_dict()
        shown = None
        if known is not None:
            content["limits"], shown = _limits(found, known, threads)
        (directory / "forecast.json").write_text(as_json(content) + "\n", encoding="utf-8")
        if page:
            from rekindle.report.person import write_person_page

            write_person_page(found, directory, shown)
        write_run_file(directory, found.plan.provenance)
    return content


def _limits(found: Outlook, known: Any, threads: int | None) -> tuple[dict[str, Any], Any]:
    """The plan against limits: plain values, and what the page shows."""
    from rekindle.planning.compare import compare, goal_of
    from rekindle.report.person import shown_limits

    planned = found.plan.planned
    end = float(found.plan[found.main].times_h[-1])
    seed = found.plan.provenance.seed
    (compared,) = compare(found.posterior, {"as planned": planned}, known, until_h=end, seed=seed, threads=threads)
    content = compared.as_dict(goal_of(compared.person)) | {"name": known.name, "title": known.title}
    return content, shown_limits(compared, known)


def _score(file: Path, saved: Path, events: Path | None, *, as_json: bool) -> None:
    from rekindle.cli.output import emit_json
    from rekindle.inference.saved import read_saved, score_forecast
    from rekindle.person import read_person

    kept = read_saved(saved)
    found = score_forecast(kept, read_person(file, events=events), where=str(file))
    if as_json:
        emit_json(found.as_dict())
    else:
        _say_score(found)


def _say_score(found: Score) -> None:
    from rekindle.cli.output import emit, emit_table

    rows = [
        (each.date, each.scale, each.total, each.quantiles[each.levels.index(50.0)], each.crps,
         *("yes" if each.inside[width] else "no" for width in ("50", "80", "95")))
        for each in found.ratings
    ]  # fmt: skip
    emit_table(("date", "scale", "rating", "middle", "CRPS", "in 50 %", "in 80 %", "in 95 %"), rows)
    for name, total in found.totals().items():
        held = ", ".join(f"{100 * share:.0f} % in {width} %" for width, share in total["coverage"].items())
        briers = [f"{what} {total[f'brier_{what}']:.3f}" for what in ("response", "remission")
                  if total[f"brier_{what}"] is not None]  # fmt: skip
        emit(f"{name}: CRPS {total['crps']:.2f}, bias {total['bias']:+.2f}, {held}"
             + (f"; Brier {', '.join(briers)}" if briers else ""))  # fmt: skip
    for note in found.notes:
        emit(note)


def _say(found: dict[str, Any], where: Path) -> None:
    from rekindle.cli.output import emit

    for each in found["scales"]:
        low, middle, high = (each["ratings"][-1][each["levels"].index(level)] for level in (2.5, 50.0, 97.5))
        day = each["dates"][-1][:10]
        emit(f"{each['scale']} by {day}: {middle:.0f} (19 times in 20 between {low:.0f} and {high:.0f})")
    main = next(each for each in found["scales"] if each["scale"] == found["main_scale"])
    if main["responding"] is not None:
        emit(f"In response now: {100 * main['responding']:.0f} in 100")
    if main["relapse"] is not None:
        emit(f"Relapse by then: {100 * main['relapse'][-1]:.0f} in 100 as planned")
    for name, key in (("With no further dose, in care as planned", "without_further_dose"),
                      ("With no further dose and no further visits", "without_further_visits")):  # fmt: skip
        one = next(each for each in found[key]["scales"] if each["scale"] == found["main_scale"])
        if one["relapse_at_end"] is not None and (found["planned_sessions"] or key == "without_further_visits"):
            due = f"; passes {100 * found['risk']:g} in 100 on {one['due'][:10]}" if one["due"] else ""
            emit(f"{name}: {100 * one['relapse_at_end']:.0f} in 100{due}")
    if found["diagnostics"]["verdict"] != "ok":
        emit(f"Note: {found['diagnostics']['verdict']}")
    emit(f"Wrote {where}")


def _target(out: Path | None) -> Path:
    """The directory to write, once it can be.

    Raises:
        InputError: none is given, or it cannot be written.
    """
    from rekindle.errors import InputError
    from rekindle.run import check_replaceable

    if out is None:
        raise InputError("There is no directory to write to.", where="--out", hint="Give one with --out DIR.")
    check_replaceable(out)
    return out


def _checked(risk: float | None, candidates: int, draws: int, seed: int) -> dict[str, Any]:
    """The settings, when each can be.

    Raises:
        InputError: a number outside its range.
    """
    from rekindle.errors import InputError

    if risk is not None and not 0.0 < risk < 1.0:
        raise InputError(f"A risk of {risk:g} cannot be.", where="--risk", hint="More than 0 and less than 1.")
    for name, value, most in (("candidates", candidates, 1_000_000), ("draws", draws, 100_000)):
        if not 100 <= value <= most:
            raise InputError(f"{value} {name} cannot be.", where=f"--{name}", hint=f"100 to {most:,}.")
    if not 0 <= seed < 2**63:
        raise InputError(f"The seed {seed} is not from 0 to 2^63 - 1.", where="--seed")
    return {"candidates": candidates, "draws": draws, "seed": seed}


def _scales(names: list[str] | None) -> tuple[str, ...] | None:
    """The scales by their own names.

    Raises:
        InputError: an unknown one, or a vital sign.
    """
    from rekindle.errors import InputError
    from rekindle.outcomes import scale

    if not names:
        return None
    found = [scale(name) for name in names]
    for each in found:
        if each.person_inputs:
            raise InputError(f"'{each.name}' is a vital sign, not a rating scale.", where="--scale")
    return tuple(each.name for each in found)


def _until(text: str | None, person: Person) -> float | None:
    """The last hour to look at: a date of the person's calendar, or so long from now.

    Raises:
        InputError: no date and no span, or one that does not lie ahead or lies more than five years ahead.
    """
    from rekindle.errors import InputError
    from rekindle.person.moments import hours, read_when
    from rekindle.study_file import duration_h

    if text is None:
        return None
    try:
        end = hours(read_when(text).moment(person.start), person.start)
    except ValueError:
        try:
            end = person.now_h + duration_h(text)
        except ValueError as error:
            raise InputError(
                f"'{text}' is neither a date nor a span of time.", where="--until", hint="'2024-06-25' or '12 weeks'."
            ) from error
    if not person.now_h + 24.0 <= end <= person.now_h + 5 * 8_766.0:
        raise InputError(
            "This is not between a day and five years ahead of the forecast.",
            where="--until",
            hint="Give a later date.",
        )
    return end
