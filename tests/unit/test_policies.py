"""Orderings and admissions on examples small enough to work out by hand, and the registry of all policies."""

from __future__ import annotations

import pytest

from simcore.policies.ordering.first_fit import FirstFit
from simcore.policies.ordering.heap_queue import SLACK, HeapQueue
from simcore.policies.registry import (
    ADMISSIONS,
    ORDERINGS,
    ROUTINGS,
    SAGE_POLICIES,
    make_admission,
    make_ordering,
    make_routing,
)
from simcore.request import Priority, Service
from tests.unit.policy_support import drain, embedding, pool_of, push_all, request, send, settings_of

ORDERED = {
    "fifo": [0, 1, 2, 3],
    "priority": [2, 0, 1, 3],
    "ageing_priority": [0, 2, 1, 3],
    "earliest_deadline": [3, 1, 0, 2],
    "cost_optimized": [2, 3, 1, 0],
    "slo_aware": [3, 1, 0, 2],
    "adaptive": [2, 3, 1, 0],
    "hybrid": [2, 3, 1, 0],
    "aegaeon": [0, 1, 2, 3],
}


@pytest.mark.parametrize("name", ORDERED)
def test_order_of_four_requests_at_second_3(name):
    """Urgencies are 0, 2/20, 0 and 1/2; ageing keys 1.8, 2.8, 2.4 and 3.8."""
    ordering = make_ordering(name, settings_of(ageing=0.9))
    push_all(
        ordering,
        [
            request(0, 0.0),
            request(1, 1.0, deadline=20.0, cost_budget=5.0),
            request(2, 1.5, priority=Priority.HIGH),
            request(3, 2.0, deadline=2.0, cost_budget=1.0),
        ],
    )
    assert drain(ordering, 3.0) == ORDERED[name]


def test_slo_aware_order_changes_as_time_passes():
    ordering = make_ordering("slo_aware", settings_of())
    push_all(ordering, [request(0, 0.0, deadline=10.0), request(1, 3.0, deadline=4.0)])
    assert ordering.peek(4.0).id == 0, "4/10 against 1/4"
    assert ordering.peek(6.0).id == 1, "6/10 against 3/4"
    assert ordering.peek(50.0).id == 0, "both missed: by arrival"


def test_slo_aware_ties_go_by_arrival_then_id_however_late_they_were_submitted():
    ordering = make_ordering("slo_aware", settings_of())
    retried, twin, later = (request(id, at, deadline=9.0) for id, at in enumerate((0.0, 0.0, 1.0)))
    retried.submitted = 5.0
    push_all(ordering, [later, twin, retried])
    assert drain(ordering, 5.0) == [0, 1, 2]


def test_adaptive_follows_the_load_and_the_urgent():
    pool = pool_of(1)
    ordering = make_ordering("adaptive", settings_of(pool))
    push_all(ordering, [request(0), request(1, 1.0, deadline=4.0), request(2, 2.0, cost_budget=1.0)])
    for load in range(30):
        assert ordering.peek(3.0).id == 2, f"cost at load {load / 100}"
        send(pool, request(-1), 0)
    assert ordering.peek(3.0).id == 1, "slo_aware from load 0.3"
    push_all(ordering, [request(3, 3.0, priority=Priority.HIGH)])
    assert drain(ordering, 3.0) == [3, 1, 0, 2]


def test_hybrid_fills_batches_first_fit_until_they_leave():
    ordering = make_ordering("hybrid", settings_of(pool_of(service=Service.EMBEDDING)))
    push_all(ordering, [embedding(0, 20), embedding(1, 20), embedding(2, 12), embedding(3, 12)])
    assert ordering.pop(0.0).id == 0
    push_all(ordering, [embedding(4, 20)])
    assert drain(ordering) == [2, 1, 3, 4], "batches {0, 2} and {1, 3}; 4 opens a third"
    push_all(ordering, [embedding(5, 1), embedding(6, 40), embedding(7, 31)])
    assert drain(ordering) == [5, 7, 6], "a batch that left takes no more; 40 texts are a batch of their own"


def test_first_fit_joins_the_first_batch_with_room():
    batches = FirstFit(10)
    assert [batches.join(items) for items in (6, 5, 4, 5, 1)] == [0, 1, 0, 1, 2]
    batches.close(2)
    assert batches.join(1) == 3


