"""What people say about ketamine that touches the study, and what nobody knows about what it asks."""

from __future__ import annotations

from rekindle.evidence.claims import TAGS, claims_for
from rekindle.outcomes import SCALES, gaps
from rekindle.report.from_trajectories.sample import Sample
from rekindle.report.material import Claim

ALWAYS = tuple(tag for tag in TAGS if tag not in ("genetics", "reward"))
"""What every study of a course of ketamine looks at; genes and reward only where the study names them."""

REWARD_SCALES = ("liking", "craving", "SHAPS")
GENES = ("val66met", "cyp2b6")
NOBODY_LEAVES = "Nobody leaves the study early here: dropping out is not modelled, so shares are of all who began."


def study_claims(sample: Sample) -> tuple[Claim, ...]:
    """The popular statements that share a drug and a subject with the study."""
    drugs = dict.fromkeys(drug for arm in sample.arms for drug in arm.course.drugs)
    found = claims_for(drugs=drugs, tags=tags(sample))
    return tuple(Claim(claim.statement, claim.verdict, claim.evidence, claim.records) for claim in found)


def tags(sample: Sample) -> tuple[str, ...]:
    """What the study looks at, in the words of the claims."""
    found = list(ALWAYS)
    if any(name in sample.study.outcomes for name in REWARD_SCALES):
        found.append("reward")
    if any(gene in name.casefold() for arm in sample.arms for name in arm.modifiers for gene in GENES):
        found.append("genetics")
    return tuple(found)


def no_evidence(sample: Sample) -> tuple[str, ...]:
    """Sentences on what the study asks and nobody has measured."""
    study = sample.study
    measures = [SCALES[name].measures for name in study.outcomes if name in SCALES]
    said = (study.title, study.question, study.participants.kind, *study.outcomes, *measures)
    return (*(gap.sentence for gap in gaps(said, horizon_h=study.horizon_h)), NOBODY_LEAVES)
