"""The report of a study: one page that works offline, and its figures one by one.

The answer comes first as a sentence with its interval, then the pictures with the published numbers drawn
over them, then tables, the assumptions that mattered, popular claims and the sources. `draw_figures` gives
the same pictures to a notebook.
"""

from __future__ import annotations

from rekindle.report.bands import Band, Interval
from rekindle.report.figure import Figure
from rekindle.report.figures import draw_figures
from rekindle.report.html import render, write_report
from rekindle.report.material import ReportInput

__all__ = ["Band", "Figure", "Interval", "ReportInput", "draw_figures", "render", "write_report"]
