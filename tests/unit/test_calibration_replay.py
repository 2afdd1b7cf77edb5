"""fit_replay: an analytic model's values are found again; what observations do not tell is refused."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from calibration.errors import Underdetermined
from calibration.fits.linear import Array
from calibration.fits.replay import Parameter, fit_replay

X = np.linspace(1.0, 50.0, 40)
CONSTANT = Parameter("constant", 1.0, 1e-3, 1e3)
SLOPE = Parameter("slope", 1.0, 1e-3, 1e3)


def line(values: dict[str, float]) -> Array:
    return values["constant"] + values["slope"] * X


def relative_to(seen: Array) -> Callable[[dict[str, float]], Array]:
    return lambda values: line(values) / seen - 1


def test_exact_observations_give_the_values_back_with_no_uncertainty() -> None:
    seen = 4.0 + 0.5 * X
    found = fit_replay([CONSTANT, SLOPE], lambda v: line(v) / seen - 1)
    assert found.values == pytest.approx({"constant": 4.0, "slope": 0.5}, rel=1e-2)
    assert np.max(np.abs(found.errors)) < 1e-3
    low, high = found.intervals["slope"]
    assert low <= found.values["slope"] <= high < 1.01 * low


def test_95_percent_intervals_hold_the_truth_about_19_times_in_20() -> None:
    held = 0
    for seed in range(100):
        seen = (4.0 + 0.5 * X) * (1 + 0.05 * np.random.default_rng(seed).standard_normal(len(X)))
        low, high = fit_replay([CONSTANT, SLOPE], relative_to(seen)).intervals["slope"]
        held += low <= 0.5 <= high
    assert 89 <= held <= 99


def test_a_stepped_model_is_still_fitted() -> None:
    """A simulation's outcome jumps where an order of events flips; finer steps than that see nothing."""
    seen = 4.0 + 0.5 * X
    found = fit_replay([CONSTANT, SLOPE], lambda v: np.round(line(v), 1) / seen - 1)
    assert found.values == pytest.approx({"constant": 4.0, "slope": 0.5}, rel=0.05)


def test_a_parameter_that_no_observation_depends_on_is_refused_by_name() -> None:
    with pytest.raises(Underdetermined, match="leave ghost anywhere"):
        fit_replay([CONSTANT, SLOPE, Parameter("ghost", 1.0, 0.1, 10.0)], lambda v: line(v) / (4 + X) - 1)


def test_parameters_that_only_their_product_shows_are_refused_by_name() -> None:
    pair = [Parameter("rate", 2.0, 1e-3, 1e3), Parameter("scale", 2.0, 1e-3, 1e3)]
    with pytest.raises(Underdetermined, match="cannot tell apart rate, scale"):
        fit_replay([CONSTANT, *pair], lambda v: (v["constant"] + v["rate"] * v["scale"] * X) / (4 + X) - 1)


def test_a_parameter_that_is_nearly_zero_has_an_interval_down_to_its_bound() -> None:
    noise = 1 + 0.02 * np.random.default_rng(1).standard_normal(len(X))
    found = fit_replay([CONSTANT, SLOPE], lambda v: line(v) / (0.5 * X * noise) - 1)
    low, high = found.intervals["constant"]
    assert low == pytest.approx(CONSTANT.low)
    assert high < 0.5
    assert found.values["slope"] == pytest.approx(0.5, rel=0.02)


def test_a_parameter_that_no_value_of_would_be_noticed_is_refused() -> None:
    """Its least error is at the bound, but no value in the range is out of the question."""
    faint = Parameter("faint", 1.0, 1e-3, 10.0)
    noise = 1 + 0.2 * np.random.default_rng(3).standard_normal(len(X))

    def errors(v: dict[str, float]) -> Array:
        return (line(v) + 1e-3 * v["faint"]) / ((4 + X) * noise) - 1

    with pytest.raises(Underdetermined, match="faint"):
        fit_replay([CONSTANT, SLOPE, faint], errors)


def test_fewer_errors_than_parameters_are_refused() -> None:
    with pytest.raises(Underdetermined, match="2 errors cannot determine 2"):
        fit_replay([CONSTANT, SLOPE], lambda v: line(v)[:2] / 3 - 1)


@pytest.mark.parametrize(("start", "low", "high"), [(1.0, 0.0, 2.0), (3.0, 1.0, 2.0), (1.0, 1.0, 1.0)])
def test_a_parameter_outside_its_own_bounds_is_refused(start: float, low: float, high: float) -> None:
    with pytest.raises(ValueError, match="low <= start <= high"):
        Parameter("x", start, low, high)
