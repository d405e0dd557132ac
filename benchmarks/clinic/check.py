"""The clinic bars: the model, with one set of parameters, beside the published results it must meet.

    python benchmarks/clinic/check.py [--people 400] [--write] [--json FILE] [--table]

Every trial is simulated as `rekindle simulate` does it: people of its kind in the middle of the calibrated ensemble
(`--table`: at the table's values, which were tuned by hand), rated with the rater's error. Prints one line a number:
published, predicted, the interval it must meet, inside or out.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rekindle.dosing.language import parse
from rekindle.evidence import catalog
from rekindle.outcomes import scale
from rekindle.outcomes.endpoints import time_to_relapse
from rekindle.outcomes.session import peak
from rekindle.outcomes.survival import kaplan_meier
from rekindle.simulate import Settings, simulate
from rekindle.study import Arm, Participants, Study
from rekindle.trajectories import Trajectories

Array = NDArray[np.float64]
TRD = "treatment-resistant-depression"
SEED = 20261123
PAGE = Path(__file__).parents[2] / "docs" / "clinic.md"


@dataclass(frozen=True)
class Row:
    """One number of a bar: what it is, published and predicted, and the interval that it must meet."""

    bar: str
    what: str
    record: str
    published: float
    predicted: float
    low: float
    high: float
    unit: str = "points"

    @property
    def inside(self) -> bool:
        """Whether the prediction meets the interval."""
        return bool(self.low <= self.predicted <= self.high)


def run(
    courses: dict[str, str], *, people: int, weeks: float, visits: list[float], kind: str = TRD, **more
) -> Trajectories:
    """One study without repeats; `visits` in hours."""
    study = Study(
        title="check",
        arms=tuple(Arm(name, parse(course), **more.get(name, {})) for name, course in courses.items()),
        participants=Participants(kind, people),
        horizon_h=weeks * 168.0,
        visits_h=tuple(visits),
        studies=0,
        seed=SEED,
        outside_domain=True,
    )
    return simulate(study, settings=Settings(more.get("backend", BACKEND), calibrated=CALIBRATED))


BACKEND = "native"
CALIBRATED = True


def rated(result: Trajectories, arm: str, name: str = "MADRS") -> Array:
    """Rated totals of one arm, people x visits."""
    return np.asarray(result.people[f"{name} rated"].sel(arm=arm).values)


def change(result: Trajectories, arm: str) -> Array:
    """Mean change of the MADRS from baseline at each visit."""
    totals = rated(result, arm)
    return np.asarray((totals - totals[:, :1]).mean(axis=0))


def number(record: str) -> float:
    """The value of an evidence record."""
    return float(catalog().get(record).number)


def wilkinson(people: int) -> Iterator[Row]:
    """Ten means of the pooled single-infusion trials, and the difference between the arms on each day."""
    arms = {"ket": "0.5 mg/kg IV over 40 min, once", "ctl": "saline IV over 40 min, once"}
    result = run(arms, people=people, weeks=1.1, visits=[0, 24, 48, 72, 168])
    sizes = {"ket": 99, "ctl": 68}
    means: dict[tuple[str, int], float] = {}
    for arm in arms:
        totals = rated(result, arm)
        for place, day in enumerate((0, 1, 2, 3, 7)):
            record = f"eff-wilkinson2018-madrs-{arm}-{day}d"
            published = number(record)
            spread = float(catalog().get(record).spread[0] or 0.0)
            half = 1.96 * spread / math.sqrt(sizes[arm])
            means[arm, day] = float(totals[:, place].mean())
            yield Row(
                "wilkinson2018 means",
                f"{arm}, day {day}",
                record,
                published,
                means[arm, day],
                published - half,
                published + half,
            )
    for day in (1, 2, 3, 7):
        published = number(f"eff-wilkinson2018-madrs-ket-{day}d") - number(f"eff-wilkinson2018-madrs-ctl-{day}d")
        predicted = means["ket", day] - means["ctl", day]
        yield Row(
            "wilkinson2018 difference",
            f"day {day}",
            f"eff-wilkinson2018-madrs-ket-{day}d",
            published,
            predicted,
            published - 2,
            published + 2,
        )


def daly(people: int) -> Iterator[Row]:
    """Three doses of the spray at 24 hours, inside their intervals and in order."""
    arms = {f"{dose}": f"{dose} mg intranasal esketamine, days 1, 4" for dose in (28, 56, 84)}
    arms["pbo"] = "placebo spray, days 1, 4"
    result = run(arms, people=people, weeks=1.1, visits=[0, 2, 24, 168])
    found = {}
    for arm in arms:
        record = catalog().get(f"eff-daly2018-p1-{arm}-24h")
        published, error = record.number, float(record.spread[0] or 0.0)
        found[arm] = float(change(result, arm)[2])
        bar = "daly2018 at 24 h" if arm != "pbo" else "beyond the bars"
        yield Row(
            bar,
            f"{arm} mg" if arm != "pbo" else "daly2018 placebo spray, 24 h",
            record.id,
            published,
            found[arm],
            published - 1.96 * error,
            published + 1.96 * error,
        )
    order = 1.0 if found["28"] > found["56"] > found["84"] else 0.0
    yield Row("daly2018 at 24 h", "doses in order", "eff-daly2018-p1-84-24h", 1.0, order, 1.0, 1.0, "yes = 1")
    for arm in arms:
        for visit, label in ((1, "2h"), (3, "8d")):
            record = catalog().get(f"eff-daly2018-p1-{arm}-{label}")
            published, error = record.number, float(record.spread[0] or 0.0)
            yield Row(
                "beyond the bars",
                f"daly2018 {arm}, {label}",
                record.id,
                published,
                float(change(result, arm)[visit]),
                published - 1.96 * error,
                published + 1.96 * error,
            )


def murrough(people: int) -> Iterator[Row]:
    """Six infusions in twelve days: response at the end, median time to relapse after it."""
    after = [24.0 * day for day in range(2, 84, 3)]
    last = 11 * 24.0
    visits = [0, 2, 24, last + 24, *[last + time for time in after if time > 24]]
    result = run({"ket": "0.5 mg/kg IV over 40 min, days 1, 3, 5, 8, 10, 12"}, people=people, weeks=14, visits=visits)
    totals = rated(result, "ket")
    baseline = totals[:, 0]
    responded = totals[:, 3] <= 0.5 * baseline
    yield Row(
        "murrough2013b",
        "response after six",
        "eff-murrough2013b-resp",
        70.8,
        100 * float(responded.mean()),
        52.8,
        88.8,
        "%",
    )
    madrs = scale("MADRS")
    times = result.people["visit"].values
    since = np.where(responded, last, np.nan)
    durations = time_to_relapse(madrs, times, totals, baseline, since_h=since)
    known = np.isfinite(durations.time_h)
    curve = kaplan_meier(durations.time_h[known], durations.observed[known])
    yield Row(
        "murrough2013b",
        "median days to relapse",
        "eff-murrough2013b-medrelapse",
        18.0,
        curve.median_h / 24.0,
        11.0,
        27.0,
        "d",
    )
    two = float((totals[:, 1] - baseline).mean())
    yield Row(
        "beyond the bars",
        "murrough2013b change at 2 h (open label)",
        "eff-murrough2013b-chg2h",
        -18.9,
        two,
        -18.9 - 2.6,
        -18.9 + 2.6,
    )


def session(people: int) -> Iterator[Row]:
    """Pressure and dissociation during one infusion of 0.5 mg/kg over 40 minutes, average of people."""
    result = run({"ket": "0.5 mg/kg IV over 40 min, once"}, people=people, weeks=1, visits=[0])
    times, rise = result.output("systolic_rise", "ket")
    hours, mean = times[times <= 6], rise.mean(axis=0)[times <= 6]
    highest, when = peak(hours, mean[None, :])
    yield Row("acute", "systolic peak", "x-bp-vankawala-sbp", 12.6, float(highest[0]), 8, 16, "mmHg")
    yield Row("acute", "time of systolic peak", "saf-esk-bp-tpeak", 40, 60 * float(when[0]), 30, 50, "min")
    left = float(np.interp(40 / 60 + 2, hours, mean))
    yield Row("acute", "systolic rise two hours after the end", "bp-iv-return", 0, left, -2, 2, "mmHg")
    times, cadss = result.output("CADSS", "ket")
    hours, mean = times[times <= 6], cadss.mean(axis=0)[times <= 6]
    highest, when = peak(hours, mean[None, :])
    yield Row("acute", "time of CADSS peak", "cadss-delsant-peak", 40, 60 * float(when[0]), 30, 45, "min")
    yield Row("acute", "CADSS at 120 min", "cadss-delsant-return", 0, float(np.interp(2, hours, mean)), -1e-9, 4)


def antidepressant(people: int) -> Iterator[Row]:
    """An oral antidepressant beside the same weekly visits without it: the share of the effect at weeks 1 and 2."""
    weekly = [168.0 * week for week in range(7)]
    arms = dict.fromkeys(("ssri", "pbo"), "saline IV over 40 min, weekly for 6 weeks")
    drug_only = {"modifiers": {"oral_antidepressant": True}}
    result = run(arms, people=people, weeks=6.1, visits=weekly, kind="first-line-depression", ssri=drug_only)
    drug, placebo = change(result, "ssri"), change(result, "pbo")
    share = (drug - placebo)[1] / (drug - placebo)[6]
    yield Row(
        "oral antidepressant",
        "share of the difference at week 1",
        "eff-taylor2006-share1w",
        33,
        100 * share,
        20,
        46,
        "%",
    )
    yield Row(
        "oral antidepressant",
        "share of the change at week 2, drug",
        "eff-posternak2005-share2w-drug",
        60.2,
        100 * drug[2] / drug[6],
        50,
        70,
        "%",
    )
    yield Row(
        "oral antidepressant",
        "share of the change at week 2, placebo",
        "eff-posternak2005-share2w-pbo",
        61.6,
        100 * placebo[2] / placebo[6],
        51,
        72,
        "%",
    )
    remitted = 100 * float((rated(result, "ssri")[:, 6] <= 10).mean())
    yield Row("beyond the bars", "stard remission at step 1", "eff-stard-rem1", 36.8, remitted, 26, 47, "%")


def others(people: int) -> Iterator[Row]:
    """Results beyond the bars: other doses, drugs, series, experiments and comparators."""
    beyond = "beyond the bars"
    four = {"ket": "0.5 mg/kg IV over 40 min, days 1, 4, 8, 11", "pbo": "saline IV over 40 min, days 1, 4, 8, 11"}
    result = run(four, people=people, weeks=2.2, visits=[0, 15 * 24.0])
    for arm, size in (("ket", 35), ("pbo", 33)):
        record = catalog().get(f"eff-singh2016b-2x-{arm}-15d")
        half = 1.96 * float(record.spread[0] or 0.0) / math.sqrt(record.n or size)
        yield Row(
            beyond,
            f"singh2016b {arm}, day 15",
            record.id,
            record.number,
            float(change(result, arm)[1]),
            record.number - half,
            record.number + half,
        )
    single = {
        "ar": "60 mg arketamine IV over 40 min, once",
        "low": "0.1 mg/kg IV over 40 min, once",
        "ket": "0.5 mg/kg IV over 40 min, once",
        "mid": "midazolam 0.045 mg/kg IV over 40 min, once",
        "sal": "saline IV over 40 min, once",
    }
    result = run(single, people=people, weeks=1, visits=[0, 24])
    day = {arm: float(change(result, arm)[1]) for arm in single}
    yield Row(beyond, "arketamine 60 mg less saline, 24 h", "rket-pcn101-diff", -1.6, day["ar"] - day["sal"], -6.3, 3.1)
    yield Row(
        beyond,
        "murrough2013a ketamine less midazolam, 24 h",
        "eff-murrough2013a-diff24h",
        -7.95,
        day["ket"] - day["mid"],
        -12.71,
        -3.2,
    )
    yield Row(
        beyond,
        "0.1 mg/kg less midazolam as share of 0.5 mg/kg",
        "fava-d-0p1",
        0.68,
        (day["low"] - day["mid"]) / (day["ket"] - day["mid"]),
        0.3,
        1.0,
        "share",
    )
    lost = run(
        {"off": single["ket"], "on": single["ket"], "sal": single["sal"]},
        people=people,
        weeks=1,
        visits=[0, 24],
        on={"modifiers": {"naltrexone": True}},
    )
    drug, kept = (float(change(lost, arm)[1] - change(lost, "sal")[1]) for arm in ("off", "on"))
    yield Row(
        beyond,
        "share of the day-1 effect that naltrexone takes",
        "nalt-jelen-loss",
        28,
        100 * (1 - kept / drug),
        10,
        45,
        "%",
    )
    spray = {
        "esk": "84 mg intranasal esketamine, twice a week for 4 weeks, with an oral antidepressant daily",
        "pbo": "placebo spray, twice a week for 4 weeks, with an oral antidepressant daily",
    }
    result = run(spray, people=people, weeks=4.1, visits=[0, 672])
    for arm in spray:
        record = catalog().get(f"eff-transform2-{arm}-28d")
        half = 1.96 * float(record.spread[0] or 0.0)
        yield Row(
            beyond,
            f"transform2 {arm}, day 28",
            record.id,
            record.number,
            float(change(result, arm)[1]),
            record.number - half,
            record.number + half,
        )
    shocks = run({"ect": "ECT three times a week for 4 weeks"}, people=people, weeks=4.1, visits=[0, 119, 287, 527])
    totals = rated(shocks, "ect")
    for place, record, share in (
        (1, "eff-core-ect-r3", totals <= 0.5 * totals[:, :1]),
        (2, "eff-core-ect-rem6", totals <= 10),
        (3, "eff-core-ect-rem10", totals <= 10),
    ):
        published = number(record)
        half = 1.96 * math.sqrt(published * (100 - published) / 253)
        yield Row(
            beyond,
            f"core {record.rsplit('-', 1)[1]}",
            record,
            published,
            100 * float(share[:, place].mean()),
            published - half,
            published + half,
            "%",
        )


CHECKS = (wilkinson, daly, murrough, session, antidepressant, others)


def table_row(row: Row) -> str:
    """One row of a table of the page."""
    bar = "" if row.bar == "beyond the bars" else row.bar
    verdict = "inside" if row.inside else "**outside**"
    interval = f"{row.low:.1f} to {row.high:.1f} {row.unit}"
    numbers = f"{row.published:.1f} | {interval} | {row.predicted:.1f}"
    return f"| {bar} | {row.what} (`{row.record}`) | {numbers} | {verdict} |"


def page(rows: list[Row], people: int) -> str:
    """The page of the documentation."""
    bars = [row for row in rows if row.bar != "beyond the bars"]
    missed = [row for row in bars if not row.inside]
    beyond = [row for row in rows if row.bar == "beyond the bars"]
    lines = [
        "# The clinic: predicted beside published",
        "",
        "Made by `python benchmarks/clinic/check.py --write`; do not edit. One set of parameters for everything,",
        f"{people} simulated people an arm, rated with the rater's error.",
        "",
        "This is what `simulate` foretells: people in the middle of [the calibrated ensemble](calibration.md).",
        "It was fitted to most of these trials together with others, so these are not predictions of unseen trials;",
        "settings of a trial (open belief, wards, selection, raters who guess) are not part of a study.",
        "The arm sizes of wilkinson2018 are from memory, and its control (saline or midazolam) is simulated as saline.",
        "",
        f"Inside: {len(bars) - len(missed)} of {len(bars)} numbers of the bars, "
        f"{sum(row.inside for row in beyond)} of {len(beyond)} beyond them.",
        "",
    ]
    for title, chosen in (("The bars", bars), ("Beyond the bars", beyond)):
        lines += [
            f"## {title}",
            "",
            "| | what | published | must lie in | predicted | |",
            "| --- | --- | ---: | --- | ---: | --- |",
        ]
        lines += [table_row(row) for row in chosen]
        lines.append("")
    return "\n".join([*lines, CAUSES])


CAUSES = """## Known misses and their causes

