"""`rekindle bench`: speed and accuracy beside the programs that are installed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from rekindle.cli.options import Json


def bench(
    out: Annotated[
        Path | None, typer.Option("--out", help="Directory for bench.json and bench.svg.", metavar="DIR")
    ] = None,
    rounds: Annotated[int, typer.Option("--rounds", help="Interleaved rounds.", min=1, max=50)] = 5,
    quick: Annotated[bool, typer.Option("--quick", help="Three rounds, and leave out what compiles slowly.")] = False,
    json: Json = False,
) -> None:
    """Time the same people, doses and outputs with every program that is installed, at the same measured error."""
    import sys

    from rekindle.bench.compare import compare
    from rekindle.bench.picture import picture
    from rekindle.cli.output import emit_json
    from rekindle.run import as_json, write_file

    def tell(line: str) -> None:
        if sys.stderr.isatty():
            sys.stderr.write(f"{line} ...\n")

    result = compare(rounds, quick, tell)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        write_file(out / "bench.json", as_json(result) + "\n")
        write_file(out / "bench.svg", picture(result))
    if json:
        emit_json(result)
    else:
        _print(result)


def _print(result: dict[str, Any]) -> None:
    from rekindle.cli.output import emit, emit_table

    def maybe(value: float | None, form: str) -> str:
        return "" if value is None else format(value, form)

    rows = [
        (
            name,
            entry["version"],
            f"{entry['people_per_second_per_thread']:.4g}",
            "{:.4g}-{:.4g}".format(*entry["people_per_second_range"]),
            maybe(entry["ratio_to_libroadrunner"], ".3g"),
            f"{entry['max_error']:.1e}",
            entry["setting"],
            f"{entry['compile_s']:.2f}",
            maybe(entry["fma_peak_fraction"], ".0%"),
        )
        for name, entry in result["peers"].items()
    ]
    emit_table(
        ("program", "version", "people/s/thread", "range", "ratio", "error", "tolerance", "compile s", "of peak"), rows
    )
    emit("")
    tries = [
        (name, row["setting"], f"{row['error']:.1e}", f"{row['per_second']:.4g}")
        for name, entry in result["peers"].items()
        for row in entry["grid"]
    ]
    emit_table(("tried", "tolerance, absolute share", "error", "people/s"), tries)
    emit("")
    for name, reason in result["missing"].items():
        emit(f"{name}: {reason}")
    for what, rows_of in result["scaling"].items():
        emit("")
        names = list(rows_of[0])
        emit_table((what, *names), [("", *(row[name] for name in names)) for row in rows_of])
    emit("")
    emit(
        f"{result['processor']}: peak {result['fma_peak_gflops']:.0f} GFlop/s a thread; memory "
        f"{result['memory_peak_mb']:.0f} MB; {result['wall_s']:.0f} s. Ratios are to the quickest libRoadRunner, "
        "round by round."
    )
