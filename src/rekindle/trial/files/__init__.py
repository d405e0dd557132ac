"""The trials of the literature that the package ships, one file each."""

from __future__ import annotations

from functools import cache
from importlib.resources import as_file, files

from rekindle.errors import unknown
from rekindle.trial.design import Trial


@cache
def published_trials(use: str | None = None) -> tuple[Trial, ...]:
    """The trials in the package in the order of their names; only those of one `use` when it is given.

    Raises:
        InputError: a file of the package is wrong, with its line.
    """
    from rekindle.trial.reading import read_trial

    found = []
    for entry in sorted(files(__name__).iterdir(), key=lambda each: each.name):
        if entry.name.endswith(".yaml"):
            with as_file(entry) as path:
                found.append(read_trial(path))
    return tuple(trial for trial in found if use is None or trial.use == use)


def published_trial(name: str) -> Trial:
    """The trial of that name in the package.

    Raises:
        InputError: no such trial; the nearest names are offered.
    """
    for trial in published_trials():
        if trial.name == name:
            return trial
    raise unknown("trial", name, [trial.name for trial in published_trials()])
