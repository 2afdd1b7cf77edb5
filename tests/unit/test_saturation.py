"""Saturation, on queues whose answer is known: they serve all that is asked, or they do not."""

from __future__ import annotations

from heapq import heapreplace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simcore.metrics import Window
from simsage.saturation import State, Stays, backlog_of, state_of

SPAN = 300.0
QUICK = settings(max_examples=60, deadline=None)


def queue(arrivals: list[float], service: float, servers: int = 1) -> Stays:
    """First come first served; it starts empty."""
    free, left = [0.0] * servers, []
    for arrival in arrivals:
        left.append(max(arrival, free[0]) + service)
        heapreplace(free, left[-1])
    return Stays(np.array(arrivals), np.array(left), np.full(len(arrivals), service))


def judged(stays: Stays, span: float = SPAN, start: float = 0.0, **outcomes: int) -> State:
    sending = Window(start, span)
    arrivals = int((stays.arrived >= start).sum())
    ended = {"completed": arrivals - sum(outcomes.values())} | outcomes
    cut = outcomes.get("unfinished", 0)
    one: Any = SimpleNamespace(arrivals=arrivals, outcomes=ended, backlog=backlog_of(stays, sending, cut))
    return state_of([one])


def steady(rate: float, span: float = SPAN) -> list[float]:
    return list(np.arange(0, span, 1 / rate))


@pytest.mark.parametrize(
    ("load", "expected"), [(0.5, State.STABLE), (0.95, State.STABLE), (1.1, State.SATURATED)]
)
@pytest.mark.parametrize("servers", [1, 8])
def test_a_queue_that_starts_empty_saturates_beyond_its_rate(load: float, expected: State, servers: int):
    assert judged(queue(steady(4.0), load * servers / 4.0, servers)) is expected


def test_what_is_still_answered_at_the_end_and_was_not_there_at_the_start_is_no_backlog():
    """Answers of 8 s to 4 requests a second, all at once: 32 are there at the end, a 37th of 1,200."""
    assert judged(queue(steady(4.0), 8.0, servers=10_000)) is State.STABLE


def test_a_ramp_of_arrivals_is_no_backlog_and_one_beyond_the_capacity_is():
    grown = np.sqrt(np.arange(1, 1050)) * SPAN / np.sqrt(1050)
    assert judged(queue(list(grown), 8.0, servers=10_000)) is State.STABLE
    assert judged(queue(list(grown), 8.0, servers=40)) is State.SATURATED


def test_requests_that_come_last_and_together_do_not_decide():
    assert judged(queue([*steady(4.0), *[SPAN - 0.01] * 40], 0.2)) is State.STABLE


def test_a_window_of_no_length_or_shorter_than_three_answers_is_too_short_to_say():
    assert judged(queue([0.0] * 20, 0.5, servers=20), span=0.0) is State.TOO_SHORT
    assert judged(queue(steady(4.0), SPAN / 2, servers=10_000)) is State.TOO_SHORT


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ({"timed_out": 20}, State.STABLE),
        ({"timed_out": 25}, State.SATURATED),
        ({"unfinished": 32}, State.STABLE),
    ],
)
def test_more_than_two_in_a_hundred_lost_is_saturated_but_not_what_the_end_cut_off(
    outcomes: dict[str, int], expected: State
):
    assert judged(queue(steady(4.0), 0.2), **outcomes) is expected


@QUICK
@given(st.lists(st.floats(0, SPAN), min_size=1, max_size=200), st.floats(0.01, SPAN / 4))
def test_where_nothing_waits_nothing_saturates_whatever_the_arrivals(arrivals: list[float], service: float):
    assert judged(queue(sorted(arrivals), service, servers=len(arrivals))) is State.STABLE


@QUICK
@given(st.floats(2, 20), st.floats(0.1, 1.9), st.integers(1, 20), st.sampled_from([0.0, 60.0]))
def test_a_queue_is_stable_below_its_rate_and_saturated_above(
    rate: float, load: float, servers: int, start: float
):
    found = judged(queue(steady(rate), load * servers / rate, servers), start=start)
    if load <= 1:
        assert found is State.STABLE
    elif load >= 1.2:
        assert found is State.SATURATED
