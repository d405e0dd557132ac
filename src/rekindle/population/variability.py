"""How people differ in what the model does: random effects on its parameters, drawn from named streams.

`data/variability.csv` has one row a parameter: its spread on the scale it is given (`lognormal`: standard
deviation of the logarithm; `logit-normal`: of the log-odds; `normal`: in the parameter's own unit) and the
rows it is correlated with, which stand above it. Each parameter's own luck is its own stream, and a
correlated one adds its share of the luck of the rows it names (sequential Cholesky), so a person's draws
never move when a row is added anywhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from rekindle.errors import ModelError, unknown
from rekindle.population.schema import ETA
from rekindle.population.tables import number, rows, sourced
from rekindle.streams import normals

if TYPE_CHECKING:
    from rekindle.population.people import People

TABLE = "variability.csv"
SCALES = ("lognormal", "logit-normal", "normal")
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Variability:
    """One parameter's spread between people: `sd` on the scale of `kind`, and correlation by partner name."""

    parameter: str
    kind: str
    sd: float
    correlations: Mapping[str, float]
    record: str
    reason: str
    grade: str


@cache
def variability() -> tuple[Variability, ...]:
    """All rows of the package's table of random effects, in order.

    Raises:
        ModelError: a row is malformed, doubled, correlated with an unknown row, or impossible.
    """
    return read_rows(rows(TABLE))


def read_rows(table: Sequence[Mapping[str, str]]) -> tuple[Variability, ...]:
    """Rows of text as random effects; see `variability`.

    Raises:
        ModelError: as `variability`.
    """
    found: dict[str, Variability] = {}
    for row in table:
        where = f"{TABLE}, line {row.get('line', '?')}"
        sourced(row, TABLE)
        effect = Variability(
            row["parameter"],
            row["kind"],
            number(row, "sd", TABLE),
            _partners(row, where),
            row["record"],
            row["reason"],
            row["grade"],
        )
        if effect.kind not in SCALES:
            raise ModelError(str(unknown("scale of variability", effect.kind, SCALES)), where=where)
        if effect.sd < 0 or effect.parameter in found:
            raise ModelError(f"'{effect.parameter}' is doubled or its spread is negative.", where=where)
        for partner in effect.correlations:
            if partner not in found:
                raise ModelError(f"'{partner}' must stand above '{effect.parameter}'.", where=where)
        found[effect.parameter] = effect
    return tuple(found.values())


def _partners(row: Mapping[str, str], where: str) -> dict[str, float]:
    names = [name.strip() for name in row["correlated_with"].split(";") if name.strip()]
    texts = [text.strip() for text in row["correlation"].split(";") if text.strip()]
    if len(names) != len(texts):
        raise ModelError(f"{len(names)} partners but {len(texts)} correlations.", where=where)
    try:
        partners = {name: float(text) for name, text in zip(names, texts, strict=True)}
    except ValueError as error:
        raise ModelError("A correlation is no number.", where=where) from error
    if any(not -1 < value < 1 for value in partners.values()):
        raise ModelError("A correlation lies between -1 and 1.", where=where)
    return partners


def weights(effects: Sequence[Variability]) -> dict[str, tuple[dict[str, float], float]]:
    """For each parameter, the weights of its partners' standard scores and of its own luck.

    Correlations that no row states are those the stated ones imply (zero given the partners).

    Raises:
        ModelError: the stated correlations cannot hold together.
    """
    implied: dict[tuple[str, str], float] = {}
    found: dict[str, tuple[dict[str, float], float]] = {}
    for effect in effects:
        partners = list(effect.correlations)
        own = 1.0
        share: dict[str, float] = {}
        if partners:
            among = np.array([[implied[a, b] for b in partners] for a in partners])
            wanted = np.array([effect.correlations[name] for name in partners])
            solved = np.linalg.solve(among, wanted)
            left = 1.0 - float(solved @ wanted)
            if left < 1e-9:
                raise ModelError(f"The correlations of '{effect.parameter}' cannot hold together.", where=TABLE)
            share, own = dict(zip(partners, solved.tolist(), strict=True)), left**0.5
        for other in found:
            value = sum(weight * implied[name, other] for name, weight in share.items())
            implied[effect.parameter, other] = implied[other, effect.parameter] = value
        implied[effect.parameter, effect.parameter] = 1.0
        found[effect.parameter] = (share, own)
    return found


def draw_effects(effects: Sequence[Variability], count: int, seed: int, start: int = 0) -> dict[str, Array]:
    """Random effects by parameter (shape people each), on the scale of each row's kind.

    Raises:
        ModelError: the stated correlations cannot hold together.
    """
    scores: dict[str, Array] = {}
    for parameter, (share, own) in weights(effects).items():
        score = own * normals(seed, "population", "eta", parameter, start=start, count=count)
        for partner, weight in share.items():
            score = score + weight * scores[partner]
        scores[parameter] = score
    return {effect.parameter: effect.sd * scores[effect.parameter] for effect in effects}


def individual_values(typical: Array | float, kind: str, eta: Array) -> Array:
    """A parameter's value for each person from its typical value and the random effect (broadcast together).

    >>> float(individual_values(2.0, "lognormal", np.array([0.0]))[0])
    2.0

    Raises:
        ModelError: unknown `kind`, or a typical value that the scale cannot hold.
    """
    value = np.asarray(typical, dtype=np.float64)
    if kind == "lognormal":
        return np.asarray(value * np.exp(eta))
    if kind == "logit-normal":
        if np.any((value <= 0) | (value >= 1)):
            raise ModelError("A logit-normal parameter lies strictly between 0 and 1.")
        odds = value / (1.0 - value) * np.exp(eta)
        return np.asarray(odds / (1.0 + odds))
    if kind == "normal":
        return np.asarray(value + eta)
    raise ModelError(str(unknown("scale of variability", kind, SCALES)))


def values_of_people(
    typical: Mapping[str, Array], people: People, spreads: Mapping[str, Array | float]
) -> dict[str, Array]:
    """The parameters in which these people differ, each person's own value by name.

    Typical values and `spreads` broadcast against (people,): one number, one a person, or (sets, 1) for several
    parameter sets at once, which gives (sets, people). A parameter in `spreads` has that standard deviation between
    people in place of the table's, on the scale of its row; who lies high and who low stays the same.

    Raises:
        ModelError: a typical value that the scale of its row cannot hold.
    """
    found: dict[str, Array] = {}
    for effect in variability():
        if effect.parameter not in typical or f"{ETA}{effect.parameter}" not in people:
            continue
        eta = people.eta(effect.parameter)
        if effect.parameter in spreads and effect.sd > 0.0:
            eta = eta * (np.asarray(spreads[effect.parameter], dtype=np.float64) / effect.sd)
        found[effect.parameter] = individual_values(typical[effect.parameter], effect.kind, eta)
    return found
