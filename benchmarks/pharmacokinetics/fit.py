"""Estimate a few pharmacokinetic parameters again, against the observed exposures of `inclusion.csv`.

Penalised least squares on log ratios. Each study-drug-analyte-route weighs one over its expected spread squared
(20 % where the sampling site is stated: what studies of one dose differ by); a digitised curve enters point by
point but weighs one in all. Each parameter is pulled to its published value with the spread given in `FREE`, so
what the data do not ask for stays put. Prints the estimates with standard errors, and each study predicted by a
fit that did not see it.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from predict import HERE, inclusion, predictions

from rekindle.mechanism.parameters import parameter_table

Array = NDArray[np.float64]

#: Free parameters: published value, spread of the pull on the scale of the logarithm (or log-odds for shares).
FREE: dict[str, tuple[float, float, str]] = {
    "central_volume": (133.0, 0.2, "log"),
    "norketamine_volume_ratio_R": (1.0, 0.2, "log"),
    "nasal_fraction": (0.54, 0.35, "logit"),
    "atomiser_fraction": (0.24, 0.7, "logit"),
    "atomiser_swallowed": (0.5, 1.0, "logit"),
    "gut_norketamine_share": (0.5, 1.5, "logit"),
    "hydroxynorketamine_clearance": (55.98, 0.3, "log"),
}

#: What bears on the fate of drug lost at the gut wall, each as the ratio of norketamine formed from a swallowed
#: dose with and without a change of the wall's enzymes (the wall's escape with the change, which the ketamine
#: areas give: `modifiers.csv`): grapefruit juice (ketamine x 3.0 and the area ratio down 57 %), St John's wort.
GUT_WALL = {"pk-ddi-grapefruit-ratio": (0.973, 3.0 * (1 - 0.57)), "pk-ddi-sjw-nk-auc": (0.355, 1 - 0.18)}
#: And ketamine and norketamine together after a drink over those after an injection (pk-obs-po25-fcomb-chong2006).
COMBINED = 0.59
#: Spread of the logarithm that is expected of a group: wider where three to ten people were sampled at a site
#: that is not stated.
SPREAD = {"counted": 0.2, "model-based": 0.1, "hydroxynorketamine": 0.3, "site not stated": 0.5}
FLOOR = 0.05  # of a digitised curve's peak: what its points near zero are good for
STEP = 0.02  # of the logarithm or log-odds, for slopes
LEFT_OUT = ("pk-obs-iv10mg-nk-auc-singh2022", "pk-obs-iv10mg-k-cmax-singh2022")


def used(row: Mapping[str, str]) -> bool:
    """Whether a row informs the fit.

    All counted rows and those without a stated site; the nasal device through the printed Table 4 for
    Caucasians of 18 to 60 years (norketamine's printed area contradicts the model it comes from, so only its
    peak); hydroxynorketamine without the faint digitised panel and without the tablet. Left out are a garbled
    cell of `singh22` and its peak two minutes after a bolus, before blood has mixed, which the model does not
    describe.
    """
    record = row["record"]
    if row["table"] == "model-based":
        return "18-60y-caucasian" in record and not record.endswith("-nk-auc")
    if row["table"] == "hydroxynorketamine":
        return "-po-" not in record and "kamp" not in record
    return row["table"] in ("counted", "site not stated") and record not in LEFT_OUT


def points(rows: Sequence[Mapping[str, str]]) -> tuple[list[dict[str, str]], Array]:
    """The rows with digitised curves opened into their points, and each one's share of its group's weight."""
    from inclusion import EVIDENCE, in_nanograms

    with EVIDENCE.open(encoding="utf-8", newline="") as stream:
        evidence = list(csv.DictReader(stream))
    opened: list[dict[str, str]] = []
    shares: list[float] = []
    sizes: dict[str, int] = {}
    for row in rows:
        sizes[row["group"]] = sizes.get(row["group"], 0) + 1
    for row in rows:
        share = 1.0 / sizes[row["group"]]
        if row["metric"] != "AUC of a digitised curve":
            opened.append(dict(row))
            shares.append(share)
            continue
        stem = row["record"].rsplit("-", 1)[0]
        curve = [entry for entry in evidence if entry["id"].rsplit("-", 1)[0] == stem]
        peak = max(in_nanograms(entry)[0] for entry in curve)
        for entry in curve:
            level = f"{in_nanograms(entry)[0]!r}"
            time = entry["time"].removesuffix(" h")
            point = {"metric": "point", "observed": level, "point_h": time, "curve_peak": f"{peak!r}"}
            opened.append(dict(row) | point)
            shares.append(share / len(curve))
    return opened, np.array(shares)


def to_free(name: str, value: float) -> float:
    """A parameter on the scale on which it is estimated."""
    return float(np.log(value / (1 - value)) if FREE[name][2] == "logit" else np.log(value))


def from_free(name: str, value: float) -> float:
    """Back from the scale of estimation."""
    return float(1 / (1 + np.exp(-value)) if FREE[name][2] == "logit" else np.exp(value))


def fit(rows: Sequence[Mapping[str, str]]) -> tuple[dict[str, float], dict[str, float]]:
    """Estimates, and their standard errors on the scale of estimation."""
    from scipy.optimize import least_squares

    opened, shares = points(rows)
    observed = np.array([float(row["observed"]) for row in opened])
    spreads = np.array([SPREAD[row["table"]] for row in opened])
    floors = FLOOR * np.array([float(row.get("curve_peak", 0)) for row in opened])
    names = list(FREE)
    centre = np.array([to_free(name, FREE[name][0]) for name in names])
    pull = np.array([FREE[name][1] for name in names])

    def residuals(free: Array) -> Array:
        values = {name: from_free(name, value) for name, value in zip(names, free, strict=True)}
        missed = np.log((np.array(predictions(opened, values)) + floors) / (observed + floors))
        return np.concatenate([np.sqrt(shares) * missed / spreads, wall(values), (free - centre) / pull])

    def slopes(free: Array) -> Array:
        ahead = np.eye(len(free)) * STEP
        return np.stack([(residuals(free + h) - residuals(free - h)) / (2 * STEP) for h in ahead], axis=1)

    found = least_squares(residuals, centre, jac=slopes, xtol=1e-3, ftol=1e-3, max_nfev=8)
    errors = np.sqrt(np.diag(np.linalg.inv(found.jac.T @ found.jac)))
    estimates = {name: from_free(name, value) for name, value in zip(names, found.x, strict=True)}
    return estimates, dict(zip(names, errors.tolist(), strict=True))


def wall(values: Mapping[str, float]) -> list[float]:
    """Residuals of the three numbers that bear on the gut wall, each with a spread of 20 %."""
    table = {name: row.value for name, row in parameter_table().items()} | dict(values)
    share, escape = table["gut_norketamine_share"], table["gut_escape"]
    formed = escape + share * (1 - escape)
    residuals = [
        np.log((changed + share * (1 - changed)) / formed / observed) / 0.2
        for changed, observed in GUT_WALL.values()
    ]
    unchanged = escape * table["liver_flow"] / (table["liver_flow"] + table["liver_intrinsic_S"])
    parent, metabolite = 1 / table["clearance"], 1 / table["norketamine_clearance"]
    combined = (unchanged * parent + formed * metabolite) / (parent + metabolite)
    return [*residuals, np.log(combined / COMBINED) / 0.2]


def agreement(rows: Sequence[Mapping[str, str]], values: Mapping[str, float]) -> tuple[float, float]:
    """Shares of the weight within 0.8-1.25 and within 0.5-2 of observed."""
    groups: dict[str, list[float]] = {}
    for row, predicted in zip(rows, predictions(rows, values), strict=True):
        groups.setdefault(row["group"], []).append(predicted / float(row["observed"]))
    near = [np.mean([0.8 <= ratio <= 1.25 for ratio in ratios]) for ratios in groups.values()]
    far = [np.mean([0.5 <= ratio <= 2.0 for ratio in ratios]) for ratios in groups.values()]
    return float(np.mean(near)), float(np.mean(far))


def main() -> None:
    """Print the fit and the counted rows as predicted without their study; write both to `fit.csv`."""
    rows = [row for row in inclusion() if used(row)]
    counted = [row for row in rows if row["table"] == "counted"]
    published = {name: value for name, (value, _, _) in FREE.items()}
    print("published: {:.0%} within 0.8-1.25, {:.0%} within 0.5-2".format(*agreement(counted, published)))
    estimates, errors = fit(rows)
    for name, value in estimates.items():
        print(
            f"{name}: {value:.4g} (published {FREE[name][0]:g}; standard error {errors[name]:.3g})",
            flush=True,
        )
    print("estimated: {:.0%} within 0.8-1.25, {:.0%} within 0.5-2".format(*agreement(counted, estimates)))
    fits, unseen = {"all": estimates}, {}
    for study in sorted({row["study"] for row in counted}):
        fits[study], _ = fit([row for row in rows if row["study"] != study])
        own = [row for row in counted if row["study"] == study]
        for row, predicted in zip(own, predictions(own, fits[study]), strict=True):
            unseen[row["record"]] = predicted
    with (HERE / "fit.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["parameter", "scale", "published", "estimate", "standard_error", *list(fits)[1:]])
        for name, (value, _, scale) in FREE.items():
            found = [f"{values[name]:.4g}" for values in fits.values()]
            writer.writerow([name, scale, f"{value:g}", found[0], f"{errors[name]:.3g}", *found[1:]])
    with (HERE / "unseen.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(["record", "predicted"])
        writer.writerows([record, f"{value:.6g}"] for record, value in unseen.items())


if __name__ == "__main__":
    main()
