"""Laws of event tables: written and read they are the same, and a course survives the journey."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rekindle.dosing import COMPARTMENTS, Event, EventTable, administrations_of, join, parse, read_events, write_events
from rekindle.errors import InputError

SENTENCES = (
    "0.5 mg/kg IV over 40 min, twice a week for 4 weeks",
    "56 mg intranasal esketamine, day 1, then 84 mg, twice a week for 2 weeks at 09:20",
    "0.23 mg/kg IV bolus then 0.58 mg/kg IV over 60 min, once",
    "25 mg arketamine orally, daily for 1 week, with 50 mg ketamine orally, day 9, with ECT twice a week for 1 week",
    "saline IV over 40 min, days 1, 4, with placebo spray, day 8, with oral antidepressant daily for 1 week",
    "0.5 mg/kg ketamine IM, once, with 0.02 mg/kg midazolam IV over 40 min, day 3",
    "100 mg extended-release oral ketamine, daily for 3 days, with 30 mg ketamine sublingual film, day 9",
    "30 mg ketamine sublingual lozenge, once, with 50 mg ketamine inhaled over 20 min, day 2",
    "20 mg ketamine hydrochloride subcutaneously, weekly for 3 weeks, with 50 mg intranasal ketamine, day 2",
)

numbers = st.floats(1e-6, 1e6)


@st.composite
def rows(draw: st.DrawFn, person: str, time: float) -> Event:
    """A possible row of any kind."""
    evid = draw(st.sampled_from([0, 0, 1, 1, 2, 3, 4, 8]))
    covariates = (draw(numbers),)
    if evid == 0:
        value = draw(st.one_of(st.none(), numbers))
        seen = value is not None and draw(st.booleans())
        return Event(
            person, time, 0, value=value, observed=seen, dvid=draw(st.sampled_from([None, "1", "NK"])),
            occasion=draw(st.sampled_from([None, 1, 2])), limit=draw(st.one_of(st.none(), numbers)),
            censored=draw(st.sampled_from([0, 1, -1])) if seen else 0, covariates=covariates,
        )  # fmt: skip
    if evid == 8:
        return Event(person, time, 8, draw(numbers), "central", covariates=covariates)
    if evid in (2, 3):
        return Event(person, time, evid, covariates=covariates)
    amount, rate, duration = draw(numbers), draw(st.sampled_from([0.0, -1.0, -2.0, 3.3])), 0.0
    if rate == 0 and draw(st.booleans()):
        duration = draw(numbers)
    repeated = draw(st.sampled_from([(0.0, 0, 0), (12.0, 3, 0), (12.0, 0, 1), (8.0, 2, 2)]))
    return Event(
        person, time, evid, amount, draw(st.sampled_from(["depot", "central"])), rate, duration, *repeated,
        covariates=covariates,
    )  # fmt: skip


@st.composite
def tables(draw: st.DrawFn) -> EventTable:
    """A possible table of one to three people."""
    events: list[Event] = []
    for person in draw(st.sampled_from([("1",), ("1", "2"), ("a", "b", "9")])):
        times = sorted(draw(st.lists(st.floats(-5, 5000), min_size=1, max_size=6)))
        events.extend(draw(rows(person, time)) for time in times)
    labels = draw(st.sampled_from([(), (("1", "depot"), ("2", "central"))]))
    return EventTable(tuple(events), ("WT",), draw(st.sampled_from(["NOCB", "LOCF"])), 8, labels)


@settings(max_examples=150, deadline=None)
@given(tables())
def test_a_table_written_and_read_is_the_same_table(table: EventTable) -> None:
    with TemporaryDirectory() as folder:
        path = write_events(table, Path(folder) / "events.csv")
        again = read_events(path, carry=table.carry, replace_evid=8, compartments=dict(table.labels) or None)
    assert again == table


@pytest.mark.parametrize("sentence", SENTENCES)
def test_a_course_through_a_file_gives_the_same_doses(sentence: str, tmp_path: Path) -> None:
    course = parse(sentence)
    path = write_events(course.event_table(person="7", weight_kg=71.3, observation_times_h=(0, 24)), tmp_path / "e.csv")
    again = administrations_of(read_events(path, compartments=COMPARTMENTS), "7")
    given_doses = course.administrations(71.3)
    for sent, got in zip(given_doses, again, strict=True):
        assert (got.time_h, got.drug, got.route, got.device, got.devices) == (
            sent.time_h, sent.drug, sent.route, sent.device, sent.devices,
        )  # fmt: skip
        assert got.amount_mg == pytest.approx(sent.amount_mg, rel=1e-14)
        assert (got.duration_h is None) == (sent.duration_h is None)
        assert got.end_h == pytest.approx(sent.end_h, rel=1e-14)


def test_every_compartment_of_a_course_is_reached_by_a_sentence() -> None:
    reached = {event.compartment for s in SENTENCES for event in parse(s).event_table(weight_kg=70).events}
    drugs_and_depots = {name for name in COMPARTMENTS.values() if name.startswith("racemic-ketamine")}
    assert drugs_and_depots <= reached
    assert len(set(COMPARTMENTS.values())) == len(COMPARTMENTS)


def test_people_join_into_one_table() -> None:
    course = parse("0.5 mg/kg IV over 40 min, once")
    both = join(
        [course.event_table(person=p, weight_kg=w, covariates={"WT": w}) for p, w in (("1", 60.0), ("2", 90.0))]
    )
    assert both.people == ("1", "2")
    assert [event.amount for event in both.events] == [30.0, 45.0]


CELLS = st.sampled_from(
    ["1", "0", "2", "3", "4", "8", "-1", "-2", ".", "1.5", "nan", "1e999", "c", "12", "100", "5", "NA", "x"]
)
HEADS = st.lists(
    st.sampled_from(["ID", "TIME", "EVID", "AMT", "CMT", "RATE", "DUR", "II", "SS", "DV", "MDV", "WT", "id", "DATE"]),
    min_size=1,
    max_size=8,
)


@settings(max_examples=300, deadline=None)
@given(HEADS, st.lists(st.lists(CELLS, min_size=1, max_size=8), max_size=4), st.booleans())
def test_any_table_is_read_or_gets_one_clear_error(heads: list[str], body: list[list[str]], full: bool) -> None:
    if full:
        heads = ["ID", "TIME", "EVID", "AMT", "CMT", "RATE", "II", "SS"]
        body = [(row * 8)[:8] for row in body]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "events.csv"
        path.write_text("\n".join(",".join(row) for row in [heads, *body]))
        try:
            table = read_events(path)
        except InputError as error:
            assert str(path) in str(error)
            return
        assert read_events(write_events(table, path)) == table


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_get_one_clear_error(data: bytes) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "events.csv"
        path.write_bytes(data)
        with pytest.raises(InputError):
            read_events(path)
