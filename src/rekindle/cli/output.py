"""What commands print: one JSON document, or a plain table that a terminal, a pipe and a person can read.

Results go to standard output; progress and messages to standard error.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol


class Progress(Protocol):
    """How long work tells how far it is: what is being done, how much is done, how much there is."""

    def __call__(self, label: str, done: int, total: int) -> None:
        """Tell; `done` and `total` are in whatever unit the work counts."""


def wants_json(arguments: Sequence[str]) -> bool:
    """Whether `--json` stands among the options (not after a bare `--`)."""
    for argument in arguments:
        if argument == "--":
            return False
        if argument == "--json":
            return True
    return False


def emit_json(content: Any) -> None:
    """Print the content as one JSON document on standard output.

    Raises:
        InputError: the content holds a number that is not finite.
    """
    from rekindle.run import as_json

    sys.stdout.write(as_json(content) + "\n")


def emit_table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print rows under a header in aligned columns; numbers (and only numbers) align right."""
    texts = [[_cell(value) for value in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(header, *texts, strict=True)]
    numeric = [
        bool(rows) and all(isinstance(value, int | float) for value in column) for column in zip(*rows, strict=True)
    ]
    numeric = numeric or [False] * len(header)

    def line(cells: Sequence[str]) -> str:
        padded = [
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(cells, widths, numeric, strict=True)
        ]
        return "  ".join(padded).rstrip()

    sys.stdout.write(line(header) + "\n")
    sys.stdout.write("  ".join("-" * width for width in widths) + "\n")
    for row in texts:
        sys.stdout.write(line(row) + "\n")


def emit(text: str) -> None:
    """Print text and end the line."""
    sys.stdout.write(text.rstrip("\n") + "\n")


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6g}"
    return " ".join(str(value).split())


@contextmanager
def progress_bars() -> Iterator[Progress]:
    """A function to call with (what is being done, done, total): a bar for each, on standard error.

    Nothing is drawn where standard error is no terminal.
    """
    if not sys.stderr.isatty():
        yield lambda label, done, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        tasks: dict[str, Any] = {}

        def tell(label: str, done: int, total: int) -> None:
            if label not in tasks:
                tasks[label] = bars.add_task(label)
            bars.update(tasks[label], completed=done, total=total)

        yield tell
