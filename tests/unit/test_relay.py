"""The gateway's process: a queue, first come, first served."""

from __future__ import annotations

from pathlib import Path

import pytest
from simpy import Environment

from simcore.backend import BackendEvents
from simcore.llm.event_loop import EventLoop
from simcore.profile.frontend import FrontEndCosts
from simcore.relay import Relay
from simcore.request import Kind, Request
from simcore.simulation import simulate
from simcore.timer import Timer
from tests.factories import constant, profile, scenario


def test_messages_are_passed_on_while_they_come_but_no_faster_than_one_at_a_time() -> None:
    """Ten messages within 10 ms: 1 ms each is in time but for the last, 2 ms each is not."""
    assert Relay(0.001).pass_messages(10, 0.0, 0.01) == pytest.approx((0.0, 0.011))
    slow = Relay(0.002)
    assert slow.pass_messages(10, 0.0, 0.01) == pytest.approx((0.0, 0.02))
    assert slow.pass_messages(1, 0.01, 0.0) == pytest.approx((0.01, 0.012))


def test_a_gateway_without_costs_delays_nothing() -> None:
    assert Relay(0.0).pass_messages(5, 1.0, 0.25) == (0.0, 0.25)


def test_a_gateway_is_the_bottleneck_of_streams_that_it_passes_too_slowly() -> None:
    """Ten streams whose first tokens leave the server within 10 x 0.1 ms, and the gateway after 10 x 5 ms.

    It can begin with those that the server writes at once, or when the turn ends that wrote nine of them.
    """
    for writes_at_once, last in ((True, 66.0), (False, 66.9)):
        assert _first_tokens(writes_at_once)[1:] == [pytest.approx(last)] * 9


def test_messages_of_several_servers_are_taken_as_they_are_written_not_as_turns_begin() -> None:
    """One server's turn lasts from 0 to 20 ms, another's from 1 to 2: that one's message is through at 3."""
    env = Environment()
    seen: dict[Request, float] = {}
    events = BackendEvents(lambda one, _: seen.setdefault(one, env.now), lambda *_: None, lambda _: None)
    relay = Relay(0.001)
    slow, quick = (Request(number, "", Kind.LLM_CHAT, 0.0, 1, 9) for number in range(2))
    for start, request, message in ((0.0, slow, 0.02), (0.001, quick, 0.001)):
        loop = EventLoop(env, FrontEndCosts(message=message), 0.0, lambda _: None, events, relay)
        Timer(env, start, loop.hand_out, 1.0, [request], [])
    env.run()
    assert (seen[quick], seen[slow]) == pytest.approx((0.003, 0.021))


def test_an_answer_ends_after_its_first_token_however_far_the_gateway_is_behind() -> None:
    """Ten streams of a message each 10 ms, 2 ms each: it falls behind by 10 ms a step."""
    chat = {"kind": "chat", "prompt_tokens": constant(1), "arrivals": {"process": "constant", "rate": 0.1}}
    long = {f"long{number}": chat | {"output_tokens": constant(40)} for number in range(10)}
    short = {"kind": "chat", "prompt_tokens": constant(301), "output_tokens": constant(2)}
    document = scenario(
        duration_s=1.0,
        streams=long | {"short": short | {"arrivals": {"process": "constant", "rate": 0.1}}},
        backends={"llm": {"kind": "llm", "profile": "test"}},
        control_plane={"message_cost_ms": 2.0},
    )
    made = profile({"constant": 0.01}, overheads={"prompt_token": 0.001}, frontend={"step": 1e-4})
    found = simulate(document, {"test": made}, 0, Path()).requests
    (one,) = (request for request in found if request.stream == "short")
    assert one.first_token - one.engine_first_token > 0.25
    assert one.first_token < one.finished


def _first_tokens(writes_at_once: bool) -> list[float]:
    """Milliseconds; all are in one step but the first, which is in the step before and passes alone."""
    frontend = {"message": 0.0001, "writes_at_once": writes_at_once}
    chat = {
        "kind": "chat",
        "prompt_tokens": constant(1),
        "output_tokens": constant(1),
        "arrivals": {"process": "constant", "rate": 0.1},
    }
    document = scenario(
        duration_s=1.0,
        streams={f"chat{number}": chat for number in range(10)},
        backends={"llm": {"kind": "llm", "profile": "test"}},
        control_plane={"message_cost_ms": 5.0},
    )
    made = profile({"constant": 0.01}, overheads={"request": 0.001}, frontend=frontend)
    found = simulate(document, {"test": made}, 0, Path()).requests
    return sorted(round(1e3 * one.first_token, 3) for one in found)
