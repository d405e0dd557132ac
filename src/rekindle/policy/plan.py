"""What everybody is still to be given, and how actions change it: people times sessions, all at once.

A session is a time, a kind (drug, route, steps: what a regimen gives at one session) and a dose in the unit in which
it is stated. Sessions still to come stand in order of time; a place that holds none has the time infinity.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rekindle.dosing.drugs import DEVICE_MG
from rekindle.policy.rules import Amount, DoseBy, DoseTo, Interval
from rekindle.policy.sessions import Kinds, Sequel

Array = NDArray[np.float64]
Whole = NDArray[np.int64]

SAME_H = 1.0 / 60.0
"""Times within a minute are one."""

SAME_SESSION_H = 2.0


class Plan:
    """The sessions to come of `people`, and what each has had. Times are hours since the start of the study.

    `time`, `kind` and `amount` have shape (people, sessions). `end_h` is when the course is over, `interval_h` the
    interval that a rule has set (NaN where none has). `last_*` is the last session given; `kept_*` the dose and
    interval with which a stopped person would go on.
    """

    def __init__(self, people: int, sequel: Sequel, kinds: Kinds, horizon_h: float) -> None:
        self.kinds, self.horizon_h = kinds, horizon_h
        self.time = np.tile(sequel.times, (people, 1))
        self.kind = np.tile(sequel.kinds, (people, 1))
        self.amount = np.tile(sequel.amounts, (people, 1))
        self.end_h = np.full(people, min(sequel.length_h, horizon_h))
        self.interval_h = np.full(people, np.nan)
        self.last_time = np.full(people, np.nan)
        self.last_kind = np.full(people, sequel.kinds[0] if len(sequel.kinds) else -1)
        self.last_amount = np.full(people, sequel.amounts[0] if len(sequel.amounts) else 0.0)
        self.last_end = np.full(people, -np.inf)
        self.kept_interval = np.full(people, np.nan)
        self.kept_kind, self.kept_amount = self.last_kind.copy(), self.last_amount.copy()
        self.given = np.zeros(people, dtype=np.int64)
        self.skipped = np.zeros(people, dtype=np.int64)
        self.stopped = np.zeros(people, dtype=bool)
        self.inducing_until = np.full(people, -np.inf)

    # what stands

    @property
    def next_time(self) -> Array:
        """Hours of the next session, shape (people,); infinity for none."""
        return self.time[:, 0] if self.time.shape[1] else np.full(len(self.end_h), np.inf)

    def time_after(self, now: Array) -> Array:
        """Hours of the first session after `now` (people,); infinity for none."""
        later = np.where(self.time > now[:, None] + SAME_H, self.time, np.inf)
        return np.asarray(later.min(axis=1, initial=np.inf))

    @property
    def planned_end(self) -> Array:
        """Hours at which the last planned session is in; minus infinity for none."""
        lengths = np.array([kind.length_h for kind in self.kinds.all] or [0.0])
        ends = np.where(np.isfinite(self.time), self.time + lengths[np.maximum(self.kind, 0)], -np.inf)
        return np.asarray(ends.max(axis=1, initial=-np.inf))

    def next_dose(self, unit: str) -> Array:
        """The next session's dose in a unit, the last one's where none is planned; NaN where it has none."""
        planned = np.isfinite(self.next_time)
        kind = np.where(planned, self.kind[:, 0], self.last_kind) if self.time.shape[1] else self.last_kind
        amount = np.where(planned, self.amount[:, 0], self.last_amount) if self.time.shape[1] else self.last_amount
        fits = np.append(self.kinds.units() == unit, False)
        return np.where(fits[kind], amount, np.nan)

    def interval(self) -> Array:
        """Hours between sessions: what a rule has set, else the mean of the next two gaps of the plan."""
        time = np.concatenate([self.last_time[:, None], self.time, np.full((len(self.time), 3), np.inf)], axis=1)
        with np.errstate(invalid="ignore"):  # from one that is not there to another
            two, one, since = time[:, 3] - time[:, 1], time[:, 2] - time[:, 1], time[:, 1] - time[:, 0]
            found = np.where(np.isfinite(two), two / 2.0, np.where(np.isfinite(one), one, since))
        return np.where(np.isfinite(self.interval_h), self.interval_h, np.where(np.isfinite(found), found, np.nan))

    # changes of doses

    def dose_to(self, who: Whole, action: DoseTo) -> None:
        """Give all sessions to come of some people another dose."""
        low = action.to.value if action.way in ("raise", "set") else -np.inf
        high = action.to.value if action.way in ("lower", "set") else np.inf
        self._dose(who, action.to.unit, lambda amount: np.clip(amount, low, high))

    def dose_by(self, who: Whole, action: DoseBy) -> None:
        """Change the dose of all sessions to come by a step, never past the bound."""

        def stepped(amount: Array) -> Array:
            step = action.step.value if isinstance(action.step, Amount) else amount * action.step / 100.0
            if action.way == "raise":
                return np.maximum(amount, np.minimum(amount + step, action.bound.value))
            return np.minimum(amount, np.maximum(amount - step, action.bound.value))

        self._dose(who, action.bound.unit, stepped)

    def _dose(self, who: Whole, unit: str, change: Callable[[Array], Array]) -> None:
        fits = np.append(self.kinds.units() == unit, False)
        here = fits[self.kind[who]] & np.isfinite(self.time[who])
        changed = np.where(here, change(self.amount[who]), self.amount[who])
        self.amount[who] = self._whole(self.kind[who], changed)
        fits_kept = fits[self.kept_kind[who]]
        self.kept_amount[who] = np.where(fits_kept, change(self.kept_amount[who]), self.kept_amount[who])

    def _whole(self, kind: Whole, amount: Array) -> Array:
        """Doses from devices in whole devices, downwards, at least one."""
        devices = np.append(self.kinds.devices(), False)[kind]
        whole = np.maximum(1.0, np.floor(amount / DEVICE_MG + 1e-9)) * DEVICE_MG
        return np.where(devices, whole, amount)

    def taper(self, who: Whole, now: Array, hours: float) -> None:
        """Let doses fall in a straight line to nothing within some hours, and give no more after.

        People count as stopped from now on.
        """
        left = 1.0 - (self.time[who] - now[:, None]) / hours
        gone = ~(left > 1e-9)
        self._keep(who)
        self.stopped[who] = True
        left = np.where(gone, 0.0, np.minimum(left, 1.0))
        self.amount[who] = self._whole(self.kind[who], self.amount[who] * left)
        self.time[who] = np.where(gone, np.inf, self.time[who])
        self.end_h[who] = np.minimum(self.end_h[who], now + hours)
        self._sort(who)

    # changes of times

    def respace(self, who: Whole, now: Array, action: Interval) -> None:
        """Another interval from the next session on; doses are those of the plan at that time."""
        old = self.interval()[who]
        if action.way == "set":
            new = np.full(len(who), action.bound_h)
        elif action.way == "lengthen":
            new = np.maximum(old, np.minimum(old + action.by_h, action.bound_h))
        else:
            new = np.minimum(old, np.maximum(old - action.by_h, action.bound_h))
        changes = np.isfinite(new) & np.isfinite(self.next_time[who])
        who, now, new = who[changes], now[changes], new[changes]
        first, last = self.next_time[who], self.last_time[who]
        due = first <= now + SAME_H
        earliest = np.where(np.isfinite(last), last + new, first)
        moved = np.maximum(first, earliest) if action.way == "lengthen" else np.maximum(now, earliest)
        self.interval_h[who] = new
        self._at_times(who, np.where(due, first, moved), new)

    def _at_times(self, who: Whole, first: Array, interval: Array) -> None:
        """Sessions from `first` on at an interval to the end of each course."""
        if not len(who):
            return
        end = np.maximum(self.end_h[who], first + SAME_H)
        counts = np.ceil((end - first - SAME_H) / interval).astype(np.int64)
        steps = np.arange(max(1, int(counts.max())))
        times = first[:, None] + steps * interval[:, None]
        times = np.where(steps < np.maximum(counts, 1)[:, None], times, np.inf)
        old = self.time[who]
        before = (old[:, None, :] <= times[:, :, None] + SAME_H).sum(axis=2) - 1
        before = np.maximum(before, 0)
        before = np.minimum(before, np.isfinite(old).sum(axis=1)[:, None] - 1)
        kind = np.take_along_axis(self.kind[who], before, axis=1)
        amount = np.take_along_axis(self.amount[who], before, axis=1)
        self._replace(who, times, kind, amount)

    def skip(self, who: Whole, count: int) -> None:
        """Leave out the next sessions."""
        taken = np.isfinite(self.time[who, :count]).sum(axis=1)
        self._keep(who)
        self.skipped[who] += taken
        self.time[who, :count] = np.inf
        self._sort(who)

    def postpone(self, who: Whole, hours: float) -> None:
        """Put off all sessions to come."""
        self.time[who] += hours
        self.end_h[who] = np.minimum(self.end_h[who] + hours, self.horizon_h)

    def stop(self, who: Whole) -> None:
        """No more sessions."""
        self._keep(who)
        self.stopped[who] = True
        self.time[who] = np.inf

    def restart(self, who: Whole, now: Array) -> None:
        """Sessions again from now for those who were stopped or have none left, to the end of the study."""
        was = self.stopped[who] | ~np.isfinite(self.next_time[who])
        was &= np.isfinite(self.kept_interval[who])
        who, now = who[was], now[was]
        kind, amount = self.kept_or_last(who)
        if not len(who) or (kind < 0).any():
            return
        self.stopped[who] = False
        self.end_h[who] = self.horizon_h
        self._replace(who, now[:, None], kind[:, None], amount[:, None])
        self.interval_h[who] = self.kept_interval[who]
        self._at_times(who, now, self.kept_interval[who])

    def extra(self, who: Whole, now: Array) -> None:
        """One more session now, unless one is due."""
        free = self.next_time[who] > now + SAME_SESSION_H
        who, now = who[free], now[free]
        planned = np.isfinite(self.next_time[who])
        kind, amount = self.kept_or_last(who)
        if self.time.shape[1]:
            kind = np.where(planned, self.kind[who, 0], kind)
            amount = np.where(planned, self.amount[who, 0], amount)
        able = kind >= 0
        self.stopped[who[able]] = False
        self._insert(who[able], now[able, None], kind[able, None], amount[able, None])

    def kept_or_last(self, who: Whole) -> tuple[Whole, Array]:
        """Kind and dose with which people without a plan would go on."""
        kept = self.stopped[who]
        return np.where(kept, self.kept_kind[who], self.last_kind[who]), np.where(
            kept, self.kept_amount[who], self.last_amount[who]
        )

    def induce(self, who: Whole, now: Array, sequel: Sequel) -> None:
        """A course on top of the plan from now; what was planned meanwhile is dropped."""
        until = now + sequel.length_h
        self.inducing_until[who] = until
        self.stopped[who] = False
        inside = self.time[who] < until[:, None] - SAME_H
        self.time[who] = np.where(inside, np.inf, self.time[who])
        self._insert(who, *self._from(sequel, now))

    def switch(self, who: Whole, now: Array, sequel: Sequel) -> None:
        """A course instead of the plan from now."""
        self.stopped[who] = False
        self.interval_h[who] = np.nan
        self.end_h[who] = np.minimum(now + sequel.length_h, self.horizon_h)
        self._replace(who, *self._from(sequel, now))

    @staticmethod
    def _from(sequel: Sequel, now: Array) -> tuple[Array, Whole, Array]:
        start = sequel.times - sequel.times[0]
        shape = (len(now), len(start))
        return now[:, None] + start, np.broadcast_to(sequel.kinds, shape), np.broadcast_to(sequel.amounts, shape)

    # keeping order

    def _keep(self, who: Whole) -> None:
        """Remember the dose and the interval that people have, before their plan goes."""
        interval = self.interval()[who]
        self.kept_interval[who] = np.where(np.isfinite(interval), interval, self.kept_interval[who])
        if not self.time.shape[1]:
            return
        planned = np.isfinite(self.time[who, 0])
        self.kept_kind[who] = np.where(planned, self.kind[who, 0], self.kept_kind[who])
        self.kept_amount[who] = np.where(planned, self.amount[who, 0], self.kept_amount[who])

    def _insert(self, who: Whole, time: Array, kind: Whole, amount: Array) -> None:
        self._replace(
            who,
            np.concatenate([self.time[who], time], axis=1),
            np.concatenate([self.kind[who], kind], axis=1),
            np.concatenate([self.amount[who], amount], axis=1),
        )

    def _replace(self, who: Whole, time: Array, kind: Whole, amount: Array) -> None:
        """New sessions for some people, in any order."""
        if not len(who):
            return
        time = np.where(time < self.horizon_h - SAME_H, time, np.inf)
        room, needed = self.time.shape[1], time.shape[1]
        if needed > room:
            self.time, self.kind, self.amount = (
                _widened(self.time, needed, np.inf),
                _widened(self.kind, needed, -1),
                _widened(self.amount, needed, 0.0),
            )
        else:
            time, kind, amount = _widened(time, room, np.inf), _widened(kind, room, -1), _widened(amount, room, 0.0)
        self.time[who], self.kind[who], self.amount[who] = time, kind, amount
        self._sort(who)

    def _sort(self, who: Whole) -> None:
        order = np.argsort(self.time[who], axis=1, kind="stable")
        for table in (self.time, self.kind, self.amount):
            table[who] = np.take_along_axis(table[who], order, axis=1)
        most = int(np.isfinite(self.time).sum(axis=1).max(initial=0))
        self.time, self.kind, self.amount = self.time[:, :most], self.kind[:, :most], self.amount[:, :most]

    def take(self, who: Whole, until: Array) -> tuple[Whole, Array, Whole, Array]:
        """The sessions of some people before `until`, taken out of the plan: person, time, kind, dose of each."""
        now_due = self.time[who] < until[:, None] - SAME_H
        interval = self.interval()[who]
        self.kept_interval[who] = np.where(np.isfinite(interval), interval, self.kept_interval[who])
        row, column = np.nonzero(now_due)
        person = who[row]
        found = person, self.time[person, column], self.kind[person, column], self.amount[person, column]
        counts = now_due.sum(axis=1)
        some = counts > 0
        last = np.maximum(counts - 1, 0)
        had = who[some]
        self.last_time[had] = self.time[had, last[some]]
        self.last_kind[had] = self.kind[had, last[some]]
        self.last_amount[had] = self.amount[had, last[some]]
        lengths = np.array([kind.length_h for kind in self.kinds.all] or [0.0])
        self.last_end[had] = self.last_time[had] + lengths[self.last_kind[had]]
        self.given[who] += counts
        self.time[person, column] = np.inf
        self._sort(who)
        return found


def _widened(table: NDArray[Any], columns: int, fill: float) -> NDArray[Any]:
    missing = columns - table.shape[1]
    if missing <= 0:
        return np.array(table)
    return np.concatenate([table, np.full((len(table), missing), fill, dtype=table.dtype)], axis=1)
