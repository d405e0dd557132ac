"""The page about one person: what a clinician reads in a minute before the next session.

The answer in words comes first, then the course so far with what is to come, what lies behind it, the coming session,
the options beside one another, the limits, and what is not known. Nothing on it says who the person is.
"""

from __future__ import annotations

from rekindle.report.person.limits import ShownLimits, shown_limits
from rekindle.report.person.page import render_person, write_person_page

__all__ = ["ShownLimits", "render_person", "shown_limits", "write_person_page"]
