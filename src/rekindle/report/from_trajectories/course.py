"""How symptoms run: the total, its items, motivation beside mood, and the other scales asked for, arm by arm.

The line is the average of the people's expected totals; its band comes from the repeats (rated totals at the visits,
expected values for what is not rated). The people's band is the spread of the people's expected totals.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np

from rekindle.outcomes import SCALES, Scale
from rekindle.report.from_trajectories.bands import Array, average_band
from rekindle.report.from_trajectories.grades import weakest
from rekindle.report.from_trajectories.sample import Index, Sample
from rekindle.report.from_trajectories.tables import table, words
from rekindle.report.material import ArmBand, Outcome, Zone
from rekindle.trajectories import scales_of

MAIN = "MADRS"
OF_A_SESSION = (
    "CADSS", "systolic pressure", "diastolic pressure", "heart rate", "MOAA/S", "liking", "perceptual change",
)  # fmt: skip
"""Scales that belong to the hours of a session and are shown there."""

EARLY_H = 72.0
PERCENT = 100.0


def drawn_places(sample: Sample) -> Index:
    """Places of the times at which courses are drawn: whole hours for three days, then whole days, and visits."""
    times = sample.times_h
    whole = np.abs(times - np.round(times)) < 1e-6
    daily = np.abs(times / 24.0 - np.round(times / 24.0)) < 1e-6
    visits = np.isin(np.round(times, 6), np.round(sample.visits_h, 6))
    return np.flatnonzero((whole & (times <= EARLY_H)) | daily | visits)


def main_outcome(sample: Sample) -> Outcome | None:
    """The course of the MADRS total; None when the model has none."""
    return scale_outcome(sample, SCALES[MAIN]) if sample.has(MAIN) else None


def other_outcomes(sample: Sample) -> tuple[Outcome, ...]:
    """The other scales that the study asks for, in its order; what belongs to a session is shown there."""
    asked = [scale for scale in scales_of(sample.study) if scale.name in sample.study.outcomes]
    shown = [scale for scale in asked if scale.name not in (MAIN, *OF_A_SESSION) and sample.has(scale.name)]
    return tuple(scale_outcome(sample, scale) for scale in shown)


def scale_outcome(sample: Sample, scale: Scale) -> Outcome:
    """One scale's total over time in every arm."""
    places = drawn_places(sample)
    times = sample.times_h[places]
    curves = []
    for arm in sample.arms:
        middle = sample.course(scale.name, arm.name, places)
        draws = sample.repeats_rated_averages(scale.name, arm.name)
        average = average_band(times, middle, sample.visits_h, draws, low=scale.minimum, high=scale.maximum)
        curves.append(ArmBand(arm.name, average, sample.course_band(scale.name, arm.name, places)))
    return Outcome(
        key=scale.name,
        name=f"{scale.name} total" if len(scale.items) > 1 else scale.title,
        unit=scale.unit,
        low=scale.minimum,
        high=scale.maximum,
        times_h=times,
        arms=tuple(curves),
        better="higher" if scale.better == "higher" else "lower",
        zones=zones(scale),
        line=scale.remission[0].value if scale.remission else None,
    )


def zones(scale: Scale) -> tuple[Zone, ...]:
    """The named stretches of a scale, where the table has them."""
    rows = [row for row in table("zones") if row["scale"] == scale.name]
    return tuple(Zone(float(row["low"]), float(row["high"]), row["word"]) for row in rows)


def item_outcomes(sample: Sample) -> tuple[Outcome, ...]:
    """The ten MADRS items over time in every arm, by their expected scores."""
    if not sample.has("MADRS items"):
        return ()
    scale, places = SCALES[MAIN], drawn_places(sample)
    times, visits = sample.times_h[places], sample.places(sample.moments_h, sample.visits_h)
    lines = {arm.name: sample.items_course(arm.name, places) for arm in sample.arms}
    draws = {arm.name: sample.repeats_item_means(scale, arm.name)[:, visits] for arm in sample.arms}
    found = []
    for column, item in enumerate(scale.items):
        curves = tuple(
            ArmBand(
                arm.name,
                average_band(
                    times, lines[arm.name][:, column], sample.visits_h, draws[arm.name][:, :, column],
                    low=item.minimum, high=item.maximum,
                ),
            )
            for arm in sample.arms
        )  # fmt: skip
        key = f"{scale.name}: {item.name}"
        found.append(Outcome(key, item.name.capitalize(), scale.unit, item.minimum, item.maximum, times, curves))
    return tuple(found)


def drive_outcomes(sample: Sample) -> tuple[Outcome, ...]:
    """Severity, motivation and anhedonia side by side, of 100."""
    places = drawn_places(sample)
    times, visits = sample.times_h[places], sample.places(sample.moments_h, sample.visits_h)
    found = []
    for row in table("drive"):
        output = row["output"]
        if not sample.has(output):
            continue
        curves = []
        for arm in sample.arms:
            middle = PERCENT * sample.course(output, arm.name, places)
            draws = PERCENT * sample.repeats_averages(output, arm.name)[:, visits]
            curves.append(ArmBand(arm.name, average_band(times, middle, sample.visits_h, draws, low=0.0, high=PERCENT)))
        better: Literal["lower", "higher"] = "higher" if row["better"] == "higher" else "lower"
        grade = weakest(words(row["parameters"]))
        found.append(
            Outcome(output, row["name"], "of 100", 0.0, PERCENT, times, tuple(curves), better=better, grade=grade)
        )
    return tuple(found)


def mean_change(sample: Sample, scale: Scale, hour: float) -> tuple[Callable[[str], float], Callable[[str], Array]]:
    """The average change of a scale's ratings from the first visit to the one nearest to an hour.

    Two functions of an arm's name: the study's own number, and one number a repeat.
    """
    visit = sample.visit(hour)

    def central(arm: str) -> float:
        def changes() -> Array:
            rated = sample.rated(scale.name, arm)
            return rated - rated[:, :1]

        return float(sample.averages(f"{scale.name} change", arm, changes)[visit])

    def draws(arm: str) -> Array:
        if sample.drawn is not None:
            own = sample.rated(scale.name, arm)
            return sample.drawn_whole(own[:, visit] - own[:, 0])
        rated = sample.repeats_rated(scale.name, arm)
        return np.asarray((rated[:, :, visit] - rated[:, :, 0]).mean(axis=1))

    return central, draws