def test_virtual_token_counter_serves_the_least_served_tenant():
    ordering = make_ordering("virtual_token_counter", settings_of())
    a = [request(id, tenant="a", prompt=10, output=5) for id in range(4)]
    b = [request(id, tenant="b", prompt=15, output=5) for id in range(4, 7)]
    push_all(ordering, [*a, *b])
    assert [ordering.pop(0.0).id for _ in range(4)] == [0, 4, 1, 5], "a 10, b 15, a 20, b 30"
    for answered in a[:2]:
        answered.generated_tokens = 5
        ordering.completed(answered, 1.0)
    assert ordering.counters == {"a": 40, "b": 30}
    assert drain(ordering) == [6, 2, 3]


def test_virtual_token_counter_charges_an_answer_that_breaks_off_as_far_as_it_came():
    ordering = make_ordering("virtual_token_counter", settings_of())
    given_up = request(0, tenant="a", prompt=10, output=500)
    push_all(ordering, [given_up])
    ordering.pop(0.0)
    given_up.generated_tokens = 7
    ordering.cancelled(given_up, 1.0)
    assert ordering.counters == {"a": 10 + 2 * 7}


def test_virtual_token_counter_gives_no_credit_for_idle_time():
    ordering = make_ordering("virtual_token_counter", settings_of())
    push_all(ordering, [request(id, tenant="a", prompt=10) for id in range(3)])
    ordering.pop(0.0)
    push_all(ordering, [request(3, tenant="late")])
    assert ordering.counters["late"] == 10, "lifted to the least of those waiting"
    drain(ordering)
    push_all(ordering, [request(4, tenant="later")])
    assert ordering.counters["later"] == 30, "lifted to the last that waited"


def test_virtual_token_counter_remembers_so_many_tenants_and_none_that_waits_is_forgotten():
    ordering = make_ordering("virtual_token_counter", settings_of())
    push_all(ordering, [request(0, tenant="a", prompt=9), request(1, tenant="a", prompt=9)])
    for id in range(2, 5000):
        push_all(ordering, [request(id, tenant=f"{id}", prompt=3)])
        gone = ordering.pop(0.0)
        gone.generated_tokens = 1
        ordering.completed(gone, 0.0)
        assert ordering.counters[gone.tenant] >= 0
    assert len(ordering.counters) <= 1024 + 2
    assert ordering.counters["a"] == 9 + 2 * 1
    assert drain(ordering) == [4999, 1]


def test_deficit_round_robin_saves_what_a_visit_leaves():
    ordering = make_ordering("deficit_round_robin", settings_of(quantum=100))
    push_all(ordering, [request(id, tenant="a", prompt=50, output=10) for id in range(4)])
    push_all(ordering, [request(id, tenant="b", prompt=140, output=10) for id in range(4, 6)])
    assert drain(ordering) == [0, 1, 2, 4, 3, 5], "a has 100, then 140; b has 100, 200, then 150"


def test_deficit_round_robin_forgets_the_deficit_of_who_leaves():
    ordering = make_ordering("deficit_round_robin", settings_of(quantum=100))
    push_all(ordering, [request(0, tenant="a", prompt=10, output=0)])
    assert drain(ordering) == [0]
    push_all(
        ordering, [request(1, tenant="a", prompt=150, output=0), request(2, tenant="b", prompt=90, output=0)]
    )
    assert drain(ordering) == [2, 1]


def test_a_waiting_background_request_starves_unless_it_ages():
    """A critical request comes each second and one leaves each second; ageing is 2 s a level."""

    def left_at(name: str) -> int:
        ordering = make_ordering(name, settings_of(ageing=2.0))
        ordering.push(request(0, 0.0, priority=Priority.BACKGROUND), 0.0)
        for second in range(100):
            ordering.push(request(1 + second, float(second), priority=Priority.CRITICAL), float(second))
            if ordering.pop(float(second)).id == 0:
                return second
        return 100

    assert left_at("priority") == 100
    assert left_at("ageing_priority") == 8


def test_heads_of_lanes_compare_by_what_their_ordering_goes_by():
    late_but_high = request(0, 9.0, priority=Priority.HIGH)
    early, due = request(1, 1.0), request(2, 2.0, deadline=10.0)
    firsts = {"fifo": 1, "priority": 0, "slo_aware": 2, "adaptive": 0, "earliest_deadline": 2, "hybrid": 1}
    for name, first in firsts.items():
        ordering = make_ordering(name, settings_of())
        assert min((late_but_high, early, due), key=lambda each: ordering.key(each, 9.5)).id == first, name


