"""Individual estimation where the answer is known: linear models, quadrature, no data, very many data."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import quad

from rekindle.errors import InputError, UnsupportedError
from rekindle.inference.classic.draws import importance_draws, metropolis_draws
from rekindle.inference.classic.individual import Estimates, estimate
from rekindle.inference.classic.measured import Measurements, terms
from rekindle.inference.classic.population import Effect, ErrorKind, MeasurementError, Method, Population, omega
from rekindle.models import open_model

LINE = """
model line
  a = 2; b = 0.5; wave = 0
  clock = 0
  clock' = 1
  y := a + b*clock
end
"""
DECAY = """
model decay
  k = 0.2; v = 10; ALAG1 = 0.5
  central = 0
  conc := central/v
  central' = -k*central
end
"""


def model(folder: Path, text: str) -> Population:
    """The model, with no effects that matter yet."""
    (folder / "model.ant").write_text(text)
    first = {"line": "a", "decay": "k"}[text.split()[1]]
    output = {"line": "y", "decay": "conc"}[text.split()[1]]
    return Population(
        open_model(folder / "model.ant"),
        (Effect(first, "normal" if first == "a" else "lognormal"),),
        np.array([[0.25]]),
        {"1": MeasurementError(output, "additive", 0.4)},
    )


def with_effects(base: Population, *effects: Effect, matrix: list[list[float]], error: MeasurementError) -> Population:
    return Population(base.model, effects, np.array(matrix), {"1": error})


def table(folder: Path, text: str) -> Path:
    path = folder / "events.csv"
    path.write_text(text.replace(" ", "").replace("/", "\n") + "\n")
    return path


def line_data(values: dict[float, float]) -> str:
    return "ID,TIME,EVID,DV/1,0,2,./" + "/".join(f"1,{time},0,{value}" for time, value in values.items())


def linear(folder: Path, values: dict[float, float], spread: float = 0.4) -> Estimates:
    population = with_effects(
        model(folder, LINE),
        Effect("a", "normal"),
        Effect("b", "normal"),
        matrix=[[0.25, 0.06], [0.06, 0.09]],
        error=MeasurementError("y", "additive", spread),
    )
    return estimate(population, table(folder, line_data(values)), sampling="importance", draws=2000)


def test_a_linear_model_has_its_exact_posterior(tmp_path: Path) -> None:
    values = {1.0: 3.1, 2.0: 4.4, 4.0: 6.1}
    person = linear(tmp_path, values)["1"]
    design = np.array([[1.0, time] for time in values])
    away = np.array(list(values.values())) - design @ [2.0, 0.5]
    precision = np.linalg.inv([[0.25, 0.06], [0.06, 0.09]]) + design.T @ design / 0.16
    covariance = np.linalg.inv(precision)
    mean = covariance @ design.T @ away / 0.16
    assert person.effects == pytest.approx(mean, rel=1e-5)
    assert person.mode.observed == pytest.approx(covariance, rel=1e-4)
    assert person.mode.expected == pytest.approx(covariance, rel=1e-5)
    assert person.parameters["b"] == pytest.approx(0.5 + mean[1])
    assert person.draws is not None and person.draws.trusted
    assert person.draws.mean == pytest.approx(mean, abs=0.08 * math.sqrt(covariance[1, 1]))
    assert person.draws.covariance == pytest.approx(covariance, rel=0.15)
    other = metropolis_draws(person.posterior, person.mode, chains=30, steps=300, seed=3)
    assert other.rhat is not None and other.rhat < 1.05
    assert other.mean == pytest.approx(mean, abs=0.15 * math.sqrt(covariance[1, 1]))
    assert other.covariance == pytest.approx(covariance, rel=0.25)


def test_no_data_leave_the_prior_and_many_data_the_least_squares(tmp_path: Path) -> None:
    alone = linear(tmp_path, {1.0: 3.0}, spread=1e6)["1"]
    assert alone.effects == pytest.approx([0.0, 0.0], abs=1e-8)
    assert alone.mode.observed == pytest.approx(np.array([[0.25, 0.06], [0.06, 0.09]]), rel=1e-6)
    random = np.random.default_rng(5)
    times = np.round(np.linspace(0.01, 5.0, 400), 4)
    values = 3.4 - 0.6 * times + 0.02 * random.standard_normal(400)
    many = linear(tmp_path, dict(zip(times.tolist(), values.tolist(), strict=True)), spread=0.02)["1"]
    fitted = np.polyfit(times, values, 1)
    assert [many.parameters["b"], many.parameters["a"]] == pytest.approx(fitted, abs=1e-4)


def decay(folder: Path, events: str, error: MeasurementError, method: Method, **more: object) -> Estimates:
    population = with_effects(
        model(folder, DECAY), Effect("k"), Effect("v"), matrix=[[0.09, 0.02], [0.02, 0.04]], error=error
    )
    return estimate(population, table(folder, events), method=method, **more)  # type: ignore[arg-type]


SPARSE = "ID,TIME,AMT,DV,EVID,CMT/1,0,100,.,1,central/1,2,.,6.2,0,./1,8,.,1.6,0,./1,14,.,0.3,0,."


def exact_mean(method: Method, error: MeasurementError) -> list[float]:
    """The posterior mean by quadrature, written out by hand for this one person."""
    inverse = np.linalg.inv([[0.09, 0.02], [0.02, 0.04]])
    assert error.limit is not None

    def height(x: float, y: float) -> float:
        k, v = 0.2 * math.exp(x), 10.0 * math.exp(y)
        log = -0.5 * float(np.array([x, y]) @ inverse @ np.array([x, y]))
        for time, value in ((2.0, 6.2), (8.0, 1.6), (14.0, 0.3)):
            mean = 100.0 / v * math.exp(-k * (time - 0.5))
            spread = math.hypot(error.additive, error.proportional * mean)
            under, negative = (0.5 * math.erfc((mean - edge) / spread / math.sqrt(2.0)) for edge in (error.limit, 0.0))
            if value >= error.limit:
                log -= 0.5 * ((value - mean) / spread) ** 2 + math.log(spread)
                log -= math.log(1.0 - under) if method == "M2" else 0.0
                log -= math.log(1.0 - negative) if method == "M4" else 0.0
            elif method == "M3":
                log += math.log(under)
            elif method == "M4":
                log += math.log((under - negative) / (1.0 - negative))
        return math.exp(log)

    grid = np.linspace(-1.2, 1.2, 61), np.linspace(-0.9, 0.9, 61)
    heights = np.array([[height(x, y) for y in grid[1]] for x in grid[0]])
    whole = heights.sum()
    return [float((heights.sum(axis=1) @ grid[0]) / whole), float((heights.sum(axis=0) @ grid[1]) / whole)]


@pytest.mark.parametrize("method", ["M1", "M2", "M3", "M4"])
def test_values_below_the_limit_against_quadrature(tmp_path: Path, method: Method) -> None:
    error = MeasurementError("conc", "combined", 0.3, 0.15, limit=0.5)
    person = decay(tmp_path, SPARSE, error, method, sampling="importance", draws=3000)["1"]
    assert person.draws is not None and person.draws.trusted
    spread = np.sqrt(np.diag(person.mode.observed))
    assert person.draws.mean == pytest.approx(exact_mean(method, error), abs=0.07 * spread[0])
    if method == "M3":
        other = metropolis_draws(person.posterior, person.mode, chains=40, steps=300)
        assert other.trusted
        assert other.mean == pytest.approx(exact_mean(method, error), abs=0.07 * spread[0])
        assert other.covariance == pytest.approx(person.draws.covariance, rel=0.15)
    assert person.mode.gradient < 1e-3


def test_a_marked_value_is_one_below_its_limit(tmp_path: Path) -> None:
    error = MeasurementError("conc", "combined", 0.3, 0.15, limit=0.5)
    by_limit = decay(tmp_path, SPARSE, error, "M3")["1"].effects
    marked = "ID,TIME,AMT,DV,EVID,CMT,CENS/1,0,100,.,1,central,0/1,2,.,6.2,0,.,0/1,8,.,1.6,0,.,0/1,14,.,0.5,0,.,1"
    bare = MeasurementError("conc", "combined", 0.3, 0.15)
    assert decay(tmp_path, marked, bare, "M3")["1"].effects == pytest.approx(by_limit, abs=1e-9)


@pytest.mark.parametrize("kind", ["additive", "proportional", "combined", "combined-sd"])
@pytest.mark.parametrize("method", ["M1", "M2", "M3", "M4"])
def test_derivatives_of_the_likelihood_and_that_chances_add_up(kind: ErrorKind, method: Method) -> None:
    parts = {"additive": (0.7, 0.0), "proportional": (0.0, 0.4)}.get(kind, (0.7, 0.4))
    error = MeasurementError("y", kind, *parts)
    predicted = np.array([0.4, 1.3, 2.6])

    def at(value: float, below: bool, where: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        size = len(where)
        whole = Measurements(error, np.arange(size), 0, np.full(size, value), np.full(size, 1.0), np.full(size, below))
        return terms(whole, where, method)[:2]

    for value, below in ((2.0, False), (1.0, True)):
        up, down = at(value, below, predicted + 1e-6)[0], at(value, below, predicted - 1e-6)[0]
        assert at(value, below, predicted)[1] == pytest.approx((up - down) / 2e-6, rel=1e-5, abs=1e-6)
    if method == "M1":
        return
    start = 1.0 if method != "M1" else -40.0
    for mean in predicted:
        one = np.array([mean])
        above = quad(lambda y, one=one: math.exp(-at(y, False, one)[0][0]), start, 40.0, epsabs=1e-10)[0]
        under = 0.0 if method == "M2" else math.exp(-at(1.0, True, one)[0][0])
        assert above + under == pytest.approx(1.0, abs=1e-6)


def test_occasions_share_the_person_and_differ_by_the_matrix(tmp_path: Path) -> None:
    base = model(tmp_path, LINE)
    population = Population(
        base.model, (Effect("a", "normal"), Effect("b", "normal")), np.diag([0.25, 0.09]),
        {"1": MeasurementError("y", "additive", 0.4)}, ("a",), np.array([[0.16]]),
    )  # fmt: skip
    rows = [(1.0, 3.1, 1), (2.0, 3.9, 1), (4.0, 3.2, 1), (4.0, 3.4, 2), (6.0, 4.1, 2), (8.0, 8.0, 3)]
    text = "ID,TIME,EVID,DV,OCC/1,0,2,.,1/" + "/".join(f"1,{time},0,{value},{number}" for time, value, number in rows)
    person = estimate(population, table(tmp_path, text))["1"]
    design = np.array([[1.0, time, *(float(number == each) for each in (1, 2, 3))] for time, _, number in rows])
    away = np.array([value for _, value, _ in rows]) - 2.0 - 0.5 * design[:, 1]
    precision = np.diag(1.0 / np.array([0.25, 0.09, 0.16, 0.16, 0.16])) + design.T @ design / 0.16
    assert person.labels == ("a", "b", "a@1", "a@2", "a@3")
    assert person.effects == pytest.approx(np.linalg.solve(precision, design.T @ away / 0.16), abs=1e-4)
    assert person.by_occasion[3]["a"] == pytest.approx(2.0 + person.effects[0] + person.effects[4])


def test_an_effect_on_a_lag_moves_the_dose(tmp_path: Path) -> None:
    base = model(tmp_path, DECAY)
    population = with_effects(base, Effect("ALAG1"), matrix=[[0.25]], error=MeasurementError("conc", "additive", 0.05))
    value = 10.0 * math.exp(-0.2 * (2.0 - 0.7))
    events = f"ID,TIME,AMT,DV,EVID,CMT/1,0,100,.,1,1/1,2,.,{value:.12g},0,."
    person = estimate(population, table(tmp_path, events))["1"]
    slope = 0.2 * value * 0.7
    assert not person.posterior.subject.exact
    assert person.parameters["ALAG1"] == pytest.approx(0.7, abs=0.02)
    assert person.mode.expected[0, 0] == pytest.approx(1.0 / (4.0 + (slope / 0.05) ** 2), rel=0.05)


def test_a_steady_state_is_followed_by_differences(tmp_path: Path) -> None:
    base = model(tmp_path, DECAY)
    population = with_effects(
        base, Effect("k"), matrix=[[0.09]], error=MeasurementError("conc", "proportional", 0.0, 0.02)
    )
    rate = 0.17
    value = 10.0 * math.exp(-rate * 5.5) / (1.0 - math.exp(-rate * 12.0))
    events = f"ID,TIME,AMT,DV,EVID,CMT,SS,II/1,0,100,.,1,central,1,12/1,6,.,{value:.12g},0,.,0,0"
    person = estimate(population, table(tmp_path, events))["1"]
    assert not person.posterior.subject.exact
    assert person.parameters["k"] == pytest.approx(rate, rel=0.01)
    assert person.predicted()[0, 0] == pytest.approx(value, rel=0.02)


def test_a_likelier_person_met_by_the_draws_becomes_the_estimate(tmp_path: Path) -> None:
    two_hills = LINE.replace("y := a + b*clock", "y := (a - 2.1)^2*(1 + 0.1*(a - 2.1))")
    base = model(tmp_path, two_hills)
    population = with_effects(base, Effect("a", "normal"), matrix=[[4.0]], error=MeasurementError("y", "additive", 2.0))
    path = table(tmp_path, line_data({1.0: 6.0}))
    alone = estimate(population, path)["1"]
    drawn = estimate(population, path, sampling="importance", draws=4000)["1"]
    assert drawn.mode.objective < alone.mode.objective - 0.02
    grid = np.linspace(-6.0, 10.0, 200_001)
    mean = (grid - 2.1) ** 2 * (1 + 0.1 * (grid - 2.1))
    heights = ((6.0 - mean) / 2.0) ** 2 + ((grid - 2.0) / 2.0) ** 2
    assert drawn.parameters["a"] == pytest.approx(grid[np.argmin(heights)], abs=2e-3)


def test_a_parameter_between_bounds_and_shrinkage(tmp_path: Path) -> None:
    effect = Effect("k", "logit", 0.0, 2.0)
    around = effect.values(0.2, np.array([-30.0, 0.0, 30.0]))
    assert around == pytest.approx([0.0, 0.2, 2.0], abs=1e-9)
    step = (effect.values(0.2, np.array(0.3 + 1e-6)) - effect.values(0.2, np.array(0.3 - 1e-6))) / 2e-6
    assert effect.slopes(effect.values(0.2, np.array(0.3))) == pytest.approx(step, rel=1e-8)
    text = "ID,TIME,EVID,DV/" + "/".join(
        f"{person},1,0,{value}" for person, value in enumerate((2.1, 2.9, 3.4, 1.2, 2.6))
    )
    base = model(tmp_path, LINE)
    sure = with_effects(base, Effect("a", "normal"), matrix=[[0.25]], error=MeasurementError("y", "additive", 1e-3))
    unsure = with_effects(base, Effect("a", "normal"), matrix=[[0.25]], error=MeasurementError("y", "additive", 50.0))
    values = np.array([2.1, 2.9, 3.4, 1.2, 2.6])
    assert estimate(sure, table(tmp_path, text)).shrinkage["a"] == pytest.approx(1 - values.std(ddof=1) / 0.5, abs=1e-4)
    assert estimate(unsure, table(tmp_path, text)).shrinkage["a"] == pytest.approx(1.0, abs=1e-3)


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    base = model(tmp_path, DECAY)
    with pytest.raises(InputError, match="clearance"):
        with_effects(base, Effect("clearance"), matrix=[[1.0]], error=MeasurementError("conc", "additive", 1.0))
    with pytest.raises(InputError, match="positive definite"):
        with_effects(base, Effect("k"), matrix=[[0.0]], error=MeasurementError("conc", "additive", 1.0))
    with pytest.raises(InputError, match="proportional part is above 0"):
        MeasurementError("conc", "combined", 1.0)
    with pytest.raises(InputError, match="no variance"):
        omega(("k", "v"), {"k": 0.1})
    with pytest.raises(InputError, match="M5"):
        decay(tmp_path, SPARSE, MeasurementError("conc", "additive", 1.0), "M5")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="M2 needs the limit"):
        decay(tmp_path, SPARSE, MeasurementError("conc", "additive", 1.0), "M2")
    above = "ID,TIME,AMT,DV,EVID,CMT,CENS/1,0,100,.,1,central,0/1,2,.,6.2,0,.,-1"
    with pytest.raises(UnsupportedError, match="above a limit"):
        decay(tmp_path, above, MeasurementError("conc", "additive", 1.0), "M3")
    person = decay(tmp_path, SPARSE, MeasurementError("conc", "additive", 1.0), "M1")["1"]
    with pytest.raises(InputError, match="too few"):
        importance_draws(person.posterior, person.mode, count=10)
