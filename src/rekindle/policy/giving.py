"""From sessions to what enters the model: the events of every dose, contact, care, and a record of what was given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rekindle.dosing.drugs import DEVICE_MG
from rekindle.engine.schedule import Infusion, Set
from rekindle.engine.table import Happenings, targets
from rekindle.errors import InputError
from rekindle.mechanism.delivery import CONTACT_H, DURATIONS, NEEDED, deliver
from rekindle.policy.sessions import Kinds

if TYPE_CHECKING:
    from rekindle.dosing.administration import Administration
    from rekindle.dosing.weights import Body
    from rekindle.engine.lower import Lowered

Array = NDArray[np.float64]
Whole = NDArray[np.int64]
CIRCUMSTANCES = ("contact", "care")


@dataclass(frozen=True)
class Entry:
    """One event of a session: so many hours into it, into which target, how much of everybody and for how long."""

    after_h: float
    target: int
    value: Array
    duration: Array


class Giving:
    """How doses enter for the people of an arm.

    `own` holds everybody's values of the delivery parameters, of `oral_antidepressant` and `care_after`, each of
    shape (people,). What would enter one of `left_out` is dropped (a part of the model that is not solved).
    """

    def __init__(
        self, lowered: Lowered, kinds: Kinds, bodies: Sequence[Body], own: Mapping[str, Array],
        left_out: frozenset[str] = frozenset(),
    ) -> None:  # fmt: skip
        self.kinds, self.bodies, self.own = kinds, bodies, own
        self.target, self.left_out = targets(lowered), frozenset(left_out)
        self._entries: dict[tuple[int, int], tuple[Entry, ...]] = {}
        self._mg: dict[tuple[int, int], Array] = {}
        table = np.column_stack([own[name] for name in DURATIONS])
        _, self._group = np.unique(table, axis=0, return_inverse=True)
        self._group = self._group.ravel()

    def happenings(self, person: Whole, time: Array, kind: Whole, amount: Array) -> Happenings:
        """The events of sessions, contact apart: shape (sessions,) each."""
        parts = []
        for (number, devices), here in self._alike(kind, amount):
            nominal = self.kinds.all[number].amount
            scaled = not devices and nominal > 0.0
            factor = amount[here] / nominal if scaled else np.ones(len(here))
            for entry in self._template(number, devices):
                who = person[here]
                value, duration = entry.value[who] * factor, entry.duration[who]
                some = value != 0.0
                parts.append(
                    Happenings(
                        who[some], time[here][some] + entry.after_h, np.full(int(some.sum()), entry.target),
                        value[some], duration[some],
                    )
                )  # fmt: skip
        return Happenings.join(parts)

    def mg(self, person: Whole, kind: Whole, amount: Array) -> Array:
        """mg of base given in sessions, shape (sessions,)."""
        found = np.zeros(len(person))
        for (number, devices), here in self._alike(kind, amount):
            self._template(number, devices)
            nominal = self.kinds.all[number].amount
            factor = amount[here] / nominal if not devices and nominal > 0.0 else 1.0
            found[here] = self._mg[number, devices][person[here]] * factor
        return found

    def _alike(self, kind: Whole, amount: Array) -> list[tuple[tuple[int, int], Whole]]:
        """Sessions that share a template: of one kind, and from as many devices."""
        devices = np.append(self.kinds.devices(), False)[kind]
        count = np.where(devices, np.round(amount / DEVICE_MG), 0).astype(np.int64)
        pairs = sorted(set(zip(kind.tolist(), count.tolist(), strict=True)))
        return [(pair, np.flatnonzero((kind == pair[0]) & (count == pair[1]))) for pair in pairs]

    def _template(self, number: int, devices: int) -> tuple[Entry, ...]:
        key = number, devices
        if key not in self._entries:
            doses = self._administrations(number, devices)
            self._mg[key] = sum((_each(dose.amount_mg, len(self.bodies)) for dose in doses), np.zeros(len(self.bodies)))
            self._entries[key] = self._delivered(doses)
        return self._entries[key]

    def _administrations(self, number: int, devices: int) -> tuple[Administration, ...]:
        from rekindle.dosing import Course
        from rekindle.dosing.regimen import Dose

        regimen = self.kinds.all[number].regimen
        if devices:
            step = replace(regimen.steps[0], dose=Dose(devices * DEVICE_MG))
            regimen = replace(regimen, steps=(step,))
        return Course.of(regimen).administrations_together(self.bodies)

    def _delivered(self, doses: Sequence[Administration]) -> tuple[Entry, ...]:
        """The events of administrations, people with other durations of release apart."""
        found: dict[tuple[float, str, int], Entry] = {}
        count = len(self.bodies)
        for group in range(int(self._group.max()) + 1):
            who = np.flatnonzero(self._group == group)
            for people, events in _events(doses, self.own, who):
                seen: dict[tuple[float, str], int] = {}
                for event in events:
                    if isinstance(event, Set) or event.target in CIRCUMSTANCES or event.target in self.left_out:
                        continue
                    place = seen[event.time, event.target] = seen.get((event.time, event.target), -1) + 1
                    key = event.time, event.target, place
                    if key not in found:
                        found[key] = Entry(event.time, self._target(event.target), np.zeros(count), np.zeros(count))
                    found[key].value[people] = event.rate if isinstance(event, Infusion) else event.amount
                    found[key].duration[people] = event.duration if isinstance(event, Infusion) else 0.0
        return tuple(found.values())

    def _target(self, name: str) -> int:
        if name not in self.target:
            raise InputError(
                f"The model has no way in for a dose: it lacks '{name}'.",
                hint="Name the state or the input parameter that takes the dose so.",
            )
        return self.target[name]

    def fixed(self, doses: Sequence[Administration]) -> Happenings:
        """The events of doses that no rule changes, contact and care apart, for everybody."""
        if not doses:
            return Happenings.none()
        everybody = np.arange(len(self.bodies))
        parts = [
            Happenings(everybody, np.full(len(everybody), entry.after_h), np.full(len(everybody), entry.target),
                       entry.value, entry.duration)
            for entry in self._delivered(doses)
        ]  # fmt: skip
        parts = [part.take(part.value != 0.0) for part in parts]
        settings = [event for event in deliver(doses, {"oral_antidepressant": 0.0}) if isinstance(event, Set)]
        for event in settings:
            value = np.full(len(everybody), event.value)
            if event.value == 0.0:
                value = np.asarray(self.own["oral_antidepressant"], dtype=np.float64)
            into = np.full(len(everybody), self._target(event.parameter))
            parts.append(Happenings(everybody, np.full(len(everybody), event.time), into, value, np.zeros(len(value))))
        return Happenings.join(parts)

    def touched(self, doses: Sequence[Administration]) -> frozenset[str]:
        """Names of the states and parameters that anything given may act on, `doses` that no rule changes too."""
        names = {code: name for name, code in self.target.items()}
        found = set(CIRCUMSTANCES) & set(self.target)
        for number, kind in enumerate(self.kinds.all):
            found |= {names[entry.target] for entry in self._template(number, kind.regimen.devices)}
        return frozenset(found | {names[code] for code in np.unique(self.fixed(doses).target).tolist()})

    def circumstance(self, name: str, person: Whole, time: Array, duration: Array) -> Happenings:
        """Contact or care of 1 for some hours; nothing in a model that does not know of it."""
        if name not in self.target:
            return Happenings.none()
        some = duration > 1e-9
        person, time, duration = person[some], time[some], duration[some]
        return Happenings(person, time, np.full(len(person), self.target[name]), np.ones(len(person)), duration)


class Contact:
    """Visits of two hours at which somebody is with the person; those that overlap are one."""

    def __init__(self, people: int) -> None:
        self.until = np.full(people, -np.inf)

    def begin(self, person: Whole, time: Array) -> tuple[Whole, Array]:
        """Which of these sessions (in any order) begin a visit: person and time of each."""
        order = np.lexsort((time, person))
        person, time = person[order], time[order]
        rank = np.arange(len(person)) - np.searchsorted(person, person)
        begins = np.zeros(len(person), dtype=bool)
        for k in range(int(rank.max(initial=-1)) + 1):
            here = np.flatnonzero(rank == k)
            here = here[time[here] > self.until[person[here]]]
            begins[here] = True
            self.until[person[here]] = time[here] + CONTACT_H
        return person[begins], time[begins]


def _each(amount: Any, count: int) -> Array:
    return np.broadcast_to(np.asarray(amount, dtype=np.float64), (count,))


def _events(doses: Sequence[Administration], own: Mapping[str, Array], who: Whole) -> list[tuple[Any, Sequence[Any]]]:
    """The events of some people who share durations: together where a dose is divided alike, else one by one."""

    def told(people: Whole) -> list[Administration]:
        return [
            replace(dose, amount_mg=_one_or_each(np.asarray(dose.amount_mg)[people]))
            if isinstance(dose.amount_mg, np.ndarray)
            else dose
            for dose in doses
        ]

    def values(people: Whole) -> dict[str, Any]:
        found = {name: _one_or_each(own[name][people]) for name in NEEDED}
        return found | {name: float(own[name][people[0]]) for name in DURATIONS}

    try:
        return [(who, deliver(told(who), values(who)))]
    except ValueError:
        alone = [who[[i]] for i in range(len(who))]
        return [(one, deliver(told(one), values(one))) for one in alone]


def _one_or_each(values: Array) -> Any:
    return float(values[0]) if np.all(values == values[0]) else values
