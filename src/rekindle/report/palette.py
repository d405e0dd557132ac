"""The colours of the report by role, light, dark and on paper; the only place where a colour is written.

Ink is what was measured, colour is what is forecast. Everything else names a role, so one drawing serves
the screen by day, by night, on paper and in a saved file. Contrasts are computed in the tests by the
formula of WCAG 2.2.
"""

from __future__ import annotations

from collections.abc import Mapping

LIGHT: Mapping[str, str] = {
    "page": "#FAF8F4", "surface": "#FFFFFF", "ink": "#1A2330", "ink2": "#465160", "ink3": "#626D7B",
    "rule": "#D9D5CB", "grid": "#EAE7E0",
    "drug": "#0B5E96", "b50": "#9FC6E1", "b90": "#D6E7F2", "edge": "#3D80B2", "spread": "#F3F8FB",
    "comp": "#6F6A60", "c90": "#E6E2DA", "armB": "#B5862A", "armC": "#8B79E0",
    "s1": "#083D66", "s2": "#2A74A9", "s3": "#A9CDE6", "s4": "#DCE9F2", "s5": "#E9E5DC", "s6": "#FFFFFF",
    "on1": "#FFFFFF", "on2": "#FFFFFF", "on3": "#1A2330",
    "infoink": "#0A4A78", "infobg": "#E6F0F7",
    "cautionink": "#5C3B00", "cautionbg": "#FFF4D6", "caution": "#8F5E00",
    "stopink": "#7A140D", "stopbg": "#FDECE8", "stop": "#B3261E",
    "brand": "#B4481C",
}  # fmt: skip

DARK: Mapping[str, str] = {
    "page": "#12161C", "surface": "#1A2028", "ink": "#ECE9E2", "ink2": "#B9BEC6", "ink3": "#98A0AB",
    "rule": "#39424E", "grid": "#2A313B",
    "drug": "#74BBF0", "b50": "#2F6289", "b90": "#203B50", "edge": "#4B8ABA", "spread": "#1C2731",
    "comp": "#A8A59C", "c90": "#2E3238", "armB": "#BF7A10", "armC": "#7F6AE0",
    "s1": "#A8D6F7", "s2": "#4C97CF", "s3": "#27587F", "s4": "#22394B", "s5": "#2A313B", "s6": "#1A2028",
    "on1": "#12161C", "on2": "#12161C", "on3": "#ECE9E2",
    "infoink": "#A9D4F5", "infobg": "#14293B",
    "cautionink": "#FFD98A", "cautionbg": "#33270D", "caution": "#F2B84B",
    "stopink": "#FFB4AB", "stopbg": "#3A1614", "stop": "#FF7A70",
    "brand": "#F0936A",
}  # fmt: skip

# Paper is the light palette on white, with plain ink for print that is copied and faxed.
PAPER: Mapping[str, str] = {**LIGHT, "page": "#FFFFFF"}


def variables(palette: Mapping[str, str]) -> str:
    """The palette as CSS custom properties, `--page:#FAF8F4;...`."""
    return "".join(f"--{role}:{colour};" for role, colour in palette.items())
