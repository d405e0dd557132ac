"""The calibrated ensemble: sets of parameters that the calibration trials leave possible, ready to predict with.

`ensemble.csv` holds draws from the posterior of `rekindle calibrate`, one a row, a column a name; what a draw does not
name keeps to its plausible range (`plausible`), as the trials say nothing about it. `ensemble_without.csv` lists for
each trial the draws that stand for the posterior without it, so that a trial is predicted by a model that has not
seen it; `ensemble.json` says how all this was made. Where the files are missing every draw is a plausible one.

Names beside the model's own parameters: `spread.NAME` is the standard deviation of a random effect between people,
`setting.NAME` and `rating_error` belong to virtual trials, `misfit.KIND` is by how much the model misses a kind of
number (see `docs/calibration.md`).
"""

from __future__ import annotations

import csv
import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rekindle.errors import InputError, ModelError, unknown
from rekindle.mechanism.plausible import plausible_values
from rekindle.provenance import file_digest
from rekindle.streams import generator

Array = NDArray[np.float64]

FOLDER = Path(__file__).parent
DRAWS, WITHOUT, MADE = "ensemble.csv", "ensemble_without.csv", "ensemble.json"
SPREAD, MISFIT = "spread.", "misfit."
LIFE = "setting.life_stress"
"""The standard deviation of the load from outside that comes and goes in people's lives (`rekindle.life`)."""


def calibrated() -> bool:
    """Whether the package holds a calibrated ensemble."""
    return (FOLDER / DRAWS).is_file()


def ensemble(count: int, seed: int, *, without: str | None = None) -> dict[str, Array]:
    """`count` sets of parameters: name to array of shape (count,); the same for the same seed.

    Parameters that were calibrated come jointly from the posterior draws, those of the posterior without the trial
    named in `without` when one is; all others from their plausible ranges. A trial that was not fitted, and shares
    nobody with those that were, is predicted from the whole posterior.

    Raises:
        InputError: fewer than one set is asked for.
        ModelError: the files of the ensemble are damaged.

    >>> sorted(ensemble(2, 1)) == sorted(ensemble(3, 7))
    True
    """
    if count < 1:
        raise InputError(f"{count} sets are none.", hint="Ask for 1 or more.")
    values: dict[str, Array] = dict(plausible_values(count, seed))
    drawn = _rows(count, seed, without)
    values |= {name: column for name, column in drawn.items() if not name.startswith(MISFIT)}
    return values


def people_values(count: int, seed: int) -> dict[str, Array]:
    """The part of `ensemble` that makes people: parameters of the model, and how far people differ in them."""
    return {name: column for name, column in ensemble(count, seed).items() if _makes_people(name)}


def life_values(count: int, seed: int) -> dict[str, Array]:
    """`LIFE` of the same sets as `people_values`, name to (count,); empty where no ensemble says it."""
    return {name: column for name, column in _rows(count, seed, None).items() if name == LIFE}


def central_values() -> dict[str, float]:
    """The middle of the posterior: medians of what makes people, name to value; empty without an ensemble.

    Medians one by one, and not the draw that lies most in the middle: every draw carries luck in each of its many
    parameters, which medians do not, and pairs trade off too little for the medians to fall apart (`pairs.csv` of the
    calibration).
    """
    return {name: middle(name) for name in draws() if _makes_people(name)}


def central_life() -> float:
    """The middle of the load from outside, `LIFE`; 0 where no ensemble says it."""
    return middle(LIFE) if LIFE in draws() else 0.0


def middle(name: str) -> float:
    """The median of one column over the draws that come from all trials.

    Raises:
        InputError: the ensemble does not have it.
    """
    return float(np.median(known_draw(name)))


def _makes_people(name: str) -> bool:
    return name.startswith(SPREAD) or ("." not in name and name not in ("rating_error", "pool"))


def misfit(count: int, seed: int, *, without: str | None = None) -> dict[str, Array]:
    """By how much the model misses each kind of number, beside the sets of the same count and seed.

    Kind to standard deviation (count,), on the scale on which the calibration compares that kind: points in per
    cent of the scale's range, shares on the log-odds, ratios, spreads and times on the log scale.
    """
    drawn = _rows(count, seed, without)
    missed = {name: column for name, column in drawn.items() if name.startswith(MISFIT)}
    return {name.removeprefix(MISFIT).replace("_", " "): column for name, column in missed.items()}


def made() -> dict[str, Any]:
    """How the ensemble was made: seed, time, version, digests; empty when there is none.

    Raises:
        ModelError: the file is damaged.
    """
    path = FOLDER / MADE
    if not path.is_file():
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ModelError("This does not say how the ensemble was made.", where=MADE) from error
    return dict(content)


def record() -> dict[str, Any]:
    """Which ensemble this is, for the record of a run: seed, time and digest; empty when there is none.

    Raises:
        ModelError: the file that says how it was made is damaged.
    """
    if not calibrated():
        return {}
    told = made()
    return {
        "ensemble_digest": file_digest(FOLDER / DRAWS),
        "ensemble_made_at": told.get("made_at"),
        "ensemble_seed": told.get("seed"),
    }


def left_out_trials() -> tuple[str, ...]:
    """The trials without which the posterior is known."""
    return tuple(_without())


@lru_cache(maxsize=1)
def draws() -> dict[str, Array]:
    """All draws: name to array of shape (draws,); empty when there is no ensemble. Do not change them.

    The column `pool` numbers the posterior that a draw came from: 0 is that of all trials.

    Raises:
        ModelError: the file is damaged.
    """
    if not calibrated():
        return {}
    with (FOLDER / DRAWS).open(encoding="utf-8", newline="") as stream:
        reader = csv.reader(stream)
        try:
            names = next(reader)
            table = np.array([[float(cell) for cell in row] for row in reader], dtype=np.float64)
        except (StopIteration, ValueError) as error:
            raise ModelError("This is no table of draws.", where=DRAWS) from error
    if table.ndim != 2 or table.shape[1] != len(names) or "pool" not in names or not np.isfinite(table).all():
        raise ModelError("This is no table of draws.", where=DRAWS)
    return {name: table[:, place] for place, name in enumerate(names)}


@lru_cache(maxsize=1)
def _without() -> dict[str, NDArray[np.intp]]:
    path = FOLDER / WITHOUT
    if not path.is_file():
        return {}
    with path.open(encoding="utf-8", newline="") as stream:
        return {row["trial"]: np.array(row["draws"].split(), dtype=np.intp) for row in csv.DictReader(stream)}


def _rows(count: int, seed: int, without: str | None) -> dict[str, Array]:
    """The draws that stand for `count` sets; all are used before any is used again."""
    table = draws()
    if not table:
        return {}
    if without is not None and without in _without():
        places = _without()[without]
    else:
        places = np.flatnonzero(table["pool"] == 0)
    random = generator(seed, "ensemble", without or "")
    order = np.concatenate([random.permutation(places) for _ in range(-(-count // len(places)))])[:count]
    return {name: column[order] for name, column in table.items() if name != "pool"}


def known_draw(name: str) -> Array:
    """One column of the draws that come from all trials.

    Raises:
        InputError: the ensemble does not have it.
    """
    table = draws()
    if name not in table:
        raise unknown("calibrated parameter", name, table)
    return np.asarray(table[name][table["pool"] == 0])
