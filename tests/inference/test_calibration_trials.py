"""The trials as a likelihood sees them: scales, errors, who shares patients, individual ratings."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from rekindle.errors import InputError
from rekindle.inference.bank import design
from rekindle.inference.designs import designs
from rekindle.inference.individuals import RATINGS, individual_ratings
from rekindle.inference.priors import candidates
from rekindle.inference.setup import (
    fitted_trials,
    hypothesis_values,
    patient_groups,
    shared_names,
    shared_prior,
)
from rekindle.inference.trials import TrialSimulator, together


@cache
def simulator() -> TrialSimulator:
    return TrialSimulator(fitted_trials())


def test_every_fitted_number_has_a_scale_and_most_have_an_error() -> None:
    targets = simulator().targets
    assert len(targets) > 100
    assert len({target.key for target in targets}) == len(targets)
    values = [float(target.transformed(target.value)) for target in targets]
    assert np.isfinite(values).all()
    assert np.mean([np.isfinite(target.error) for target in targets]) > 0.8
    changes = [target for target in targets if target.key == "singh2016a/eff-singh2016a-24h-020/mean_change"]
    assert changes[0].error == pytest.approx(100.0 * 3.0 / 60.0)  # a standard error of 3 points


def test_luck_goes_together_inside_a_trial_and_nowhere_else() -> None:
    numbers = simulator().numbers
    correlation = together(numbers)
    assert np.linalg.eigvalsh(correlation).min() > -1e-9
    trials = np.array([number.trial for number in numbers])
    assert np.all(correlation[trials[:, None] != trials] == 0.0)
    daly = [
        place for place, number in enumerate(numbers)
        if number.trial == "daly2018" and number.time_h == 24.0 and number.arms == ("84 mg",)
    ]  # fmt: skip
    kinds = [numbers[place].quantity for place in daly]
    if {"mean_change", "response"} <= set(kinds):
        first, second = daly[kinds.index("mean_change")], daly[kinds.index("response")]
        assert correlation[first, second] == pytest.approx(-0.9)  # a larger fall, more responders


def test_a_trial_is_left_out_with_those_that_share_its_patients() -> None:
    trials = fitted_trials()
    groups = patient_groups(trials)
    assert all(trial.name in groups[trial.name] for trial in trials)
    assert groups["murrough2013a"] == ("wilkinson2018",)
    assert "murrough2013a" not in [trial.name for trial in trials]
    assert not {"ptsd", "social-anxiety"} & {trial.enrolled.diagnosis for trial in trials}
    with pytest.raises(InputError, match="daly2018"):
        fitted_trials(["daly2019"])


def test_everything_uncertain_is_estimated_and_numbers_bend_with_the_listed_ones() -> None:
    prior = shared_prior()
    assert set(prior.names) == set(candidates())
    assert set(shared_names()) <= {prior.names[place] for place in prior.curved_places}
    assert len(shared_prior(3).names) < 12
    rows = design(prior, 1, range(40))
    assert np.array_equal(rows[7:9], design(prior, 1, [7, 8]))
    assert np.all(np.abs(rows) <= 1.0)
    bent = prior.curved_places
    assert np.abs(rows[:, bent].mean(axis=0)).max() < 0.1  # Sobol points are balanced


def test_hypotheses_are_put_in_taken_out_and_weighed() -> None:
    assert hypothesis_values(["no-habenula", "direct=0.5"]) == {"switch_habenula": 0.0, "switch_direct": 0.5}
    for wrong in ("no-such", "direct=much", "direct=3"):
        with pytest.raises(InputError):
            hypothesis_values([wrong])


def test_experiments_not_yet_run_can_be_read() -> None:
    assert len(designs()) >= 5
    assert all(trial.scored for trial in designs())


def test_individual_ratings_stand_for_the_printed_summary(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    people = [f"sub-{number}" for number in range(12)]
    baseline = random.integers(28, 40, 12)
    later = baseline - random.integers(0, 22, 12)
    (tmp_path / "participants.tsv").write_text(
        "participant_id\tgroup\n" + "".join(f"{person}\tMDD\n" for person in people) + "sub-99\tHC\n"
    )
    header = "participant_id\tsession_id\tMADRS_Total\tHAMD_Bech\tHAM17_Total\n"
    rows = [
        f"{person}\tses-{session}\t{score}\tn/a\tn/a\n"
        for session, scores in (("b0", baseline), ("d2", later))
        for person, score in zip(people, scores, strict=True)
    ]
    (tmp_path / "phenotype.tsv").write_text(header + "".join(rows) + "sub-99\tses-b0\t2\tn/a\tn/a\n")
    found = individual_ratings(tmp_path, simulator())
    targets = [simulator().targets[place] for place in found.places]
    change = (later - baseline).astype(float)
    by_kind = {target.kind: place for place, target in enumerate(targets)}
    assert all(target.trial == RATINGS for target in targets)
    assert set(by_kind) == {"points", "spread", "share"}
    mean = by_kind["points"]
    assert targets[mean].natural(found.values[mean]) == pytest.approx(change.mean())
    error = np.sqrt(found.covariance[mean, mean]) * 60.0 / 100.0
    assert error == pytest.approx(change.std(ddof=1) / np.sqrt(12))
    spread = by_kind["spread"]
    assert np.exp(found.values[spread]) == pytest.approx(change.std(ddof=1))
    assert np.linalg.eigvalsh(found.covariance).min() > 0
    with pytest.raises(InputError, match=r"participants\.tsv"):
        individual_ratings(tmp_path / "elsewhere", simulator())
    (tmp_path / "phenotype.tsv").write_text("participant_id\tsession_id\nsub-1\tses-b0\n")
    with pytest.raises(InputError, match="MADRS_Total"):
        individual_ratings(tmp_path, simulator())
