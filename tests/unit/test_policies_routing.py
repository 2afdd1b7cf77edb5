"""Routings on examples small enough to work out by hand."""

from __future__ import annotations

from zlib import crc32

import numpy as np
import pytest

from simcore.control.pool import BackendState
from simcore.policies.registry import make_routing
from simcore.policies.routing.slo_aware import HURRY
from simcore.request import Priority, Service
from tests.unit.policy_support import answer, embedding, pool_of, request, route_all, send, settings_of

EVENLY = [0, 1, 2, 0, 1, 2, 0]
ROUTED = {
    "fifo": EVENLY,
    "priority": EVENLY,
    "slo_aware": EVENLY,
    "cost_optimized": [0] * 7,
    "adaptive": [0] * 7,
    "hybrid": [0] * 7,
    "aegaeon": [0] * 7,
    "first_acceptable": [0] * 7,
    "round_robin": EVENLY,
    "least_outstanding": EVENLY,
    "least_kv": EVENLY,
}


@pytest.mark.parametrize("name", ROUTED)
def test_seven_equal_requests_on_three_equal_idle_backends(name):
    assert route_all(make_routing(name, settings_of()), [request(id) for id in range(7)]) == ROUTED[name]


def test_round_robin_passes_over_the_full():
    pool = pool_of(3, max_in_flight=2)
    routing = make_routing("round_robin", settings_of(pool))
    send(pool, request(-1), 1)
    assert route_all(routing, [request(id) for id in range(6)]) == [0, 1, 2, 0, 2, None]


def test_round_robin_goes_on_behind_the_full():
    pool = pool_of(3, max_in_flight=2)
    routing = make_routing("round_robin", settings_of(pool))
    for id in (-1, -2):
        send(pool, request(id), 1)
    assert route_all(routing, [request(id) for id in range(5)]) == [0, 2, 0, 2, None]


def test_sage_sends_the_urgent_to_the_unused():
    pool = pool_of(2)
    answer(pool, 5.0, 0)
    send(pool, request(-1), 1)
    for name in ("priority", "adaptive"):
        assert make_routing(name, settings_of(pool)).choose(request(0, priority=Priority.HIGH), 0.0) == 1
    slo_aware = make_routing("slo_aware", settings_of(pool))
    hurried = request(0, deadline=10.0)
    assert [slo_aware.choose(hurried, now) for now in (6.9, 7.1, 50.0)] == [0, 1, 1]


def test_sage_cost_is_price_over_speed():
    pool = pool_of(3)
    for backend, price, speed in zip(pool.backends, (4.0, 3.0, 1.0), (1000.0, 1500.0, 400.0), strict=True):
        backend.price_per_hour, backend.tokens_per_second = price, speed
    assert make_routing("cost_optimized", settings_of(pool)).choose(request(0), 0.0) == 1


def test_adaptive_routes_by_load_from_three_tenths():
    routing = make_routing("adaptive", settings_of(pool_of(2)))
    assert route_all(routing, [request(id) for id in range(63)])[58:] == [0, 0, 1, 1, 1]


def test_hybrid_keeps_a_batch_together_and_off_the_llm_device():
    llm = BackendState(3, Service.LLM)
    pool = pool_of(3, Service.EMBEDDING)
    pool.backends[0].neighbours = (llm,)
    routing = make_routing("hybrid", settings_of(pool))
    assert route_all(routing, [embedding(id, 12) for id in range(5)]) == [1, 1, 2, 2, 1]
    assert route_all(routing, [embedding(5, 1)], now=1.0) == [2], "a batch does not outlive its moment"
    limited = make_routing("hybrid", settings_of(pool_of(2, Service.EMBEDDING, max_in_flight=2)))
    assert route_all(limited, [embedding(id, 1) for id in range(5)]) == [0, 0, 1, 1, None]


def test_a_batch_of_hybrid_is_full_with_32_texts():
    routing = make_routing("hybrid", settings_of(pool_of(2, Service.EMBEDDING)))
    assert route_all(routing, [embedding(id, 16) for id in range(4)]) == [0, 0, 1, 1]


def test_hybrid_counts_what_its_neighbours_on_the_device_do():
    busy = BackendState(3, Service.EMBEDDING)
    busy.visible_in_flight = 5
    pool = pool_of(2, Service.EMBEDDING)
    pool.backends[0].neighbours = (busy,)
    assert route_all(make_routing("hybrid", settings_of(pool)), [embedding(0, 1)]) == [1]


