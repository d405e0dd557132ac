"""No input crashes a reader: it is read, or refused with one message.

A short run, the same each time; `benchmarks/fuzz_person.py` is the long one.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

sys.path.insert(0, str(Path(__file__).parent))
from corpus import READERS


@pytest.mark.parametrize("reader", READERS)
def test_no_input_crashes(reader: str) -> None:
    inputs, check = READERS[reader]
    quick = settings(
        max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), database=None, derandomize=True
    )
    quick(given(inputs)(check))()
