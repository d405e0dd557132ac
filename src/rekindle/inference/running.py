"""A calibration as a run: the directory, its files, and what it found in words."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from rekindle.errors import InputError
from rekindle.inference.calibrate import Calibration, Settings, calibrate
from rekindle.inference.designs import design_rows
from rekindle.inference.individuals import RATINGS, individual_ratings
from rekindle.inference.results import (
    csv_text,
    ensemble_texts,
    numbers_rows,
    pair_rows,
    parameter_rows,
    predicted,
    rank_rows,
    summary,
    trial_rows,
)
from rekindle.inference.rivals import averaging_weights, deciding, stacking_weights, weigh
from rekindle.inference.setup import fitted_trials, patient_groups, shared_prior
from rekindle.inference.trials import TrialSimulator
from rekindle.mechanism.ensemble import DRAWS, MADE, WITHOUT
from rekindle.processors import processors
from rekindle.provenance import Provenance
from rekindle.run import RUN_FILE, as_json, disk_error, write_file, write_run_file

Progress = Callable[[str, int, int], None]

BANK = "bank.jsonl"
RIVAL_COLUMNS = (
    "rival", "says", "log_density", "stacking", "averaging", "difference", "standard_error", "against", "against_by",
    "for", "for_by", "change_explained",
)  # fmt: skip


def run_calibration(
    out: Path,
    settings: Settings,
    *,
    resume: bool = False,
    shared: int | None = None,
    data: Path | None = None,
    without: Sequence[str] = (),
    rivals: int = 0,
    threads: int | None = None,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Calibrate into the directory `out` and return the summary.

    With `rivals` the rival explanations are weighed too, each simulated at so many sets. As many rows of the bank as
    there are `threads` (processor cores) are made side by side.

    The bank is written as it grows, so a run that was stopped goes on with `resume`; the other files appear at
    the end.

    Raises:
        InputError: the directory holds something else, or a bank and no `resume` was asked for; a wrong name.
        ModelError: the libraries of the extra `calibrate` are missing, or a simulation failed.
    """
    _check_directory(out, resume)
    began = time.perf_counter()
    trials = fitted_trials(without)
    cores = threads or processors()
    simulator = TrialSimulator(trials, threads=1 if cores > 1 else None)
    observed = None if data is None else individual_ratings(data, simulator)
    try:
        out.mkdir(parents=True, exist_ok=True)
        found = calibrate(
            simulator, shared_prior(shared), out, settings, groups=patient_groups(trials), observed=observed,
            processes=cores, progress=progress,
        )  # fmt: skip
        seconds = time.perf_counter() - began
        facts = write_calibration(found, out, seconds, individual=data is not None, without=without)
        return facts | (write_rivals(found, out, rivals, processes=cores, progress=progress) if rivals else {})
    except OSError as error:
        raise disk_error(error, str(out)) from error


def write_calibration(
    found: Calibration, out: Path, seconds: float, *, individual: bool = False, without: Sequence[str] = ()
) -> dict[str, Any]:
    """Write every table of a calibration into `out` and return its summary.

    Raises:
        InputError: a file cannot be written.
    """
    seen = predicted(found)
    facts = summary(found, seen) | {"seconds": round(seconds, 1)}
    provenance = Provenance(
        seed=found.settings.seed,
        inputs={"simulator": found.simulator.digest, "individual ratings of": RATINGS if individual else ""},
        settings={**asdict(found.settings), "held": dict(found.settings.held), "without": list(without)},
    )
    draws, left_out = ensemble_texts(found)
    texts = {
        DRAWS: draws,
        WITHOUT: left_out,
        MADE: as_json({**provenance.as_dict(), "summary": facts}) + "\n",
        "parameters.csv": csv_text(parameter_rows(found)),
        "pairs.csv": csv_text(pair_rows(found), names=("first", "second", "correlation")),
        "numbers.csv": csv_text(numbers_rows(found, seen)),
        "trials.csv": csv_text(trial_rows(found), names=("trial", "pareto_k", "fitted_again", "log_density")),
        "ranks.csv": csv_text(rank_rows(found), names=("parameter", "informed", "p", "holm", "bins")),
    }
    for name, text in texts.items():
        write_file(out / name, text)
    (out / RUN_FILE).unlink(missing_ok=True)
    write_run_file(out, provenance, facts={"calibration": facts})
    return facts


def write_rivals(
    found: Calibration, out: Path, rows: int, *, processes: int = 1, progress: Progress | None = None
) -> dict[str, Any]:
    """Weigh the rival explanations, write `rivals.csv` and `designs.csv`, and return the weights.

    Raises:
        InputError: a file cannot be written.
        SolverError: a simulated number is not finite.
    """
    weighed = weigh(found, out, rows=rows, processes=processes, progress=progress)
    densities = np.array([each.densities for each in weighed])
    stacked, averaged = stacking_weights(densities), averaging_weights(densities, found.settings.seed)
    beside = {str(row["rival"]): row for row in deciding(weighed, found.sampler.likelihood.trials)}
    table = [
        {
            "rival": each.rival.name,
            "says": each.rival.says,
            "log_density": float(each.densities.sum()),
            "stacking": float(stacked[place]),
            "averaging": float(averaged[place]),
            "change_explained": each.changed,
            **{name: value for name, value in beside.get(each.rival.name, {}).items() if name != "rival"},
        }
        for place, each in enumerate(weighed)
    ]
    write_file(out / "rivals.csv", csv_text(table, names=RIVAL_COLUMNS))
    designs = design_rows(found, weighed, progress=progress)
    write_file(out / "designs.csv", csv_text(designs))
    return {"rivals": {row["rival"]: row["stacking"] for row in table}, "designs": [row["design"] for row in designs]}


def sentences(facts: Mapping[str, Any]) -> list[str]:
    """The summary in words."""
    lines = [
        f"{facts['parameters']} parameters, {facts['numbers']} numbers of {facts['trials']} trials, "
        f"{facts['rows']} simulated sets: {len(facts['informed'])} parameters are informed by the data.",
        f"Left out trial by trial: {100 * facts['coverage50']:.0f} % of the numbers inside 50 % intervals, "
        f"{100 * facts['coverage90']:.0f} % inside 90 %; mean error {facts['mae_points']:.2f} points and "
        f"{facts['mae_percentage_points']:.1f} percentage points.",
        f"Sampler: largest R-hat {facts['largest_rhat']:.3f}, least effective size {facts['least_effective']:.0f}, "
        f"{facts['divergent']} divergent steps.",
    ]
    if facts["ranks_uniform"] is not None:
        verdict = "uniform" if facts["ranks_uniform"] else "NOT uniform"
        lines.append(f"Ranks over {facts['checked_sets']} synthetic data sets are {verdict}.")
    return lines


def _check_directory(out: Path, resume: bool) -> None:
    if not out.exists():
        return
    if not out.is_dir():
        raise InputError("This is a file; the output needs a directory.", where=str(out))
    present = {entry.name for entry in out.iterdir()}
    if BANK in present and not resume:
        raise InputError("There is a calibration already.", where=str(out), hint="Go on with --resume.")
    if present and BANK not in present:
        raise InputError("The directory is not empty.", where=str(out), hint="Choose another one with --out.")
