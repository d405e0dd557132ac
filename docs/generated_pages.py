"""Pages of the documentation that are made from the package itself, so that they cannot go out of date.

MkDocs calls `on_files` before it builds; `pages` gives the same text to the tests.
"""

from __future__ import annotations

import ast
import inspect
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).parents[1] / "src" / "rekindle"


SECTIONS = {
    "Use": (
        "study.md", "person.md", "person-fields.md", "forecast.md", "planning.md", "dosing.md", "commands.md",
        "own_models.md", "individual-estimation.md", "report.md",
    ),
    "What it knows": (
        "mechanism.md", "pharmacokinetics.md", "clinic.md", "population.md", "outcomes.md", "evidence.md",
        "parameters.md", "trials-catalogue.md",
    ),
    "How it is made": (
        "architecture.md", "verification.md", "forecasting-proof.md", "benchmarks.md", "visual.md",
        "reference.md", "contributing.md",
    ),
}  # fmt: skip
"""The order of the pages; one that stands in no section goes to the end, so that none is lost."""


def on_config(config: Any) -> Any:
    """Put the pages in order (the hook that MkDocs calls first)."""
    folder = Path(__file__).parent
    present = {path.relative_to(folder).as_posix() for path in folder.rglob("*.md")} | set(pages())
    ordered: list[Any] = ["index.md"]
    for title, names in SECTIONS.items():
        ordered.append({title: [name for name in names if name in present]})
    placed = {"index.md", "glossary.md", *(name for names in SECTIONS.values() for name in names)}
    config.nav = [*ordered, "glossary.md", *sorted(present - placed)]
    return config


def on_files(files: Any, *, config: Any) -> Any:
    """Add the generated pages to those in the folder (the hook that MkDocs looks for)."""
    from mkdocs.structure.files import File

    for name, make in pages().items():
        files.append(File.generated(config, name, content=make()))
    return files


def pages() -> dict[str, Callable[[], str]]:
    """Generated pages by file name, each with the function that writes it."""
    return {
        "commands.md": commands_page,
        "study.md": study_page,
        "person-fields.md": person_page,
        "parameters.md": parameters_page,
        "reference.md": reference_page,
        "trials-catalogue.md": trials_page,
        "trial-file.md": trial_file_page,
        "benchmarks.md": benchmarks_page,
    }


def command_tree() -> Iterator[tuple[str, Any]]:
    """Every command by its full name, with the parser's own description of it."""
    import typer

    from rekindle.cli import app

    def walk(name: str, command: Any) -> Iterator[tuple[str, Any]]:
        yield name, command
        for inner in sorted(getattr(command, "commands", {})):
            yield from walk(f"{name} {inner}", command.commands[inner])

    yield from walk("rekindle", typer.main.get_command(app))


def commands_page() -> str:
    """The command line, from its own help."""
    parts = [
        "# Commands",
        "`--json` on every command prints one JSON document and nothing else on standard output, also when "
        'the command fails (`{"error": ...}`). Messages and progress go to standard error; progress is '
        "drawn only on a terminal. Exit code 0: done. 1: the model or the run failed. 2: the input was "
        "wrong. 130: stopped.",
    ]
    for name, command in command_tree():
        context = command.make_context(name, [], resilient_parsing=True)
        depth = min(name.count(" ") + 2, 4)
        parts.append(f"{'#' * depth} {name}\n\n```text\n{context.get_help().strip()}\n```")
    return "\n\n".join(parts) + "\n"


def study_page() -> str:
    """The study file, from its schema."""
    from rekindle.policy.reading import PolicyFields, RuleFields
    from rekindle.study_file import ArmFields, PopulationFields, StudyFields

    schemas = {
        "Fields": StudyFields, "population": PopulationFields, "arms": ArmFields,
        "policy of an arm": PolicyFields, "rules of a policy": RuleFields,
    }  # fmt: skip
    example = (PACKAGE.parents[1] / "examples" / "demo.yaml").read_text(encoding="utf-8")
    parts = [
        "# The study file",
        "`rekindle simulate STUDY.yaml` reads one file in YAML: UTF-8, spaces to indent, no anchors, no "
        "tags. Unknown fields are refused with the nearest known one. Spans of time carry their unit: "
        "`40 min`, `24 h`, `7 days`, `12 weeks`, `6 months`.",
        f"```yaml\n{example.strip()}\n```",
    ]
    for title, schema in schemas.items():
        fields = schema.model_fields.items()
        rows = [f"| `{name}` | {_default(field)} | {field.description} |" for name, field in fields]
        head = ["| field | default | meaning |", "| --- | --- | --- |"]
        parts.append("\n".join([f"## {title}\n\n{inspect.getdoc(schema)}\n", *head, *rows]))
    parts.append("Visits, conditions and actions are sentences: see [policies](policies.md).")
    return "\n\n".join([*parts, *_words_of_a_study()]) + "\n"


