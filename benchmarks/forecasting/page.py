"""The page and the figure of the proof, from the results of the other programs.

    python benchmarks/forecasting/page.py [--results DIR]

Reads synthetic.json, pipeline.json, patients.json and year*.json from DIR (this folder's `results` when not given),
writes docs/forecasting-proof.md and docs/images/forecasting-proof.svg, and keeps the results, rounded.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from clinics import sets_made

from rekindle.report.axes import frame
from rekindle.report.draw import Canvas, Panel, Scale
from rekindle.report.figure import Drawing, Figure, KeyEntry

HERE = Path(__file__).parent
DOCS = HERE.parents[1] / "docs"
KEPT = HERE / "results"
Json = dict[str, Any]
FEWEST = 10
"""Responders below which differences in relapses are not shown."""
METHODS = ("Rekindle", "last value", "population mean", "mixed model", "Gaussian process")


def rounded(value: Any) -> Any:
    """The same content with five significant digits."""
    if isinstance(value, dict):
        return {name: rounded(each) for name, each in value.items()}
    if isinstance(value, list):
        return [rounded(each) for each in value]
    return float(f"{value:.5g}") if isinstance(value, float) else value


def read(folder: Path) -> dict[str, Json]:
    """Results by name; those of the year's worlds joined."""
    found = {}
    for name in ("synthetic", "pipeline", "patients"):
        found[name] = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    years = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("year*.json"))]
    found["year"] = {**years[0], "worlds": [world for each in years for world in each["worlds"]]}
    return found


