"""The dispatcher: what a chat under way holds back, however it ends; when a loop with a period decides."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simcore.control.plane import ControlPlane
from simcore.request import Kind, Priority, Request
from tests.unit.test_live_driver import plane_of, states

Ends = Callable[[ControlPlane, Request, float], None]


def sent(number: int, kind: Kind) -> Request:
    return Request(number, "s", kind, 0.0, 1, 1, text_tokens=(1,) if kind is Kind.EMBEDDING else ())


def submitted(plane: ControlPlane, *requests: Request, now: float = 0.0) -> list[int]:
    """The numbers of those that go at once."""
    gone = []
    for request in requests:
        assert plane.submit(request, now) is None
        gone += [one.request.id for one in plane.next_dispatches(now)]
    return gone


@pytest.mark.parametrize("ends", [ControlPlane.completed, ControlPlane.cancelled])
def test_a_chat_under_way_keeps_everything_waiting_until_it_ends(ends: Ends) -> None:
    plane = plane_of(states(2, 1), blocking_chat=True)
    chat, embedding = sent(0, Kind.LLM_CHAT), sent(1, Kind.EMBEDDING)
    assert submitted(plane, chat, embedding) == [0]
    assert plane.next_dispatches(1.0) == []
    ends(plane, chat, 2.0)
    assert [one.request.id for one in plane.next_dispatches(2.0)] == [1]


@pytest.mark.parametrize("ends", [ControlPlane.completed, ControlPlane.cancelled, ControlPlane.requeued])
def test_what_is_no_chat_ends_without_letting_anything_past_one(ends: Ends) -> None:
    plane = plane_of(states(2, 1), blocking_chat=True)
    generate, chat, embedding = sent(0, Kind.LLM_GENERATE), sent(1, Kind.LLM_CHAT), sent(2, Kind.EMBEDDING)
    assert submitted(plane, generate, chat, embedding) == [0, 1]
    ends(plane, generate, 1.0)
    assert plane.next_dispatches(1.0) == []
    plane.completed(chat, 2.0)
    assert 2 in [one.request.id for one in plane.next_dispatches(2.0)]


def test_a_chat_that_waits_again_holds_nothing_back_until_it_goes_again() -> None:
    plane = plane_of(states(1, 1), blocking_chat=True)
    chat, embedding = sent(0, Kind.LLM_CHAT), sent(1, Kind.EMBEDDING)
    assert submitted(plane, chat, embedding) == [0]
    plane.mark(0, False)
    plane.requeued(chat, 1.0)
    assert [one.request.id for one in plane.next_dispatches(1.0)] == [1]
    plane.mark(0, True)
    assert [one.request.id for one in plane.next_dispatches(2.0)] == [0]
    plane.completed(chat, 3.0)
    assert submitted(plane, sent(2, Kind.EMBEDDING), now=3.0) == [2]


def test_a_loop_with_a_period_decides_once_a_tick() -> None:
    plane = plane_of(states(4, 1), dispatch_period_ms=50.0)
    assert submitted(plane, sent(0, Kind.LLM_CHAT), now=0.0) == [0]
    assert submitted(plane, sent(1, Kind.LLM_CHAT), now=0.001) == []
    assert plane.wake_at(0.001) == 0.05
    assert plane.next_dispatches(0.0499) == []
    assert [one.request.id for one in plane.next_dispatches(0.05)] == [1]


@given(st.integers(0, 1000), st.integers(2, 5))
def test_all_that_comes_exactly_at_a_tick_is_decided_on_then(tick: int, count: int) -> None:
    plane = plane_of(states(10, 1), dispatch_period_ms=50.0)
    together = [sent(number, Kind.LLM_CHAT) for number in range(count)]
    assert submitted(plane, *together, now=tick * 0.05) == list(range(count))
    assert submitted(plane, sent(count, Kind.LLM_CHAT), now=tick * 0.05 + 0.001) == []


def test_planes_apart_are_asked_again_when_the_first_of_them_is_due() -> None:
    plane = plane_of(states(1, 1), kind="separate", decision_cost_ms=10.0)
    kinds = [Kind.LLM_CHAT, Kind.LLM_CHAT, Kind.EMBEDDING, Kind.EMBEDDING]
    sent_before = [sent(number, kind) for number, kind in enumerate(kinds)]
    for one in sent_before:
        assert plane.submit(one, 0.0) is None
    assert sorted(one.request.id for one in plane.next_dispatches(0.0)) == [0, 2]
    plane.cancelled(sent_before[1], 0.002)
    assert plane.wake_at(0.002) == 0.01
    assert plane.submit(sent(4, Kind.LLM_CHAT), 0.004) is None
    assert plane.wake_at(0.004) == 0.01


def test_of_two_services_the_more_urgent_goes_first_whichever_it_is() -> None:
    """One decision at a time, and both wait for it."""
    gone = []
    for urgent in (Kind.LLM_CHAT, Kind.EMBEDDING):
        plane = plane_of(states(2, 2), ordering="priority", decision_cost_ms=10.0)
        assert submitted(plane, sent(0, Kind.LLM_CHAT)) == [0]
        for number, kind in enumerate((Kind.LLM_CHAT, Kind.EMBEDDING), start=1):
            one = sent(number, kind)
            one.priority = Priority.HIGH if kind is urgent else Priority.LOW
            assert plane.submit(one, 0.0) is None
        gone.append([one.request.id for one in plane.next_dispatches(0.01) + plane.next_dispatches(0.02)])
    assert gone == [[1, 2], [2, 1]]


def test_an_answer_is_told_to_the_policies_and_its_seconds_to_the_pool() -> None:
    plane = plane_of(states(1, 0))
    (lane,) = plane.dispatchers[0].lanes.values()
    told: list[tuple[str, int, float]] = []
    lane.ordering.completed = lambda one, now: told.append(("ordering", one.id, now))  # type: ignore[method-assign]
    lane.routing.completed = lambda one, now: told.append(("routing", one.id, now))  # type: ignore[method-assign]
    averages = []
    for number, (begins, ends) in enumerate([(1.0, 3.0), (4.0, 10.0)]):
        chat = sent(number, Kind.LLM_CHAT)
        assert submitted(plane, chat, now=begins) == [number]
        plane.completed(chat, ends)
        averages.append(lane.pool.backends[0].average_latency)
    assert told == [("ordering", 0, 3.0), ("routing", 0, 3.0), ("ordering", 1, 10.0), ("routing", 1, 10.0)]
    assert averages == pytest.approx([0.1 * 2.0, 0.9 * 0.2 + 0.1 * 6.0])


@pytest.mark.parametrize("since", [0.0, 1e6])
def test_ticks_stay_ticks_however_late_it_is(since: float) -> None:
    """In floats, and 3 us beside a tick is none; the clock is days old in the second case."""
    plane = plane_of(states(100, 1), dispatch_period_ms=50.0)
    for number in range(50):
        at = since + number * 0.05
        assert plane.submit(sent(number, Kind.LLM_CHAT), at) is None
        if number % 2:
            assert plane.next_dispatches(at - 0.04) == []
        assert [one.request.id for one in plane.next_dispatches(at)] == [number]