def person_page() -> str:
    """The person's file, from its schema and its tables of words."""
    from rekindle.mechanism.modifiers import modifier_table
    from rekindle.outcomes import SCALES
    from rekindle.outcomes.recall import RECALL
    from rekindle.person import fields as schema
    from rekindle.person import words

    example = (PACKAGE.parents[1] / "examples" / "person.yaml").read_text(encoding="utf-8")
    parts = ["# The person's file", "Made from the schema. What it means: [one person](person.md).",
             f"```yaml\n{example.strip()}\n```"]  # fmt: skip
    for title, each in {
        "Fields": schema.PersonFields, "who": schema.WhoFields, "doses": schema.DoseFields,
        "ratings": schema.RatingFields, "vitals": schema.VitalFields, "levels": schema.LevelFields,
        "plan": schema.PlanFields, "options": schema.OptionFields, "events": schema.EventsFields,
    }.items():  # fmt: skip
        rows = [f"| `{field.alias or name}` | {_default(field)} | {field.description} |"
                for name, field in each.model_fields.items()]  # fmt: skip
        head = ["| field | default | meaning |", "| --- | --- | --- |"]
        parts.append("\n".join([f"## {title}\n\n{inspect.getdoc(each)}\n", *head, *rows]))
    treated = "\n".join(f"- `{name}`: people of `{kind}`" for name, kind in words.POPULATIONS.items())
    parts.append(f"## Diagnoses\n\nOne that is treated:\n\n{treated}\n\nand any of: "
                 + ", ".join(f"`{name}`" for name in words.ILLNESSES) + ".")  # fmt: skip
    taken = ", ".join(f"`{name}`" for name in (*modifier_table(), *words.TAKEN))
    parts.append(f"## What they take\n\n{taken}. Meanings and values: [the study file](study.md#modifiers).")
    scales = [f"| `{scale.name}` | {scale.minimum:g} to {scale.maximum:g} | "
              f"{_looks_back(RECALL[scale.name].days)} | {', '.join(item.name for item in scale.items)} |"
              for scale in SCALES.values() if not scale.person_inputs]  # fmt: skip
    parts.append("\n".join(["## Scales and their items\n", "| scale | total | looks back | items, in order |",
                            "| --- | --- | --- | --- |", *scales]))  # fmt: skip
    reasons = [f"- `{name}`: {recall.reason}" for name, recall in RECALL.items() if recall.days != 0.0]
    parts.append("\n".join(["## How far back they look, where a rating does not say\n", *reasons]))
    return "\n\n".join(parts) + "\n"


def _looks_back(days: float | None) -> str:
    return f"{days:g} days" if days else "its moment"


def _words_of_a_study() -> Iterator[str]:
    """The names that a study may use, each list from its own table."""
    from rekindle.mechanism.hypotheses import HYPOTHESES
    from rekindle.mechanism.modifiers import modifier_table
    from rekindle.mechanism.parameters import parameter_table
    from rekindle.outcomes import SCALES
    from rekindle.population import KINDS
    from rekindle.population.schema import COLUMNS

    yield "## Populations\n\n" + "\n".join(f"- `{kind}`" for kind in KINDS)
    yield "## Outcomes\n\n" + "\n".join(
        f"- `{scale.name}`: {scale.minimum:g} to {scale.maximum:g}" for scale in SCALES.values()
    )
    switches = [
        f"| `{each.name}` | {parameter_table()[each.parameter].value / each.on:g} | {each.chain} |"
        for each in HYPOTHESES.values()
    ]
    head = "| hypothesis | default | chain |\n| --- | ---: | --- |\n"
    yield "## Hypotheses\n\nFrom 0 (out) to 1 (in).\n\n" + head + "\n".join(switches)
    modifiers = [
        f"| `{each.name}` | {'a number' if each.operation == 'given' else 'true or false'} | {each.reason} |"
        for rows in modifier_table().values()
        for each in rows[:1]
    ]
    yield "## Modifiers\n\n| modifier | value | meaning |\n| --- | --- | --- |\n" + "\n".join(modifiers)
    columns = [f"| `{each.name}` | {each.unit} | {each.meaning} |" for each in COLUMNS]
    yield "## Columns of a table of people\n\n| column | unit | meaning |\n| --- | --- | --- |\n" + "\n".join(columns)


