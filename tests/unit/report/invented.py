"""An invented study for the report's tests: every number here is made up, in the shape of a real result."""

from __future__ import annotations

import math

import numpy as np

from rekindle.report import material as m
from rekindle.report.bands import Band, Interval

HORIZON_H = 12 * 168.0
END_H = 3 * 168.0
SESSIONS_H = tuple(24.0 * day for day in (0, 3, 7, 10, 14, 17))
DRUG, CONTROL = "ketamine", "midazolam"


def hours() -> np.ndarray:
    return np.unique(np.concatenate([np.linspace(0, 72, 73), np.arange(72, HORIZON_H + 1, 12.0)]))


def drive(hour: float, size: float, rise: float, fade: float) -> float:
    days = [(hour - session) / 24 for session in SESSIONS_H if session < hour]
    return sum(size * (1 - math.exp(-day / rise)) * math.exp(-day / fade) for day in days)


def severity(hour: float, arm: str) -> float:
    """Average total of an arm, 0 to 60."""
    contact = 4.6 * (1 - math.exp(-hour / 120)) * math.exp(-hour / 5280)
    if arm == DRUG:
        return 33 - contact - 12.2 * (1 - math.exp(-(drive(hour, 16, 0.22, 5.5) + drive(hour, 3, 2.5, 60)) / 9))
    return 33 - contact - 1.3 * (1 - math.exp(-drive(hour, 2.4, 0.3, 4) / 2))


def band(middle: np.ndarray, spread: np.ndarray | float, low: float = -1e9, high: float = 1e9) -> Band:
    """A band with normal quantiles about a line, kept within a scale."""
    size = np.broadcast_to(np.asarray(spread, dtype=float), middle.shape)
    ends = [np.clip(middle + z * size, low, high) for z in (-1.645, -0.674, 0.674, 1.645)]
    return Band(np.clip(middle, low, high), *ends)


def interval(middle: float, spread: float, low: float = -1e9, high: float = 1e9) -> Interval:
    ends = [min(high, max(low, middle + z * spread)) for z in (-1.645, -0.674, 0.674, 1.645)]
    return Interval(middle, *ends)


def main_outcome(arms: tuple[str, ...]) -> m.Outcome:
    times = hours()
    curves = []
    for place, arm in enumerate(arms):
        kind = CONTROL if arm == CONTROL else DRUG
        line = np.array([severity(t, kind) for t in times]) + (0 if arm in (DRUG, CONTROL) else 2.0 * place)
        known = 0.5 + 1.25 * (1 - np.exp(-times / 144)) + 0.0004 * times
        people = 4.2 + 5.0 * (1 - np.exp(-times / 96))
        curves.append(m.ArmBand(arm, band(line, known, 0, 60), band(line, people, 0, 60)))
    zones = (m.Zone(0, 10, "remission"), m.Zone(10, 20, "mild"), m.Zone(20, 35, "moderate"), m.Zone(35, 60, "severe"))
    return m.Outcome("madrs_total", "MADRS total", "points", 0, 60, times, tuple(curves), zones=zones, line=10)


ITEMS = (
    ("Apparent sadness", 4.2, 1.0),
    ("Reported sadness", 4.4, 1.05),
    ("Inner tension", 3.4, 0.6),
    ("Reduced sleep", 3.1, 0.35),
    ("Reduced appetite", 2.2, 0.3),
    ("Concentration difficulties", 3.6, 0.6),
    ("Lassitude", 3.8, 0.7),
    ("Inability to feel", 3.7, 0.9),
    ("Pessimistic thoughts", 2.9, 0.7),
    ("Suicidal thoughts", 1.8, 0.6),
)


def small_outcomes(arms: tuple[str, ...]) -> tuple[m.Outcome, ...]:
    times = hours()[::4]
    found = []
    for place, (name, start, share) in enumerate(ITEMS):
        curves = []
        for arm in arms:
            total = np.array([severity(t, CONTROL if arm == CONTROL else DRUG) for t in times])
            curves.append(m.ArmBand(arm, band(start * (1 - share * (33 - total) / 33), 0.12 + 0.0001 * times, 0, 6)))
        found.append(m.Outcome(f"item_{place + 1}", name, "points", 0, 6, times, tuple(curves)))
    return tuple(found)


