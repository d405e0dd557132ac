"""A published population model: who people are before anything is measured, and how measurements scatter.

In NONMEM's words: THETA are the values of the model's parameters, OMEGA the covariance of the random effects, a second
OMEGA that between occasions of one person, SIGMA the measurement error of every observed output.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from rekindle.errors import InputError, unknown
from rekindle.models import Model

Array = NDArray[np.float64]
Distribution = Literal["lognormal", "normal", "logit"]
ErrorKind = Literal["additive", "proportional", "combined", "combined-sd"]
Method = Literal["M1", "M2", "M3", "M4"]


@dataclass(frozen=True)
class Effect:
    """A random effect on one free parameter of the model, about the value that the parameter has there.

    "lognormal": typical x exp(effect); "normal": typical + effect; "logit": the effect is added on the logit scale
    between `low` and `high`.
    """

    parameter: str
    distribution: Distribution = "lognormal"
    low: float = 0.0
    high: float = 1.0

    def __post_init__(self) -> None:
        """Refuse what is not a distribution.

        Raises:
            InputError: an unknown distribution, or bounds in the wrong order.
        """
        if self.distribution not in get_args(Distribution):
            raise unknown("distribution", self.distribution, get_args(Distribution), where=self.parameter)
        if not self.low < self.high:
            raise InputError(f"The bounds {self.low:g} and {self.high:g} are not in order.", where=self.parameter)

    def values(self, typical: float, effect: Array) -> Array:
        """The person's parameter, in the shape of `effect`.

        Raises:
            InputError: a typical value that the distribution cannot have.
        """
        if self.distribution == "normal":
            return np.asarray(typical + effect)
        if self.distribution == "lognormal":
            if not typical > 0.0:
                raise InputError(f"'{self.parameter}' is {typical:g}; a lognormal parameter is above 0.")
            return np.asarray(typical * np.exp(effect))
        if not self.low < typical < self.high:
            raise InputError(f"'{self.parameter}' is {typical:g}, not between {self.low:g} and {self.high:g}.")
        place = math.log((typical - self.low) / (self.high - typical))
        return np.asarray(self.low + (self.high - self.low) / (1.0 + np.exp(-(place + effect))))

    def slopes(self, values: Array) -> Array:
        """The derivative of the parameter to its effect, from the parameter's own values."""
        if self.distribution == "normal":
            return np.ones_like(values)
        if self.distribution == "lognormal":
            return values
        return np.asarray((values - self.low) * (self.high - values) / (self.high - self.low))


@dataclass(frozen=True)
class MeasurementError:
    """How an observed output scatters: standard deviations in the output's unit (additive) and as a share of it.

    "combined" adds variances, a^2 + (b f)^2; "combined-sd" adds standard deviations, a + b f. `limit` is the limit of
    quantification: a value below it counts as below.
    """

    output: str
    kind: ErrorKind
    additive: float = 0.0
    proportional: float = 0.0
    limit: float | None = None

    def __post_init__(self) -> None:
        """Refuse an error that is none.

        Raises:
            InputError: an unknown kind, or a standard deviation that is missing, negative or of no use.
        """
        if self.kind not in get_args(ErrorKind):
            raise unknown("kind of error", self.kind, get_args(ErrorKind), where=self.output)
        wanted = {
            "additive": (True, False), "proportional": (False, True), "combined": (True, True),
            "combined-sd": (True, True),
        }[self.kind]  # fmt: skip
        for name, value, used in zip(
            ("additive", "proportional"), (self.additive, self.proportional), wanted, strict=True
        ):
            if not math.isfinite(value) or value < 0.0 or (value > 0.0) != used:
                need = "above 0" if used else "0"
                raise InputError(
                    f"With a {self.kind} error the {name} part is {need}, not {value:g}.", where=self.output
                )

    def spread(self, predicted: Array) -> tuple[Array, Array]:
        """Standard deviation at each prediction, and its derivative to the prediction."""
        size = np.abs(predicted)
        if self.kind == "combined-sd":
            return self.additive + self.proportional * size, self.proportional * np.sign(predicted)
        spread = np.sqrt(self.additive**2 + (self.proportional * size) ** 2)
        safe = np.maximum(spread, 1e-300)
        return spread, np.asarray(self.proportional**2 * predicted / safe)


