"""Virtual people: covariates drawn from `data/covariates.csv`, one named stream each, and random effects.

Five populations. A row of the table gives a covariate's distribution for one kind (or `any`) and one sex (or
`any`), truncated to what the population's entry allows, with the record it comes from or the reason for
assuming it. A covariate may depend on earlier ones (`name:slope@reference`): the slope is added to the mean
of a normal, to the log of the median of a lognormal, to the log-odds of a flag. Everyone uses one uniform
number a covariate, so neither another covariate nor another person ever moves a draw.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from rekindle.errors import InputError, ModelError, unknown
from rekindle.population import variability
from rekindle.population.people import People, Values, check_column
from rekindle.population.schema import BY_NAME, COLUMNS, ETA
from rekindle.population.tables import number, rows, sourced
from rekindle.streams import normals, uniforms

TABLE = "covariates.csv"
MISUSE = "misuse.csv"
KINDS: tuple[str, ...] = (
    "treatment-resistant-depression",
    "first-line-depression",
    "bipolar-depression",
    "older-adults",
    "healthy-volunteers",
)
Array = NDArray[np.float64]
Row = Mapping[str, str]


def draw(kind: str, count: int, seed: int, start: int = 0, *, effects: bool = True) -> People:
    """`count` people of a population, the same for the same seed; `start` skips the people before them.

    With `effects` off they have covariates alone.

    >>> people = draw("treatment-resistant-depression", 3, seed=1)
    >>> third = draw("treatment-resistant-depression", 1, seed=1, start=2)
    >>> bool(people["weight_kg"][2] == third["weight_kg"][0])
    True

    Raises:
        InputError: unknown kind, or a count or start below 0.
        ModelError: a malformed table.
    """
    if kind not in KINDS:
        raise unknown("population", kind, KINDS)
    if count < 1 or start < 0:
        raise InputError(
            f"Cannot draw {count} people from number {start}.",
            where="population",
            hint="At least one person, from number 0 on.",
        )
    columns = draw_covariates(rows_for(kind, rows(TABLE)), count, seed, start)
    if effects:
        own = variability.draw_effects(variability.variability(), count, seed, start)
        columns |= {ETA + parameter: eta for parameter, eta in own.items()}
    return People(columns, kind=kind, start=start)


def rows_for(kind: str, table: Sequence[Row]) -> list[Row]:
    """The rows of a kind in the table's order; a kind's own rows replace those for any kind."""
    own = {row["covariate"] for row in table if row["kind"] == kind}
    order = list(dict.fromkeys(row["covariate"] for row in table))
    chosen = [row for row in table if row["kind"] == (kind if row["covariate"] in own else "any")]
    return sorted(chosen, key=lambda row: order.index(row["covariate"]))


def draw_covariates(table: Sequence[Row], count: int, seed: int, start: int = 0) -> dict[str, Values]:
    """Columns of covariates for one kind's rows, with the derived ones and the defaults of the schema.

    Raises:
        ModelError: a malformed row.
    """
    columns: dict[str, Values] = {}
    for row in table:
        sourced(row, TABLE)
        name = row["covariate"]
        if name not in BY_NAME:
            raise ModelError(str(unknown("covariate", name, BY_NAME)), where=f"{TABLE}, line {row['line']}")
        uniform = uniforms(seed, "population", name, start=start, count=count)
        values = _quantile(row, uniform, columns)
        if row["sex"] != "any" and name in columns:
            values = np.where(columns["sex"] == row["sex"], values, columns[name])
        columns[name] = values
    columns["weight_kg"] = columns["bmi"] * (columns["height_cm"] / 100.0) ** 2
    luck = normals(seed, "population", "misuse", start=start, count=count)
    columns["misuse_predisposition"] = misuse_predisposition(columns, luck)
    for column in COLUMNS:
        if column.name not in columns and column.default is not None:
            columns[column.name] = np.full(count, column.default)
    where = f"population/data/{TABLE}"
    return {c.name: check_column(c.name, columns[c.name], where) for c in COLUMNS if c.name in columns}


def _quantile(row: Row, uniform: Array, columns: Mapping[str, Values]) -> Values:
    """The value at each person's uniform number, of the distribution of a row."""
    from scipy.special import ndtr, ndtri

    distribution = row["distribution"]
    if distribution == "category":
        return _category(row, uniform)
    shift = _shift(row, columns, len(uniform))
    if distribution == "flag":
        return np.asarray(uniform > 1.0 - _probability(row, shift), dtype=np.float64)
    if distribution == "zero-or-lognormal":
        share = number(row, "probability", TABLE)
        within = np.clip((uniform - (1.0 - share)) / max(share, 1e-12), 1e-12, 1.0 - 1e-12)
        dose = np.clip(
            np.exp(np.log(number(row, "center", TABLE)) + shift + number(row, "spread", TABLE) * ndtri(within)),
            number(row, "low", TABLE),
            number(row, "high", TABLE),
        )
        return np.where(uniform > 1.0 - share, dose, 0.0)
    low, high = number(row, "low", TABLE), number(row, "high", TABLE)
    center = number(row, "center", TABLE)
    if distribution == "count":
        return np.minimum(low + _poisson(center, uniform), high)
    spread = number(row, "spread", TABLE)
    if distribution == "lognormal":
        middle = np.log(center) + shift
        low, high = (np.log(low) if low > 0 else -np.inf), np.log(high)
    elif distribution == "normal":
        middle = center + shift
    else:
        raise ModelError(f"Unknown distribution '{distribution}'.", where=f"{TABLE}, line {row['line']}")
    below, above = ndtr((low - middle) / spread), ndtr((high - middle) / spread)
    values = np.clip(middle + spread * ndtri(below + uniform * (above - below)), low, high)
    return np.asarray(np.exp(values) if distribution == "lognormal" else values, dtype=np.float64)


