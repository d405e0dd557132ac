"""Every row of every table, read; a hand-read sample of them; and what people must find in the claims."""

from __future__ import annotations

import csv
import re
from collections import Counter
from importlib.resources import as_file

import pytest

from rekindle.evidence import Record, catalog, claims
from rekindle.evidence.catalog import TABLES
from rekindle.evidence.record import COLUMNS
from rekindle.evidence.tables import package_data
from rekindle.evidence.values import KINDS
from rekindle.units import compatible, parse_unit

ROWS_OF_THE_COLLECTION = {"pk": 508, "mechanism": 234, "safety": 197, "efficacy": 351}
READINGS = {"confirmed": 370, "ambiguous": 46, "wrong": 41, "not checked": 34, "not found": 22}


def _rows(table: str) -> list[dict[str, str]]:
    with as_file(package_data() / f"{table}.csv") as path, path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def test_no_row_is_left_out() -> None:
    counted = Counter(record.table for record in catalog())
    assert {table: counted[table] for table in ROWS_OF_THE_COLLECTION} == ROWS_OF_THE_COLLECTION
    assert counted["derived"] == len(_rows("derived"))


@pytest.mark.parametrize("table", TABLES)
def test_a_record_written_again_is_the_row_it_was_read_from(table: str) -> None:
    for row in _rows(table):
        assert catalog().get(row["id"]).row() == {column: row[column] for column in COLUMNS}


def test_every_record_has_a_kind_that_fits_its_values() -> None:
    counts = {
        "number": {1},
        "statistic": {1},
        "verdict": {1},
        "range": {2},
        "pair": {2, 3, 4, 5},
        "date": {0, 1},
        "direction only": {0, 1, 2},
    }
    assert set(counts) == set(KINDS) == {record.kind for record in catalog()}
    for record in catalog():
        assert len(record.value.values) in counts[record.kind], record.id
        if record.kind == "range":
            assert record.value.values[0] <= record.value.values[1]


def test_no_score_ratio_or_statistic_has_a_physical_unit() -> None:
    """What the words of a row say it is, its unit must not contradict."""
    wanted = {
        r"Cohen'?s? d": "Cohen d",
        r"Hedges": "Hedges g",
        r"\bSMD\b": "SMD",
        r"odds ratio": "odds ratio",
        r"hazard ratio": "hazard ratio",
        r"\(F, ": "F",
        r"[Pp][ -]value|\(p\)": "p",
        r"Spearman": "rs",
        r"standardised beta": "beta",
        r"\bNNT\b": "number needed to treat",
        r"^(MADRS|HAM-D\d*|CADSS) total, (mean|change)": "points",
    }
    for record in catalog():
        assert not compatible(record.unit, "m"), record.id
        for words, unit in wanted.items():
            if re.search(words, record.quantity):
                assert str(record.unit) == unit, f"{record.id}: {record.quantity}"


def test_times_to_relapse_are_times_and_not_cohen_d() -> None:
    found = catalog().select(text="time to relapse")
    assert len(found) > 5
    assert all(compatible(record.unit, "h") for record in found if record.kind in {"number", "range"})


def test_every_correction_of_a_unit_is_needed_and_still_applies() -> None:
    for row in _rows("unit_corrections"):
        record = catalog().get(row["id"])
        assert record.unit.printed == row["printed"]
        spread_changed = bool(row["spread_kind"]) and row["spread_kind"] != record.printed_spread_kind
        printed_unit_is_known = row["printed"] != "time-scale"
        if printed_unit_is_known and not spread_changed:
            assert parse_unit(row["printed"]) != parse_unit(row["unit"])
        assert len(row["reason"]) > 20


def test_every_geometric_standard_deviation_is_read_as_a_factor() -> None:
    rows = [record for record in catalog() if "geometric SD" in record.note]
    assert len(rows) == 14
    assert {record.spread_kind for record in rows} == {"GSD"}


def test_the_second_readings_are_all_attached() -> None:
    attached = Counter(record.reading.verdict for record in catalog() if record.reading is not None)
    attached.update(reading.verdict for reading in catalog().model_readings.values())
    assert attached == READINGS


