"""Observed drug levels against predicted ones, by the list that was written before predicting."""

from __future__ import annotations

import csv
import importlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "benchmarks/pharmacokinetics"


@pytest.fixture(scope="module")
def benchmark() -> Any:
    """The benchmark's modules by name, with its folder on the path while they are imported."""
    sys.path.insert(0, str(FOLDER))
    try:
        return {name: importlib.import_module(name) for name in ("inclusion", "predict", "fit", "table")}
    finally:
        sys.path.remove(str(FOLDER))


def test_ketamine_and_norketamine_lie_near_what_was_observed(benchmark: Any) -> None:
    counted = [row for row in benchmark["predict"].inclusion() if row["table"] == "counted"]
    near, far = benchmark["fit"].agreement(counted, {})
    assert near >= 0.70
    assert far >= 0.95


def test_the_inclusion_list_is_what_its_rules_give(benchmark: Any) -> None:
    with benchmark["inclusion"].EVIDENCE.open(encoding="utf-8", newline="") as stream:
        by_rule = benchmark["inclusion"].inclusion(list(csv.DictReader(stream)))
    assert by_rule == benchmark["predict"].inclusion()


def test_only_read_and_observed_records_of_adults_count(benchmark: Any) -> None:
    with benchmark["inclusion"].EVIDENCE.open(encoding="utf-8", newline="") as stream:
        evidence = {row["id"]: row for row in csv.DictReader(stream)}
    for row in benchmark["predict"].inclusion():
        if row["table"] == "counted":
            record = evidence[row["record"]]
            assert record["seen"] == "yes"
            assert "model-based" not in record["quantity"]
            assert "children" not in record["population"]
            assert row["site"] in ("arterial", "venous")
            assert float(row["dose_mg"]) > 0


def test_the_page_shows_the_numbers_of_this_version(benchmark: Any) -> None:
    page = (ROOT / "docs/pharmacokinetics.md").read_text(encoding="utf-8")
    assert page == benchmark["table"].page(), "run: python benchmarks/pharmacokinetics/table.py"


def test_the_predictions_are_those_of_libroadrunner(benchmark: Any) -> None:
    """Half a milligram per kilogram over 40 minutes, in a foreign program reading the same text."""
    import roadrunner

    from rekindle.dosing.administration import Administration
    from rekindle.mechanism.assemble import sbml_text
    from rekindle.mechanism.delivery import deliver
    from rekindle.mechanism.parameters import parameter_table

    predict = benchmark["predict"]
    events = deliver([Administration(0.0, "racemic-ketamine", "iv-infusion", 35.0, 2 / 3)])
    infusions = [event for event in events if event.target != "contact"]
    values = {name: row.value for name, row in parameter_table().items()}
    times, levels = predict.solve(infusions, values, 6.0)
    foreign = roadrunner.RoadRunner(sbml_text(processes=predict.PROCESSES))
    foreign.integrator.relative_tolerance, foreign.integrator.absolute_tolerance = 1e-9, 1e-12
    foreign.timeCourseSelections = ["time", *predict.ANALYTES]
    foreign["infusion_S"] = foreign["infusion_R"] = 17.5 / (2 / 3)
    during = np.array(foreign.simulate(0, 2 / 3, 5))
    foreign["infusion_S"] = foreign["infusion_R"] = 0.0
    after = np.array(foreign.simulate(2 / 3, 6.0, 5))
    for row, side in ((during[2], "left"), (during[-1], "left"), (after[2], "left"), (after[-1], "left")):
        for name, level in zip(predict.ANALYTES, row[1:], strict=True):
            exact = np.interp(row[0], times, levels[name]) if row[0] not in times else None
            ours = levels[name][np.searchsorted(times, row[0], side=side)] if exact is None else exact
            assert ours == pytest.approx(level, rel=2e-4 if exact is not None else 1e-6, abs=1e-6)


@pytest.mark.parametrize(
    ("modifier", "route", "observed"),
    [
        ("ticlopidine", "oral", 2.4),
        ("grapefruit_juice", "oral", 3.0),
        ("itraconazole", "oral", 1.0),
        ("st_johns_wort", "oral", 0.42),
        ("rifampicin", "oral", 0.14),
        ("rifampicin", "iv-infusion", 0.86),
    ],
)
def test_a_second_drug_changes_the_area_as_observed(benchmark: Any, modifier: str, route: str, observed: float) -> None:
    rows = {(row[0], row[1], row[2]): float(row[5]) for row in benchmark["table"].interactions()}
    assert rows[modifier.replace("_", " "), route, "ketamine"] == pytest.approx(observed, rel=0.05)
