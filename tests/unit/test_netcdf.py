"""What is packed piece by piece on several threads is what any reader of NetCDF-4 reads back."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from rekindle import netcdf
from rekindle.labelled import Labelled

ARMS = ("Ketamine", "Midazolam – café")


def labelled(people: int, times: int) -> Labelled:
    luck = np.random.default_rng(7)
    severity = tuple(luck.normal(size=(people, times)) for _ in ARMS)
    severity[1][people // 2] = np.nan
    items = tuple(luck.random((people, times, 3)) for _ in ARMS)
    still = tuple(np.zeros((people, times)) for _ in ARMS)
    labels = {
        "arm": np.array(ARMS),
        "person": np.arange(people),
        "time": np.linspace(0.0, 2016.0, times),
        "item": np.array(["a", "b", "c"]),
    }
    course = ("person", "time")
    axes = {"severity": course, "items": (*course, "item"), "still": course}
    return Labelled(labels, axes, {"severity": severity, "items": items, "still": still}, {"time": "h"})


@pytest.mark.parametrize("piece", [1 << 18, 100, 1])
def test_what_is_read_back_is_what_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, piece: int) -> None:
    monkeypatch.setattr(netcdf, "PIECE", piece)
    data, file = labelled(7, 13), io.BytesIO()
    netcdf.write_group(file, "people", data, {"making": "by hand"}, first=True)
    netcdf.write_group(file, "more", data, {}, first=False)
    path = tmp_path / "written.nc"
    path.write_bytes(file.getvalue())
    for group in ("people", "more"):
        read = xr.load_dataset(path, group=group, engine="h5netcdf")
        xr.testing.assert_identical(read.drop_attrs(deep=False), data.dataset().astype(np.float32))
    assert xr.load_dataset(path, group="people", engine="h5netcdf").attrs == {"making": "by hand"}


def test_the_file_does_not_depend_on_the_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(netcdf, "PIECE", 50)
    written = []
    for threads in (1, 4):
        file = io.BytesIO()
        netcdf.write_group(file, "people", labelled(11, 9), {}, first=True, threads=threads)
        written.append(file.getvalue())
    assert written[0] == written[1]


def test_a_dataset_has_the_arms_along_its_first_axis() -> None:
    data = labelled(4, 5)
    made = data.dataset()
    assert made["items"].dims == ("arm", "person", "time", "item")
    assert made["time"].attrs == {"units": "h"}
    for arm in ARMS:
        np.testing.assert_array_equal(made["severity"].sel(arm=arm), data.of("severity", arm))
    with pytest.raises(ValueError, match="not in list"):
        data.of("severity", "Placebo")
