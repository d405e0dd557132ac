"""The trial files of the package hold together: they read, say what their records say, and count nobody twice."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from rekindle.dosing import parse
from rekindle.evidence import catalog
from rekindle.trial.design import Number, Trial
from rekindle.trial.files import published_trials

FOLDER = Path(__file__).parents[2] / "src" / "rekindle" / "trial" / "files"
NAMES = sorted(path.stem for path in FOLDER.glob("*.yaml"))

WITHOUT_FILE = {
    "eff-aanhetrot2010-pct": "both rows of this series are from memory, so the trial has no number read",
    "eff-aanhetrot2010-relapse": "both rows of this series are from memory, so the trial has no number read",
}
"""Rows of the efficacy table that stand in no file, each with its reason."""

SAME_PEOPLE = (
    ("wilkinson2018", "murrough2013a"),
    ("wilkinson2018", "zarate2012bp"),
    ("wilkinson2018", "diazgranados2010"),
    ("cochrane2021", "murrough2013a"),
    ("niciu2014", "nimh-ds005917-odd"),
    ("luckenbaugh2014", "nimh-ds005917-odd"),
    ("transform-sex", "transform1"),
    ("transform-sex", "transform2"),
    ("mathai-dissoc", "transform1"),
    ("salloum2019", "fava2020"),
)
"""Pairs that the evidence names as sharing people."""

FITTED = [
    "wilkinson2018",
    "nimh-ds005917-odd",
    "su2017",
    "singh2016a",
    "grunebaum2018",
    "murrough2013b",
    "singh2016b",
    "phillips2019",
    "abdallah2020",
    "mcinnes2022",
    "mcintyre2020",
    "heifets-kit",
    "daly2018",
    "transform1",
    "transform2",
    "takahashi2021",
    "sustain1",
    "sustain2",
    "stard",
    "taylor2006",
    "posternak2005",
    "core",
    "scot-ect",
    "sigtermans2009",
    "obrien2019",
]
"""Trials that the evidence names for calibration and whose numbers are fitted."""

NOT_FITTED = {
    "murrough2013a": "its people are among those of wilkinson2018",
    "diazgranados2010": "its people are among those of wilkinson2018",
    "cochrane2021": "its people are those of its members",
    "transform-sex": "its people are those of transform1 and transform2",
    "niciu2014": "its people are partly those of nimh-ds005917-odd and diazgranados2010",
    "feder2021": "the model has no post-traumatic stress",
    "orhurhu2019": "no one course stands for the infusions that it pools",
}
"""Trials that the evidence names for calibration and that are not fitted, each with its reason."""

POOLS = ("wilkinson2018", "niciu2014", "luckenbaugh2014", "cochrane2021", "newport2015", "kishimoto2016", "taylor2006",
         "posternak2005", "orhurhu2019")  # fmt: skip
SCALES = ("MADRS", "HAM-D17", "HAM-D6", "QIDS", "PHQ-9", "GAD-7", "SSI", "SHAPS", "CAPS-5", "IES-R", "POMS", "PCL-5")
DRUGS = {"racemic-ketamine": "racemic-ketamine", "esketamine": "esketamine", "arketamine": "arketamine",
         "midazolam": "midazolam", "ECT": "ect"}  # fmt: skip


@cache
def trials() -> dict[str, Trial]:
    return {trial.name: trial for trial in published_trials()}


def numbers() -> list[tuple[Trial, Number]]:
    return [(trial, number) for trial in trials().values() for number in trial.published]


def related(trial: Trial) -> set[str]:
    return {*trial.overlaps, *trial.contains}


def arm_drugs(trial: Trial, name: str, stage: str | None) -> set[str]:
    arm = trial.arm(name)
    if arm.mixture:
        return {drug for inner in arm.mixture for drug in trial.arm(inner).drugs}
    return {drug for each in arm.stages if stage in (None, each.name) for drug in each.course.drugs}


def test_there_is_a_file_for_every_trial() -> None:
    assert sorted(trials()) == NAMES
    assert len(NAMES) >= 70
    assert {"trial", "pooled", "experiment"} == {trial.kind for trial in trials().values()}
    experiments = {trial.name for trial in trials().values() if trial.kind == "experiment"}
    assert {
        "williams2018",
        "jelen2025",
        "abdallah2020",
        "zarate2006mem",
        "smith2013mem",
        "pcn101",
        "lii2023",
    } <= experiments
    assert {trial.use for trial in trials().values()} == {"calibrate", "context"}


@pytest.mark.parametrize("name", POOLS)
def test_pools_are_marked(name: str) -> None:
    assert trials()[name].kind == "pooled"
    assert trials()[name].trials > 1


def test_every_row_of_the_efficacy_table_is_in_one_file() -> None:
    files: dict[str, set[str]] = {}
    for trial, number in numbers():
        if number.record:
            files.setdefault(number.record, set()).add(trial.name)
    rows = [record.id for record in catalog() if record.table == "efficacy"]
    assert set(rows) - set(files) == set(WITHOUT_FILE)
    assert not any(catalog().get(row).seen for row in WITHOUT_FILE)
    assert {record: names for record, names in files.items() if len(names) > 1} == {}


def test_no_record_stands_for_the_same_thing_twice() -> None:
    seen = [(trial.name, number.record, number.quantity) for trial, number in numbers() if number.record]
    assert len(set(seen)) == len(seen)


def test_only_what_was_read_is_scored() -> None:
    for trial, number in numbers():
        if number.scored and number.record:
            assert catalog().get(number.record).seen, (trial.name, number.record)
        if not number.scored:
            assert len(number.reason) >= 10, (trial.name, number.record)
        if number.record and not catalog().get(number.record).seen and number.record.startswith("eff-"):
            assert number.reason == "memory row"


def test_nobody_is_fitted_twice() -> None:
    fitted = [trial for trial in trials().values() if trial.use == "calibrate" and trial.scored]
    assert sorted(trial.name for trial in fitted) == sorted(FITTED)
    for name in NOT_FITTED:
        assert trials()[name].use == "context" or not trials()[name].scored, name
    for one in fitted:
        assert not related(one) & {other.name for other in fitted}, one.name


def test_sharing_people_is_said_on_both_sides() -> None:
    for trial in trials().values():
        assert not set(trial.overlaps) & set(trial.contains), trial.name
        for name in related(trial):
            assert name in trials(), (trial.name, name)
            assert trial.name in related(trials()[name]), (trial.name, name)
    for one, other in SAME_PEOPLE:
        assert other in related(trials()[one]), (one, other)


def test_courses_say_the_same_when_read_again() -> None:
    for trial in trials().values():
        for arm in trial.arms:
            for stage in arm.stages:
                assert parse(str(stage.course)) == stage.course, (trial.name, arm.name)


def test_numbers_have_the_drug_and_the_dose_of_their_record() -> None:
    for trial, number in numbers():
        if not number.scored or not number.record or trial.name == "sigtermans2009":
            continue  # its printed rate is that of the last hours
        record = catalog().get(number.record)
        drugs = arm_drugs(trial, number.arms[0], number.stage)
        if record.drug in DRUGS:
            assert DRUGS[record.drug] in drugs, (trial.name, number.record)
        if record.drug == "placebo":
            assert not drugs & {"racemic-ketamine", "esketamine", "arketamine"}, (trial.name, number.record)
        amounts = re.findall(r"(\d+(?:\.\d+)?)(?:[-/](\d+(?:\.\d+)?))? ?(mg/kg|mg)", record.dose)
        course = " ".join(str(stage.course) for stage in trial.arm(number.arms[0]).stages)
        wanted = [f"{float(end):g} {unit}" for *ends, unit in amounts for end in ends if end]
        assert not wanted or not course or any(each in course for each in wanted), (trial.name, number.record)


def test_numbers_have_the_scale_and_the_time_of_their_record() -> None:
    for trial, number in numbers():
        if not number.record:
            continue
        record = catalog().get(number.record)
        named = [scale for scale in SCALES if scale in record.quantity]
        if number.quantity != "other" and named:
            assert any(scale in number.scale for scale in named), (trial.name, number.record, number.scale)
        time_h = number.time_h or number.options.any_by_h or (number.options.times_h or (None,))[-1]
        if number.scored and record.time_h and time_h and number.stage is None:
            low, high = record.time_h  # "day 15" is the fourteenth day after the first
            assert low - 24.1 <= time_h <= high + 24.1, (trial.name, number.record, time_h)


def test_values_are_those_of_the_record() -> None:
    for trial, number in numbers():
        if number.scored and number.record and number.quantity != "standard_deviation":
            assert number.value == pytest.approx(catalog().get(number.record).number), (trial.name, number.record)
        if number.scored and number.quantity == "standard_deviation":
            assert number.value == pytest.approx(catalog().get(str(number.record)).spread[0])
    written = {trial.name for trial, number in numbers() if number.scored and not number.record}
    assert written == {"lii2023"}  # the catalogue holds no record of it


def test_people_behind_a_number_were_in_its_arm() -> None:
    for trial, number in numbers():
        if not number.scored or not number.record or len(number.arms) != 1 or trial.enter:
            continue  # before a second randomisation everybody is in both arms
        of_arm = trial.arm(number.arms[0]).n
        if of_arm is not None and number.n[0] is not None:
            assert number.n[0] <= of_arm, (trial.name, number.record)


def test_shares_and_changes_have_their_sign() -> None:
    for trial, number in numbers():
        if not number.scored:
            continue
        if number.unit == "%" and number.quantity != "percent_change":
            assert 0.0 <= number.value <= 100.0, (trial.name, number.record)
        if number.quantity == "mean_change" and number.scale in ("MADRS", "HAM-D17", "HAM-D6"):
            assert -40.0 <= number.value <= 5.0, (trial.name, number.record)
        if number.quantity.endswith("ratio"):
            assert number.value > 0.0, (trial.name, number.record)


def test_the_doubtful_printed_figures_are_not_scored() -> None:
    """What the second reader found: an odds ratio against its rates, derived rates, an SD that cannot be."""
    shown = {number.record for _, number in numbers() if not number.scored}
    assert {
        "eff-murrough2013a-or24h",
        "eff-cochrane2021-pbo-rate-ket",
        "eff-cochrane2021-mid-rate-ket",
        "eff-nimh-crossover-tab-pct-resp",
        "eff-phillips2019-maint",
        "eff-takahashi2021-diff-28",
    } <= shown


def test_the_page_of_trials_names_every_file_and_every_reason() -> None:
    from rekindle.trial.listing import DOMAINS, catalogue_page

    page = catalogue_page(published_trials())
    assert all(f"| `{name}` |" in page for name in NAMES)
    shown = [number for _, number in numbers() if not number.scored]
    assert page.count(f"{len(shown)} are shown") == 1
    assert all(number.reason in page for number in shown)
    rows = {domain: re.search(rf"^\| {domain} \| (.*?) \|", page, re.MULTILINE) for domain in DOMAINS}
    assert {domain for domain, row in rows.items() if row and row.group(1) == "no evidence"} == {
        "sleep",
        "fatigue",
        "cognition",
        "social anxiety",
    }
    assert {domain for domain, row in rows.items() if row and row.group(1) == "direction only"} == {
        "anhedonia",
        "post-traumatic stress",
    }
