"""Options that several commands share, each said once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

ModelFile = Annotated[
    Path | None,
    typer.Option("--model", help="A model of your own: Antimony (.ant) or SBML (.xml).", metavar="FILE"),
]
ParameterFile = Annotated[
    Path | None,
    typer.Option("--parameters", help="A table of values (name,value,...) to use instead.", metavar="CSV"),
]
Carry = Annotated[
    str | None, typer.Option("--carry", help="How covariates that change hold between rows: NOCB or LOCF.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
