"""Differential equations over many people. It knows no drug: states, parameters and inputs have names only.

A model text becomes a `Network`, is lowered to plain statement lists, and is solved for every person's schedule:

    read_antimony(text) -> lower(network) -> solve(lowered, parameters, schedules, outputs) -> Solution
"""

from __future__ import annotations
