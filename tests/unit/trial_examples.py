"""Trial files that tests share, as text."""

from __future__ import annotations

PARALLEL = """\
name: example2013
title: Ketamine or midazolam once
year: 2013
design: {type: parallel, masking: double}
participants:
  diagnosis: treatment-resistant-depression
  failed_treatments: [2, 12]
  severity: {scale: MADRS, at_least: 24, mean: 32, sd: 5}
  age: [18, 70]
arms:
  - name: Ketamine
    n: 40
    course: 0.5 mg/kg ketamine IV over 40 min, day 1
  - name: Midazolam
    n: 20
    role: comparator
    course: 0.045 mg/kg midazolam IV over 40 min, day 1
visits: [24 h, 7 days]
published:
  - quantity: mean_change
    arm: Ketamine
    time: 24 h
    value: -16.5
    spread: {kind: SD, value: 11}
  - {quantity: response, arm: Ketamine, time: 24 h, value: 64}
  - {quantity: difference, arms: [Ketamine, Midazolam], time: 24 h, value: -7.9,
     spread: {kind: CI95, values: [-12.7, -3.2]}}
  - {quantity: odds_ratio, of: response, arms: [Ketamine, Midazolam], time: 24 h, value: 4.5}
"""

CROSSOVER = """\
name: crossover2010
title: Ketamine and saline, two weeks apart
design: {type: crossover, period: 14 days}
participants: {diagnosis: bipolar-depression, severity: {mean: 32, sd: 5}}
arms:
  - {name: Ketamine, n: 18, course: "0.5 mg/kg ketamine IV over 40 min, day 1"}
  - {name: Saline, n: 18, role: comparator, course: "saline IV over 40 min, day 1"}
published:
  - {quantity: standardised_difference, of: score, sign: improvement, arms: [Ketamine, Saline], time: 2 days,
     value: 0.8}
"""

WITHDRAWAL = """\
name: withdrawal2019
title: Going on or stopping
design:
  type: randomised-withdrawal
  randomised: maintenance
  enter: [{remission: [5 weeks, 6 weeks]}]
participants: {diagnosis: treatment-resistant-depression, severity: {at_least: 28, mean: 37, sd: 5}}
arms:
  - name: Continued
    n: 90
    stages:
      - name: induction
        masking: open
        duration: 6 weeks
        course: 56 mg intranasal esketamine, twice a week for 6 weeks
      - {name: maintenance, duration: 12 weeks, course: "56 mg intranasal esketamine, weekly for 12 weeks"}
  - name: Stopped
    n: 86
    role: comparator
    stages:
      - {name: induction, same_as: Continued}
      - {name: maintenance, duration: 12 weeks, course: "placebo spray, weekly for 12 weeks"}
published:
  - quantity: hazard_ratio
    arms: [Continued, Stopped]
    stage: maintenance
    time: 12 weeks
    since: stage
    rule: half lost
    value: 0.5
"""
