"""A table of people: frozen, indexable, written and read without losing a bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rekindle.errors import InputError
from rekindle.population import KINDS, concat, draw, read_people
from rekindle.population.people import People

TRD = "treatment-resistant-depression"


@pytest.mark.parametrize("kind", KINDS)
def test_every_population_can_be_drawn_and_is_adult(kind: str) -> None:
    people = draw(kind, 200, seed=3)
    assert len(people) == 200
    assert people["age_years"].min() >= 18
    for name, values in people.columns.items():
        if values.dtype.kind == "f":
            assert np.isfinite(values).all(), name


def test_a_person_is_a_mapping_and_a_column_an_array() -> None:
    people = draw(TRD, 4, seed=1)
    assert people[2]["weight_kg"] == people["weight_kg"][2]
    assert [person["sex"] for person in people] == list(people["sex"])
    assert set(np.unique(people["female"])) <= {0.0, 1.0}


def test_columns_cannot_be_changed() -> None:
    people = draw(TRD, 2, seed=1)
    with pytest.raises(ValueError, match="read-only"):
        people["weight_kg"][0] = 1.0


def test_an_unknown_column_offers_the_nearest() -> None:
    with pytest.raises(InputError, match="weight_kg"):
        draw(TRD, 1, seed=1)["wieght_kg"]


def test_taking_rows_keeps_their_values_and_names() -> None:
    people = draw(TRD, 6, seed=1)
    some = people.take([4, 1])
    assert some.names == ("5", "2")
    assert np.array_equal(some["weight_kg"], people["weight_kg"][[4, 1]])
    heavy = people.take(people["weight_kg"] > 70)
    assert (heavy["weight_kg"] > 70).all()


def test_a_taken_run_of_people_starts_where_it_stood() -> None:
    people = draw(TRD, 6, seed=1, start=10)
    assert people.take(slice(2, 5)).start == 12


def test_joining_gives_everybody_in_order_and_refuses_other_columns() -> None:
    one, two = draw(TRD, 2, seed=1), draw("older-adults", 3, seed=1)
    both = concat([one, two.with_columns(lithium=0.0)])
    assert len(both) == 5
    assert np.array_equal(both["age_years"][2:], two["age_years"])
    with pytest.raises(InputError, match="differ in the columns"):
        concat([one, People({"age_years": np.array([40.0])})])


def test_setting_a_column_checks_it() -> None:
    people = draw(TRD, 2, seed=1)
    assert people.with_columns(naltrexone=1.0)["naltrexone"].tolist() == [1.0, 1.0]
    with pytest.raises(InputError, match="between"):
        people.with_columns(weight_kg=-3.0)
    with pytest.raises(InputError, match="Nearest: naltrexone"):
        people.with_columns(naltrexon=1.0)


def test_columns_of_different_lengths_are_refused() -> None:
    with pytest.raises(InputError, match="different lengths"):
        People({"age_years": np.zeros(2), "weight_kg": np.zeros(3)})


def test_a_table_written_and_read_is_the_same_to_the_bit(tmp_path: Path) -> None:
    people = draw("bipolar-depression", 20, seed=9)
    people.to_csv(tmp_path / "people.csv")
    again = read_people(tmp_path / "people.csv", kind="bipolar-depression")
    assert set(again.columns) == set(people.columns)
    assert again.names == people.names
    for name, values in people.columns.items():
        assert np.array_equal(again[name], values), name
    assert again.filled == ()


def test_a_path_that_cannot_be_written_is_one_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Cannot write"):
        draw(TRD, 1, seed=1).to_csv(tmp_path / "no" / "people.csv")


@pytest.mark.parametrize(("kind", "count", "start"), [("depression", 1, 0), (TRD, 0, 0), (TRD, 2, -1)])
def test_an_impossible_draw_is_refused(kind: str, count: int, start: int) -> None:
    with pytest.raises(InputError):
        draw(kind, count, seed=1, start=start)
