"""Every number about people has its record in the catalogue, and what is drawn follows from it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from rekindle.evidence import catalog
from rekindle.population import draw
from rekindle.population.covariates import KINDS, rows_for
from rekindle.population.schema import BY_NAME
from rekindle.population.tables import rows, sourced
from rekindle.population.variability import variability

TRD = "treatment-resistant-depression"
SOURCED = ("covariates.csv", "misuse.csv")


@pytest.mark.parametrize("table", [*SOURCED, "domain.csv", "dose_rules.csv", "studied_doses.csv"])
def test_every_record_named_in_the_tables_exists(table: str) -> None:
    for row in rows(table):
        for column in ("record", "record_low", "record_high"):
            if row.get(column):
                catalog().get(row[column], where=f"{table}, line {row['line']}")


@pytest.mark.parametrize("table", SOURCED)
def test_every_row_has_a_record_or_a_reason_and_a_grade(table: str) -> None:
    for row in rows(table):
        sourced(row, table)


def test_measured_rows_name_the_record_they_were_measured_in() -> None:
    for row in rows("covariates.csv"):
        assert row["grade"] == "assumed" or row["record"], row["line"]


def test_every_random_effect_names_an_existing_record_or_a_reason() -> None:
    for effect in variability():
        if effect.record:
            catalog().get(effect.record)
        else:
            assert effect.reason


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_every_covariate_once_for_each_sex(kind: str) -> None:
    found = [(row["covariate"], row["sex"]) for row in rows_for(kind, rows("covariates.csv"))]
    assert len(found) == len(set(found))
    for name in {name for name, _ in found}:
        sexes = {sex for covariate, sex in found if covariate == name}
        assert sexes in ({"any"}, {"female", "male"}), name
        assert name in BY_NAME


def test_the_share_of_women_is_that_of_the_spray_trials() -> None:
    arms = {sex: [f"eff-transform-sex-t12-{sex}-{arm}-0d" for arm in ("esk", "pbo")] for sex in "fm"}
    counted = {sex: sum(float(str(catalog().get(name).n)) for name in names) for sex, names in arms.items()}
    share = counted["f"] / (counted["f"] + counted["m"])
    people = draw(TRD, 20_000, seed=5)
    assert people["female"].mean() == pytest.approx(share, abs=3 * math.sqrt(share * (1 - share) / 20_000))


def test_the_genotype_shares_are_those_of_the_record() -> None:
    people = draw(TRD, 20_000, seed=5)
    carriers = np.mean(people["bdnf_val66met"] != "Val/Val")
    assert carriers == pytest.approx(21 / 62, abs=0.01)
    assert np.mean(people["cyp2b6"] == "*6/*6") == pytest.approx(0.25**2, abs=0.006)


def test_observed_baselines_have_the_mean_and_spread_of_the_pooled_trials() -> None:
    record = catalog().get("eff-wilkinson2018-madrs-ket-0d")
    people = draw(TRD, 20_000, seed=5)
    spread = math.hypot(float(people["baseline_madrs"].std()), 2.5)
    assert people["baseline_madrs"].mean() == pytest.approx(33.8, abs=0.3)
    assert spread == pytest.approx(6.8, abs=0.35)
    assert record.value.values == (33.8,)


def test_the_median_weight_is_that_of_the_pooled_population() -> None:
    people = draw(TRD, 20_000, seed=5)
    assert np.median(people["weight_kg"]) == pytest.approx(74, abs=1.5)


def test_two_in_five_take_a_benzodiazepine_around_the_dose_that_mattered() -> None:
    dose = draw(TRD, 20_000, seed=5)["benzodiazepine_mg"]
    assert np.mean(dose > 0) == pytest.approx(0.40, abs=0.012)
    assert np.median(dose[dose > 0]) == pytest.approx(8.0, abs=0.3)


def test_failed_treatments_fit_the_definition_of_resistance() -> None:
    assert draw(TRD, 2000, seed=5)["failed_treatments"].min() == 2
    assert draw("first-line-depression", 2000, seed=5)["failed_treatments"].max() == 1
    assert draw(TRD, 20_000, seed=5)["failed_treatments"].mean() == pytest.approx(3.5, abs=0.05)
