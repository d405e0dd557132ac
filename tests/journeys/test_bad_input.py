"""What bad input gets: one clear message with its place, the right exit code, no traceback, nothing left behind.

Each case is a command line in an empty folder (with the files that it needs), the exit code, and words that the
message must hold. A case runs twice: as it is, and with `--json`, where standard output is one JSON document.
"""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from rekindle.cli import main

STUDY = """\
title: A small study
population:
  kind: treatment-resistant-depression
  people: 4
arms:
  - name: Ketamine
    course: 0.5 mg/kg IV over 40 min, once
  - name: Midazolam
    course: midazolam 0.045 mg/kg IV over 40 min, once
    role: comparator
horizon: 2 days
outcomes: [MADRS]
studies: 0
"""
BOMB = "title: &a [x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
EVENTS = "ID,TIME,EVID,AMT,CMT,RATE,DUR,II,ADDL,SS\n"


@dataclass(frozen=True)
class Case:
    """A command line, the files it finds, the words of its message, and its exit code."""

    arguments: tuple[str, ...]
    words: tuple[str, ...]
    files: Mapping[str, str | bytes] = field(default_factory=dict)
    exit_code: int = 2


def dose(sentence: str, *words: str) -> Case:
    return Case(("dose", sentence, "--events", "out.csv"), words)


def study(old: str, new: str, *words: str) -> Case:
    """The small study with one thing changed."""
    assert old in STUDY, old
    text = STUDY.replace(old, new)
    return Case(("simulate", "study.yaml", "--out", "out"), ("study.yaml", *words), {"study.yaml": text})


def study_file(content: str | bytes, *words: str) -> Case:
    return Case(("simulate", "study.yaml", "--out", "out"), ("study.yaml", *words), {"study.yaml": content})


def events(rows: str, *words: str) -> Case:
    return Case(("dose", "--read", "events.csv"), ("events.csv", *words), {"events.csv": EVENTS + rows})


def model(text: str, *words: str, exit_code: int = 2) -> Case:
    return Case(("model", "states", "--model", "my.ant"), words, {"my.ant": text}, exit_code)


def parameters(text: str | bytes, *words: str) -> Case:
    return Case(("model", "parameters", "--parameters", "my.csv"), ("my.csv", *words), {"my.csv": text})


def people(text: str, *words: str) -> Case:
    changed = STUDY.replace("  people: 4\n", "  csv: people.csv\n")
    files = {"study.yaml": changed, "people.csv": text}
    return Case(("simulate", "study.yaml", "--out", "out"), ("people.csv", *words), files)


