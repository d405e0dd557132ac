"""Which observed exposures the pharmacokinetics is judged on, by rules that see no prediction.

Reads the evidence table and `designs.csv` (what was given, when, to whom) and writes `inclusion.csv`: one row
for every candidate record, with the table it goes to and the reason. A candidate is any record of a level or
an exposure of ketamine or a metabolite. Run as: python benchmarks/pharmacokinetics/inclusion.py

Tables: `counted` (adult, read, observed, dose and sampling site stated; Cmax, trough or AUC),
`hydroxynorketamine` (the same, reported apart), `site not stated` (all but the sampling site, taken as
venous), `model-based` (printed from a model), `excluded`. A digitised curve counts once, as the area under
its points.
"""

from __future__ import annotations

import csv
import fnmatch
import re
from pathlib import Path

HERE = Path(__file__).parent
EVIDENCE = HERE.parents[1] / "src/rekindle/evidence/data/pk.csv"
COLUMNS = [
    "record", "table", "study", "drug", "dose_mg", "route", "duration_h", "weight_kg", "age_years", "site",
    "analyte", "metric", "times_h", "observed", "unit", "group", "reason",
]  # fmt: skip
MOLAR_MASS = {"ketamine": 237.73, "norketamine": 223.70, "hydroxynorketamine": 239.70}
UNITS = {"ng/mL", "ng.h/mL", "ng.min/mL", "nmol/mL"}


def designs() -> list[dict[str, str]]:
    """The rows of `designs.csv`: one administration each, with the records it belongs to."""
    with (HERE / "designs.csv").open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def design_of(record: str, table: list[dict[str, str]]) -> list[dict[str, str]]:
    """The administrations behind a record, in time order."""
    return [row for row in table if fnmatch.fnmatchcase(record, row["records"])]


