"""What the elements of a dosing sentence mean together: sessions, regimens and lines.

An element with a time ("weekly for 4 weeks") is a regimen; an element without one ("0.23 mg/kg IV over 1 min")
is a step of the session that the next element completes. What an element leaves out it takes from the one
before, as long as the drug stays the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import cast

from lark import Token, Tree

from rekindle.dosing.course import Course
from rekindle.dosing.drugs import DRUGS, Form
from rekindle.dosing.items import Element, Item, Lasting, read_element
from rekindle.dosing.line import Line
from rekindle.dosing.mistakes import SentenceError
from rekindle.dosing.names import drug_name, route_name
from rekindle.dosing.regimen import Dose, Regimen, Step, Unit
from rekindle.dosing.routes import ROUTES
from rekindle.dosing.weights import Weight
from rekindle.dosing.when import TIMING_KINDS, timing_of
from rekindle.errors import InputError

_TREATMENT_KINDS = ("dose", "weight", "drug", "salt", "route", "over")
_UNDERSTOOD_KETAMINE = ("iv-infusion", "iv-bolus", "intramuscular", "subcutaneous")
_MASS_MG = {"mg": Decimal(1), "g": Decimal(1000), "u": Decimal("0.001")}


@dataclass
class _Said:
    """What has been said so far in a line, for the next element to inherit from."""

    drug: str | None = None
    form: Form = "base"
    step: Step | None = None
    steps: tuple[Step, ...] = ()
    pending: list[Step] = field(default_factory=list)


def course_from(tree: Tree[Token], text: str) -> Course:
    """The course that a parsed sentence describes.

    Raises:
        SentenceError: the parts do not make sense together.
    """
    heaps = [
        [read_element(cast(Tree[Token], element), text) for element in cast(Tree[Token], line).children]
        for line in tree.children
    ]
    nothing = [item for line in heaps for element in line for item in element.all("nothing")]
    if nothing:
        if sum(len(element.items) for line in heaps for element in line) > 1:
            raise SentenceError(
                '"no treatment" stands alone.',
                text,
                nothing[0].start,
                hint="Leave it out, or everything else.",
            )
        return Course()
    lines: list[Line] = []
    for elements in heaps:
        beside = lines[0].length_days if lines else None
        lines.append(_line(elements, text, beside=beside))
    with pointing(text, heaps[-1][0].start):
        return Course(tuple(lines))


@contextmanager
def pointing(text: str, start: int) -> Iterator[None]:
    """Give a column to whatever is found wrong inside.

    Raises:
        SentenceError: what was found wrong, with its column.
    """
    try:
        yield
    except SentenceError:
        raise
    except InputError as error:
        raise SentenceError(error.message, text, start, hint=error.hint) from None


def _line(elements: list[Element], text: str, *, beside: int | None) -> Line:
    said = _Said()
    regimens: list[Regimen] = []
    missed: list[Item] = []
    for element in elements:
        missed.extend(element.all("missing"))
        regimen = _regimen(element, said, regimens, beside=beside)
        if regimen is not None:
            regimens.append(regimen)
            with pointing(text, _place(element, *TIMING_KINDS)):
                Line(tuple(regimens))
    if said.pending:
        raise SentenceError(
            "It is not said when this is given.", text, len(text.rstrip()),
            hint='Add for example "once", "days 1, 4, 8" or "twice a week for 4 weeks".',
        )  # fmt: skip
    numbers = tuple(number for item in missed for number in cast(tuple[int, ...], item.value))
    with pointing(text, missed[0].start if missed else elements[0].start):
        return Line(tuple(regimens), numbers)


def _regimen(element: Element, said: _Said, before: list[Regimen], *, beside: int | None) -> Regimen | None:
    """The regimen that an element completes; None when it is only a step of the session to come."""
    spoken = bool(element.all(*_TREATMENT_KINDS))
    timed = bool(element.all(*TIMING_KINDS)) or any(_is_course_span(item) for item in element.all("span"))
    if not spoken and not timed:
        raise SentenceError("Nothing is given in this part.", element.text, element.start, hint="Leave it out.")
    if not spoken and said.pending:
        raise SentenceError(
            "It is not said when the dose before this is given.", element.text, element.start,
            hint='Add for example "once" before "then", or leave "then" out.',
        )  # fmt: skip
    if not spoken and said.drug is None:
        raise SentenceError(
            "It is not said what is given.",
            element.text,
            element.start,
            hint='For example: "0.5 mg/kg IV over 40 min".',
        )
    if spoken:
        said.pending.append(_step(element, said))
    if not timed:
        return None
    steps = tuple(said.pending) or said.steps
    said.pending.clear()
    said.steps = steps
    timing, start_day, clock = timing_of(element, before, beside=beside)
    with pointing(element.text, _place(element, "dose", "drug", "route")):
        return Regimen(said.drug or "", steps, timing, said.form, start_day, clock)


def _step(element: Element, said: _Said) -> Step:
    words = element.all("route")
    stated = element.only("drug", "drug")
    name = drug_name(stated, words, element.text) if stated is not None else said.drug
    route = route_name(name or "racemic-ketamine", words, element.text) if words else None
    if stated is not None and stated.value == "spravato" and route is None:
        route = "intranasal-device"  # the brand is the device
    if name is None:
        name = _understood(route, words, element)
    same = name == said.drug
    if said.drug is not None and stated is None and route is not None and said.step is not None:
        _check_same_way(route, said.step.route, words[0], element)
    form = _form(element, said, name)
    if said.pending and (form != said.form or not same):
        raise SentenceError(
            "The steps of one session are one drug in one form.", element.text, element.start,
            hint='Say when the first is given, or use "with" for two drugs side by side.',
        )  # fmt: skip
    inherited = said.step if same else None
    said.drug, said.form = name, form
    said.step = _assembled(element, name, route, inherited)
    return said.step


def _assembled(element: Element, name: str, route: str | None, inherited: Step | None) -> Step:
    duration = _duration(element)
    if route is None:
        known = DRUGS[name].routes
        route = inherited.route if inherited is not None else known[0] if len(known) == 1 else None
    if route is None:
        raise SentenceError(
            f"It is not said how {DRUGS[name].spoken} is given.",
            element.text, _place(element, "drug", "dose"),
            hint=f"Routes: {', '.join(DRUGS[name].routes)}.",
        )  # fmt: skip
    if duration is None and inherited is not None and inherited.route == route:
        minutes = inherited.duration_min
    else:
        minutes = None if duration is None else cast(Lasting, duration.value).minutes
    dose = _dose(element, inherited.dose if inherited is not None else None, minutes)
    with pointing(element.text, _place(element, "over", "route", "drug", "dose")):
        if minutes is None and ROUTES[route].pace == "over time" and dose is not None:
            raise InputError("The infusion has no duration.", hint='Add "over 40 min", or say "IV bolus".')
        return Step(dose, route, minutes)


def _understood(route: str | None, words: list[Item], element: Element) -> str:
    """Racemic ketamine where a bare dose can mean nothing else; otherwise the drug has to be named."""
    if route in _UNDERSTOOD_KETAMINE:
        return "racemic-ketamine"
    raise SentenceError(
        "The drug is not named." if words else "It is not said how this is given.",
        element.text, words[0].start if words else element.start,
        hint=(
            'Only IV, IM and subcutaneous doses mean ketamine by themselves; say "ketamine" or "esketamine".'
            if words else 'For example: "0.5 mg/kg IV over 40 min" or "84 mg intranasal esketamine".'
        ),
    )  # fmt: skip


def _check_same_way(route: str, before: str, word: Item, element: Element) -> None:
    if route != before and {route, before} != {"iv-infusion", "iv-bolus"}:
        raise SentenceError(
            "The route changes and the drug is not named.", element.text, word.start,
            hint='Name the drug again, for example "then 0.5 mg/kg ketamine IV over 40 min".',
        )  # fmt: skip


def _form(element: Element, said: _Said, name: str) -> Form:
    stated = element.only("salt", "form")
    if stated is not None:
        return "base" if stated.value == "base" else "hydrochloride"
    return said.form if name == said.drug else "base"


def _is_course_span(item: Item) -> bool:
    return cast(Lasting, item.value).in_days


def _duration(element: Element) -> Item | None:
    """How long an infusion lasts: "over 40 min", "for 40 min", or "over 4 days" (which may space sessions)."""
    spaced = bool(element.all("count")) and not element.all("rhythm")
    durations = [
        item
        for item in element.all("over", "span")
        if not _is_course_span(item) or (item.kind == "over" and not spaced)
    ]
    if len(durations) > 1:
        raise SentenceError(
            "Two durations in one part of the sentence.", element.text, durations[1].start,
            hint='Join two infusions with "then".',
        )  # fmt: skip
    return durations[0] if durations else None


def _dose(element: Element, inherited: Dose | None, minutes: float | None) -> Dose | None:
    stated = element.only("dose", "dose")
    basis = element.only("weight", "weight")
    if stated is None:
        if basis is not None:
            raise SentenceError("A weight without a dose.", element.text, basis.start, hint='For example: "0.5 mg/kg".')
        return inherited
    number, words = cast(tuple[Decimal, str], stated.value)
    amount, unit = _plain_amount(number, words, minutes, element, stated)
    weight: Weight = inherited.weight if inherited is not None and unit == "mg/kg" else "actual"
    if basis is not None:
        weight = _weight(str(basis.value))
    with pointing(element.text, stated.start):
        return Dose(amount, unit, weight)


def _plain_amount(
    number: Decimal, words: str, minutes: float | None, element: Element, item: Item
) -> tuple[float, Unit]:
    """A dose in mg or mg/kg, from any unit of mass, and from a rate when the duration is known."""
    mass, *per = [part.strip() for part in words.replace(" per ", "/").replace("per ", "/").split("/")]
    first = "u" if mass[:1] in "uµμ" or mass.startswith(("mcg", "micro")) else "mg" if mass[:1] == "m" else "g"
    amount = number * _MASS_MG[first]
    for part in per:
        if part.startswith("k"):
            continue
        if minutes is None:
            raise SentenceError(
                f"'{words}' is a rate and needs the infusion's duration.", element.text, item.start,
                hint='Add for example "over 60 min".',
            )  # fmt: skip
        amount = amount * Decimal(repr(minutes)) / (Decimal(60) if part.startswith("h") else Decimal(1))
    return float(amount), "mg/kg" if any(part.startswith("k") for part in per) else "mg"


def _weight(words: str) -> Weight:
    for start, basis in (("ideal", "ideal"), ("ibw", "ideal"), ("l", "lean"), ("adj", "adjusted")):
        if words.startswith(start):
            return cast(Weight, basis)
    return "actual"


def _place(element: Element, *kinds: str) -> int:
    """Where the first item of the first of these kinds that is there starts; else the element's start."""
    for kind in kinds:
        found = element.all(kind)
        if found:
            return found[0].start
    return element.start
