"""Numbers that dosing holds are the records it names."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import rekindle.dosing
from rekindle.dosing import drugs, label
from rekindle.evidence.catalog import catalog

SOURCES = sorted(Path(rekindle.dosing.__file__).parent.glob("*.py"))


def test_every_record_that_dosing_names_exists() -> None:
    named = {
        name
        for path in SOURCES
        for name in re.findall(r"\b(?:reg|pk|kud|saf|abuse)-[a-z0-9-]+[a-z0-9]", path.read_text())
    }
    assert {"pk-label-salt", "reg-esk-device-gap", "reg-esk-elderly"} <= named
    for name in named:
        assert catalog().get(name).id == name


@pytest.mark.parametrize(
    ("record", "value"),
    [
        ("pk-label-salt", drugs.BASE_PER_HYDROCHLORIDE),
        ("reg-esk-device-gap", drugs.DEVICE_GAP_MIN),
        ("reg-esk-elderly", label.FIRST_DOSE_OLDER_MG),
        ("reg-esk-ind", float(label.WEEKLY_LIMITS[0][1])),
        ("reg-esk-opt", float(label.WEEKLY_LIMITS[1][1])),
    ],
)
def test_a_number_is_the_one_of_its_record(record: str, value: float) -> None:
    assert catalog().get(record).number == pytest.approx(value, rel=1e-12)
