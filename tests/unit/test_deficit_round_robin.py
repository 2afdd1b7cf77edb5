"""Deficit round robin: whose turn it is, and for how long."""

from __future__ import annotations

from simcore.policies.registry import make_ordering
from tests.unit.policy_support import drain, push_all, request, settings_of


def test_another_tenant_that_gives_up_gains_the_visited_one_nothing() -> None:
    ordering = make_ordering("deficit_round_robin", settings_of(quantum=100))
    gone = request(2, tenant="b", prompt=60, output=0)
    push_all(ordering, [request(id, tenant="a", prompt=60, output=0) for id in (0, 1)])
    push_all(ordering, [gone, request(3, tenant="c", prompt=60, output=0)])
    assert ordering.pop(0.0).id == 0
    ordering.discard(gone)
    assert drain(ordering) == [3, 1], "a has 40 left of its visit, and 140 at its next"


def test_the_visited_tenant_that_gives_up_hands_its_turn_to_the_next() -> None:
    ordering = make_ordering("deficit_round_robin", settings_of(quantum=100))
    gone = request(1, tenant="a", prompt=40, output=0)
    push_all(ordering, [request(0, tenant="a", prompt=60, output=0), gone])
    push_all(ordering, [request(id, tenant=name, prompt=60, output=0) for id, name in ((2, "b"), (3, "c"))])
    assert ordering.pop(0.0).id == 0
    ordering.discard(gone)
    assert drain(ordering) == [2, 3]


def test_deficit_round_robin_serves_what_a_tenant_can_just_afford_before_the_next_tenant() -> None:
    ordering = make_ordering("deficit_round_robin", settings_of(quantum=40))
    push_all(ordering, [request(id, tenant=tenant) for id, tenant in enumerate("aab")])
    assert drain(ordering, 0.0) == [0, 1, 2]
