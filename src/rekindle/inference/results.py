"""What a calibration writes down: the ensemble, prior beside posterior, every number predicted, the checks.

All tables are CSV; `ensemble.csv`, `ensemble_without.csv` and `ensemble.json` are what `rekindle.mechanism.ensemble`
reads when they lie in the package.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rekindle.inference.calibrate import Calibration
from rekindle.inference.checks import LeftOut
from rekindle.inference.targets import Target, trials_of
from rekindle.mechanism.ensemble import MISFIT

Array = NDArray[np.float64]

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
LINKED = 0.3
"""Pairs of parameters whose posterior correlation is beyond this (either way) are listed as trading off."""

DIGITS = 5

REFITTED = 80
"""Draws that stand for a posterior that was fitted again without a trial."""


def draws_table(found: Calibration) -> tuple[list[str], Array, dict[str, NDArray[np.int64]]]:
    """Names, draws (rows, names), and for each left-out trial the rows that stand for the posterior without it.

    A column is kept for each parameter that the trials moved, and for the sizes.
    Rows of pool 0 are draws from the whole posterior, evenly spread; weights of left-out trials choose among twice as
    many more of them (pool 1); refits have pools of their own.
    """
    names = ["pool", *found.moved, *size_columns(found)]
    places = found.places
    blocks = [_rows(found, 0, found.posterior.shares[places], found.posterior.sizes[places])]
    without: dict[str, NDArray[np.int64]] = {}
    filled = len(places)
    extra: dict[int, int] = {}
    pools: dict[int, NDArray[np.int64]] = {}
    for left in found.left_out:
        if left.posterior is None:
            for place in left.places.tolist():
                extra.setdefault(place, len(extra))
    if extra:
        order = np.array(list(extra), dtype=np.int64)
        blocks.append(_rows(found, 1, found.posterior.shares[order], found.posterior.sizes[order]))
    filled += len(extra)
    for left in found.left_out:
        if left.posterior is None:
            without[left.trial] = np.array([len(places) + extra[place] for place in left.places.tolist()])
            continue
        if id(left.posterior) not in pools:
            some = np.linspace(0, len(left.posterior.shares) - 1, REFITTED).astype(int)
            pool = 2 + len(pools)
            blocks.append(_rows(found, pool, left.posterior.shares[some], left.posterior.sizes[some]))
            pools[id(left.posterior)] = np.arange(filled, filled + len(some))
            filled += len(some)
        without[left.trial] = pools[id(left.posterior)]
    return names, np.concatenate(blocks), without


def size_columns(found: Calibration) -> list[str]:
    """Columns of the sizes: the trial layer's names of the trial effects, then the misses by kind."""
    likelihood = found.sampler.likelihood
    return [
        *(effect.setting for effect in found.prior.trial_effects),
        *(f"{MISFIT}{kind.replace(' ', '_')}" for kind in likelihood.kinds),
    ]


def _rows(found: Calibration, pool: int, shares: Array, sizes: Array) -> Array:
    values = found.prior.values(shares)
    columns = [np.full(len(shares), float(pool)), *(values[name] for name in found.moved), *sizes.T]
    return np.stack(columns, axis=1)


@dataclass(frozen=True)
class Predicted:
    """Predictive draws of every number on its natural scale, shape (draws, targets): with all trials, and each
    number without its own trial (`left_out`; as `fitted` where that was not asked for)."""

    targets: tuple[Target, ...]
    fitted: Array
    left_out: Array


def predicted(found: Calibration, *, count: int = 1000) -> Predicted:
    """What trials of the published sizes might have found, by the emulator, its error included."""
    posterior = found.posterior
    some = np.linspace(0, len(posterior.shares) - 1, count).astype(int)
    fitted = _drawn(found, posterior.shares[some], posterior.sizes[some], found.settings.seed)
    without = fitted.copy()
    places = trials_of(found.simulator.targets)
    for number, left in enumerate(found.left_out):
        if left.trial not in places:
            continue
        shares, sizes = _own_draws(found, left, count)
        drawn = _drawn(found, shares, sizes, found.settings.seed + 1 + number)
        without[:, places[left.trial]] = drawn[:, places[left.trial]]
    targets = found.simulator.targets
    return Predicted(tuple(targets), _natural(targets, fitted), _natural(targets, without))


def _own_draws(found: Calibration, left: LeftOut, count: int) -> tuple[Array, Array]:
    if left.posterior is not None:
        some = np.linspace(0, len(left.posterior.shares) - 1, count).astype(int)
        return left.posterior.shares[some], left.posterior.sizes[some]
    places = np.resize(left.places, count)
    return found.posterior.shares[places], found.posterior.sizes[places]


