"""Residual tables and distributions: what a factor is at and between marks, and what is drawn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from simcore.profile.correction import NONE, Correction
from simcore.profile.llm import Table
from simcore.profile.residuals import residual_factor, residual_factors

TABLE = Correction((2.0, 4.0, 8.0), (1.0, 1.2, 0.9))


@pytest.mark.parametrize(("value", "factor"), [(0, 1.0), (2, 1.0), (3, 1.1), (4, 1.2), (8, 0.9), (99, 0.9)])
def test_linear_between_marks_and_constant_beyond(value: float, factor: float) -> None:
    assert TABLE(value) == pytest.approx(factor)


@given(st.floats(0, 1e9))
def test_a_factor_stays_between_those_of_the_table(value: float) -> None:
    assert 0.9 <= TABLE(value) <= 1.2
    assert NONE(value) == 1.0


@pytest.mark.parametrize("marks", [([1, 2], [1.0]), ([2, 1], [1.0, 1.0]), ([1, 1], [1.0, 1.1])])
def test_a_table_out_of_order_is_refused(marks: tuple[list[float], list[float]]) -> None:
    with pytest.raises(ValidationError, match="rising marks"):
        Table(at=[float(a) for a in marks[0]], factor=marks[1])


def test_draws_follow_the_quantiles() -> None:
    quantiles = [0.8, 0.9, 1.0, 1.1, 2.0]
    drawn = residual_factors(np.random.default_rng(1), quantiles, 100_000)
    assert np.quantile(drawn, [0.25, 0.5, 0.75]) == pytest.approx([0.9, 1.0, 1.1], abs=0.01)
    assert 0.8 <= drawn.min() < drawn.max() <= 2.0


def test_without_quantiles_every_factor_is_one() -> None:
    assert residual_factor(np.random.default_rng(1), [])() == 1.0
    assert (residual_factors(np.random.default_rng(1), [], 3) == 1.0).all()
