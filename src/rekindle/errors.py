"""What Rekindle says when it will not go on: what is wrong, where, and what would be right.

Two families. An `InputError` is the user's to mend (exit code 2 on the command line); a `ModelError` is a
failure of the model or of the run (exit code 1). Nothing in the package answers a bad input with a guess.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class RekindleError(Exception):
    """Base of every error that Rekindle raises on purpose.

    `message` says what is wrong, `where` names the file, line or field, `hint` says what would be right.
    """

    exit_code = 1

    def __init__(self, message: str, *, where: str | None = None, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        advice = f" {self.hint}" if self.hint else ""
        return f"{place}{self.message}{advice}"


class InputError(RekindleError):
    """The input is wrong and the user can mend it; the command line ends with exit code 2."""

    exit_code = 2


class UnsupportedError(InputError):
    """The input is well formed but asks for something that is not supported, named in the message."""


class OutsideDomainError(InputError):
    """The person or the dose lies outside what the model knows (see `rekindle.population.domain`)."""


class ModelError(RekindleError):
    """A model definition is inconsistent, or a computation with it failed; exit code 1."""


class SolverError(ModelError):
    """The differential equations could not be solved to the tolerance asked for."""


def nearest(name: str, names: Iterable[str], count: int = 3) -> list[str]:
    """Up to `count` of `names` that look most like `name`, best first; empty when nothing is near.

    >>> nearest("madrs", ["MADRS", "PHQ-9"])
    ['MADRS']
    """
    by_folded: dict[str, str] = {}
    for candidate in names:
        by_folded.setdefault(candidate.casefold(), candidate)
    near = difflib.get_close_matches(name.casefold(), by_folded, n=count, cutoff=0.5)
    starting = [folded for folded in by_folded if folded.startswith(name.casefold()) and folded not in near]
    return [by_folded[folded] for folded in [*near, *sorted(starting)][:count]]


def unknown(kind: str, name: str, known: Iterable[str], where: str | None = None) -> InputError:
    """An `InputError` for a name that is not in the list of known ones, offering the nearest.

    >>> str(unknown("scale", "MADR", ["MADRS", "PHQ-9"]))
    "Unknown scale 'MADR'. Nearest: MADRS."
    """
    names = sorted(set(known))
    near = nearest(name, names)
    if near:
        hint = f"Nearest: {', '.join(near)}."
    elif len(names) <= 12:
        hint = f"Known: {', '.join(names)}."
    else:
        hint = f"{len(names)} are known, for example {', '.join(names[:5])}."
    return InputError(f"Unknown {kind} '{name}'.", where=where, hint=hint)
