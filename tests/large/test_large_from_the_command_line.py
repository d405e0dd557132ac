"""A large study by its command: killed, refused, gone on with, and written like any other."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from shutil import rmtree

import numpy as np
import pytest
import xarray
from small_study import STUDY

from rekindle.cli import main
from rekindle.large import running
from rekindle.report import writing


@pytest.fixture
def study(tmp_path: Path) -> Path:
    path = tmp_path / "study.yaml"
    path.write_text(STUDY)
    return path


def summary(out: Path) -> dict[tuple[str, ...], dict[str, str]]:
    with (out / "summary.csv").open(newline="") as stream:
        return {
            tuple(row[name] for name in ("part", "key", "name", "arm", "time_h", "spread")): row
            for row in csv.DictReader(stream)
        }


def test_a_stopped_run_is_kept_refused_and_gone_on_with(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out, partial = tmp_path / "out", tmp_path / "out.partial"
    with monkeypatch.context() as patch:
        patch.setattr(running, "people_labelled", lambda *_: 1 / 0)
        assert main(["simulate", str(study), "--out", str(out), "--stream", "--no-report"]) == 1
    assert not out.exists()
    assert sorted(path.name for path in partial.iterdir()) == ["plan.json", "state"]
    assert main(["simulate", str(study), "--out", str(out), "--stream", "--no-report"]) == 2
    assert "--resume" in capsys.readouterr().err
    assert main(["simulate", str(study), "--out", str(out), "--resume", "--seed", "99", "--no-report"]) == 2
    assert "seed differ" in capsys.readouterr().err
    assert main(["simulate", str(study), "--out", str(out), "--resume", "--no-report", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["summarised"] == {"people": 100, "solved": 100}
    assert out.is_dir() and not partial.exists()

    whole = tmp_path / "whole"
    assert main(["simulate", str(study), "--out", str(whole), "--no-report"]) == 0
    plain, large = summary(whole), summary(out)
    assert list(plain) == list(large)
    for key, row in plain.items():
        binned = key[5] == "people" or key[1] == "ready"
        ours = float(row["middle"])
        # What lies within 6e-8 of zero is one bin; a strip is printed in a unit up to 100 times smaller.
        allowed = {"rel": 1 / 64, "abs": 1e-5} if binned else {"rel": 2e-6, "abs": 1e-9}
        assert float(large[key]["middle"]) == pytest.approx(ours, **allowed), key


def test_everybodys_courses_outlive_a_report_that_cannot_be_written(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, store = tmp_path / "out", tmp_path / "out.partial" / "trajectories.zarr"
    typed = ["simulate", str(study), "--out", str(out), "--trajectories", "zarr", "--no-report"]
    with monkeypatch.context() as patch:
        patch.setattr(writing, "summary_csv", lambda *_: 1 / 0)
        assert main(typed) == 1
    assert store.is_dir()
    with monkeypatch.context() as patch:  # nothing is left to be solved
        patch.setattr(running, "solve_block", lambda *_: 1 / 0)
        patch.setattr(writing, "summary_csv", lambda *_: 1 / 0)
        assert main([*typed, "--resume"]) == 1
    rmtree(store)  # as after a kill while the directory was being put together
    assert main([*typed, "--resume"]) == 0
    courses = xarray.open_zarr(out / "trajectories.zarr")["courses"]
    assert courses.sizes["person"] == 100 and bool(np.isfinite(courses).all())


def test_trajectories_in_an_unknown_format_are_refused(study: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = study.parent / "out"
    assert main(["simulate", str(study), "--out", str(out), "--trajectories", "parquet"]) == 2
    assert "zarr" in capsys.readouterr().err
    assert not out.exists()
