"""Write `docs/pharmacokinetics.md`: predicted against observed exposures, row by row.

Run as: python benchmarks/pharmacokinetics/table.py
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence

import numpy as np
from fit import agreement
from predict import HERE, NEEDED, PROCESSES, inclusion, predictions, solve

from rekindle.dosing.administration import Administration
from rekindle.engine.schedule import Bolus, Infusion
from rekindle.mechanism.delivery import deliver
from rekindle.mechanism.modifiers import modified
from rekindle.mechanism.parameters import parameter_table

PAGE = HERE.parents[1] / "docs/pharmacokinetics.md"
#: What the recommended set had before anything was estimated again.
PUBLISHED = {
    "central_volume": 133.0,
    "norketamine_volume_ratio_R": 1.0,
    "nasal_fraction": 0.54,
    "gut_norketamine_share": 0.0,
    "hydroxynorketamine_clearance": 55.98,
}
WHY = {
    "central_volume": "peaks of infusions were 6 to 23 % low",
    "norketamine_volume_ratio_R": "R-norketamine runs a fifth above S-norketamine after the racemate (Kamp 2020)",
    "nasal_fraction": "the published share belongs to a clearance of 114 L/h; here clearance is 95 L/h",
    "atomiser_fraction": "no published value; studies disagree",
    "atomiser_swallowed": "no published value; less norketamine than if all the rest were swallowed",
    "gut_norketamine_share": "grapefruit, St John's wort and the combined bioavailability of a drink",
    "hydroxynorketamine_clearance": "levels after film and infusion were a third low",
}
#: Ratios of areas with and without a second drug: modifier, route, analyte, record, observed.
INTERACTIONS = (
    ("ticlopidine", "oral", "ketamine", "pk-ddi-ticlopidine-auc", 2.4),
    ("grapefruit_juice", "oral", "ketamine", "pk-ddi-grapefruit-auc", 3.0),
    ("grapefruit_juice", "oral", "norketamine", "pk-ddi-grapefruit-ratio", 3.0 * 0.43),
    ("itraconazole", "oral", "ketamine", "pk-ddi-itraconazole-auc", 1.0),
    ("st_johns_wort", "oral", "ketamine", "pk-ddi-sjw-auc", 0.42),
    ("st_johns_wort", "oral", "norketamine", "pk-ddi-sjw-nk-auc", 0.82),
    ("rifampicin", "oral", "ketamine", "pk-ddi-rifampicin-po-auc", 0.14),
    ("rifampicin", "iv-infusion", "ketamine", "pk-ddi-rifampicin-iv-auc", 0.86),
)
MISSES = """
- **Film, 50 mg:** the observed peak of ketamine is two thirds of that of 100 mg and not half, so no linear model
  meets both; the peak of 50 mg is about a quarter low.
- **Bolus:** two minutes after a bolus the observed level is three and a half times the predicted one. Blood has
  not mixed by then, and the model's central volume is venous. Do not read the first ten minutes after a bolus.
- **Atomiser:** after a racemic spray early levels are twice, areas half of what is predicted (Singh 2022), while
  three volunteers absorbed 45 % (Yanagihara 2003). The model stands between them; its range is wide.
- **Drink of 25 mg:** the observed mean peak is twice the predicted one, in six patients who also cleared an
  injection a quarter more slowly; norketamine after 50 mg in three volunteers is twice the predicted.
- **Norketamine after the nasal device:** the printed areas lie 30 % under those that the paper's own equations
  give, and 30 to 45 % under ours; its peaks agree within 15 %.
- **Long infusions in intensive care:** norketamine is half as much again as observed.
- **Hydroxynorketamine:** two sources contradict each other. The digitised panel of Kamp 2020 is a third of what
  is predicted, the area ratio after the extended-release tablet three times. Its level is uncertain two- to
  threefold, so no conclusion should rest on it.
