"""Files written by hand: every value keeps its line, and whatever could unfold, run or mislead is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rekindle.documents import field_name, parse_document, read_document, read_text
from rekindle.errors import InputError

STUDY = """# a comment
title: One
arms:
  - name: drug
    course: once
  - {name: other, course: twice}
"""


def test_each_value_knows_its_line() -> None:
    document = parse_document(STUDY, "study.yaml")
    assert document.values["arms"][1] == {"name": "other", "course": "twice"}
    assert document.where("title") == "study.yaml, line 2, title"
    assert document.where("arms", 0, "course") == "study.yaml, line 5, arms[1].course"
    assert document.where("arms", 1, "course") == "study.yaml, line 6, arms[2].course"


def test_a_missing_field_is_placed_at_what_should_hold_it() -> None:
    document = parse_document(STUDY, "study.yaml")
    assert document.where("arms", 1, "role") == "study.yaml, line 6, arms[2].role"


def test_values_are_plain_python() -> None:
    document = parse_document("a: 1\nb: 2.5\nc: text\nd: true\ne: null\nf: [1, x]\ng: 2020-01-02\n", "x")
    assert [type(value) for value in document.values.values()] == [
        int,
        float,
        str,
        bool,
        type(None),
        list,
        str,
    ]


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n" for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)

REFUSED = {
    "a bomb of aliases": (BOMB, "Anchors"),
    "an alias to itself": ("a: &a [*a]\n", "Anchors"),
    "a merge key": ("base: &b {x: 1}\nother:\n  <<: *b\n", "Anchors"),
    "a tag": ("a: !!python/object/apply:os.system ['true']\n", "Tags"),
    "a field twice": ("a: 1\na: 2\n", "stands twice"),
    "a tab": ("a:\n\tb: 1\n", "tab"),
    "a list": ("- 1\n- 2\n", "a list"),
    "a single value": ("hello\n", "a single value"),
    "two documents": ("a: 1\n---\nb: 2\n", "several documents"),
    "a number as a name": ("1: x\n", "is not a word"),
    "deep nesting": ("a: " + "[" * 3000 + "]" * 3000 + "\n", "deep"),
    "very many values": ("a: [" + "1, " * 30_000 + "1]\n", "More than"),
    "an open bracket": ("a: [1, 2\nb: 3\n", "not YAML"),
    "nothing": ("", "empty"),
    "only comments": ("# nothing here\n", "nothing but comments"),
    "a control character": ("a: \x01\n", "not YAML"),
    "a number without digits": ("a: +_\n", "begins like a number"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_text_that_is_no_plain_mapping_is_refused(case: str) -> None:
    text, reason = REFUSED[case]
    with pytest.raises(InputError, match=reason) as caught:
        parse_document(text, "study.yaml")
    assert "study.yaml" in str(caught.value)


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        document = parse_document(text, "x")
    except InputError:
        return
    assert isinstance(document.values, dict)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"  \n ", "empty"),
        ("title: caf\u00e9".encode("latin-1"), "not UTF-8"),
        ("title: x".encode("utf-16"), "UTF-16"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "not UTF-8"),
        (b"a: " + b"x" * 1_000_001, "bytes"),
    ],
)
def test_files_that_are_no_text_are_refused(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "study.yaml"
    path.write_bytes(content)
    with pytest.raises(InputError, match=reason):
        read_document(path)


def test_a_byte_order_mark_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_bytes(b"\xef\xbb\xbftitle: x\n")
    assert read_document(path).values == {"title": "x"}


def test_a_missing_file_names_its_neighbour(tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text("title: x")
    with pytest.raises(InputError, match=r"study\.yaml"):
        read_text(tmp_path / "stduy.yaml")
    with pytest.raises(InputError, match="directory"):
        read_text(tmp_path)


def test_positions_count_from_one() -> None:
    assert field_name(("arms", 2, "modifiers", "lithium")) == "arms[3].modifiers.lithium"
