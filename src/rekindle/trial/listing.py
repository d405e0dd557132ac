"""The trials of the package as a page of tables: what each was, what of it is scored, what is only shown and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from rekindle.trial.design import Number, Trial

DOMAINS: Mapping[str, Callable[[Trial, Number], bool]] = {
    "suicidal ideation": lambda trial, number: number.scale == "SSI" or number.item == "suicidal thoughts",
    "anhedonia": lambda trial, number: number.scale == "SHAPS" or trial.name == "zheng2022anh",
    "anxiety": lambda trial, number: (
        number.scale == "GAD-7" or "anxious" in number.reason or trial.name == "salloum2019"
    ),
    "sleep": lambda trial, number: number.item == "reduced sleep",
    "fatigue": lambda trial, number: number.item == "lassitude",
    "cognition": lambda trial, number: number.scale == "cognition",
    "bipolar depression": lambda trial, number: trial.enrolled.diagnosis == "bipolar-depression",
    "post-traumatic stress": lambda trial, number: trial.enrolled.diagnosis == "ptsd",
    "social anxiety": lambda trial, number: trial.enrolled.diagnosis == "social-anxiety",
    "chronic pain": lambda trial, number: trial.enrolled.diagnosis == "chronic-pain",
    "blood pressure and pulse": lambda trial, number: (
        number.scale in ("systolic pressure", "diastolic pressure", "heart rate")
    ),
}
"""Domains and conditions beside depression itself, each with which published numbers belong to it."""

HEAD = (
    "# The trials\n\nMade from the trial files in `trial/files/`. Every trial of the efficacy table with a number that "
    "was read has a file. **Fitted**: `use: calibrate`, the numbers that parameters are fitted to; nobody is fitted "
    "twice, so a pool whose members are fitted is only scored. **Scored**: compared with a prediction. **Shown**: "
    "printed beside it with the reason why it is not scored. What stands in a file as `# assumed` is design that the "
    "catalogue does not hold."
)


def catalogue_page(trials: Sequence[Trial]) -> str:
    """The page, in Markdown: totals, a row a trial, the domains, who shares people, and what is only shown."""
    parts = [HEAD, *_totals(trials), _trials(trials), _domains(trials), _shared(trials), _shown(trials)]
    return "\n\n".join(parts) + "\n"


def _totals(trials: Sequence[Trial]) -> Iterator[str]:
    fitted = [trial for trial in trials if trial.use == "calibrate"]
    kinds = Counter(trial.kind for trial in trials)
    yield (
        f"{len(trials)} files: {kinds['trial']} trials, {kinds['pooled']} pools, {kinds['experiment']} experiments. "
        f"{sum(len(trial.scored) for trial in trials)} numbers are scored, "
        f"{sum(len(trial.scored) for trial in fitted)} of them fitted; "
        f"{sum(len(trial.published) - len(trial.scored) for trial in trials)} are shown."
    )
    scored = Counter(number.quantity for trial in trials for number in trial.scored)
    also = Counter(number.quantity for trial in fitted for number in trial.scored)
    rows = [(_words(name), str(count), str(also[name])) for name, count in scored.most_common()]
    yield "## What is scored\n\n" + _table(("quantity", "scored", "fitted"), rows, right=(1, 2))


def _trials(trials: Sequence[Trial]) -> str:
    rows = [
        (
            f"`{trial.name}`",
            trial.title,
            ", ".join(_design(trial)),
            _people(trial),
            {"calibrate": "yes", "context": "no"}.get(trial.use, "new") if trial.scored else "nothing to fit",
            _scored(trial) or "shown only",
        )
        for trial in trials
    ]
    head = ("file", "trial", "design", "people", "fitted", "scored")
    return "## One by one\n\n" + _table(head, rows)


def _design(trial: Trial) -> Iterator[str]:
    yield trial.design if trial.kind == "trial" else f"{trial.kind}, {trial.design}"
    if trial.masking != "open" or trial.design != "open":
        yield {"anaesthesia": "masked by anaesthesia"}.get(trial.masking, f"{trial.masking} masking")
    yield trial.enrolled.diagnosis.replace("-", " ")


def _people(trial: Trial) -> str:
    sizes = [str(arm.n) for arm in trial.arms if arm.n is not None]
    return " + ".join(sizes) or "not printed"


def _scored(trial: Trial) -> str:
    groups: dict[tuple[str, str], int] = {}
    for number in trial.scored:
        key = (_words(number.quantity), number.scale)
        groups[key] = groups.get(key, 0) + 1
    return "; ".join(f"{count} {quantity} ({scale})" for (quantity, scale), count in groups.items())


def _domains(trials: Sequence[Trial]) -> str:
    rows = []
    for domain, belongs in DOMAINS.items():
        found = [(trial, number) for trial in trials for number in trial.published if belongs(trial, number)]
        scored = Counter(trial.name for trial, number in found if number.scored)
        shown = sorted({trial.name for trial, number in found if "direction only" in number.reason})
        told = ", ".join(f"`{name}` ({count})" for name, count in scored.items())
        said = ", ".join(f"`{name}`" for name in shown)
        rows.append((domain, told or ("direction only" if said else "no evidence"), said or "none"))
    head = ("domain", "numbers scored", "direction only in")
    return "## Domains and conditions\n\n" + _table(head, rows)


def _shared(trials: Sequence[Trial]) -> str:
    rows = [
        (
            f"`{trial.name}`",
            ", ".join(f"`{name}`" for name in trial.contains) or "none",
            ", ".join(f"`{name}`" for name in trial.overlaps) or "none",
        )
        for trial in trials
        if trial.contains or trial.overlaps
    ]
    return "## Who shares people\n\n" + _table(("file", "holds", "shares people with"), rows)


def _shown(trials: Sequence[Trial]) -> str:
    rows = [
        (f"`{trial.name}`", f"`{number.record}`" if number.record else _words(number.quantity), number.reason)
        for trial in trials
        for number in trial.published
        if not number.scored
    ]
    return "## Shown, and why not scored\n\n" + _table(("file", "record", "reason"), rows)


def _words(quantity: str) -> str:
    return quantity.replace("_", " ")


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> str:
    rule = [" ---: " if place in right else " --- " for place in range(len(head))]
    lines = ["| " + " | ".join(head) + " |", "|" + "|".join(rule) + "|"]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines)
