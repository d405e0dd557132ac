"""The pages of a virtual trial, of its power, and of the scoreboard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rekindle.report.numerals import plain, when
from rekindle.report.plain import PlainFact, PlainPage
from rekindle.report.score_figures import agreement_figure, calibration_figure, numbers_table
from rekindle.report.tables import Table
from rekindle.report.trial_figures import contributions_figure, course_figure, power_figure

if TYPE_CHECKING:
    from rekindle.trial.conflicts import Judged
    from rekindle.trial.contributions import Contributions
    from rekindle.trial.design import Trial
    from rekindle.trial.power import Power
    from rekindle.trial.results import ArmResult
    from rekindle.trial.score import Scoreboard

OUTDATED = "The parameter sets were calibrated with other trial files, or another model, than those of this version."
BEFORE = "Before calibration: parameters are drawn from their plausible ranges, none was fitted."


def trial_page(
    trial: Trial,
    arms: Sequence[ArmResult],
    outcome: Mapping[str, Any],
    parts: Contributions,
    found_power: Power | None,
    seed: int,
) -> PlainPage:
    """One virtual trial: its answer, the arms' courses, what makes their change, and power when it was asked for."""
    figures = [course_figure(arms, str(outcome["scale"])), contributions_figure(parts)]
    if found_power is not None:
        figures.append(power_figure(found_power))
    sizes = ", ".join(f"{name} {facts['people']}" for name, facts in outcome["people"].items())
    return PlainPage(
        title=trial.title,
        subtitle=f"One virtual trial, {trial.design}, {_masking(trial)}. People: {sizes}.",
        answer=_answer(outcome, parts),
        facts=_facts(outcome, parts),
        notes=tuple(note for note in (trial.note and f"From the file: {trial.note}",) if note),
        figures=tuple(figures),
        tables=(
            ("compared", "Arms compared", _comparisons(outcome)),
            *((("relapse", "Relapse", _relapse(outcome["relapse"])),) if outcome.get("relapse") else ()),
            ("arms", "What each arm gets", _arms(trial)),
        ),
        made={
            "Trial file": trial.name,
            "Estimand": f"{trial.estimand}; missing ratings: {trial.missing}",
            "Published in": trial.doi,
        },
        seed=seed,
    )


def _masking(trial: Trial) -> str:
    return {
        "double": "nobody knows who gets what",
        "single": "people do not know what they get",
        "rater": "only the rater does not know",
        "open": "everybody knows",
        "anaesthesia": "given asleep",
    }[trial.masking]


def _answer(outcome: Mapping[str, Any], parts: Contributions) -> str:
    said = " and ".join(f"{arm} by {plain(change, -1, signed=True)}" for arm, change in parts.whole.items())
    first = f"On average the {outcome['scale']} changes by {when(outcome['primary_visit_h'])}: {said} points."
    if not outcome["comparisons"]:
        return first
    one = outcome["comparisons"][0]
    estimate = one["estimates"][0]
    found = "no difference beyond luck" if estimate["p"] >= 0.05 else "a difference beyond luck"
    return (
        f"{first} This one trial finds {found} between {one['arms'][0]} and {one['arms'][1]}: "
        f"{plain(estimate['value'], -1, signed=True)} points ({plain(estimate['low'], -1, signed=True)} to "
        f"{plain(estimate['high'], -1, signed=True)})."
    )


def _facts(outcome: Mapping[str, Any], parts: Contributions) -> tuple[PlainFact, ...]:
    found = []
    for arm in list(parts.whole)[:2]:
        drug = next(part for part in parts.parts if part.arm == arm and part.part == "drug")
        rest = parts.whole[arm] - drug.added
        found.append(
            PlainFact(
                arm,
                "change, and what of it is not the drug",
                plain(parts.whole[arm], -1, signed=True),
                "points",
                f"{plain(rest, -1, signed=True)} points would be there without the drug itself",
            )
        )
    for one in outcome["comparisons"][:1]:
        estimate = one["estimates"][0]
        found.append(
            PlainFact(
                "Difference",
                f"{one['arms'][0]} less {one['arms'][1]}, this trial",
                plain(estimate["value"], -1, signed=True),
                "points",
                f"{plain(estimate['low'], -1, signed=True)} to {plain(estimate['high'], -1, signed=True)}, "
                f"p {_p(estimate['p'])}",
            )
        )
    return tuple(found)


