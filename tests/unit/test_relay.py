"""The gateway's process: a queue, first come, first served."""

from __future__ import annotations

from pathlib import Path

import pytest

from simcore.relay import Relay
from simcore.simulation import simulate
from tests.factories import constant, profile, scenario


def test_requests_wait_for_each_other() -> None:
    relay = Relay(request=0.002, message=0.0)
    assert [relay.pass_request(now) for now in (0.0, 0.001, 0.01)] == pytest.approx([0.002, 0.003, 0.002])
    assert relay.busy == pytest.approx(0.006)


def test_messages_are_passed_on_while_they_come_but_no_faster_than_one_at_a_time() -> None:
    """Ten messages within 10 ms: 1 ms each is in time but for the last, 2 ms each is not."""
    assert Relay(0.0, 0.001).pass_messages(10, 0.0, 0.01) == pytest.approx(0.011)
    slow = Relay(0.0, 0.002)
    assert slow.pass_messages(10, 0.0, 0.01) == pytest.approx(0.02)
    assert slow.pass_messages(1, 0.01, 0.0) == pytest.approx(0.012)


def test_a_gateway_without_costs_delays_nothing() -> None:
    relay = Relay(0.0, 0.0)
    assert relay.pass_request(1.0) == 0.0
    assert relay.pass_messages(5, 1.0, 0.25) == 0.25


def test_a_gateway_limits_how_many_requests_a_second_pass_it() -> None:
    """300 a second of 5 ms each: the last of one second waits until 1.5 s, the first does not."""
    stream = {
        "kind": "chat",
        "prompt_tokens": constant(1),
        "output_tokens": constant(1),
        "arrivals": {"process": "constant", "rate": 300.0},
    }
    document = scenario(
        duration_s=1.0,
        streams={"chat": stream},
        backends={"llm": {"kind": "llm", "profile": "test"}},
        control_plane={"request_cost_ms": 5.0},
    )
    found = simulate(document, {"test": profile({"constant": 1e-6})}, 0, Path()).requests
    submitted = sorted(request.submitted for request in found)
    assert submitted[0] == pytest.approx(0.005)
    assert submitted[-1] == pytest.approx(1.5, abs=0.01)
