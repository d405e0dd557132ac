"""Inputs for the readers of a person's file: right ones broken at random, text and JSON of any shape.

Used by the short runs of the tests and by `benchmarks/fuzz_person.py`, which runs each as long as it is told.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import strategies as st

from rekindle.errors import InputError
from rekindle.person import parse_person, person_yaml, read_person

EXAMPLES = Path(__file__).parents[2] / "examples"
TODAY = date(2024, 12, 1)
YAML = (EXAMPLES / "person.yaml").read_text(encoding="utf-8")
TABLE = (EXAMPLES / "person" / "events.csv").read_text(encoding="utf-8")
BUNDLE: dict[str, Any] = json.loads((EXAMPLES / "person" / "bundle.json").read_text(encoding="utf-8"))
PERSON: dict[str, Any] = json.loads((EXAMPLES / "person" / "person.json").read_text(encoding="utf-8"))

scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-(10**20), 10**20), st.floats(), st.text(max_size=12),
    st.sampled_from([
        "", "0", "-1", "1e999", "NaN", "2024-03-05", "2024-02-30", "9999-12-31T23:59:59+14:00", "0001-01-01", "day 3",
        "2024-03-05T10:00:00Z", "36 mg IV over 40 min", "MADRS", "PHQ-9", "ketamine", "80 kg", "below 2 ng/mL", "null",
        "\ud800", "\x00", "no treatment", "mg", "Patient/p", "#m1", "completed", "esketamine",
    ]),
)  # fmt: skip
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


def places(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a document."""
    found = [at] if at else []
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in entries:
        found += places(inner, (*at, key))
    return found


def changed(document: dict[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """The document with a few of its values replaced, removed or doubled."""
    everywhere = places(document)
    kinds = st.sampled_from(["replace", "replace", "remove", "double", "rename"])
    changes = st.lists(st.tuples(st.sampled_from(everywhere), kinds, values), min_size=1, max_size=4)
    return changes.map(lambda chosen: _apply(document, chosen))


def _apply(document: dict[str, Any], changes: list[tuple[tuple[Any, ...], str, Any]]) -> dict[str, Any]:
    copy: dict[str, Any] = json.loads(json.dumps(document))
    for place, kind, value in changes:
        target: Any = copy
        try:
            for step in place[:-1]:
                target = target[step]
            if kind == "remove":
                del target[place[-1]]
            elif kind == "double" and isinstance(target, list):
                target.append(target[place[-1]])
            elif kind == "rename" and isinstance(target, dict):
                target[str(value)] = target.pop(place[-1])
            else:
                target[place[-1]] = value
        except (KeyError, IndexError, TypeError):
            continue
    return copy


def spliced(text: str) -> st.SearchStrategy[str]:
    """The text with a few stretches cut out or written over."""
    cut = st.tuples(st.integers(0, len(text)), st.integers(0, 20), st.text(max_size=8))
    pieces = st.lists(cut, min_size=1, max_size=4)

    def join(cuts: list[tuple[int, int, str]]) -> str:
        found = text
        for place, length, new in cuts:
            found = found[:place] + new + found[place + length :]
        return found

    return pieces.map(join)


def check_text(text: str) -> None:
    """Reading gives a person, who is written back the same, or refuses with one message; it never crashes."""
    try:
        person = parse_person(text, "person.yaml", folder=EXAMPLES / "nowhere", today=TODAY)
    except InputError as error:
        _check_message(error)
        return
    again = parse_person(person_yaml(person), today=TODAY)
    assert again.given == person.given and again.ratings == person.ratings


def check_yaml(document: dict[str, Any]) -> None:
    """As `check_text`, for a document written as JSON."""
    check_text(json.dumps(document))


def check_bytes(data: bytes) -> None:
    """As `check_text`, for a file of any content."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "person"
        path.write_bytes(data)
        try:
            read_person(path, today=TODAY)
        except InputError as error:
            _check_message(error)


def check_table(text: str) -> None:
    """As `check_text`, for a table of events."""
    with TemporaryDirectory() as folder:
        (Path(folder) / "events.csv").write_bytes(text.encode("utf-8", "surrogatepass"))
        head = (
            "start: 2024-03-04\nwho: {diagnoses: [major-depression]}\n"
            "events: {file: events.csv, dvid: {'2': ketamine ng/mL}}\n"
        )
        try:
            parse_person(head, folder=Path(folder), today=TODAY)
        except InputError as error:
            _check_message(error)


def _check_message(error: InputError) -> None:
    shown = str(error)
    assert shown.strip() and len(shown) < 2_000, shown
    assert error.exit_code == 2


READERS: dict[str, tuple[st.SearchStrategy[Any], Callable[[Any], None]]] = {
    "YAML": (spliced(YAML), check_text),
    "JSON": (changed(PERSON), check_yaml),
    "bundle": (changed(BUNDLE), check_yaml),
    "table": (spliced(TABLE), check_table),
    "bytes": (st.binary(max_size=200), check_bytes),
}
"""Each reader's inputs and what must hold of them."""