def _default(field: Any) -> str:
    if field.is_required():
        return "needed"
    value = field.get_default(call_default_factory=True)
    if value is None or value == {} or not isinstance(value, str | int | list):
        return ""
    return f"`{value}`"


def parameters_page() -> str:
    """Every parameter of the model with its grade and where it comes from."""
    from rekindle.mechanism.parameters import parameter_table

    rows = [
        f"| `{each.name}` | {each.value:g} | {each.unit} | {each.low:g} to {each.high:g} | {each.grade} "
        f"| {each.record or each.reason} | {each.meaning} |".replace("\n", " ")
        for each in parameter_table().values()
    ]
    return (
        "# Parameters\n\nMade from the tables beside the model. Grade: measured in people (human), carried "
        "over from rodents (rodent), or assumed; an assumed one gives its reason instead of a record.\n\n"
        "| name | value | unit | range | grade | record or reason | meaning |\n"
        "| --- | ---: | --- | --- | --- | --- | --- |\n" + "\n".join(rows) + "\n"
    )


def trial_file_page() -> str:
    """The trial file, from its schema and its tables of words."""
    from rekindle.trial import fields as schema
    from rekindle.trial.quantities import QUANTITIES
    from rekindle.trial.words import adjuncts, diagnoses, other_scales, settings

    schemas = {
        "Fields": schema.TrialFields, "design": schema.DesignFields, "participants": schema.ParticipantFields,
        "participants: severity": schema.SeverityFields, "arms": schema.TrialArmFields,
        "stages of an arm": schema.StageFields, "masking of an arm": schema.ArmMaskingFields,
        "contact of an arm": schema.ContactFields, "measure": schema.MeasureFields, "dropout": schema.DropoutFields,
        "published": schema.NumberFields, "conditions": schema.ConditionFields,
    }  # fmt: skip
    example = (PACKAGE.parents[1] / "examples" / "trial.yaml").read_text(encoding="utf-8")
    parts = ["# The trial file", "Made from the schema. How it is used: [virtual trials](trials.md).",
             f"```yaml\n{example.strip()}\n```"]  # fmt: skip
    for title, each in schemas.items():
        rows = [f"| `{field.alias or name}` | {_default(field)} | {field.description} |"
                for name, field in each.model_fields.items()]  # fmt: skip
        head = ["| field | default | meaning |", "| --- | --- | --- |"]
        parts.append("\n".join([f"## {title}\n\n{inspect.getdoc(each)}\n", *head, *rows]))
    tables: dict[str, tuple[str, list[tuple[str, ...]]]] = {
        "Quantities": ("quantity | of | unit | needs | may have | meaning", [
            (f"`{q.name}`", q.needs, q.unit, ", ".join(q.required), ", ".join((*q.allowed, *(("of",) if q.of else ()))),
             q.meaning) for q in QUANTITIES.values()]),
        "Words of `with`": ("word | what the model has | why", [
            (f"`{word}`", each.status, each.reason) for word, each in adjuncts().items()]),
        "Diagnoses": ("diagnosis | people | what the model has | why", [
            (f"`{name}`", each.population, each.status, each.reason) for name, each in diagnoses().items()]),
        "Scales that are shown and not scored": ("scale | range | what | status", [
            (f"`{name}`", f"{each.lowest:g} to {each.highest:g}", each.title, each.status)
            for name, each in other_scales().items()]),
        "Settings": ("setting | value | range | grade | record | meaning | reason", [
            (f"`{name}`", f"{each.value:g}", f"{each.low:g} to {each.high:g}", each.grade, each.record, each.meaning,
             each.reason) for name, each in settings().items()]),
    }  # fmt: skip
    for title, (columns, body) in tables.items():
        rule = "| " + " | ".join("---" for _ in columns.split(" | ")) + " |"
        parts.append("\n".join([f"## {title}\n", f"| {columns} |", rule, *("| " + " | ".join(r) + " |" for r in body)]))
    return "\n\n".join(parts) + "\n"


