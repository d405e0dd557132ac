"""Who is treated: people as rows of covariates and random effects, drawn from records or read from a file.

`draw` makes a virtual population, `read_people` reads a real one, `check_domain` says whom and which doses
the model does not know.
"""

from __future__ import annotations

from rekindle.population.covariates import KINDS, draw
from rekindle.population.domain import Dose, Markings, Reason, check_domain, check_together, mark, require_domain
from rekindle.population.people import People, concat
from rekindle.population.reading import read_people
from rekindle.population.variability import Variability, individual_values, values_of_people, variability

__all__ = [
    "KINDS",
    "Dose",
    "Markings",
    "People",
    "Reason",
    "Variability",
    "check_domain",
    "check_together",
    "concat",
    "draw",
    "individual_values",
    "mark",
    "read_people",
    "require_domain",
    "values_of_people",
    "variability",
]
