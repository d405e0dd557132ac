"""What is kept on disk is found again, and what is broken or made from something else is made again."""

from __future__ import annotations

from pathlib import Path

import pytest

from rekindle.evidence.catalog import Catalog, catalog
from rekindle.evidence.claims import claims, read_claims
from rekindle.evidence.tables import package_data
from rekindle.keeping import kept


class Maker:
    """Makes a list and counts how often."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> list[int]:
        self.count += 1
        return [1, 2, 3]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REKINDLE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def test_it_is_made_once_for_what_it_is_made_from(folder: Path) -> None:
    make = Maker()
    assert [kept("thing", list, lambda: ("text",), make) for _ in range(3)] == [[1, 2, 3]] * 3
    assert make.count == 1
    kept("thing", list, lambda: ("another text",), make)
    assert make.count == 2
    assert len(list(folder.iterdir())) == 2


@pytest.mark.parametrize("damage", ["cut", "emptied", "renamed", "another kind"])
def test_what_is_broken_or_of_another_kind_is_made_again(folder: Path, damage: str) -> None:
    make = Maker()
    kept("thing", list, lambda: ("text",), make)
    (path,) = folder.iterdir()
    if damage == "renamed":
        kept("thing", list, lambda: ("another text",), make)
        other = next(each for each in folder.iterdir() if each != path)
        path.write_bytes(other.read_bytes())
        make.count = 1
    elif damage == "another kind":
        path.unlink()
        kept("thing", tuple, lambda: ("text",), lambda: (4, 5))
    else:
        path.write_bytes(path.read_bytes()[:-5] if damage == "cut" else b"")
    assert kept("thing", list, lambda: ("text",), make) == [1, 2, 3]
    assert make.count == 2


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocked = tmp_path / "a file"
    blocked.write_text("")
    monkeypatch.setenv("REKINDLE_CACHE", str(blocked))
    make = Maker()
    assert [kept("thing", list, lambda: ("text",), make) for _ in range(2)] == [[1, 2, 3]] * 2
    assert make.count == 2


def test_the_kept_catalogue_is_the_catalogue(folder: Path) -> None:
    catalog.cache_clear()
    claims.cache_clear()
    try:
        for _ in range(2):  # made and kept, then taken from the disk
            assert list(catalog()) == list(Catalog.load())
            assert catalog().model_readings == Catalog.load().model_readings
            assert claims() == read_claims(package_data(), catalog())
            catalog.cache_clear()
            claims.cache_clear()
    finally:
        catalog.cache_clear()
        claims.cache_clear()
    assert len(list(folder.iterdir())) == 2