def drive_outcomes(arms: tuple[str, ...]) -> tuple[m.Outcome, ...]:
    times = hours()[::4]
    found = []
    for key, name, start, gain, better, grade in (
        ("mood", "Mood", 62, 1.0, "lower", "human"),
        ("motivation", "Motivation", 38, -0.7, "higher", "assumed"),
        ("anhedonia", "Anhedonia", 66, 0.8, "lower", "human"),
    ):
        curves = []
        for arm in arms:
            total = np.array([severity(t, CONTROL if arm == CONTROL else DRUG) for t in times])
            curves.append(m.ArmBand(arm, band(start - gain * 1.7 * (33 - total), 2.0 + 0.001 * times, 0, 100)))
        found.append(m.Outcome(key, name, "of 100", 0, 100, times, tuple(curves), better=better, grade=grade))
    return tuple(found)


KNOTS = {
    DRUG: [
        (0, [0, 0, 0, 0, 100, 0]),
        (0.3, [12, 17, 24, 0, 47, 0]),
        (1, [17, 19, 25, 1, 37, 1]),
        (3, [28, 18, 21, 3, 26, 4]),
        (5, [23, 15, 21, 9, 27, 5]),
        (8, [15, 11, 19, 18, 30, 7]),
        (12, [11, 8, 17, 24, 31, 9]),
    ],
    CONTROL: [
        (0, [0, 0, 0, 0, 100, 0]),
        (0.5, [2, 6, 17, 0, 75, 0]),
        (1, [4, 9, 20, 0, 66, 1]),
        (3, [11, 13, 23, 1, 46, 6]),
        (5, [11, 12, 21, 4, 45, 7]),
        (8, [9, 9, 20, 8, 44, 10]),
        (12, [8, 7, 18, 11, 43, 13]),
    ],
}


def share(arm: str, place: int) -> np.ndarray:
    knots = KNOTS[CONTROL if arm == CONTROL else DRUG]
    return np.interp(hours() / 168, [week for week, _ in knots], [row[place] / 100 for _, row in knots])


def whereabouts(arm: str) -> m.Whereabouts:
    classes = {key: band(share(arm, place), 0.03, 0, 1) for place, key in enumerate(m.CLASSES)}
    return m.Whereabouts(arm, hours(), classes)


def chances(arms: tuple[str, ...]) -> tuple[m.Chance, ...]:
    response = tuple(m.ArmBand(arm, band(share(arm, 0) + share(arm, 1), 0.035, 0, 1)) for arm in arms)
    remission = tuple(m.ArmBand(arm, band(share(arm, 0), 0.03, 0, 1)) for arm in arms)
    return (
        m.Chance("response", "Response", "the total has fallen by half or more", hours(), response),
        m.Chance("remission", "Remission", "the total is 10 or less", hours(), remission),
    )


def relapse(arm: str, half_life_h: float, count: int) -> m.RelapseSteps:
    times = np.arange(0, 9 * 168 + 1, 42.0)
    well = np.exp(-np.log(2) * times / half_life_h)
    risk = tuple((float(t), round(count * float(np.interp(t, times, well)))) for t in times[::8])
    return m.RelapseSteps(arm, times, band(well, 0.05 * (1 - np.exp(-times / 300)), 0, 1), risk)


def bell(hour: np.ndarray, peak: float, at: float, width: float) -> np.ndarray:
    """A hump on a log axis of time."""
    return peak * np.exp(-((np.log(np.maximum(hour, 1e-6) / at) / width) ** 2))


