"""What the page about a person says in words: the answer, four facts, questions with their answers, and doubts.

Every number comes from the forecast; a word for a chance never stands without its number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rekindle.inference.doubts import OUTSIDE, heavy_tail, ordered, unlike
from rekindle.inference.forecast import LEVELS, RELAPSE, WEEK_H
from rekindle.inference.update import TOO_LITTLE
from rekindle.outcomes import scale
from rekindle.outcomes.no_evidence import gaps
from rekindle.report.numerals import NBSP, count, lasting, plain
from rekindle.report.person.behind import gained, points
from rekindle.report.person.dates import day
from rekindle.report.plain import PlainFact

if TYPE_CHECKING:
    from rekindle.inference.outlook import Outlook

LOW, MIDDLE, HIGH = LEVELS.index(2.5), LEVELS.index(50.0), LEVELS.index(97.5)
FEW = 200.0
"""Effective candidates below which the page says that bands are rough."""
KNOWN = {
    "weight_kg": "weight", "height_cm": "height", "age_years": "age", "sex": "sex",
    "failed_treatments": "failed treatments",
}  # fmt: skip


@dataclass(frozen=True)
class Question:
    """A question of the clinician with its answer."""

    ask: str
    answer: str


def subtitle(outlook: Outlook) -> str:
    """Who it is about, as far as anybody may know, and when."""
    person = outlook.plan.person
    sessions, ratings = len({each.time_h for each in person.given}), len(person.ratings)
    said = illness(person.kind).capitalize()
    plan = outlook.plan.planned
    coming = "no further dose"
    if plan is not None and plan.course.sessions:
        first = plan.from_h + plan.course.sessions[0].time_h
        coming = f"{plan.course.spoken()}, from {day(person.start, first)}"
    return (
        f"{said}. {_some(sessions, 'session').capitalize()} and {_some(ratings, 'rating')} from "
        f"{day(person.start, 0.0)} to {day(person.start, person.now_h, year=True)}. Planned: {coming}."
    )


def illness(kind: str) -> str:
    """A kind of person as people say it.

    >>> illness("treatment-resistant-depression")
    'treatment-resistant depression'
    """
    return kind.replace("-", " ").replace("treatment resistant", "treatment-resistant")


def _some(number: int, name: str) -> str:
    return f"{number or 'no'}{NBSP}{name}{'' if number == 1 else 's'}"


def working(outlook: Outlook) -> str:
    """Is it working?"""
    found, name = outlook.plan[outlook.main], outlook.main
    now = found.own[0]
    score = f"{plain(now[MIDDLE])} ({plain(now[LOW])} to {plain(now[HIGH])})"
    if not outlook.plan.person.ratings:
        return f"No rating yet: this is the forecast for people like this one, whose {name} is now {score}."
    if not outlook.plan.person.given:
        return f"No dose yet. The {name} is most likely {score}, 19 times in 20."
    chance = found.responding
    began = (
        f"The {name} was {plain(found.baseline)} before the first dose and is now most likely {score}"
        if found.rated
        else f"No rating of the {name} before the first dose: the model takes {plain(found.baseline)}. It is now most "
        f"likely {score}"
    )
    if chance is None:
        return f"{began}."
    verdict = (
        "It is working" if chance >= 0.8 else "It is probably working" if chance >= 0.5
        else "It is probably not working well enough" if chance >= 0.2 else "It is not working"
    )  # fmt: skip
    return (
        f"{verdict}: the chance to be {_better(name)} is {count(chance, 100)}. {began}, 19 times in 20 in that range."
    )


def _better(name: str) -> str:
    share = scale(name).response
    return "at least half better" if share == 0.5 else f"better by {plain(100 * (share or 0))}{NBSP}% or more"


def attention(outlook: Outlook) -> str:
    """Drug or attention?"""
    parts = outlook.gain
    if parts is None:
        return "No dose yet, so there is no gain to explain."
    whole = sum(part.mean for part in parts)
    if not gained(outlook):
        return f"There is hardly a gain so far ({plain(whole, -1)} points), so nothing to share out."
    drug, care, course = parts[0], parts[1], parts[2]
    return (
        f"Of about {plain(whole)} points gained, the drug made {points(drug)}, expectancy and care {points(care)}, the "
        f"natural course {points(course)}. The chance that the drug counts (at least 2 in 60 of the scale) is "
        f"{count(drug.counts, 100)}."
    )


def holding(outlook: Outlook) -> str:
    """How long will it hold?"""
    found, without, alone = (each[outlook.main] for each in (outlook.plan, outlook.without, outlook.alone))
    person = outlook.plan.person
    if without.relapse is None:
        return f"There is hardly a response now that could be lost, so no date is told. {_to_come(outlook)}".rstrip()
    end = day(person.start, without.times_h[-1])
    whole = f"the chance of a relapse ({RELAPSE}) by {end} is"
    if not planned(outlook):
        said = f"With no further dose and no further visits {whole} {count(float(without.relapse[-1]), 100)}"
        return f"{said}{_passes(outlook, without.due_h)}"
    first = "With no further dose, in care as planned,"
    if found.relapse is not None:
        first = f"As planned, {whole} {count(float(found.relapse[-1]), 100)}. {first} it is"
    else:
        first = f"{first} {whole}"
    last = ""
    if alone.relapse is not None:
        lost = count(float(alone.relapse[-1]), 100)
        last = f" With no further visits either it is {lost}{_passes(outlook, alone.due_h)}"
    return f"{first} {count(float(without.relapse[-1]), 100)}{_passes(outlook, without.due_h)}{last}"


def planned(outlook: Outlook) -> bool:
    """Whether there is a plan, beside which doing nothing more is told."""
    return outlook.plan is not outlook.without


def _passes(outlook: Outlook, due_h: float | None) -> str:
    risk = count(outlook.plan.risk, 100)
    return f", and does not pass {risk}." if due_h is None else f"; it passes {risk} {_about(outlook, due_h)}."


def _to_come(outlook: Outlook) -> str:
    """The chance of a response on the last date."""
    found, person = outlook.plan[outlook.main], outlook.plan.person
    if found.response is None:
        return ""
    under = "As planned" if planned(outlook) else "With no further dose and no further visits"
    end = day(person.start, found.times_h[-1])
    return f"{under}, the chance to be {_better(outlook.main)} on {end} is {count(float(found.response[-1]), 100)}."


def _about(outlook: Outlook, due_h: float) -> str:
    person = outlook.plan.person
    if due_h <= person.now_h + WEEK_H + 1.0:
        return "within a week"
    return f"in the week of {day(person.start, due_h)}"


def due(outlook: Outlook) -> str:
    """When is the next dose due, and what does waiting cost?"""
    without, alone, person = outlook.without[outlook.main], outlook.alone[outlook.main], outlook.plan.person
    risk = count(outlook.plan.risk, 100)
    if without.relapse is None:
        said = "By the chance of a relapse no dose is due: there is hardly a response to hold."
    elif without.due_h is None:
        end = day(person.start, without.times_h[-1])
        said = f"By the chosen risk of {risk} none is due before {end}{_care(outlook)}."
    else:
        said = f"By the chosen risk of {risk}, {_about(outlook, without.due_h)}{_care(outlook)}."
    if planned(outlook) and without.relapse is not None and alone.due_h is not None and alone.due_h != without.due_h:
        said += f" With no further visits either, {_about(outlook, alone.due_h)}."
    return f"{said} {cost(outlook)}".rstrip()


def _care(outlook: Outlook) -> str:
    """What goes on when no further dose is given."""
    return ", in care as planned" if planned(outlook) else ", with no further visits"


def cost(outlook: Outlook) -> str:
    """What putting off the next session costs, in points and in the chance of a relapse."""
    if not outlook.waiting:
        return ""
    delay, late = outlook.waiting[0]
    plan, other = outlook.plan[outlook.main], late[outlook.main]
    sign = 1.0 if scale(outlook.main).better == "lower" else -1.0
    # The day on which the two differ most, among those that both look at.
    both = [(place, int(plan.times_h.searchsorted(hour))) for place, hour in enumerate(other.times_h)]
    worse = [
        (sign * float(other.own[place][MIDDLE] - plan.own[spot][MIDDLE]), other.times_h[place])
        for place, spot in both
        if spot < len(plan.times_h) and abs(plan.times_h[spot] - other.times_h[place]) < 1e-6
    ]
    most, hour = max(worse)
    start = outlook.plan.person.start
    said = (
        f"Putting the session off by {lasting(delay)} costs at most {plain(most, -1 if most < 3 else 0)} points, "
        f"around {day(start, hour)}"
        if most >= 0.5
        else f"Putting the session off by {lasting(delay)} costs less than a point"
    )
    if plan.relapse is None or other.relapse is None:
        return f"{said}."
    end = day(start, plan.times_h[-1])
    before, after = (count(float(each[-1]), 100) for each in (plan.relapse, other.relapse))
    turn = f"stays {before}" if before == after else f"goes from {before} to {after}"
    return f"{said}; the chance of a relapse by {end} {turn}."


def fading_words(outlook: Outlook) -> str:
    """Is the effect fading, is the illness drifting, or was it noise?"""
    found = outlook.fading
    if found is None:
        return "There is no rating after a dose yet, so nothing to tell."
    if not gained(outlook):
        return "There is hardly a gain so far that could fade."
    parts = {"wearing off": found.wearing_off, "drift of the illness": found.drift, "noise of the rating": found.noise}
    said = "; ".join(f"{name} {points(part, signed=True)}" for name, part in parts.items())
    when = day(outlook.plan.person.start, found.next_h)
    return (
        f"In the last rating, for the worse: {said}. What would tell most is a {found.next_measurement} ({when}): it "
        f"would remove {plain(100 * found.share)}{NBSP}% of the doubt."
    )


def questions(outlook: Outlook) -> tuple[Question, ...]:
    """What a clinician asks, in the order of asking; the first is the answer at the top of the page."""
    return (
        Question("Drug or attention?", attention(outlook)),
        Question("How long will it hold?", holding(outlook)),
        Question("When is the next dose due, and what does waiting cost?", due(outlook)),
        Question("Is it fading?", fading_words(outlook)),
    )


def facts(outlook: Outlook) -> tuple[PlainFact, ...]:
    """Benefit and harm in large type, side by side."""
    found, without, person = outlook.plan[outlook.main], outlook.without[outlook.main], outlook.plan.person
    facts: list[PlainFact] = []
    if found.responding is not None and person.ratings:
        note = f"on the {outlook.main}, beside {_before(outlook)}"
        facts.append(_chance("Benefit", f"{_better(outlook.main).capitalize()} now", found.responding, note))
    if found.relapse is not None:
        end = day(person.start, found.times_h[-1])
        note = ""
        if planned(outlook) and without.relapse is not None:
            note = f"{count(float(without.relapse[-1]), 100)} with no further dose, in care as planned"
        facts.append(_chance("Risk", f"Relapse by {end}", float(found.relapse[-1]), note))
    elif found.response is not None:
        end = day(person.start, found.times_h[-1])
        name = f"{_better(outlook.main).capitalize()} on {end}"
        facts.append(_chance("Benefit", name, float(found.response[-1]), f"on the {outlook.main}"))
    if without.relapse is not None:
        facts.append(_due_fact(outlook))
    if outlook.session is not None:
        ahead = outlook.session
        facts.append(
            PlainFact(
                "Harm", "Systolic pressure at the coming session", plain(ahead.systolic[1]), "mmHg",
                f"at its highest; 9 times in 10 from {plain(ahead.systolic[0])} to {plain(ahead.systolic[2])}",
            )
        )  # fmt: skip
    return tuple(facts)


def _chance(kind: str, name: str, share: float, note: str) -> PlainFact:
    words = count(share, 100)
    if words.startswith("fewer"):
        return PlainFact(kind, name, "< 1", f"in{NBSP}100", note)
    big, rest = words.split(NBSP, 1)
    return PlainFact(kind, name, big, rest, note)


def _due_fact(outlook: Outlook) -> PlainFact:
    person, due_h = outlook.plan.person, outlook.without[outlook.main].due_h
    name = "Next dose due"
    risk = f"the day on which relapse passes {count(outlook.plan.risk, 100)} with no further dose{_care(outlook)}"
    if due_h is None:
        end = day(person.start, outlook.without[outlook.main].times_h[-1])
        stays = f"relapse stays below {count(outlook.plan.risk, 100)} until then{_care(outlook)}"
        return PlainFact("Time", name, "Later", f"than {end}", stays)
    number, month = day(person.start, due_h).split(NBSP)
    return PlainFact("Time", name, number, month, risk)


def stop(outlook: Outlook) -> str:
    """What stands above everything: the person is unlike anyone that the model knows."""
    return unlike(outlook.posterior)


def cautions(outlook: Outlook) -> tuple[str, ...]:
    """Doubts about this forecast, the gravest first."""
    found = outlook.posterior
    said = []
    if found.verdict == TOO_LITTLE:
        said.append(
            "Too little data: no rating of mood after a dose, so this is mostly the forecast for people like this one."
        )
    said += [words for words in (heavy_tail(found), unrated(outlook)) if words]
    if found.effective < FEW:
        said.append(
            f"Only {plain(found.effective)} effective candidates stand behind the bands, which are rough at their ends."
        )
    notes = [note for note in outlook.plan.person.notes if not note.startswith("There is no rating")]
    outside = [note for note in notes if note.startswith(OUTSIDE)]
    return (*ordered(outside), *said, *ordered([note for note in notes if note not in outside]))


def unrated(outlook: Outlook) -> str:
    """That nobody rated the person before the first dose, where so; empty otherwise."""
    found, person = outlook.plan[outlook.main], outlook.plan.person
    if found.rated or not person.given or not person.ratings:
        return ""
    return (
        f"No {outlook.main} before the first dose: the model takes {plain(found.baseline)}, and response and relapse "
        "are counted from there."
    )


def _before(outlook: Outlook) -> str:
    """What the scale was before the first dose, as far as anybody knows."""
    found = outlook.plan[outlook.main]
    return f"{plain(found.baseline)} before the first dose" + ("" if found.rated else ", as the model takes it")


def unknowns(outlook: Outlook) -> tuple[str, ...]:
    """What the forecast does not know."""
    person = outlook.plan.person
    missing = [words for name, words in KNOWN.items() if name not in person.covariates]
    said = []
    if missing:
        said.append(f"Not given, so taken as in the population: {', '.join(missing)}.")
    if outlook.session is not None and not outlook.session.from_reading:
        said.append("This person's own blood pressure: the coming session starts from what others have.")
    if not person.levels:
        said.append("How this person handles the drug: no level was measured.")
    said.append(
        "Life events, other treatment begun or stopped, and missed sessions: none is foreseen. In trials a part of the "
        "relapses comes from such events, so relapses may be more and sooner than said here."
    )
    said.append("Thoughts of suicide: a total does not tell them, and no forecast replaces asking.")
    ahead = outlook.plan[outlook.main].times_h[-1]
    said += [gap.sentence for gap in gaps([person.kind.replace("-", " ")], horizon_h=float(ahead))]
    return tuple(said)
