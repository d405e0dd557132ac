"""Laws that Rekindle's model obeys whatever its parameters: mass, linearity, steady states, the vicious cycle, units.

Where a law needs a setting (a bistable person, a well one), the test makes the setting from the model's own
formulas, so that it rests on the structure and not on the values of the day.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

import libsbml
import numpy as np
import pytest
from numpy.typing import NDArray

from rekindle.cohort import cohort
from rekindle.dosing import parse
from rekindle.engine import Bolus, Infusion, Lowered, Schedule, SteadyState, lower, read_antimony, solve
from rekindle.engine.sbml_export import to_sbml
from rekindle.mechanism.assemble import antimony_text
from rekindle.mechanism.delivery import deliver
from rekindle.population import KINDS, concat, draw
from rekindle.simulate import lowered_model
from rekindle.study import Arm

Floats = NDArray[np.float64]
Dose = Bolus | Infusion

YEAR_H = 8760.0
WEEK_H = 168.0
LINEAR = {
    "iv-infusion": "{} mg {} IV over 40 min",
    "iv-bolus": "{} mg {} IV bolus",
    "intramuscular": "{} mg {} IM",
    "subcutaneous": "{} mg {} subcutaneously",
    "intranasal": "{} mg {} by nasal atomiser",
    "oral": "{} mg {} orally",
    "oral-extended-release": "{} mg extended-release oral {}",
    "sublingual-film": "{} mg {} sublingual film",
    "sublingual-lozenge": "{} mg {} sublingual lozenge",
}
INHALED = "{} mg {} inhaled over 20 min"
DEVICE = "{} mg intranasal {}"
FORMS = ("ketamine", "esketamine", "arketamine")
LEVELS = (
    "plasma_ketamine_S", "plasma_ketamine_R", "plasma_norketamine_S", "plasma_norketamine_R",
    "plasma_hydroxynorketamine_S", "plasma_hydroxynorketamine_R", "arterial_ketamine", "effect_site_S", "effect_site_R",
)  # fmt: skip
HOURS = (0.1, 0.45, 1.1, 2.3, 6.0, 24.0, 72.0)


@cache
def people() -> Floats:
    """Parameters of one person of each population, rows for the model."""
    return drawn(1)


def drawn(each: int, **values: float) -> Floats:
    """Parameters of people from every population, shape (people, parameters), some set for all."""
    who = concat([draw(kind, each, seed=7) for kind in KINDS])
    ready = cohort(who, Arm("laws", parse("no treatment")), hypotheses={}, output_times=(0.0,), horizon_h=1.0)
    model = lowered_model()
    column = {name: index for index, name in enumerate(ready.names)}
    rows = ready.parameters[:, [column[name] for name in model.parameters]].copy()
    for name, value in values.items():
        rows[:, model.parameters.index(name)] = value
    return rows


def doses(sentence: str) -> tuple[Dose, ...]:
    """A sentence as events of the drug alone, without the visit at which it is given."""
    found = deliver(parse(f"{sentence}, once").administrations(weight_kg=70.0))
    return tuple(event for event in found if isinstance(event, Bolus | Infusion) and event.target != "contact")


def moved(events: Sequence[Dose], hours: float, share: float = 1.0) -> tuple[Dose, ...]:
    """The same doses later, and larger or smaller."""
    return tuple(
        Bolus(event.time + hours, event.target, share * event.amount)
        if isinstance(event, Bolus)
        else Infusion(event.time + hours, event.target, share * event.rate, event.duration)
        for event in events
    )


def solved(
    rows: Floats | None, events: Sequence[Dose], times: Sequence[float], outputs: Sequence[str], exact: float = 1e-11
) -> Floats:
    """Outputs, shape (people, times, outputs)."""
    schedule = Schedule(tuple(events), tuple(times))
    found = solve(lowered_model(), rows, schedule, outputs, backend="reference", relative_tolerance=exact, threads=1)
    assert not found.failures, found.failures
    return found.values


def holding() -> list[str]:
    """The states that hold drug or metabolite: all those counted in mg, midazolam apart."""
    model = lowered_model()
    units = model.network.units
    return [name for name in model.states if units[name] == "mg" and name != "midazolam"]


def entered(events: Sequence[Dose], time: float) -> float:
    """mg that have entered the body by then."""
    return sum(
        event.amount if isinstance(event, Bolus) else event.rate * min(time - event.time, event.duration)
        for event in events
        if event.time < time
    )


ALL_ROUTES = {**LINEAR, "inhaled": INHALED, "intranasal-device": DEVICE}


@pytest.mark.parametrize("route", ALL_ROUTES)
def test_what_was_given_is_in_the_body_or_gone_from_it(route: str) -> None:
    for form in ("esketamine",) if route == "intranasal-device" else FORMS:
        first = doses(ALL_ROUTES[route].format(84 if route == "intranasal-device" else 50, form))
        events = (*first, *moved(first, 3.0))
        held = solved(people(), events, HOURS, holding()).sum(axis=2)
        given = np.array([entered(events, time) for time in HOURS])
        assert np.abs(held / given - 1.0).max() <= 1e-9
        assert held[:, -1] == pytest.approx(168.0 if route == "intranasal-device" else 100.0, rel=1e-9)


def test_a_milligram_that_goes_missing_is_seen() -> None:
    events = doses(LINEAR["oral"].format(50, "ketamine"))
    kept = [name for name in holding() if not name.startswith("gut_lost")]
    held = solved(people(), events, HOURS, kept).sum(axis=2)
    assert np.abs(held[:, -1] / 50.0 - 1.0).max() > 1e-3


@pytest.mark.parametrize("route", [*LINEAR, "intranasal-device"])
def test_twice_the_dose_is_twice_the_level(route: str) -> None:
    form = "esketamine" if route == "intranasal-device" else "ketamine"
    one = doses(ALL_ROUTES[route].format(28 if route == "intranasal-device" else 40, form))
    single = solved(people(), one, HOURS, LEVELS)
    double = solved(people(), moved(one, 0.0, share=2.0), HOURS, LEVELS)
    size = single.max(axis=1, keepdims=True).clip(1e-9)
    assert (np.abs(double - 2.0 * single) / size).max() <= 1e-8


@pytest.mark.parametrize("route", [*LINEAR, "intranasal-device"])
def test_two_doses_give_the_sum_of_what_each_gives(route: str) -> None:
    form = "esketamine" if route == "intranasal-device" else "arketamine"
    first = doses(ALL_ROUTES[route].format(28 if route == "intranasal-device" else 40, form))
    second = moved(doses(LINEAR["oral"].format(60, "ketamine")), 0.25)
    both = solved(people(), (*first, *second), HOURS, LEVELS)
    alone = solved(people(), first, HOURS, LEVELS) + solved(people(), second, HOURS, LEVELS)
    size = alone.max(axis=1, keepdims=True)
    assert (np.abs(both - alone) / size).max() <= 1e-8


def test_an_inhaled_dose_is_the_exception() -> None:
    one = doses(INHALED.format(60, "ketamine"))
    single = solved(people(), one, HOURS, ["plasma_ketamine"])
    double = solved(people(), moved(one, 0.0, share=2.0), HOURS, ["plasma_ketamine"])
    assert (double < 1.999 * single).all()


@cache
def drug_alone() -> Lowered:
    """The pharmacokinetics without what follows from it, which takes years to settle."""
    return lower(read_antimony(antimony_text(processes=["absorption", "disposition"])))


@pytest.mark.parametrize("route", ALL_ROUTES)
def test_the_steady_state_is_the_limit_of_many_doses(route: str) -> None:
    interval, last = 12.0, 90
    form = "esketamine" if route == "intranasal-device" else "ketamine"
    one = doses(ALL_ROUTES[route].format(28 if route == "intranasal-device" else 50, form))
    model = drug_alone()
    places = [lowered_model().parameters.index(name) for name in model.parameters]
    row = people()[3, places]  # an older person: slow clearance
    times = tuple(last * interval + hour for hour in (0.35, 1.0, 5.0, 11.0))
    many = Schedule(tuple(e for k in range(last + 1) for e in moved(one, k * interval)), times)
    begun = SteadyState(last * interval, one, interval)
    at_once = Schedule((begun, *moved(one, last * interval)), times, start=last * interval)
    limit, steady = (
        solve(model, row, schedule, LEVELS, backend="reference", relative_tolerance=1e-11).values[0]
        for schedule in (many, at_once)
    )
    assert (np.abs(steady - limit).max(axis=0) / limit.max(axis=0).clip(1e-9)).max() <= 1e-8


ALONE = {"natural_course": 0.0, "care": 0.0}


def test_people_left_alone_stay_as_they_are_for_a_year() -> None:
    model = lowered_model()
    rows = drawn(6, **ALONE)
    found = solved(rows, (), (0.0, 24.0, WEEK_H, 720.0, 2190.0, 4380.0, YEAR_H), model.states)
    size = np.abs(found[:, 0])
    drift = np.abs(found - found[:, :1]).max(axis=1) / np.where(size > 1e-3, size, 1.0)
    worst = np.unravel_index(int(drift.argmax()), drift.shape)
    assert drift.max() <= 1e-6, (model.states[worst[1]], drift.max())
    rest = found[:, 0, model.states.index("depression")]
    assert (rest[: 6 * (len(KINDS) - 1)] > 0.3).all(), "the first four populations are depressed"
    assert (rest[6 * (len(KINDS) - 1) :] < 0.2).all(), "the last is well"


def test_a_short_knock_passes_so_the_resting_state_is_one_that_holds() -> None:
    rows = drawn(4, **ALONE)
    knock = Infusion(0.0, "external_stress", 0.02, 72.0)
    times = (*np.linspace(24.0, 1440.0, 40).tolist(), 2 * YEAR_H)
    off = solved(rows, (knock,), times, ["depression"], exact=1e-9)[:, :, 0]
    rest = solved(rows, (), (0.0,), ["depression"])[:, 0, 0]
    away = np.abs(off - rest[:, None])
    assert (away[:, :-1].max(axis=1) > 1e-5).all(), "the knock is felt"
    assert (away[:, -1] < 0.5 * away[:, :-1].max(axis=1)).all()


def setting(loop: float, **values: float) -> tuple[dict[str, float], float]:
    """Parameters of a person whose vicious cycle spans `loop` widths of the mood switch, and the span itself.

    The span is how far the drive falls from a person who rests well to one who rests deep in the illness, by the
    model's own formulas of rest; above about four widths both are places to rest.
    """
    model = lowered_model()
    drive = {}
    for depth in (0.001, 0.999):
        typical = {"failed_treatments": 0.0, "reference_failures": 0.0, "least_depth": 0.0}
        row = model.row({"depressed": 1.0, "depth": depth, **typical})
        drive[depth] = solved(row, (), (0.0,), ["resting_drive"])[0, 0, 0]
    span = drive[0.001] - drive[0.999]
    chosen = {**ALONE, "drive_width": span / loop, "failed_treatments": 0.0, "reference_failures": 0.0, **values}
    return chosen, span


def course(values: Mapping[str, float], events: Sequence[Dose], times: Sequence[float]) -> Floats:
    """Depression of the typical person with these values, shape (times,)."""
    return solved(lowered_model().row(values), events, times, ["depression"], exact=1e-9)[0, :, 0]


LATER = (YEAR_H, 2 * YEAR_H)


def test_illness_feeds_itself() -> None:
    _, span = setting(10.0)
    assert span > 0.0


def test_heavy_stress_tips_a_well_person_who_then_stays_ill_after_it_has_ended() -> None:
    well, _ = setting(10.0, depressed=0.0, well_depth=0.03)
    assert course(well, (), LATER) == pytest.approx([0.03, 0.03], rel=1e-6)
    stressed = course(well, (Infusion(0.0, "external_stress", 3.0, 8 * WEEK_H),), (8 * WEEK_H, *LATER))
    assert (stressed > 0.8).all()
    assert stressed[2] == pytest.approx(stressed[1], rel=1e-3), "it has come to rest there"


def test_light_stress_passes() -> None:
    well, _ = setting(10.0, depressed=0.0, well_depth=0.03)
    stressed = course(well, (Infusion(0.0, "external_stress", 0.01, 8 * WEEK_H),), (8 * WEEK_H, *LATER))
    assert stressed[0] > 0.0301
    assert stressed[2] == pytest.approx(0.03, rel=1e-3)


def test_where_illness_does_not_feed_itself_enough_even_heavy_stress_passes() -> None:
    well, _ = setting(1.0, depressed=0.0, well_depth=0.03)
    stressed = course(well, (Infusion(0.0, "external_stress", 3.0, 8 * WEEK_H),), (8 * WEEK_H, 3 * YEAR_H))
    assert stressed[0] > 0.05
    assert stressed[1] == pytest.approx(0.03, rel=1e-3)


def test_a_depressed_person_stays_so_until_treatment_is_long_enough_to_break_the_cycle() -> None:
    _, span = setting(10.0)
    ill, _ = setting(
        10.0, depressed=1.0, depth=0.95, drive_electroconvulsive=span, ec50_electroconvulsive=1.0,
        tau_electroconvulsive=WEEK_H,
    )  # fmt: skip
    assert course(ill, (), LATER) == pytest.approx([0.95, 0.95], rel=1e-6)
    short = course(ill, (Bolus(0.0, "electroconvulsive", 0.05),), (24.0, *LATER))
    assert short[0] < 0.94
    assert short[-1] == pytest.approx(0.95, rel=1e-2)
    series = tuple(Bolus(week * WEEK_H, "electroconvulsive", 8.0) for week in range(12))
    long = course(ill, series, LATER)
    assert (long < 0.2).all()


@cache
def exported() -> str:
    """The model as SBML with doses of every kind as events."""
    given = parse("0.5 mg/kg IV over 40 min, day 1, then 84 mg intranasal esketamine, day 4, with ECT, day 2")
    events = deliver(given.administrations(weight_kg=70.0))
    return to_sbml(lowered_model().network, Schedule(events, (100.0,)))


def complaints(document: libsbml.SBMLDocument) -> list[str]:
    document.checkConsistencyWithStrictUnits()
    return [
        document.getError(i).getMessage()
        for i in range(document.getNumErrors())
        if document.getError(i).getSeverity() >= libsbml.LIBSBML_SEV_ERROR
    ]


def test_units_agree_everywhere_strictly() -> None:
    assert complaints(libsbml.readSBMLFromString(exported())) == []


@pytest.mark.parametrize(
    ("parameter", "unit"),
    [
        ("clearance", "hour"),
        ("tau_mood", "mg"),
        ("effect_site_rate", "L"),
        ("systolic_maximum", "mg"),
        ("ec50_pyramidal", "mg"),
    ],
)
def test_one_wrong_unit_is_seen(parameter: str, unit: str) -> None:
    document = libsbml.readSBMLFromString(exported())
    assert document.getModel().getParameter(parameter).setUnits(unit) == libsbml.LIBSBML_OPERATION_SUCCESS
    assert complaints(document)


def numbers(node: libsbml.ASTNode) -> list[libsbml.ASTNode]:
    """Every number in a formula, exponents included."""
    found = [node] if node.isNumber() else []
    for i in range(node.getNumChildren()):
        found += numbers(node.getChild(i))
    return found


def test_every_number_in_a_formula_carries_a_unit() -> None:
    model = libsbml.readSBMLFromString(exported()).getModel()
    formulas = [
        *(rule.getMath() for rule in model.getListOfRules()),
        *(start.getMath() for start in model.getListOfInitialAssignments()),
        *(event.getTrigger().getMath() for event in model.getListOfEvents()),
        *(what.getMath() for event in model.getListOfEvents() for what in event.getListOfEventAssignments()),
    ]
    found = [number for formula in formulas for number in numbers(formula)]
    assert len(found) > 150
    assert not [libsbml.formulaToL3String(number) for number in found if not number.isSetUnits()]
    assert all(parameter.isSetUnits() for parameter in model.getListOfParameters())
