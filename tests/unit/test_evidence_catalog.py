"""The catalogue: finding records, flags, conflicts, claims, assumptions; wrong input offers the nearest."""

from __future__ import annotations

import math
import shutil
from pathlib import Path
from typing import Any

import pytest

from rekindle.errors import InputError
from rekindle.evidence import Catalog, Source, assumed, bibliography, catalog, claims, claims_for
from rekindle.evidence.claims import TAGS, read_claims
from rekindle.evidence.record import COLUMNS, Correction, Reading, Record, read_record
from rekindle.evidence.tables import package_data


def _row(**changes: str) -> dict[str, str]:
    row = {
        **dict.fromkeys(COLUMNS, ""),
        "id": "row",
        "topic": "pk",
        "quantity": "clearance",
        "drug": "esketamine",
        "route": "oral",
        "population": "healthy",
        "value": "10",
        "unit": "L/h",
        "source": "One 2020 Journal",
        "seen": "yes",
    }
    return {**row, **changes}


def _record(reading: Reading | None = None, correction: Correction | None = None, **changes: str) -> Record:
    return read_record(_row(**changes), table="pk", reading=reading, correction=correction)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    target = tmp_path / "data"
    shutil.copytree(str(package_data()), target)
    return target


def _append(file: Path, line: str) -> None:
    file.write_text(file.read_text(encoding="utf-8") + line + "\n", encoding="utf-8")


def test_a_wrong_id_is_answered_with_the_nearest() -> None:
    with pytest.raises(InputError) as caught:
        catalog().get("bp-iv-riva-spb")
    assert "Nearest: bp-iv-riva-sbp" in str(caught.value)


@pytest.mark.parametrize(
    ("condition", "near"),
    [
        ({"drug": "ketamin"}, "ketamine"),
        ({"route": "intranasl"}, "intranasal"),
        ({"topic": "safty"}, "safety"),
        ({"kind": "ranges"}, "range"),
        ({"grade": "humans"}, "human"),
    ],
)
def test_a_wrong_filter_is_answered_with_the_nearest(condition: dict[str, Any], near: str) -> None:
    with pytest.raises(InputError) as caught:
        catalog().select(**condition)
    assert f"Nearest: {near}" in str(caught.value)


def test_the_projects_words_find_what_the_tables_call_otherwise() -> None:
    known = catalog()
    assert known.select(drug="ketamine") == known.select(drug="racemic-ketamine")
    assert known.select(route="sublingual-film") == known.select(route="sublingual")
    assert {record.id for record in known.select(route="inhaled")} >= {"pk-jonkman17-f", "pk-jonkman17-ic50"}
    assert {record.drug for record in known.select(drug="oral-antidepressant")} >= {"SSRI", "citalopram"}


def test_filters_narrow_and_together_give_the_intersection() -> None:
    known = catalog()
    both = known.select(drug="esketamine", route="intranasal", text="SBP rise")
    assert 0 < len(both) < len(known.select(drug="esketamine", route="intranasal")) < len(known)
    assert all("sbp" in record.quantity.casefold() for record in both)


def test_rows_not_read_or_found_wrong_say_so() -> None:
    known = catalog()
    assert "not read" in known.get("bp-iv-wan-mem").flags[0]
    assert "second reader: wrong" in known.get("diss-trait-rr").flags
    assert known.get("eff-murrough2013a-resp24h-ket").flags == ()
    flagged = known.flagged(["bp-iv-wan-mem", "eff-murrough2013a-resp24h-ket"])
    assert list(flagged) == ["bp-iv-wan-mem"]


def test_the_second_reading_is_attached_with_its_correction() -> None:
    reading = catalog().get("eff-murrough2013a-or24h").reading
    assert reading is not None
    assert reading.verdict == "ambiguous"
    assert "4.54" in reading.correction
    assert "sink" in catalog().model_readings["model:RK-1-mass-balance"].correction


@pytest.mark.parametrize(
    ("changes", "low", "high"),
    [
        ({"value": "10", "spread": "2", "spread_kind": "SE"}, 6.08, 13.92),
        ({"value": "10", "spread": "6", "spread_kind": "SD", "n": "9"}, 6.08, 13.92),
        ({"value": "10", "spread": "8 to 13", "spread_kind": "CI95"}, 8, 13),
        ({"value": "8-13"}, 8, 13),
        ({"value": "97", "spread": "97.0-NE", "spread_kind": "CI95"}, 97, math.inf),
        ({"value": "10", "spread": "2", "spread_kind": "GSD", "n": "4"}, 10 / 2**0.98, 10 * 2**0.98),
    ],
)
def test_the_interval_of_a_mean_follows_from_its_spread(changes: dict[str, str], low: float, high: float) -> None:
    assert _record(**changes).interval == pytest.approx((low, high), rel=1e-12)


def test_a_spread_between_people_is_no_interval_of_the_mean() -> None:
    assert _record(value="10", spread="30", spread_kind="IIV-CV%", n="20").interval is None