SENTENCES = {
    "an empty sentence": dose("", "empty"),
    "an unknown drug": dose("ketamin 0.5 mg/kg IV over 40 min, once", "ketamin", "Nearest"),
    "an unknown route": dose("0.5 mg/kg intrathecal, once", "intrathecal"),
    "an unknown unit": dose("0.5 mL/kg IV over 40 min, once", "ml/kg"),
    "a missing unit": dose("0.5 IV over 40 min, once", "does not fit"),
    "a missing dose": dose("ketamine IV over 40 min, once", "dose"),
    "a missing duration": dose("0.5 mg/kg IV infusion, once", "over"),
    "a missing rhythm": dose("0.5 mg/kg IV over 40 min", "when"),
    "a negative dose": dose("ketamine -0.5 mg/kg IV over 40 min, once", "-0.5"),
    "a dose with a minus in front": dose("-0.5 mg/kg IV over 40 min, once", "minus"),
    "a dose of zero": dose("0 mg/kg IV over 40 min, once", "0 mg"),
    "an absurd dose": dose("50 mg/kg IV over 40 min, once", "50 mg/kg"),
    "a dose that is no number": dose("nan mg/kg IV over 40 min, once", "nan"),
    "an endless dose": dose("inf mg IM, once", "inf"),
    "no duration at all": dose("0.5 mg/kg IV over 0 min, once", "0 min"),
    "no sessions": dose("0.5 mg/kg IV over 40 min, 0 times", "0"),
    "days out of order": dose("84 mg intranasal esketamine, days 8, 4, 1", "4"),
    "a day before the first": dose("84 mg intranasal esketamine, days 0, 4", "0"),
    "half a device": dose("70 mg intranasal esketamine, once", "28"),
    "a device for the racemate": dose("84 mg intranasal device ketamine, once", "device"),
    "sessions that overlap": dose("0.5 mg/kg IV over 40 h, every day for 5 days", "before session 1"),
    "infusions that overlap": dose("0.5 mg/kg IV over 40 min, once + 0.2 mg/kg IV over 20 min, once", "overlap"),
    "a course without end": dose("0.5 mg/kg IV over 40 min, daily for 900 years", "year"),
    "trailing words": dose("0.5 mg/kg IV over 40 min, once, please", "please"),
}
OPTIONS = {
    "no command": Case((), ("Usage",)),
    "an unknown command": Case(("simulat",), ("simulat", "simulate")),
    "an unknown option": Case(("dose", "0.5 mg/kg IM, once", "--wieght", "70"), ("--wieght", "--weight")),
    "an option without its value": Case(("dose", "0.5 mg/kg IM, once", "--weight"), ("--weight",)),
    "a missing argument": Case(("simulate", "--out", "out"), ("STUDY",)),
    "neither sentence nor table": Case(("dose",), ("sentence",)),
    "a weight that is no number": Case(("dose", "0.5 mg/kg IM, once", "--weight", "heavy"), ("--weight", "number")),
    "a negative weight": Case(("dose", "0.5 mg/kg IM, once", "--weight", "-70"), ("-70",)),
    "a weight of zero": Case(("dose", "0.5 mg/kg IM, once", "--weight", "0"), ("weight",)),
    "an absurd weight": Case(("dose", "0.5 mg/kg IM, once", "--weight", "7000"), ("7000",)),
    "a weight that is not finite": Case(("dose", "0.5 mg/kg IM, once", "--weight", "nan"), ("weight",)),
    "a missing weight": Case(("model", "export", "--sbml", "m.xml", "--dose", "0.5 mg/kg IM, once"), ("--weight",)),
    "a missing height": Case(("dose", "0.5 mg/kg lean body weight IM, once"), ("height",)),
    "an unknown record": Case(("evidence", "show", "pk-cl-kamq"), ("pk-cl-kamq", "pk-cl-kamp")),
    "an unknown topic": Case(("evidence", "list", "--topic", "pks"), ("pks",)),
    "an unknown grade": Case(("model", "parameters", "--grade", "humane"), ("humane", "human")),
    "nothing to export": Case(("model", "export"), ("--sbml",)),
}
TABLES = {
    "RATE and DUR that disagree": events("1,0,1,35,1,10,2,0,0,0\n", "line 2", "RATE and DUR"),
    "ADDL without II": events("1,0,1,35,1,0,0,0,3,0\n", "line 2", "ADDL without II"),
    "SS without II": events("1,0,1,35,1,0,0,0,0,1\n", "line 2", "SS without II"),
    "times going back": events("1,5,1,35,1,0,0,0,0,0\n1,0,1,35,1,0,0,0,0,0\n", "line 3", "back"),
    "a negative amount": events("1,0,1,-35,1,0,0,0,0,0\n", "line 2", "AMT"),
    "an amount that is no number": events("1,0,1,lots,1,0,0,0,0,0\n", "line 2", "lots"),
    "an amount that is not finite": events("1,0,1,inf,1,0,0,0,0,0\n", "line 2", "AMT"),
    "an unknown compartment": events("1,0,1,35,99,0,0,0,0,0\n", "line 2", "99"),
    "an unknown kind of event": events("1,0,9,35,1,0,0,0,0,0\n", "line 2", "EVID"),
    "a row that is too short": events("1,0,1\n", "line 2"),
    "a header and nothing else": events("", "no rows"),
    "an empty table": Case(("dose", "--read", "events.csv"), ("events.csv", "empty"), {"events.csv": ""}),
    "a table in another encoding": Case(
        ("dose", "--read", "events.csv"), ("events.csv",), {"events.csv": (EVENTS + "1,0").encode("utf-16")}
    ),
    "a table that is not there": Case(("dose", "--read", "events.csv"), ("events.csv",)),
}
STUDIES = {
    "an unknown field": study("title", "titel", "line 1", "titel", "title"),
    "a missing field": study("horizon: 2 days\n", "", "horizon", "missing"),
    "an unknown scale": study("MADRS", "MADSR", "line 12", "MADSR", "MADRS"),
    "an unknown population": study("treatment-resistant-depression", "resistant", "line 3", "resistant"),
    "an unknown drug in a course": study("course: midazolam", "course: midazolan", "line 9", "midazolan"),
    "an unknown hypothesis": study("studies: 0", "studies: 0\nhypotheses: {dirct: 1}", "line 14", "direct"),
    "a hypothesis outside 0 to 1": study("studies: 0", "studies: 0\nhypotheses: {direct: 7}", "line 14", "7"),
    "an unknown modifier": study("role: comparator", "modifiers: {naltrexon: true}", "line 10", "naltrexone"),
    "an unknown published record": study("studies: 0", "published: [wilkinson]", "line 13", "wilkinson"),
    "an unknown role": study("role: comparator", "role: control", "line 10", "comparator"),
    "an arm named twice": study("name: Midazolam", "name: Ketamine", "line 8", "twice"),
    "nobody": study("people: 4", "people: 0", "line 4", "people"),
    "people by the half": study("people: 4", "people: 4.5", "line 4", "4.5"),
    "far too many people": study("people: 4", "people: 1e12", "line 4"),
    "a criterion upside down": study("people: 4", "criteria: {age_years: [65, 18]}", "line 4", "[18, 65]"),
    "an unknown criterion": study("people: 4", "criteria: {age: [18, 65]}", "line 4", "age_years"),
    "a dose after the horizon": study("40 min, once\n  - name: M", "40 min, daily for 3 days\n  - name: M", "horizon"),
    "a horizon without a unit": study("2 days", "2", "line 11", "weeks"),
    "a horizon of no length": study("2 days", "0 days", "line 11"),
    "a horizon that is not finite": study("2 days", ".inf", "line 11"),
    "a negative seed": study("studies: 0", "seed: -1", "line 13", "seed"),
    "a number that is not finite": study("role: comparator", "expects_active: .nan", "line 10"),
    "a visit after the horizon": study("studies: 0", "visits: [1 h, 3 days]", "line 13", "horizon"),
    "visits going back": study("studies: 0", "visits: [24 h, 4 h]", "line 13", "back"),
    "a field twice": study("studies: 0", "title: Another", "line 13", "twice"),
    "a list instead of fields": study_file("- a\n- b\n", "list"),
    "an empty study": study_file("", "empty"),
    "only comments": study_file("# nothing\n", "comments"),
    "another encoding": study_file(STUDY.encode("utf-16"), "UTF-16"),
    "a letter in another encoding": study_file(STUDY.replace("small", "caf\u00e9").encode("latin-1"), "UTF-8"),
    "a YAML bomb": study_file(BOMB, "Anchors"),
    "a YAML tag": study_file("title: !!python/object/apply:os.system [ls]\n", "Tags"),
    "a tab": study_file("title: x\narms:\n\t- name: y\n", "line 3", "tab"),
    "a binary file": study_file(bytes(range(256)), "UTF-8"),
    "a huge file": study_file("# " + "x" * 2_000_000, "bytes"),
    "a study that is not there": Case(("simulate", "stdy.yaml", "--out", "out"), ("stdy.yaml",)),
    "a study that is a directory": Case(("simulate", ".", "--out", "out"), ("directory",)),
    "an unknown backend": Case(
        ("simulate", "study.yaml", "--out", "out", "--backend", "fast"), ("fast", "native"), {"study.yaml": STUDY}
    ),
    "no threads": Case(
        ("simulate", "study.yaml", "--out", "out", "--threads", "0"), ("--threads",), {"study.yaml": STUDY}
    ),
    "an output that is a file": Case(
        ("simulate", "study.yaml", "--out", "study.yaml"), ("study.yaml",), {"study.yaml": STUDY}
    ),
    "an output under a file": Case(
        ("simulate", "study.yaml", "--out", "study.yaml/out"), ("study.yaml",), {"study.yaml": STUDY}
    ),
    "an output that holds other files": Case(
        ("simulate", "study.yaml", "--out", "."), ("study.yaml",), {"study.yaml": STUDY}
    ),
    "an unknown column of people": people("age_years,sex,weigt_kg\n40,female,70\n", "weigt_kg"),
    "a person without weight": people("age_years,sex,weight_kg\n40,female,\n", "line 2", "weight_kg"),
    "a person of negative weight": people("age_years,sex,weight_kg\n40,female,-70\n", "line 2", "weight_kg"),
    "a child": Case(
        ("simulate", "study.yaml", "--out", "out"),
        ("--outside-domain",),
        {
            "study.yaml": STUDY.replace("  people: 4\n", "  csv: people.csv\n"),
            "people.csv": "age_years,sex,weight_kg\n9,female,30\n",
        },
    ),
    "an empty table of people": people("", "empty"),
}
MODELS = {
    "rates that need themselves": model("model m; A := B; B := A; C' = -A*C; C = 1; end", "circle"),
    "a symbol defined twice": model("model m; A = 1; A = 2; A' = -A; end", "A"),
    "a broken line": model("model m; A' = -k*; end", "my.ant"),
    "a symbol without a value": model("model m; A = 1; A' = -k*A; end", "k"),
    "an event": model("model m; A = 1; k = 1; A' = -k*A; at (time > 1): A = 2; end", "vent"),
    "an empty model": model("", "my.ant"),
    "a model that is not there": Case(("model", "states", "--model", "none.ant"), ("none.ant",)),
    "a model of another kind": Case(("model", "states", "--model", "my.txt.gz"), ("my.txt.gz",), {"my.txt.gz": "x"}),
    "an unknown parameter": parameters("name,value\nclearence,80\n", "line 2", "clearence", "clearance"),
    "a parameter twice": parameters("name,value\nclearance,80\nclearance,81\n", "line 3", "twice"),
    "a parameter without a value": parameters("name,value\nclearance,\n", "line 2"),
    "a parameter that is not finite": parameters("name,value\nclearance,nan\n", "line 2", "finite"),
    "a negative clearance": parameters("name,value\nclearance,-80\n", "line 2", "negative"),
    "a parameter in another unit": parameters("name,value,unit\nclearance,80,mL/min\n", "line 2", "L/h"),
    "a parameter outside its range": parameters("name,value,low,high\nclearance,80,1,2\n", "line 2", "range"),
    "an unknown column": parameters("name,valu\nclearance,80\n", "line 1", "value"),
    "a table without rows": parameters("name,value\n", "no rows"),
    "a table in another encoding ": parameters("name,value\n".encode("utf-16"), "UTF-16"),
}
PREDICTIONS = {
    "predictions for a table that is not there": Case(("predict", "events.csv"), ("events.csv",)),
    "predictions of an unknown output": Case(
        ("predict", "events.csv", "--model", "my.ant", "--output", "B"),
        ("B",),
        {
            "events.csv": "ID,TIME,EVID,AMT,CMT\n1,0,1,5,A\n1,1,0,.,A\n",
            "my.ant": "model m; A = 0; k = 1; A' = -k*A; end",
        },
    ),
    "a compartment without a place": Case(
        ("predict", "events.csv", "--compartment", "1"), ("--compartment", "CMT=STATE"), {"events.csv": EVENTS}
    ),
    "an unknown carry rule": Case(("predict", "events.csv", "--carry", "locff"), ("locff",), {"events.csv": EVENTS}),
}
PLACES = {
    "an event table under a file": Case(
        ("dose", "25 mg IM ketamine, once", "--events", "file/e.csv"), ("file/e.csv",), {"file": "x"}
    ),
    "an event table in no directory": Case(("dose", "25 mg IM ketamine, once", "--events", "no/e.csv"), ("no/e.csv",)),
    "an event table on a full disk": Case(
        ("dose", "25 mg IM ketamine, once", "--events", "/dev/full"), ("/dev/full", "full")
    ),
    "a model written to a directory": Case(("model", "export", "--sbml", "."), ("directory",)),
    "a model on a full disk": Case(("model", "export", "--antimony", "/dev/full"), ("full",)),
}
CASES = {**SENTENCES, **OPTIONS, **TABLES, **STUDIES, **MODELS, **PREDICTIONS, **PLACES}


