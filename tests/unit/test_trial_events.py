"""Shares and relapses with people leaving, by hand: every way in which a person can leave, added up."""

from __future__ import annotations

import importlib.util
import math
from dataclasses import replace
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from rekindle.dosing import Course
from rekindle.outcomes import SCALES
from rekindle.trial import compare, quantify_events
from rekindle.trial.clock import any_visits
from rekindle.trial.design import Condition, Stage, TrialArm
from rekindle.trial.moments import moments
from rekindle.trial.quantify import Seen, seen
from rekindle.trial.quantify_events import share_in, state_chance
from rekindle.trial.quantities import Options
from rekindle.trial.reading import parse_trial
from rekindle.trial.staying import Staying
from rekindle.trial.switches import ALL_ON
from rekindle.trial.timeline import OWN, own_lane, schedule
from rekindle.trial.view import View

SPEC = importlib.util.spec_from_file_location("trial_examples", Path(__file__).with_name("trial_examples.py"))
assert SPEC is not None and SPEC.loader is not None
EXAMPLES = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(EXAMPLES)

CHANCES = {24.0: 0.3, 48.0: 0.25, 72.0: 0.4}
"""Chance of the state at each rating."""

STAYS = {24.0: 0.9, 48.0: 0.6, 72.0: 0.5}
"""Chance of still being rated."""


def arm(missing: str, monkeypatch: pytest.MonkeyPatch, *, entry: float = 20.0, **options: Any) -> Seen:
    """One person of given chances, as a number sees them."""
    monkeypatch.setattr(quantify_events, "_chance", lambda part, of, time: np.full((1, 1), part.view.chances[time]))
    view = SimpleNamespace(
        trial=SimpleNamespace(missing=missing, visits_h=tuple(CHANCES)), stopped=None, courses=None, chances=CHANCES,
        entry=lambda scale, item, baseline: np.full((1, 1), entry),
    )  # fmt: skip
    number = SimpleNamespace(scale="SSI", item=None, time_h=options.pop("time_h", None), options=Options(**options))
    stay = Staying((0.0, *STAYS), np.array([1.0, *STAYS.values()]).reshape(4, 1, 1))
    return Seen(view, number, np.ones((1, 1)), stay, 20.0)  # type: ignore[arg-type]


def by_hand(missing: str, needed: int, at_entry: float = 0.0) -> float:
    """Every way in which a person can be in the state or not at each rating, and after which rating they leave."""
    total = 0.0
    times, stays = list(CHANCES), [1.0, *STAYS.values(), 0.0]
    for last in range(4):  # rated `last` times
        chance_last = stays[last] - stays[last + 1]
        for ways in product((False, True), repeat=3):
            chances = [CHANCES[time] if way else 1.0 - CHANCES[time] for time, way in zip(times, ways, strict=True)]
            after = last > 0 and ways[last - 1] and missing == "locf"
            held = [*ways[:last], *[after] * (3 - last)]
            count = at_entry if missing == "locf" and last == 0 else float(sum(held) >= needed)
            total += chance_last * math.prod(chances) * count
    return total