def chain() -> tuple[m.Strip, ...]:
    times = np.geomspace(1 / 60, HORIZON_H, 220)
    rows = (
        ("plasma_ketamine", "Ketamine in blood", "ng/mL", 182, 0.67, 0.9, 0, "human"),
        ("block_interneuron", "NMDA block on interneurons", "of 100", 46, 0.75, 1.0, 0, "rodent"),
        ("glutamate", "Glutamate", "times rest", 0.8, 1.2, 1.1, 1, "rodent"),
        ("bdnf", "BDNF", "times rest", 0.9, 4, 1.2, 1, "rodent"),
        ("mtor", "mTOR signalling", "times rest", 0.7, 7, 1.2, 1, "rodent"),
        ("labile_spines", "New labile spines", "of 100", 34, 26, 1.3, 0, "rodent"),
        ("stable_synapses", "Stable synapses", "of 100", 14, 160, 1.4, 52, "assumed"),
        ("severity", "Severity of depression", "of 100", -24, 60, 1.9, 64, "human"),
    )
    strips = []
    for key, name, unit, peak, at, width, rest, grade in rows:
        size = bell(times, peak, at, width)
        middle = rest + size
        half, wide = np.abs(size) * 0.16, np.abs(size) * 0.42
        limits = Band(middle, middle - wide, middle - half, middle + half, middle + wide * 1.2)
        strips.append(m.Strip(key, name, unit, times, limits, grade, resting=rest))
    return tuple(strips)


def session() -> m.Session:
    times = np.linspace(0, 4, 241)
    minutes = times * 60
    rise = np.where(minutes <= 40, 1 - np.exp(-minutes / 22), (1 - math.exp(-40 / 22)) * np.exp(-(minutes - 40) / 32))
    rise = rise / rise.max()
    ready = 100 / (1 + np.exp(-(minutes - 88) / 11))

    def people(peak: float, power: float = 1.0) -> Band:
        line = peak * rise**power
        return Band(line, line * 0.35, line * 0.72, line * 1.3, line * 1.9)

    def seen(minute: float, mean: float, half: float) -> m.PublishedPoint:
        return m.PublishedPoint(
            "session/a", DRUG, "x", minute / 60, mean, mean - half, mean + half, 20, "Trial A 2013", True
        )

    shift = [100 / (1 + np.exp(-(minutes - c) / 11)) for c in (104, 93, 82, 74)]
    strips = (
        m.Strip(
            "plasma",
            "Ketamine in blood",
            "ng/mL",
            times,
            people(182),
            "human",
            observed=(seen(40, 171, 33), seen(80, 62, 14)),
        ),
        m.Strip("block", "NMDA channels blocked", "of 100", times, people(46, 0.8), "rodent"),
        m.Strip(
            "dissociation",
            "Feeling detached",
            "CADSS, 0 to 92",
            times,
            people(20, 1.6),
            "human",
            observed=(seen(40, 18, 4),),
        ),
        m.Strip(
            "systolic_rise",
            "Rise in systolic pressure",
            "mmHg",
            times,
            people(18),
            "human",
            limit=(40, "40 mmHg: stop the drip and call the doctor"),
            observed=(seen(40, 19.5, 3.5),),
        ),
        m.Strip("heart_rate", "Rise in heart rate", "a minute", times, people(9), "human"),
        m.Strip("sedation", "Sedation", "of 100", times, people(22, 1.3), "human"),
        m.Strip(
            "readiness", "Fit to go home", "of 100 people", times, Band(ready, *shift), "assumed", spread="studies"
        ),
    )
    return m.Session("0.5 mg/kg IV over 40 min", 40, 120, strips)


