"""Draw the figures of a calibration for the documentation, and write what came out into docs/calibration.md.

    rekindle calibrate --out my-calibration --rivals 48
    python benchmarks/calibration/page.py my-calibration --data DIR

DIR holds ds005917 (read by path, not part of this repository); the visual check needs the new ensemble in the package:
`--install` copies it there first. Everything between the two marks in the page is written anew.
"""

from __future__ import annotations

import argparse
import csv
import json
import shutil
from pathlib import Path
from typing import Any

from rekindle.inference.setup import SHARED
from rekindle.inference.visual_check import visual_check
from rekindle.mechanism.ensemble import DRAWS, FOLDER, MADE, WITHOUT
from rekindle.report.calibration_page import calibration_page

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "calibration.md"
IMAGES = ROOT / "docs" / "images"
BEGIN, END = "<!-- made by benchmarks/calibration/page.py: begin -->", "<!-- end -->"
Row = dict[str, str]


def rows(path: Path) -> list[Row]:
    """A table as text; empty where there is none."""
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def amount(text: str) -> str:
    """Three digits."""
    return f"{float(text):.3g}"


def learned(parameters: list[Row]) -> list[str]:
    """What the trials inform, most informed first."""
    informed = sorted((row for row in parameters if row["informed"] == "yes"), key=lambda row: float(row["sd_ratio"]))
    lines = [f"Posterior below nine tenths of the prior's width: {len(informed)} of {len(parameters)} values.", ""]
    lines += ["| | grade | prior, middle nine tenths | posterior | width kept |", "| --- | --- | --- | --- | ---: |"]
    for row in informed:
        lines.append(
            f"| `{row['parameter']}` | {row['grade']} | {amount(row['prior_05'])} to {amount(row['prior_95'])} | "
            f"{amount(row['posterior'])} ({amount(row['posterior_05'])} to {amount(row['posterior_95'])}) | "
            f"{100 * float(row['sd_ratio']):.0f} % |"
        )
    return lines


def outlying(numbers: list[Row]) -> str:
    """The numbers furthest off, with their standardised residuals."""
    worst = sorted(numbers, key=lambda row: -abs(float(row["z"])))[:8]
    return "; ".join(f"{row['number'].split('/')[-1]} {row['trial']} ({float(row['z']):+.1f})" for row in worst)


def weights(folder: Path) -> list[str]:
    """The rivals and their weights, and the designs, where they were weighed."""
    weighed = rows(folder / "rivals.csv")
    if not weighed:
        return []
    lines = ["### Rivals", ""]
    head = ("rival", "log density less the model's", "standard error", "stacking", "pseudo-BMA", "for it", "against")
    lines += ["| " + " | ".join(head) + " |"]
    lines += ["| --- | ---: | ---: | ---: | ---: | --- | --- |"]
    for row in weighed:
        apart = f"{float(row['difference']):+.1f}" if row.get("difference") else ""
        error = f"{float(row['standard_error']):.1f}" if row.get("standard_error") else ""
        told = [f"{row[name]} ({float(row[name + '_by']):+.1f})" if row.get(name) and row.get(name + "_by") else ""
                for name in ("for", "against")]  # fmt: skip
        lines.append(
            f"| {row['rival']}: {row['says']} | {apart} | {error} | {float(row['stacking']):.2f} | "
            f"{float(row['averaging']):.2f} | {told[0]} | {told[1]} |"
        )
    lines += ["", "Log densities are of each trial foretold from the others, added up.", ""]
    designs = rows(folder / "designs.csv")
    if designs:
        head = list(designs[0])
        lines += ["Experiments that nobody has run, and what each is expected to tell:", ""]
        lines += ["| " + " | ".join(name.replace("_", " ") for name in head) + " |", "| --- " * len(head) + "|"]
        lines += ["| " + " | ".join(_short(row[name]) for name in head) + " |" for row in designs]
        lines += [""]
    return lines


def _short(text: str) -> str:
    try:
        return f"{float(text):.3g}"
    except ValueError:
        return text


