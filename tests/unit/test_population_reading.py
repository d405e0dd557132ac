"""People from a file: what is missing is filled and said, what is wrong is one error with its place."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rekindle.errors import InputError
from rekindle.population import read_people

HEADER = "person,age_years,sex,weight_kg"


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "people.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_three_columns_are_enough_and_the_rest_is_said_to_be_filled(tmp_path: Path) -> None:
    people = read_people(write(tmp_path, f"{HEADER}\nanna,44,female,61.5\nbert,50,male,90\n"))
    assert people.names == ("anna", "bert")
    assert people["weight_kg"].tolist() == [61.5, 90.0]
    assert "baseline_madrs" in people.filled
    assert "weight_kg" not in people.filled
    assert np.allclose(people["bmi"], people["weight_kg"] / (people["height_cm"] / 100) ** 2)
    assert people["height_cm"][0] < people["height_cm"][1]


def test_the_kind_decides_what_is_filled_in(tmp_path: Path) -> None:
    path = write(tmp_path, f"{HEADER}\nanna,30,female,61.5\n")
    well, ill = read_people(path, kind="healthy-volunteers"), read_people(path)
    assert well["baseline_madrs"][0] < 8 < 25 < ill["baseline_madrs"][0]


def test_random_effects_and_a_byte_order_mark_are_read(tmp_path: Path) -> None:
    text = b"\xef\xbb\xbf" + f"{HEADER},eta.clearance\nanna,44,female,61.5,-0.25\n".encode()
    people = read_people(write(tmp_path, text))
    assert people.eta("clearance").tolist() == [-0.25]
    assert people.eta("volume").tolist() == [0.0]
    assert people.etas == ("clearance",)


GOOD = "anna,44,female,61.5"
BAD = {
    "empty": (b"", "empty"),
    "blank": (b"  \n \n", "empty"),
    "header only": (f"{HEADER}\n", "no people"),
    "not text": (b"\xff\xfe\x00a", "UTF-8"),
    "zero byte": (f"{HEADER}\nan\x00na,44,female,61\n", "zero bytes"),
    "unknown column": (f"{HEADER},wieght\n{GOOD},1\n", "line 1: Unknown column 'wieght'"),
    "doubled column": (f"{HEADER},weight_kg\n{GOOD},1\n", "weight_kg stands twice"),
    "missing column": ("person,age_years,sex\nanna,44,female\n", "weight_kg is missing"),
    "short row": (f"{HEADER}\nanna,44,female\n", "line 2: 3 cells"),
    "long row": (f"{HEADER}\n{GOOD},7\n", "line 2: 5 cells"),
    "blank cell": (f"{HEADER}\n{GOOD}\nbert,50,male,\n", "line 3, column weight_kg: The cell is empty"),
    "word": (f"{HEADER}\nanna,44,female,heavy\n", "column weight_kg: 'heavy' is no number"),
    "zero weight": (
        f"{HEADER}\nanna,44,female,0\n",
        "column weight_kg: 0 is out of range. Body weight: 20 to 400 kg",
    ),
    "negative age": (f"{HEADER}\nanna,-4,female,60\n", "column age_years: -4 is out of range"),
    "nan": (f"{HEADER}\nanna,44,female,nan\n", "nan is out of range"),
    "infinite": (f"{HEADER}\nanna,44,female,inf\n", "inf is out of range"),
    "sex": (f"{HEADER}\nanna,44,femal,60\n", "Unknown sex 'femal'. Nearest: female"),
    "flag": (f"{HEADER},lithium\n{GOOD},0.5\n", "neither 0 nor 1"),
    "genotype": (f"{HEADER},cyp2b6\n{GOOD},*1/*9\n", "Unknown cyp2b6"),
    "effect": (f"{HEADER},eta.clearance\n{GOOD},900\n", "random effect"),
    "twice": (f"{HEADER}\n{GOOD}\n{GOOD}\n", "line 3: The person anna stands twice"),
    "bmi": (f"{HEADER},height_cm,bmi\n{GOOD},170,40\n", "bmi is 40.0 but weight and height give 21.3"),
    "quotes": (f'{HEADER}\n"anna"x,44,female,61\n', "Not a CSV table"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_files_get_one_error_that_says_where(tmp_path: Path, name: str) -> None:
    text, said = BAD[name]
    path = write(tmp_path, text)
    with pytest.raises(InputError) as caught:
        read_people(path)
    assert said in str(caught.value)
    assert str(path) in str(caught.value)


def test_a_missing_file_and_an_unknown_kind_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="Cannot read"):
        read_people(tmp_path / "none.csv")
    with pytest.raises(InputError, match="Nearest: healthy-volunteers"):
        read_people(write(tmp_path, f"{HEADER}\n{GOOD}\n"), kind="healthy")