def test_at_least_forty_kinds_of_bad_input_are_tried() -> None:
    assert len(CASES) >= 40


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def prepare(folder: Path, case: Case) -> dict[str, bytes]:
    for name, content in case.files.items():
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return contents(folder)


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else b"" for path in folder.rglob("*")
    }


@pytest.mark.parametrize("name", CASES)
def test_bad_input_gets_one_clear_message_and_leaves_nothing(
    name: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    case = CASES[name]
    before = prepare(folder, case)
    exit_code = main(list(case.arguments))
    printed = capsys.readouterr()
    assert exit_code == case.exit_code, printed.err
    assert "Traceback" not in printed.err + printed.out
    assert "Rekindle itself failed" not in printed.err
    assert printed.out == ""
    for word in case.words:
        assert word in printed.err
    if name != "no command":
        assert printed.err.count("\n") == 1, "one message, on one line"
    assert contents(folder) == before


@pytest.mark.parametrize("name", [name for name in CASES if name != "no command"])
def test_with_json_the_error_is_one_document(name: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    case = CASES[name]
    before = prepare(folder, case)
    exit_code = main([*case.arguments, "--json"])
    printed = capsys.readouterr()
    document = json.loads(printed.out)
    assert set(document) == {"error"}
    assert document["error"]["exit_code"] == exit_code == case.exit_code
    assert document["error"]["message"]
    assert contents(folder) == before


def full_disk(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_disk_that_fills_during_the_run_leaves_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "study.yaml").write_text(STUDY)
    before = contents(folder)
    monkeypatch.setattr("rekindle.trajectories.Trajectories.save", full_disk)
    assert main(["simulate", "study.yaml", "--out", "deep/out"]) == 2
    assert "disk is full" in capsys.readouterr().err
    assert contents(folder) == before


@pytest.mark.parametrize("bytes_allowed", [300_000])
def test_a_real_limit_on_the_size_of_files_is_met_in_words(folder: Path, bytes_allowed: int) -> None:
    """The system itself refuses to let a file grow, as a full disk does, in whatever library then writes."""
    (folder / "study.yaml").write_text(STUDY)
    before = contents(folder)
    program = (
        "import resource, sys\nfrom rekindle.cli import main\n"
        "from rekindle.simulate import lowered_model\nlowered_model()\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({bytes_allowed}, {bytes_allowed}))\n"
        "sys.exit(main(['simulate', 'study.yaml', '--out', 'deep/out']))\n"
    )
    finished = subprocess.run([sys.executable, "-c", program], cwd=folder, capture_output=True, text=True)
    assert finished.returncode == 2, finished.stderr
    assert finished.stdout == ""
    assert "disk is full" in finished.stderr
    assert finished.stderr.count("\n") == 1
    assert contents(folder) == before


def test_an_interrupted_run_leaves_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "study.yaml").write_text(STUDY)
    before = contents(folder)

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("rekindle.simulate.simulate", interrupt)
    assert main(["simulate", "study.yaml", "--out", "out"]) == 130
    assert contents(folder) == before


def test_a_fault_of_the_program_is_called_one(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fault(*_: object, **__: object) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr("rekindle.dosing.parse", fault)
    monkeypatch.delenv("REKINDLE_TRACEBACK", raising=False)
    assert main(["dose", "25 mg IM ketamine, once"]) == 1
    message = capsys.readouterr().err
    assert "Rekindle itself failed" in message
    assert "Traceback" not in message
    monkeypatch.setenv("REKINDLE_TRACEBACK", "1")
    with pytest.raises(ZeroDivisionError):
        main(["dose", "25 mg IM ketamine, once"])
