"""Everybody's schedule compiled at once is what each one's compiles to alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rekindle.engine import Bolus, Infusion, Schedule, Set, lower, read_antimony
from rekindle.engine.schedule import Segments, compile_schedule
from rekindle.engine.table import Happenings, Looks, compile_table, target
from rekindle.errors import InputError

LOWERED = lower(read_antimony("model m; k = 1; drive = 0; A = 0; B = 1; A' = drive - k*A; B' = k*A - B; end"))
END = 24.0

times = st.sampled_from([0.0, 1.0, 2.5, 2.5 + 5e-10, 6.0, 12.0, 23.0])
bolus = st.builds(Bolus, times, st.sampled_from(["A", "B"]), st.floats(0.5, 4.0))
infusion = st.builds(
    Infusion, times, st.sampled_from(["A", "drive"]), st.floats(0.5, 4.0), st.sampled_from([0.5, 1.5, 3.5, 40.0])
)
setting = st.builds(Set, times, st.just("k"), st.floats(0.5, 2.0))
person = st.lists(st.one_of(bolus, infusion, setting), max_size=6)


def happenings(people: list[list[Bolus | Infusion | Set]]) -> Happenings:
    rows = [(i, event) for i, events in enumerate(people) for event in events]
    names = [event.parameter if isinstance(event, Set) else event.target for _, event in rows]
    values = {Bolus: "amount", Infusion: "rate", Set: "value"}
    return Happenings(
        np.array([i for i, _ in rows], dtype=np.int64),
        np.array([event.time for _, event in rows], dtype=np.float64),
        np.array([target(LOWERED, name) for name in names], dtype=np.int64),
        np.array([getattr(event, values[type(event)]) for _, event in rows], dtype=np.float64),
        np.array([event.duration if isinstance(event, Infusion) else 0.0 for _, event in rows], dtype=np.float64),
    )


def effects(segments: Segments) -> list[list[tuple[int, int, float]]]:
    """What each edge leaves behind: totals and settings by target, jumps summed; looks in their order."""
    found = []
    for k in range(len(segments.edges)):
        here: dict[tuple[int, int], float] = {}
        for a in range(segments.first[k], segments.first[k + 1]):
            key = int(segments.kind[a]), int(segments.position[a])
            here[key] = segments.value[a] + (here.get(key, 0.0) if key[0] == 0 else 0.0)
        found.append([(*key, value) for key, value in sorted(here.items())])
    return found


@settings(max_examples=100, deadline=None)
@example([[Set(2.5000000005, "k", 1.0), Set(2.5, "k", 2.0)]])
@example([[Infusion(1.0, "A", 2.0, 1.5 + 5e-10), Infusion(2.5, "A", 3.0, 1.5)]])
@given(st.lists(person, min_size=1, max_size=4))
def test_a_table_is_each_schedule(people: list[list[Bolus | Infusion | Set]]) -> None:
    looked = (0.0, 2.5, 7.0, END)
    looks = Looks(np.repeat(np.arange(len(people)), 4), np.tile(looked, len(people)))
    begin = np.zeros(len(people))
    table = compile_table(LOWERED, begin, begin + END, happenings(people), looks)
    for i, events in enumerate(people):
        alone = compile_schedule(Schedule(tuple(events), looked), LOWERED)
        np.testing.assert_allclose(table[i].edges, alone.edges, atol=2e-9)
        np.testing.assert_array_equal(table[i].rows, alone.rows)
        np.testing.assert_array_equal(table[i].times, alone.times)
        for mine, theirs in zip(effects(table[i]), effects(alone), strict=True):
            assert [each[:2] for each in mine] == [each[:2] for each in theirs]
            np.testing.assert_allclose([each[2] for each in mine], [each[2] for each in theirs], atol=1e-12)


def test_an_infusion_that_runs_goes_on_and_is_off_at_its_end() -> None:
    given = happenings([[Infusion(1.0, "drive", 2.0, 4.0)], []])
    looks = Looks(np.array([0, 1]), np.array([9.0, 9.0]))
    table = compile_table(LOWERED, np.array([3.0, 2.0]), np.array([9.0, 9.0]), given, looks)
    np.testing.assert_array_equal(table[0].edges, [3.0, 5.0, 9.0])
    np.testing.assert_array_equal(table[0].value, [2.0, 0.0])
    np.testing.assert_array_equal(table[1].edges, [2.0, 9.0])
    over = compile_table(
        LOWERED,
        np.array([5.0]),
        np.array([9.0]),
        given.take(given.person == 0),
        Looks(*[looks.person[:1], looks.time[:1]]),
    )
    assert len(over[0].kind) == 0


def test_a_stretch_without_length_looks_only() -> None:
    given = happenings([[Bolus(2.0, "A", 1.0)]])
    table = compile_table(LOWERED, np.array([2.0]), np.array([2.0]), given, Looks(np.array([0]), np.array([2.0])))
    np.testing.assert_array_equal(table[0].edges, [2.0])
    assert table[0].kind.tolist() == [6]


def test_what_is_no_number_is_refused() -> None:
    given = happenings([[Bolus(2.0, "A", float("nan"))]])
    with pytest.raises(InputError, match="value of something given to person 0"):
        compile_table(LOWERED, np.zeros(1), np.ones(1), given, Looks(np.array([0]), np.array([1.0])))


def test_what_runs_into_a_person_is_not_rounded_by_what_runs_into_another() -> None:
    events: list[list[Bolus | Infusion | Set]] = [[Infusion(1.0, "A", 1e9 / 3, 40.0)], [Infusion(1.0, "A", 0.1, 2.0)]]
    looks = Looks(np.arange(2), np.full(2, END))
    beside = compile_table(LOWERED, np.zeros(2), np.full(2, END), happenings(events), looks)[1]
    assert beside.value.tolist() == [0.1, 0.0]
