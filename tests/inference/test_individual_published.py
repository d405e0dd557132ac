"""Individual estimates that others have published, from the population parameters of the same tables.

Theophylline: the twelve people of R. A. Upton's study (Boeckmann, Sheiner and Beal, NONMEM Users Guide part V, 1994).
Etas and their covariances as NONMEM printed them, kept in the tests of Pumas.jl (test/nlme/theophylline.jl: run3 FOCE,
run4 FOCE with interaction, run5 and run6 Laplace). Warfarin: person 100 of O'Reilly and Aggeler (1968, Circulation
38:169) as nlmixr estimates him, kept in the tests of posologyr (tests/testthat/test_multi_outputs.R).
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from rekindle.inference.classic.individual import estimate
from rekindle.inference.classic.population import Effect, MeasurementError, Population, omega
from rekindle.models import open_model

DATA = Path(__file__).with_name("data")
THEOPHYLLINE = """
model theophylline
  SLOPE = 0.04; K = 0.08; KA_WOMEN = 1; KA_MEN = 1; WT = 70; SEX = 0; ETA_KA = 0; ETA_CL = 0
  depot = 0; central = 0
  KA := KA_WOMEN*(1 - SEX) + KA_MEN*SEX + ETA_KA
  CL := SLOPE*WT + ETA_CL
  conc := central*K*WT/CL
  depot' = -KA*depot
  central' = KA*depot - K*central
end
"""
WARFARIN = """
model warfarin
  ktr = 1; ka = 1; cl = 0.1; v = 8; emax = 0.9; ec50 = 1; kout = 0.05; e0 = 97
  depot = 0; gut = 0; center = 0; effect = e0
  cp := center/v
  pca := effect
  depot' = -ktr*depot
  gut' = ktr*depot - ka*gut
  center' = ka*gut - cl/v*center
  effect' = e0*kout*(1 - emax*cp/(ec50 + cp)) - kout*effect
