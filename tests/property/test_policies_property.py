"""What holds of every policy, whatever comes."""

from __future__ import annotations

from math import inf

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simcore.control.pool import BackendPool, BackendState
from simcore.policies.base import PolicySettings
from simcore.policies.ordering.deficit_round_robin import cost
from simcore.policies.ordering.first_fit import FirstFit
from simcore.policies.registry import ORDERINGS, ROUTINGS, make_ordering, make_routing
from simcore.policies.urgency import adaptive_choice, is_urgent, urgency
from simcore.request import Kind, Priority, Request, Service

KIND = {Service.LLM: Kind.LLM_CHAT, Service.EMBEDDING: Kind.EMBEDDING}


def settings_of(count=3, service=Service.LLM, limit=None, **options):
    backends = [BackendState(index, service, limit) for index in range(count)]
    return PolicySettings(BackendPool(backends), np.random.default_rng(0), **options)


@st.composite
def shapes(draw, service=Service.LLM):
    """What a request is beside its id and time."""
    texts = draw(st.integers(1, 40))
    llm = service is Service.LLM
    return {
        "kind": KIND[service],
        "prompt_tokens": draw(st.integers(1, 300)) if llm else texts,
        "output_tokens": draw(st.integers(1, 300)) if llm else 0,
        "text_tokens": () if llm else (1,) * texts,
        "priority": draw(st.sampled_from(Priority)),
        "tenant": draw(st.sampled_from("abc")),
        "deadline": draw(st.sampled_from([None, 0.5, 2.0, 10.0])),
        "cost_budget": draw(st.sampled_from([None, 1.0, 2.0])),
        "prefix_group": draw(st.integers(-1, 5)),
    }


def made(id: int, at: float, shape) -> Request:
    request = Request(id=id, stream="s", arrival=at, **shape)
    request.submitted = at
    return request


def acts(service):
    act = st.sampled_from(["pop", "discard", "again", "completed"])
    return st.lists(st.one_of(shapes(service), act, act), max_size=60)


def run(ordering, script, data):
    """Play ``script`` on ``ordering``; yields each popped request, the time and what waited beside it."""
    waiting, popped, now = [], [], 0.0
    for id, act in enumerate(script):
        now += data.draw(st.sampled_from([0.0, 0.3, 1.0]))
        if isinstance(act, dict):
            waiting.append(made(id, now, act))
            ordering.push(waiting[-1], now)
        elif act == "pop" and waiting:
            seen = ordering.peek(now)
            first = ordering.pop(now)
            assert first is seen, "peek promised another"
            waiting.remove(first)
            popped.append(first)
            yield first, now, [first, *waiting]
        elif act == "discard" and waiting:
            ordering.discard(waiting.pop(data.draw(st.integers(0, len(waiting) - 1))))
        elif act == "again" and popped:
            waiting.append(popped.pop())
            ordering.push(waiting[-1], now)
        elif act == "completed" and popped:
            ordering.completed(popped.pop(), now)
        assert len(ordering) == len(waiting)
    while waiting:
        first = ordering.pop(now)
        yield first, now, list(waiting)
        waiting.remove(first)
    assert len(ordering) == 0
    with pytest.raises(IndexError):
        ordering.peek(now)


@pytest.mark.parametrize("service", KIND)
@pytest.mark.parametrize("name", ORDERINGS)
@given(data=st.data())
@settings(max_examples=40)
def test_what_waits_is_popped_exactly_once(name, service, data):
    """Requests that come back, leave or are answered in between change nothing; a pop never finds none."""
    ordering = make_ordering(name, settings_of(service=service, quantum=50))
    for first, _, waiting in run(ordering, data.draw(acts(service)), data):
        assert first in waiting


RANKS = {
    "fifo": lambda r, now: r.submitted,
    "priority": lambda r, now: (r.priority, r.submitted),
    "cost_optimized": lambda r, now: (r.priority, r.cost_budget or inf, r.submitted),
    "earliest_deadline": lambda r, now: (r.arrival + (r.deadline or inf), r.submitted),
    "slo_aware": lambda r, now: (-urgency(r, now), r.arrival),
}


