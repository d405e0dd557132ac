"""From material to files: the folder that a reader is handed."""

from __future__ import annotations

import importlib.util
import xml.etree.ElementTree as ET
from pathlib import Path
from types import ModuleType

import pytest

from rekindle.report import write_report


@pytest.fixture(scope="module")
def invented() -> ModuleType:
    place = Path(__file__).parents[1] / "unit" / "report" / "invented.py"
    spec = importlib.util.spec_from_file_location("invented_for_journey", place)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_report_is_a_page_and_a_file_for_each_figure(invented: ModuleType, tmp_path: Path) -> None:
    page = write_report(invented.material(), tmp_path / "new" / "folder")
    text = page.read_text(encoding="utf-8")
    saved = sorted(path.stem for path in (page.parent / "figures").glob("*.svg"))
    assert page.name == "report.html"
    assert all(f'<figure id="{key}"' in text for key in saved) and text.count("<figure id=") == len(saved) == 10
    for path in (page.parent / "figures").glob("*.svg"):
        assert ET.fromstring(path.read_text(encoding="utf-8")).get("role") == "img"


def test_writing_again_changes_no_byte(invented: ModuleType, tmp_path: Path) -> None:
    first = write_report(invented.material(), tmp_path / "a")
    second = write_report(invented.material(), tmp_path / "b")
    for path in [first, *(first.parent / "figures").iterdir()]:
        assert path.read_bytes() == (second.parent / path.relative_to(first.parent)).read_bytes()


def test_a_folder_that_cannot_be_made_is_an_os_error_and_leaves_nothing(invented: ModuleType, tmp_path: Path) -> None:
    blocked = tmp_path / "blocked"
    blocked.write_text("a file")
    with pytest.raises(OSError):
        write_report(invented.material(), blocked)
    assert blocked.read_text() == "a file"
