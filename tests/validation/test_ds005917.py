"""The comparison with patients' data, on made-up ratings: it agrees, disagrees, says what is missing."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from rekindle.evidence import catalog


@pytest.fixture(scope="module")
def check() -> ModuleType:
    spec = importlib.util.spec_from_file_location("ds005917", Path(__file__).with_name("ds005917.py"))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def write(folder: Path, phenotype: str) -> Path:
    (folder / "ds005917").mkdir()
    participants = "participant_id\tgroup\nsub-1\tMDD\nsub-2\tMDD\nsub-3\tMDD\nsub-5\tHC\n"
    (folder / "ds005917" / "participants.tsv").write_text(participants)
    (folder / "ds005917" / "phenotype.tsv").write_text(phenotype)
    return folder


RATINGS = """participant_id\tsession_id\tMADRS_Total\tHAMD_Bech\tHAM17_Total
sub-1\tses-b0\t30\t10\t20
sub-1\tses-d2\t15\t5\t10
sub-2\tses-b0\t60\t60\t60
sub-3\tses-b0\t34\t12\t22
sub-3\tses-d2\t18\tn/a\t12
sub-5\tses-b0\t0\t0\t0
sub-1\tn/a\tn/a\tn/a\tn/a
"""


def test_only_odd_depressed_participants_count(check: ModuleType, tmp_path: Path) -> None:
    people, ratings = check.read_ratings(check.find(write(tmp_path, RATINGS)))
    assert people == ["sub-1", "sub-3"]
    assert check.recomputed("madrs-b0", people, ratings) == (2, 32.0, pytest.approx(8**0.5))
    assert check.recomputed("madrs-chg-d2", people, ratings) == (2, -15.5, pytest.approx(0.5**0.5))
    assert check.recomputed("resp-d2", people, ratings) == (2, 50.0, None)


def test_a_row_that_differs_is_named(check: ModuleType, tmp_path: Path) -> None:
    people, ratings = check.read_ratings(check.find(write(tmp_path, RATINGS)))
    record = catalog().get("eff-nimh-ds005917-odd-madrs-b0")
    assert "data 32.0000" in check.disagreement(record, people, ratings)


def test_missing_data_is_said_plainly(check: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check.main([str(tmp_path)]) == 2
    assert check.main([""]) == 2
    assert "Nothing was checked" in capsys.readouterr().err


def test_another_table_is_not_taken_for_it(check: ModuleType, tmp_path: Path) -> None:
    assert check.main([str(write(tmp_path, "a\tb\n1\t2\n"))]) == 2
