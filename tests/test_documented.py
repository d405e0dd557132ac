"""What is public is described, what is described exists, and no file here points at one machine."""

from __future__ import annotations

import ast
import importlib.util
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src" / "rekindle"


def generated_pages() -> ModuleType:
    spec = importlib.util.spec_from_file_location("generated_pages", ROOT / "docs" / "generated_pages.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PAGES = generated_pages()


def trees() -> dict[str, ast.Module]:
    return {
        path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(PACKAGE.rglob("*.py"))
    }


TREES = trees()
Function = ast.FunctionDef | ast.AsyncFunctionDef


def public(body: list[ast.stmt]) -> list[Function | ast.ClassDef]:
    return [node for node in body if isinstance(node, Function | ast.ClassDef) and not node.name.startswith("_")]


def public_definitions(tree: ast.Module) -> list[tuple[str, Function | ast.ClassDef]]:
    """Public functions and classes of a module, and the public methods of those classes."""
    found: list[tuple[str, Function | ast.ClassDef]] = []
    for node in public(tree.body):
        found.append((node.name, node))
        if isinstance(node, ast.ClassDef):
            found += [(f"{node.name}.{inner.name}", inner) for inner in public(node.body)]
    return found


def is_spoken_for(node: Function | ast.ClassDef) -> bool:
    """An overload or override (described elsewhere), or a protocol's member whose whole body is `...`."""
    if isinstance(node, Function) and ast.unparse(node.body[0]) == "...":
        return True
    return any("overload" in ast.unparse(each) or "override" in ast.unparse(each) for each in node.decorator_list)


def undocumented(tree: ast.Module) -> list[str]:
    missing = [] if ast.get_docstring(tree) or not tree.body else ["the module"]
    for name, node in public_definitions(tree):
        doc = ast.get_docstring(node)
        if not is_spoken_for(node) and (doc is None or len(doc) < 6):
            missing.append(name)
    return missing


@pytest.mark.parametrize("module", TREES)
def test_every_public_name_says_what_it_is(module: str) -> None:
    assert undocumented(TREES[module]) == []


def test_a_missing_docstring_would_be_seen() -> None:
    tree = ast.parse(
        '"""A module of some kind."""\ndef f(): pass\nclass C:\n    """A class."""\n    def m(self): pass\n'
    )
    assert undocumented(tree) == ["f", "C.m"]


def raised_here(node: ast.AST) -> set[str]:
    """Names of the errors that a function raises in its own body (not in functions inside it)."""
    names: set[str] = set()
    pending = list(ast.iter_child_nodes(node))
    while pending:
        inner = pending.pop()
        if isinstance(inner, Function | ast.ClassDef | ast.Lambda):
            continue
        if isinstance(inner, ast.Raise) and isinstance(inner.exc, ast.Call):
            name = ast.unparse(inner.exc.func).split(".")[-1]
            if name.endswith("Error") or name == "unknown":
                names.add("InputError" if name == "unknown" else name)
        pending.extend(ast.iter_child_nodes(inner))
    return names


def silent_raisers(tree: ast.Module) -> list[str]:
    """Public functions that raise an error and do not say so under `Raises:`, there or in their class."""
    silent = []
    for node in public(tree.body):
        doc = ast.get_docstring(node) or ""
        members = [(node.name, node, "")] if isinstance(node, Function) else []
        if isinstance(node, ast.ClassDef):
            members = [(f"{node.name}.{inner.name}", inner, doc) for inner in public(node.body)]
        for name, member, outer in members:
            said = (ast.get_docstring(member) or "") + outer
            if raised_here(member) and "Raises:" not in said:
                silent.append(name)
    return silent


# A command's docstring is its help; its errors leave as messages.
@pytest.mark.parametrize("module", [module for module in TREES if not module.startswith("cli/")])
def test_functions_say_what_they_raise(module: str) -> None:
    assert silent_raisers(TREES[module]) == []


def test_a_silent_raiser_would_be_seen() -> None:
    tree = ast.parse('def f():\n    """Does a thing."""\n    raise InputError("no")\n')
    assert silent_raisers(tree) == ["f"]


COMMANDS: dict[str, Any] = dict(PAGES.command_tree())


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_has_help(name: str) -> None:
    command = COMMANDS[name]
    assert command.help, f"'{name}' has no help"
    silent = [each.name for each in command.params if not getattr(each, "help", "") and each.name != "help"]
    assert not silent, f"'{name}' says nothing of {silent}"


def test_every_command_stands_in_the_documentation() -> None:
    page = PAGES.commands_page()
    missing = [name for name in COMMANDS if f"# {name}\n" not in page]
    assert not missing


def test_every_generated_page_can_be_written() -> None:
    for name, make in PAGES.pages().items():
        text = make()
        assert text.startswith("# "), name
        assert len(text) > 300, name


def test_every_field_of_the_study_file_is_described() -> None:
    from rekindle.study_file import ArmFields, PopulationFields, StudyFields

    for schema in (StudyFields, PopulationFields, ArmFields):
        silent = [name for name, field in schema.model_fields.items() if not field.description]
        assert not silent


def pages_by_hand() -> list[Path]:
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def shell_lines(text: str) -> list[str]:
    """Lines of the fenced blocks of a page that call make or rekindle."""
    blocks = re.findall(r"```(?:text|sh|bash|console)\n(.*?)```", text, flags=re.DOTALL)
    lines = [line.strip().removeprefix("$ ") for block in blocks for line in block.splitlines()]
    return [line for line in lines if line.split(" ")[0] in ("make", "rekindle", ".venv/bin/rekindle")]


def check_command_line(line: str) -> None:
    """The command of a documented line exists, and so does each of its options."""
    words = shlex.split(line, comments=True)
    if words[0] == "make":
        targets = re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)
        asked = [word for word in words[1:] if "=" not in word]
        assert set(asked) <= set(targets), line
        return
    name, rest = "rekindle", words[1:]
    while rest and f"{name} {rest[0]}" in COMMANDS:
        name, rest = f"{name} {rest[0]}", rest[1:]
    assert name != "rekindle" or rest[:1] == ["--help"] or not rest, f"no such command: {line}"
    known = {option for each in COMMANDS[name].params for option in each.opts} | {"--help"}
    used = {word.split("=")[0] for word in rest if word.startswith("--")}
    assert used <= known, f"{line}: no option {sorted(used - known)}"