def test_aegaeon_opens_a_group_of_eight_where_least_is_queued():
    pool = pool_of(2)
    pool.backends[1].tokens_per_second = 0.5
    routing = make_routing("aegaeon", settings_of(pool))
    assert route_all(routing, [request(id) for id in range(25)]) == [0] * 8 + [1] * 8 + [0] * 8 + [0]


def test_aegaeon_group_lives_while_its_backend_works():
    pool = pool_of(2)
    routing = make_routing("aegaeon", settings_of(pool))
    elsewhere, member, another = (request(id) for id in range(3))
    send(pool, elsewhere, 0)
    assert route_all(routing, [member]) == [1]
    pool.complete(elsewhere, 1.0)
    assert route_all(routing, [another]) == [1], "though backend 0 is idle"
    pool.complete(member, 1.0)
    pool.complete(another, 1.0)
    assert route_all(routing, [request(3)]) == [0]


def test_least_kv_counts_tokens_not_requests():
    long, short = request(0, prompt=1000), request(1, prompt=1)
    routing = make_routing("least_kv", settings_of(pool_of(2)))
    assert route_all(routing, [long, short, short, short]) == [0, 1, 1, 1]


def test_device_aware_counts_the_tokens_of_all_that_share_a_device():
    pool = pool_of(3)
    neighbours = [BackendState(index, Service.EMBEDDING) for index in (3, 4)]
    for backend, neighbour, tokens in zip((0, 2), neighbours, (100, 30), strict=True):
        pool.backends[backend].neighbours = (neighbour,)
        neighbour.in_flight_tokens = tokens
    send(pool, request(-1, prompt=40), 1)
    send(pool, request(-2, prompt=5, output=5), 2)
    routing = make_routing("device_aware", settings_of(pool))
    assert routing.choose(request(0), 0.0) == 2, "100, 50 and 10 + 30"
    neighbours[1].in_flight_tokens = 41
    assert routing.choose(request(0), 0.0) == 1
    neighbours[0].in_flight_tokens = 50
    assert routing.choose(request(0), 0.0) == 0, "the first registered of equals"


def test_stale_load_makes_the_least_loaded_a_herd():
    pool = pool_of(3, stale_load=1.0)
    pool.refresh(0.0)
    routing = make_routing("least_outstanding", settings_of(pool))
    assert route_all(routing, [request(id) for id in range(5)]) == [0] * 5
    pool.refresh(1.0)
    assert route_all(routing, [request(id) for id in range(5)]) == [1] * 5


def test_power_of_two_spreads_the_herd_and_repeats_itself():
    def choices(seed: int) -> list[int | None]:
        pool = pool_of(10, stale_load=1.0)
        pool.refresh(0.0)
        return route_all(
            make_routing("power_of_two", settings_of(pool, seed)), [request(i) for i in range(2000)]
        )

    assert choices(1) == choices(1) != choices(2)
    counts = np.bincount(np.array(choices(1), dtype=int), minlength=10)
    assert ((counts - 200) ** 2 / 200).sum() < 27.9, "chi-square, 9 degrees of freedom, p = 0.001"


def test_power_of_two_never_takes_the_most_loaded():
    pool = pool_of(4)
    for _ in range(3):
        send(pool, request(-1), 2)
    routing = make_routing("power_of_two", settings_of(pool))
    assert {routing.choose(request(0), 0.0) for _ in range(300)} == {0, 1, 3}


def test_power_of_two_falls_back_to_whoever_accepts():
    pool = pool_of(5, max_in_flight=1)
    routing = make_routing("power_of_two", settings_of(pool))
    assert sorted(route_all(routing, [request(id) for id in range(5)])) == [0, 1, 2, 3, 4]
    assert make_routing("power_of_two", settings_of(pool_of(1))).choose(request(0), 0.0) == 0


def test_prefix_affinity_stays_home_up_to_the_bound():
    """The k-th of one group stays home while home has fewer than ceil(1.25 k / 4)."""
    routing = make_routing("prefix_affinity", settings_of(pool_of(4)))
    chosen = route_all(routing, [request(id, prefix_group=7) for id in range(8)])
    home = chosen[0]
    assert [backend == home for backend in chosen] == [True, False, False, True, False, False, True, False]
    lone = [make_routing("prefix_affinity", settings_of()).choose(request(0), 0.0) for _ in range(3)]
    assert lone == [0, 0, 0], "what shares no prefix goes to the least loaded"