def _drawn(found: Calibration, shares: Array, sizes: Array, seed: int) -> Array:
    random = np.random.default_rng([seed, 13])
    likelihood = found.sampler.likelihood
    expected = found.emulator.predict(shares)
    facts = found.facts._replace(linear=np.asarray(found.facts.linear), quadratic=np.asarray(found.facts.quadratic))
    return np.array(
        [
            likelihood.drawn_numbers(mean, share, size, facts, random)
            for mean, share, size in zip(expected, shares, sizes, strict=True)
        ]
    )


def _natural(targets: Sequence[Target], drawn: Array) -> Array:
    return np.stack([target.natural(drawn[:, place]) for place, target in enumerate(targets)], axis=1)


def numbers_rows(found: Calibration, seen: Predicted) -> list[dict[str, Any]]:
    """One row a published number: printed, predicted with and without its trial, emulator's error."""
    rows = []
    emulator = found.emulator
    for place, target in enumerate(seen.targets):
        fitted = np.quantile(seen.fitted[:, place], QUANTILES)
        without = np.quantile(seen.left_out[:, place], QUANTILES)
        y = float(target.transformed(target.value))
        drawn = target.transformed(seen.left_out[:, place])
        rows.append(
            {
                "trial": target.trial,
                "number": target.key,
                "label": target.label,
                "kind": target.kind,
                "published": target.value,
                "fitted": fitted[2],
                "fitted_05": fitted[0],
                "fitted_95": fitted[4],
                **{
                    f"left_out{end}": value
                    for end, value in zip(("_05", "_25", "", "_75", "_95"), without, strict=True)
                },
                "z": (y - drawn.mean()) / drawn.std(),
                "inside_50": bool(without[1] <= target.value <= without[3]),
                "inside_90": bool(without[0] <= target.value <= without[4]),
                "emulator_error": emulator.error[place],
                "emulator_explained": emulator.explained[place],
            }
        )
    return rows


def parameter_rows(found: Calibration) -> list[dict[str, Any]]:
    """One row an estimated parameter: prior and posterior median with 90 % interval, and how much the data taught."""
    rng = np.random.default_rng([found.settings.seed, 17])
    prior_shares = found.prior.shares(rng.standard_normal((4000, len(found.prior.parameters))))
    before, after = found.prior.values(prior_shares), found.prior.values(found.posterior.shares)
    rows = []
    for place, parameter in enumerate(found.prior.parameters):
        old = np.quantile(before[parameter.name], (0.05, 0.5, 0.95))
        new = np.quantile(after[parameter.name], (0.05, 0.5, 0.95))
        rows.append(
            {
                "parameter": parameter.name,
                "table": parameter.value,
                "grade": parameter.grade,
                **dict(zip(("prior_05", "prior", "prior_95"), old, strict=True)),
                **dict(zip(("posterior_05", "posterior", "posterior_95"), new, strict=True)),
                "sd_ratio": found.contraction[place],
                "shift": float(found.posterior.flat[:, place].mean()),
                "informed": parameter.name in found.informed,
                "rhat": found.posterior.rhat[place],
                "effective": found.posterior.effective[place],
                "meaning": parameter.meaning,
            }
        )
    return [*rows, *_size_rows(found)]


def _size_rows(found: Calibration) -> list[dict[str, Any]]:
    width = len(found.prior.parameters)
    rows = []
    for place, name in enumerate(size_columns(found)):
        median, spread = found.sampler.likelihood.size_priors[place]
        ends = np.array([-1.6448536, 0.0, 1.6448536])
        old = median * np.exp(spread * ends)
        own = found.posterior.flat[:, width + place]
        new = np.exp(np.quantile(own, (0.05, 0.5, 0.95)))
        rows.append(
            {
                "parameter": name,
                "table": median,
                "grade": "assumed",
                **dict(zip(("prior_05", "prior", "prior_95"), old, strict=True)),
                **dict(zip(("posterior_05", "posterior", "posterior_95"), new, strict=True)),
                "sd_ratio": own.std() / spread,
                "shift": (own.mean() - np.log(median)) / spread,
                "informed": bool(own.std() < 0.9 * spread),
                "rhat": found.posterior.rhat[width + place],
                "effective": found.posterior.effective[width + place],
                "meaning": found.sampler.likelihood.size_names[place],
            }
        )
    return rows


