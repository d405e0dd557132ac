"""Whether the arms, stages and times of a trial file make the design that it names."""

from __future__ import annotations

from rekindle.documents import Document
from rekindle.errors import InputError, unknown
from rekindle.trial.design import TrialArm
from rekindle.trial.fields import TrialFields
from rekindle.trial.timeline import SWITCHABLE


def check_design(fields: TrialFields, arms: tuple[TrialArm, ...], document: Document) -> None:
    """Nothing, when the design has what its type needs and the model can follow it.

    Raises:
        InputError: the first thing that is missing, contradicts the type or cannot be followed.
    """
    _check_parts(fields, arms, document)
    _check_following(fields, arms, document)
    _check_modifiers(arms, fields.design.type == "crossover", document)


def _check_following(fields: TrialFields, arms: tuple[TrialArm, ...], document: Document) -> None:
    """Nothing, when people who stop can be followed as `treatment-policy` asks.

    Raises:
        InputError: a crossover, or an arm with a policy, whose rules decide until when doses are given.
    """
    if fields.estimand != "treatment-policy" or fields.dropout is None:
        return
    hint = "estimand: hypothetical, or leave out the dropout."
    if fields.design.type == "crossover":
        raise InputError(
            "People who stop are not followed in a crossover.", where=document.where("estimand"), hint=hint
        )
    for place, arm in enumerate(arms):
        if any(stage.policy is not None for stage in arm.stages):
            raise InputError(
                f"People who stop are not followed in '{arm.name}', whose policy decides on the doses.",
                where=document.where("arms", place, "policy"), hint=hint,
            )  # fmt: skip


def _check_modifiers(arms: tuple[TrialArm, ...], crossover: bool, document: Document) -> None:
    """Nothing, when what is taken besides can change where it differs between periods or stages.

    Raises:
        InputError: a modifier that stays as it is in the first.
    """
    own = [(place, arm) for place, arm in enumerate(arms) if not arm.mixture]
    groups = [[(place, arm.stages[0]) for place, arm in own]] if crossover else [
        [(place, stage) for stage in arm.stages] for place, arm in own
    ]  # fmt: skip
    for stages in groups:
        first = stages[0][1].modifiers
        for place, stage in stages[1:]:
            for name in sorted({*first, *stage.modifiers} - set(SWITCHABLE)):
                if first.get(name) != stage.modifiers.get(name):
                    raise InputError(
                        f"'{name}' cannot change from one {'period' if crossover else 'stage'} to the next.",
                        where=document.where("arms", place),
                        hint=f"Only {', '.join(SWITCHABLE)} can; else make it a trial of parallel arms.",
                    )


def _check_parts(fields: TrialFields, arms: tuple[TrialArm, ...], document: Document) -> None:
    """Nothing, when the design has what its type needs.

    Raises:
        InputError: the first thing that is missing or contradicts the type.
    """
    kind, design = fields.design.type, fields.design
    where = document.where("design", "type")
    own = [arm for arm in arms if not arm.mixture]
    staged = [stage.name for arm in own for stage in arm.stages if stage.name]
    if kind == "crossover":
        if design.period is None:
            raise InputError("A crossover needs its period.", where=where, hint="design: {period: 14 days}")
        if len(own) < 2 or staged:
            raise InputError("A crossover has two or more arms, each one course.", where=where)
    elif design.period is not None:
        raise InputError("Only a crossover has a period.", where=document.where("design", "period"))
    if kind in ("randomised-withdrawal", "two-stage", "delayed-start") and not staged:
        raise InputError(f"A {kind} trial has stages.", where=where, hint="Write them in each arm: 'stages:'.")
    if kind in ("randomised-withdrawal", "two-stage"):
        if design.randomised is None:
            raise InputError(
                "The stage that randomisation precedes is missing.", where=where, hint="design: {randomised: NAME}"
            )
        if not design.enter:
            raise InputError("Who enters the randomised stage is missing.", where=where, hint="design: {enter: [...]}")
    if design.randomised is not None and design.randomised not in staged:
        raise unknown("stage", design.randomised, staged, where=document.where("design", "randomised"))
    if design.enter and design.randomised is None:
        raise InputError(
            "'enter' needs the stage that people enter.", where=document.where("design", "enter"), hint="randomised:"
        )
    if kind == "open" and fields.design.masking not in ("open", "rater") and "masking" in document.values["design"]:
        raise InputError(f"An open trial is not masked '{design.masking}'.", where=document.where("design", "masking"))
    if fields.kind != "pooled" and (fields.contains or fields.trials > 1):
        field = "contains" if fields.contains else "trials"
        raise InputError("Only a pool holds other trials.", where=document.where(field), hint="kind: pooled")
    if fields.name in (*fields.overlaps, *fields.contains):
        raise InputError("The trial names itself.", where=document.where("overlaps" if fields.overlaps else "contains"))
