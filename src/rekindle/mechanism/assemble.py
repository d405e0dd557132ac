"""The whole model as one text: the process files joined, with values and units from the parameter tables.

Each file in `processes/` is an Antimony module of its own; they share names. Joining them keeps every line
as it stands, adds the parameters, and refuses what a reader could not trust: a name defined twice, a name
defined nowhere, a state without a start or a unit, a number in a formula without a unit.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from rekindle.errors import ModelError, unknown
from rekindle.mechanism.parameters import Parameter, parameter_table

__all__ = ["MODEL_NAME", "Parameter", "antimony_text", "parameter_table", "sbml_text"]

MODEL_NAME = "rekindle"
PROCESSES = Path(__file__).parent / "processes"

#: How a unit is written in the parameter tables, and its name in `processes/units.ant`.
UNIT_NAMES = {
    "1": "dimensionless",
    "dimensionless": "dimensionless",
    "h": "hour",
    "min": "minute",
    "year": "year",
    "1/h": "per_h",
    "1/min": "per_min",
    "kg": "kg",
    "mg": "mg",
    "mg/h": "mg_per_h",
    "mg/kg": "mg_per_kg",
    "mg/L": "mg_per_L",
    "ng/mL": "ng_per_mL",
    "ng/mL/h": "ng_per_mL_per_h",
    "mL/ng": "mL_per_ng",
    "L": "L",
    "L/h": "L_per_h",
    "L/h/year": "L_per_h_per_year",
    "g/mol": "g_per_mol",
    "nmol/L": "nM",
    "umol/L": "uM",
    "mmHg": "mmHg",
    "kg/m2": "kg_per_m2",
}

FUNCTIONS = {
    "exp", "ln", "log", "log10", "sqrt", "abs", "min", "max", "floor", "ceil", "pow", "piecewise",
    "sin", "cos", "tan", "tanh", "true", "false", "and", "or", "not", "time", "pi",
}  # fmt: skip
NAME = re.compile(r"[A-Za-z_]\w*")
NUMBER_WITH_UNIT = re.compile(r"(?<![\w.])(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?:\s+([A-Za-z_]\w*))?")
FORMS = (
    ("unit", re.compile(r"^unit\s+(\w+)\s*=\s*(.+)$")),
    ("has", re.compile(r"^(\w+)\s+has\s+(\w+)$")),
    ("rate", re.compile(r"^(\w+)\s*'\s*=\s*(.+)$")),
    ("assigned", re.compile(r"^(\w+)\s*:=\s*(.+)$")),
    ("initial", re.compile(r"^(\w+)\s*=\s*(.+)$")),
)


@dataclass(frozen=True)
class Statement:
    """One definition in a process file: its form, the name it defines, what it says, and where it stands."""

    form: str
    name: str
    text: str
    where: str


def antimony_text(overrides: Mapping[str, float] | None = None, *, processes: Collection[str] | None = None) -> str:
    """The model `rekindle` as one Antimony text, with the tables' values or those of `overrides`.

    `processes` names the process files to join, by default all; with some of them, the parameters are those
    that the joined lines name and those of `delivery`.

    Raises:
        InputError: `overrides` names no parameter, or `processes` no process.
        ModelError: the process files and tables do not make one consistent model.
    """
    table = parameter_table()
    values = {name: parameter.value for name, parameter in table.items()}
    for name, value in (overrides or {}).items():
        if name not in table:
            raise unknown("parameter", name, table)
        values[name] = float(value)
    bodies = _bodies()
    if processes is not None:
        bodies = _chosen(bodies, processes)
        named = set(NAME.findall("\n".join(line for body in bodies.values() for line in body)))
        table = {name: row for name, row in table.items() if name in named or row.process == "delivery"}
    _check(bodies, table)
    lines = [f"model {MODEL_NAME}()", *bodies["units.ant"]]
    lines.append("\n  // ==== Parameters (pharmacokinetics.csv, parameters.csv)")
    for name, parameter in table.items():
        unit = UNIT_NAMES[parameter.unit]
        lines.append(f"  {name} = {values[name]!r}; {name} has {unit}  // {parameter.meaning}")
    for file, body in bodies.items():
        if file != "units.ant":
            lines += [f"\n  // ==== {file.removesuffix('.ant')}", *(line for line in body if line.strip())]
    return "\n".join([*lines, "end", ""])


@lru_cache(maxsize=1)
def _bodies() -> dict[str, list[str]]:
    """The lines between `model NAME()` and `end` of each process file, by file name, formulas unbroken."""
    bodies: dict[str, list[str]] = {}
    for path in sorted(PROCESSES.glob("*.ant")):
        lines = path.read_text(encoding="utf-8").splitlines()
        opening = next((i for i, line in enumerate(lines) if re.match(r"\s*model\s+\w+\s*\(\)", line)), None)
        closing = next((i for i in range(len(lines) - 1, -1, -1) if lines[i].strip() == "end"), None)
        if opening is None or closing is None or closing < opening:
            raise ModelError("A process file is one module: 'model NAME()' ... 'end'.", where=path.name)
        # The head stays as empty lines, so that a line's place here is its number in the file less one.
        bodies[path.name] = joined([""] * (opening + 1) + lines[opening + 1 : closing])
    return bodies


def _chosen(bodies: Mapping[str, list[str]], processes: Collection[str]) -> dict[str, list[str]]:
    known = [file.removesuffix(".ant") for file in bodies]
    for process in processes:
        if process not in known:
            raise unknown("process", process, known)
    wanted = {"units", *processes}
    return {file: body for file, body in bodies.items() if file.removesuffix(".ant") in wanted}


def joined(lines: list[str]) -> list[str]:
    """The lines with broken formulas put together, and exponents given the unit they always have.

    A formula goes on where the next line starts with an operator, a bracket is open, or a line ends in a
    backslash; the emptied lines stay, so line numbers hold.

    >>> joined(["a := b", "  + c^2; a has mg"])
    ['a := b + c^2 dimensionless; a has mg', '']
    """
    result: list[str] = []
    last = -1
    for line in lines:
        code = re.sub(r"(//|#).*$", "", line)
        before = re.sub(r"(//|#).*$", "", result[last]).rstrip() if last >= 0 else ""
        open_bracket = before.count("(") > before.count(")")
        if before and code.strip() and (open_bracket or before.endswith("\\") or re.match(r"\s*[-+*/^),]", code)):
            result[last] = f"{before.removesuffix(chr(92)).rstrip()} {code.strip()}"
            result.append("")
        else:
            result.append(line)
            last = len(result) - 1 if code.strip() else last
    return [re.sub(r"\^(\d+(?:\.\d+)?)(?![\w.]|\s+dimensionless)", r"^\1 dimensionless", line) for line in result]


def statements(file: str, body: list[str]) -> Iterator[Statement]:
    """The definitions in the lines of one process file, comments left out.

    Raises:
        ModelError: a line is none of the five forms a process file may hold.
    """
    for number, line in enumerate(body, start=1):
        for piece in re.sub(r"(//|#).*$", "", line).split(";"):
            text = piece.strip()
            if not text:
                continue
            where = f"{file}, line {number}"
            for form, pattern in FORMS:
                match = pattern.match(text)
                if match:
                    yield Statement(form, match.group(1), match.group(2).strip(), where)
                    break
            else:
                raise ModelError(f"'{text}' is not a definition that a process file may hold.", where=where)


def _check(bodies: Mapping[str, list[str]], table: Mapping[str, Parameter]) -> None:
    found = [statement for file, body in bodies.items() for statement in statements(file, body)]
    places: dict[tuple[str, str], Statement] = {}
    for statement in found:
        earlier = places.setdefault((statement.form, statement.name), statement)
        if earlier is not statement:
            raise ModelError(f"'{statement.name}' is defined twice, first in {earlier.where}.", where=statement.where)
    of = {form: {s.name: s for s in found if s.form == form} for form, _ in FORMS}
    _check_kinds(of, table)
    units = {"dimensionless", *of["unit"]}
    for parameter in table.values():
        if parameter.unit not in UNIT_NAMES:
            raise unknown("unit", parameter.unit, UNIT_NAMES, where=f"parameter {parameter.name}")
        if UNIT_NAMES[parameter.unit] not in units:
            raise ModelError(f"units.ant lacks '{UNIT_NAMES[parameter.unit]}'.", where=f"parameter {parameter.name}")
    for statement in of["has"].values():
        if statement.text not in units:
            raise unknown("unit", statement.text, units, where=statement.where)
    defined = {*table, *of["rate"], *of["assigned"]}
    for form in ("rate", "assigned"):
        for statement in of[form].values():
            _check_formula(statement, defined, units)


def _check_kinds(of: Mapping[str, Mapping[str, Statement]], table: Mapping[str, Parameter]) -> None:
    for form in ("rate", "assigned", "has", "initial"):
        for name, statement in of[form].items():
            if name in table:
                raise ModelError(f"'{name}' is also a row of the parameter tables.", where=statement.where)
    for name, statement in of["rate"].items():
        if name in of["assigned"]:
            raise ModelError(f"'{name}' has a rate and a formula.", where=statement.where)
        if name not in of["initial"]:
            raise ModelError(f"State '{name}' has no initial value.", where=statement.where)
    for form in ("rate", "assigned"):
        for name, statement in of[form].items():
            if name not in of["has"]:
                raise ModelError(f"'{name}' has no unit ('{name} has ...').", where=statement.where)
    for form in ("has", "initial"):
        for name, statement in of[form].items():
            if name not in of["rate"] and name not in of["assigned"]:
                raise ModelError(f"'{name}' has a unit or a start but no formula.", where=statement.where)


def _check_formula(statement: Statement, defined: set[str], units: set[str]) -> None:
    def number(match: re.Match[str]) -> str:
        unit = match.group(1)
        if unit is None or unit not in units:
            literal = match.group(0).split()[0]
            raise ModelError(
                f"The number {literal} in the formula of '{statement.name}' has no known unit.",
                where=statement.where,
                hint="Write for example '1 dimensionless'.",
            )
        return " "

    for name in NAME.findall(NUMBER_WITH_UNIT.sub(number, statement.text)):
        if name not in defined and name not in FUNCTIONS:
            raise unknown("name in a formula", name, defined, where=statement.where)


def sbml_text(overrides: Mapping[str, float] | None = None, *, processes: Collection[str] | None = None) -> str:
    """The model as SBML Level 3, for any program that reads it; arguments as for `antimony_text`.

    Raises:
        InputError: `overrides` names no parameter, or `processes` no process.
        ModelError: the text is not valid Antimony.
    """
    return to_sbml(antimony_text(overrides, processes=processes), MODEL_NAME)


def to_sbml(text: str, name: str) -> str:
    """SBML of the Antimony model `name` in `text`.

    Raises:
        ModelError: with Antimony's own message where it refuses the text.
    """
    import antimony

    antimony.clearPreviousLoads()
    if antimony.loadAntimonyString(text) < 0:
        raise ModelError(f"Antimony refuses the model: {antimony.getLastError()}")
    return str(antimony.getSBMLString(name))
