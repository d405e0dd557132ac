"""The bank: expected numbers of all trials at many sets of parameters, kept row by row.

Row i stands for one set: point i of a scrambled Sobol sequence over the prior of the parameters that matter most, all
other uncertain parameters drawn over their ranges, and people of its own. A row depends on its number and the seed
alone, so a bank that was stopped goes on where it was and ends bit for bit as if it had not been; it refuses to go on
when the trials, the model or the settings have changed. Few people a row suffice: the emulator averages over rows.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rekindle.errors import InputError, SolverError
from rekindle.inference.priors import Prior, other_shares, other_values
from rekindle.inference.targets import Simulator
from rekindle.provenance import digest

Array = NDArray[np.float64]
Progress = Callable[[str, int, int], None]

FORMAT = "rekindle-bank"
LATER = 1_000_000
"""Rows of a later round are numbered from here on: luck of their own."""

REPEATED = 2_000_000
"""Rows numbered from here on repeat one set with other people; what is not estimated stays at the table's value."""


MOST_KNOWN = 0.9
"""A row may lack a tenth of its numbers (nobody well enough to be withdrawn, say), not more."""


@dataclass(frozen=True)
class Bank:
    """Simulated rows: `shares` (rows, parameters), `expected` (rows, targets), row `numbers`, `seconds` they took."""

    shares: Array
    expected: Array
    numbers: NDArray[np.int64]
    seconds: float

    def __len__(self) -> int:
        return len(self.shares)

    def only(self, chosen: NDArray[np.bool_]) -> Bank:
        """The chosen rows."""
        return Bank(self.shares[chosen], self.expected[chosen], self.numbers[chosen], self.seconds)

    @property
    def first_round(self) -> NDArray[np.bool_]:
        """Rows drawn from the prior (not from an earlier posterior)."""
        return self.numbers < LATER


def design(prior: Prior, seed: int, rows: Sequence[int]) -> Array:
    """Shares (rows, parameters) of the given rows of the design, distributed as the prior.

    Parameters with which numbers bend follow a scrambled Sobol sequence, the others streams of their own.
    """
    from scipy.special import ndtri
    from scipy.stats.qmc import Sobol

    shares = np.zeros((len(rows), len(prior.parameters)))
    if not len(rows):
        return shares
    bent = prior.curved_places
    engine = Sobol(len(bent), scramble=True, rng=np.random.default_rng(seed))
    points = engine.random_base2(int(np.ceil(np.log2(max(rows) + 2))))[np.asarray(rows)]
    scores = np.zeros_like(shares)
    scores[:, bent] = ndtri(np.clip(points, 1e-9, 1.0 - 1e-9))
    shares[:, bent] = prior.shares(scores)[:, bent]
    straight = np.setdiff1d(np.arange(len(prior.parameters)), bent)
    others = other_shares([prior.names[place] for place in straight], seed, count=max(rows) + 1)
    shares[:, straight] = others[np.asarray(rows)]
    return shares


@dataclass(frozen=True)
class BankSettings:
    """How a bank is made: the seed, people an arm in each row, and values that hold in every row."""

    seed: int = 1
    people: int = 24
    held: Mapping[str, float] | None = None


@dataclass(frozen=True)
class RowMaker:
    """Makes one row of a bank: the expected numbers of all trials at one set."""

    simulator: Simulator
    prior: Prior
    settings: BankSettings

    def __call__(self, number: int, shares: Array) -> dict[str, Any]:
        """The row of this number at shares (parameters,), as it is written.

        Raises:
            SolverError: more than a tenth of the numbers are not finite.
        """
        began = time.perf_counter()
        values = row_values(self.prior, shares[None, :], self.settings, number)
        expected = self.simulator.expected(
            values, people=self.settings.people, seed=people_seed(self.settings.seed, number)
        )[0]
        known = np.isfinite(expected)
        if known.mean() < MOST_KNOWN:
            wrong = [target.key for target, yes in zip(self.simulator.targets, known, strict=True) if not yes]
            raise SolverError(f"Row {number} gives no number for {', '.join(wrong[:3])} and others.")
        seconds = round(time.perf_counter() - began, 3)
        return {"row": number, "seconds": seconds, "shares": shares.tolist(), "expected": numbers_or_none(expected)}


