"""Every feature of the event table against closed forms: one compartment, first-order loss, by superposition.

The expected content is the sum of single-dose responses at the times a pharmacologist would write down; the content
found is the exact propagation of the elementary events. Both are closed forms, so they agree to rounding.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import pytest

from rekindle.dosing import EventTable, Intake, expand, read_events
from rekindle.dosing.elementary import Bolus, Covariate, Infusion, Observation, Replace, Reset, SteadyState
from rekindle.errors import InputError, UnsupportedError

K = 0.23
TOLERANCE = 1e-9  # rounding of sums of some hundred terms


def bolus(amount: float, elapsed: float) -> float:
    """Content left of a dose given at once."""
    return amount * math.exp(-K * elapsed) if elapsed >= 0 else 0.0


def infusion(rate: float, duration: float, elapsed: float) -> float:
    """Content left of an infusion that started `elapsed` hours ago."""
    if elapsed <= 0:
        return 0.0
    running = min(elapsed, duration)
    return rate / K * (1 - math.exp(-K * running)) * math.exp(-K * (elapsed - running))


def train_of(rate: float, duration: float, amount: float, every: float, elapsed: float) -> float:
    """Content left of endlessly many doses, the last of which started `elapsed` hours ago."""
    ages = [elapsed + index * every for index in range(math.ceil(200 / K / every))]
    return sum(infusion(rate, duration, age) if rate else bolus(amount, age) for age in ages)


def content(events: Sequence[object], at: float) -> float:
    """Content at `at`, just after the events of that time, by exact propagation of elementary events."""
    doses: list[Bolus | Infusion] = []
    held: list[tuple[float, float]] = []  # content put there at a time
    for event in events:
        if isinstance(event, (Covariate, Observation)) or event.time_h > at:
            continue
        if isinstance(event, SteadyState):
            before = now(doses, held, event.time_h) if event.adds else 0.0
            sent, look = event.train(round(200 / K / (event.interval_h or 1.0)) + 2)
            steady = now(list(sent), [], look) - tail(sent, look)
            doses, held = still_running(doses, event.time_h), [(event.time_h, before + steady)]
        elif isinstance(event, Reset):
            doses, held = still_running(doses, event.time_h), []
        elif isinstance(event, Replace):
            doses, held = still_running(doses, event.time_h), [(event.time_h, event.amount)]
        else:
            doses.append(event)
    return now(doses, held, at)


def now(doses: Sequence[Bolus | Infusion], held: Sequence[tuple[float, float]], at: float) -> float:
    return sum(bolus(amount, at - time) for time, amount in held) + sum(
        bolus(d.amount, at - d.time_h) if isinstance(d, Bolus) else infusion(d.rate, d.duration_h, at - d.time_h)
        for d in doses
    )


def tail(sent: Sequence[Bolus | Infusion], look: float) -> float:
    """What the train's doses at and after the moment of looking would have added by then: nothing."""
    return sum(bolus(d.amount, look - d.time_h) for d in sent if isinstance(d, Bolus) and d.time_h >= look)


def still_running(doses: Sequence[Bolus | Infusion], time: float) -> list[Bolus | Infusion]:
    """What goes on running after `time`: a system that is set to a state knows nothing of pumps."""
    return [
        Infusion(time, dose.compartment, dose.rate, dose.time_h + dose.duration_h - time)
        for dose in doses
        if isinstance(dose, Infusion) and dose.time_h + dose.duration_h > time
    ]


def table(tmp_path: Path, text: str, **options: object) -> EventTable:
    path = tmp_path / "events.csv"
    path.write_text(text.replace(" ", ""))
    return read_events(path, **options)


HEAD = "ID,TIME,EVID,AMT,CMT,RATE,DUR,II,ADDL,SS\n"

