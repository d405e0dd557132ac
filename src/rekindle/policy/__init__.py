"""Policies: rules by which a clinic looks at a person at visits and changes the doses to come.

The language is described in docs/policies.md. `rules` holds its values, `language` reads its sentences,
`reading` the block of a file; `plan` keeps what everybody is still to be given, `looking` what the clinic sees,
and `clinic` follows the rules.
"""

from __future__ import annotations

from rekindle.policy.reading import PolicyFields, read_policy
from rekindle.policy.rules import Policy, Rule

__all__ = ["Policy", "PolicyFields", "Rule", "read_policy"]