@pytest.mark.parametrize("name", RANKS)
@given(data=st.data())
@settings(max_examples=40)
def test_pop_agrees_with_sorting_all_that_wait(name, data):
    ordering, rank = make_ordering(name, settings_of()), RANKS[name]
    for first, now, waiting in run(ordering, data.draw(acts(Service.LLM)), data):
        assert rank(first, now) == min(rank(each, now) for each in waiting)


@given(data=st.data())
@settings(max_examples=40)
def test_ageing_pops_the_least_effective_priority(data):
    """So a request is overtaken only by those that come within priority x ageing after it: none starves."""
    ordering = make_ordering("ageing_priority", settings_of(ageing=3.0))
    for first, now, waiting in run(ordering, data.draw(acts(Service.LLM)), data):
        effective = [each.priority - (now - each.submitted) / 3.0 for each in waiting]
        assert first.priority - (now - first.submitted) / 3.0 == pytest.approx(min(effective))


@given(data=st.data(), in_flight=st.sampled_from([0, 29, 30, 90]))
@settings(max_examples=60)
def test_adaptive_agrees_with_sorting_by_the_policy_of_the_moment(data, in_flight):
    told = settings_of(count=1)
    for id in range(in_flight):
        one = Request(id, "s", Kind.LLM_CHAT, 0.0, 1)
        one.backend = told.pool.backends[0].index
        told.pool.dispatch(one)
    ordering = make_ordering("adaptive", told)
    for first, now, waiting in run(ordering, data.draw(acts(Service.LLM)), data):
        rank = RANKS[adaptive_choice(any(map(is_urgent, waiting)), in_flight / 100)]
        assert rank(first, now) == min(rank(each, now) for each in waiting)


sizes = st.lists(st.integers(1, 300), min_size=3, max_size=12)


@given(prompts=st.tuples(sizes, sizes, sizes), outputs=sizes, slots=st.integers(1, 6), data=st.data())
@settings(max_examples=100)
def test_virtual_token_counters_stay_within_the_papers_bound(prompts, outputs, slots, data):
    """Tenants that wait throughout: max - min <= max(w_p L, w_q M), M the most tokens in flight so far.

    Of what they were served by this test's own account: an answer that breaks off counts as far as it came.
    """
    ordering = make_ordering("virtual_token_counter", settings_of())
    for tenant, lengths in zip("abc", prompts, strict=True):
        for turn, prompt in enumerate(lengths):
            shape = {"kind": Kind.LLM_CHAT, "prompt_tokens": prompt, "tenant": tenant}
            ordering.push(made(turn, 0.0, shape | {"output_tokens": outputs[turn % len(outputs)]}), 0.0)
    left = {tenant: len(lengths) for tenant, lengths in zip("abc", prompts, strict=True)}
    longest = max(map(max, prompts))
    in_flight, most, served = [], 0, dict.fromkeys("abc", 0)
    while True:
        if in_flight and (len(in_flight) == slots or data.draw(st.booleans())):
            done = in_flight.pop(data.draw(st.integers(0, len(in_flight) - 1)))
            whole, asked = data.draw(st.booleans()), done.output_tokens
            done.generated_tokens = asked if whole else data.draw(st.integers(0, asked))
            (ordering.completed if whole else ordering.cancelled)(done, 0.0)
            served[done.tenant] += 2 * done.generated_tokens
        else:
            gone = ordering.pop(0.0)
            in_flight.append(gone)
            left[gone.tenant] -= 1
            served[gone.tenant] += gone.prompt_tokens
        if not all(left.values()):
            break
        most = max(most, sum(map(cost, in_flight)))
        assert max(served.values()) - min(served.values()) <= max(longest, 2 * most)