# rows, intake of compartment c, time of looking, expected content
CASES = {
    "bolus": ("1,0,1,100,c,0,0,0,0,0", Intake(), 5.0, bolus(100, 5)),
    "additional doses": ("1,1,1,100,c,0,0,6,3,0", Intake(), 20.0, sum(bolus(100, 19 - 6 * i) for i in range(4))),
    "rate": ("1,0,1,100,c,25,0,0,0,0", Intake(), 3.0, infusion(25, 4, 3)),
    "duration": ("1,0,1,100,c,0,4,0,0,0", Intake(), 6.0, infusion(25, 4, 6)),
    "rate and duration that agree": ("1,0,1,100,c,25,4,0,0,0", Intake(), 6.0, infusion(25, 4, 6)),
    "modelled rate": ("1,0,1,100,c,-1,0,0,0,0", Intake(rate=50), 6.0, infusion(50, 2, 6)),
    "modelled duration": ("1,0,1,100,c,-2,0,0,0,0", Intake(duration_h=5), 6.0, infusion(20, 5, 6)),
    "F scales a bolus": ("1,0,1,100,c,0,0,0,0,0", Intake(0.4), 2.0, bolus(40, 2)),
    "F scales the duration of a stated rate": ("1,0,1,100,c,25,0,0,0,0", Intake(0.5), 6.0, infusion(25, 2, 6)),
    "F scales the duration of a modelled rate": (
        "1,0,1,100,c,-1,0,0,0,0", Intake(0.5, rate=50), 6.0, infusion(50, 1, 6)),
    "F scales the rate of a stated duration": ("1,0,1,100,c,0,4,0,0,0", Intake(0.5), 6.0, infusion(12.5, 4, 6)),
    "F scales the rate of a modelled duration": (
        "1,0,1,100,c,-2,0,0,0,0", Intake(0.5, duration_h=5), 6.0, infusion(10, 5, 6)),
    "lag": ("1,1,1,100,c,0,0,0,0,0", Intake(lag_h=2.5), 6.0, bolus(100, 2.5)),
    "lag not yet over": ("1,1,1,100,c,0,0,0,0,0", Intake(lag_h=2.5), 3.0, 0.0),
    "lag of additional doses": ("1,0,1,100,c,0,0,6,2,0", Intake(lag_h=2), 15.0, sum(bolus(100, t) for t in (13, 7, 1))),
    "SS bolus": ("1,0,1,100,c,0,0,12,0,1", Intake(), 5.0, train_of(0, 0, 100, 12, 5)),
    "SS bolus in closed form": ("1,0,1,100,c,0,0,12,0,1", Intake(), 0.0, 100 / (1 - math.exp(-K * 12))),
    "SS infusion shorter than II": ("1,0,1,100,c,25,0,12,0,1", Intake(), 5.0, train_of(25, 4, 0, 12, 5)),
    "SS infusion as long as II": ("1,0,1,100,c,25,0,4,0,1", Intake(), 3.0, 25 / K),
    "SS infusion longer than II": ("1,0,1,100,c,10,0,4,0,1", Intake(), 9.0, train_of(10, 10, 0, 4, 9)),
    "SS infusion longer than II, with F": ("1,0,1,100,c,10,0,4,0,1", Intake(0.7), 9.0, train_of(10, 7, 0, 4, 9)),
    "SS with lag, before the dose": ("1,0,1,100,c,0,0,12,0,1", Intake(lag_h=3), 2.0, train_of(0, 0, 100, 12, 11)),
    "SS with lag, after the dose": ("1,0,1,100,c,0,0,12,0,1", Intake(lag_h=3), 7.0, train_of(0, 0, 100, 12, 4)),
    "SS infusion still running at the lag": (
        "1,0,1,100,c,10,0,12,0,1", Intake(lag_h=5), 1.0, train_of(10, 10, 0, 12, 8)),
    "SS goes on with additional doses": ("1,0,1,100,c,0,0,12,2,1", Intake(), 30.0, train_of(0, 0, 100, 12, 6)),
    "SS with a modelled duration": ("1,0,1,100,c,-2,0,12,0,1", Intake(duration_h=4), 5.0, train_of(25, 4, 0, 12, 5)),
    "SS 2 adds": (
        "1,0,1,70,c,0,0,0,0,0\n1,3,1,100,c,0,0,12,0,2", Intake(), 5.0, bolus(70, 5) + train_of(0, 0, 100, 12, 2)),
    "SS 2 lets an infusion run on": (
        "1,0,1,80,c,10,0,0,0,0\n1,3,1,100,c,0,0,12,0,2", Intake(), 7.0,
        infusion(10, 8, 7) + train_of(0, 0, 100, 12, 4)),
    "SS 1 wipes out what was there": (
        "1,0,1,70,c,10,0,0,0,0\n1,3,1,100,c,0,0,12,0,1", Intake(), 5.0, train_of(0, 0, 100, 12, 2)),
    "SS of an infusion without end stops": ("1,0,1,0,c,10,0,0,0,1", Intake(), 2.0, 10 / K * math.exp(-2 * K)),
    "reset": ("1,0,1,100,c,0,0,0,0,0\n1,4,3,0,c,0,0,0,0,0", Intake(), 4.0, 0.0),
    "reset stops an infusion": ("1,0,1,100,c,10,0,0,0,0\n1,4,3,0,.,0,0,0,0,0", Intake(), 6.0, 0.0),
    "reset calls off additional doses": ("1,0,1,100,c,0,0,6,5,0\n1,7,3,0,.,0,0,0,0,0", Intake(), 20.0, 0.0),
    "reset calls off a lagged dose": ("1,0,1,100,c,0,0,0,0,0\n1,1,3,0,.,0,0,0,0,0", Intake(lag_h=2), 9.0, 0.0),
    "reset and dose": ("1,0,1,100,c,0,0,0,0,0\n1,4,4,60,c,0,0,0,0,0", Intake(), 6.0, bolus(60, 2)),
    "reset and dose resets once": (
        "1,0,1,100,c,0,0,0,0,0\n1,4,4,60,c,0,0,6,2,0", Intake(), 18.0, sum(bolus(60, t) for t in (14, 8, 2))),
    "lag moves the dose and not the reset": (
        "1,0,1,100,c,0,0,0,0,0\n1,4,4,60,c,0,0,0,0,0", Intake(lag_h=1), 4.5, 0.0),
    "reset, SS, ADDL and lag": (
        "1,0,1,999,c,0,0,0,0,0\n1,4,4,60,c,0,0,6,2,1", Intake(lag_h=1), 18.5, train_of(0, 0, 60, 6, 1.5)),
    "two infusions at once add up": (
        "1,0,1,100,c,10,0,0,0,0\n1,2,1,50,c,10,0,0,0,0", Intake(), 5.0, infusion(10, 10, 5) + infusion(10, 5, 3)),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_the_table_means_what_superposition_says(name: str, tmp_path: Path) -> None:
    rows, intake, at, expected = CASES[name]
    events = expand(table(tmp_path, HEAD + rows), "1", {"c": intake})
    assert content(events, at) == pytest.approx(expected, rel=TOLERANCE, abs=1e-12)


def test_lower_case_columns_mean_the_same(tmp_path: Path) -> None:
    rows = CASES["SS infusion longer than II"][0]
    assert expand(table(tmp_path, HEAD.lower() + rows), "1") == expand(table(tmp_path, HEAD + rows), "1")


def test_rows_of_one_time_keep_their_order_and_additional_doses_come_first(tmp_path: Path) -> None:
    rows = "1,0,1,100,c,0,0,6,1,0\n1,6,0,0,.,0,0,0,0,0\n1,6,1,50,c,0,0,0,0,0\n1,6,0,0,.,0,0,0,0,0"
    kinds = [(type(e).__name__, e.time_h) for e in expand(table(tmp_path, HEAD + rows), "1")]
    assert kinds == [("Bolus", 0), ("Bolus", 6), ("Observation", 6), ("Bolus", 6), ("Observation", 6)]


def test_replace_needs_to_be_asked_for_and_then_replaces(tmp_path: Path) -> None:
    rows = HEAD + "1,0,1,100,c,0,0,0,0,0\n1,4,8,60,c,0,0,0,0,0"
    with pytest.raises(UnsupportedError, match="replace_evid=8"):
        table(tmp_path, rows)
    events = expand(table(tmp_path, rows, replace_evid=8), "1")
    assert content(events, 6.0) == pytest.approx(bolus(60, 2), rel=TOLERANCE)


def test_a_covariate_holds_backward_or_forward_as_chosen(tmp_path: Path) -> None:
    text = "ID,TIME,EVID,AMT,CMT,WT\n1,0,1,10,c,70\n1,4,0,0,c,80\n1,9,0,0,c,90\n"
    forward = [e for e in expand(table(tmp_path, text, carry="LOCF"), "1") if isinstance(e, Covariate)]
    backward = [e for e in expand(table(tmp_path, text, carry="NOCB"), "1") if isinstance(e, Covariate)]
    assert [(e.time_h, e.value) for e in forward] == [(0, 70), (4, 80), (9, 90)]
    assert [(e.time_h, e.value) for e in backward] == [(0, 70), (0, 80), (4, 90)]


def test_missing_covariates_are_filled_from_the_side_the_rule_says(tmp_path: Path) -> None:
    text = "ID,TIME,EVID,AMT,CMT,WT\n1,0,1,10,c,70\n1,4,0,0,c,.\n1,9,0,0,c,90\n"
    for carry, changes in (("LOCF", [(0, 70), (9, 90)]), ("NOCB", [(0, 70), (0, 90)])):
        found = list(table(tmp_path, text, carry=carry).covariate_changes("1"))
        assert [(time, value) for time, _, value in found] == changes


@pytest.mark.parametrize(
    ("rate", "intake", "wrong"),
    [
        ("-1", Intake(), "the model gives none"),
        ("-2", Intake(rate=3.0), "do not leave it to the model"),
        ("0", Intake(rate=3.0), "do not leave it to the model"),
        ("20", Intake(duration_h=3.0), "do not leave it to the model"),
    ],
)
def test_data_and_model_have_to_agree_on_who_states_the_rate(
    rate: str, intake: Intake, wrong: str, tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=wrong):
        expand(table(tmp_path, HEAD + f"1,0,1,100,c,{rate},0,0,0,0"), "1", {"c": intake})


def test_a_steady_state_with_a_lag_of_an_interval_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedError, match="line 2, column SS"):
        expand(table(tmp_path, HEAD + "1,0,1,100,c,0,0,12,0,1"), "1", {"c": Intake(lag_h=12)})


@pytest.mark.parametrize("bad", [{"bioavailability": -0.1}, {"lag_h": math.nan}, {"rate": 0.0}, {"duration_h": -1.0}])
def test_an_impossible_intake_is_refused(bad: dict[str, float]) -> None:
    with pytest.raises(InputError):
        Intake(**bad)
