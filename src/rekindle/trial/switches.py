"""What a trial shows beyond the drug, part by part, each of which can be switched off.

`drug`: what is given acts. `expectancy`: belief, contact and care lift mood. `unmasking`: what is felt raises
belief, and a rater on the site sees it. `natural_course`: episodes mend by themselves. `selection`: people enter on
an observed score, so the next one is nearer the mean. `rater`: what raters and settings add. `dropout`: people leave.
`background`: what is taken besides acts.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

from rekindle.errors import unknown


@dataclass(frozen=True)
class Switches:
    """Which parts act; all by default."""

    drug: bool = True
    expectancy: bool = True
    unmasking: bool = True
    natural_course: bool = True
    selection: bool = True
    rater: bool = True
    dropout: bool = True
    background: bool = True

    def without(self, *names: str) -> Switches:
        """The same with these parts off.

        Raises:
            InputError: no such part.
        """
        known = [field.name for field in fields(self)]
        for name in names:
            if name not in known:
                raise unknown("part of a trial", name, known)
        return replace(self, **dict.fromkeys(names, False))


ALL_ON = Switches()
NOTHING = Switches(False, False, False, False, False, False, False, False)