""".strip()


def figure(value: float) -> str:
    """A number to three figures."""
    return f"{value:.3g}" if value < 1000 else f"{value:.0f}"


def lines(header: str, rows: Sequence[Sequence[str]]) -> list[str]:
    """A table in Markdown."""
    columns = header.split(" | ")
    rule = [
        "---:" if name in ("observed", "predicted", "ratio", "published set", "unseen") else "---"
        for name in columns
    ]
    return [f"| {' | '.join(cells)} |" for cells in (columns, rule, *rows)] + [""]


def what(row: Mapping[str, str]) -> list[str]:
    """The first cells of a row: record, dose, site, what was measured."""
    duration = f" over {figure(60 * float(row['duration_h']))} min" if row["duration_h"] else ""
    metric = row["metric"].replace(" of a digitised curve", ", curve")
    if row["metric"] == "AUC" and row["times_h"]:
        metric = f"AUC 0-{row['times_h']} h"
    analyte = row["analyte"].replace("_", " ")
    dose = f"{figure(float(row['dose_mg']))} mg {row['drug']}, {row['route']}{duration}"
    return [f"`{row['record']}`", dose, row["site"], f"{analyte}, {metric}"]


def compared(rows: Sequence[Mapping[str, str]], more: Mapping[str, Mapping[str, float]]) -> list[list[str]]:
    """Rows of observed and predicted, with the ratios of other predictions by record in further columns."""
    cells = []
    for row, predicted in zip(rows, predictions(rows), strict=True):
        observed = float(row["observed"])
        ratios = [
            f"{predicted / observed:.2f}",
            *(f"{table[row['record']] / observed:.2f}" for table in more.values()),
        ]
        cells.append([*what(row), figure(observed), figure(predicted), *ratios])
    return cells


def said(rows: Sequence[Mapping[str, str]], values: Mapping[str, float] | None = None) -> str:
    """How much of the weight lies near, as words."""
    near, far = agreement(rows, values or {})
    return f"{near:.0%} within 0.8-1.25 and {far:.0%} within 0.5-2 of observed"


def interactions() -> list[list[str]]:
    """Areas with a second drug over areas without, observed and predicted."""
    typical = {name: row.value for name, row in parameter_table().items()}

    def areas(route: str, values: Mapping[str, float]) -> dict[str, float]:
        given = Administration(0.0, "esketamine", route, 14.0, 0.1 if route == "iv-infusion" else None)
        events = deliver([given], {name: values[name] for name in NEEDED})
        drug = [
            event for event in events if isinstance(event, Bolus | Infusion) and event.target != "contact"
        ]
        times, levels = solve(drug, values, 96.0)
        return {
            name: float(np.trapezoid(levels[f"plasma_{name}"], times)) for name in ("ketamine", "norketamine")
        }

    cells = []
    for modifier, route, analyte, record, observed in INTERACTIONS:
        with_it = areas(route, typical | modified(typical, {modifier: True}))[analyte]
        predicted = with_it / areas(route, typical)[analyte]
        name = modifier.replace("_", " ")
        cells.append([name, route, analyte, f"`{record}`", f"{observed:.2f}", f"{predicted:.2f}"])
    return cells


def estimates() -> list[list[str]]:
    """The parameters that were estimated again, from `fit.csv`."""
    table = parameter_table()
    with (HERE / "fit.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    studies = [
        name
        for name in rows[0]
        if name not in ("parameter", "scale", "published", "estimate", "standard_error")
    ]
    cells = []
    for row in rows:
        name = row["parameter"]
        error = (
            f"{float(row['standard_error']):.0%}"
            if row["scale"] == "log"
            else f"{row['standard_error']} (log-odds)"
        )
        published = figure(PUBLISHED[name]) if name in PUBLISHED else "-"
        without = ", ".join(figure(float(row[study])) for study in studies)
        cells.append(
            [f"`{name}`", table[name].unit, published, figure(table[name].value), error, without, WHY[name]]
        )
    return cells


def page() -> str:
    """The page as Markdown."""
    rows = inclusion()
    table = {name: [row for row in rows if row["table"] == name] for name in {row["table"] for row in rows}}
    counted = table["counted"]
    published = dict(zip((r["record"] for r in counted), predictions(counted, PUBLISHED), strict=True))
    with (HERE / "unseen.csv").open(encoding="utf-8", newline="") as stream:
        unseen = {row["record"]: float(row["predicted"]) for row in csv.DictReader(stream)}
    near = [0.8 <= unseen[row["record"]] / float(row["observed"]) <= 1.25 for row in counted]
    groups = [row["group"] for row in counted]
    shares = np.array([1 / groups.count(group) for group in groups])
    left_out = float((shares * near).sum() / shares.sum())
    reasons: dict[str, int] = {}
    for row in table["excluded"]:
        reason = row["reason"].split(" counted once")[0].replace("a point of the curve", "a point of a curve")
        reasons[reason] = reasons.get(reason, 0) + 1
    observed = "record | dose | site | measured | observed | predicted | ratio"
    text = [
        "# Pharmacokinetics against observed exposures",
        "",
        "How close are the drug levels? Each row is an observed peak (ng/mL), area (ng.h/mL) or trough beside what",
        "the model gives for the same dose, weight and sampling site. This page is generated by",
        "`python benchmarks/pharmacokinetics/table.py`; the list of rows was written, by rules, before any",
        "prediction (`benchmarks/pharmacokinetics/inclusion.py`). Each study-drug-analyte-route weighs one.",
        "",
        f"**Ketamine and norketamine, {len(counted)} rows in {len(set(groups))} groups: {said(counted)}.**",
        f"The published set alone: {said(counted, PUBLISHED)}. Each study predicted by a fit that did not see it:",
        f"{left_out:.0%} within 0.8-1.25. The wanted shares are 70 % and 95 %.",
        "",
        "## What was estimated again",
        "",
        "The start is the recommended set RK-1: Otto 2021 for ketamine and norketamine, Simons 2022 for",
        "hydroxynorketamine and the film, Perez-Ruixo 2021 for nose, gut and liver flow. The values below were",
        "estimated again by penalised least squares on log ratios, pulled to the published values",
        "(`benchmarks/pharmacokinetics/fit.py`); they are records `pk-fit-*` (`rekindle evidence show`). The",
        "estimates without Hasan 2021, Kamp 2020 and Simons 2022 in turn say how much rests on one study.",
        "",
        *lines(
            "parameter | unit | published set | used | standard error | without each study | why", estimates()
        ),
        "## Ketamine and norketamine",
        "",
        "Ratio: predicted over observed, as used; then with the published set, and with the study left out of the fit.",
        "",
        *lines(
            f"{observed} | published set | unseen",
            compared(counted, {"published": published, "unseen": unseen}),
        ),
        "## Hydroxynorketamine, apart",
        "",
        f"{len(table['hydroxynorketamine'])} rows: {said(table['hydroxynorketamine'])}.",
        "An area ratio is to ketamine's area.",
        "",
        *lines(observed, compared(table["hydroxynorketamine"], {})),
        "## Sampling site not stated",
        "",
        f"Taken as venous; mostly three to ten people: {said(table['site not stated'])}.",
        "",
        *lines(observed, compared(table["site not stated"], {})),
        "## Printed from a model",
        "",
        "Table 4 of Perez-Ruixo 2021 (nasal device; 820 people behind it), with that paper's own factors for people",
        f"from Asia: {said(table['model-based'])}.",
        "",
        *lines(observed, compared(table["model-based"], {})),
        "## Interactions",
        "",
        "Area with the second drug over area without. The liver is well stirred, so a change of its enzymes moves a",
        "swallowed dose in full and an injected one little.",
        "",
        *lines("with | route | analyte | record | observed | predicted", interactions()),
        "## Known misses",
        "",
        MISSES,
        "",
        "## Left out",
        "",
        *lines("reason | records", [[reason, str(count)] for reason, count in sorted(reasons.items())]),
        f"Processes: {', '.join(f'`{name}.ant`' for name in PROCESSES)}.",
        "People weigh what the record says, else 70 kg.",
        "",
    ]
    return "\n".join(text)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
    print(f"Wrote {PAGE.relative_to(HERE.parents[1])}.")
