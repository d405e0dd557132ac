"""The shape of the package: layers point one way, neighbours leave each other alone, nothing goes in circles.

Imports inside functions count as much as those at the top of a file.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "src" / "rekindle"

# Highest first. A module may import from lower rows, from its own part, and from nowhere else. The package's
# own `__init__` names the home of every public name and so stands outside the rows.
LAYERS: tuple[tuple[str, ...], ...] = (
    ("__main__",),
    ("cli",),
    ("bench",),
    ("one_person",),
    ("report",),
    ("planning",),
    ("inference",),
    ("trial", "person"),
    (
        "simulate",
        "trajectories",
        "labelled",
        "netcdf",
        "study_summary",
        "large",
        "cohort",
        "entering",
        "moments",
        "life",
        "study",
        "study_words",
        "study_file",
        "policy",
        "treatment",
        "equations",
        "models",
        "event_schedule",
        "event_intakes",
        "predictions",
        "run",
    ),
    ("mechanism", "population", "outcomes"),
    ("evidence", "engine", "dosing"),
    ("units", "streams", "provenance", "documents", "keeping", "processors", "errors"),
)

# Parts of one row that build on each other, in order: each may import those before it.
ORDERED_ROWS: tuple[tuple[str, ...], ...] = (
    ("errors", "processors", "keeping", "provenance", "documents", "units", "streams"),
    (
        "run",
        "models",
        "event_intakes",
        "event_schedule",
        "predictions",
        "policy",
        "study_file",
        "study_words",
        "study",
        "moments",
        "life",
        "cohort",
        "entering",
        "labelled",
        "netcdf",
        "study_summary",
        "trajectories",
        "treatment",
        "equations",
        "simulate",
        "large",
    ),
)

LONGEST_MODULE = 420
LONGEST_FUNCTION = 62


@cache
def trees() -> dict[str, ast.Module]:
    """Every module of the package by dotted name."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = ast.parse(path.read_text(encoding="utf-8"), filename=str(path))
    return found


def part_of(module: str) -> str:
    """The part of the package that a module belongs to: its first name below `rekindle`, if any."""
    return module.split(".")[1] if "." in module else ""


def row_of(part: str) -> int:
    """The row of a part, counted from the top."""
    for row, parts in enumerate(LAYERS):
        if part in parts:
            return row
    raise AssertionError(f"'{part}' is in no layer of tests/test_architecture.py; put it where it belongs")


def is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING")


def imports(tree: ast.Module, module: str) -> Iterator[tuple[str, int]]:
    """Modules of the package that a module imports, anywhere in it, with the line; type-only imports too."""
    known = trees()
    is_package = any(name.startswith(f"{module}.") for name in known)
    package = module if is_package else module.rpartition(".")[0]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "rekindle":
                    yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                stem = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*stem, *([base] if base else [])])
            if base.split(".")[0] != "rekindle":
                continue
            for alias in node.names:
                inner = f"{base}.{alias.name}"
                yield (inner if inner in known else base), node.lineno


def type_only_lines(tree: ast.Module) -> set[int]:
    """Lines of imports that only a type checker runs."""
    return {
        inner.lineno
        for node in ast.walk(tree)
        if is_type_checking(node)
        for inner in ast.walk(node)
        if isinstance(inner, ast.Import | ast.ImportFrom)
    }


def may_import(importer: str, imported: str) -> bool:
    """Whether the part `importer` may import from the part `imported`."""
    if importer == imported or importer == "":
        return True
    if imported == "":  # the package itself holds only the version and the list of public names
        return True
    for row in ORDERED_ROWS:
        if importer in row and imported in row:
            return row.index(imported) < row.index(importer)
    return row_of(imported) > row_of(importer)


@pytest.mark.parametrize("module", sorted(trees()))
def test_imports_point_down(module: str) -> None:
    wrong = [
        f"{module}:{line} imports {imported}"
        for imported, line in imports(trees()[module], module)
        if not may_import(part_of(module), part_of(imported))
    ]
    assert not wrong, "\n".join(wrong)


def test_the_rule_refuses_what_it_should() -> None:
    assert may_import("cli", "engine")
    assert may_import("study", "run")
    assert not may_import("run", "study")
    assert not may_import("engine", "dosing")
    assert not may_import("mechanism", "population")
    assert not may_import("dosing", "mechanism")
    assert not may_import("errors", "units")
    with pytest.raises(AssertionError, match="in no layer"):
        may_import("engine", "somewhere_new")


def test_imports_are_found_wherever_they_hide() -> None:
    source = (
        "import rekindle.errors\n"
        "from rekindle.dosing import language\n"
        "def late():\n    from rekindle import units\n    return units\n"
        "class Holder:\n    from rekindle.engine.network import Network\n"
    )
    found = {name for name, _ in imports(ast.parse(source), "rekindle.study")}
    assert "rekindle.errors" in found
    assert "rekindle.units" in found
    assert any(name.startswith("rekindle.dosing") for name in found)
    assert any(name.startswith("rekindle.engine") for name in found)


def cycles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Groups of two or more modules that reach one another (Tarjan's strongly connected components)."""
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    groups: list[list[str]] = []

    def visit(node: str) -> None:
        order[node] = low[node] = len(order)
        stack.append(node)
        for following in graph.get(node, ()):
            if following not in order:
                visit(following)
                low[node] = min(low[node], low[following])
            elif following in stack:
                low[node] = min(low[node], order[following])
        if low[node] == order[node]:
            at = stack.index(node)
            group = stack[at:]
            del stack[at:]
            if len(group) > 1:
                groups.append(sorted(group))

    for node in graph:
        if node not in order:
            visit(node)
    return groups


def import_graph() -> dict[str, set[str]]:
    """Who imports whom, the package's own door and type-only imports left out."""
    graph: dict[str, set[str]] = {}
    for module, tree in trees().items():
        if module == "rekindle":
            continue
        ignored = type_only_lines(tree)
        graph[module] = {
            imported
            for imported, line in imports(tree, module)
            if line not in ignored and imported not in ("rekindle", module)
        }
    return graph


def test_no_module_imports_itself_through_others() -> None:
    assert cycles(import_graph()) == []


def test_a_cycle_would_be_seen() -> None:
    assert cycles({"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}}) == [["a", "b", "c"]]


def test_nothing_outside_the_standard_library_is_named_by_the_innermost_modules() -> None:
    outside = {
        f"{module}: {name}"
        for module in ("rekindle.errors", "rekindle.provenance", "rekindle.run")
        for node in ast.walk(trees()[module])
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""])
        if name.split(".")[0] in ("numpy", "scipy", "pandas", "xarray", "numba", "sympy", "pydantic")
    }
    assert not outside


def test_dosing_and_evidence_know_no_model_and_the_engine_knows_no_drug() -> None:
    path = PACKAGE / "engine"
    named = [
        f"{file.name}:{number}"
        for file in sorted(path.rglob("*.py"))
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), start=1)
        if "ketamine" in line.lower()
    ]
    assert not named, f"the engine names a drug: {named}"


@pytest.mark.parametrize("module", sorted(trees()))
def test_modules_and_functions_stay_readable(module: str) -> None:
    tree = trees()[module]
    longest = max((node.end_lineno or 0 for node in tree.body), default=0)
    assert longest <= LONGEST_MODULE, f"{module} has {longest} lines; split it"
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    long = {
        f"{module}.{node.name}: {(node.end_lineno or 0) - node.lineno + 1} lines"
        for node in functions
        if (node.end_lineno or 0) - node.lineno + 1 > LONGEST_FUNCTION
    }
    assert not long, long
