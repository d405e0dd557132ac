"""Everybody's course in a Zarr store: one array of all quantities, a chunk a slice of people, written as solved.

`courses` has shape arm x person x time x quantity, 32-bit floats; a person who could not be solved is NaN. A slice
fills whole chunks, so several workers write side by side, and a block that is worked out again writes the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from rekindle.errors import InputError

if TYPE_CHECKING:
    from rekindle.large.plan import Plan
    from rekindle.trajectories import Solved


def new_store(plan: Plan) -> None:
    """An empty store for a plan, with its hours and names; `xarray.open_zarr` reads it.

    Raises:
        InputError: zarr is not installed.
    """
    zarr = _zarr()
    arms, outputs = [arm.name for arm in plan.study.arms], list(plan.equations.outputs)
    group = zarr.open_group(str(plan.store), mode="w", zarr_format=2)
    shape = (len(arms), plan.people, len(plan.times_h), len(outputs))
    chunks = (1, min(plan.slice, plan.people), *shape[2:])
    courses = group.create_array("courses", shape=shape, chunks=chunks, dtype="float32", fill_value=float("nan"))
    courses.attrs["_ARRAY_DIMENSIONS"] = ["arm", "person", "time", "quantity"]
    names = {
        "arm": np.asarray(arms),
        "time": np.asarray(plan.times_h, dtype=np.float64),
        "quantity": np.asarray(outputs),
    }
    for name, values in names.items():
        made = group.create_array(name, shape=values.shape, chunks=values.shape, dtype=values.dtype, fill_value=None)
        made[:] = values
        made.attrs["_ARRAY_DIMENSIONS"] = [name]
    group["time"].attrs["units"] = "h"
    group.attrs["study"] = plan.study.title
    zarr.consolidate_metadata(str(plan.store))


def write_slice(store: Path, begin: int, solved: Sequence[Solved]) -> None:
    """Write the people from number `begin` on, all arms.

    Raises:
        InputError: the store cannot be reached from here.
    """
    if not store.exists():
        raise InputError("The store of trajectories cannot be reached from a worker.", where=str(store),
                         hint="Give --out on a file system that all workers share.")  # fmt: skip
    courses: Any = _zarr().open_group(str(store), mode="r+")["courses"]
    for number, arm in enumerate(solved):
        courses[number, begin : begin + len(arm.values)] = arm.values.astype(np.float32)


def _zarr() -> Any:
    try:
        import zarr
    except ImportError as error:
        raise InputError(
            "Everybody's trajectories need zarr, which is not installed.", hint='pip install "rekindle[cluster]"'
        ) from error
    return zarr
