"""The dispatcher: what a chat under way holds back, however it ends; when a loop with a period decides."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from simcore.control.plane import ControlPlane
from simcore.request import Kind, Request
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
    assert submitted(plane, sent(1, Kind.LLM_CHAT), now=0.0) == []
    assert plane.wake_at(0.0) == 0.05
    assert plane.next_dispatches(0.0499) == []
    assert [one.request.id for one in plane.next_dispatches(0.05)] == [1]


def test_planes_apart_are_asked_again_when_the_first_of_them_is_due() -> None:
    plane = plane_of(states(1, 1), kind="separate", decision_cost_ms=10.0)
    for number, kind in enumerate([Kind.LLM_CHAT, Kind.LLM_CHAT, Kind.EMBEDDING, Kind.EMBEDDING]):
        assert plane.submit(sent(number, kind), 0.0) is None
    assert sorted(one.request.id for one in plane.next_dispatches(0.0)) == [0, 2]
    assert plane.submit(sent(4, Kind.LLM_CHAT), 0.004) is None
    assert plane.wake_at(0.004) == 0.01
