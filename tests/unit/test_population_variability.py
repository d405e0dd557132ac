"""Random effects: the spread and correlation asked for, and draws that never move."""

from __future__ import annotations

import numpy as np
import pytest

from rekindle.errors import ModelError
from rekindle.population.tables import parse
from rekindle.population.variability import (
    Variability,
    draw_effects,
    individual_values,
    read_rows,
    variability,
)

HEADER = "parameter,kind,sd,correlated_with,correlation,record,reason,grade"


def effects(*lines: str) -> tuple[Variability, ...]:
    return read_rows(parse("\n".join([HEADER, *lines]), "variability.csv"))


CHAIN = (
    "clearance,lognormal,0.3,,,pk-pr21-vc,,human",
    "volume,lognormal,0.5,clearance,0.6,,assumed,assumed",
    "uptake,logit-normal,0.7,clearance;volume,0.5;0.4,,assumed,assumed",
    "slope,normal,2.0,volume,-0.5,,assumed,assumed",
)


def test_draws_have_the_spread_and_the_correlations_of_the_table() -> None:
    drawn = draw_effects(effects(*CHAIN), 40_000, seed=4)
    assert np.std(drawn["volume"]) == pytest.approx(0.5, rel=0.02)
    assert np.std(drawn["slope"]) == pytest.approx(2.0, rel=0.02)
    for one, other, wanted in (
        ("clearance", "volume", 0.6),
        ("clearance", "uptake", 0.5),
        ("volume", "uptake", 0.4),
        ("volume", "slope", -0.5),
        ("clearance", "slope", -0.3),  # implied: 0.6 times -0.5
    ):
        assert np.corrcoef(drawn[one], drawn[other])[0, 1] == pytest.approx(wanted, abs=0.02)


def test_a_row_added_anywhere_moves_no_other_draw() -> None:
    before = draw_effects(effects(*CHAIN), 50, seed=4)
    more = "new,lognormal,0.2,,,,assumed,assumed"
    tied = "newer,normal,1.0,clearance,0.9,,assumed,assumed"
    after = draw_effects(effects(more, CHAIN[0], tied, *CHAIN[1:]), 50, seed=4)
    for parameter, values in before.items():
        assert np.array_equal(after[parameter], values)


def test_more_people_do_not_move_the_first() -> None:
    few, many = (draw_effects(effects(*CHAIN), count, seed=4) for count in (7, 40))
    late = draw_effects(effects(*CHAIN), 3, seed=4, start=5)
    assert np.array_equal(many["slope"][:7], few["slope"])
    assert np.array_equal(late["uptake"], many["uptake"][5:8])


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (("a,lognormal,0.3,b,0.5,,why,assumed",), "'b' must stand above"),
        (("a,lognormal,-0.3,,,,why,assumed",), "negative"),
        (("a,lognormal,0.3,,,,why,assumed",) * 2, "doubled"),
        (("a,log,0.3,,,,why,assumed",), "Unknown scale of variability"),
        (("a,lognormal,x,,,,why,assumed",), "no finite number"),
        (("a,lognormal,0.3,,,,,assumed",), "needs a record or a reason"),
        (("a,lognormal,0.3,,,,why,guess",), "Unknown grade"),
        (("a,lognormal,1,,,,w,assumed", "b,lognormal,1,a,1.5,,w,assumed"), "between -1 and 1"),
        (("a,lognormal,1,,,,w,assumed", "b,lognormal,1,a,0.1;0.2,,w,assumed"), "1 partners but 2"),
    ],
)
def test_malformed_rows_are_refused_with_their_line(lines: tuple[str, ...], said: str) -> None:
    with pytest.raises(ModelError, match=said) as caught:
        effects(*lines)
    assert "variability.csv, line" in str(caught.value)


def test_correlations_that_cannot_hold_together_are_refused() -> None:
    table = effects("a,normal,1,,,,w,assumed", "b,normal,1,a,0.9,,w,assumed", "c,normal,1,a;b,0.9;-0.9,,w,assumed")
    with pytest.raises(ModelError, match="cannot hold together"):
        draw_effects(table, 2, seed=1)


def test_the_tables_own_rows_can_be_drawn() -> None:
    drawn = draw_effects(variability(), 10, seed=1)
    assert all(np.isfinite(values).all() for values in drawn.values())


def test_values_of_a_person_stay_on_their_scale() -> None:
    eta = np.array([-40.0, 0.0, 0.7, 40.0])
    shares = individual_values(0.4, "logit-normal", eta)
    assert ((shares >= 0) & (shares <= 1)).all()
    assert shares[1] == pytest.approx(0.4)
    assert (individual_values(3.0, "lognormal", eta) > 0).all()
    assert individual_values(3.0, "lognormal", eta)[2] == pytest.approx(3.0 * np.exp(0.7))
    assert individual_values(3.0, "normal", eta)[0] == -37.0
    with pytest.raises(ModelError):
        individual_values(1.2, "logit-normal", eta)
    with pytest.raises(ModelError, match="Unknown scale"):
        individual_values(1.2, "beta", eta)