@pytest.mark.parametrize("waiting", [1, 500])
def test_a_heap_forgets_what_was_discarded(waiting):
    queue, kept = HeapQueue(), [request(-1 - turn) for turn in range(waiting)]
    for each in kept:
        queue.push(each, (0.0,))
    most = 0
    for id in range(10_000):
        queue.push(gone := request(id), (float(id),))
        queue.discard(gone)
        most = max(most, len(queue._heap))
    assert most <= 2 * waiting + SLACK + 1
    assert queue.head() == ((0.0,), kept[0])


def test_a_request_that_comes_back_waits_at_its_new_key_only():
    queue, back, other = HeapQueue(), request(0), request(1)
    queue.push(back, (0.0,))
    queue.push(other, (1.0,))
    queue.discard(back)
    queue.push(back, (2.0,))
    assert [queue.pop()[1] for _ in range(len(queue))] == [other, back]


@pytest.mark.parametrize("name", ORDERINGS)
def test_an_empty_ordering_has_no_next_and_knows_no_stranger(name):
    ordering = make_ordering(name, settings_of())
    with pytest.raises(IndexError):
        ordering.peek(0.0)
    with pytest.raises(IndexError):
        ordering.pop(0.0)
    with pytest.raises(KeyError):
        ordering.discard(request(0))
    assert len(ordering) == 0


def test_tenants_without_end_get_no_bucket_each():
    bucket = make_admission("token_bucket", settings_of(rate=1.0, burst=2.0))
    admitted = [bucket.admits(request(id, tenant=f"{id}"), 0, 0.0) for id in range(5000)]
    assert sum(admitted) == 1024 + 2, "all that have none share one"
    assert not bucket.admits(request(0, tenant="new"), 0, 0.5)
    assert bucket.admits(request(0, tenant="4999"), 0, 1.0), "the first buckets are full again"
    again = [bucket.admits(request(id, tenant="1000"), 0, 1.0) for id in range(3)]
    assert again == [True, True, False], "and the others are kept"


def test_token_bucket_is_per_tenant_with_its_burst_and_rate():
    bucket = make_admission("token_bucket", settings_of(rate=10.0, burst=2.0))
    assert [bucket.admits(request(0, tenant="a"), 0, 0.0) for _ in range(3)] == [True, True, False]
    assert bucket.admits(request(0, tenant="b"), 0, 0.0)
    assert all(bucket.admits(request(0, tenant="a"), 0, k * 0.1) for k in range(1, 200)), (
        "exactly at its rate"
    )
    assert [bucket.admits(request(0, tenant="a"), 0, 1000.0) for _ in range(3)] == [True, True, False]


def test_saturation_counts_in_flight_and_waiting_per_backend():
    pool = pool_of(2)
    saturation = make_admission("saturation", settings_of(pool, threshold=2.0))
    send(pool, request(-1), 0)
    assert [saturation.admits(request(0), waiting, 0.0) for waiting in (0, 2, 3, 9)] == [
        True,
        True,
        False,
        False,
    ]


def test_admission_needs_its_numbers():
    assert make_admission("none", settings_of()).admits(request(0), 10**6, 0.0)
    for name in ("token_bucket", "saturation"):
        with pytest.raises(ValueError, match=f"{name} needs"):
            make_admission(name, settings_of())
    with pytest.raises(ValueError, match="burst of at least 1"):
        make_admission("token_bucket", settings_of(rate=1.0, burst=0.5))


@pytest.mark.parametrize(
    ("make", "known"), [(make_ordering, ORDERINGS), (make_routing, ROUTINGS), (make_admission, ADMISSIONS)]
)
def test_every_name_is_a_policy_and_an_unknown_one_names_them(make, known):
    numbers = settings_of(rate=1.0, burst=1.0, threshold=1.0)
    assert [type(make(name, numbers)).__name__ for name in known] == list(known.values())
    nearest = next(reversed(known))
    with pytest.raises(ValueError, match=f"did you mean '{nearest}'") as raised:
        make(nearest[:-1] + "z", numbers)
    assert all(name in str(raised.value) for name in known)


def test_sages_policies_are_orderings_and_routings():
    assert set(SAGE_POLICIES) <= ORDERINGS.keys() & ROUTINGS.keys()


def test_first_fit_keeps_no_batch_open_that_is_full():
    batches = FirstFit(4)
    assert [batches.join(items) for items in (4, 2, 2, 1, 3, 1)] == [0, 1, 1, 2, 2, 3]