def keep(found: dict[str, Json]) -> None:
    """Write the results, a line a file."""
    KEPT.mkdir(exist_ok=True)
    for name, content in found.items():
        text = json.dumps(rounded(content), separators=(", ", ": "))
        (KEPT / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def table(head: list[str], rows: list[list[str]]) -> str:
    """A table in Markdown; numbers at the right."""
    lines = ["| " + " | ".join(head) + " |", "| --- |" + " ---: |" * (len(head) - 1)]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def share(value: float, places: int = 1) -> str:
    """A share in per cent."""
    return f"{100 * value:.{places}f}"


def signed(value: float, places: int = 2) -> str:
    """A number with its sign, a true minus."""
    return f"{value:+.{places}f}".replace("-", "−")


def page(found: dict[str, Json]) -> str:
    """The page."""
    return "\n\n".join([*_head(found), *_synthetic(found), *_wrong(found), *_patients(found), *_year(found)]) + "\n"


def _head(found: dict[str, Json]) -> list[str]:
    own = found["synthetic"]["worlds"][0]
    summary = own["methods"]["Rekindle"]
    best = min((own["methods"][name]["crps"], name) for name in METHODS[1:])
    real = found["patients"]
    rival = min((each["crps"], name) for name, each in real["methods"].items() if name != "Rekindle")
    against = real["against"][rival[1]]
    return [
        "# Do the forecasts hold?",
        "Made by `python benchmarks/forecasting/page.py`; do not edit.",
        f"On {own['persons']:,} synthetic persons drawn from the model, {own['forecasts']:,} forecasts of the next "
        f"visit: 95 % bands held {share(summary['cover95'])} % of the ratings, 50 % bands {share(summary['cover50'])} "
        f"%. The mean score (CRPS, points of the MADRS) was {summary['crps']:.2f}, that of the best simple forecast "
        f"({best[1]}) {best[0]:.2f}. On {real['patients']} patients of a public data set ({real['forecasts']} "
        f"forecasts) it was {real['methods']['Rekindle']['crps']:.2f}, that of the best simple forecast ({rival[1]}) "
        f"{rival[0]:.2f}: {signed(100 * against['share'], 0)} % (95 % interval {signed(100 * against['share_low'], 0)} "
        f"to {signed(100 * against['share_high'], 0)} %). They are few, and no claim rests on them alone. Where the "
        "world is not as the model has it, bands hold less than they say; how much less stands below.",
        _sets(found),
        "![Coverage by world, reliability of chances of response, and scores beside simple forecasts]"
        "(images/forecasting-proof.svg)",
    ]


def _sets(found: dict[str, Json]) -> str:
    """Which sets of parameters each part was made with."""
    now = sets_made()
    older = [name for name, content in found.items() if content.get("sets_made") != now]
    if not older:
        return "All parts were made with the calibrated ensemble of the package."
    words = {"synthetic": "synthetic clinics", "pipeline": "the whole update", "patients": "patients", "year": "year"}
    parts = ", ".join(f"{words[name]} ({found[name].get('sets_made', 'not said')})" for name in older)
    return (
        f"The calibrated ensemble of the package was made at {now}. Not yet made again with it, but with an earlier "
        f"one: {parts}. How care is followed between sessions was changed after those runs too."
    )


def _synthetic(found: dict[str, Json]) -> list[str]:
    own = found["synthetic"]["worlds"][0]
    head = ["forecast", "CRPS", "difference of Rekindle (95 %)", "95 % bands hold", "50 % bands hold", "95 % width"]
    rows = []
    for name in METHODS:
        each = own["methods"][name]
        gap = own["against"].get(name)
        words = "" if gap is None else f"{signed(gap['difference'])} ({signed(gap['low'])} to {signed(gap['high'])})"
        rows.append([name, f"{each['crps']:.2f}", words, share(each["cover95"]), share(each["cover50"]),
                     f"{each['width95']:.1f}"])  # fmt: skip
    chances = []
    for what in ("response", "remission"):
        for name in METHODS:
            each = own["chances"][f"{what}: {name}"]
            chances.append([f"{what}, {name}", str(each["count"]), f"{each['brier']:.3f}",
                            f"{each['brier_of_the_rate']:.3f}", f"{each['error']:.3f}"])  # fmt: skip
    ranks = own["ranks"]
    low = min(ranks["holm"], key=lambda name: ranks["p"][name])
    pipe = found["pipeline"]
    each = pipe["summary"]
    known = ", ".join(
        f"{number} known {share(row['cover95'])} and {share(row['cover50'])}" for number, row in own["by_known"].items()
    )
    return [
        "## In the model's world",
        "Eight clinics: one infusion; six in three weeks; MADRS and PHQ-9 in turn; the spray by its label "
        "with the PHQ-9 "
        "alone; two scales at each visit; a series then monthly with visits missed; saline then ketamine; weekly with "
        "the Hamilton scale. A person is one draw of the parameters, the random effects, the covariates that the file "
        "does not give, the drift, the bent of a scale, and a rating made item by item. Each visit from the second on "
        "is foretold from those before. The simple forecasts were fitted on 150 other persons of the same clinic, with "
        "their drift and all. Scores of all scales are put on the 60 points of the MADRS.",
        table(head, rows),
        f"By ratings known, 95 % and 50 % bands: {known}. Bias of Rekindle: "
        f"{signed(own['methods']['Rekindle']['bias'])} points. Bands are of ratings before rounding; "
        f"quantiles of whole "
        f"points would hold {share(own['methods']['Rekindle']['cover50_whole'])} % instead of 50 %, as their "
        f"ends belong "
        "to them.",
        table(["chance of", "forecasts", "Brier", "of the rate alone", "mean gap of reliability"], chances),
        f"Simulation-based calibration: ranks of what was true among 99 posterior draws, given all ratings of "
        f"a person, "
        f"in 20 bins, for the severity now, the person's own score now and {len(ranks['p']) - 2} random effects. Least "
        f"p after Holm's correction: {ranks['holm'][low]:.2f} ({low.replace('_', ' ')}; severity now: p "
        f"{ranks['p']['severity now']:.2f} by itself, own score now {ranks['p']['own score now']:.2f}).",
        f"The same through the whole `update`, with its rounds and moved candidates, for {pipe['persons']} "
        f"persons with "
        f"weight, age, sex and failed treatments of their own ({each['forecasts']:.0f} forecasts): 95 % bands held "
        f"{share(each['cover95'])} %, 50 % bands {share(each['cover50'])} %, CRPS "
        f"{pipe['summary']['crps']:.2f}; least p "
        f"of the ranks {min(pipe['ranks']['holm'].values()):.2f}; effective candidates {pipe['effective'][0]:.0f} at "
        f"least, {pipe['effective'][2]:.0f} in the middle; Pareto k at most {pipe['pareto_k'][2]:.2f}. So few tell "
        "whether something is badly wrong, no more.",
        "```text\npython benchmarks/forecasting/synthetic.py --people 2000 --json synthetic.json\n"
        "python benchmarks/forecasting/pipeline.py --people 80 --json pipeline.json\n```",
    ]


def _wrong(found: dict[str, Json]) -> list[str]:
    rows = []
    for world in found["synthetic"]["worlds"]:
        own = world["methods"]["Rekindle"]
        best = min((world["methods"][name]["crps"], name) for name in METHODS[1:])
        rows.append([world["world"], str(world["persons"]), share(own["cover95"]), share(own["cover50"]),
                     signed(own["bias"]), f"{own['crps']:.2f}", f"{best[0]:.2f} ({best[1]})",
                     share(world["odd"]["0.01"]), share(world["odd"]["0.05"])])  # fmt: skip
    return [
        "## In other worlds",
        "The same clinics and the same forecasts, but the persons come from elsewhere: half the drug effect on "
        "plasticity and habenula, more of it functional and lost in half the time, with no expectancy at all; rating "
        "errors from a t distribution with three degrees of freedom; drift twice as large; persons who are not better "
        "leave (three in ten at each visit). The simple forecasts were fitted in that world, Rekindle was not: where "
        "the drug itself differs they win, and nobody should use these forecasts for such a drug.",
        table(["world", "persons", "95 % hold", "50 % hold", "bias", "CRPS", "best simple", "odd at 1 %", "odd at 5 %"],
              rows),
        "The last columns say how many persons the page warns of: each rating is set beside its forecast from those "
        "before, and a person whose ratings together have a chance below 1 % is called unlike anyone in the model's "
        "range. In the model's world that should be one in a hundred. Most persons of the other worlds get no "
        "warning: heavy tails show in one of five, twice the drift in one of fifteen, a wrong "
        "drug effect hardly ever: a person who responds less is within the model's "
        "range. That shows only in the forecasts of many persons, not in one person's.",
    ]  # fmt: skip


def _patients(found: dict[str, Json]) -> list[str]:
    real = found["patients"]
    words = {"all": "all visits", "d2": "2 days after ketamine", "d10": "10 days after ketamine",
             "p2": "2 days after saline", "p10": "10 days after saline"}  # fmt: skip
    rows = [
        [words[part], str(row["count"]), *(f"{row[name]:.2f}" for name in METHODS), signed(real["bias"][part])]
        for part, row in real["crps"].items()
    ]
    pairs = [
        [name, f"{signed(row['difference'])} ({signed(row['low'])} to {signed(row['high'])})",
         f"{signed(100 * row['share'], 0)} % ({signed(100 * row['share_low'], 0)} to "
         f"{signed(100 * row['share_high'], 0)})"]
        for name, row in real["against"].items()
    ]  # fmt: skip
    own = real["methods"]["Rekindle"]
    source = "the posterior without this trial" if real["calibrated"] else "the plausible ranges, fitted to nothing"
    return [
        "## In patients",
        f"{real['patients']} patients with depression of OpenNeuro ds005917 (NCT00088699, CC0): one infusion "
        f"of ketamine "
        "and one of saline in either order, two weeks apart, MADRS at baseline and 2 and 10 days after each. "
        "Each visit "
        "is foretold from those before. Parameters of the model are those of " + source + "; the simple forecasts are "
        "fitted anew without the person. Not wholly apart: the size of the drift was assumed with this trial's changes "
        "after saline in view, and a pooled analysis that was fitted (wilkinson2018) may hold some of the patients. "
        "Weight is the BMI at a middle height. Infusions were masked, the forecast "
        "knows which it was, and so do the simple ones.",
        table(["visit", "n", *METHODS, "bias of Rekindle"], rows),
        table(["Rekindle against", "difference in CRPS (95 %)", "of the other's"], pairs),
        f"95 % bands held {share(own['cover95'], 0)} %, 50 % bands {share(own['cover50'], 0)} %. Intervals are over "
        f"persons resampled. {real['unlike']} times somebody was called unlike anyone. "
        "Bands are too narrow here and forecasts too low: after saline above all, where ten days later the mixed model "
        "does better.",
        "```text\npython benchmarks/forecasting/patients.py --data ../shared/data --json patients.json\n```",
    ]


def _year(found: dict[str, Json]) -> list[str]:
    parts = [
        "## A year under four policies",
        "Everybody has had eight infusions of 40 mg in four weeks, "
        + ("with a response or without, " if found["year"].get("everybody") else "is in response at their end, ")
        + "and is rated every week of the year, with care all year. What follows is the rhythm of the spray's label "
        "(weekly for a month, then every second week), a session every four weeks, a session in each week whose MADRS "
        "shows no response, or Rekindle's plan: every eight weeks the person is updated and, of no, one, two, four or "
        "eight sessions in the next eight weeks, those are given that promise the most weeks in response over twelve, "
        "less a price a session. Relapse: half of the gain lost at two visits running, among those in response at "
        "week 4. This is the rule of `benchmarks/forecasting/year.py`, not the search of `rekindle plan`.",
    ]
    for world in found["year"]["worlds"]:
        rows = [
            [name, f"{row['upkeep_sessions']:.1f}", f"{row['weeks_in_response']:.1f}", share(row["relapse"], 0),
             f"{row['mean_madrs']:.1f}", f"{row['sessions_above_180']:.2f}", f"{row['worst_dissociation']:.1f}",
             f"{100 * row['craving']:.1f}", f"{row['bladder']:.4f}"]
            for name, row in world["policies"].items()
        ]  # fmt: skip
        head = ["policy", "sessions after week 4", "weeks in response of 48", "relapsed, %", "mean MADRS",
                "sessions above 180 mmHg", "worst CADSS", "craving", "bladder"]  # fmt: skip
        responded = round(world["persons"] * next(iter(world["policies"].values()))["responder"])
        parts += [
            f"World: {world['world']}, {world['persons']} persons, {responded} in response at week 4.",
            table(head, rows),
            _gaps(world),
        ]
    parts += [
        "Intervals of relapse are wide with so few persons: where they hold zero, which policy has fewer relapses is "
        "open. In the other world the plan is made with a model that is wrong, and gives more to those who lose their "
        "response.",
        f"```text\npython benchmarks/forecasting/year.py --people {found['year']['worlds'][0]['persons']}"
        f"{' --everybody' if found['year'].get('everybody') else ''} --json year.json\n```",
    ]
    return parts


def _gaps(world: Json) -> str:
    lines = []
    names = {"upkeep_sessions": "sessions", "weeks_in_response": "weeks in response", "relapse": "relapses (share)"}
    plans = [name for name in world["policies"] if name.startswith("Rekindle")]
    for plan in plans:
        for other in (name for name in world["policies"] if name not in plans):
            words = []
            for key, what in names.items():
                if key == "relapse" and world["persons"] * world["policies"][plan]["responder"] < FEWEST:
                    continue
                middle, low, high = world["pairs"][f"{plan} | {other} | {key}"]
                words.append(f"{what} {signed(middle)} ({signed(low)} to {signed(high)})")
            lines.append(f"- {plan}, less {other}: " + ", ".join(words))
    return "Differences a person, with 95 % intervals:\n\n" + "\n".join(lines)


def figure(found: dict[str, Json]) -> Figure:
    """Coverage by world, reliability, and scores, side by side."""
    worlds = found["synthetic"]["worlds"]
    canvas = Canvas(1120.0, 330.0)
    _coverage(canvas, worlds)
    _reliability(canvas, worlds[0]["chances"]["response: Rekindle"]["reliability"])
    _scores(canvas, worlds[0]["methods"], found["patients"]["methods"])
    own = worlds[0]["methods"]["Rekindle"]
    words = f"95 % bands hold {share(own['cover95'])} % in the model's world and less where it is wrong"
    return Figure(
        key="forecasting-proof",
        heading=words,
        lead="Forecasts of the next visit",
        title="Do the forecasts hold?",
        description=" ".join(
            f"{each['world']}: {share(each['methods']['Rekindle']['cover95'])} and "
            f"{share(each['methods']['Rekindle']['cover50'])} %." for each in worlds
        ),
        drawings={"wide": Drawing(1120.0, 330.0, canvas.markup())},
        caption="Left: share of ratings inside 95 % bands (filled) and 50 % bands (open); dashed what they promise. "
        "Middle: chance of response as foretold against what came. Right: mean score, points of the MADRS, less is "
        "better; filled synthetic persons, open patients.",
        tables=(),
        entries=(KeyEntry('<circle cx="8" cy="8" r="4" class="obs"/>', 16, "95 % bands; synthetic persons"),
                 KeyEntry('<circle cx="8" cy="8" r="4" class="obso"/>', 16, "50 % bands; patients")),
    )  # fmt: skip


SHORT = ("as the model", "another drug", "heavy tails", "twice the drift", "some leave", "all of these")


def _coverage(canvas: Canvas, worlds: list[Json]) -> None:
    panel = Panel("coverage", Scale(20, 100, 120, 380), Scale(0, 6, 280, 30))
    canvas.text(120, 16, "bands hold, %", "phead")
    frame(canvas, panel, (), tuple((each, f"{each}") for each in (20, 40, 60, 80, 100)))
    canvas.open_panel(panel)
    for nominal in (50, 95):
        canvas.line(panel.x(nominal), 30, panel.x(nominal), 280, "threshold")
    for place, world in enumerate(worlds):
        y, own = panel.y(5.5 - place), world["methods"]["Rekindle"]
        canvas.text(112, y + 4, SHORT[place], "tick", "end")
        canvas.circle(panel.x(100 * own["cover95"]), y, 4.5, "obs")
        canvas.circle(panel.x(100 * own["cover50"]), y, 4.5, "obso")
    canvas.close_panel()


def _reliability(canvas: Canvas, rows: list[Json]) -> None:
    panel = Panel("reliability", Scale(0, 100, 460, 710), Scale(0, 100, 280, 30))
    canvas.text(460, 16, "response came, % of forecasts", "phead")
    ticks = tuple((each, f"{each}") for each in (0, 25, 50, 75, 100))
    frame(canvas, panel, ticks, ticks, x_unit="chance foretold, %")
    canvas.line(panel.x(0), panel.y(0), panel.x(100), panel.y(100), "threshold")
    canvas.open_panel(panel)
    for row in rows:
        canvas.circle(panel.x(100 * row["forecast"]), panel.y(100 * row["observed"]), 4.5, "obs")
    canvas.close_panel()


def _scores(canvas: Canvas, synthetic: Json, patients: Json) -> None:
    panel = Panel("scores", Scale(0, 7, 900, 1100), Scale(0, 5, 280, 30))
    canvas.text(900, 16, "mean score (CRPS), points", "phead")
    frame(canvas, panel, (), tuple((each, f"{each}") for each in (0, 2, 4, 6)))
    canvas.open_panel(panel)
    for place, name in enumerate(METHODS):
        y = panel.y(4.5 - place)
        canvas.text(892, y + 4, name, "lab2" if place == 0 else "tick", "end")
        canvas.circle(panel.x(synthetic[name]["crps"]), y, 4.5, "obs")
        canvas.circle(panel.x(patients[name]["crps"]), y, 4.5, "obso")
    canvas.close_panel()


def main() -> None:
    """Write the page, the figure and the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", type=Path, default=KEPT)
    found = rounded(read(parser.parse_args().results))
    keep(found)
    (DOCS / "forecasting-proof.md").write_text(page(found), encoding="utf-8")
    figure(found).save(DOCS / "images" / "forecasting-proof.svg")


if __name__ == "__main__":
    main()
