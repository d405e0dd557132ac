"""A regimen: what is given at a session, and when its sessions are.

A session is made of one or more steps without a gap between them: an infusion is one step, a loading dose
followed by an infusion is two. An esketamine nasal dose is one step of one or more 28-mg devices, five minutes
apart. A dose keeps the unit, the weight and the form (base or hydrochloride) in which it was stated; mg of
base come out when a person is known.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from rekindle.dosing import limits
from rekindle.dosing.drugs import DEVICE_GAP_MIN, FORMS, Form, base_mg, drug
from rekindle.dosing.routes import INTRAVENOUS, route
from rekindle.dosing.timing import OnDays, Timing, once
from rekindle.dosing.weights import WEIGHTS, Body, Weight, dosing_weight_kg
from rekindle.errors import InputError, unknown

Unit = Literal["mg", "mg/kg"]
MINUTES_PER_DAY = 24 * 60


@dataclass(frozen=True)
class Dose:
    """An amount as prescribed: `amount` in `unit`; `weight` says which weight a mg/kg dose goes by.

    Raises:
        InputError: the amount is not a finite number above zero, or the unit or weight is unknown.
    """

    amount: float
    unit: Unit = "mg"
    weight: Weight = "actual"

    def __post_init__(self) -> None:
        if self.unit not in ("mg", "mg/kg"):
            raise unknown("unit", self.unit, ("mg", "mg/kg"))
        if self.weight not in WEIGHTS:
            raise unknown("weight", self.weight, WEIGHTS)
        if self.unit == "mg" and self.weight != "actual":
            raise InputError(
                f"A dose in mg does not go by {self.weight} body weight.",
                hint="Write mg/kg, or leave the weight out.",
            )
        if not math.isfinite(self.amount) or self.amount <= 0:
            raise InputError(
                f"A dose of {self.amount:g} {self.unit} is not a dose.", hint="It should be more than zero."
            )
        object.__setattr__(self, "amount", float(self.amount))

    def amount_mg(self, body: Body) -> float:
        """mg, in the stated form, for a person of that body.

        Raises:
            InputError: a mg/kg dose without the weight, height or sex it needs.
        """
        return self.amount if self.unit == "mg" else self.amount * dosing_weight_kg(self.weight, body)


@dataclass(frozen=True)
class Step:
    """One dose by one route; `duration_min` for an infusion, None for what is given at once."""

    dose: Dose | None
    route: str
    duration_min: float | None = None

    def __post_init__(self) -> None:
        way = route(self.route)
        if self.duration_min is None and way.pace == "over time":
            raise InputError("An infusion needs its duration.", hint='Add "over 40 min", or say "IV bolus".')
        if self.duration_min is not None:
            if way.pace == "at once":
                raise InputError(
                    f"A dose by this route ({way.name}) is given at once and has no duration.",
                    hint='Leave "over ..." out; "IV over 40 min" is an infusion.',
                )
            limits.check_duration(self.duration_min)
            object.__setattr__(self, "duration_min", float(self.duration_min))


@dataclass(frozen=True)
class Regimen:
    """A drug, the steps of each session, and the timing of the sessions.

    `start_day` sets the first day of a rhythm (None: where the sentence has got to; see `timing`).
    `clock_min` are the minutes after midnight of the sessions of a day. Raises `InputError` when the parts
    do not go together (a mg/kg dose in a device, a drug by a route it does not have, and the like).
    """

    drug: str
    steps: tuple[Step, ...]
    timing: Timing
    form: Form = "base"
    start_day: int | None = None
    clock_min: tuple[int, ...] = (0,)

    def __post_init__(self) -> None:
        if drug(self.drug).name == "none":
            raise InputError("No treatment is not a regimen.", hint="An empty Course() is no treatment.")
        object.__setattr__(self, "drug", drug(self.drug).name)
        self._check_form()
        if not self.steps:
            raise InputError("A session needs something to be given.")
        for step in self.steps:
            self._check_step(step)
        self._check_several_steps()
        self._check_times()

    def _check_form(self) -> None:
        if self.form not in FORMS:
            raise unknown("form", self.form, FORMS)
        if self.form == "hydrochloride" and not drug(self.drug).has_hydrochloride:
            raise InputError(
                f"{self.drug} is not dosed as hydrochloride here.",
                hint="Leave the word out: mg of base are meant.",
            )

    def _check_step(self, step: Step) -> None:
        given = drug(self.drug)
        if step.route not in given.routes:
            raise InputError(
                f"{given.spoken} is not given by this route ({step.route}).",
                hint=f"Routes of {given.spoken}: {', '.join(given.routes)}.",
            )
        if not given.dosed:
            if step.dose is not None:
                raise InputError(
                    f"{given.spoken} has no dose here; what counts is that it is given.",
                    hint="Leave the dose out.",
                )
            return
        if step.dose is None:
            raise InputError(f"The dose of {given.spoken} is missing.", hint='For example: "0.5 mg/kg" or "84 mg".')
        if step.route == "intranasal-device":
            self._check_device(step.dose)
        limits.check_amount(given, step.dose.amount, step.dose.unit, duration_min=step.duration_min)

    def _check_device(self, dose: Dose) -> None:
        if dose.unit == "mg/kg":
            raise InputError("The esketamine nasal device gives 28 mg, not mg/kg.", hint="Say 28, 56 or 84 mg.")
        if self.form == "hydrochloride":
            raise InputError(
                "Device doses are stated as base (28 mg base is 32.3 mg hydrochloride).",
                hint="Say 28, 56 or 84 mg.",
            )
        limits.check_devices(dose.amount)

    def _check_several_steps(self) -> None:
        if len(self.steps) > 1 and any(step.route not in INTRAVENOUS for step in self.steps):
            raise InputError(
                "Only intravenous doses can follow one another within a session.",
                hint='Say when each is given, for example "once", or combine them with "with".',
            )

    def _check_times(self) -> None:
        if isinstance(self.timing, OnDays) and self.start_day is not None:
            raise InputError("Listed days have no starting day.", hint="The days count from day 1 of the course.")
        if self.start_day is not None and self.start_day < 1:
            raise InputError(f"A course cannot start on day {self.start_day}.", hint="Day 1 is its first day.")
        times = self.clock_min
        if len(times) > 1 and not isinstance(self.timing, OnDays) and self.timing.sessions is not None:
            raise InputError("Several doses a day need a length in days.", hint='For example: "for 2 weeks".')
        if not times or list(times) != sorted(set(times)) or times[0] < 0 or times[-1] >= MINUTES_PER_DAY:
            raise InputError(
                "The times of day are not in order within one day.", hint="For example: at 09:00 and 21:00."
            )

    @property
    def route(self) -> str:
        """The route of the session's first step."""
        return self.steps[0].route

    @property
    def devices(self) -> int:
        """Nasal devices in a session; 0 for every other route."""
        dose = self.steps[0].dose
        return limits.check_devices(dose.amount) if self.route == "intranasal-device" and dose else 0

    @property
    def session_min(self) -> float:
        """Minutes from the start of a session's first dose to the end of its last."""
        if self.devices:
            return DEVICE_GAP_MIN * (self.devices - 1)
        return sum(step.duration_min or 0.0 for step in self.steps)

    def step_mg(self, step: Step, body: Body) -> tuple[float, float]:
        """mg of base given in a step, and mg in the form in which it is stated; 0 for what has no dose."""
        if step.dose is None:
            return 0.0, 0.0
        stated = step.dose.amount_mg(body)
        return base_mg(stated, self.form), stated


def give(
    drug_name: str,
    amount: float | None = None,
    unit: Unit = "mg",
    *,
    route: str | None = None,
    over_min: float | None = None,
    timing: Timing | None = None,
    weight: Weight = "actual",
    form: Form = "base",
    start_day: int | None = None,
    clock_min: tuple[int, ...] = (0,),
) -> Regimen:
    """A regimen of single-step sessions, in words close to the sentence.

    >>> give("ketamine", 0.5, "mg/kg", route="iv-infusion", over_min=40).timing
    OnDays(days=(1,))

    `route` may be left out for a drug that has only one here, `timing` for a single session on day 1.

    Raises:
        InputError: an unknown drug, route or unit, or parts that do not go together.
    """
    chosen = drug(drug_name)
    if route is None:
        if len(chosen.routes) > 1:
            raise InputError(f"The route of {chosen.spoken} is missing.", hint=f"One of {', '.join(chosen.routes)}.")
        route = chosen.routes[0]
    dose = None if amount is None else Dose(amount, unit, weight)
    step = Step(dose, route, over_min)
    return Regimen(chosen.name, (step,), timing or once(), form, start_day, clock_min)
