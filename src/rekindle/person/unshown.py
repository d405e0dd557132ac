"""What a message may show of a record: all of what stands in a file of the user's own, only the place of a bundle's.

A bundle comes out of a hospital's records, and messages end in logs. So the place of each of its resources is marked,
and whoever words a message about a record asks here.
"""

from __future__ import annotations


class Unshown(str):
    """The place of a record whose values no message shows."""

    __slots__ = ()


def shown(full: str, bare: str, where: str | None) -> str:
    """The message with the record's values, or without them where they are not to be shown.

    >>> shown("A total of 61 is not possible.", "The total is not possible.", Unshown("entry 3"))
    'The total is not possible.'
    """
    return bare if isinstance(where, Unshown) else full
