"""Writing an event table as CSV that NONMEM, mrgsolve, nlmixr2 and this package read, whole or not at all."""

from __future__ import annotations

import csv
import io
import os
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from rekindle.dosing.event import Event
from rekindle.dosing.event_table import EventTable
from rekindle.dosing.wording import number_words
from rekindle.errors import InputError

_ALWAYS = ("ID", "TIME", "EVID", "AMT", "CMT", "RATE", "DV", "MDV")


def events_csv(table: EventTable) -> str:
    """The table as CSV text; columns that say nothing are left out, numbers read back exactly."""
    columns = [(name, cell) for name, cell in _COLUMNS if name in _ALWAYS or _used(table, cell)]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([*(name for name, _ in columns), *table.covariates])
    for event in table.events:
        cells = [cell(table, event) for _, cell in columns]
        writer.writerow([*cells, *(_number(value) for value in event.covariates)])
    return out.getvalue()


def write_events(table: EventTable, path: str | Path) -> Path:
    """Write the table as CSV; the file appears complete or not at all. Returns its path.

    Raises:
        InputError: the file cannot be written.
    """
    target = Path(path)
    temporary: str | None = None
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent or Path())
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as out:
            out.write(events_csv(table))
        Path(temporary).chmod(0o644)
        Path(temporary).replace(target)
    except OSError as error:
        if temporary is not None:
            with suppress(OSError):
                Path(temporary).unlink()
        raise InputError(
            f"Cannot write the event table: {error.strerror}.",
            where=str(target),
            hint="Choose a file that can be written.",
        ) from None
    return target


def _number(value: float | None) -> str:
    return "." if value is None else number_words(value)


_COLUMNS: tuple[tuple[str, Callable[[EventTable, Event], str]], ...] = (
    ("ID", lambda table, event: event.person),
    ("TIME", lambda table, event: _number(event.time_h)),
    ("EVID", lambda table, event: str(event.evid)),
    ("AMT", lambda table, event: _number(event.amount)),
    ("CMT", lambda table, event: table.label(event.compartment)),
    ("RATE", lambda table, event: _number(event.rate)),
    ("DUR", lambda table, event: _number(event.duration_h)),
    ("II", lambda table, event: _number(event.interval_h)),
    ("ADDL", lambda table, event: str(event.additional)),
    ("SS", lambda table, event: str(event.steady_state)),
    ("DV", lambda table, event: _number(event.value)),
    ("MDV", lambda table, event: "0" if event.observed else "1"),
    ("DVID", lambda table, event: event.dvid or "."),
    ("OCC", lambda table, event: "." if event.occasion is None else str(event.occasion)),
    ("LIMIT", lambda table, event: _number(event.limit)),
    ("CENS", lambda table, event: str(event.censored)),
)


def _used(table: EventTable, cell: Callable[[EventTable, Event], str]) -> bool:
    return any(cell(table, event) not in ("0", ".") for event in table.events)