def harms() -> tuple[m.Harm, ...]:
    def period(label: str, drug: float | None, control: float, why: str = "") -> m.HarmPeriod:
        size = None if drug is None else interval(drug, max(0.0008, 0.16 * drug), 0, 1)
        return m.HarmPeriod(label, {DRUG: size, CONTROL: interval(control, max(0.0004, 0.3 * control), 0, 1)}, why)

    month = ("1 month", "3 months", "6 months", "12 months")
    return (
        m.Harm(
            "dissociation",
            "Strongly detached",
            "CADSS above 4 at any time",
            "human",
            (period("first session", 0.38, 0.04), period("whole course", 0.52, 0.07)),
        ),
        m.Harm(
            "pressure",
            "Systolic pressure up 40 mmHg or more",
            "at any reading",
            "human",
            (period("first session", 0.03, 0.002), period("whole course", 0.09, 0.01)),
        ),
        m.Harm(
            "tolerance",
            "Tolerance",
            "the same dose does less than three quarters of the first",
            "assumed",
            tuple(period(w, v, 0.0) for w, v in zip(month, (0.01, 0.03, 0.04, 0.05), strict=True)),
        ),
        m.Harm(
            "craving",
            "Craving",
            "",
            "human",
            tuple(period(w, v, 0.004) for w, v in zip(month, (0.004, 0.009, 0.012, 0.012), strict=True)),
        ),
        m.Harm(
            "bladder",
            "Bladder symptoms",
            "any new lower urinary tract symptom",
            "human",
            (
                *(period(w, v, 0.002) for w, v in zip(month[:3], (0.003, 0.004, 0.005), strict=True)),
                period("12 months", None, 0.0, "not measured beyond 6 months"),
            ),
        ),
        m.Harm(
            "liver",
            "Liver enzymes raised",
            "three times the upper limit",
            "human",
            (
                period("1 month", 0.0, 0.0),
                period("3 months", 0.001, 0.0),
                period("6 months", None, 0.0),
                period("12 months", None, 0.0),
            ),
        ),
    )


def endpoints(arms: tuple[str, ...]) -> tuple[m.Endpoint, ...]:
    def row(key: str, name: str, kind: str, drug: float, control: float, size: float, **more: object) -> m.Endpoint:
        low = 0.0 if kind == "chance" else -1e9
        values = {
            arm: interval(control if arm == CONTROL else drug, size, low, 1.0 if kind == "chance" else 1e9)
            for arm in arms
        }
        apart = interval(drug - control, size * 1.3) if len(arms) > 1 else None
        return m.Endpoint(key, name, kind, values, difference=apart, **more)

    return (
        row(
            "response_end",
            "At least half better at week 3",
            "chance",
            0.462,
            0.243,
            0.05,
            role="benefit",
            time_h=END_H,
            clause="have at least halved their symptoms",
            definition="The MADRS total has fallen by half or more.",
        ),
        row(
            "response_last",
            "Still so at week 12",
            "chance",
            0.191,
            0.152,
            0.045,
            role="benefit",
            time_h=HORIZON_H,
            clause="have at least halved their symptoms",
        ),
        row(
            "detached",
            "Strongly detached at least once",
            "chance",
            0.38,
            0.04,
            0.06,
            role="harm",
            clause="are strongly detached at least once",
            definition="CADSS above 4 at any time of any session.",
        ),
        row(
            "pressure",
            "Pressure up 40 mmHg at least once",
            "chance",
            0.09,
            0.011,
            0.025,
            role="harm",
            clause="have their systolic pressure rise by 40 mmHg or more",
        ),
        row("madrs_24h", "Change of MADRS at 24 hours", "points", -11.8, -2.1, 1.1, time_h=24.0, unit="points"),
        row("madrs_end", "Change of MADRS at week 3", "points", -16.9, -5.6, 1.6, time_h=END_H, unit="points"),
        row("madrs_last", "Change of MADRS at week 12", "points", -9.1, -4.0, 1.9, time_h=HORIZON_H, unit="points"),
        row("relapse_days", "Half of responders have relapsed after", "days", 31.0, 27.0, 4.0),
        row("cmax", "Highest ketamine in blood", "number", 182.0, 0.0, 21.0, unit="ng/mL"),
        row("ready", "Half fit to go home", "minutes", 88.0, 61.0, 6.0),
    )


