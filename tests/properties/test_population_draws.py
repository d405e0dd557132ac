"""Laws of drawing people, for any seed: nobody is moved by others, nor by another covariate."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from rekindle.population import KINDS, draw
from rekindle.population.covariates import TABLE, draw_covariates, misuse_predisposition, rows_for, typical
from rekindle.population.tables import rows

seeds = st.integers(0, 2**63 - 1)
kinds = st.sampled_from(KINDS)


@settings(max_examples=25, deadline=None)
@given(kinds, seeds, st.integers(1, 30), st.integers(0, 50), st.integers(1, 30))
def test_people_do_not_depend_on_who_else_is_drawn(kind: str, seed: int, few: int, start: int, more: int) -> None:
    some, many = draw(kind, few, seed, start=start), draw(kind, start + few + more, seed)
    for name, values in some.columns.items():
        assert np.array_equal(values, many[name][start : start + few]), name


@settings(max_examples=15, deadline=None)
@given(kinds, seeds, st.data())
def test_leaving_out_a_covariate_moves_no_other(kind: str, seed: int, data: st.DataObject) -> None:
    table = rows_for(kind, rows(TABLE))
    depended = {
        "sex",
        "age_years",
        "bmi",
        "height_cm",
        "hypertension",
        "chronic_illness",
        "systolic_baseline",
        "substance_use_history",
        "family_history_alcohol",
    }
    free = sorted({row["covariate"] for row in table} - depended)
    out = data.draw(st.sampled_from(free))
    whole = draw_covariates(table, 12, seed)
    less = draw_covariates([row for row in table if row["covariate"] != out], 12, seed)
    for name, values in less.items():
        if name != out:
            assert np.array_equal(values, whole[name]), name


@settings(max_examples=25, deadline=None)
@given(kinds, seeds)
def test_everyone_lies_within_the_entry_window(kind: str, seed: int) -> None:
    people = draw(kind, 40, seed)
    for row in rows_for(kind, rows(TABLE)):
        if row["low"] and row["sex"] == "any":
            values = people[row["covariate"]]
            assert values.min() >= float(row["low"]) - 1e-9, row["covariate"]
            assert values.max() <= float(row["high"]) + 1e-9, row["covariate"]


@settings(max_examples=25, deadline=None)
@given(kinds, seeds)
def test_weight_height_and_body_mass_index_agree(kind: str, seed: int) -> None:
    people = draw(kind, 20, seed)
    assert np.allclose(people["bmi"] * (people["height_cm"] / 100) ** 2, people["weight_kg"], rtol=1e-12)


@given(kinds, seeds, seeds)
@settings(max_examples=10, deadline=None)
def test_another_seed_gives_other_people(kind: str, one: int, other: int) -> None:
    same = np.array_equal(draw(kind, 5, one)["weight_kg"], draw(kind, 5, other)["weight_kg"])
    assert same is (one == other)


@given(kinds, st.sampled_from(["female", "male"]), st.floats(40, 150))
@settings(max_examples=25, deadline=None)
def test_the_typical_person_has_every_column_of_the_drawn_ones(kind: str, sex: str, weight: float) -> None:
    person = typical(kind, sex, {"age_years": 40.0, "weight_kg": weight, "sex": sex})
    columns = draw(kind, 1, seed=1).columns
    assert set(person) == {name for name in columns if not name.startswith("eta.")}
    assert person["weight_kg"] == weight


def test_men_are_taller_and_heavier_on_average() -> None:
    people = draw("treatment-resistant-depression", 3000, seed=2)
    women, men = people.take(people["sex"] == "female"), people.take(people["sex"] == "male")
    assert men["height_cm"].mean() - women["height_cm"].mean() > 10
    assert men["weight_kg"].mean() - women["weight_kg"].mean() > 7
    assert np.corrcoef(people["height_cm"], people["weight_kg"])[0, 1] > 0.3
    assert np.corrcoef(people["systolic_baseline"], people["diastolic_baseline"])[0, 1] > 0.4


def test_each_risk_factor_raises_the_predisposition_to_misuse() -> None:
    none = {
        "substance_use_history": np.zeros(1),
        "family_history_alcohol": np.zeros(1),
        "sex": np.array(["female"]),
        "age_years": np.array([50.0]),
    }
    assert misuse_predisposition(none)[0] == 1.0
    for change in (
        {"substance_use_history": np.ones(1)},
        {"family_history_alcohol": np.ones(1)},
        {"sex": np.array(["male"])},
        {"age_years": np.array([20.0])},
    ):
        assert misuse_predisposition(none | change)[0] > 1.0