def candidates(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """Records of a level or exposure: concentration units, or the area ratio of hydroxynorketamine."""
    wanted = re.compile(r"Cmax|AUC|trough|concentration|serum S-ketamine", re.IGNORECASE)
    return [
        row
        for row in rows
        if wanted.search(row["quantity"]) and (row["unit"] in UNITS or "AUC ratio 2,6-HNK" in row["quantity"])
    ]


def metric_of(row: dict[str, str]) -> str:
    """Cmax, AUC, AUC ratio, trough (a level held at steady state), curve, or nothing that is counted."""
    quantity = row["quantity"]
    if "digitised figure" in quantity:
        return "curve"
    if "AUC ratio" in quantity:
        return "AUC ratio"
    if "Cmax" in quantity:
        return "Cmax"
    if "AUC" in quantity:
        return "AUC"
    if "trough" in quantity or "steady-state plasma concentration after" in quantity:
        return "trough"
    return ""


def site_of(row: dict[str, str]) -> str:
    """Where blood was drawn, if the record says so; 'presumed' does not count."""
    text = " ".join((row["quantity"], row["population"], row["note"]))
    if "presumed" in text:
        return ""
    if "arterial" in text:
        return "arterial"
    return "venous" if "venous" in text or row["source"].startswith("Hasan 2021") else ""


def analyte_of(row: dict[str, str]) -> str:
    """The measured substance with its enantiomer: ketamine_S, norketamine, ..."""
    base = {"esketamine": "ketamine_S", "arketamine": "ketamine_R", "racemic-ketamine": "ketamine"}
    if row["drug"] in base:
        return base[row["drug"]]
    if "per enantiomer" in row["quantity"]:
        return f"{row['drug']}_S"
    found = re.search(r"-(s|r)nk-|-(s|r)-hnkratio", row["id"])
    return f"{row['drug']}_{(found.group(1) or found.group(2)).upper()}" if found else row["drug"]


def verdict(row: dict[str, str], design: list[dict[str, str]]) -> tuple[str, str]:
    """The table a candidate goes to, and why: the first rule that it fails, or that it fails none."""
    metric = metric_of(row)
    if row["seen"] != "yes":
        return "excluded", "not read: from memory or derived"
    if "children" in row["population"]:
        return "excluded", "children"
    if any(word in row["population"] for word in ("rat", "dog")) and "healthy" not in row["population"]:
        return "excluded", "animals"
    if row["drug"] not in {*MOLAR_MASS, "esketamine", "arketamine", "racemic-ketamine"}:
        return "excluded", "the model has no such substance"
    if not metric:
        return "excluded", "a single level: neither Cmax, trough nor AUC"
    if row["spread_kind"] == "range" and row["drug"] == "racemic-ketamine":
        return "excluded", "a range without a central value"
    if not design:
        return "excluded", "dose, formulation or duration of infusion not stated"
    if "iv-infusion" in {step["route"] for step in design} and any(
        step["route"] == "iv-infusion" and not step["duration_h"] for step in design
    ):
        return "excluded", "duration of infusion not stated"
    if "-nkauc-" in row["id"] and row["spread_kind"] == "range":
        return "excluded", "one value over two routes"
    if "model-based" in row["quantity"]:
        return "model-based", "printed from a model"
    if not site_of(row):
        return "site not stated", "sampling site not stated; taken as venous"
    if row["drug"] == "hydroxynorketamine":
        return "hydroxynorketamine", "meets the rules; reported apart"
    return "counted", "meets the rules"


def window_of(row: dict[str, str]) -> str:
    """The hours of an area: printed in the record's time or quantity ('AUC0-6h'), else empty (all time)."""
    printed = re.search(r"AUC0-(\d+)\s*h", row["quantity"])
    return printed.group(1) if printed else ""


def in_nanograms(row: dict[str, str]) -> tuple[float, str]:
    """The value in ng/mL, ng.h/mL or 1 (a ratio), and that unit."""
    value = float(row["value"])
    if row["unit"] == "nmol/mL":
        kind = "ketamine" if row["drug"] in ("esketamine", "arketamine", "racemic-ketamine") else row["drug"]
        return value * MOLAR_MASS[kind], "ng/mL"
    if row["unit"] == "ng.min/mL":
        return value / 60, "ng.h/mL"
    return value, row["unit"]


def described(row: dict[str, str], design: list[dict[str, str]], table: str, reason: str) -> dict[str, str]:
    """The row of `inclusion.csv` for one candidate."""
    last = design[-1] if design else {}
    total, durations = 0.0, 0.0
    for step in design:
        if step["route"] == last["route"]:
            weight = float(step["weight_kg"]) if step["unit"] == "mg/kg" else 1.0
            total += float(step["amount"]) * weight
            durations += float(step["duration_h"] or 0)
    value, unit = in_nanograms(row)
    metric, drug = metric_of(row), last.get("drug", row["drug"])
    route = last.get("route", row["route"])
    study = last.get("study", row["source"])
    return {
        "record": row["id"],
        "table": table,
        "study": study,
        "drug": drug,
        "dose_mg": f"{total:.6g}" if design else "",
        "route": route,
        "duration_h": f"{durations:.6g}" if durations else "",
        "weight_kg": last.get("weight_kg", ""),
        "age_years": "70" if ">60" in row["population"] else "",
        "site": site_of(row) or "not stated",
        "analyte": analyte_of(row),
        "metric": metric or "level",
        "times_h": window_of(row),
        "observed": f"{value:.6g}",
        "unit": unit,
        "group": f"{study}|{drug}|{analyte_of(row)}|{route}",
        "reason": reason,
    }


def inclusion(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """Every candidate with its verdict; the points of a digitised curve gathered into their first."""
    table = designs()
    curves: dict[str, list[dict[str, str]]] = {}
    for row in candidates(rows):
        if metric_of(row) == "curve":
            curves.setdefault(row["id"].rsplit("-", 1)[0], []).append(row)
    result = []
    for row in candidates(rows):
        design = design_of(row["id"], table)
        entry = described(row, design, *verdict(row, design))
        points = curves.get(row["id"].rsplit("-", 1)[0], [])
        if points and points[0] is row:
            times = [float(point["time"].removesuffix(" h")) for point in points]
            levels = [in_nanograms(point)[0] for point in points]
            area = sum(
                (times[i + 1] - times[i]) * (levels[i + 1] + levels[i]) / 2 for i in range(len(times) - 1)
            )
            entry |= {
                "metric": "AUC of a digitised curve",
                "times_h": " ".join(f"{time:g}" for time in times),
                "observed": f"{area:.6g}",
                "unit": "ng.h/mL",
            }
        elif points:
            first = points[0]["id"]
            entry |= {"table": "excluded", "reason": f"a point of the curve counted once as {first}"}
        result.append(entry)
    return result


def main() -> None:
    """Write `inclusion.csv` and say how many candidates went where."""
    with EVIDENCE.open(encoding="utf-8", newline="") as stream:
        entries = inclusion(list(csv.DictReader(stream)))
    with (HERE / "inclusion.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(entries)
    counts: dict[str, int] = {}
    for entry in entries:
        counts[entry["table"]] = counts.get(entry["table"], 0) + 1
    print(", ".join(f"{name}: {count}" for name, count in sorted(counts.items())))


if __name__ == "__main__":
    main()
