"""A newcomer runs a study and opens what it wrote; another runs it again and gets the same numbers."""

from __future__ import annotations

import csv
import html
import json
import re
from pathlib import Path
from typing import Any

import pytest

from rekindle.cli import main
from rekindle.provenance import file_digest

STUDY = """\
title: One infusion beside saline
population:
  kind: treatment-resistant-depression
  people: 6
arms:
  - name: Ketamine
    course: 0.5 mg/kg IV over 40 min, once
  - name: Saline
    course: saline IV over 40 min, once
    role: comparator
horizon: 3 days
outcomes: [MADRS]
studies: 2
seed: 11
"""
OWN_MODEL = """\
model my_ketamine
  weight_kg = 70; clearance = 80; spread = 200; infusion_S = 0; infusion_R = 0
  central_S = 0; central_R = 0
  central_S' = infusion_S - clearance/spread*central_S
  central_R' = infusion_R - clearance/spread*central_R
  plasma_ketamine := 1000*(central_S + central_R)/spread
end
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("study") / "study.yaml"
    path.write_text(STUDY)
    return path


@pytest.fixture(scope="module")
def run(study: Path) -> Path:
    """The study, run once."""
    out = study.parent / "out"
    assert main(["simulate", str(study), "--out", str(out)]) == 0
    return out


def summary(out: Path) -> list[dict[str, str]]:
    with (out / "summary.csv").open(newline="") as stream:
        return list(csv.DictReader(stream))


def making(out: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((out / "run.json").read_text())
    return content


def test_everything_that_was_promised_is_there(run: Path) -> None:
    names = {path.relative_to(run).as_posix() for path in run.rglob("*") if path.is_file()}
    assert {"report.html", "summary.csv", "trajectories.nc", "run.json"} <= names
    figures = {name for name in names if name.startswith("figures/")}
    assert len(figures) >= 5
    assert all(name.endswith(".svg") for name in figures)


def test_run_json_says_how_it_was_made_and_what_it_wrote(run: Path) -> None:
    content = making(run)
    assert content["seed"] == 11
    assert content["study"]["horizon_h"] == 72
    assert content["study_file"] == STUDY
    assert content["answer"]
    assert set(content["files"]) == {
        path.relative_to(run).as_posix() for path in run.rglob("*") if path.is_file() and path.name != "run.json"
    }
    for name, recorded in content["files"].items():
        assert file_digest(run / name) == recorded, name


def test_the_page_needs_nothing_from_outside(run: Path) -> None:
    page = html.unescape((run / "report.html").read_text(encoding="utf-8"))
    loaded = re.findall(r"<(?:script|link|img|iframe|source|use)[^>]*(?:src|href)=\"([^\"#]+)", page)
    assert [address for address in loaded if not address.startswith("data:")] == []
    assert "@import" not in page
    assert "url(http" not in page
    assert "default-src 'none'" in page


def test_the_summary_holds_the_answer_and_the_course(run: Path) -> None:
    rows = summary(run)
    assert {"endpoint", "course", "session"} <= {row["part"] for row in rows}
    for row in rows:
        low90, low50, high50, high90 = (float(row[name]) for name in ("low90", "low50", "high50", "high90"))
        assert low90 <= low50 + 1e-6 <= high50 + 2e-6 <= high90 + 3e-6, row
    course = [row for row in rows if row["part"] == "course" and row["spread"] == "studies"]
    assert {row["arm"] for row in course} == {"Ketamine", "Saline"}


def test_the_trajectories_open_in_a_notebook(run: Path) -> None:
    import xarray as xr

    with xr.open_dataset(run / "trajectories.nc", group="people", engine="h5netcdf") as people:
        assert people.sizes["arm"] == 2
        assert people.sizes["person"] == 6
        drug = people["plasma_ketamine"].sel(arm="Ketamine")
        assert float(drug.max()) > 50, "nanograms a millilitre"
        assert float(people["plasma_ketamine"].sel(arm="Saline").max()) == 0
        assert json.loads(people.attrs["making"])["seed"] == 11


def test_the_same_study_gives_the_same_numbers_on_any_number_of_threads(
    run: Path, study: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = study.parent / "again"
    assert main(["simulate", str(study), "--out", str(out), "--threads", "1", "--no-report", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["files"] == ["run.json", "summary.csv", "trajectories.nc"]
    assert (out / "summary.csv").read_bytes() == (run / "summary.csv").read_bytes()
    assert document["answer"] == making(run)["answer"]


def test_another_seed_is_other_luck_and_a_new_run_replaces_the_old(
    run: Path, study: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = study.parent / "other"
    for seed in ("1", "2"):
        assert main(["simulate", str(study), "--out", str(out), "--seed", seed, "--no-report"]) == 0
        assert making(out)["seed"] == int(seed)
    printed = capsys.readouterr()
    assert printed.err == ""
    assert str(out) in printed.out
    assert (out / "summary.csv").read_bytes() != (run / "summary.csv").read_bytes()
    assert not [entry for entry in study.parent.iterdir() if entry.name.startswith(".")]


def test_people_outside_the_domain_run_only_on_request_and_mark_the_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "people.csv").write_text("age_years,sex,weight_kg\n15,female,50\n40,male,80\n")
    path = tmp_path / "study.yaml"
    path.write_text(STUDY.replace("  people: 6\n", "  csv: people.csv\n").replace("studies: 2", "studies: 0"))
    out = tmp_path / "out"
    assert main(["simulate", str(path), "--out", str(out)]) == 2
    assert "--outside-domain" in capsys.readouterr().err
    assert not out.exists()
    assert main(["simulate", str(path), "--out", str(out), "--outside-domain"]) == 0
    assert making(out)["outside_domain"]
    assert "Outside the model's domain" in (out / "report.html").read_text(encoding="utf-8")


def test_a_users_own_model_runs_through_the_same_door(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "study.yaml").write_text(STUDY.replace("studies: 2", "studies: 0"))
    (tmp_path / "mine.ant").write_text(OWN_MODEL)
    (tmp_path / "mine.csv").write_text("name,value\nclearance,50\n")
    out = tmp_path / "out"
    arguments = ["--model", str(tmp_path / "mine.ant"), "--parameters", str(tmp_path / "mine.csv")]
    assert main(["simulate", str(tmp_path / "study.yaml"), "--out", str(out), *arguments, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    said = " ".join(document["warnings"])
    assert "not Rekindle's own" in said
    assert "clearance = 50" in said
    assert "MADRS" in said
    assert making(out)["settings"]["changed"] == {"clearance": 50.0}
    assert "not Rekindle" in (out / "report.html").read_text(encoding="utf-8")


def test_a_model_without_a_way_in_for_the_dose_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "study.yaml").write_text(STUDY)
    (tmp_path / "mine.ant").write_text("model decay\n  A = 10; k = 0.5\n  A' = -k*A\nend\n")
    out = tmp_path / "out"
    assert (
        main(["simulate", str(tmp_path / "study.yaml"), "--out", str(out), "--model", str(tmp_path / "mine.ant")]) == 2
    )
    assert "no way in for a dose" in capsys.readouterr().err
    assert not out.exists()
