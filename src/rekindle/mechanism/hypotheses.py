"""The rival explanations of why ketamine lifts mood, each a switch of the model.

A switch at 1 puts a chain of events in, at 0 takes it out; values between weigh it. Defaults follow the
evidence: disinhibition, habenula trapping, the opioid gate and expectancy are in; direct translation, the
metabolite, TrkB, sigma receptors and the gut are out until people's data speak for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rekindle.errors import InputError, unknown


@dataclass(frozen=True)
class Hypothesis:
    """One explanation: the parameter that switches it, the chain it puts in, records for and against it.

    `on` is the parameter's value when the switch is at 1; the table of parameters holds the default.
    """

    name: str
    parameter: str
    chain: str
    records_for: tuple[str, ...]
    records_against: tuple[str, ...]
    on: float = 1.0


_ALL = (
    Hypothesis(
        "disinhibition",
        "switch_disinhibition",
        "block of NMDA receptors on interneurons, less inhibition, a burst of glutamate, AMPA, BDNF, mTOR, spines",
        ("glun2b-interneuron-kd", "slice-inverted-U", "ampa-nbqx-atten", "bdnf-antibody", "glx-milak2016"),
        ("glx-null-24h-7T", "glx-null-3h-PCC", "lanicemine-resp"),
    ),
    Hypothesis(
        "direct",
        "switch_direct",
        "block at rest releases the eEF2 kinase brake on making BDNF",
        ("eef2-memantine-null", "eef2-transient-8h"),
        ("glun2b-interneuron-kd", "memantine-zarate"),
    ),
    Hypothesis(
        "hydroxynorketamine",
        "switch_hydroxynorketamine",
        "the metabolite raises AMPA throughput without any NMDA block",
        ("hnk-no-target",),
        ("hnk-lack-lh", "hnk-human-corr"),
    ),
    Hypothesis(
        "opioid",
        "switch_opioid",
        "the body's own opioids permit the plasticity",
        ("nalt-jelen-madrs-F", "nalt-jelen-loss"),
        ("nalt-cadss-null", "rec-mor-ki-wiki"),
    ),
    Hypothesis(
        "trkb",
        "switch_trkb",
        "ketamine binds the TrkB dimer and BDNF works better",
        ("trkb-direct-claim", "met-mouse-spine"),
        ("rec-plasma-1uM",),
    ),
    Hypothesis(
        "habenula",
        "switch_habenula",
        "ketamine stays trapped in habenular channels and silences their bursts for a day",
        ("lhb-trap-24h", "lhb-burst-reversal", "loss-aversion-monkey"),
        ("lhb-independent-sustained",),
    ),
    Hypothesis(
        "expectancy",
        "switch_expectancy",
        "belief, contact and what the session felt like lift mood",
        ("jp-esk-madrs-null", "murrough-mid-chg"),
        ("sus1-hr", "cadss-madrs-null-esk"),
    ),
    Hypothesis(
        "sigma",
        "sigma_gain",
        "sigma-1 receptors raise AMPA throughput",
        ("sigma-claim-kalkman",),
        ("rec-sigma1-ki-wiki", "rec-sigma2-ki-wiki"),
        on=0.5,
    ),
    Hypothesis(
        "gut",
        "switch_gut",
        "ketamine changes gut bacteria and so lowers inflammation",
        ("gut-lacto", "gut-yang2017"),
        ("mod-biomarker-null",),
    ),
)

HYPOTHESES: Mapping[str, Hypothesis] = {hypothesis.name: hypothesis for hypothesis in _ALL}


def switched(choices: Mapping[str, float]) -> dict[str, float]:
    """Parameter values for hypotheses set between 0 (out) and 1 (in).

    Raises:
        InputError: an unknown hypothesis, or a value outside 0 to 1.

    >>> switched({"habenula": 0})
    {'switch_habenula': 0.0}
    """
    values: dict[str, float] = {}
    for name, share in choices.items():
        if name not in HYPOTHESES:
            raise unknown("hypothesis", name, HYPOTHESES)
        if not 0.0 <= float(share) <= 1.0:
            raise InputError(f"Hypothesis '{name}' is set to {share}.", hint="Use 0 (out) to 1 (in).")
        values[HYPOTHESES[name].parameter] = float(share) * HYPOTHESES[name].on
    return values
