"""What was printed for a number: its value, its standard error and the people behind it.

A standard error is the one printed, or follows from an SD and n, from the ends of an interval (on the log scale
for ratios and times to relapse), or from a share of people and n. Where nothing follows there is none.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rekindle.errors import InputError
from rekindle.trial.fields import NumberFields
from rekindle.trial.quantities import COUNTED, Quantity

if TYPE_CHECKING:
    from rekindle.evidence.record import Record

RATIOS = ("odds ratio", "risk ratio", "hazard ratio")
NORMAL = {"CI95": 1.959964, "CI90": 1.644854}
Ends = Sequence[float | None]


@dataclass(frozen=True)
class Printed:
    """A number as printed; `n` has one entry an arm."""

    value: float
    standard_error: float | None
    standard_deviation: float | None
    n: tuple[int | None, ...]
    unit: str


def printed(quantity: Quantity, given: NumberFields, record: Record | None, sizes: tuple[int | None, ...]) -> Printed:
    """What the record prints, or the file where it says so.

    Raises:
        InputError: units that do not fit the quantity.
    """
    kind, ends = _spread(given, record)
    unit = given.unit or quantity.unit or (str(record.unit) if record is not None else "")
    n = sizes
    if len(sizes) == 1:
        n = (given.n or (record.n if record is not None else None) or sizes[0],)
    elif given.n is not None and None in sizes:
        n = (given.n // 2,) * len(sizes)
    value = _value(quantity, given, record, kind, ends)
    deviation = ends[0] if kind == "SD" and quantity.name in ("mean", "mean_change", "percent_change") else None
    if record is not None and given.value is None and given.use == "score":
        _check_unit(quantity, record)
    return Printed(value, _standard_error(quantity, unit, value, kind, ends, n), deviation, n, unit)


def _spread(given: NumberFields, record: Record | None) -> tuple[str, Ends]:
    if given.spread is not None:
        spread = given.spread
        if spread.kind in ("SD", "SE") and spread.value is None:
            raise InputError(f"An {spread.kind} has a value.", hint="spread: {kind: SD, value: 6.8}")
        if spread.kind in ("CI95", "CI90", "range") and spread.values is None:
            raise InputError(f"A {spread.kind} has two ends.", hint="spread: {kind: CI95, values: [-12, -3]}")
        return spread.kind, spread.values or (spread.value,)
    if record is None or not record.spread:
        return "none", ()
    if len(record.spread) == 2 and None not in record.spread and record.spread[0] > record.spread[1]:  # type: ignore[operator]
        raise InputError(f"The interval of record '{record.id}' is reversed.")
    return record.spread_kind, record.spread


def _value(quantity: Quantity, given: NumberFields, record: Record | None, kind: str, ends: Ends) -> float:
    if given.value is not None:
        return given.value
    if record is None:
        return math.nan
    if quantity.name == "standard_deviation" and kind == "SD":
        return float(ends[0]) if ends[0] is not None else math.nan
    try:
        return float(record.number)
    except InputError:
        return math.nan


def _check_unit(quantity: Quantity, record: Record) -> None:
    """Nothing, when a share is a share and points are points.

    Raises:
        InputError: one is taken for the other.
    """
    unit = str(record.unit)
    if quantity.name == "time_to_relapse" and unit not in ("d", "day", "days"):
        raise InputError(
            f"Record '{record.id}' is in {unit}; '{quantity.name}' is compared in days.",
            hint="Give the value in days, with a reason.",
        )
    share = quantity.unit == "%"
    if share != (unit in ("%", "percent")) and (share or quantity.unit == "points") and unit in ("%", "points", "d"):
        raise InputError(
            f"Record '{record.id}' is in {unit}; '{quantity.name}' is in {quantity.unit}.",
            hint="Choose the quantity that the record holds.",
        )


def _standard_error(
    quantity: Quantity, unit: str, value: float, kind: str, ends: Ends, n: tuple[int | None, ...]
) -> float | None:
    size = n[0] if len(n) == 1 else None
    if quantity.name == "standard_deviation":
        return value / math.sqrt(2.0 * (size - 1)) if size and size > 1 else None
    logarithm = unit in RATIOS or quantity.name == "time_to_relapse"
    if kind == "SE" and ends[0] is not None:
        return ends[0] / value if logarithm else ends[0]
    if kind == "SD" and ends[0] is not None and size and quantity.unit in ("points", "%"):
        return ends[0] / math.sqrt(size)
    if kind in NORMAL and len(ends) == 2 and None not in ends:
        low, high = float(ends[0] or 0.0), float(ends[1] or 0.0)
        if logarithm:
            return (math.log(high) - math.log(low)) / (2.0 * NORMAL[kind]) if low > 0 else None
        return (high - low) / (2.0 * NORMAL[kind])
    if quantity.name in COUNTED and unit == "%" and kind == "none" and size:
        share = min(max(value / 100.0, 0.5 / size), 1.0 - 0.5 / size)
        return 100.0 * math.sqrt(share * (1.0 - share) / size)
    return None
