"""From the result of a run to the material of its report: every number that a page prints is worked out here.

`material` is the one door. Each module beside it answers one question of the reader (how symptoms run, who gets
better, what a session does, what harms come, what it hangs on), and reads people and repeats through `Sample`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rekindle.report.from_trajectories import asked, chain, claims, course, drivers, endpoints, harms, people, policies
from rekindle.report.from_trajectories import published as points
from rekindle.report.from_trajectories import session as hours
from rekindle.report.from_trajectories.sample import Sample
from rekindle.report.from_trajectories.sources import sources, used_records
from rekindle.report.material import ReportInput

if TYPE_CHECKING:
    from rekindle.trajectories import Trajectories

__all__ = ["Sample", "material"]


def material(trajectories: Trajectories, *, command: str = "") -> ReportInput:
    """Everything that the report of a run shows; `command` is what was typed to make it.

    Raises:
        SolverError: nobody could be solved in every arm.
    """
    sample = Sample(trajectories)
    chosen = points.published(sample)
    mattered = drivers.drivers(sample)
    first_hours = hours.session(sample)
    said = claims.study_claims(sample)
    records = used_records(sample, chosen.points, first_hours, mattered, said)
    return ReportInput(
        study=asked.study_asked(sample),
        making=asked.making(sample, command),
        endpoints=(*endpoints.endpoints(sample), *policies.policy_endpoints(sample)),
        main=course.main_outcome(sample),
        items=course.item_outcomes(sample),
        drive=course.drive_outcomes(sample),
        others=course.other_outcomes(sample),
        published=chosen.points,
        whereabouts=people.whereabouts(sample),
        chances=people.chances(sample),
        relapse=people.relapse_steps(sample),
        relapse_definition=people.relapse_definition(sample),
        chain=chain.chain(sample),
        session=first_hours,
        harms=harms.harms(sample),
        drivers=mattered,
        claims=said,
        sources=sources(records),
        no_evidence=claims.no_evidence(sample),
        warnings=asked.warnings(sample, chosen.left_out, mattered),
    )
