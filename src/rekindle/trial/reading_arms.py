"""The arms of a trial file: courses read, stages put on the clock, what is given besides turned into modifiers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from rekindle.documents import Document
from rekindle.errors import InputError, UnsupportedError, unknown
from rekindle.outcomes import SCALES
from rekindle.policy import read_policy
from rekindle.study import with_place
from rekindle.study_words import Vocabulary
from rekindle.trial.design import MASKED, Masking, Stage, TrialArm
from rekindle.trial.fields import StageFields, TrialArmFields, TrialFields
from rekindle.trial.words import STATUSES, Status, adjuncts, diagnoses

if TYPE_CHECKING:
    from rekindle.dosing import Course
    from rekindle.policy import Policy


def read_arms(fields: TrialFields, masking: Masking, document: Document, words: Vocabulary) -> tuple[TrialArm, ...]:
    """The arms in the order of the file.

    Raises:
        InputError: a name twice, a course, stage, modifier or share that cannot be, with its line.
    """
    seen: set[str] = set()
    for place, each in enumerate(fields.arms):
        if each.name.casefold() in seen:
            raise InputError(f"The arm '{each.name}' stands twice.", where=document.where("arms", place, "name"))
        seen.add(each.name.casefold())
    arms = tuple(_arm(each, place, fields, masking, document, words) for place, each in enumerate(fields.arms))
    _check_means(fields, document)
    starts: dict[str, float] = {}
    for place, arm in enumerate(arms):
        for number, stage in enumerate(arm.stages):
            if starts.setdefault(stage.name, stage.start_h) != stage.start_h:
                raise InputError(
                    f"The stage '{stage.name}' begins at different times in different arms.",
                    where=document.where("arms", place, "stages", number),
                )
    return arms


def _arm(
    given: TrialArmFields, place: int, fields: TrialFields, masking: Masking, document: Document, words: Vocabulary
) -> TrialArm:
    here = ("arms", place)
    ways = [name for name in ("course", "stages", "mixture") if getattr(given, name)]
    if len(ways) != 1:
        found = "none" if not ways else " and ".join(ways)
        raise InputError(
            f"An arm has one of course, stages and mixture; '{given.name}' has {found}.", where=document.where(*here)
        )
    contact = given.contact
    common: dict[str, Any] = {
        "name": given.name,
        "n": given.n,
        "role": given.role,
        "guess_active": given.masking.guess_active if given.masking else None,
        "contact_level": contact.level if contact else 1.0,
        "care_h": contact.care if contact else None,
        "extra_contacts_h": tuple(contact.extra) if contact else (),
        "baseline_mean": _baseline_mean(given, fields, document, here),
    }
    if given.mixture:
        _check_mixture(given, fields, document, here)
        return TrialArm(**common, stages=(), mixture=dict(given.mixture))
    status, reason = _status(given, fields, document, here)
    own_masking = (given.masking.kind if given.masking else None) or masking
    if given.course is not None:
        lines = [StageFields(name="-", course=given.course, policy=given.policy)]
        stages = _stages(given, lines, here, fields, own_masking, document, words, single=True)
    else:
        if given.policy is not None:
            raise InputError("In an arm with stages the policy stands in a stage.", where=document.where(*here))
        stages = _stages(given, given.stages, here, fields, own_masking, document, words, single=False)
    if common["guess_active"] is not None and any(stage.masking not in MASKED for stage in stages):
        raise InputError(
            f"People in '{given.name}' know what they get: there is nothing to guess.",
            where=document.where(*here, "masking"), hint="Leave out guess_active, or mask the arm.",
        )  # fmt: skip
    return TrialArm(**common, stages=stages, status=status, status_reason=reason)


def _baseline_mean(
    given: TrialArmFields, fields: TrialFields, document: Document, here: tuple[str | int, ...]
) -> float | None:
    """The arm's own mean at baseline.

    Raises:
        InputError: no mean of all stands beside it, it lies outside the window, or the arm has no people of its own.
    """
    mean, severity = given.baseline_mean, fields.participants.severity
    if mean is None:
        return None
    where = document.where(*here, "baseline_mean")
    if given.mixture:
        raise InputError(
            f"'{given.name}' mixes other arms.", where=where, hint="Give their means to the arms it mixes."
        )
    if fields.design.period is not None:
        raise InputError("In a crossover every arm has the same people.", where=where, hint="Leave the mean out.")
    if severity.mean is None:
        raise InputError("An arm's mean needs the mean of all.", where=where, hint="Give severity its mean too.")
    lowest = severity.at_least if severity.at_least is not None else 0.0
    highest = severity.at_most if severity.at_most is not None else math.inf
    scale = SCALES.get(severity.scale)
    if scale is not None:
        lowest, highest = max(lowest, scale.minimum), min(highest, scale.maximum)
    if not lowest < mean < highest:
        raise InputError(f"The mean {mean:g} is outside the window that let people in.", where=where)
    return mean


def _check_means(fields: TrialFields, document: Document) -> None:
    """Nothing, when the arms' own means are those of the whole trial.

    Raises:
        InputError: every arm has one, and together they are more than a point from the mean of all.
    """
    plain = [arm for arm in fields.arms if not arm.mixture]
    means = [(arm.baseline_mean, arm.n) for arm in plain if arm.baseline_mean is not None and arm.n is not None]
    mean = fields.participants.severity.mean
    if mean is None or not means or len(means) < len(plain):
        return
    together = sum(own * n for own, n in means) / sum(n for _, n in means)
    if abs(together - mean) > 1.0:
        raise InputError(
            f"The arms begin at {together:.1f} together, everybody at {mean:g}.",
            where=document.where("participants", "severity", "mean"),
        )


def _check_mixture(given: TrialArmFields, fields: TrialFields, document: Document, here: tuple[str | int, ...]) -> None:
    plain = [arm.name for arm in fields.arms if not arm.mixture]
    for name in given.mixture:
        if name not in plain:
            raise unknown("arm", name, plain, where=document.where(*here, "mixture", name))
    if abs(sum(given.mixture.values()) - 1.0) > 1e-6:
        total = sum(given.mixture.values())
        raise InputError(f"The shares of the mixture add up to {total:g}.", where=document.where(*here, "mixture"))


def _stages(
    arm: TrialArmFields,
    given: list[StageFields],
    here: tuple[str | int, ...],
    fields: TrialFields,
    masking: Masking,
    document: Document,
    words: Vocabulary,
    *,
    single: bool,
) -> tuple[Stage, ...]:
    stages: list[Stage] = []
    start = 0.0
    for number, stage in enumerate(given):
        place = here if single else (*here, "stages", number)
        if stage.name in {each.name for each in stages}:
            raise InputError(f"The stage '{stage.name}' stands twice.", where=document.where(*place))
        source, names = _source(arm, stage, fields, document, place)
        if source.course is None:
            raise InputError("The field 'course' is missing.", where=document.where(*place), hint="none for nothing")
        course: Course = with_place(words.course, source.course, document.where(*place, "course"))
        duration = source.duration
        if duration is None and number + 1 < len(given):
            raise InputError(f"How long '{stage.name}' lasts is missing.", where=document.where(*place))
        if duration is not None:
            course.check_horizon(duration / 24.0, where=document.where(*place, "course"))
        modifiers, beliefs = _besides(arm, names, document, here, words)
        stages.append(
            Stage(
                "" if single else stage.name,
                start,
                duration,
                course,
                stage.masking or source.masking or masking,
                modifiers,
                beliefs,
                _policy(source, place, course, document, single=single),
            )
        )
        start += duration or 0.0
    return tuple(stages)


def _policy(
    source: StageFields, place: tuple[str | int, ...], course: Course, document: Document, *, single: bool
) -> Policy | None:
    """The policy of an arm of one course.

    Raises:
        InputError: the policy says something that cannot be.
        UnsupportedError: a policy in an arm with stages.
    """
    if source.policy is None:
        return None
    if not single:
        raise UnsupportedError(
            "A policy is followed in an arm of one course, not in a stage.", where=document.where(*place, "policy")
        )
    return read_policy(source.policy, document, (*place, "policy"), course)


def _source(
    arm: TrialArmFields, stage: StageFields, fields: TrialFields, document: Document, place: tuple[str | int, ...]
) -> tuple[StageFields, list[str]]:
    """The stage that is meant, and what is given besides in it: its own, or that of another arm."""
    if stage.same_as is None:
        return stage, [*arm.adjuncts, *stage.adjuncts]
    if stage.course is not None:
        raise InputError("A stage has a course or copies one, not both.", where=document.where(*place))
    others = {other.name: other for other in fields.arms if other.name != arm.name}
    if stage.same_as not in others:
        raise unknown("arm", stage.same_as, others, where=document.where(*place, "same_as"))
    same = {each.name: each for each in others[stage.same_as].stages}
    if stage.name not in same or same[stage.name].same_as is not None:
        raise InputError(
            f"Arm '{stage.same_as}' has no stage '{stage.name}' of its own.", where=document.where(*place, "same_as")
        )
    return same[stage.name], [*arm.adjuncts, *same[stage.name].adjuncts]


def _besides(
    arm: TrialArmFields, names: list[str], document: Document, here: tuple[str | int, ...], words: Vocabulary
) -> tuple[Mapping[str, Any], tuple[str, ...]]:
    """Modifiers and settings of what is given besides; the arm's own modifiers come last."""
    modifiers: dict[str, Any] = {}
    beliefs: list[str] = []
    for name in names:
        adjunct = adjuncts()[name]
        modifiers |= adjunct.modifiers
        if adjunct.belief:
            beliefs.append(adjunct.belief)
    for name, value in arm.background.items():
        with_place(partial(words.modifier, name), value, document.where(*here, "background", name))
        modifiers[name] = value
    return modifiers, tuple(dict.fromkeys(beliefs))


def _status(
    arm: TrialArmFields, fields: TrialFields, document: Document, here: tuple[str | int, ...]
) -> tuple[Status, str]:
    """What the model can say of the arm: the least of what it gets and of the illness."""
    found: list[tuple[Status, str]] = []
    diagnosis = diagnoses().get(fields.participants.diagnosis)
    if diagnosis is not None and diagnosis.status != "modelled":
        found.append((diagnosis.status, diagnosis.reason))
    given: list[tuple[tuple[str | int, ...], str]] = [
        (("with", place), name) for place, name in enumerate(arm.adjuncts)
    ]
    given += [
        (("stages", number, "with", place), name)
        for number, stage in enumerate(arm.stages)
        for place, name in enumerate(stage.adjuncts)
    ]
    for place, name in given:
        if name not in adjuncts():
            raise unknown("treatment", name, adjuncts(), where=document.where(*here, *place))
        if adjuncts()[name].status != "modelled":
            found.append((adjuncts()[name].status, adjuncts()[name].reason))
    return max(found, key=lambda each: STATUSES.index(each[0]), default=("modelled", ""))
