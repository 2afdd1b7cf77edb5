"""The least loaded backend of a pool, beside a walk over all."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from simcore.control.pool import BackendPool, BackendState
from simcore.request import Kind, Request, Service

MOST = 3
"""Requests that a backend takes at a time."""


def walked(pool: BackendPool) -> BackendState | None:
    accepting = pool.accepting()
    return min(accepting, key=lambda one: (one.visible_in_flight, one.index), default=None)


@settings(max_examples=150)
@given(
    backends=st.integers(1, 6),
    limited=st.booleans(),
    stale=st.sampled_from([0.0, 2.0]),
    moves=st.lists(
        st.tuples(st.sampled_from(["ask", "any", "answer", "mark"]), st.integers(0, 60)), max_size=400
    ),
)
def test_it_is_the_first_of_those_with_the_fewest_requests(
    backends: int, limited: bool, stale: float, moves: list[tuple[str, int]]
) -> None:
    limit = MOST if limited else None
    states = [BackendState(index, Service.LLM, limit) for index in range(backends)]
    pool, under_way = BackendPool(states, stale), list[Request]()
    for now, (move, number) in enumerate(moves):
        pool.refresh(float(now))
        chosen = states[number % backends]
        if move == "mark":
            pool.mark(chosen.index, not chosen.healthy)
        elif move == "answer" and under_way:
            pool.complete(under_way.pop(number % len(under_way)), 0.1)
        elif move == "ask":
            least = pool.least_loaded()
            assert least is walked(pool)
            chosen = least or chosen
        if move in ("ask", "any") and chosen.accepting:
            request = Request(now, "s", Kind.LLM_CHAT, 0.0, 10 + number, 1 + now)
            request.backend = chosen.index
            pool.dispatch(request)
            under_way.append(request)
        pool.check_integrity()
        for one in states:
            here = [request for request in under_way if request.backend == one.index]
            tokens = sum(request.prompt_tokens + request.output_tokens for request in here)
            assert (one.in_flight, one.in_flight_tokens) == (len(here), tokens)
    assert pool.least_loaded() is walked(pool)