@dataclass(frozen=True)
class Population:
    """A model, its random effects with their covariance, and the error of its observed outputs.

    `omega` has shape (effects, effects) in the order of `effects`. `occasion_omega` is the covariance, between
    occasions of one person, of the effects that `occasion_effects` names (parameters); its effect adds to the
    person's own. `errors` are found by DVID; with one of them a table needs no DVID.
    """

    model: Model
    effects: tuple[Effect, ...]
    omega: Array
    errors: Mapping[str, MeasurementError]
    occasion_effects: tuple[str, ...] = ()
    occasion_omega: Array = field(default_factory=lambda: np.zeros((0, 0)))

    def __post_init__(self) -> None:
        """Refuse what does not fit together.

        Raises:
            InputError: a parameter or output that the model lacks, two effects on one parameter, a matrix that is no
                covariance.
        """
        network = self.model.network
        names = [effect.parameter for effect in self.effects]
        for name in names:
            if name not in network.parameters:
                raise unknown("parameter", name, network.parameters, where="effects")
        if len(set(names)) < len(names):
            raise InputError("Two effects are on one parameter.", where="effects")
        if not self.errors:
            raise InputError("No output is observed.", where="errors")
        network.require([error.output for error in self.errors.values()])
        for name in self.occasion_effects:
            if name not in names:
                raise unknown("effect", name, names, where="occasion_effects")
        _require_covariance(self.omega, len(names), "omega")
        _require_covariance(self.occasion_omega, len(self.occasion_effects), "occasion_omega")

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters with a random effect."""
        return tuple(effect.parameter for effect in self.effects)

    @property
    def outputs(self) -> tuple[str, ...]:
        """The observed outputs, each once."""
        return tuple(dict.fromkeys(error.output for error in self.errors.values()))

    def prior(self, occasions: int) -> Array:
        """Covariance of the person's effects followed by those of every occasion."""
        size, extra = len(self.effects), len(self.occasion_effects)
        whole = np.zeros((size + occasions * extra, size + occasions * extra))
        whole[:size, :size] = self.omega
        for number in range(occasions if extra else 0):
            at = slice(size + number * extra, size + (number + 1) * extra)
            whole[at, at] = self.occasion_omega
        return whole


def omega(names: Sequence[str], *blocks: Mapping[tuple[str, str] | str, float]) -> Array:
    """A covariance matrix from its entries by name: {"CL": 0.07, "V": 0.02, ("CL", "V"): 0.01}.

    Raises:
        InputError: an unknown name, an effect without a variance, one entry given twice.
    """
    matrix = np.zeros((len(names), len(names)))
    seen: set[tuple[int, int]] = set()
    for key, value in (entry for block in blocks for entry in block.items()):
        pair = (key, key) if isinstance(key, str) else key
        for name in pair:
            if name not in names:
                raise unknown("effect", name, names, where="omega")
        row, column = sorted(names.index(name) for name in pair)
        if (row, column) in seen:
            raise InputError(f"The entry {pair[0]}, {pair[1]} is given twice.", where="omega")
        seen.add((row, column))
        matrix[row, column] = matrix[column, row] = value
    for number, name in enumerate(names):
        if (number, number) not in seen:
            raise InputError(f"'{name}' has no variance.", where="omega")
    return matrix


def _require_covariance(matrix: Array, size: int, where: str) -> None:
    if matrix.shape != (size, size):
        raise InputError(f"The matrix has the shape {matrix.shape}; {size} effects need {(size, size)}.", where=where)
    if not np.isfinite(matrix).all() or not np.allclose(matrix, matrix.T, rtol=1e-12, atol=0.0):
        raise InputError("A covariance matrix is finite and symmetric.", where=where)
    if size and np.linalg.eigvalsh(matrix)[0] <= 0.0:
        raise InputError(
            "The matrix is not positive definite.", where=where, hint="Leave out effects that do not vary."
        )