_kept: list[RowMaker] = []
"""The maker of this process, where it is one of several."""


def _keep_maker(maker: RowMaker) -> None:
    _kept[:] = [maker]


def _row_of_kept_maker(number: int, shares: Array) -> dict[str, Any]:
    return _kept[0](number, shares)


class BankFile:
    """A bank on disk: one line of JSON for what it is, then one a row.

    Rows are made side by side in as many `processes`; how many changes no number.

    Raises:
        InputError: the file holds another bank (other trials, model, prior or settings), or is no bank.
    """

    def __init__(
        self, path: Path, simulator: Simulator, prior: Prior, settings: BankSettings, *, processes: int = 1
    ) -> None:
        self.path, self.simulator, self.prior, self.settings = path, simulator, prior, settings
        self.processes = processes
        self.header = _header(simulator, prior, settings)
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(self.header) + "\n", encoding="utf-8")
        self.rows = self._read()

    def _read(self) -> dict[int, dict[str, Any]]:
        text = self.path.read_text(encoding="utf-8")
        whole = text[: text.rfind("\n") + 1]
        lines = whole.splitlines()
        try:
            header = json.loads(lines[0])
            rows = [json.loads(line) for line in lines[1:]]
        except (IndexError, ValueError) as error:
            raise InputError("This is no bank of simulations.", where=str(self.path)) from error
        if header != self.header:
            changed = sorted(key for key in self.header if header.get(key) != self.header[key])
            raise InputError(
                f"The bank was made with another {', '.join(changed) or 'layout'}.",
                where=str(self.path),
                hint="Choose another directory, or the settings it was made with.",
            )
        if len(whole) < len(text):  # stopped in the middle of a line: that row is made again
            os.truncate(self.path, len(whole.encode()))
        return {int(row["row"]): row for row in rows}

    def fill(self, shares: Array, numbers: Sequence[int], progress: Progress | None = None) -> None:
        """Simulate the rows that are missing; `shares` has one row for each of `numbers`.

        Raises:
            InputError: a row that is there was made at other shares (a second round under other settings).
            SolverError: a simulated number is not finite.
        """
        for row, number in zip(shares, numbers, strict=True):
            if number in self.rows and not np.array_equal(self.rows[number]["shares"], row):
                raise InputError(
                    f"Row {number} of the bank was made at another set of parameters.",
                    where=str(self.path),
                    hint="Choose another directory, or the settings that it was made with.",
                )
        missing = {number: row for row, number in zip(shares, numbers, strict=True) if number not in self.rows}
        done = len(numbers) - len(missing)
        with self.path.open("a", encoding="utf-8") as stream:
            for made in self._made(missing):
                if progress is not None:
                    progress("simulating the trials", done, len(numbers))
                done += 1
                self.rows[int(made["row"])] = made
                stream.write(json.dumps(made) + "\n")
                stream.flush()
        if progress is not None:
            progress("simulating the trials", len(numbers), len(numbers))

    def _made(self, missing: Mapping[int, Array]) -> Iterator[dict[str, Any]]:
        """The missing rows, as they get ready."""
        maker = RowMaker(self.simulator, self.prior, self.settings)
        if self.processes <= 1 or len(missing) < 2:
            yield from (maker(number, row) for number, row in missing.items())
            return
        from concurrent.futures import ProcessPoolExecutor, as_completed
        from multiprocessing import get_context

        # Spawned, not forked: the sampler's library runs threads of its own.
        pool = ProcessPoolExecutor(
            min(self.processes, len(missing)), get_context("spawn"), initializer=_keep_maker, initargs=(maker,)
        )
        with pool:
            waiting = [pool.submit(_row_of_kept_maker, number, row) for number, row in missing.items()]
            try:
                for each in as_completed(waiting):
                    yield each.result()
            finally:
                pool.shutdown(cancel_futures=True)

    def expected(self, numbers: Sequence[int]) -> Array:
        """Expected numbers of the given rows, shape (rows, targets), NaN where there was none."""
        return np.array([self.rows[number]["expected"] for number in numbers], dtype=np.float64)

    def bank(self) -> Bank:
        """All rows so far but the repeated ones, in order of their numbers."""
        numbers = sorted(number for number in self.rows if number < REPEATED)
        width, count = len(self.prior.parameters), len(self.simulator.targets)
        return Bank(
            np.array([self.rows[number]["shares"] for number in numbers]).reshape(-1, width),
            _completed(self.expected(numbers).reshape(-1, count)),
            np.array(numbers, dtype=np.int64),
            float(sum(row["seconds"] for row in self.rows.values())),
        )


