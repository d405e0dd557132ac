"""The names that the model reports, in the order of the chain from the dose to the person's life."""

from __future__ import annotations

EXPOSURE = (
    "plasma_ketamine",
    "plasma_norketamine",
    "plasma_hydroxynorketamine",
    "effect_site_ketamine",
)
CHAIN = (
    "block_interneuron",
    "interneuron",
    "glutamate",
    "ampa",
    "eef2_kinase",
    "bdnf",
    "mtor",
    "plasticity_window",
    "functional_gain",
    "labile_spines",
    "stable_synapses",
    "cortical_gaba",
    "habenula_block",
    "habenula",
    "dopamine",
    "serotonin",
    "noradrenaline",
    "stress_load",
    "inflammation",
    "expectancy",
    "session_lift",
)
SYMPTOMS = (
    "severity",
    "motivation",
    "anhedonia",
    "sleep_disturbance",
    "appetite_loss",
    "poor_concentration",
    "fatigue",
    "tension",
    "suicidal_ideation",
    "pain",
    "mood_elevation",
)
ACUTE = (
    "dissociation",
    "perceptual_change",
    "liking",
    "sedation",
    "nausea",
    "systolic_rise",
    "diastolic_rise",
    "heart_rate_rise",
)
HARM = ("tolerance", "withdrawal", "craving", "bladder_injury", "liver_injury")

OUTPUTS: tuple[str, ...] = (*EXPOSURE, *CHAIN, *SYMPTOMS, *ACUTE, *HARM)
