"""A course as a clinician would say it, in one canonical sentence that parses back to the same course.

What a sentence leaves out is inherited: "then weekly for 4 weeks" goes on with the same dose, "then 84 mg"
with the same drug and route. "0.5 mg/kg IV" at the start of a line, with no drug named, is racemic ketamine.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rekindle.dosing.drugs import drug
from rekindle.dosing.line import Line
from rekindle.dosing.regimen import Dose, Regimen, Step
from rekindle.dosing.routes import INTRAVENOUS, route
from rekindle.dosing.timing import PER_WEEK, Every, OnDays, Timing

COUNT_WORDS = {3: "three", 4: "four", 5: "five", 6: "six", 7: "seven"}
_SILENT_ROUTE = ("placebo-spray", "oral-antidepressant", "ect")
_NO_COMMA = ("oral-antidepressant", "ect")


def sentence(lines: Sequence[Line], *, name_every_drug: bool = False) -> str:
    """The sentence for these lines; "no treatment" when there are none."""
    if not lines:
        return "no treatment"
    return ", with ".join(_line_words(line, name_every_drug=name_every_drug) for line in lines)


def number_words(value: float) -> str:
    """A number as short as it can be and still read back the same.

    >>> number_words(84.0), number_words(0.045)
    ('84', '0.045')
    """
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(float(value))


def duration_words(minutes: float) -> str:
    """A duration in minutes, or in hours from two hours on when they are whole.

    >>> duration_words(40), duration_words(6000)
    ('40 min', '100 h')
    """
    if minutes >= 120 and minutes % 60 == 0:
        return f"{number_words(minutes / 60)} h"
    return f"{number_words(minutes)} min"


def _line_words(line: Line, *, name_every_drug: bool) -> str:
    parts = []
    before: Regimen | None = None
    for regimen in line.regimens:
        treatment = _treatment_words(regimen, before, name_every_drug=name_every_drug)
        timing = _timing_words(regimen, alone=len(line.regimens) == 1)
        plain = regimen.drug in _NO_COMMA and not isinstance(regimen.timing, OnDays)
        parts.append(f"{treatment}{' ' if plain else ', '}{timing}" if treatment else timing)
        before = regimen
    return ", then ".join(parts) + _missed_words(line.missed)


def _treatment_words(regimen: Regimen, before: Regimen | None, *, name_every_drug: bool) -> str:
    same_drug = before is not None and before.drug == regimen.drug
    if before is not None and same_drug and before.form == regimen.form:
        if before.steps == regimen.steps:
            return ""
        if _differs_in_dose_alone(before, regimen):
            first, last = regimen.steps[0].dose, before.steps[0].dose
            return _dose_words(first, last)
    last_step = before.steps[-1] if before is not None and same_drug else None
    named = name_every_drug or before is not None
    form_before = before.form if before is not None and same_drug else "base"
    words = [_first_step_words(regimen, last_step, named=named, form_before=form_before)]
    for earlier, step in zip(regimen.steps, regimen.steps[1:], strict=False):
        words.append(_next_step_words(step, earlier))
    return " then ".join(words)


def _differs_in_dose_alone(before: Regimen, regimen: Regimen) -> bool:
    if len(before.steps) != 1 or len(regimen.steps) != 1:
        return False
    earlier, later = before.steps[0], regimen.steps[0]
    return earlier.route == later.route and earlier.duration_min == later.duration_min and later.dose is not None


def _dose_words(dose: Dose | None, before: Dose | None) -> str:
    if dose is None:
        return ""
    inherited = before.weight if before is not None else "actual"
    basis = f" ({dose.weight} body weight)" if dose.unit == "mg/kg" and dose.weight != inherited else ""
    return f"{number_words(dose.amount)} {dose.unit}{basis}"


def _first_step_words(regimen: Regimen, before: Step | None, *, named: bool, form_before: str) -> str:
    step = regimen.steps[0]
    name = drug(regimen.drug).spoken
    if regimen.form == "hydrochloride" or form_before == "hydrochloride":
        name = f"{name} {regimen.form}"
    understood = regimen.drug == "racemic-ketamine" and regimen.form == form_before == "base"
    if understood and not named and step.route in INTRAVENOUS:
        name = ""
    way = route(step.route)
    spoken = "" if regimen.drug in _SILENT_ROUTE else way.spoken
    if regimen.drug == "esketamine" and step.route == "intranasal":
        order = (name, "by nasal atomiser")
    else:
        order = (spoken, name) if way.before_drug else (name, spoken)
    dose = _dose_words(step.dose, before.dose if before is not None else None)
    return " ".join(part for part in (dose, *order, _over_words(step)) if part)


def _next_step_words(step: Step, before: Step) -> str:
    way = "" if step.route == before.route else route(step.route).spoken
    return " ".join(part for part in (_dose_words(step.dose, before.dose), way, _over_words(step)) if part)


def _over_words(step: Step) -> str:
    return "" if step.duration_min is None else f"over {duration_words(step.duration_min)}"


def _timing_words(regimen: Regimen, *, alone: bool) -> str:
    words = _rhythm_words(regimen.timing, alone=alone, counted="dose" if drug(regimen.drug).dosed else "session")
    if regimen.start_day is not None:
        words += f" from day {regimen.start_day}"
    if regimen.clock_min != (0,):
        words += " at " + _and(f"{minute // 60:02d}:{minute % 60:02d}" for minute in regimen.clock_min)
    return words


def _rhythm_words(timing: Timing, *, alone: bool, counted: str) -> str:
    if isinstance(timing, OnDays):
        if timing.days == (1,) and alone:
            return "once"
        return f"day{'s' if len(timing.days) > 1 else ''} {', '.join(map(str, timing.days))}"
    if isinstance(timing, Every):
        words = _every_words(timing.days)
    elif PER_WEEK.get(len(timing.days)) == timing.days:
        times = len(timing.days)
        words = "twice a week" if times == 2 else f"{COUNT_WORDS[times]} times a week"
    else:
        words = f"day{'s' if len(timing.days) > 1 else ''} {', '.join(map(str, timing.days))} of each week"
    if timing.sessions is not None:
        return f"{words} for {_plural(timing.sessions, counted)}"
    span = timing.span_days or 0
    return f"{words} for {_plural(span // 7, 'week') if span % 7 == 0 else _plural(span, 'day')}"


def _every_words(days: int) -> str:
    if days in (1, 7):
        return "daily" if days == 1 else "weekly"
    return f"every {days // 7} weeks" if days % 7 == 0 else f"every {days} days"


def _missed_words(missed: Sequence[int]) -> str:
    if not missed:
        return ""
    return f", missing session{'s' if len(missed) > 1 else ''} {_and(map(str, missed))}"


def _plural(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"


def _and(words: Iterable[str]) -> str:
    listed = list(words)
    return listed[0] if len(listed) == 1 else f"{', '.join(listed[:-1])} and {listed[-1]}"
