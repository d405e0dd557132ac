"""Units as the papers of this field write them, each read as what it means there and as nothing else.

A general unit library reads `F` as a farad, `points` as a length of type, `rs` and `d` as it pleases. Here
only the units in the table below exist. A score in points, an F statistic or an odds ratio has a dimension of
its own, so it converts to nothing but itself. `d` is a day; a row that means Cohen's d by it is corrected by
name in `evidence/data/unit_corrections.csv`. `70 kg` in `L/h/70 kg` is the standard person of allometry, not
a mass to divide by. Physical factors are exact except the millimetre of mercury (133.322387415 Pa, BIPM SI
brochure); a month is 30.4375 days and a year 365.25 days. pint does the arithmetic, in exact fractions.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache, lru_cache
from typing import Any

from rekindle.errors import InputError, unknown

SbmlUnit = tuple[str, int, int, float]
"""A base unit of SBML: kind, exponent, scale, multiplier, read (multiplier x 10^scale x kind)^exponent."""


@dataclass(frozen=True)
class _Atom:
    """A unit that cannot be taken apart, as a multiple of an SBML kind; whether it stands alone."""

    kind: str
    scale: int = 0
    multiplier: float = 1.0
    spellings: tuple[str, ...] = ()
    own_dimension: bool = False


def _physical(kind: str, scale: int = 0, multiplier: float = 1.0, *spellings: str) -> _Atom:
    return _Atom(kind, scale, multiplier, spellings)


def _own(kind: str, *spellings: str) -> _Atom:
    return _Atom(kind, spellings=spellings, own_dimension=True)


_ATOMS: dict[str, _Atom] = {
    "1": _physical("dimensionless", 0, 1.0, "dimensionless", "fraction"),
    "%": _physical("dimensionless", -2, 1.0, "percent"),
    "fold": _physical("dimensionless", 0, 1.0),
    "ng": _physical("gram", -9),
    "ug": _physical("gram", -6, 1.0, "mcg"),
    "mg": _physical("gram", -3),
    "g": _physical("gram"),
    "kg": _physical("gram", 3),
    "pmol": _physical("mole", -12),
    "nmol": _physical("mole", -9),
    "umol": _physical("mole", -6),
    "mmol": _physical("mole", -3),
    "mol": _physical("mole"),
    "uL": _physical("litre", -6),
    "mL": _physical("litre", -3, 1.0, "ml"),
    "dL": _physical("litre", -1),
    "L": _physical("litre", 0, 1.0, "litre", "liter"),
    "mm": _physical("metre", -3),
    "cm": _physical("metre", -2),
    "m": _physical("metre", 0, 1.0, "metre", "meter"),
    "ms": _physical("second", -3),
    "s": _physical("second", 0, 1.0, "second", "seconds"),
    "min": _physical("second", 0, 60.0, "minute", "minutes"),
    "h": _physical("second", 0, 3600.0, "hour", "hours", "hr"),
    "d": _physical("second", 0, 86400.0, "day", "days"),
    "wk": _physical("second", 0, 604800.0, "week", "weeks"),
    "month": _physical("second", 0, 2629800.0, "months", "mo"),
    "year": _physical("second", 0, 31557600.0, "years", "y", "year above 60"),
    "mmHg": _physical("pascal", 0, 133.322387415),
    "Pa": _physical("pascal"),
    "kPa": _physical("pascal", 3),
    # What a rating or an analysis gives: pure numbers to SBML, but comparable only with their own kind.
    "points": _own("dimensionless", "point"),
    "Cohen d": _own("dimensionless", "Cohen's d"),
    "Hedges g": _own("dimensionless"),
    "SMD": _own("dimensionless", "standardised mean difference"),
    "beta": _own("dimensionless"),
    "alpha": _own("dimensionless"),
    "r": _own("dimensionless"),
    "rs": _own("dimensionless"),
    "F": _own("dimensionless", "F statistic"),
    "p": _own("dimensionless", "p value"),
    "odds ratio": _own("dimensionless"),
    "hazard ratio": _own("dimensionless"),
    "risk ratio": _own("dimensionless", "relative risk"),
    "number needed to treat": _own("dimensionless", "NNT"),
    "% of control": _own("dimensionless"),
    "% of baseline": _own("dimensionless"),
    "boolean": _own("dimensionless"),
    "sign": _own("dimensionless"),
    "date": _own("dimensionless"),
    "calendar year": _own("dimensionless"),
    "70 kg": _own("dimensionless"),
    # Things that are counted: a count of trials never adds to a count of people.
    "patients": _own("item", "subjects", "{subjects}", "patient", "subject"),
    "datasets": _own("item", "{datasets}"),
    "studies": _own("item"),
    "infusions": _own("item"),
    "sessions": _own("item", "session"),
    "models": _own("item"),
    "stable states": _own("item"),
    "parameters": _own("item"),
    "groups": _own("item"),
    "biomarkers": _own("item"),
    "drugs": _own("item"),
    "reports": _own("item"),
    "items": _own("item"),
    "choices": _own("item"),
}

_SPELLINGS: dict[str, str] = {
    **{name: name for name in _ATOMS},
    **{spelling: name for name, atom in _ATOMS.items() for spelling in atom.spellings},
}
_LONGEST_FIRST = sorted(_SPELLINGS, key=len, reverse=True)
_ORDER = {name: position for position, name in enumerate(_ATOMS)}


@dataclass(frozen=True)
class Unit:
    """A product of known units to whole powers; `printed` is how its source wrote it, left out of `==`.

    >>> parse_unit("L/h") == parse_unit("litre per hour")
    True
    """

    factors: tuple[tuple[str, int], ...]
    printed: str = field(default="", compare=False)

    def __str__(self) -> str:
        above = [_power(name, power) for name, power in self.factors if power > 0]
        below = [_power(name, -power) for name, power in self.factors if power < 0]
        # A dot before a figure would read as a decimal point: `h^2*70 kg`.
        product = re.sub(r"\.(?=\d)", "*", ".".join(above))
        return "/".join([product or "1", *below])

    @property
    def dimension(self) -> str:
        """What the unit measures, such as `[mass] / [length]^3`; equal where units convert to each other.

        A dose per body weight or hours a day cancel to a number but stay apart from numbers and each other.
        """
        return _dimension(self)

    @property
    def stands_alone(self) -> bool:
        """Whether values in this unit compare only with their own kind, as points, ratios and counts do."""
        return len(self.factors) == 1 and _ATOMS[self.factors[0][0]].own_dimension

    @property
    def is_pure_number(self) -> bool:
        """Whether it is 1, a percentage or a fold, the only units that convert to a bare number."""
        return self.dimension == "dimensionless"


@lru_cache(maxsize=4096)
def parse_unit(text: str) -> Unit:
    """The unit that a text such as `ng.h/mL`, `1/(ng/mL)`, `L/h/70 kg` or `odds ratio` names.

    Raises:
        InputError: the text is empty, malformed, or names a unit that is not in the table.
    """
    reader = _Reader(_plain(text), text)
    powers = reader.expression()
    if reader.rest:
        raise InputError(f"Unit '{text}' cannot be read from '{reader.rest}' on.", hint="Write it like 'ng.h/mL'.")
    kept = {name: power for name, power in powers.items() if power and name != "1"}
    return Unit(tuple(sorted(kept.items(), key=lambda pair: _ORDER[pair[0]])), text)


def convert(value: float, from_unit: str | Unit, to_unit: str | Unit) -> float:
    """`value` in `from_unit`, expressed in `to_unit`.

    >>> convert(90.0, "min", "h")
    1.5

    Raises:
        InputError: a unit is unknown, or the two measure different things.
    """
    source, target = _as_unit(from_unit), _as_unit(to_unit)
    if source == target:
        return float(value)
    if source.dimension != target.dimension:
        raise InputError(
            f"'{source}' cannot be converted to '{target}': {source.dimension} is not {target.dimension}.",
            hint="Masses and amounts of substance need a molar mass between them."
            if {"mole", "gram"} <= _kinds(source) | _kinds(target)
            else None,
        )
    if not math.isfinite(value):
        return float(value)
    registry = _registry()
    return float(registry.convert(Fraction(value), _pint_expression(source), _pint_expression(target)))


@lru_cache(maxsize=4096)
def _dimension(unit: Unit) -> str:
    powers = dict(_registry().Unit(_pint_expression(unit)).dimensionality)
    above = [_power(name, int(power)) for name, power in sorted(powers.items()) if power > 0]
    below = [_power(name, -int(power)) for name, power in sorted(powers.items()) if power < 0]
    shown = " / ".join([" ".join(above) or "1", *below]) if powers else "dimensionless"
    return " ".join([shown, *(f"({kind} per {kind})" for kind in _cancelled(unit))])


def compatible(one: str | Unit, other: str | Unit) -> bool:
    """Whether a value in the one unit can be expressed in the other.

    Raises:
        InputError: a unit is unknown.
    """
    return _as_unit(one).dimension == _as_unit(other).dimension


def sbml_unit_definition(text: str | Unit) -> list[SbmlUnit]:
    """The unit as SBML base units, a list of (kind, exponent, scale, multiplier).

    Each entry means (multiplier x 10^scale x kind)^exponent: `1/h` is `[("second", -1, 0, 3600.0)]`. Points,
    ratios and statistics are dimensionless; patients and other counted things are `item`. A pure number gives
    `[("dimensionless", 1, 0, 1.0)]`.

    Raises:
        InputError: the text names no known unit.
    """
    unit = _as_unit(text)
    powers = [(_ATOMS[name], power) for name, power in unit.factors]
    entries = [
        (atom.kind, power, atom.scale, atom.multiplier)
        for atom, power in powers
        if (atom.kind, atom.scale, atom.multiplier) != ("dimensionless", 0, 1.0)
    ]
    return entries or [("dimensionless", 1, 0, 1.0)]


def known_units() -> list[str]:
    """The names of all indivisible units, in the order of the table."""
    return list(_ATOMS)


def _as_unit(unit: str | Unit) -> Unit:
    return unit if isinstance(unit, Unit) else parse_unit(unit)


def _power(name: str, power: int) -> str:
    return name if power == 1 else f"{name}^{power}"


def _plain(text: str) -> str:
    plain = text.strip()
    for typeset, typed in {"\u00b5": "u", "\u03bc": "u", "\u00b7": ".", "\u00d7": "*", "**": "^"}.items():
        plain = plain.replace(typeset, typed)
    return re.sub(r"\s+per\s+", "/", re.sub(r"\s+", " ", plain))


def _cancelled(unit: Unit) -> list[str]:
    """Kinds that stand above and below the line alike, such as the gram in mg/kg."""
    net: dict[str, int] = {}
    for name, power in unit.factors:
        kind = _ATOMS[name].kind
        net[kind] = net.get(kind, 0) + power
    return sorted(kind for kind, power in net.items() if power == 0 and kind not in {"dimensionless", "item"})


def _kinds(unit: Unit) -> set[str]:
    return {_ATOMS[name].kind for name, _ in unit.factors}


class _Reader:
    """Recursive descent over `unit (. * / unit)*`, with brackets and whole powers."""

    def __init__(self, plain: str, printed: str) -> None:
        self.rest = plain
        self.printed = printed

    def expression(self) -> dict[str, int]:
        total = self._term()
        while self.rest[:1] in {"/", "*", "."} and self.rest:
            sign = -1 if self.rest[0] == "/" else 1
            self.rest = self.rest[1:].lstrip()
            for name, power in self._term().items():
                total[name] = total.get(name, 0) + sign * power
        return total

    def _term(self) -> dict[str, int]:
        if self.rest.startswith("("):
            self.rest = self.rest[1:].lstrip()
            inner = self.expression()
            if not self.rest.startswith(")"):
                raise InputError(f"Unit '{self.printed}' has a bracket that is not closed.")
            self.rest = self.rest[1:].lstrip()
        else:
            inner = {self._atom(): 1}
        raised = re.match(r"\^\s*(-?\d+)\s*", self.rest)
        if raised is None:
            return inner
        self.rest = self.rest[raised.end() :]
        if re.match(r"\.\d", self.rest):
            raise InputError(f"Unit '{self.printed}' has a broken power.", hint="Powers are whole numbers.")
        return {name: power * int(raised.group(1)) for name, power in inner.items()}

    def _atom(self) -> str:
        for spelling in _LONGEST_FIRST:
            after = self.rest[len(spelling) : len(spelling) + 1]
            if self.rest.startswith(spelling) and not (after.isalnum() or after in {"_", "'"}):
                self.rest = self.rest[len(spelling) :].lstrip()
                return _SPELLINGS[spelling]
        word = re.match(r"[^/*^()]*", self.rest)
        name = word.group().strip() if word else ""
        if not name:
            raise InputError(f"Unit '{self.printed}' is incomplete.", hint="A bare number has the unit '1'.")
        where = None if name == self.printed.strip() else f"unit '{self.printed}'"
        raise unknown("unit", name, _SPELLINGS, where=where)


def _pint_name(name: str) -> str:
    return f"atom_{_ORDER[name]}"


def _pint_expression(unit: Unit) -> str:
    return " * ".join(f"{_pint_name(name)} ** {power}" for name, power in unit.factors) or "dimensionless"


def _dimension_name(name: str) -> str:
    words = re.sub(r"\W+", "_", name.replace("%", "percent")).strip("_")
    return words if words.isidentifier() else f"of_{words}"


@cache
def _registry() -> Any:
    """A pint registry that knows the table above and nothing else."""
    import pint

    registry: Any = pint.UnitRegistry(None, non_int_type=Fraction)
    for line in (
        "second = [time]",
        "gram = [mass]",
        "mole = [substance]",
        "metre = [length]",
        "litre = 0.001 * metre ** 3",
        "pascal = 1000 * gram / metre / second ** 2",
    ):
        registry.define(line)
    for name, atom in _ATOMS.items():
        if atom.own_dimension:
            registry.define(f"{_pint_name(name)} = [{_dimension_name(name)}]")
            continue
        base = "" if atom.kind == "dimensionless" else f" * {atom.kind}"
        registry.define(f"{_pint_name(name)} = {atom.multiplier!r} * 1e{atom.scale}{base}")
    return registry
