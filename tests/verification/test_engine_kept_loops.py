"""Compiled loops that are kept on disk are compiled anew when anything that they hold has changed."""

from __future__ import annotations

import ast
import shutil
from pathlib import Path
from types import ModuleType

import numba
import pytest

from rekindle.engine import compiled, driver, tangent_driver

ENGINE = Path(compiled.__file__).parent
CONSTANTS_ONLY = {"schedule", "compiled"}
"""Modules of which a loop holds numbers only, and the one that counts."""


@pytest.mark.parametrize("module", [driver, tangent_driver])
def test_a_loop_is_kept_under_the_texts_of_all_that_it_holds(module: ModuleType) -> None:
    held = [cell.cell_contents for cell in module.run.py_func.__closure__]
    assert held == [compiled.sources_number(module.MODULES)]
    for name in set(module.MODULES) - CONSTANTS_ONLY:
        for node in ast.walk(ast.parse((ENGINE / f"{name}.py").read_text())):
            if isinstance(node, ast.ImportFrom) and str(node.module).startswith("rekindle.engine."):
                assert str(node.module).rpartition(".")[2] in {*module.MODULES, "compiled"}, f"{name}: {node.module}"


def test_another_text_is_another_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in driver.MODULES:
        shutil.copy(ENGINE / f"{name}.py", tmp_path)
    before = compiled.sources_number(driver.MODULES)
    monkeypatch.setattr(compiled, "__file__", str(tmp_path / "compiled.py"))
    assert compiled.sources_number(driver.MODULES) == before
    (tmp_path / "bare.py").write_text("# another text\n")
    assert compiled.sources_number(driver.MODULES) != before


def test_where_nothing_can_be_written_loops_are_compiled_without_being_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numba.core.caching.CompileResultCacheImpl, "_locator_classes", [])
    with pytest.raises(RuntimeError, match="cannot cache"):
        numba.njit(cache=True)(lambda x: x + 1)
    assert compiled.kept_on_disk()(lambda x: x + 1)(1) == 2
    assert driver._loop(1) is not None