def pair_rows(found: Calibration) -> list[dict[str, Any]]:
    """Pairs of estimated parameters that trade off: posterior correlation of their scores, largest first."""
    names = found.prior.names
    together = np.atleast_2d(np.corrcoef(found.posterior.flat[:, : len(names)], rowvar=False))
    first, second = np.nonzero(np.triu(np.abs(together) > LINKED, k=1))
    pairs = [
        {"first": names[i], "second": names[j], "correlation": float(together[i, j])}
        for i, j in zip(first.tolist(), second.tolist(), strict=True)
    ]
    return sorted(pairs, key=lambda row: -abs(float(str(row["correlation"]))))


def trial_rows(found: Calibration) -> list[dict[str, Any]]:
    """One row a left-out trial or group: Pareto k, whether it was fitted again, log predictive density."""
    return [
        {
            "trial": left.trial,
            "pareto_k": left.k if np.isfinite(left.k) else "",
            "fitted_again": left.posterior is not None,
            "log_density": left.log_density if np.isfinite(left.log_density) else "",
        }
        for left in found.left_out
    ]


def rank_rows(found: Calibration) -> list[dict[str, Any]]:
    """One row a parameter: ranks of the true values in 20 bins and their chi-square test; none without the check."""
    if found.ranks is None:
        return []
    edges = np.linspace(0, 100, 21)
    return [
        {
            "parameter": name,
            "informed": name in found.ranks.informed,
            "p": found.ranks.p[place],
            "holm": found.ranks.holm[place] if np.isfinite(found.ranks.holm[place]) else "",
            "bins": " ".join(str(count) for count in np.histogram(found.ranks.ranks[:, place], bins=edges)[0]),
        }
        for place, name in enumerate(found.ranks.names)
    ]


def summary(found: Calibration, seen: Predicted) -> dict[str, Any]:
    """The calibration in numbers, ready for JSON."""
    rows = numbers_rows(found, seen)
    posterior = found.posterior
    emulator = found.emulator
    changes = [row for row in rows if row["kind"] == "points"]
    shares = [row for row in rows if row["kind"] == "share"]
    return {
        "trials": len(found.sampler.likelihood.trials),
        "numbers": len(rows),
        "parameters": len(found.prior.parameters),
        "informed": list(found.informed),
        "rows": len(found.bank),
        "seconds_simulating": found.bank.seconds,
        "chains": found.settings.sampler.chains,
        "draws": len(posterior.shares),
        "largest_rhat": float(np.nanmax(posterior.rhat)),
        "least_effective": float(np.nanmin(posterior.effective)),
        "divergent": posterior.divergent,
        "emulator_explained": float(np.median(emulator.explained)),
        "emulator_error_over_spread": float(
            np.median(
                emulator.error / np.sqrt(np.maximum(np.diag(found.sampler.likelihood.sampling(found.luck)), 1e-12))
            )
        ),
        "early_weight": found.early_weight,
        "importance_k": _finite(found.check.k) if found.check else None,
        "importance_effective": found.check.effective if found.check else None,
        "emulator_z_sd": float(found.check.z.std()) if found.check else None,
        "refits": sum(left.posterior is not None for left in found.left_out),
        "coverage50": float(np.mean([row["inside_50"] for row in rows])),
        "coverage90": float(np.mean([row["inside_90"] for row in rows])),
        "mae_points": _mean_error(changes),
        "mae_percentage_points": 100.0 * _mean_error(shares),
        "log_density": float(np.nansum([left.log_density for left in found.left_out])),
        "ranks_uniform": found.ranks.uniform if found.ranks else None,
        "smallest_holm": float(np.nanmin(found.ranks.holm)) if found.ranks and found.informed else None,
        "checked_sets": len(found.ranks.ranks) if found.ranks else 0,
    }


def _mean_error(rows: Sequence[Mapping[str, Any]]) -> float:
    return float(np.mean([abs(row["left_out"] - row["published"]) for row in rows])) if rows else 0.0


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def csv_text(rows: Sequence[Mapping[str, Any]], *, names: Sequence[str] | None = None) -> str:
    """Rows as CSV text; numbers with six significant digits."""
    fields = list(names or (rows[0] if rows else ()))
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(fields)
    writer.writerows([_cell(row.get(name, "")) for name in fields] for row in rows)
    return stream.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    return f"{float(value):.{DIGITS}g}" if isinstance(value, float | np.floating) else value


def ensemble_texts(found: Calibration) -> tuple[str, str]:
    """`ensemble.csv` and `ensemble_without.csv` as text."""
    names, table, without = draws_table(found)
    rows = [dict(zip(names, row, strict=True)) for row in table.tolist()]
    left = [{"trial": trial, "draws": " ".join(map(str, places.tolist()))} for trial, places in without.items()]
    return csv_text(rows, names=names), csv_text(left, names=("trial", "draws"))
