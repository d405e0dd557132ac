"""People who stop and are still rated: every quantity sees what happened on one course together."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from rekindle.trial.contributions import contributions
from rekindle.trial.design import Condition, Number, Trial
from rekindle.trial.leaving import follow
from rekindle.trial.quantify import ONE_ARM, seen
from rekindle.trial.quantify_events import ONE_ARM_EVENTS
from rekindle.trial.quantities import Options
from rekindle.trial.reading import parse_trial
from rekindle.trial.solving import prepare
from rekindle.trial.values import sets_of
from rekindle.trial.view import Luck, View, views

SPEC = importlib.util.spec_from_file_location("trial_examples", Path(__file__).with_name("trial_examples.py"))
assert SPEC is not None and SPEC.loader is not None
EXAMPLES = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(EXAMPLES)

DAYS = (7, 14, 21, 28)
LATE = 672.0
TEXT = (
    EXAMPLES.PARALLEL.replace("over 40 min, day 1", "over 40 min, twice a week for 4 weeks")
    .replace("visits: [24 h, 7 days]", f"visits: [{', '.join(f'{day} days' for day in DAYS)}]")
    .replace("published:", "dropout: {share: 0.5, by: 28 days}\nestimand: treatment-policy\npublished:")
)
ASKED: Mapping[str, Options] = {
    "mean": Options(),
    "mean_change": Options(),
    "percent_change": Options(),
    "standard_deviation": Options(of="change"),
    "within_group_d": Options(),
    "peak": Options(),
    "correlation": Options(covariate="MADRS at 7 days"),
    "share_of_change": Options(end_h=LATE),
    "response": Options(),
    "remission": Options(times_h=(504.0, LATE), at_least=1),
    "worse": Options(),
    "sensitivity": Options(end_h=LATE),
    "sessions_to_response": Options(),
    "relapse": Options(since=336.0),
    "survival": Options(since=336.0),
    "time_to_relapse": Options(since=336.0),
    "class_share": Options(classes=2),
    "class_mean": Options(classes=2),
}
TIMES = {"sensitivity": 168.0, "share_of_change": 168.0, "peak": 4.0}


def number(quantity: str, among: tuple[Condition, ...] = ()) -> Number:
    time_h = TIMES.get(quantity, LATE)
    return Number(0, quantity, ("Ketamine",), "MADRS", "points", 0.0, (40,), time_h, options=ASKED[quantity],
                  among=among)  # fmt: skip


@pytest.fixture(scope="module")
def solved() -> tuple[Trial, View]:
    trial = parse_trial(TEXT)
    numbers = [number(quantity) for quantity in ASKED]
    extra = tuple(24.0 * day for day in DAYS)
    lanes = prepare(trial, 12, 1, numbers=numbers, extra=extra)[:1]
    view = views(replace(trial, arms=trial.arms[:1]), follow(lanes, sets_of(), {}))["Ketamine"]
    assert view.stopped is not None
    return trial, view


def value(trial: Trial, view: View, asked: Number) -> tuple[float, float]:
    found, luck = {**ONE_ARM, **ONE_ARM_EVENTS}[asked.quantity](
        seen(trial, {"Ketamine": view}, asked, "Ketamine", 40.0)
    )
    return float(found[0]), float(luck[0])


@pytest.mark.parametrize("quantity", ASKED)
def test_a_course_that_ends_like_the_other_changes_nothing(solved: tuple[Trial, View], quantity: str) -> None:
    trial, view = solved
    alone = replace(view, stopped=None, _scores={})
    ended = replace(view, stopped=alone, _scores={})
    asked = number(quantity, among=(Condition("response", (168.0,)),))
    assert value(trial, ended, asked) == pytest.approx(value(trial, alone, asked), rel=1e-9)


@pytest.mark.parametrize("quantity", sorted(set(ASKED) - {"peak"}))
def test_every_quantity_sees_people_who_stopped(solved: tuple[Trial, View], quantity: str) -> None:
    """But for a peak, which is looked for around the first session, before anybody stops."""
    trial, view = solved
    alone = replace(view, stopped=None, _scores={})
    assert value(trial, view, number(quantity))[0] != pytest.approx(value(trial, alone, number(quantity))[0], rel=1e-4)


def test_what_happened_on_one_course_is_taken_together(solved: tuple[Trial, View]) -> None:
    """A change, and early and late response of the same people, by hand."""
    trial, view = solved
    assert view.stopped is not None
    stays = seen(trial, {"Ketamine": view}, number("mean"), "Ketamine", 40.0).stay.chance[-1][:, :12]
    both = late = change = 0.0
    for chance, each in ((stays, view), (1.0 - stays, view.stopped)):
        both += (chance * each.response("MADRS", 168.0) * each.response("MADRS", LATE)).mean()
        late += (chance * each.response("MADRS", LATE)).mean()
        change += (chance * (each.score("MADRS", LATE)[0] - each.entry("MADRS"))).mean()
    assert value(trial, view, number("mean_change"))[0] == pytest.approx(change)
    assert value(trial, view, number("sensitivity"))[0] == pytest.approx(100.0 * both / late)
    among = (Condition("response", (168.0,)),)
    asked = replace(number("response"), among=among)
    counted = sum(
        (chance * each.response("MADRS", 168.0)).mean() for chance, each in ((stays, view), (1.0 - stays, view.stopped))
    )
    assert value(trial, view, asked)[0] == pytest.approx(100.0 * both / counted)


def test_the_parts_of_a_change_add_up_where_people_stop() -> None:
    trial = parse_trial(TEXT)
    found = contributions(trial, people=8)
    asked = [replace(number("mean_change"), arms=(arm,), time_h=found.visit_h) for arm in found.whole]
    courses = follow(prepare(trial, 8, 1, numbers=asked), sets_of(), {}, luck=Luck(1))
    wanted = {
        each.arms[0]: value(trial, views(trial, courses, None, luck=Luck(1))[each.arms[0]], each) for each in asked
    }
    assert found.whole == pytest.approx({arm: change for arm, (change, _) in wanted.items()})
    for arm, change in found.whole.items():
        assert sum(part.added for part in found.parts if part.arm == arm) == pytest.approx(change, abs=1e-6)
