"""SAGE's ``hybrid`` on LLM requests, which it orders and routes as ``adaptive`` does."""

from __future__ import annotations

from simcore.control.pool import BackendPool
from simcore.policies.registry import make_ordering, make_routing
from tests.unit.policy_support import answer, pool_of, push_all, request, send, settings_of


def busy_pool() -> BackendPool:
    """Two backends with a mean load of 0.3: the first answered slowly, the second not yet but has more."""
    pool = pool_of(2)
    answer(pool, 5.0, 0)
    for id in range(60):
        send(pool, request(id), int(id >= 20))
    return pool


def test_hybrid_orders_llm_requests_by_the_urgency_of_the_moment() -> None:
    ordering = make_ordering("hybrid", settings_of(busy_pool()))
    push_all(ordering, [request(0, 0.0, deadline=10.0), request(1, 3.0, deadline=4.0)])
    assert [ordering.peek(now).id for now in (4.0, 6.0)] == [0, 1], "4/10 against 1/4, 6/10 against 3/4"
    assert ordering.pop(6.0).id == 1


def test_hybrid_routes_an_llm_request_near_its_deadline_to_the_quickest() -> None:
    routing = make_routing("hybrid", settings_of(busy_pool()))
    assert [routing.choose(request(60, deadline=10.0), now) for now in (1.0, 9.0)] == [0, 1]
