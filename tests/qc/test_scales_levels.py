"""What scales give at the same severity, beside what was measured side by side: worked out again from the records."""

from __future__ import annotations

import numpy as np
import pytest

from rekindle.evidence import catalog
from rekindle.outcomes import SCALES, Scale
from rekindle.outcomes.endpoints import relapse_rules
from rekindle.outcomes.no_evidence import all_gaps
from rekindle.outcomes.session import LIMITS


def total(name: str, severity: float) -> float:
    scale = SCALES[name]
    return float(scale.expected({latent: np.array([[severity]]) for latent in scale.latents})[0, 0])


@pytest.mark.parametrize("severity", [0.0, 0.05, 0.2, 0.37, 0.55, 0.8, 1.0])
def test_madrs_is_sixty_times_severity_exactly(severity: float) -> None:
    assert total("MADRS", severity) == pytest.approx(60 * severity, abs=1e-12)


@pytest.mark.parametrize(
    ("madrs", "hamd17", "hamd6"), [(32.27, 20.13, 12.67), (24.17, 15.33, 9.17), (27.55, 17.17, 10.0)]
)
def test_hamilton_totals_beside_the_madrs_of_the_crossover(madrs: float, hamd17: float, hamd6: float) -> None:
    assert total("HAM-D17", madrs / 60) == pytest.approx(hamd17, abs=0.6)
    assert total("HAM-D6", madrs / 60) == pytest.approx(hamd6, abs=0.8)


def test_the_numbers_above_are_those_of_the_catalogue() -> None:
    for record, value in (("madrs-b0", 32.27), ("ham17-b0", 20.13), ("hamd-b0", 12.67), ("ham17-d2", 15.33)):
        assert catalog().get(f"eff-nimh-ds005917-odd-{record}").value.values == (value,)


def test_remission_lines_of_the_scales_meet_at_nearly_the_same_severity() -> None:
    """HAM-D17 7 near MADRS 8-9 (Carmody 2006); QIDS 5 near HAM-D17 7 (its authors); PHQ-9 5 near MADRS 12."""
    assert total("HAM-D17", 9 / 60) == pytest.approx(7, abs=0.6)
    assert total("QIDS-SR16", 9 / 60) == pytest.approx(5, abs=0.8)
    assert total("PHQ-9", 12 / 60) == pytest.approx(5, abs=0.3)


@pytest.mark.parametrize(("qids", "hamd17"), [(10, 13), (15, 18.5), (20, 25), (25, 32)])
def test_the_self_report_follows_its_authors_table(qids: float, hamd17: float) -> None:
    grid = np.linspace(0, 1, 2001)
    severity = grid[np.argmin([abs(total("HAM-D17", level) - hamd17) for level in grid[::20]]) * 20]
    assert total("QIDS-SR16", severity) == pytest.approx(qids, abs=1.6)


def test_clinic_patients_begin_where_the_community_series_found_them() -> None:
    assert total("QIDS-SR16", 0.62) == pytest.approx(18.8, abs=1.0)
    assert total("PHQ-9", 0.62) == pytest.approx(18.9, abs=1.0)


def test_dissociation_is_shared_out_without_changing_its_total() -> None:
    scale = SCALES["CADSS"]
    for points in (0.0, 2.0, 7.7, 20.0, 60.0):
        assert float(scale.expected({"dissociation": np.array([[points]])})[0, 0]) == pytest.approx(points, abs=1e-9)


@pytest.mark.parametrize("scale", SCALES.values(), ids=lambda scale: scale.name)
def test_every_record_that_a_scale_names_exists(scale: Scale) -> None:
    named = [*scale.level_records, scale.error_record, *(line.record for line in (*scale.remission, *scale.events))]
    for record in filter(None, named):
        catalog().get(record, where=scale.name)


def test_every_record_of_rules_and_gaps_exists() -> None:
    for rule in relapse_rules().values():
        catalog().get(rule.record)
        assert rule.reason
    for gap in all_gaps():
        for record in gap.records:
            catalog().get(record)


def test_the_limits_of_readiness_are_the_labels() -> None:
    assert catalog().get("lab-bp-thr-14090").value.values == (LIMITS.systolic_mmhg, LIMITS.diastolic_mmhg)
    assert catalog().get("saf-esk-monitor-2h").value.values == (LIMITS.spray_monitoring_h,)
    assert catalog().get("cadss-cut4").value.values == (LIMITS.cadss,)