def _p(value: float | None) -> str:
    if value is None:
        return "not known"
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def _comparisons(outcome: Mapping[str, Any]) -> Table:
    def words(value: float | None) -> str:
        return "not known" if value is None else plain(value, -2)

    rows = tuple(
        (
            f"{one['arms'][0]} against {one['arms'][1]}",
            each["name"],
            words(each["value"]),
            f"{words(each['low'])} to {words(each['high'])}",
            _p(each["p"]),
            str(each["n"]),
        )
        for one in outcome["comparisons"]
        for each in one["estimates"]
    )
    head = ("Arms", "Analysis", "Estimate", "95 %", "p", "People")
    return Table(f"At {when(outcome['primary_visit_h'])}.", head, rows, frozenset({0, 1}))


def _relapse(found: Sequence[Mapping[str, Any]]) -> Table:
    """Each arm's share without relapse at the last rating and its median, and the hazard ratios."""
    rows = []
    for way in found:
        said = f"{way['scale']}, {way['rule']}"
        for arm in way["arms"]:
            median = "not reached" if arm["median_days"] is None else plain(arm["median_days"])
            kept = plain(100.0 * arm["without"][-1])
            rows.append((arm["arm"], said, f"{arm['relapsed']} of {arm['people']}", kept, median))
        for one in way["hazard_ratios"]:
            name, ratio = f"{one['arms'][0]} against {one['arms'][1]}", one["estimate"]
            text = one.get("reason") if ratio is None else (
                f"hazard ratio {plain(ratio['value'], -2)} ({plain(ratio['low'], -2)} to {plain(ratio['high'], -2)}, "
                f"p {_p(ratio['p'])})"
            )  # fmt: skip
            rows.append((name, said, str(text), "", ""))
    head = ("Arms", "Rule", "Relapsed", "Without relapse, %", "Median days")
    return Table("By Kaplan and Meier; hazard ratios by Cox.", head, tuple(rows), frozenset({0, 1, 2}))


def _arms(trial: Trial) -> Table:
    rows = []
    for arm in trial.arms:
        if arm.mixture:
            mixed = " and ".join(f"{plain(100 * share)} % {name}" for name, share in arm.mixture.items())
            rows.append((arm.name, arm.role, mixed, ""))
            continue
        for stage in arm.stages:
            label = f"{arm.name}, {stage.name}" if stage.name else arm.name
            besides = ", ".join(f"{name} {value:g}" if isinstance(value, float) else name
                                for name, value in stage.modifiers.items())  # fmt: skip
            rows.append((label, arm.role, stage.course.spoken(), besides))
    return Table("As the file says.", ("Arm", "Role", "Course", "Besides"), tuple(rows), frozenset({0, 1, 2, 3}))


def score_page(
    board: Scoreboard,
    judged: Sequence[Judged],
    in_sample: Mapping[str, Any] | None,
    trials: Sequence[Trial],
    seed: int,
    *,
    current: bool = True,
) -> PlainPage:
    """The scoreboard as a page; `current` says whether the ensemble was made with the trial files as they are now."""
    totals = board.totals
    low, high = totals["skill_vs_mean_90"]
    beats = "beats" if low > 0 else "does not surely beat"
    answer = (
        f"Of {totals['numbers']} published numbers of {totals['trials']} trials, {plain(100 * totals['coverage90'])} % "
        f"lie in their 90 % interval. The model {beats} the mean of comparable arms: its score is "
        f"{plain(100 * totals['skill_vs_mean'])} % better ({plain(100 * low)} to {plain(100 * high)} %)."
    )
    rows = tuple((each.trial, each.label, _reason_words(reason)) for each, reason in board.worst)
    tables = [
        ("worst", "The ten furthest outside", Table("With a reason.", ("Trial", "Number", "Reason"), rows,
                                                     frozenset({0, 1, 2}))),
        *((("conflicts", "Results that seem to contradict one another", _conflicts(judged)),) if judged else ()),
        ("totals", "Totals", _totals(board, in_sample)),
        ("numbers", "Every number", numbers_table(board.numbers)),
        *((("shown", "Shown and not scored", _shown(board)),) if board.shown else ()),
    ]  # fmt: skip
    calibrated = board.source.startswith("the calibrated")
    return PlainPage(
        title="How right is it?",
        subtitle=f"{len(trials)} trial files predicted and compared. Parameter sets: {board.source}.",
        answer=answer,
        facts=_score_facts(totals),
        notes=(() if current else (OUTDATED,)) if calibrated else (BEFORE,),
        figures=(agreement_figure(board), calibration_figure(board)),
        tables=tuple(tables),
        made={"Trials": ", ".join(trial.name for trial in trials), "Parameter sets": board.source},
        seed=seed,
    )


