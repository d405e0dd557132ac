"""A user's model and table of values: what they change, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from rekindle.errors import InputError
from rekindle.mechanism.parameters import parameter_table
from rekindle.models import open_model, read_parameter_file, sbml_of


def test_our_model_comes_with_its_table() -> None:
    model = open_model()
    assert model.is_ours
    assert model.parameters == parameter_table()
    assert set(model.parameters) <= set(model.network.outputs)
    assert model.changed == {}


def test_a_changed_value_reaches_the_equations(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("name,value\nclearance,61.5\n")
    model = open_model(parameters=path)
    assert model.network.values["clearance"] == 61.5
    assert model.changed == {"clearance": 61.5}
    assert parameter_table()["clearance"].value != 61.5, "the package's own table stays"


def test_the_same_unit_in_other_words_is_accepted(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("name,value,unit\nclearance,61.5,litre per hour\n")
    assert open_model(parameters=path).network.values["clearance"] == 61.5
    path.write_text("name,value,unit\nclearance,1025,mL/min\n")
    with pytest.raises(InputError, match="L/h"):
        open_model(parameters=path)


def test_a_row_of_the_table_keeps_its_place(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("value,name,meaning\n1,a,\n\n2,b,something\n")
    rows = read_parameter_file(path)
    assert rows["b"][1] == f"{path}, line 4"
    assert rows["b"][0].meaning == "something"
    assert rows["a"][0].reason == "set by the user"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("name,value\na,1,2\n", "cells"),
        ("name,value\n,1\n", "no name"),
        ("name,value,grade\na,1,mouse\n", "mouse"),
        ("name,name,value\na,a,1\n", "one column"),
        ("value\n1\n", "one column"),
    ],
)
def test_tables_that_cannot_be_meant_are_refused(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=reason):
        read_parameter_file(path)


def test_a_dose_that_a_users_model_cannot_take_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "decay.ant"
    path.write_text("model decay\n  A = 10; k = 0.5\n  A' = -k*A\nend\n")
    with pytest.raises(InputError):
        sbml_of(open_model(path), dose="25 mg IM ketamine, once")