def test_a_pair_is_not_silently_one_number() -> None:
    assert catalog().get("reg-esk-maint").number == 0.75
    with pytest.raises(InputError, match="is a pair"):
        _ = catalog().get("saf-bp-threshold-label").number


def test_a_corrected_unit_keeps_the_printed_one() -> None:
    record = catalog().get("fava-d-0p1")
    assert (str(record.unit), record.unit.printed) == ("Cohen d", "d")
    assert "not a day" in record.unit_correction
    assert record.flags == ("unit read as Cohen d",)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"unit": "L/hh"}, "unit 'L/hh': Unknown unit 'hh'. Nearest: h"),
        ({"value": "ten"}, "no number"),
        ({"spread": "wide"}, "no interval"),
        ({"spread_kind": "sd"}, "Known: none, SD"),
        ({"n": "many"}, "whole number"),
        ({"seen": "maybe"}, "Write 'yes' or 'no'"),
        ({"quantity": " "}, "'quantity' is empty"),
    ],
)
def test_a_wrong_cell_is_named_with_its_row(changes: dict[str, str], said: str) -> None:
    with pytest.raises(InputError) as caught:
        _record(**changes)
    assert said in str(caught.value)
    assert str(caught.value).startswith("row: ")


@pytest.mark.parametrize(
    ("file", "line", "said"),
    [
        ("pk.csv", ",".join(_row(id="pk-mw-k").values()), "occurs twice"),
        ("pk.csv", "a,b", "has not 18 columns"),
        ("second_reading.csv", "pk-mw-kk,confirmed,,", "Unknown record 'pk-mw-kk'. Nearest: pk-mw-k"),
        ("second_reading.csv", "pk-mw-k,right,,", "Unknown verdict 'right'"),
        ("unit_corrections.csv", "pk-mw-kk,d,h,,why", "Unknown record 'pk-mw-kk'"),
        ("conflicts.csv", "c,t,why,pk-mw-kk", "conflict 'c': Unknown record 'pk-mw-kk'"),
        ("conflicts.csv", "c,t,why,pk-mw-k pk-mw-k", "each of its records once"),
    ],
)
def test_a_broken_table_is_refused_with_its_place(folder: Path, file: str, line: str, said: str) -> None:
    _append(folder / file, line)
    with pytest.raises(InputError) as caught:
        Catalog.load(folder)
    assert said in str(caught.value)


def test_a_missing_table_or_a_wrong_encoding_is_refused(folder: Path) -> None:
    (folder / "pk.csv").write_bytes("id,topic\nü,pk\n".encode("latin-1"))
    with pytest.raises(InputError, match="not UTF-8"):
        Catalog.load(folder)
    (folder / "pk.csv").unlink()
    with pytest.raises(InputError, match="cannot be read"):
        Catalog.load(folder)


def test_a_derived_record_is_loaded_with_its_fit(folder: Path) -> None:
    row = _row(id="derived-clearance", source="Refit of pk-label-cl and others", seen="no")
    _append(folder / "derived.csv", ",".join([*row.values(), "ratio 1.02 over 12 studies"]))
    record = Catalog.load(folder).get("derived-clearance")
    assert record.fit == "ratio 1.02 over 12 studies"
    assert record.grade == "human"
    assert "derived by this project" in record.flags


@pytest.mark.parametrize(
    "together",
    [
        {"bp-iv-riva-sbp", "bp-iv-zheng-sbp", "x-bp-vankawala-sbp", "x-bp-yale24-sbp"},
        {"bp-iv-riva-dbp", "x-bp-vankawala-dbp", "bp-iv-wan-mem"},
        {"pk-fanta15-foral", "pk-obs-po25-f-chong2006", "pk-pr21-f-swallowed"},
        {"eff-murrough2013b-medrelapse", "aanhetrot-relapse", "eff-mcinnes2022-km8"},
        {"lab-ae-dissociation", "saf-esk-dissoc-cadss"},
        {"pk-simons22-v1", "pk-pr21-vc"},
    ],
)
def test_known_disagreements_are_shown_together(together: set[str]) -> None:
    assert any(together <= set(conflict.records) for conflict in catalog().conflicts())


def test_every_record_of_a_conflict_leads_to_it() -> None:
    known = catalog()
    for conflict in known.conflicts():
        assert all(conflict in known.conflicts_of(record_id) for record_id in conflict.records)


def test_records_that_agree_are_no_conflict_and_become_one_when_they_part() -> None:
    one = _record(id="a", value="10")
    near = _record(id="b", value="11", source="Two 2021 Journal")
    far = _record(id="c", value="20", source="Three 2022 Journal")
    assert Catalog([one, near]).conflicts() == []
    assert [conflict.records for conflict in Catalog([one, near, far]).conflicts()] == [("a", "b", "c")]