def _conflicts(judged: Sequence[Judged]) -> Table:
    rows = []
    for each in judged:
        numbers = "; ".join(
            f"{one.trial} {plain(one.published, -1)} (predicted {plain(one.median, -1)}, "
            f"{plain(one.low90, -1)} to {plain(one.high90, -1)})"
            for one in each.numbers
        )
        rows.append((each.conflict.question, each.conflict.causes, numbers, each.verdict))
    head = ("Question", "Causes in the model", "Published and predicted", "Verdict")
    return Table("One by one.", head, tuple(rows), frozenset({0, 1, 2, 3}))


def _shown(board: Scoreboard) -> Table:
    rows = tuple(
        (one.trial, one.label, one.scale, "none" if one.value is None else plain(one.value, -2), one.unit,
         one.reason if one.status == "modelled" else f"{one.status}: {one.reason}")
        for one in board.shown
    )  # fmt: skip
    head = ("Trial", "Number", "Scale", "Published", "Unit", "Why it is not scored")
    return Table("Published numbers without a prediction.", head, rows, frozenset({0, 1, 2, 4, 5}))


def _reason_words(reason: str) -> str:
    return reason[0].upper() + reason[1:]


def _score_facts(totals: Mapping[str, Any]) -> tuple[PlainFact, ...]:
    points, shares = totals["mae_points"], totals["mae_percentage_points"]
    found = [
        PlainFact("Coverage", "of 90 % intervals", f"{plain(100 * totals['coverage90'])} %", "",
                  f"of 50 % intervals: {plain(100 * totals['coverage50'])} %"),
    ]  # fmt: skip
    if points is not None:
        found.append(
            PlainFact("Error", "of mean changes", plain(points, -1), "points", "on the MADRS range, on average")
        )
    if shares is not None:
        found.append(PlainFact("Error", "of shares of people", plain(shares, 0), "percentage points", "on average"))
    skill = f"{plain(100 * totals['skill_vs_mean'])} %"
    last = f"against the nearest earlier trial: {plain(100 * totals['skill_vs_last'])} %"
    return (*found, PlainFact("Skill", "against the mean of others", skill, "", last))


USES = {"calibrate": "Trials for calibration", "context": "Trials for context"}


def _totals(board: Scoreboard, in_sample: Mapping[str, Any] | None) -> Table:
    def words(value: Any) -> str:
        if isinstance(value, list):
            return " to ".join(f"{each:.3f}" for each in value)
        return "not known" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)

    columns = {"All, left out" if in_sample else "All": board.totals}
    columns |= {USES.get(use, use): each for use, each in board.by_use.items()}
    columns |= {"All, in sample": in_sample} if in_sample else {}
    rows = tuple(
        (name.replace("_", " "), *(words(each.get(name)) for each in columns.values())) for name in board.totals
    )
    return Table("Intervals by resampling trials.", ("Total", *columns), rows)


def power_page(trial: Trial, found: Power, seed: int) -> PlainPage:
    """Power by itself."""
    size = found.size_for(0.8)
    effect = found.effect
    answer = (
        f"{found.arms[0]} against {found.arms[1]}: "
        + (f"{size} people in the first arm give an assurance of at least 80 %." if size else
           "no size in the table gives an assurance of 80 %.")
        + f" The expected difference is {plain(effect['difference'], -1, signed=True)} points "
        f"({plain(effect['low'], -1, signed=True)} to {plain(effect['high'], -1, signed=True)}), the SD left after the "
        f"baseline {plain(effect['sd'], -1)}."
    )  # fmt: skip
    return PlainPage(
        title=trial.title,
        subtitle=f"Power and assurance against size: {found.endpoint} on the {found.scale} at {when(found.visit_h)}.",
        answer=answer,
        notes=() if found.source.startswith("the calibrated") else (BEFORE,),
        figures=(power_figure(found),),
        tables=(("arms", "What each arm gets", _arms(trial)),),
        made={"Trial file": trial.name, "Parameter sets": found.source},
        seed=seed,
    )
