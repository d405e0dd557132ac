"""Numbers with names over named axes, arm by arm: what a run holds in memory and writes to disk.

Every quantity has one array for each arm, so nothing is copied to put arms side by side; `dataset` does that for
whoever wants an xarray Dataset, which takes longer to load than a thousand people take to solve.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import xarray as xr

Numbers = NDArray[np.floating[Any]]
ARM = "arm"


@dataclass(frozen=True)
class Labelled:
    """Quantities by name: `values[name]` has one array an arm, which runs over `axes[name]`.

    `labels` says what stands along each axis (`arm` among them), `units` the units of the labels that have one. The
    arrays are shared, not copied: whoever reads them leaves them as they are.
    """

    labels: Mapping[str, NDArray[Any]]
    axes: Mapping[str, tuple[str, ...]]
    values: Mapping[str, tuple[Numbers, ...]]
    units: Mapping[str, str] = field(default_factory=dict)

    def __contains__(self, name: object) -> bool:
        return name in self.values

    def __iter__(self) -> Iterator[str]:
        return iter(self.values)

    def size(self, axis: str) -> int:
        """How many labels an axis has."""
        return len(self.labels[axis])

    def of(self, name: str, arm: str) -> Numbers:
        """A quantity in one arm, over its axes.

        Raises:
            KeyError: no such quantity.
            ValueError: no such arm.
        """
        arms: list[str] = self.labels[ARM].tolist()
        return self.values[name][arms.index(arm)]

    def over(self, axis: str) -> tuple[str, ...]:
        """The names of the quantities whose last axis is this one, in order."""
        return tuple(name for name, axes in self.axes.items() if axes[-1] == axis)

    def dataset(self) -> xr.Dataset:
        """The same as an xarray Dataset, the arms along the first axis of every quantity."""
        import xarray as xr

        variables = {name: ((ARM, *self.axes[name]), np.stack(arms)) for name, arms in self.values.items()}
        labels = {
            axis: (axis, along, {"units": self.units[axis]}) if axis in self.units else (axis, along)
            for axis, along in self.labels.items()
        }
        return xr.Dataset(variables, coords=labels)


def over_people(repeated: Labelled) -> Labelled:
    """Mean and SD of every quantity over the people of each repeat: repeat x moment.

    People who could not be solved are left out; NaN where nobody could be.
    """
    both = {name: [_mean_and_sd(arm) for arm in repeated.values[name]] for name in repeated}
    found = {name: tuple(mean for mean, _ in arms) for name, arms in both.items()}
    found |= {f"{name} SD": tuple(sd for _, sd in arms) for name, arms in both.items()}
    labels = {axis: along for axis, along in repeated.labels.items() if axis != "person"}
    return Labelled(labels, dict.fromkeys(found, ("repeat", "moment")), found, repeated.units)


def _mean_and_sd(values: Numbers) -> tuple[Numbers, Numbers]:
    """Mean and SD over the people of each repeat, repeats x moments, of repeats x people x moments."""
    repeats, people, moments = values.shape
    degrees = 1 if people > 1 else 0
    if not np.isfinite(values).all():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # a repeat of which nobody was solved
            return np.nanmean(values, axis=1), np.nanstd(values, axis=1, ddof=degrees)
    means, sds = np.empty((repeats, moments), values.dtype), np.empty((repeats, moments), values.dtype)
    for repeat, each in enumerate(values):  # one by one, so that the differences stay in the processor's cache
        means[repeat] = each.mean(axis=0)
        apart = each - means[repeat]
        sds[repeat] = np.sqrt((apart * apart).sum(axis=0) / values.dtype.type(people - degrees))
    return means, sds