def published() -> tuple[m.PublishedPoint, ...]:
    rows = (
        (1, 21.2, 3.0, DRUG, "A 2013", True),
        (1, 30.6, 3.2, CONTROL, "A 2013", True),
        (7, 19.2, 3.4, DRUG, "A 2013", True),
        (7, 28.2, 3.4, CONTROL, "A 2013", True),
        (2, 21.6, 2.6, DRUG, "B 2015", False),
        (17, 15.4, 2.5, DRUG, "B 2015", False),
        (28, 18.2, 2.9, DRUG, "B 2015", True),
        (56, 28.3, 2.7, DRUG, "C 2019", True),
        (28, 27.0, 2.8, CONTROL, "C 2019", False),
    )
    return tuple(
        m.PublishedPoint(
            f"efficacy/{i}", arm, "madrs_total", day * 24.0, mean, mean - half, mean + half, 47, source, same
        )
        for i, (day, mean, half, arm, source, same) in enumerate(rows)
    )


def material(arms: tuple[str, ...] = (DRUG, CONTROL), **changes: object) -> m.ReportInput:
    """The invented study; `changes` replace parts of it."""
    groups = tuple(
        m.Arm(
            arm,
            "comparator" if arm == CONTROL else "active",
            f"{arm} 0.5 mg/kg IV over 40 min, twice a week for 3 weeks",
            SESSIONS_H,
        )
        for arm in arms
    )
    study = m.Study(
        title="Ketamine twice a week for three weeks",
        description="0.5 mg/kg into a vein over 40 min, 6 sessions, beside midazolam, in adults whose depression "
        "has not yielded to two medicines, followed for 12 weeks.",
        arms=groups,
        population="treatment-resistant depression, adults",
        horizon_h=HORIZON_H,
        end_of_treatment_h=END_H,
        people_per_arm=200,
        repeated_studies=60,
    )
    making = m.Making(
        version="0.1.0",
        seed=7,
        made_on="23 Nov 2026",
        study_file="ketamine-6x.yaml",
        command="rekindle simulate ketamine-6x.yaml --out out",
        inputs={"study file": "0123456789abcdef", "parameters": "fedcba9876543210"},
        settings={"Solver": "reference"},
        unsolved=("person 17 of ketamine: step size too small",),
    )
    drivers = m.Drivers(
        "the MADRS total at week 12",
        "points",
        (
            m.Driver("synapse_gain", "How strongly regrown synapses lift mood", "assumed", 3.4, -2.9, "0.4 to 1.6"),
            m.Driver("stable_loss", "How fast stable synapses fade", "rodent", -2.2, 2.6, "30 to 120 days"),
            m.Driver("contact", "Relief from contact and attention during visits", "human", 1.1, -1.4, "2 to 7 points"),
            m.Driver(
                "affinity", "Concentration that blocks half of the channels on interneurons", "human", -0.6, 0.7, ""
            ),
        ),
    )
    parts: dict[str, object] = {
        "study": study,
        "making": making,
        "endpoints": endpoints(arms),
        "main": main_outcome(arms),
        "items": small_outcomes(arms),
        "drive": drive_outcomes(arms),
        "published": published() if {DRUG, CONTROL} <= set(arms) else (),
        "whereabouts": tuple(whereabouts(arm) for arm in arms),
        "chances": chances(arms),
        "relapse": tuple(relapse(arm, 740 if arm == DRUG else 650, 92 if arm == DRUG else 48) for arm in arms[:2]),
        "relapse_definition": "Relapse: the total is back to 22 or more.",
        "chain": chain(),
        "session": session(),
        "harms": harms() if {DRUG, CONTROL} <= set(arms) else (),
        "drivers": drivers,
        "claims": (
            m.Claim(
                "Ketamine raises GABA and so restores balance",
                "not as said",
                "In people GABA rises with glutamate for minutes; what lasts is plasticity.",
                ("mechanism/gaba-1", "mechanism/gaba-2"),
            ),
            m.Claim(
                "It is not addictive", "not supported", "Craving and misuse occur; see harms.", ("safety/craving",)
            ),
        ),
        "sources": (
            m.Source("a", "Murrough and others 2013, American Journal of Psychiatry", "10.1176/appi.ajp.2013.13030392"),
            m.Source("b", "A conference report quoted by others", url="https://example.org/report", seen=False),
        ),
        "no_evidence": ("No one has measured repeated courses beyond one year. The curves end before.",),
        "warnings": (),
    }
    return m.ReportInput(**{**parts, **changes})