def _category(row: Row, uniform: Array) -> Values:
    names, shares = choices(row)
    edges = np.cumsum(shares)[:-1] / np.sum(shares)
    return np.asarray(names)[np.searchsorted(edges, uniform, side="right")]


def choices(row: Row) -> tuple[list[str], list[float]]:
    """Names and shares of a category row (`name:share|name:share`).

    Raises:
        ModelError: a share that is no number from 0 to 1.
    """
    parts = [part.rpartition(":") for part in row["choices"].split("|")]
    cells = [{"choices": share, "line": row["line"]} for _, _, share in parts]
    shares = [number(cell, "choices", TABLE) for cell in cells]
    if any(not 0 <= share <= 1 for share in shares) or abs(sum(shares) - 1) > 1e-3:
        raise ModelError("Shares lie between 0 and 1 and add to 1.", where=f"{TABLE}, line {row['line']}")
    return [name for name, _, _ in parts], shares


def _probability(row: Row, shift: Array) -> Array:
    share = number(row, "probability", TABLE)
    if not 0 <= share <= 1:
        raise ModelError(f"{share} is no probability.", where=f"{TABLE}, line {row['line']}")
    if share in (0.0, 1.0):
        return np.full(len(shift), share)
    odds = share / (1.0 - share) * np.exp(shift)
    return np.asarray(odds / (1.0 + odds))


def _shift(row: Row, columns: Mapping[str, Values], count: int) -> Array:
    """What the covariates that a row depends on add, shape people."""
    total = np.zeros(count)
    for part in filter(None, row["depends_on"].split("|")):
        name, _, rest = part.partition(":")
        slope, _, reference = rest.partition("@")
        if name not in columns:
            raise ModelError(
                f"'{name}' must be drawn before '{row['covariate']}'.", where=f"{TABLE}, line {row['line']}"
            )
        total += float(slope) * (np.asarray(columns[name], dtype=np.float64) - float(reference))
    return total


def _poisson(mean: float, uniform: Array) -> Array:
    """Poisson counts at given uniform numbers, by adding up the probabilities."""
    counts = np.zeros(len(uniform))
    term = np.exp(-mean)
    reached = term
    for value in range(1, 100):
        if mean == 0 or not np.any(uniform > reached):
            break
        counts[uniform > reached] = value
        term *= mean / value
        reached += term
    return counts


def misuse_predisposition(columns: Mapping[str, Values], luck: Array | float = 0.0) -> Array:
    """How many times faster craving builds up than without risk factors, shape people.

    The product of the multipliers in `data/misuse.csv` that apply, times a lognormal share for what they do
    not explain (`luck` is its standard score). Frequency, dose and route act in the mechanism, not here.

    Raises:
        ModelError: a malformed table.
    """
    table = {row["factor"]: row for row in rows(MISUSE)}
    for row in table.values():
        sourced(row, MISUSE)
    applies = {
        "substance_use_history": columns["substance_use_history"],
        "family_history_alcohol": columns["family_history_alcohol"],
        "male": columns["sex"] == "male",
        "young": columns["age_years"] < 30,
    }
    logs = sum(
        np.log(number(table[name], "multiplier", MISUSE)) * np.asarray(flag, dtype=np.float64)
        for name, flag in applies.items()
    )
    spread = number(table["unexplained"], "multiplier", MISUSE)
    return np.asarray(np.exp(logs + spread * np.asarray(luck)), dtype=np.float64)


def typical(kind: str, sex: str, columns: Mapping[str, float | str]) -> dict[str, float | str]:
    """The typical value of every covariate of a kind that `columns` does not give: medians and likelier
    classes.

    Raises:
        InputError: unknown kind.
    """
    if kind not in KINDS:
        raise unknown("population", kind, KINDS)
    known: dict[str, Values] = {name: np.asarray([value]) for name, value in columns.items()}
    known["sex"] = np.asarray([sex])
    for row in rows_for(kind, rows(TABLE)):
        name = row["covariate"]
        if name not in columns and name != "sex" and row["sex"] in ("any", sex):
            known[name] = _typical(row, known)
    if "height_cm" not in columns and {"weight_kg", "bmi"} <= set(columns):
        known["height_cm"] = 100.0 * np.sqrt(known["weight_kg"] / known["bmi"])
    if "weight_kg" in columns and "bmi" not in columns:
        known["bmi"] = known["weight_kg"] / (known["height_cm"] / 100.0) ** 2
    if "misuse_predisposition" not in columns:
        known["misuse_predisposition"] = misuse_predisposition(known)
    filled = {c.name: np.asarray([c.default]) for c in COLUMNS if c.default is not None and c.name not in known}
    return {name: values[0].item() for name, values in (known | filled).items()}


def _typical(row: Row, known: Mapping[str, Values]) -> Values:
    if row["distribution"] == "category":
        names, shares = choices(row)
        return np.asarray([names[int(np.argmax(shares))]])
    return _quantile(row, np.array([0.5]), known)