def trials_page() -> str:
    """The trial files of the package, what each scores, and what is only shown."""
    from rekindle.trial.files import published_trials
    from rekindle.trial.listing import catalogue_page

    return catalogue_page(published_trials())


Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def benchmarks_page() -> str:
    """What `rekindle bench` last measured (`docs/bench.json`), with what it means."""
    found = json.loads((Path(__file__).parent / "bench.json").read_text(encoding="utf-8"))
    parts = [(Path(__file__).parent / "benchmarks.head").read_text(encoding="utf-8").strip()]
    rows = [
        f"| {name} {entry['version']} | {entry['method']} | {entry['people_per_second_per_thread']:.4g} "
        f"({entry['people_per_second_range'][0]:.4g}-{entry['people_per_second_range'][1]:.4g}) | "
        f"{_or_dash(entry['ratio_to_libroadrunner'])} | {entry['max_error']:.1e} | {entry['people_checked']} | "
        f"{entry['setting']} | {_or_dash(entry['fma_peak_fraction'], '.0%')} | {entry['compile_s']:.1f} |"
        for name, entry in found["peers"].items()
    ]
    head = "| program | method | people/s | ratio | error | checked | tolerance, share | of peak | compile, s |"
    parts.append("\n".join([head, "|" + " --- |" * 9, *rows]))
    parts.append(
        f"{found['processor']}, {found['fma_peak_gflops']:.0f} GFlop/s a thread at most (measured); "
        f"{found['outputs']} outputs at {found['times']} times; ratio to the quickest way of using libRoadRunner "
        f"({found['quickest_libroadrunner']}), round by round. The whole comparison took {found['wall_s']:.0f} s."
    )
    parts.append("\n".join(f"- {name}: {reason}" for name, reason in found["missing"].items()))
    for what, rows_of in found["scaling"].items():
        names = list(rows_of[0])
        table = [f"| {' | '.join(name.replace('_', ' ') for name in names)} |", "|" + " --- |" * len(names)]
        table += ["| " + " | ".join(_brief(row[name]) for name in names) + " |" for row in rows_of]
        parts += [f"## Against {what}", "\n".join(table)]
    tries = ["| program | tolerance, share | error | people/s |", "| --- | --- | --- | --- |"]
    for name, entry in found["peers"].items():
        tries += [
            f"| {name} | {row['setting']} | {row['error']:.1e} | {row['per_second']:.4g} |" for row in entry["grid"]
        ]
    parts += ["## The grid on which every tolerance was tuned", "\n".join(tries)]
    return "\n\n".join(parts) + "\n"


def _or_dash(value: float | None, form: str = ".3g") -> str:
    return "-" if value is None else format(value, form)


def _brief(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def source_of(module: str) -> ast.Module:
    """The source of a module, parsed."""
    path = PACKAGE.parent / Path(*module.split("."))
    source = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return ast.parse(source.read_text(encoding="utf-8"))


def public_objects(tree: ast.Module) -> list[Definition]:
    """Public functions and classes that a module defines, in the order of the file."""
    return [node for node in tree.body if isinstance(node, Definition) and not node.name.startswith("_")]


def modules() -> list[str]:
    """Every public module of the package by dotted name."""
    names = []
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        if parts[-1] == "__init__":
            parts = parts[:-1]
        if not any(part.startswith("_") for part in parts[1:]):
            names.append(".".join(parts))
    return names


def reference_page() -> str:
    """Modules, functions and classes with their docstrings."""
    parts = ["# Reference", "Made from the docstrings. Times in hours, doses in mg of base, levels in ng/mL."]
    for module in modules():
        tree = source_of(module)
        parts.append(f"## {module}\n\n{_summary(ast.get_docstring(tree))}")
        for node in public_objects(tree):
            title = f"### {module.split('.')[-1]}.{node.name}{_signature(node)} {{#{module}.{node.name}}}"
            parts.append(f"{title}\n\n```text\n{ast.get_docstring(node) or ''}\n```")
    return "\n\n".join(parts) + "\n"


def _summary(doc: str | None) -> str:
    return inspect.cleandoc(doc or "").split("\n\n")[0]


def _signature(node: Definition) -> str:
    if isinstance(node, ast.ClassDef):
        return ""
    names = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
    return f"({', '.join(names)})"