def section(folder: Path, made: dict[str, Any], visual: bool) -> str:
    """What came out, as Markdown."""
    facts, settings = made["summary"], made["settings"]
    numbers, parameters, trials = (rows(folder / f"{name}.csv") for name in ("numbers", "parameters", "trials"))
    fitted_again = sum(row["fitted_again"] == "yes" for row in trials)
    pairs = rows(folder / "pairs.csv")[:8]
    lines = [
        f"Seed {made['seed']}, made {made['made_at'][:10]} by version {made['version']}: {facts['rows']} simulated "
        f"sets of {settings['people']} people an arm, {facts['seconds_simulating'] / 60:.0f} minutes of simulation "
        f"added up over processes, {facts['seconds'] / 60:.0f} minutes in all. {facts['numbers']} numbers of "
        f"{facts['trials']} trials, {facts['parameters']} uncertain parameters. Largest R-hat "
        f"{facts['largest_rhat']:.3f}, least effective size {facts['least_effective']:.0f}, {facts['divergent']} "
        "divergent steps.",
        "", "| left out trial by trial (by the emulator) | |", "| --- | ---: |",
        f"| numbers inside the 50 % interval | {100 * facts['coverage50']:.0f} % |",
        f"| numbers inside the 90 % interval | {100 * facts['coverage90']:.0f} % |",
        f"| mean absolute error, numbers in points (each on its own scale) | {facts['mae_points']:.2f} |",
        f"| mean absolute error, shares | {facts['mae_percentage_points']:.1f} percentage points |",
        f"| trials fitted again because Pareto k exceeded 0.7 | {fitted_again} of {len(trials)} |", "",
        "![Published, and predicted without the trial](images/calibration-agreement.svg)", "",
        "![Standardised residuals](images/calibration-residuals.svg)", "",
    ]  # fmt: skip
    if visual:
        lines += ["![Visual predictive check of individual ratings](images/calibration-visual-check.svg)", ""]
    lines += ["### What the trials inform", "", *learned(parameters), ""]
    lines += ["![Prior and posterior](images/calibration-learning.svg)", ""]
    if pairs:
        told = "; ".join(f"`{row['first']}` and `{row['second']}` ({float(row['correlation']):+.2f})" for row in pairs)
        lines += [f"Pairs that trade off: {told}.", ""]
    lines += ["![Which parameters matter](images/calibration-screening.svg)", ""]
    uniform = "are uniform" if facts["ranks_uniform"] else "are **not** uniform"
    if facts["checked_sets"]:
        lines += [
            f"Simulation-based calibration over {facts['checked_sets']} synthetic data sets, 20 bins: ranks of "
            f"the informed parameters {uniform} (smallest Holm-corrected p "
            f"{facts['smallest_holm'] or float('nan'):.2g}).", "",
        ]  # fmt: skip
    else:
        lines += ["Simulation-based calibration was not run for this ensemble.", ""]
    k = facts["importance_k"]
    reweighted = f"gives Pareto k {k:.2f}" if k is not None else "leaves hardly any of them"
    judged = (
        f" Fresh simulations at posterior draws differ from it by {facts['emulator_z_sd']:.2f} of its errors (1 is "
        f"right); reweighting the draws by them {reweighted} (effectively {facts['importance_effective']:.0f}): these "
        f"rows hold the luck of {settings['people']} people an arm, so this judges luck as much as the emulator."
        if facts["emulator_z_sd"] is not None
        else ""
    )
    lines += [
        f"Furthest off, in standard deviations: {outlying(numbers)}.", "",
        f"The emulator's error is {100 * facts['emulator_error_over_spread']:.0f} % of a number's own standard error "
        f"in the middle; rows over the prior counted {facts.get('early_weight', 1.0):g} of the later ones.{judged}", "",
    ]  # fmt: skip
    return "\n".join([*lines, *weights(folder)])


def main() -> None:
    """Install when asked for, draw, and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--data", type=Path, help="directory of ds005917, for the visual check")
    parser.add_argument("--install", action="store_true", help="make this the ensemble of the package")
    asked = parser.parse_args()
    if asked.install:
        for name in (DRAWS, WITHOUT, MADE):
            shutil.copyfile(asked.folder / name, FOLDER / name)
    made = json.loads((asked.folder / MADE).read_text(encoding="utf-8"))
    visual = [] if asked.data is None else visual_check(asked.data)
    shown = [{name: _told(value) for name, value in row.items()} for row in visual]
    numbers, parameters, trials, pairs = (
        rows(asked.folder / f"{name}.csv") for name in ("numbers", "parameters", "trials", "pairs")
    )
    page = calibration_page(made["summary"], numbers, parameters, trials, pairs, rows(SHARED), visual=shown)
    for figure in page.figures:
        figure.save(IMAGES / f"{figure.key}.svg")
    text = PAGE.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    after = rest.split(END, 1)[1]
    PAGE.write_text(f"{before}{BEGIN}\n\n{section(asked.folder, made, bool(visual))}\n{END}{after}", encoding="utf-8")


def _told(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    main()
