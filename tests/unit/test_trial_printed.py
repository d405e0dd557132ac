"""The standard error that follows from what was printed, and what sort of number a number is."""

from __future__ import annotations

import importlib.util
import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from rekindle.inference.trials import kind_of, target_of
from rekindle.trial.moments import scored_numbers
from rekindle.trial.prediction import _missed, misfit_kind
from rekindle.trial.reading import parse_trial

SPEC = importlib.util.spec_from_file_location("trial_examples", Path(__file__).with_name("trial_examples.py"))
assert SPEC is not None and SPEC.loader is not None
EXAMPLES = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(EXAMPLES)
RESPONSE = "{quantity: response, arm: Ketamine, time: 24 h, value: 64}"


@pytest.mark.parametrize(
    ("written", "error"),
    [
        (RESPONSE, 100.0 * math.sqrt(0.64 * 0.36 / 40)),
        ("{quantity: completion, arm: Ketamine, time: 24 h, value: 90}", 100.0 * math.sqrt(0.9 * 0.1 / 40)),
        ("{quantity: share_of_change, arm: Ketamine, time: 24 h, end: 7 days, value: 64}", None),
        ("{quantity: percent_change, arm: Ketamine, time: 24 h, value: -40}", None),
    ],
)
def test_only_a_share_of_people_has_the_error_of_a_count(written: str, error: float | None) -> None:
    number = parse_trial(EXAMPLES.PARALLEL.replace(RESPONSE, written)).published[1]
    assert number.standard_error == (None if error is None else pytest.approx(error))


@pytest.mark.parametrize(
    ("spread", "error"),
    [
        ("{kind: CI95, values: [10, 40]}", math.log(4.0) / (2.0 * 1.959964)),
        ("{kind: SE, value: 5}", 0.25),
        ("{kind: SD, value: 12}", None),
    ],
)
def test_a_time_to_relapse_has_its_error_on_the_log_scale(spread: str, error: float | None) -> None:
    written = f"{{quantity: time_to_relapse, arm: Ketamine, since: 24 h, value: 20, spread: {spread}}}"
    trial = parse_trial(EXAMPLES.PARALLEL.replace(RESPONSE, written))
    number = scored_numbers([trial])[1]
    assert number.published == pytest.approx(math.log(20.0))
    assert number.standard_error == (None if error is None else pytest.approx(error))


@pytest.mark.parametrize(
    ("quantity", "changed", "said"),
    [("time_to_relapse", {"unit": "weeks"}, "compared in days"), ("mean_change", {"spread": (9.0, 2.0)}, "reversed")],
)
def test_a_record_in_other_units_or_with_its_ends_turned_is_refused(
    quantity: str, changed: dict[str, Any], said: str
) -> None:
    from rekindle.errors import InputError
    from rekindle.trial.fields import NumberFields
    from rekindle.trial.printed import printed
    from rekindle.trial.quantities import QUANTITIES

    held = {"id": "eff-x", "unit": QUANTITIES[quantity].unit, "n": 20, "number": 5.0, "spread": (2.0, 9.0)}
    record: Any = SimpleNamespace(spread_kind="CI95", **held)
    given = NumberFields(quantity=quantity, record="eff-x", arm="A")
    assert printed(QUANTITIES[quantity], given, record, (20,)).standard_error is not None
    with pytest.raises(InputError, match=said):
        printed(QUANTITIES[quantity], given, SimpleNamespace(spread_kind="CI95", **held | changed), (20,))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("{quantity: share_of_change, arm: Ketamine, time: 24 h, end: 7 days, value: 130}", 1.3),
        ("{quantity: risk_difference, arms: [Ketamine, Midazolam], time: 24 h, value: -12}", -0.12),
    ],
)
def test_shares_that_need_not_lie_between_none_and_all_are_not_bent(written: str, value: float) -> None:
    number = scored_numbers([parse_trial(EXAMPLES.PARALLEL.replace(RESPONSE, written))])[1]
    assert misfit_kind(number) == kind_of(number) == "effect size"
    assert target_of(number).value == pytest.approx(value)
    drawn = _missed(number, np.full(4000, 100.0 * value), {"effect size": np.full(4000, 0.1)}, np.random.default_rng(1))
    assert drawn.mean() == pytest.approx(100.0 * value, abs=0.7) and drawn.std() == pytest.approx(10.0, rel=0.05)