# Read by eye from the tables: id -> kind, values, unit, grade, seen, second reader's verdict.
HAND_READ = {
    "eff-murrough2013a-diff24h": ("number", (-7.95,), "points", "human", True, "confirmed"),
    "eff-daly2018-p1resp-56-24h": ("number", (27.3,), "%", "human", True, None),
    "eff-sustain1-hr-rem": ("number", (0.49,), "hazard ratio", "human", True, None),
    "eff-fava2020-d-02-1d": ("number", (-0.24,), "Cohen d", "human", False, None),
    "nalt-jelen-madrs-F": ("statistic", (5.39,), "F", "human", True, None),
    "bzd-feeney": ("statistic", (0.018,), "p", "human", True, None),
    "hnk-human-corr": ("statistic", (0.37,), "rs", "human", True, None),
    "saf-bp-threshold-label": ("pair", (140, 90), "mmHg", "human", False, None),
    "reg-fda-date": ("date", (), "date", "human", True, None),
    "cons-sanacora": ("date", (2017,), "calendar year", "human", True, None),
    "liver-noppers": ("pair", (3, 6), "patients", "human", True, None),
    "wd-onset": ("range", (24, 48), "h", "human", True, None),
    "abuse-infreq-users": ("number", (3.25,), "d/month", "human", True, None),
    "rec-nmda-ki-S-ebert": ("number", (0.3,), "umol/L", "rodent", True, None),
    "glu-burst-dose-10-30": ("range", (10, 30), "mg/kg", "rodent", True, None),
    "trkb-kd-ket": ("range", (10, 50), "umol/L", "rodent", False, None),
    "pv-disinhib-sign": ("direction only", (-1,), "sign", "rodent", True, None),
    "ampa-nbqx-atten": ("verdict", (1,), "boolean", "rodent", True, None),
    "memantine-zarate": ("verdict", (0,), "boolean", "human", True, None),
    "sv2a-null-holmes2022": ("number", (0,), "%", "human", True, "confirmed"),
    "nmda-po-0p1": ("number", (53,), "% of control", "rodent", True, None),
    "mod-gupta-bistable": ("number", (2,), "stable states", "assumed", True, None),
    "mod-alon-toggle": ("direction only", (), "wk", "assumed", True, None),
    "pk-pr21-qh-age": ("number", (-2.19,), "L/h/year", "human", True, "wrong"),
    "pk-derived-ke0": ("number", (6.8,), "1/h", "assumed", False, None),
    "pk-dog-cl-s": ("number", (29.9,), "mL/kg/min", "rodent", True, None),
    "monkey-daily-1mgkg": ("number", (1,), "mg/kg/d", "rodent", True, None),
    "x-rec-a7-primary": ("number", (20,), "umol/L", "rodent", True, None),
    "pk-cyp2b6-cl-66": ("number", (21.6,), "L/h", "human", True, None),
    "eff-lally2014-d": ("direction only", (), "points", "human", True, None),
}


@pytest.mark.parametrize("record_id", HAND_READ)
def test_a_row_reads_as_a_person_read_it(record_id: str) -> None:
    record = catalog().get(record_id)
    kind, values, unit, grade, seen, verdict = HAND_READ[record_id]
    assert (record.kind, record.value.values, record.grade, record.seen) == (kind, values, grade, seen)
    assert record.unit == parse_unit(unit)
    if verdict is not None:
        assert record.reading is not None
        assert record.reading.verdict == verdict


def test_nothing_measured_in_animals_or_a_dish_is_graded_human() -> None:
    animals = re.compile(r"\b(rats?|mouse|mice|rodent|rhesus|monkeys?|dog|oocytes|homogenate|in vitro)\b")
    exceptions = {"sv2a-null-holmes2022", "pk-schmidt24-fu-s", "pk-schmidt24-fu-r"}
    graded_human = {record.id for record in catalog() if record.grade == "human" and animals.search(record.population)}
    assert graded_human <= exceptions


def test_every_record_that_was_read_has_an_address() -> None:
    without = {record.source.url for record in catalog() if record.seen and not record.source.link}
    assert without <= {"github code file, index id 60267848403"}
    assert all(record.source.citation for record in catalog())


ASKED_FOR = {
    "gaba-balance": "misleading",
    "repairs-connections": "not shown in people",
    "not-addictive": "wrong",
    "approved-2019": "misleading",
    "through-the-gut": "not shown in people",
    "sigma-receptors": "unlikely",
    "serotonin": "wrong",
    "wonder-drug": "wrong",
    "raises-dopamine": "not shown in people",
    "bdnf": "partly right",
    "trip-is-the-cure": "weak",
    "arketamine-better": "not shown in people",
    "inherited": "partly right",
}


def test_the_popular_claims_have_their_verdicts() -> None:
    verdicts = {claim.name: claim.verdict for claim in claims()}
    assert {name: verdicts[name] for name in ASKED_FOR} == ASKED_FOR


def test_claims_rest_on_records_and_speak_briefly() -> None:
    for claim in claims():
        records: list[Record] = [catalog().get(record_id) for record_id in claim.records]
        assert len(records) >= 2
        assert any(record.seen for record in records)
        assert 60 < len(claim.evidence) < 420
        if claim.verdict == "not shown in people":
            assert any(record.grade != "human" for record in records) or claim.name == "arketamine-better"


def test_the_catalogue_carries_no_persons_ratings() -> None:
    of_the_data_set = [record for record in catalog() if "ds005917" in record.id]
    assert of_the_data_set
    assert all(record.n is not None and record.n > 1 for record in of_the_data_set)