def test_prefix_affinity_uses_all_backends_as_homes():
    routing = make_routing("prefix_affinity", settings_of(pool_of(8)))
    homes = [routing.choose(request(0, prefix_group=group), 0.0) for group in range(800)]
    assert min(np.bincount(homes, minlength=8)) > 50


def test_power_of_two_on_two_backends_compares_both():
    pool = pool_of(2, max_in_flight=9)
    routing = make_routing("power_of_two", settings_of(pool))
    send(pool, request(-1), 0)
    assert [routing.choose(request(id), 0.0) for id in range(20)] == [1] * 20


def test_power_of_two_spreads_a_herd_over_two():
    pool = pool_of(2, stale_load=1.0)
    pool.refresh(0.0)
    chosen = route_all(make_routing("power_of_two", settings_of(pool)), [request(id) for id in range(1000)])
    assert 450 < sum(chosen) < 550


def test_power_of_two_draws_every_pair_equally_often():
    """Of the six pairs of four unequal backends the least loaded wins three, the next two, the third one."""
    pool = pool_of(4)
    for id in range(6):
        send(pool, request(id), (1, 2, 2, 3, 3, 3)[id])
    routing = make_routing("power_of_two", settings_of(pool))
    wins = np.bincount([routing.choose(request(id), 0.0) for id in range(1000)], minlength=4)
    assert wins[3] == 0
    expected = np.array([3, 2, 1]) * 1000 / 6
    assert ((wins[:3] - expected) ** 2 / expected).sum() < 13.8, "chi-square, 2 degrees, p = 0.001"


def test_random_takes_each_backend_equally_often_whatever_its_load_and_repeats_itself():
    def choices(seed: int) -> list[int | None]:
        pool = pool_of(10)
        for id in range(50):
            send(pool, request(-1 - id), 0)
        routing = make_routing("random", settings_of(pool, seed))
        return [routing.choose(request(id), 0.0) for id in range(2000)]

    assert choices(1) == choices(1) != choices(2)
    counts = np.bincount(np.array(choices(1), dtype=int), minlength=10)
    assert ((counts - 200) ** 2 / 200).sum() < 27.9, "chi-square, 9 degrees of freedom, p = 0.001"


def test_random_is_even_over_those_that_accept():
    """The full backends' chances go to the other two alike, not to their neighbours."""
    pool = pool_of(4, max_in_flight=1)
    send(pool, request(-1), 0)
    send(pool, request(-2), 1)
    routing = make_routing("random", settings_of(pool))
    counts = np.bincount([routing.choose(request(id), 0.0) for id in range(1000)], minlength=4)
    assert list(counts[:2]) == [0, 0]
    assert abs(counts[2] - 500) < 3.3 * 250**0.5, "binomial, p = 0.001"
    send(pool, request(-3), 2)
    send(pool, request(-4), 3)
    assert routing.choose(request(0), 0.0) is None


@pytest.mark.parametrize("group", [0, 1, 3])
def test_the_home_of_a_prefix_group_is_the_same_everywhere(group):
    routing = make_routing("prefix_affinity", settings_of(pool_of(5)))
    homes = {routing.choose(request(id, prefix_group=group), 0.0) for id in range(3)}
    assert homes == {crc32(group.to_bytes(8, "little")) % 5}


def test_slo_aware_hurries_what_has_used_more_than_its_share_of_the_deadline():
    pool = pool_of(2)
    answer(pool, 5.0, 0)
    send(pool, request(-1), 1)
    routing = make_routing("slo_aware", settings_of(pool))
    assert routing.choose(request(0, deadline=10.0), 10.0 * HURRY) == 0


def test_stale_load_is_as_old_as_it_may_be_and_no_older():
    pool = pool_of(2, stale_load=2.0)
    pool.refresh(0.0)
    send(pool, request(0), 0)
    seen = []
    for now in (0.0, 1.9, 2.0):
        pool.refresh(now)
        seen.append(pool.backends[0].visible_in_flight)
    assert seen == [0, 0, 1]
