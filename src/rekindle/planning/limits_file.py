"""The file of limits: its fields, and the values that they say; every mistake with its line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from rekindle.documents import Document, parse_document
from rekindle.dosing.drugs import DRUGS
from rekindle.errors import InputError, RekindleError
from rekindle.planning.terms import ChanceLimit, Costs, Ground, Limits, Offer, Spacing, quantity, within
from rekindle.provenance import digest
from rekindle.study_file import field_error

Number = Annotated[float, Field(strict=False, allow_inf_nan=False)]
Place = Callable[..., str]


class _Fields(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _Grounded(_Fields):
    record: str | None = Field(default=None, description="The record that the numbers rest on.")
    assumed: str | None = Field(default=None, min_length=8, description="Or the reason for assuming them.")


class OfferFields(_Grounded):
    """What may be given at a session."""

    give: str = Field(description="The words after the dose: `mg/kg IV over 40 min`, `mg intranasal esketamine`.")
    doses: list[Number] = Field(min_length=1, max_length=12, description="Doses that may be proposed, rising.")
    first_most: Number | None = Field(default=None, gt=0, description="The largest dose of the first session ever.")
    older_from: Number | None = Field(default=None, ge=0, le=120, description="Age from which another line holds.")
    older_first_most: Number | None = Field(default=None, gt=0, description="The largest first dose from that age.")


class SpacingFields(_Grounded):
    """How many sessions there may be."""

    most: int = Field(ge=1, le=50, description="At most so many sessions ...")
    in_days: int = Field(ge=1, le=365, description="... in so many days.")
    from_week: int = Field(default=1, ge=1, le=520, description="First week of treatment for which it holds.")
    to_week: int | None = Field(default=None, ge=1, le=520, description="Last week; left out, on and on.")


class ChanceFields(_Grounded):
    """A line, and the chance with which it may be passed."""

    quantity: str = Field(description="What it is about, such as `systolic peak`.")
    at_most: Number | None = Field(default=None, description="The largest value that keeps it.")
    at_least: Number | None = Field(default=None, description="The smallest value that keeps it.")
    chance: Number = Field(ge=0, lt=1, description="The chance with which it may be broken; 0 for never.")
    per: Literal["session", "plan"] = Field(description="At any one session, or at any time of the plan.")
    use: Literal["keep", "show"] = Field(default="keep", description="`show` tells the chance and bars nothing.")


class JointFields(_Fields):
    """The chance with which any of the kept limits at all may be broken."""

    chance: Number = Field(ge=0, lt=1, description="The chance.")
    per: Literal["session", "plan"] = Field(default="plan", description="At any one session, or over the plan.")


class ObservationFields(_Grounded):
    """How long a person stays after a dose."""

    hours: Number = Field(ge=0, le=48, description="Hours at least.")


class CostFields(_Grounded):
    """What it costs."""

    session: Number = Field(ge=0, description="A session, without drug.")
    per_mg: Number = Field(default=0.0, ge=0, description="A mg of drug as given.")
    currency: str = Field(min_length=1, max_length=12, description="The currency.")


class LimitsFields(_Fields):
    """Everything that a file of limits may say."""

    name: str = Field(min_length=1, max_length=60, description="How tables call it.")
    title: str = Field(min_length=1, max_length=200, description="What it is, in a sentence.")
    offers: list[OfferFields] = Field(min_length=1, max_length=12, description="What may be proposed at all.")
    spacing: list[SpacingFields] = Field(default_factory=list, max_length=20, description="Rules of spacing.")
    limits: list[ChanceFields] = Field(default_factory=list, max_length=40, description="Chance limits.")
    joint: JointFields | None = Field(default=None, description="A limit over all of them.")
    observation: ObservationFields | None = Field(default=None, description="How long a person stays.")
    costs: CostFields | None = Field(default=None, description="What sessions and drug cost.")
    notes: list[str] = Field(default_factory=list, max_length=20, description="What a reader should know.")


def parse_limits(text: str, name: str) -> Limits:
    """The limits that YAML text says; `name` is what messages call it.

    Raises:
        InputError: what cannot be read or cannot be, with its line and field.
    """
    document = parse_document(text, name)
    try:
        fields = LimitsFields.model_validate(document.values)
    except ValidationError as error:
        raise field_error(error, document, LimitsFields) from error
    place = document.where
    offers = tuple(_offer(each, document, number) for number, each in enumerate(fields.offers))
    spacings = tuple(_spacing(each, place, number) for number, each in enumerate(fields.spacing))
    chances = tuple(_chance(each, place, number, fields) for number, each in enumerate(fields.limits))
    _no_repeats(chances, place)
    stay = fields.observation
    return Limits(
        name=fields.name,
        title=fields.title,
        offers=offers,
        spacings=spacings,
        chances=chances,
        joint=None if fields.joint is None else fields.joint.chance,
        joint_per="plan" if fields.joint is None else fields.joint.per,
        observation_h=0.0 if stay is None else stay.hours,
        observation_ground=Ground() if stay is None else _ground(stay, place, "observation"),
        costs=None if fields.costs is None else Costs(
            fields.costs.session, fields.costs.per_mg, fields.costs.currency, _ground(fields.costs, place, "costs")
        ),
        notes=tuple(fields.notes),
        digest=digest(text),
    )  # fmt: skip


def _ground(fields: _Grounded, place: Place, *at: str | int) -> Ground:
    """Record or reason, exactly one of them.

    Raises:
        InputError: neither or both, or a record that is not known.
    """
    from rekindle.evidence import catalog

    if (fields.record is None) == (fields.assumed is None):
        raise InputError(
            "A limit rests on a record or is assumed.",
            where=place(*at),
            hint="Give either 'record: ID' (`rekindle evidence search`) or 'assumed: REASON'.",
        )
    if fields.record is not None:
        catalog().get(fields.record, where=place(*at, "record"))
    return Ground(fields.record or "", fields.assumed or "")


def _offer(fields: OfferFields, document: Document, number: int) -> Offer:
    at = ("offers", number)
    if any(low >= high for low, high in zip(fields.doses, fields.doses[1:], strict=False)):
        raise InputError("Doses rise from the smallest.", where=document.where(*at, "doses"))
    if (fields.older_from is None) != (fields.older_first_most is None):
        raise InputError(
            "'older_from' and 'older_first_most' go together.", where=document.where(*at), hint="Give both or neither."
        )
    ground = _ground(fields, document.where, *at)
    offer = Offer(
        fields.give, tuple(fields.doses), ground, fields.first_most, fields.older_from, fields.older_first_most,
        document.where(*at),
    )  # fmt: skip
    for name, line in (("first_most", offer.first_most), ("older_first_most", offer.older_first_most)):
        if line is not None and line < offer.doses[0] - 1e-9:
            raise InputError(
                f"No dose is as low as a first one may be: '{name}' is {line:g}, the lowest dose {offer.doses[0]:g}.",
                where=document.where(*at, name),
                hint="Offer a lower dose, or raise the line.",
            )
    for step in range(len(offer.doses)):
        try:
            regimen = offer.regimen(step)
        except RekindleError as error:
            error.where = document.where(*at, "doses" if step else "give")
            raise
        if not DRUGS[regimen.drug].is_ketamine:
            raise InputError(
                "What is planned is ketamine, esketamine or arketamine.", where=document.where(*at, "give"),
                hint="Other treatments stand under 'takes' in the person's file.",
            )  # fmt: skip
    return offer


def _spacing(fields: SpacingFields, place: Place, number: int) -> Spacing:
    if fields.to_week is not None and fields.to_week < fields.from_week:
        raise InputError("The rule ends before it begins.", where=place("spacing", number, "to_week"))
    ground = _ground(fields, place, "spacing", number)
    return Spacing(fields.most, fields.in_days, fields.from_week, fields.to_week, ground)


def _chance(fields: ChanceFields, place: Place, number: int, whole: LimitsFields) -> ChanceLimit:
    found = quantity(fields.quantity, place("limits", number, "quantity"))
    side, other = ("at_most", "at_least") if found.upper else ("at_least", "at_most")
    line = getattr(fields, side)
    if line is None or getattr(fields, other) is not None:
        raise InputError(
            f"A limit of '{found.name}' says {side}.", where=place("limits", number), hint=f"Write '{side}: NUMBER'."
        )
    within(line, found.least, found.most, f"A limit of '{found.name}'", place("limits", number, side))
    if fields.per == "session" and found.scope == "plan":
        raise InputError(
            f"'{found.name}' is no matter of one session.", where=place("limits", number, "per"),
            hint="Write 'per: plan'.",
        )  # fmt: skip
    if found.name.startswith("cost") and whole.costs is None:
        raise InputError(
            "A limit of cost needs 'costs'.", where=place("limits", number), hint="Say what a session costs."
        )
    ground = _ground(fields, place, "limits", number)
    return ChanceLimit(found, line, fields.chance, fields.per, ground, fields.use == "keep")


def _no_repeats(chances: tuple[ChanceLimit, ...], place: Place) -> None:
    seen = set()
    for number, each in enumerate(chances):
        key = each.quantity.name, each.line, each.per
        if key in seen:
            raise InputError(f"The limit '{each.name}' stands twice.", where=place("limits", number))
        seen.add(key)
