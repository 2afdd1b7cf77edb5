"""Requests that wait again because their backend was lost: where, how often counted, and at what cost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from simcore.policies.registry import ORDERINGS
from simcore.request import Outcome
from simcore.simulation import simulate
from tests.factories import constant, profile, scenario
from tests.unit.test_faults import NO_CHECKS, crash

CHAT = {"kind": "chat", "prompt_tokens": constant(8), "output_tokens": constant(5)}
EMBED = {"kind": "embedding", "text_tokens": constant(8), "texts": constant(20)}


@pytest.mark.parametrize("ordering", ORDERINGS)
@pytest.mark.parametrize(
    ("service", "stream", "limit"),
    [("llm", CHAT, "max_in_flight"), ("embedding", EMBED, "max_in_flight_embedding")],
)
def test_a_lost_request_goes_before_those_that_came_later(
    ordering: str, service: str, stream: dict[str, Any], limit: str
) -> None:
    """They come at 0, 2.5, 5, ...; at 9 the one backend crashes, with the first one in its first step."""
    document = scenario(
        duration_s=0.012,
        streams={"asked": stream | {"arrivals": {"process": "constant", "rate": 400.0}}},
        backends={service: {"kind": service, "profile": "test", "load_s": 0.0}},
        control_plane={limit: 1, "ordering": ordering},
        faults={
            "events": [crash(0.009, 0.1, backend=service)],
            "recovery": {"health_period_s": 0.2},
        },
    )
    requests = simulate(document, {"test": profile()}, 0, Path()).requests
    dispatched = sorted(requests, key=lambda one: one.dispatched)
    assert [one.id for one in dispatched] == [0, 1, 2, 3, 4]


ONE = CHAT | {"arrivals": {"process": "constant", "rate": 1.0}}


def test_who_waits_again_is_counted_once_as_waiting() -> None:
    """Lost at 5, and dispatched again once the backend answers a check."""
    faults = {"events": [crash(0.005, 0.1)], "recovery": {"health_period_s": 0.2}}
    document = scenario(
        duration_s=0.9,
        streams={"asked": ONE},
        backends={"llm": {"kind": "llm", "profile": "test", "load_s": 0.0}},
        faults=faults,
    )
    result = simulate(document, {"test": profile()}, 0, Path())
    (request,) = result.requests
    assert request.dispatched > 0.1
    assert result.control_planes[0].waiting_mean * 0.9 == pytest.approx(request.dispatched - 0.005)


def test_who_is_sent_again_and_does_not_arrive_has_cost_nothing() -> None:
    """With hops of 10 at the backend at 20, lost at 25, known at 35, given up at 40 on the way to another."""
    document = scenario(
        duration_s=0.9,
        streams={"asked": ONE | {"timeout_ms": 40.0}},
        backends={"llm": {"kind": "llm", "profile": "test", "count": 2}},
        control_plane={"hop_latency_ms": 10.0},
        faults={"events": [crash(0.025)], "recovery": NO_CHECKS},
    )
    (request,) = simulate(document, {"test": profile()}, 0, Path()).requests
    assert (request.outcome, request.backend, request.generated_tokens) == (Outcome.TIMED_OUT, 1, 0)
