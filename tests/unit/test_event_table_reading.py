"""Event tables from files: what is carried, and what every impossible file is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from rekindle.dosing import read_events, write_events
from rekindle.errors import InputError, UnsupportedError

HEAD = "ID,TIME,EVID,AMT,CMT,RATE,DUR,II,ADDL,SS"
ROW = "1,0,1,100,c,0,0,0,0,0"

REFUSED = {
    "an empty file": ("", "is empty"),
    "a header alone": (HEAD, "header and no rows"),
    "commas alone": (",,,\n,,,", "holds no cells"),
    "no header": ("1,0,1,100\n1,2,0,0", "line 1: The first line holds numbers"),
    "semicolons": ("ID;TIME;AMT\n1;0;100", "line 1: The columns are not separated by commas"),
    "a column twice": ("ID,TIME,AMT,amt\n1,0,1,1", "line 1: Column AMT appears twice"),
    "a covariate twice": ("ID,TIME,AMT,CMT,wt,WT\n1,0,1,1,70,70", "Column WT appears twice"),
    "a nameless column": ("ID,TIME,,AMT\n1,0,1,1", "Column 3 has no name"),
    "no ID": ("TIME,EVID,AMT\n0,1,1", "Column ID is missing"),
    "no TIME": ("ID,TME,EVID,AMT\n1,0,1,1", "Column TIME is missing. Near: TME"),
    "no AMT and no EVID": ("ID,TIME,CMT\n1,0,1", "EVID and AMT are both missing"),
    "a calendar date": ("ID,DATE,TIME,AMT\n1,2020-01-01,0,1", "Column DATE (calendar dates) is not supported"),
    "a clock time": ("ID,TIME,EVID,AMT,CMT\n1,09:30,1,1,c", "column TIME: Clock times are not supported"),
    "a short row": (f"{HEAD}\n1,0,1,100", "line 2: The row has 4 cells and the header 10"),
    "a word for a number": (f"{HEAD}\n1,0,1,much,c,0,0,0,0,0", "line 2, column AMT: 'much' is not a number"),
    "a number with an underscore": (f"{HEAD}\n1,0,1,1_000,c,0,0,0,0,0", "column AMT: '1_000' is not a number"),
    "infinity": (f"{HEAD}\n1,0,1,inf,c,0,0,0,0,0", "column AMT: 'inf' is not a finite number"),
    "not a number": (f"{HEAD}\n1,nan,1,1,c,0,0,0,0,0", "column TIME: 'nan' is not a finite number"),
    "a number too large": (f"{HEAD}\n1,0,1,1e999,c,0,0,0,0,0", "column AMT: AMT is inf"),
    "a word for a covariate": ("ID,TIME,AMT,CMT,SEX\n1,0,1,1,female", "column SEX: 'female' is not a number"),
    "no ID in a row": (f"{HEAD}\n.,0,1,100,c,0,0,0,0,0", "column ID: The row has no ID"),
    "no TIME in a row": (f"{HEAD}\n1,.,1,100,c,0,0,0,0,0", "column TIME: The row has no TIME"),
    "half an event code": (f"{HEAD}\n1,0,1.5,100,c,0,0,0,0,0", "column EVID: EVID is 1.5"),
    "EVID 7": (f"{HEAD}\n1,0,7,100,c,0,0,0,0,0", "column EVID: EVID 7 is not supported"),
    "EVID 101": (f"{HEAD}\n1,0,101,100,c,0,0,0,0,0", "EVID 101 (100 and above) is not supported"),
    "EVID 5": (f"{HEAD}\n1,0,5,100,c,0,0,0,0,0", "Say replace_evid=5"),
    "a dose without amount": (f"{HEAD}\n1,0,1,0,c,0,0,0,0,0", "column AMT: A dose without an amount"),
    "a negative dose": (f"{HEAD}\n1,0,1,-5,c,0,0,0,0,0", "column AMT: AMT is -5"),
    "an amount on an observation": (f"{HEAD}\n1,0,0,100,c,0,0,0,0,0", "column AMT: AMT is 100 on a row with EVID 0"),
    "a rate on a reset": (f"{HEAD}\n1,0,3,0,c,5,0,0,0,0", "column RATE: RATE is 5 on a row with EVID 3"),
    "a dose nowhere": (f"{HEAD}\n1,0,1,100,.,0,0,0,0,0", "column CMT: A dose without a compartment"),
    "a compartment switched off": (f"{HEAD}\n1,0,2,0,-2,0,0,0,0,0", "switching a compartment off is not supported"),
    "RATE -3": (f"{HEAD}\n1,0,1,100,c,-3,0,0,0,0", "column RATE: RATE is -3"),
    "a negative duration": (f"{HEAD}\n1,0,1,100,c,0,-1,0,0,0", "column DUR: DUR is -1"),
    "RATE and DUR that disagree": (f"{HEAD}\n1,0,1,100,c,50,3,0,0,0", "column DUR: RATE and DUR disagree"),
    "a modelled rate with DUR": (f"{HEAD}\n1,0,1,100,c,-1,3,0,0,0", "column DUR: RATE -1 leaves it to the model"),
    "ADDL without II": (f"{HEAD}\n1,0,1,100,c,0,0,0,3,0", "column ADDL: ADDL without II"),
    "a negative ADDL": (f"{HEAD}\n1,0,1,100,c,0,0,12,-3,0", "column ADDL: ADDL is -3"),
    "II alone": (f"{HEAD}\n1,0,1,100,c,0,0,12,0,0", "column II: II without ADDL or SS"),
    "a negative II": (f"{HEAD}\n1,0,1,100,c,0,0,-12,3,0", "column II: II is -12"),
    "SS without II": (f"{HEAD}\n1,0,1,100,c,0,0,0,0,1", "column SS: SS without II"),
    "SS 3": (f"{HEAD}\n1,0,1,100,c,0,0,12,0,3", "column SS: SS 3 is not supported"),
    "a steady state of nothing": (f"{HEAD}\n1,0,1,0,c,0,0,12,0,1", "A dose without an amount"),
    "time going back": (f"{HEAD}\n1,5,1,100,c,0,0,0,0,0\n{ROW}", "line 3, column TIME: Time goes back from 5 to 0 h"),
    "time going back at a reset": (f"{HEAD}\n1,5,1,100,c,0,0,0,0,0\n1,0,4,9,c,0,0,0,0,0", "from 5 to 0 h at a reset"),
    "a person in two places": (f"{HEAD}\n{ROW}\n2{ROW[1:]}\n{ROW}", "line 4, column ID: Person 1 appears in"),
    "a dose that is observed": (f"{HEAD},DV,MDV\n{ROW},5,0", "column MDV: MDV is 0 on a row with EVID 1"),
    "an observation of nothing": ("ID,TIME,EVID,DV,MDV\n1,0,0,.,0", "column DV: MDV is 0 but DV is missing"),
    "MDV 101": ("ID,TIME,EVID,DV,MDV\n1,0,0,1,101", "MDV 101 is not supported"),
    "CENS 2": ("ID,TIME,EVID,DV,CENS\n1,0,0,1,2", "column CENS: CENS is 2"),
    "CENS of nothing": ("ID,TIME,EVID,DV,CENS\n1,0,0,.,1", "column CENS: CENS without an observation"),
    "a covariate that changes": ("ID,TIME,AMT,CMT,WT\n1,0,1,1,70\n1,5,0,1,75", "column WT: WT changes in time and no"),
    "a covariate never given": ("ID,TIME,AMT,CMT,WT\n1,0,1,1,.", "column WT: WT is missing for person 1"),
    "an unclosed quote": ('ID,TIME,AMT,CMT\n"1,0,1,1', "Not a CSV file"),
    "zero bytes": ("ID,TIME,AMT\x00,CMT\n1,0,1,1", "zero bytes"),
    "no compartment column": ("ID,TIME,AMT\n1,0,100", "column CMT: A dose without a compartment"),
}  # fmt: skip


def written(tmp_path: Path, text: str | bytes) -> Path:
    path = tmp_path / "events.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


@pytest.mark.parametrize("name", REFUSED)
def test_an_impossible_table_gets_one_clear_error(name: str, tmp_path: Path) -> None:
    text, wrong = REFUSED[name]
    path = written(tmp_path, text)
    with pytest.raises(InputError) as caught:
        read_events(path)
    assert caught.value.exit_code == 2
    assert wrong in str(caught.value), str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    "data", ["ID,TIME\n1,é".encode("latin-1"), "ID,TIME,AMT\n1,0,1".encode("utf-16")], ids=["latin-1", "utf-16"]
)
def test_another_encoding_is_named(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="UTF-8"):
        read_events(written(tmp_path, data))


def test_a_missing_file_and_a_directory_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(InputError):
            read_events(path)


def test_a_byte_order_mark_and_windows_lines_are_read(tmp_path: Path) -> None:
    table = read_events(written(tmp_path, "\ufeff" + f"{HEAD}\r\n{ROW}\r\n\r\n"))
    assert (table.events[0].amount, table.events[0].line) == (100.0, 2)


def test_an_unknown_compartment_is_offered_the_nearest(tmp_path: Path) -> None:
    path = written(tmp_path, f"{HEAD}\n1,0,1,100,centrl,0,0,0,0,0")
    with pytest.raises(InputError, match=r"line 2, column CMT: Unknown compartment 'centrl'. Nearest: central"):
        read_events(path, compartments={"1": "depot", "2": "central"})


def test_compartments_go_by_number_or_name(tmp_path: Path) -> None:
    path = written(tmp_path, f"{HEAD}\n1,0,1,100,2,0,0,0,0,0\n1,1,1,100,depot,0,0,0,0,0\n1,2,0,0,0,0,0,0,0,0")
    table = read_events(path, compartments={"1": "depot", "2": "central"})
    assert [event.compartment for event in table.events] == ["central", "depot", None]


def test_without_evid_an_amount_makes_a_dose(tmp_path: Path) -> None:
    table = read_events(written(tmp_path, "ID,TIME,AMT,DV\n1,0,100,.\n1,2,.,8.5"), default_compartment="c")
    assert [(event.evid, event.compartment, event.observed) for event in table.events] == [
        (1, "c", False),
        (0, None, True),
    ]


def test_columns_of_observations_are_carried(tmp_path: Path) -> None:
    text = "id,time,evid,dv,mdv,dvid,occ,limit,cens\n1,0,0,2.5,0,K,3,0.5,1\n1,4,0,9,1,.,.,.,0"
    seen, unseen = read_events(written(tmp_path, text)).events
    assert (seen.value, seen.observed, seen.dvid, seen.occasion, seen.limit, seen.censored) == (
        2.5,
        True,
        "K",
        3,
        0.5,
        1,
    )
    assert (unseen.value, unseen.observed, unseen.dvid, unseen.occasion) == (9.0, False, None, None)


def test_an_unknown_carry_rule_or_replace_code_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, f"{HEAD}\n{ROW}")
    with pytest.raises(InputError, match="Unknown carry rule 'nocb'"):
        read_events(path, carry="nocb")
    with pytest.raises(InputError, match="EVID 6 cannot mean replace"):
        read_events(path, replace_evid=6)


def test_a_table_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    table = read_events(written(tmp_path, f"{HEAD}\n{ROW}"))
    before = sorted(tmp_path.iterdir())
    with pytest.raises(InputError, match="Cannot write"):
        write_events(table, tmp_path / "nowhere" / "out.csv")
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError, match="Cannot write"):
        write_events(table, tmp_path / "folder")
    assert sorted(tmp_path.iterdir()) == sorted([*before, tmp_path / "folder"])


def test_unsupported_things_are_named_as_such(tmp_path: Path) -> None:
    for text in (f"{HEAD}\n1,0,101,1,c,0,0,0,0,0", "ID,DATE,TIME,AMT\n1,1,0,1", "ID,TIME,DV,MDV,EVID\n1,0,1,100,0"):
        with pytest.raises(UnsupportedError):
            read_events(written(tmp_path, text))