@pytest.mark.parametrize("page", pages_by_hand(), ids=lambda path: path.name)
def test_commands_in_the_documents_exist(page: Path) -> None:
    for line in shell_lines(page.read_text(encoding="utf-8")):
        check_command_line(line)


@pytest.mark.parametrize("line", ["rekindle simulat x.yaml", "rekindle dose x --evnts f.csv", "make demoo"])
def test_a_stale_command_would_be_seen(line: str) -> None:
    with pytest.raises(AssertionError):
        check_command_line(line)


def test_the_changelog_knows_this_version() -> None:
    import rekindle

    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert rekindle.__version__ == declared
    headings = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert headings[0] == declared


def tracked_files() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True).stdout
    return [ROOT / name for name in listed.split("\0") if name]


# Written in pieces, so that this file does not hold what it looks for.
ELSEWHERE = re.compile(
    "|".join(
        [
            r"(?<![\w./-])/(?:ho" + r"me|Users|root)/\w+",
            r"(?<![\w./-])/wo" + r"rk/\w+",
            r"files\.python" + r"hosted\.org",
            r"py" + r"pi\.org",
            r"--(?:extra-)?index" + r"-url",
            r"index-url\s*=",
        ]
    )
)


def test_no_tracked_file_names_a_machine_or_a_registry() -> None:
    found = []
    for path in tracked_files():
        if not path.is_file() or path.suffix in (".nc", ".png"):
            continue
        text = path.read_text(encoding="utf-8", errors="replace")
        found += [f"{path.relative_to(ROOT)}: {match.group()}" for match in ELSEWHERE.finditer(text)]
    assert not found


def test_a_path_of_a_machine_would_be_seen() -> None:
    assert ELSEWHERE.search("see /ho" + "me/alice/study.yaml")
    assert ELSEWHERE.search("pip install --index" + "-url x")
    assert not ELSEWHERE.search("https://example.org/home/page")


def test_the_names_a_user_types_exist_and_say_what_they_are() -> None:
    import rekindle

    assert len(rekindle.__all__) >= 12
    for name in set(rekindle.__all__) - {"__version__"}:
        assert getattr(rekindle, name).__doc__, name
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = rekindle.no_such_name
    listed = {node.names[0].asname for node in ast.walk(TREES["__init__.py"]) if isinstance(node, ast.ImportFrom)}
    assert set(rekindle.__all__) - {"__version__"} <= listed, "a type checker sees the same names"


HEAVY = (
    "numpy",
    "scipy",
    "numba",
    "llvmlite",
    "xarray",
    "sympy",
    "pandas",
    "pint",
    "antimony",
    "libsbml",
    "pydantic",
)


def loaded_by(program: str) -> set[str]:
    code = f"{program}\nimport sys\nprint('\\n'.join(sys.modules), file=sys.stderr)"
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    return {name.split(".")[0] for name in finished.stderr.splitlines()} & set(HEAVY)


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert loaded_by("import rekindle") == set()
    assert "numpy" in loaded_by("import rekindle.streams"), "the check sees what is loaded"


def test_the_command_line_starts_without_heavy_libraries() -> None:
    assert loaded_by("from rekindle.cli import main\nmain(['--help'])") == set()
