"""The invented study, its figures and its page, made once for all tests of the report."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from rekindle.report.figure import Figure
from rekindle.report.figures import draw_figures
from rekindle.report.html import render
from rekindle.report.material import ReportInput


def load_invented() -> ModuleType:
    """The module beside this file; it is no package, so it is loaded by its path."""
    if "invented_report" not in sys.modules:
        spec = importlib.util.spec_from_file_location("invented_report", Path(__file__).with_name("invented.py"))
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules["invented_report"] = module
        spec.loader.exec_module(module)
    return sys.modules["invented_report"]


@pytest.fixture(scope="session")
def invented() -> ModuleType:
    return load_invented()


@pytest.fixture(scope="session")
def material(invented: ModuleType) -> ReportInput:
    return invented.material()


@pytest.fixture(scope="session")
def drawn(material: ReportInput) -> dict[str, Figure]:
    return draw_figures(material)


@pytest.fixture(scope="session")
def page(material: ReportInput, drawn: dict[str, Figure]) -> str:
    return render(material, drawn)