@pytest.mark.parametrize(
    "apart",
    [
        {"drug": "arketamine"},
        {"population": "Wistar rat"},
        {"population": "children 1-7 y"},
        {"source": "One 2020 Journal"},
        {"value": "20", "unit": "L/kg"},
        {"value": "100", "unit": "dL/h"},
        {"value": "20", "spread": "9 to 30", "spread_kind": "CI95"},
    ],
)
def test_records_that_cannot_be_compared_are_no_conflict(apart: dict[str, str]) -> None:
    other = {"id": "b", "value": "20", "source": "Two 2021 Journal", **apart}
    assert Catalog([_record(id="a", value="10"), _record(**other)]).conflicts() == []


def test_conflicts_are_filtered_by_the_records_in_them() -> None:
    known = catalog()
    nasal = known.conflicts(route="intranasal", topic="safety")
    assert 0 < len(nasal) < len(known.conflicts())
    for conflict in nasal:
        members = [known.get(record_id) for record_id in conflict.records]
        assert any(record.route == "intranasal" and record.topic == "safety" for record in members)


def test_a_claim_that_names_a_missing_record_fails(folder: Path) -> None:
    file = folder / "claims.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("reg-fda-date", "reg-fda-dates"), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_claims(folder, catalog())
    assert "claim 'approved-2019': Unknown record 'reg-fda-dates'. Nearest: reg-fda-date" in str(caught.value)


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("verdict: misleading", "verdict: nonsense", "Unknown verdict"),
        ("tags: [mechanism]", "tags: [mechanisms]", "Nearest: mechanism"),
        ("name: serotonin", "name: bdnf", "same name"),
        ("  drugs: []", "  drug: []", "other fields"),
        ("- name: gaba-balance", "name: gaba-balance", "cannot be read"),
    ],
)
def test_a_malformed_claim_is_refused(folder: Path, before: str, after: str, said: str) -> None:
    file = folder / "claims.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace(before, after, 1), encoding="utf-8")
    with pytest.raises(InputError, match=said):
        read_claims(folder, catalog())


def test_a_report_gets_the_claims_that_touch_its_study() -> None:
    of_spray = {claim.name for claim in claims_for(drugs=["esketamine"], tags=["efficacy"])}
    of_arketamine = {claim.name for claim in claims_for(drugs=["arketamine"], tags=["efficacy"])}
    assert "approved-2019" in of_spray
    assert of_arketamine - of_spray == {"arketamine-better"}
    assert claims_for(drugs=["esketamine"], tags=[]) == []
    assert set(claims_for(drugs=["arketamine"], tags=TAGS)) == set(claims())
    with pytest.raises(InputError, match="Nearest: efficacy"):
        claims_for(drugs=["esketamine"], tags=["efficacity"])


def test_a_source_is_listed_once_with_its_link() -> None:
    known = catalog()
    lines = known.citations(["eff-murrough2013a-or24h", "eff-murrough2013a-resp24h-ket", "pk-fanta15-foral"])
    assert lines == [
        "Fanta 2015 Eur J Clin Pharmacol. https://doi.org/10.1007/s00228-015-1826-y",
        "Murrough 2013 Am J Psychiatry. https://doi.org/10.1176/appi.ajp.2013.13030392",
    ]
    assert bibliography([Source("No address")]) == ["No address"]
    assert str(Source("A", "PMID 25702819 / 1", "https://x.y")) == "A. https://pubmed.ncbi.nlm.nih.gov/25702819/"
    assert str(Source("B", "Pain Med 2006;7(5):469", "https://x.y")) == "B. Pain Med 2006;7(5):469. https://x.y"
    with pytest.raises(InputError, match="Unknown record"):
        known.citations(["nobody-said-so"])


def _parameter(**changes: str) -> dict[str, str]:
    row = {"name": "tau", "value": "2", "unit": "h", "low": "1", "high": "4", "grade": "assumed"}
    return {**row, "record": "", "reason": "hours", "meaning": "a time", "process": "mood", **changes}


def test_only_assumed_parameters_are_assumed_and_carry_range_and_reason() -> None:
    rows = [_parameter(), _parameter(name="alpha", process="acute"), _parameter(name="cl", grade="human")]
    found = assumed(lambda: rows)
    assert [assumption.name for assumption in found] == ["alpha", "tau"]
    assert found[1].as_dict() == {
        "name": "tau",
        "value": 2.0,
        "low": 1.0,
        "high": 4.0,
        "unit": "h",
        "reason": "hours",
        "meaning": "a time",
        "process": "mood",
    }


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"value": "9"}, "outside its range"),
        ({"value": "x"}, "not a number"),
        ({"value": ""}, "is empty"),
        ({"high": "inf"}, "not finite"),
        ({"unit": "hh"}, "Unknown unit"),
        ({"grade": "guess"}, "Unknown grade"),
        ({"reason": ""}, "needs a reason"),
    ],
)
def test_a_wrong_assumption_is_refused(changes: dict[str, str], said: str) -> None:
    with pytest.raises(InputError, match=said):
        assumed(lambda: [_parameter(**changes)])
