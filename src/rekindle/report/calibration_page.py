"""A calibration as a page: how often it is right without the scored trial, what the trials taught, and the checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rekindle.report.calibration_figures import (
    Row,
    agreement_figure,
    learning_figure,
    residual_figure,
    screening_figure,
    visual_check_figure,
)
from rekindle.report.numerals import plain
from rekindle.report.plain import PlainFact, PlainPage
from rekindle.report.tables import Table

CLOSING = (
    "Left out trial by trial, by an emulator of the model with its error; `rekindle score` compares fresh simulations. "
    "It describes groups of people, and nobody in particular."
)


def calibration_page(
    facts: Mapping[str, Any],
    numbers: Sequence[Row],
    parameters: Sequence[Row],
    trials: Sequence[Row],
    pairs: Sequence[Row],
    screening: Sequence[Row],
    *,
    visual: Sequence[Row] = (),
    seed: int = 1,
) -> PlainPage:
    """The page; rows are those of the tables that `rekindle calibrate` writes, as text; `visual` of a visual check."""
    covered = 100.0 * facts["coverage90"]
    figures = [agreement_figure(numbers), residual_figure(numbers)]
    figures += [visual_check_figure(visual)] if visual else []
    figures += [learning_figure(parameters), screening_figure(screening, moved="the published numbers")]
    answer = (
        f"Left out trial by trial, {plain(covered)} % of {facts['numbers']} published numbers lie in their 90 % "
        f"interval. Mean changes are missed by {plain(facts['mae_points'], -1)} points on average, shares of people by "
        f"{plain(facts['mae_percentage_points'])} percentage points."
    )
    return PlainPage(
        title="What the trials taught the model",
        subtitle=f"{facts['parameters']} uncertain parameters, {facts['numbers']} numbers of {facts['trials']} trials, "
        f"{facts['rows']} simulated sets.",
        answer=answer,
        facts=_facts(facts),
        figures=tuple(figures),
        tables=(
            ("trials", "Trial by trial", _table("Pareto k above 0.7: fitted again without the trial.", trials)),
            ("pairs", "Parameters that trade off", _table("Posterior correlations beyond 0.3.", pairs)),
        ),
        closing=CLOSING,
        seed=seed,
    )


def _facts(facts: Mapping[str, Any]) -> tuple[PlainFact, ...]:
    uniform = facts.get("ranks_uniform")
    checked = "not checked" if uniform is None else "uniform" if uniform else "not uniform"
    return (
        PlainFact("Coverage", "of 90 % intervals", f"{plain(100 * facts['coverage90'])} %", "",
                  f"of 50 % intervals: {plain(100 * facts['coverage50'])} %"),
        PlainFact("Learned", "values informed", str(len(facts["informed"])), f"of {facts['parameters']}",
                  "posterior below nine tenths of the prior's width"),
        PlainFact("Sampler", "largest R-hat", f"{facts['largest_rhat']:.3f}", "",
                  f"least effective size {plain(facts['least_effective'])}, {facts['divergent']} divergent steps"),
        PlainFact("Check", "ranks over synthetic data", checked, "", f"{facts.get('checked_sets') or 0} data sets"),
    )  # fmt: skip


def _table(caption: str, rows: Sequence[Row]) -> Table:
    head = tuple(rows[0]) if rows else ("None",)
    cells = tuple(tuple(row[name] for name in head) for row in rows)
    return Table(caption, tuple(name.replace("_", " ").capitalize() for name in head), cells, frozenset({0, 1}))