@given(costs=st.tuples(sizes, sizes, sizes), quantum=st.integers(1, 700))
@settings(max_examples=150)
def test_deficit_round_robin_stays_within_the_papers_bound(costs, quantum):
    """Over any interval in which all wait, services differ by at most quantum + 2 x the largest cost."""
    ordering = make_ordering("deficit_round_robin", settings_of(quantum=quantum))
    left = {}
    for tenant, lengths in zip("abc", costs, strict=True):
        left[tenant] = len(lengths)
        for turn, tokens in enumerate(lengths):
            ordering.push(
                made(turn, 0.0, {"kind": Kind.LLM_CHAT, "prompt_tokens": tokens, "tenant": tenant}), 0.0
            )
    served = [np.zeros(3)]
    while all(left.values()):
        first = ordering.pop(0.0)
        left[first.tenant] -= 1
        served.append(served[-1] + cost(first) * (np.array(list("abc")) == first.tenant))
    history = np.array(served[:-1])
    gaps = history[:, :, None] - history[:, None, :]
    widest = (gaps.max(axis=0) - gaps.min(axis=0)).max()
    assert widest <= quantum + 2 * max(map(max, costs))


@given(costs=st.tuples(sizes, sizes, sizes), quantum=st.integers(1, 700))
@settings(max_examples=60)
def test_deficit_round_robin_is_the_papers_loop(costs, quantum):
    """Adding up the rounds in which nobody sends changes no decision."""
    ordering = make_ordering("deficit_round_robin", settings_of(quantum=quantum))
    queues = {tenant: list(lengths) for tenant, lengths in zip("abc", costs, strict=True)}
    for tenant, lengths in queues.items():
        for turn, tokens in enumerate(lengths):
            ordering.push(
                made(turn, 0.0, {"kind": Kind.LLM_CHAT, "prompt_tokens": tokens, "tenant": tenant}), 0.0
            )
    deficit, expected = dict.fromkeys(queues, 0), []
    while any(queues.values()):
        for tenant in (name for name in queues if queues[name]):
            deficit[tenant] += quantum
            while queues[tenant] and queues[tenant][0] <= deficit[tenant]:
                deficit[tenant] -= queues[tenant][0]
                expected.append((tenant, queues[tenant].pop(0)))
    popped = [ordering.pop(0.0) for _ in range(len(ordering))]
    assert [(each.tenant, each.prompt_tokens) for each in popped] == expected


@given(items=st.lists(st.integers(1, 12), max_size=60), capacity=st.integers(1, 10))
def test_first_fit_is_the_textbooks_scan(items, capacity):
    batches, rooms = FirstFit(capacity), []
    for size in items:
        takes = min(size, capacity)
        fits = [number for number, room in enumerate(rooms) if room >= takes]
        expected = fits[0] if fits else len(rooms)
        if not fits:
            rooms.append(capacity)
        rooms[expected] -= takes
        assert batches.join(size) == expected


@pytest.mark.parametrize("service", KIND)
@pytest.mark.parametrize("name", ROUTINGS)
@given(data=st.data(), count=st.integers(1, 4), limit=st.sampled_from([1, 2, 9]))
@settings(max_examples=40)
def test_a_request_waits_exactly_when_no_backend_accepts(name, service, data, count, limit):
    told = settings_of(count, service, limit)
    pool, routing, in_flight, now = told.pool, make_routing(name, told), [], 0.0
    for id, act in enumerate(
        data.draw(st.lists(st.one_of(shapes(service), st.floats(0.0, 5.0)), max_size=40))
    ):
        now += data.draw(st.sampled_from([0.0, 0.4]))
        if isinstance(act, dict):
            request = made(id, now, act)
            chosen = routing.choose(request, now)
            assert (chosen is None) == (not pool.accepting())
            if chosen is not None:
                assert pool.state_of(chosen).accepting
                request.backend = chosen
                pool.dispatch(request)
                in_flight.append(request)
        elif in_flight:
            pool.complete(in_flight.pop(int(act * len(in_flight) / 5.1)), act)
    pool.check_integrity()
