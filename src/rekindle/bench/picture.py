"""The comparison as a picture: one bar a program, on a logarithmic scale."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

_WIDTH, _ROW, _LEFT, _RIGHT, _TOP = 840, 34, 250, 230, 62


def picture(result: Mapping[str, Any]) -> str:
    """An SVG of people a second of every program, with its range over the rounds and its error."""
    entries = sorted(result["peers"].items(), key=lambda item: -item[1]["people_per_second_per_thread"])
    speeds = [entry["people_per_second_range"] for _, entry in entries]
    low = 10.0 ** math.floor(math.log10(min(pair[0] for pair in speeds)))
    high = 10.0 ** math.ceil(math.log10(max(pair[1] for pair in speeds)))
    span = _WIDTH - _LEFT - _RIGHT

    def across(value: float) -> float:
        return _LEFT + span * math.log(value / low) / math.log(high / low)

    height = _TOP + _ROW * len(entries) + 46
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" '
        'font-family="system-ui, sans-serif" font-size="13" fill="#1d2433">',
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="16" y="26" font-size="16" font-weight="600">People solved a second on one thread, at an error of '
        f"{result['error_allowed']:g}</text>",
        f'<text x="16" y="46" fill="#5b6577">12 infusions in 12 weeks, {result["outputs"]} outputs at '
        f"{result['times']} times; medians of interleaved rounds</text>",
    ]
    value = low
    while value <= high * 1.001:
        x = across(value)
        parts.append(
            f'<line x1="{x:.1f}" y1="{_TOP}" x2="{x:.1f}" y2="{height - 34}" stroke="#dfe3ea"/>'
            f'<text x="{x:.1f}" y="{height - 16}" text-anchor="middle" fill="#5b6577">{value:g}</text>'
        )
        value *= 10.0
    for i, (name, entry) in enumerate(entries):
        y = _TOP + i * _ROW + 6
        median, (least, most) = entry["people_per_second_per_thread"], entry["people_per_second_range"]
        ours = name.startswith("rekindle")
        ratio = entry["ratio_to_libroadrunner"]
        times = f" ({_short(ratio)} x)" if ratio is not None else ""
        note = f"{_short(median)}{times}, error {entry['max_error']:.1e}"
        parts.append(
            f'<text x="{_LEFT - 10}" y="{y + 15}" text-anchor="end">{name}</text>'
            f'<rect x="{_LEFT}" y="{y}" width="{max(across(median) - _LEFT, 1):.1f}" height="20" '
            f'fill="{"#3f51b5" if ours else "#9aa5b8"}"/>'
            f'<line x1="{across(least):.1f}" y1="{y + 10}" x2="{across(most):.1f}" y2="{y + 10}" stroke="#1d2433"/>'
            f'<text x="{max(across(most), across(median)) + 6:.1f}" y="{y + 15}" fill="#5b6577">{note}</text>'
        )
    return "\n".join([*parts, "</svg>"]) + "\n"


def _short(value: float) -> str:
    return f"{value:.0f}" if value >= 100.0 else f"{value:.2g}"