end
"""
# KA 0, K, slope, KA 1 ; variances of KA and CL ; variance of the additive and of the proportional error.
RUNS = {
    "run3": ((1.67977, 8.49011e-2, 3.93898e-2, 2.10668), (1.62087, 2.26449e-1), (5.14069e-1, 0.0)),
    "run4": ((1.58896, 8.52144e-2, 3.97132e-2, 2.03889), (1.49637, 2.62862e-1), (2.09834e-1, 1.13479e-2)),
    "run5 start": ((2.77, 0.0781, 0.0363, 1.5), (5.55, 0.515), (0.388, 0.0)),
    "run5": ((1.68975, 8.54637e-2, 3.95757e-2, 2.11952), (1.596, 2.27638e-1), (5.14457e-1, 0.0)),
    "run6": ((1.60941, 8.55663e-2, 3.97472e-2, 2.05830), (1.48117, 2.67215e-1), (1.88050e-1, 1.25319e-2)),
}
ETAS = {
    "run3": [
        [-2.66223e-1, -9.45749e-1], [4.53194e-1, 3.03170e-2], [6.31423e-1, 7.48592e-2], [-4.72536e-1, -1.80373e-1],
        [-1.75904e-1, 1.64858e-1], [-4.31006e-1, 4.74851e-1], [-1.33960, 4.29688e-1], [-6.61193e-1, 3.15429e-1],
        [2.83927, -6.59448e-1], [-1.46862, -2.44162e-1], [1.47205, 6.97115e-1], [-1.12971, -1.24210e-1],
    ],
    "run4": [
        [-3.85812e-1, -1.06806], [5.27060e-1, 5.92269e-2], [6.72391e-1, 6.98525e-2], [-4.69064e-1, -1.90285e-1],
        [-2.15212e-1, 1.46830e-1], [-4.06899e-1, 5.11601e-1], [-1.30578, 4.62948e-1], [-5.67728e-1, 3.40907e-1],
        [2.62534, -6.75318e-1], [-1.39161, -2.55351e-1], [1.46302, 7.37263e-1], [-1.12603, -8.76924e-2],
    ],
    "run5 start": [
        [-1.29964, -8.32445e-1], [-5.02283e-1, 1.04703e-1], [-2.43001e-1, 1.51238e-1], [-1.51174, -1.02357e-1],
        [-1.19255, 2.15326e-1], [-1.43398, 5.89950e-1], [-6.90249e-1, 5.11417e-1], [1.15977e-2, 3.87675e-1],
        [4.83842, -5.54201e-1], [-8.29081e-1, -1.63510e-1], [2.63035, 7.77899e-1], [-4.82787e-1, -5.32906e-2],
    ],
    "run5": [
        [-2.81817e-1, -9.51075e-1], [4.36123e-1, 2.95020e-2], [6.11776e-1, 7.42657e-2], [-4.86815e-1, -1.82637e-1],
        [-1.91050e-1, 1.64544e-1], [-4.45223e-1, 4.75049e-1], [-1.35543, 4.29076e-1], [-6.79064e-1, 3.15307e-1],
        [2.80934, -6.62060e-1], [-1.48446, -2.47635e-1], [1.44666, 6.99712e-1], [-1.14629, -1.26537e-1],
    ],
    "run6": [
        [-4.28671e-1, -1.07834], [5.07444e-1, 6.93096e-2], [6.43525e-1, 7.59602e-2], [-4.98953e-1, -1.84868e-1],
        [-2.46292e-1, 1.51559e-1], [-4.38459e-1, 5.21590e-1], [-1.33160, 4.71199e-1], [-5.83976e-1, 3.49324e-1],
        [2.57215, -6.69523e-1], [-1.41344, -2.53978e-1], [1.43116, 7.48520e-1], [-1.15300, -7.93525e-2],
    ],
}  # fmt: skip
# Variance of KA, covariance, variance of CL.
LAPLACE_RUN6 = [
    [2.50922e-2, 8.73478e-3, 1.09246e-2], [1.05367e-1, 2.07642e-2, 2.00787e-2], [1.32364e-1, 2.21959e-2, 1.90778e-2],
    [2.27392e-2, 1.05318e-2, 1.84061e-2], [3.29183e-2, 1.03562e-2, 1.25563e-2], [3.37488e-2, 1.74040e-2, 3.91317e-2],
    [1.04365e-2, 8.73379e-3, 2.72465e-2], [5.56885e-2, 1.72519e-2, 2.57910e-2], [4.58448e-1, 2.47681e-2, 1.58825e-2],
    [6.12637e-3, 4.60375e-3, 1.11188e-2], [3.11433e-1, 3.31735e-2, 2.47868e-2], [1.23976e-2, 6.46725e-3, 1.29075e-2],
]  # fmt: skip
FOCE_RUN3 = [
    [2.96349e-2, 6.43970e-3, 5.95626e-3], [1.13840e-1, 1.97067e-2, 1.53632e-2], [1.37480e-1, 2.07479e-2, 1.42631e-2],
    [2.91965e-2, 9.78836e-3, 1.35007e-2], [3.48071e-2, 7.73824e-3, 7.30707e-3], [5.87655e-2, 2.22284e-2, 3.92463e-2],
    [1.58693e-2, 9.82976e-3, 2.39503e-2], [5.74869e-2, 1.64986e-2, 2.20832e-2], [8.51151e-1, 3.17941e-2, 1.25183e-2],
    [4.95454e-3, 3.20247e-3, 6.51142e-3], [4.08289e-1, 3.73648e-2, 2.03508e-2], [1.46012e-2, 5.21247e-3, 7.67609e-3],
]  # fmt: skip


def theophylline(folder: Path, run: str) -> Population:
    (women, rate, slope, men), (absorption, clearance), (additive, proportional) = RUNS[run]
    (folder / "theophylline.ant").write_text(THEOPHYLLINE)
    (folder / "table.csv").write_text(f"name,value\nKA_WOMEN,{women}\nK,{rate}\nSLOPE,{slope}\nKA_MEN,{men}\n")
    names = ("ETA_KA", "ETA_CL")
    error = MeasurementError(
        "conc", "combined" if proportional else "additive", math.sqrt(additive), math.sqrt(proportional)
    )
    return Population(
        open_model(folder / "theophylline.ant", folder / "table.csv"),
        tuple(Effect(name, "normal") for name in names),
        omega(names, {"ETA_KA": absorption, "ETA_CL": clearance}),
        {"1": error},
    )


def entries(matrices: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    return np.array([[each[0, 0], each[0, 1], each[1, 1]] for each in matrices])


@pytest.mark.parametrize("run", sorted(RUNS))
def test_theophylline_as_nonmem_estimates_it(tmp_path: Path, run: str) -> None:
    found = estimate(theophylline(tmp_path, run), DATA / "theophylline.csv")
    published = np.array(ETAS[run])
    assert found.effects == pytest.approx(published, rel=1e-3, abs=2e-4)
    (women, _, slope, men), _, _ = RUNS[run]
    weights = np.array([79.6, 72.4, 70.5, 72.7, 54.6, 80.0, 64.6, 70.5, 86.4, 58.2, 65.0, 60.5])
    typical = np.stack([np.repeat([women, men], 6), slope * weights], axis=1)
    assert typical + found.effects == pytest.approx(typical + published, rel=2e-4)
    if run == "run6":
        ours = entries([each.mode.observed for each in found.people])
        assert ours == pytest.approx(np.array(LAPLACE_RUN6), rel=3e-4)
    if run == "run3":
        ours = entries([each.mode.expected for each in found.people])
        assert ours == pytest.approx(np.array(FOCE_RUN3), rel=3e-4)


def test_warfarin_as_nlmixr_estimates_it(tmp_path: Path) -> None:
    values = {
        "ktr": math.exp(0.106), "ka": math.exp(-0.087), "cl": math.exp(-2.03), "v": math.exp(2.07),
        "emax": 1.0 / (1.0 + math.exp(-3.4)), "ec50": math.exp(0.00724), "kout": math.exp(-2.9), "e0": math.exp(4.57),
    }  # fmt: skip
    (tmp_path / "warfarin.ant").write_text(WARFARIN)
    (tmp_path / "table.csv").write_text("name,value\n" + "".join(f"{key},{each}\n" for key, each in values.items()))
    variances = {"ktr": 1.024695, "ka": 0.9518403, "cl": 0.5300943, "emax": 0.7134424, "ec50": 0.7204165}
    population = Population(
        open_model(tmp_path / "warfarin.ant", tmp_path / "table.csv"),
        tuple(Effect(name, "logit" if name == "emax" else "lognormal") for name in variances),
        omega(tuple(variances), variances),
        {"1": MeasurementError("cp", "combined", 0.144, 0.15), "2": MeasurementError("pca", "additive", 3.91)},
    )
    person = estimate(population, DATA / "warfarin.csv")["100"]
    published = {"ktr": 0.6392321, "ka": 0.5294417, "cl": 0.2852736, "emax": 0.9304377, "ec50": 0.7909184}
    assert dict(person.parameters) == pytest.approx(published, rel=1e-3)
    assert person.mode.gradient < 1e-3