def luck_of_people(
    file: BankFile, shares: Array, count: int, *, start: int = 0, progress: Progress | None = None
) -> Array:
    """Standard deviation that the choice of people gives each number of a row, shape (targets,).

    From `count` rows at the same shares (parameters,), numbered from `REPEATED + start` on.

    Raises:
        SolverError: a simulated number is not finite.
    """
    numbers = [REPEATED + start + place for place in range(count)]
    file.fill(np.tile(shares, (count, 1)), numbers, progress)
    return np.asarray(_completed(file.expected(numbers)).std(axis=0, ddof=1))


def numbers_or_none(expected: Array) -> list[float | None]:
    """Numbers for JSON: None where there is none, as when nobody reached the stage that a number is about."""
    return [float(value) if np.isfinite(value) else None for value in expected]


def _completed(expected: Array) -> Array:
    """The numbers with the median of all other rows where a row has none; zero where no row has any."""
    known = np.isfinite(expected)
    if known.all():
        return expected
    middle = [
        float(np.median(column[yes])) if yes.any() else 0.0 for column, yes in zip(expected.T, known.T, strict=True)
    ]
    return np.where(known, expected, np.array(middle))


def row_values(prior: Prior, shares: Array, settings: BankSettings, number: int) -> dict[str, Array]:
    """Every parameter of the rows from `number` on, name to array of shape (rows,)."""
    values = prior.values(shares)
    if number < REPEATED:
        values |= other_values(prior.names, settings.seed, start=number, count=len(shares))
    values |= {name: np.full(len(shares), float(value)) for name, value in (settings.held or {}).items()}
    return values


def people_seed(seed: int, number: int) -> int:
    """The seed of the people of one row."""
    return int(digest("people of a row", str(seed), str(number)), 16) % 2**62


def _header(simulator: Simulator, prior: Prior, settings: BankSettings) -> dict[str, Any]:
    parameters = [
        [parameter.name, parameter.value, parameter.low, parameter.high, parameter.grade]
        for parameter in prior.parameters
    ]
    return {
        "format": FORMAT,
        "simulator": simulator.digest,
        "parameters": parameters,
        "targets": [target.key for target in simulator.targets],
        "seed": settings.seed,
        "people": settings.people,
        "held": dict(sorted((settings.held or {}).items())),
    }


def made_bank(
    path: Path, simulator: Simulator, prior: Prior, sets: int, settings: BankSettings, progress: Progress | None = None
) -> Bank:
    """The bank of `sets` rows over the prior, made or completed at `path`.

    Raises:
        InputError: as `BankFile`.
        SolverError: a simulated number is not finite.
    """
    file = BankFile(path, simulator, prior, settings)
    numbers = list(range(sets))
    file.fill(design(prior, settings.seed, numbers), numbers, progress)
    return file.bank()