- **Single infusions.** In the calibration a rater on the site guesses who had ketamine and writes down two to three
  points more of a fall ([trials](trials.md)); a study rates without guesses, so its ketamine arms fall by that much
  less than the pool's and differ by less from their controls. As a trial file the pool's means are met within 3
  points. Values tuned by hand to this page alone met 27 of the 28 bars (`--table`, with the model of that time), and
  missed the other trials by more.
- **The controls** of the pool go on falling to day 7; a study's saline arm, with belief of 1, begins to rise again.
- **The oral antidepressant** is too early: half of the difference at week 1, published a third.
- **The first two hours.** Open-label ketamine falls less than published at 2 h: an open series carries more belief
  and an open rater, which a study does not have (a trial file has both).
- **Arketamine.** Affinity makes 60 mg of it nearly as strong as 0.3 mg/kg of racemate; the phase 2 trial saw 1.6
  points, with its placebo arm at -13.7. Either the affinity overstates it, or the placebo response left no room;
  the catalogue cannot tell.
- **Placebo spray with a new antidepressant** falls too little: a study has no setting for the belief that new
  tablets carry (a trial file does: `new_antidepressant_belief`).
- **Repeated ketamine** falls too little by day 15 (singh2016b).
- **Electroconvulsive therapy** works too soon and leaves too many short of remission. "By session" is read here as
  the day after it, where core counts the first time.
