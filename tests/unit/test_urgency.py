"""SAGE's urgency, its cost of an answer, and what heads of several lanes are compared by."""

from __future__ import annotations

import pytest

from simcore.policies.registry import make_ordering
from simcore.policies.routing.cost_optimized import ASSUMED_TOKENS, cost
from simcore.policies.urgency import urgency
from simcore.request import Priority
from tests.unit.policy_support import pool_of, request, settings_of


@pytest.mark.parametrize(("now", "expected"), [(2.0, 0.0), (7.0, 0.5), (12.0, 1.0), (13.0, 1.0), (99.0, 1.0)])
def test_urgency_grows_to_1_at_the_deadline_and_stays_there(now: float, expected: float) -> None:
    assert urgency(request(0, 2.0, deadline=10.0), now) == expected


def test_without_a_deadline_nothing_is_urgent() -> None:
    assert urgency(request(0), 1e9) == 0.0


@pytest.mark.parametrize(("output", "tokens"), [(50, 50), (0, ASSUMED_TOKENS)])
def test_an_answer_costs_the_backend_for_as_long_as_it_takes(output: int, tokens: int) -> None:
    backend = pool_of(1).backends[0]
    backend.price_per_hour, backend.tokens_per_second = 7.2, 40.0
    asked = request(0)
    asked.output_tokens = output
    assert cost(asked, backend) == pytest.approx(7.2 / 3600 * tokens / 40.0)


def test_adaptive_heads_go_by_priority_and_then_by_urgency() -> None:
    ordering = make_ordering("adaptive", settings_of())
    heads = [
        request(0, 0.0),
        request(1, 1.0, deadline=20.0),
        request(2, 2.0, deadline=4.0),
        request(3, 3.0, priority=Priority.HIGH),
        request(4, 3.5, priority=Priority.CRITICAL),
        request(5, 4.0, priority=Priority.LOW, deadline=1.0),
    ]
    for one in heads:
        one.submitted = one.arrival
    ordered = sorted(heads, key=lambda one: ordering.key(one, 5.0))
    assert [one.id for one in ordered] == [4, 3, 5, 2, 1, 0]
