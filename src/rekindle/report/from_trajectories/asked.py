"""What was asked and how the answer was made, in the report's words, with what a reader must be warned of."""

from __future__ import annotations

from datetime import datetime

from rekindle.population.people import People
from rekindle.report.from_trajectories.drivers import few_repeats_words
from rekindle.report.from_trajectories.policies import arm_sentence, policy_words
from rekindle.report.from_trajectories.published import LeftOut
from rekindle.report.from_trajectories.sample import Sample
from rekindle.report.material import Arm, Drivers, Making, Study
from rekindle.report.numerals import lasting, plain
from rekindle.simulate import REPEATED_PEOPLE, session_hours


def study_asked(sample: Sample) -> Study:
    """The study in the report's words."""
    study = sample.study
    arms = tuple(Arm(arm.name, arm.role, arm_sentence(arm), session_hours(arm)) for arm in sample.arms)
    return Study(
        title=study.title,
        description=study.question or description(sample),
        arms=arms,
        population=population_words(sample),
        horizon_h=study.horizon_h,
        end_of_treatment_h=sample.end_h,
        people_per_arm=sample.size,
        repeated_studies=sample.count if sample.repeated else 0,
        people_per_repeat=sample.repeat_size if sample.repeat_size != sample.size else None,
        before_calibration=not sample.trajectories.calibrated,
        outside_domain=tuple(str(reason) for reason in sample.trajectories.markings.outside),
    )


def description(sample: Sample) -> str:
    """The study in a sentence, when it asks no question of its own."""
    courses = "; ".join(f"{arm.name}: {arm_sentence(arm)}" for arm in sample.arms)
    return f"{courses}. Followed for {lasting(sample.study.horizon_h)}."


def population_words(sample: Sample) -> str:
    """Who takes part: the kind of people, or the file they come from, and the criteria."""
    people = sample.study.participants
    kind = people.kind.replace("-", " ")
    words = f"{kind}, from {people.csv.name}" if people.csv is not None else kind
    for column, limits in people.criteria.items():
        name = column.replace("_", " ")
        if isinstance(limits[0], str):
            words += f"; {name}: {' or '.join(str(limit) for limit in limits)}"
        else:
            words += f"; {name} {limits[0]:g} to {limits[1]:g}"
    return words


def making(sample: Sample, command: str) -> Making:
    """How the result was made."""
    made = sample.trajectories.provenance
    when = datetime.fromisoformat(made.made_at)
    # Whether the run is calibrated stands under the parameters.
    given = {name: value for name, value in made.settings.items() if value is not None and name != "calibrated"}
    settings = {name.replace("_", " ").capitalize(): str(value) for name, value in given.items()}
    return Making(
        version=made.version,
        seed=made.seed,
        made_on=f"{when.day} {when:%b %Y}",
        command=command,
        inputs=dict(made.inputs),
        settings={**settings, "Python": made.python},
        unsolved=sample.trajectories.unsolved,
    )


def warnings(sample: Sample, left_out: tuple[LeftOut, ...], mattered: Drivers | None) -> tuple[str, ...]:
    """What a reader must be warned of: people, unsolved people, few repeats, and records asked for and not drawn."""
    found = [str(reason) for reason in sample.trajectories.markings.warnings]
    unsolved = sample.trajectories.unsolved
    if unsolved:
        courses = "one person's course" if len(unsolved) == 1 else f"{plain(len(unsolved))} people's courses"
        found.append(f"Left out, because they could not be solved: {courses}.")
    filled = _filled(sample.trajectories.cohort)
    if filled:
        found.append(filled)
    found.append(few_repeats_words(sample, mattered))
    found.append(large_words(sample))
    found.append(policy_words(sample))
    if not isinstance(sample.study.published, str):
        found += [f"Record '{one.record}' is not drawn: {one.reason}." for one in left_out]
    return tuple(word for word in found if word)


def large_words(sample: Sample) -> str:
    """What a reader must know of a study that was too large to hold, or to repeat in full; empty for others."""
    if sample.summary is None:
        if not sample.repeated or sample.study.participants.people <= REPEATED_PEOPLE:
            return ""
        return (
            f"Ranges of averages come from repeated studies of {sample.repeat_size:,} people, so they are a little "
            "wider than those of a study of this size."
        )
    said = f"All {sample.size:,} people of an arm were counted as they were solved; ranges of people are read from "
    said += "counts in narrow bins, each wrong by less than 2 % of its size."
    kind = "repeated studies" if sample.repeated else "studies drawn again from the first people"
    return (
        f"{said} Ranges of averages come from {kind} of {sample.repeat_size:,} people, so they are wider than "
        "those of a study of this size."
    )


def _filled(people: People) -> str:
    """The columns that a file of people did not give."""
    if not people.filled:
        return ""
    return f"Not in the file of people, so set to typical values: {', '.join(people.filled)}."