"""


def main() -> None:
    """Run the checks, print the table, and say how many of the bars are missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=400)
    parser.add_argument("--backend", default="native")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--write", action="store_true", help="write docs/clinic.md")
    parser.add_argument("--table", action="store_true", help="at the table's values instead of the ensemble's middle")
    given = parser.parse_args()
    globals().update(BACKEND=given.backend, CALIBRATED=not given.table)
    rows = [row for check in CHECKS for row in check(given.people)]
    for row in rows:
        mark = "in " if row.inside else "OUT"
        interval = f"published {row.published:7.2f} ({row.low:.2f} to {row.high:.2f})"
        print(f"{mark} {row.bar:26s} {row.what:42s} {row.predicted:8.2f} {row.unit:8s} {interval}")
    bars = [row for row in rows if row.bar != "beyond the bars"]
    missed = [row for row in bars if not row.inside]
    names = ", ".join(f"{row.bar} {row.what}" for row in missed)
    print(f"{len(bars) - len(missed)} of {len(bars)} inside; missed: {names or 'none'}")
    if given.write:
        PAGE.write_text(page(rows, given.people), encoding="utf-8")
    if given.json:
        given.json.write_text(json.dumps([asdict(row) | {"inside": row.inside} for row in rows], indent=1) + "\n")


if __name__ == "__main__":
    main()