@pytest.mark.parametrize("missing", ["nri", "locf"])
@pytest.mark.parametrize("needed", [1, 2, 3])
def test_a_state_at_several_ratings_is_every_way_it_can_go(
    missing: str, needed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    part = arm(missing, monkeypatch, times_h=tuple(CHANCES), at_least=needed)
    assert state_chance(part, "response")[0, 0] == pytest.approx(by_hand(missing, needed))


def test_at_any_rating_is_once_at_least_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    part = arm("nri", monkeypatch, any_by_h=72.0)
    assert any_visits(part.view.trial, 72.0) == tuple(CHANCES)
    assert state_chance(part, "response")[0, 0] == pytest.approx(by_hand("nri", 1))


def test_observed_cases_are_those_who_were_rated(monkeypatch: pytest.MonkeyPatch) -> None:
    part = arm("observed", monkeypatch, any_by_h=72.0)
    assert share_in(part)[0] == pytest.approx(by_hand("nri", 1) / STAYS[24.0])
    assert share_in(arm("observed", monkeypatch, time_h=48.0))[0] == pytest.approx(CHANCES[48.0])


def test_without_a_rating_the_baseline_itself_is_carried_on(monkeypatch: pytest.MonkeyPatch) -> None:
    free = arm("locf", monkeypatch, time_h=24.0, entry=0.0)
    assert state_chance(free, "free_of_ideation")[0, 0] == pytest.approx(0.9 * 0.3 + 0.1)
    assert state_chance(free, "response")[0, 0] == pytest.approx(0.9 * 0.3)


def test_half_who_leave_take_half_of_those_who_respond_twice() -> None:
    """Leaving that depends on nothing, before the first rating, halves a share of responders at several ratings."""
    number = "{quantity: response, arm: Ketamine, times: [24 h, 48 h, 72 h], at_least: 3, value: 64}"
    text = EXAMPLES.PARALLEL.replace("{quantity: response, arm: Ketamine, time: 24 h, value: 64}", number)
    text = text.replace("visits: [24 h, 7 days]", "visits: [24 h, 48 h, 72 h]")
    left = text.replace("visits:", "dropout: {share: 0.5, by: 24 h, depends_on: none}\nestimand: composite\nvisits:", 1)
    whole, half = (moments([parse_trial(each)], None, 16, 1).expected[0, 1] for each in (text, left))
    assert half == pytest.approx(0.5 * whole, rel=0.01)  # not an eighth


LOCF = "dropout: {share: 0.4, by: 7 days, depends_on: none}\nmissing: locf\nvisits: [24 h, 3 days, 7 days]"


@pytest.mark.parametrize(
    ("written", "of"),
    [("remission", "{quantity: remission, arm: Ketamine, time: 7 days, value: 30}"),
     ("strict", "{quantity: response, strict: true, share: 0.4, arm: Ketamine, time: 7 days, value: 30}")],
)  # fmt: skip
def test_what_is_carried_on_is_the_state_that_is_asked(written: str, of: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text = EXAMPLES.PARALLEL.replace("{quantity: response, arm: Ketamine, time: 24 h, value: 64}", of)
    asked: list[str] = []
    plain = View.response

    def response(self: View, scale: str, time_h: float, **options: Any) -> np.ndarray:
        asked.append(f"{options.get('strict')} {options.get('baseline')}")
        return plain(self, scale, time_h, **options)

    monkeypatch.setattr(View, "response", response)
    trial = parse_trial(text.replace("visits: [24 h, 7 days]", LOCF))
    number = trial.published[1]
    moments([replace(trial, published=(number,))], None, 4, 1)
    assert set(asked) == (set() if written == "remission" else {"True period"})


def test_who_goes_on_is_judged_on_the_scale_of_the_trial() -> None:
    trial = parse_trial(EXAMPLES.WITHDRAWAL.replace("half lost", "30 % lost"))
    number = SimpleNamespace(
        stage="maintenance", scale="PHQ-9", among=(Condition("response", (168.0,)),), arms=("Continued",)
    )
    asked: list[tuple[str, str]] = []

    def met(conditions: Any, scale: str) -> float:
        asked.append((conditions[0].kind, scale))
        return 0.5

    view: Any = SimpleNamespace(
        trial=SimpleNamespace(dropout=None), parts=(), weight=np.ones((1, 1)), sets=1, met=met,
        switches=ALL_ON, arm=trial.arms[0], stopped=None,
    )  # fmt: skip
    found = seen(trial, {"Continued": view}, number, "Continued", 10.0)  # type: ignore[arg-type]
    assert sorted(asked) == [("remission", "MADRS"), ("response", "PHQ-9")]
    assert found.weight[0, 0] == 0.25


def test_a_condition_on_the_baseline_is_one_on_the_score_that_let_people_in() -> None:
    from rekindle.trial.solving import prepare, solve_lanes
    from rekindle.trial.values import sets_of
    from rekindle.trial.view import views

    trial = parse_trial(EXAMPLES.PARALLEL)
    view = views(trial, solve_lanes(prepare(trial, 32, 1), sets_of(), {}))["Ketamine"]
    found = view.met([Condition("score", (0.0,), "MADRS", at_least=32.0)], "MADRS")
    np.testing.assert_array_equal(found[0], view.entry("MADRS")[0] >= 32.0)
    strict = view.met([Condition("remission", (24.0,), at_most=20.0)], "MADRS")
    np.testing.assert_allclose(strict, view.remission("MADRS", 24.0, at_most=20.0))
    assert SCALES["MADRS"].line().value < 20.0 and (strict > view.remission("MADRS", 24.0)).any()


def test_hazards_of_arms_that_are_watched_differently_are_compared_while_both_are_watched(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def kept(part: SimpleNamespace) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return part.times, np.exp(-part.hazard * part.times)[:, None], np.ones(1)

    monkeypatch.setattr(compare, "kept", kept)
    first = SimpleNamespace(hazard=0.005, n=90.0, times=np.linspace(0.0, 100.0, 201))
    second = SimpleNamespace(hazard=0.01, n=86.0, times=np.linspace(0.0, 60.0, 91))
    found, _ = compare.hazard_ratio(first, second)  # type: ignore[arg-type]
    assert found[0] == pytest.approx(math.log(0.5), abs=0.02)


def test_care_of_an_arm_with_stages_counts_once_from_the_start() -> None:
    nothing = Course(())
    stages = tuple(Stage(name, start, 336.0, nothing, "double") for name, start in (("one", 0.0), ("two", 336.0)))
    lane = own_lane(TrialArm("A", 10, "active", stages, care_h=400.0))
    found = schedule(lane, [], dict.fromkeys(OWN, 0.0), [1.0, 1.0], [0.0, 2000.0], ALL_ON)
    care = [event for event in found.events if getattr(event, "target", "") == "care"]
    assert sum(event.duration for event in care) == pytest.approx(400.0)


def test_nobody_who_believes_at_first_does_not_make_belief_endless_later() -> None:
    text = EXAMPLES.CROSSOVER.replace('ketamine IV over 40 min, day 1"', 'ketamine IV over 40 min, day 1", GUESS')
    change = "{quantity: mean_change, arm: Saline, time: 2 days, value: -3}"
    texts = [text.replace("GUESS", f"masking: {{guess_active: {share}}}") + f"  - {change}\n" for share in (0, 0.01)]
    none, hardly = (moments([parse_trial(each)], None, 16, 1).expected[0, 1] for each in texts)
    assert none == pytest.approx(hardly, abs=0.2)


def test_classes_go_by_where_people_began_and_how_far_they_went() -> None:
    """Two groups end alike and two begin alike: by the many late ratings alone the first would be cut in two."""
    sizes, began, ended = (40, 30, 30), (19.0, 20.0, 12.0), (7.0, 16.0, 7.0)
    random = np.random.default_rng(1)
    first = np.concatenate([random.normal(value, 0.5, size) for value, size in zip(began, sizes, strict=True)])
    last = np.concatenate([random.normal(value, 1.5, size) for value, size in zip(ended, sizes, strict=True)])
    late = tuple(24.0 * day for day in range(1, 15))
    rated = {0.0: first} | dict.fromkeys(late, last)
    view: Any = SimpleNamespace(
        trial=SimpleNamespace(seed=1, visits_h=late), sets=1, courses=None,
        score=lambda scale, time, item=None: (rated[time][None, :], np.zeros((1, 100))),
    )  # fmt: skip
    stay = Staying((0.0,), np.ones((1, 1, 100)))

    def number(which: str, time_h: float) -> Seen:
        options = Options(classes=3, which=which)
        asked: Any = SimpleNamespace(scale="QIDS-SR16", item=None, time_h=time_h, options=options)
        return Seen(view, asked, np.ones((1, 100)), stay, 100.0)

    for which, place in (("best", 0), ("worst", 1), ("middle", 2)):
        members = slice(sum(sizes[:place]), sum(sizes[: place + 1]))
        assert quantify_events.class_share(number(which, late[-1]))[0] == pytest.approx(sizes[place], abs=2.0)
        for time in (0.0, late[-1]):
            found = quantify_events.class_mean(number(which, time))[0]
            assert found == pytest.approx(rated[time][members].mean(), abs=0.6)
