"""`rekindle evidence`: records, one record whole, where they disagree, what is assumed, what people claim."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import typer

from rekindle.cli.output import emit_json

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table

    from rekindle.evidence import Catalog, Claim, Conflict, Record

app = typer.Typer(
    name="evidence", help="The evidence behind every number.", no_args_is_help=True, rich_markup_mode=None
)

_TOPIC = typer.Option(None, "--topic", help="pk, receptor, plasticity, efficacy, safety, abuse, ...")
_DRUG = typer.Option(None, "--drug", help="ketamine, esketamine, norketamine, midazolam, ...")
_ROUTE = typer.Option(None, "--route", help="iv-infusion, intranasal, oral, sublingual, ...")
_TEXT = typer.Option(None, "--text", help="words that must occur, such as 'systolic rise'")
_JSON = typer.Option(False, "--json", help="Print one JSON document and nothing else.")
_MARKS = {"confirmed": "✓", "wrong": "✗", "ambiguous": "?", "not found": "?", "not checked": "·"}
_LEGEND = "✓ confirmed by a second reader  ✗ found wrong  ? doubtful or not found  · not checked  ~ not read"
_NARROWEST, _WIDEST = 80, 120


@app.command("list")
def list_records(
    topic: str | None = _TOPIC,
    drug: str | None = _DRUG,
    route: str | None = _ROUTE,
    text: str | None = _TEXT,
    kind: str | None = typer.Option(None, "--kind", help="number, range, pair, date, statistic, verdict, ..."),
    grade: str | None = typer.Option(None, "--grade", help="human, rodent or assumed"),
    unread: bool = typer.Option(False, "--unread", help="only records from memory or derived"),
    as_json: bool = _JSON,
) -> None:
    """List the records, filtered."""
    from rekindle.evidence import catalog

    seen = False if unread else None
    found = catalog().select(topic=topic, drug=drug, route=route, text=text, kind=kind, grade=grade, seen=seen)
    if as_json:
        emit_json([record.as_dict() for record in found])
        return
    console = _console()
    if found:
        console.print(_records_table(found))
        console.print(_LEGEND, style="dim")
    console.print(f"{_count(len(found), 'record')} of {len(catalog())}.")


@app.command()
def show(
    record_id: str = typer.Argument(..., metavar="ID", help="the name of the record, as `list` shows it"),
    as_json: bool = _JSON,
) -> None:
    """Show one record whole, with the second reading and the records that disagree with it."""
    from rekindle.evidence import catalog, claims

    known = catalog()
    record = known.get(record_id)
    conflicts = known.conflicts_of(record_id)
    resting = [claim for claim in claims() if record_id in claim.records]
    if as_json:
        emit_json(
            {
                **record.as_dict(),
                "conflicts": [_conflict_as_dict(conflict, known) for conflict in conflicts],
                "claims": [claim.as_dict() for claim in resting],
            }
        )
        return
    console = _console()
    console.rule(f"[bold]{record.id}", align="left", style="dim")
    console.print(_fields_table(_fields(record)))
    for conflict in conflicts:
        _print_conflict(console, conflict, known, mark=record.id)
    for claim in resting:
        _print_claim(console, claim, known)


@app.command()
def conflicts(
    topic: str | None = _TOPIC,
    drug: str | None = _DRUG,
    route: str | None = _ROUTE,
    text: str | None = _TEXT,
    as_json: bool = _JSON,
) -> None:
    """Show records that measure the same thing and disagree, side by side."""
    from rekindle.evidence import catalog

    known = catalog()
    found = known.conflicts(topic=topic, drug=drug, route=route, text=text)
    if as_json:
        emit_json([_conflict_as_dict(conflict, known) for conflict in found])
        return
    console = _console()
    for conflict in found:
        _print_conflict(console, conflict, known)
    if found:
        console.print(_LEGEND, style="dim")
    named = sum(conflict.named for conflict in found)
    console.print(f"{_count(len(found), 'conflict')}: {named} named by a reader, {len(found) - named} found.")


@app.command()
def assumed(as_json: bool = _JSON) -> None:
    """List the assumed parameters of the model with their plausible range and the reason."""
    from rekindle.evidence import assumed as assumptions

    found = assumptions(_model_parameters)
    if as_json:
        emit_json([assumption.as_dict() for assumption in found])
        return
    console = _console()
    table = _table("parameter", "value", "range", "what it is, and why this value")
    for column, share in zip(table.columns, (6, 3, 3, 9), strict=True):
        column.ratio = share
    for assumption in found:
        unit = "" if str(assumption.unit) == "1" else f" {assumption.unit}"
        span = f"{_number(assumption.low)} to {_number(assumption.high)}"
        table.add_row(
            f"{assumption.name}\n[dim]{assumption.process}",
            f"{assumption.value:g}{unit}",
            span,
            f"{_plain(assumption.meaning)}\n[dim]{_plain(assumption.reason)}",
        )
    console.print(table)
    console.print(f"{_count(len(found), 'parameter')} assumed: nobody measured them.")


@app.command("claims")
def claims_command(
    drug: str | None = typer.Option(None, "--drug", help="only claims that touch this drug"),
    tag: str | None = typer.Option(None, "--tag", help="efficacy, mechanism, safety, dependence, ..."),
    as_json: bool = _JSON,
) -> None:
    """Set popular statements beside what the evidence says."""
    from rekindle.evidence import catalog, claims, claims_for
    from rekindle.evidence.claims import TAGS

    known = catalog()
    if drug is not None:
        known.select(drug=drug)
    everyone = {name for claim in claims() for name in claim.drugs}
    asked = {"ketamine": "racemic-ketamine"}.get(drug or "", drug or "")
    found = claims_for(drugs=[asked] if drug else everyone, tags=[tag] if tag else TAGS)
    if as_json:
        emit_json([claim.as_dict() for claim in found])
        return
    console = _console()
    for claim in found:
        _print_claim(console, claim, known)
    console.print(_LEGEND, style="dim")


def _model_parameters() -> Iterable[dict[str, str]]:
    from rekindle.mechanism.parameters import parameter_table

    for parameter in parameter_table().values():
        yield {column: str(value) for column, value in asdict(parameter).items()}


def _console() -> Console:
    from rich.console import Console

    columns = shutil.get_terminal_size((100, 24)).columns
    return Console(width=max(_NARROWEST, min(_WIDEST, columns)), highlight=False)


def _table(*headings: str) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold", expand=True)
    for heading in headings:
        table.add_column(heading, overflow="fold", vertical="top")
    return table


def _records_table(records: Sequence[Record], mark: str = "") -> Table:
    table = _table("", "record", "what was measured", "value")
    table.columns[0].width, table.columns[0].no_wrap = 1, True
    table.columns[1].ratio, table.columns[2].ratio, table.columns[3].ratio = 4, 6, 3
    for record in records:
        name = f"[bold]{record.id}[/bold]" if record.id == mark else record.id
        table.add_row(
            _mark(record),
            f"{name}\n[dim]{_plain(record.source.citation)}[/dim]",
            f"{_plain(record.quantity)}\n[dim]{_plain(_setting(record))}[/dim]",
            f"{_plain(record.shown)}\n[dim]{record.grade}[/dim]",
        )
    return table


def _fields_table(fields: Iterable[tuple[str, str]]) -> Table:
    from rich.table import Table

    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in fields:
        if text:
            table.add_row(name, _plain(text))
    return table


def _fields(record: Record) -> list[tuple[str, str]]:
    reading = record.reading
    hours = "" if record.time_h is None else " to ".join(f"{hour:.3g}" for hour in sorted({*record.time_h}))
    interval = record.interval
    return [
        ("quantity", record.quantity),
        ("value", record.shown),
        ("kind", record.kind + (", the source says about" if record.value.approximate else "")),
        ("allows", "" if interval is None else f"{_number(interval[0])} to {_number(interval[1])}"),
        ("unit", f"{record.unit}" + (", comparable only with itself" if record.unit.stands_alone else "")),
        (
            "unit as printed",
            f"{record.unit.printed}: {record.unit_correction}" if record.unit_correction else "",
        ),
        ("drug, route", f"{record.drug}, {record.route}"),
        ("dose", record.dose),
        ("population", record.population + (f", n = {record.n}" if record.n is not None else "")),
        ("time", record.time + (f" ({hours} h after the first dose)" if hours else "")),
        ("grade", record.grade),
        ("topic, table", f"{record.topic}, {record.table}"),
        ("source", record.source.citation),
        ("link", record.source.link),
        ("where it was read", record.source.url if record.source.url != record.source.link else ""),
        ("read", "yes" if record.seen else "NO: from memory or derived; never scored on"),
        ("second reader", "has not looked" if reading is None else reading.verdict),
        ("second reader says", reading.correction if reading else ""),
        ("note", _own_note(record)),
        ("fit", record.fit),
    ]


def _print_conflict(console: Console, conflict: Conflict, known: Catalog, mark: str = "") -> None:
    console.print(f"\n[bold yellow]disagree:[/bold yellow] [bold]{_plain(conflict.title)}")
    if conflict.cause:
        console.print(_indented(conflict.cause))
    console.print(_records_table([known.get(name) for name in conflict.records], mark))


def _print_claim(console: Console, claim: Claim, known: Catalog) -> None:
    from rich.columns import Columns
    from rich.padding import Padding

    console.print(f"\n[bold]“{_plain(claim.statement)}”[/bold]  [bold yellow]{claim.verdict}")
    console.print(_indented(claim.evidence))
    rests_on = [f"[dim]{_mark(known.get(name))} {name}" for name in claim.records]
    console.print(Padding(Columns(rests_on, padding=(0, 2)), (0, 0, 0, 2)))


def _indented(text: str) -> RenderableType:
    from rich.padding import Padding

    return Padding(_plain(text), (0, 0, 0, 2))


def _conflict_as_dict(conflict: Conflict, known: Catalog) -> dict[str, Any]:
    return {
        "name": conflict.name,
        "title": conflict.title,
        "cause": conflict.cause or None,
        "named": conflict.named,
        "records": [known.get(name).as_dict() for name in conflict.records],
    }


def _setting(record: Record) -> str:
    people = record.population + (f" (n {record.n})" if record.n is not None else "")
    route = "" if record.route == "none" else record.route
    drug = "" if record.drug == "none" else record.drug
    said = (" ".join(part for part in (drug, route) if part), record.dose, people, record.time)
    return " · ".join(part for part in said if part)


def _own_note(record: Record) -> str:
    """The note without the second reader's words, where those are shown already."""
    if record.reading is None or not record.reading.correction:
        return record.note
    return record.note.partition("second reader:")[0].rstrip(" |")


def _mark(record: Record) -> str:
    if not record.seen:
        return "~"
    return _MARKS["not checked" if record.reading is None else record.reading.verdict]


def _number(value: float | None) -> str:
    return "not known" if value is None else f"{value:.4g}"


def _count(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _plain(text: str) -> str:
    from rich.markup import escape

    return escape(text)
