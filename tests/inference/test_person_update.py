"""What one person's data teach: weights, drift and likelihood against closed forms, simulation and brute force."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest
from scipy.special import ndtr
from scipy.stats import kstest, norm

from rekindle.dosing import parse
from rekindle.errors import InputError
from rekindle.inference.drift import Wander, log_density
from rekindle.inference.forecast import LEVELS, forecast
from rekindle.inference.importance import effective_size, pareto_fit, pareto_smoothed, systematic
from rekindle.inference.oddness import chance_of, forecast_scores, measured_scores
from rekindle.inference.paths import conditional
from rekindle.inference.proposal import Seen, proposal_near
from rekindle.inference.ratings import Expected, rating_moments
from rekindle.inference.sets import shared_sets
from rekindle.inference.update import OK, TOO_LITTLE, UNLIKE, update
from rekindle.outcomes import observe, scale
from rekindle.person.record import Given, Level, Person, Planned, Rated, Vital

DAY = 24.0
NOW = 16 * DAY


def person(*ratings: Rated, **changes: object) -> Person:
    given = tuple(Given(day * DAY + 10.0, "40 mg IV over 40 min") for day in (1, 4, 8, 11))
    known = {"weight_kg": 80.0, "age_years": 45.0, "sex": "female"}
    base = Person(date(2026, 1, 5), "treatment-resistant-depression", NOW, known, {}, given, ratings)
    return replace(base, **changes)


START = Rated(0.0, "MADRS", 34.0)
BETTER = (START, Rated(5 * DAY, "MADRS", 20.0), Rated(9 * DAY, "PHQ-9", 8.0), Rated(15 * DAY, "MADRS", 11.0))
WORSE = (START, Rated(5 * DAY, "MADRS", 33.0), Rated(9 * DAY, "PHQ-9", 18.0), Rated(15 * DAY, "MADRS", 35.0))


@pytest.fixture(scope="module")
def better():
    return update(person(*BETTER), candidates=1_200)


def test_smoothed_weights_know_the_tail_they_came_from() -> None:
    luck = np.random.default_rng(1)
    for shape in (0.2, 0.5):
        values = np.sort(luck.pareto(1.0 / shape, 20_000))
        tail = values[-400:] - values[-401]
        assert pareto_fit(tail)[0] == pytest.approx(shape, abs=0.12)
    weights, k = pareto_smoothed(luck.pareto(1.0 / 1.5, 4_000) * 0.0)
    assert k == 0.0 and effective_size(weights) == pytest.approx(4_000)
    assert pareto_smoothed(np.log(luck.pareto(1.0 / 1.5, 4_000)))[1] > 1.0


@pytest.mark.parametrize("spread", [30.0, 1_000.0])
def test_weights_that_underflow_get_no_weight_from_smoothing(spread: float) -> None:
    logs = spread * np.random.default_rng(2).standard_normal(10_000)
    plain = np.exp(logs - logs.max())
    weights, k = pareto_smoothed(logs)
    assert k == np.inf
    np.testing.assert_allclose(weights, plain / plain.sum())
    assert effective_size(weights) < 5.0


def test_a_tail_is_fitted_to_what_has_weight_alone() -> None:
    """Nine in ten draws without weight leave the shape of the others as it was."""
    logs = np.log1p(np.random.default_rng(3).pareto(4.0, 4_000))
    nothing = np.full(36_000, -5_000.0)
    weights, k = pareto_smoothed(np.concatenate([logs, nothing]))
    assert 0.0 < k < 0.6
    assert weights[4_000:].sum() == 0.0


def test_rows_are_drawn_as_often_as_their_weights_say() -> None:
    weights = np.array([0.1, 0.6, 0.3])
    assert np.bincount(systematic(weights, 1_000, 0.37)).tolist() == [100, 600, 300]


@pytest.mark.parametrize("name", ["MADRS", "PHQ-9", "HAM-D17"])
@pytest.mark.parametrize("severity", [0.03, 0.3, 0.8])
def test_a_rating_s_mean_and_variance_are_those_of_the_rater(name: str, severity: float) -> None:
    found = scale(name)
    latents = {latent: np.full((20_000, 1), severity) for latent in found.latents}
    seen = observe(found, latents, seed=3).total[:, 0]
    mean, variance, _ = rating_moments(found, {key: values[:1] for key, values in latents.items()})
    assert mean[0] == pytest.approx(seen.mean(), abs=5 * seen.std() / np.sqrt(20_000))
    assert np.sqrt(variance[0]) == pytest.approx(seen.std(), rel=0.12)


def expected(
    mean: list[float], times: list[float], scales: list[str], variance: float, slope: float = 60.0
) -> Expected:
    size = (1, len(mean))
    return Expected(np.array([mean]), np.full(size, variance), np.full(size, slope), tuple(scales), np.array(times))


def test_drift_given_one_rating_is_the_closed_form() -> None:
    wander = Wander(sd=0.05, time_h=240.0, bent=0.0)
    past = expected([20.0], [0.0], ["MADRS"], 6.25)
    coming = expected([18.0], [120.0], ["MADRS"], 6.25)
    mean, covariance = conditional(past, coming, np.array([26.0]), wander)
    drift, link = 9.0, 9.0 * np.exp(-0.5)
    assert mean[0, 0] == pytest.approx(link / (drift + 6.25) * 6.0)
    assert covariance[0, 0, 0] == pytest.approx(drift - link**2 / (drift + 6.25))
    # A rating on another scale shares the drift and not the bent.
    bent = Wander(sd=0.05, time_h=240.0, bent=0.04)
    other = expected([18.0], [120.0], ["PHQ-9"], 6.25)
    assert bent.covariance(past.times_h, coming.times_h)[0, 0] == pytest.approx(0.0025 * np.exp(-0.5))
    assert past.wander_covariance(bent, other)[0, 0, 0] < past.wander_covariance(bent, coming)[0, 0, 0]


def test_the_density_of_residuals_is_that_of_a_foreign_program() -> None:
    from scipy.stats import multivariate_normal

    root = np.array([[2.0, 0.0], [0.7, 1.1]])
    residuals = np.array([[0.3, -1.0], [2.0, 0.5]])
    wanted = multivariate_normal(cov=root @ root.T).logpdf(residuals)
    np.testing.assert_allclose(log_density(residuals, root @ root.T), wanted)
    np.testing.assert_allclose(log_density(residuals, np.stack([root @ root.T] * 2)), wanted)


def test_a_linear_person_is_solved_exactly_by_the_proposal() -> None:
    """With ratings linear in normal luck the posterior is known; weights over the proposal must give it."""
    luck = np.random.default_rng(4)
    slopes, noise, observed = np.array([[2.0, -1.0, 0.0], [1.0, 1.0, 0.0]]), np.diag([1.0, 0.5]), np.array([4.0, -2.0])
    draws = luck.standard_normal((4_000, 3))
    place, which = np.zeros(4_000, dtype=np.int64), np.zeros(4_000, dtype=np.int64)
    seen = Seen(draws, place, which, draws @ slopes.T, noise)
    near = proposal_near(seen, np.full(4_000, 1 / 4_000), observed, np.zeros(1), 1)
    covariance = np.linalg.inv(np.eye(3) + slopes.T @ np.linalg.inv(noise) @ slopes)
    exact = covariance @ slopes.T @ np.linalg.inv(noise) @ observed
    np.testing.assert_allclose(near.mean(place[:1], which[:1])[0], exact, atol=0.02)
    fresh = near.mean(place, which) + draws @ near.factor.T
    logs = log_density(observed - fresh @ slopes.T, noise) - near.log_ratio(fresh, place, which)
    weights, k = pareto_smoothed(logs)
    np.testing.assert_allclose(weights @ fresh, exact, atol=0.05)
    assert k < 0.5 and effective_size(weights) > 1_500


def test_without_ratings_nothing_is_learned_and_it_says_so() -> None:
    posterior = update(person(), candidates=300)
    assert posterior.verdict == TOO_LITTLE
    assert posterior.effective == pytest.approx(len(posterior.candidates), rel=1e-6)


def test_ratings_move_the_forecast_and_the_same_data_give_the_same_answer(better) -> None:
    worse = update(person(*WORSE), candidates=1_200)
    soon = Planned(parse("no treatment"), NOW, NOW + 14 * DAY)
    good, bad = forecast(better, soon, draws=400)["MADRS"], forecast(worse, soon, draws=400)["MADRS"]
    assert good.ratings[0, 3] + 10.0 < bad.ratings[0, 3]
    assert good.response[0] > 0.6 > 0.2 > bad.response[0]
    again = forecast(update(person(*BETTER), candidates=1_200), soon, draws=400)["MADRS"]
    np.testing.assert_array_equal(again.ratings, good.ratings)
    assert (np.diff(good.ratings, axis=1) >= 0).all() and good.ratings.shape == (len(good.times_h), len(LEVELS))


def test_moved_candidates_agree_with_brute_force(better) -> None:
    """The weighted mean with moved candidates is that of many candidates from the population alone."""
    import rekindle.inference.update as module

    work = module._Work(better.person, shared_sets(), better.wander, None)
    base, first, _ = module._screened(work, 6_000, 11)
    plain = work.solve(base, np.arange(6_000))
    weights, _ = pareto_smoothed(plain.log_likelihood - first)
    brute = weights @ plain.expected.mean
    spread = np.sqrt(weights @ (plain.expected.mean - brute) ** 2)
    quick = better.weights @ better.expected.mean
    allowed = 3.0 * spread * np.sqrt(1.0 / effective_size(weights) + 1.0 / better.effective) + 0.1
    assert (np.abs(quick - brute) < allowed).all()


def test_one_candidate_that_cannot_be_solved_spoils_no_proposal(better) -> None:
    import rekindle.inference.update as module

    work = module._Work(better.person, shared_sets(), better.wander, None)
    base, _, _ = module._screened(work, 60, 3)
    solved = work.solve(base, np.arange(60))
    for name in ("mean", "variance", "slope"):
        getattr(solved.expected, name)[7] = np.nan
    solved.log_likelihood[7] = -np.inf
    weights = np.where(np.arange(60) == 7, 0.0, 1.0 / 59.0)
    near = module._next([solved], weights, work, base)
    assert np.isfinite(near.mean(np.arange(5), np.zeros(5, dtype=np.int64))).all() and np.isfinite(near.factor).all()


def test_as_many_candidates_as_asked_for_are_followed_over_the_past(better, monkeypatch) -> None:
    import rekindle.inference.update as module

    followed = []
    usual = module.courses

    def counting(parameters, schedules, *rest, **how):
        found = usual(parameters, schedules, *rest, **how)
        # The state of rest is one look; a past has several.
        followed.append(len(parameters["weight_kg"]) if len(schedules[0].times) > 1 else 0)
        return found

    monkeypatch.setattr(module, "courses", counting)
    again = update(better.person, candidates=1_200)
    assert again.solved == sum(followed) >= 1_200
    assert again.diagnostics()["solved"] == again.solved
    assert update(person(), candidates=300).solved == 300


def test_weighing_candidates_roughly_moves_no_rating_by_more_than_a_tenth_of_a_point(better) -> None:
    """The tolerance of the weighing is coarse beside the solver's default; beside a rater's error it is nothing."""
    import rekindle.inference.update as module
    from rekindle.inference.candidates import courses, draw_candidates, parameters_of, schedules_of
    from rekindle.inference.ratings import expected_ratings

    work = module._Work(better.person, shared_sets(), better.wander, None)
    drawn = draw_candidates(work.person, work.sets, 300, 5)
    parameters = parameters_of(drawn, work.person)
    schedules = schedules_of(work.doses, parameters, work.times, now_h=work.person.now_h)
    exact = expected_ratings(
        work.person.ratings, courses(parameters, schedules, work.outputs, tolerance=1e-7), work.times
    )
    rough = work.solve(drawn, np.arange(300)).expected
    away = np.abs(rough.mean - exact.mean)
    assert 0.0 < away.max() < 0.1 and np.percentile(away, 99) < 0.03
    assert np.sqrt(exact.variance.min()) > 10.0 * np.percentile(away, 99)


def test_luck_and_sets_have_no_part_in_the_state_of_rest(better) -> None:
    import rekindle.inference.update as module
    from rekindle.inference.candidates import courses, draw_candidates, draw_covariates, parameters_of, schedules_of

    work = module._Work(better.person, shared_sets(), better.wander, None)
    drawn = draw_candidates(work.person, work.sets, 400, 5)
    parameters = parameters_of(drawn, work.person)
    still = courses(parameters, schedules_of((), parameters, (0.0,)), work.outputs)
    assert len(np.unique(drawn.which)) > 1 and np.ptp(still["severity"]) > 0.1
    rest = work.at_rest(draw_covariates(work.person, 400, 5))
    first = {name: np.repeat(values, len(work.times), axis=1) for name, values in still.items()}
    wanted = module.expected_ratings([work.person.ratings[0]], first, work.times)
    np.testing.assert_allclose(rest.mean, wanted.mean, rtol=1e-10)
    np.testing.assert_allclose(rest.variance, wanted.variance, rtol=1e-10)


def test_ratings_together_are_the_ratings_one_by_one(better, monkeypatch) -> None:
    import rekindle.inference.ratings as module

    ratings = [
        Rated(20.0 * place, "PHQ-9" if place % 3 else "MADRS", 0.0, recall_days=14.0 if place % 2 else None)
        for place in range(1, 41)
    ]
    times, luck = module.look_times(ratings), np.random.default_rng(2)
    latents = {name: luck.random((50, len(times))) for name in module.latents_of(("MADRS", "PHQ-9"))}
    together = module.expected_ratings(ratings, latents, times)
    monkeypatch.setattr(module, "_TOGETHER", 3_000)
    pieces = module.expected_ratings(ratings, latents, times)
    for name in ("mean", "variance", "slope"):
        alone = [getattr(module.expected_ratings([each], latents, times), name)[:, 0] for each in ratings]
        np.testing.assert_allclose(getattr(together, name), np.column_stack(alone), rtol=1e-12, atol=1e-9)
        np.testing.assert_allclose(getattr(pieces, name), getattr(together, name), rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize("rows", [0, 5, 64, 300])
def test_products_piece_by_piece_are_the_products(rows: int) -> None:
    from rekindle.inference.products import gathered, spread_out

    luck = np.random.default_rng(rows)
    left, right, matrix = luck.random((rows, 7)), luck.random((rows, 3)), luck.random((7, 4))
    np.testing.assert_allclose(gathered(left, right), left.T @ right)
    np.testing.assert_allclose(spread_out(left, matrix), left @ matrix)


def test_sizes_are_those_of_the_largest_dose_and_of_every_route() -> None:
    from rekindle.inference.candidates import doses_of
    from rekindle.inference.sizes import sizes
    from rekindle.simulate import lowered_model

    def of(*sentences: str) -> dict[str, float]:
        given = tuple(Given(24.0 * place + 10.0, each) for place, each in enumerate(sentences))
        return dict(zip(lowered_model().states, sizes(doses_of(person(START, given=given))), strict=True))

    small, large = of("20 mg IV over 40 min"), of("20 mg IV over 40 min", "80 mg IV over 40 min")
    assert large["central_S"] == pytest.approx(4.0 * small["central_S"], rel=0.02)
    assert of("20 mg IV over 40 min", "84 mg intranasal esketamine")["nasal_S"] > 1.0 > small["nasal_S"]


def test_a_person_unlike_anyone_is_named() -> None:
    odd = (START, Rated(5 * DAY, "MADRS", 2.0), Rated(5.5 * DAY, "MADRS", 58.0), Rated(6 * DAY, "MADRS", 1.0))
    assert update(person(*odd), candidates=600).verdict == UNLIKE


def test_each_rating_beside_its_forecast_is_a_standard_normal_if_the_model_holds() -> None:
    """Linear persons: the score of a second rating given the first is known in closed form, and all are normal."""
    luck = np.random.default_rng(8)
    draws = 10.0 + 3.0 * luck.standard_normal(20_000)
    seen = Expected(
        np.column_stack([draws, draws]), np.full((20_000, 2), 4.0), np.full((20_000, 2), 60.0), ("A", "A"),
        np.array([0.0, 1e9]),
    )  # fmt: skip
    still = Wander(sd=1e-9, bent=0.0)
    found = forecast_scores(seen, np.array([14.0, 8.0]), still, np.zeros(20_000))
    middle, spread = 10.0 + 9.0 / 13.0 * 4.0, np.sqrt(9.0 - 81.0 / 13.0 + 4.0)
    np.testing.assert_allclose(found, [4.0 / np.sqrt(13.0), (8.0 - middle) / spread], atol=0.08)
    own = 10.0 + 3.0 * luck.standard_normal(300)
    ratings = own[:, None] + 2.0 * luck.standard_normal((300, 2))
    few = seen.of(np.arange(3_000))
    chances = [chance_of(forecast_scores(few, pair, still, np.zeros(3_000))) for pair in ratings]
    assert kstest(chances, "uniform").pvalue > 0.01


def test_levels_and_pressure_teach_about_exposure_and_pressure() -> None:
    dose = 11 * DAY + 10.0
    level = Level(dose + 0.75, "ketamine", 330.0)
    vitals = (Vital(dose - 0.2, systolic_mmhg=120.0), Vital(dose + 0.7, systolic_mmhg=160.0))
    posterior = update(person(START, levels=(level,), vitals=vitals), candidates=1_200)
    names = {each.name: each for each in posterior.learned}
    assert names["systolic_maximum"].mean > 0.5
    assert names["central_volume" if "central_volume" in names else "clearance"].information > 0.02


@pytest.mark.parametrize(
    ("what", "said"), [("level 5000", UNLIKE), ("level 150", OK), ("pressure 270", UNLIKE), ("pressure 150", OK)]
)
def test_a_level_or_a_pressure_that_nobody_has_is_named(what: str, said: str) -> None:
    dose, (kind, value) = 11 * DAY + 10.0, what.split()
    known: dict[str, object] = {"levels": (Level(dose + 0.75, "ketamine", float(value)),)}
    if kind == "pressure":
        vitals = (Vital(dose - 0.2, systolic_mmhg=120.0), Vital(dose + 0.7, systolic_mmhg=float(value)))
        known = {"vitals": vitals}
    assert update(person(*BETTER, **known), candidates=2_500).verdict == said


def test_scores_of_measurements_are_standard_normal_if_the_model_holds() -> None:
    """Two measurements of one thing: the second beside its forecast from the first, in closed form."""
    luck = np.random.default_rng(9)
    own = 3.0 * luck.standard_normal(40_000)
    seen = np.array([4.0, -2.0])
    away = (seen[None, :] - own[:, None]) / 2.0
    found = measured_scores(ndtr(away), norm.logpdf(away), np.zeros(len(own)))
    middle, spread = 9.0 / 13.0 * 4.0, np.sqrt(9.0 - 81.0 / 13.0 + 4.0)
    np.testing.assert_allclose(found, [4.0 / np.sqrt(13.0), (-2.0 - middle) / spread], atol=0.05)
    assert len(measured_scores(np.full((5, 1), 0.5), np.zeros((5, 1)), np.zeros(5))) == 0


def test_a_sentence_that_cannot_be_read_is_refused_with_its_place() -> None:
    bad = person(START, given=(Given(10.0, "40 mg by magic", where="person.yaml, line 7"),))
    with pytest.raises(InputError) as caught:
        update(bad, candidates=10)
    assert "person.yaml, line 7" in str(caught.value)


def test_every_future_agrees_about_the_past(better) -> None:
    """What is planned changes nothing before it is given."""
    from rekindle.inference.paths import future

    times = [5 * DAY, 9 * DAY, NOW]
    plans = [
        Planned(parse("no treatment"), NOW, NOW + 60 * DAY),
        Planned(parse("40 mg IV over 40 min, weekly for 8 weeks"), NOW + DAY, NOW + 60 * DAY),
        Planned(parse("40 mg IV over 40 min, once"), NOW + 50 * DAY, NOW + 60 * DAY),
    ]
    found = [
        future(better, plan, scales=("MADRS",), times_h=times, draws=60).at("severity", np.array(times))
        for plan in plans
    ]
    for other in found[1:]:
        np.testing.assert_allclose(other, found[0], atol=2e-4)


@pytest.mark.parametrize(
    ("sentence", "from_h"),
    [
        ("no treatment", NOW),
        ("40 mg IV over 40 min, weekly for 2 weeks", NOW),  # a dose at the very moment from which all goes on
        ("56 mg intranasal esketamine, weekly for 2 weeks", NOW + 5.0),
    ],
)
def test_going_on_from_now_is_following_everything_from_the_start(better, monkeypatch, sentence, from_h) -> None:
    from rekindle.inference import paths, standing

    # The last dose is still running in when the plan begins, and no two candidates get the same share of a spray.
    running = replace(better.person, given=(*better.person.given, Given(NOW - 0.4, "40 mg IV over 40 min")))
    posterior = replace(better, person=running)
    plan = Planned(parse(sentence), from_h, NOW + 30 * DAY)
    how = {"scales": ("MADRS",), "times_h": [NOW, NOW + 0.5, NOW + 8 * DAY, NOW + 30 * DAY], "draws": 100}
    monkeypatch.setattr(standing, "SCREENING", 1e-6)
    quick = paths.future(posterior, plan, outputs=("dissociation", "craving"), **how)
    assert len(posterior.kept) == 1
    again = paths.future(posterior, plan, outputs=("dissociation", "craving"), **how)
    monkeypatch.setattr(paths, "gone_on", lambda *rest: None)
    usual = paths.courses
    monkeypatch.setattr(paths, "courses", lambda *rest, **given: usual(*rest, tolerance=1e-6, **given))
    whole = paths.future(posterior, plan, outputs=("dissociation", "craving"), **how)
    for name, values in whole.outputs.items():
        np.testing.assert_allclose(quick.outputs[name], values, rtol=1e-4, atol=1e-6)
        np.testing.assert_array_equal(again.outputs[name], quick.outputs[name])
    assert np.ptp(whole.outputs["severity"], axis=1).max() > 0.05


def test_a_plan_that_began_before_now_has_a_past_of_its_own(better, monkeypatch) -> None:
    """As have tablets that go on where without the plan they would have ended."""
    from rekindle.inference import paths

    tablets = tuple(Given(day * DAY + 8.0, "an oral antidepressant") for day in (13, 14))
    posterior = replace(better, person=replace(better.person, given=(*better.person.given, *tablets)))
    plans = [
        Planned(parse("no treatment"), NOW, NOW + 20 * DAY),
        Planned(parse("80 mg IV over 40 min, weekly for 2 weeks"), NOW - 2 * DAY, NOW + 20 * DAY),
        Planned(parse("an oral antidepressant, daily for 2 weeks"), NOW + 2.0, NOW + 20 * DAY),
    ]
    how = {"scales": ("MADRS",), "times_h": [NOW, NOW + 3 * DAY], "draws": 60}
    found = [paths.future(posterior, plan, **how).outputs["severity"] for plan in plans]
    assert len(posterior.kept) == 3
    monkeypatch.setattr(paths, "gone_on", lambda *rest: None)
    for plan, values in zip(plans, found, strict=True):
        np.testing.assert_allclose(values, paths.future(posterior, plan, **how).outputs["severity"], atol=2e-3)
    assert np.abs(found[1] - found[0]).max() > 0.01


def test_what_is_kept_of_one_posterior_is_not_taken_for_another(better) -> None:
    from rekindle.inference.paths import future

    future(better, None, scales=("MADRS",), times_h=[NOW + DAY], draws=10)
    assert better.kept and not replace(better, person=person(*WORSE)).kept


def test_care_ends_when_doses_stop_and_begins_again_with_the_next() -> None:
    from rekindle.inference.candidates import care_windows

    assert care_windows([], 168.0, 500.0) == []
    assert care_windows([(10.0, 11.0)], 168.0, 500.0) == [(0.0, 500.0)]
    # Before the first dose nobody is in care yet.
    assert care_windows([(900.0, 901.0)], 168.0, 500.0) == [(900.0, 1069.0)]
    monthly = [(672.0 * month, 672.0 * month + 1.0) for month in range(4)]
    assert care_windows(monthly, 168.0, 0.0) == [(0.0, 3 * 672.0 + 169.0)]
    assert care_windows([(0.0, 1.0), (2000.0, 2001.0)], 168.0, 300.0) == [(0.0, 300.0), (2000.0, 2169.0)]


def test_a_plan_changes_nothing_before_a_first_dose_that_is_still_to_come() -> None:
    from rekindle.inference.paths import future

    untreated = update(person(START, Rated(15 * DAY, "MADRS", 33.0), given=()), candidates=300)
    plan = Planned(parse("40 mg IV over 40 min, weekly for 4 weeks"), NOW + 5 * DAY, NOW + 40 * DAY)
    times = [NOW, NOW + 4 * DAY, NOW + 6 * DAY]
    with_plan, without = (
        future(untreated, each, scales=("MADRS",), times_h=times, draws=40).at("severity", np.array(times))
        for each in (plan, None)
    )
    np.testing.assert_allclose(with_plan[:, :2], without[:, :2], atol=2e-3)
    assert np.abs(with_plan[:, 2] - without[:, 2]).max() > 0.01


def test_care_can_be_kept_without_a_further_dose(better) -> None:
    """The same care as under the plan, and no session: worse than the plan, better than being left alone."""
    from rekindle.inference.paths import future

    plan = Planned(parse("40 mg IV over 40 min, weekly for 6 weeks"), NOW + DAY, NOW + 60 * DAY)
    end = np.array([NOW + 49 * DAY])
    how = {"scales": ("MADRS",), "times_h": end.tolist(), "draws": 100}
    found = [
        future(better, given, **how, outputs=("expectancy",), cared_as=cared_as).at("expectancy", end).mean()
        for given, cared_as in ((plan, None), (None, plan), (None, None))
    ]
    assert found[0] > found[1] > 2.0 * found[2]


def test_a_person_who_never_changes_loses_no_gain() -> None:
    """Half better now and for good: noise alone around the line of response is no relapse."""
    from rekindle.inference.forecast import _relapse
    from rekindle.inference.paths import Paths

    luck = np.random.default_rng(3)
    times = NOW + 168.0 * np.arange(13)
    own = np.full((2_000, 13), 18.0)
    ratings = np.rint(own + 2.5 * luck.standard_normal(own.shape))
    still = Paths(scale("MADRS"), times, own, ratings, ratings, own * 0.0, np.full(2_000, 36.0))
    chance, share, due = _relapse(still, person(*BETTER), 0.2)
    assert share == 1.0 and due is None and chance[-1] < 0.01
    # Who goes back to three quarters of where they began has lost half of the gain, from the second look on.
    gone = replace(still, ratings=np.where(times > NOW + 168.0, 28.0, ratings))
    chance, _, due = _relapse(gone, person(*BETTER), 0.2)
    assert chance[0] == 0.0 and chance[1] < 0.01 and chance[2] > 0.99 and due == times[2]


def test_what_is_rated_now_is_no_look_to_come() -> None:
    from rekindle.inference.forecast import _relapse
    from rekindle.inference.paths import Paths

    times = NOW + 168.0 * np.arange(4)
    own, ratings = np.full((100, 4), 10.0), np.tile([40.0, 40.0, 10.0, 10.0], (100, 1))
    path = Paths(scale("MADRS"), times, own, ratings, ratings, own * 0.0, np.full(100, 36.0))
    assert _relapse(path, person(*BETTER), 0.2)[0][-1] == 0.0


def test_ratings_to_come_look_back_as_the_last_one_did() -> None:
    weekly = [*BETTER[:2], Rated(9 * DAY, "PHQ-9", 8.0, recall_days=7.0), BETTER[3]]
    plan = Planned(parse("80 mg IV over 40 min, weekly for 2 weeks"), NOW + 2.0, NOW + 20 * DAY)
    found = forecast(update(person(*weekly), candidates=400), plan, draws=200)
    assert found["PHQ-9"].recall_days == 7.0 and found["MADRS"].recall_days is None
    assert [each["recall_days"] for each in found.as_dict()["scales"]] == [None, 7.0]
    # A week looked back over moves less from day to day than how it is just now, at every quantile of the band.
    now = forecast(update(person(*BETTER), candidates=400), plan, draws=200)
    steps = [np.abs(np.diff(each["PHQ-9"].own, axis=0)).max(axis=0).mean() for each in (found, now)]
    assert steps[0] < 0.7 * steps[1]


def test_a_rating_of_the_session_alone_is_too_little_data() -> None:
    later = 11 * DAY + 11.0
    for name, total, said in (("CADSS", 20.0, TOO_LITTLE), ("MADRS", 20.0, OK)):
        assert update(person(START, Rated(later, name, total)), candidates=1_500).verdict == said


def test_fading_follows_the_scale_it_is_told_of(better) -> None:
    from rekindle.inference.explain import fading

    for name in ("MADRS", "PHQ-9"):
        found = fading(better, name, draws=60)
        assert found is not None and found.next_measurement.startswith(name)
    assert fading(better, "HAM-D17", draws=60) is None


def test_draws_are_paired_by_who_they_are() -> None:
    from rekindle.inference.paths import Future, paired

    def future_of(*place: int) -> Future:
        return Future(person(), None, np.zeros(1), {}, np.array(place))

    one, other = paired(future_of(0, 1, 3, 4), future_of(0, 2, 3, 4))
    assert one.tolist() == [0, 2, 3] and other.tolist() == [0, 2, 3]
    one, other = paired(future_of(1, 2), future_of(0, 1, 2))
    assert one.tolist() == [0, 1] and other.tolist() == [1, 2]


def test_the_coming_session_starts_as_differently_as_in_a_plan(better) -> None:
    """One reading of 160 and a rise of about ten: 180 may be passed, on the page as in a plan."""
    from rekindle.inference.next_session import next_session
    from rekindle.planning.following import follow

    plan = Planned(parse("40 mg IV over 40 min, once"), NOW + DAY, NOW + 8 * DAY)
    high = replace(better, person=replace(better.person, vitals=(Vital(1.0, 150.0, 95.0),)))
    ahead = next_session(high, plan, draws=120)
    assert ahead is not None and ahead.from_reading
    peak = follow(high, plan, NOW + 7 * DAY, draws=120, seed=high.seed, judged_by="MADRS").peaks["systolic peak"][:, 0]
    assert ahead.above_180 == pytest.approx((peak > 180.0).mean(), abs=0.05)
    assert ahead.systolic[2] - ahead.systolic[0] > 20.0
