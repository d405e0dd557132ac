"""Planning: schedules that keep a person well with the least drug, within limits that a file states.

`limits` holds what may be proposed and what may not be broken, `options` the schedules, `measure` what one of them
does to draws of the person, `search` the good trade-offs, and `plan` all of it together.
"""

from __future__ import annotations

from rekindle.planning.compare import compare
from rekindle.planning.limits import Limits, read_limits
from rekindle.planning.options import Option
from rekindle.planning.plan import Plan, plan
from rekindle.planning.waiting import waiting

__all__ = ["Limits", "Option", "Plan", "compare", "plan", "read_limits", "waiting"]
