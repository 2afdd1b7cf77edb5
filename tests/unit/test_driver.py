"""The driver around the control plane: who counts as waiting, and when a request is told of as ended."""

from __future__ import annotations

from math import isnan
from pathlib import Path

import pytest

from simcore.request import Outcome, Request
from simcore.simulation import simulate
from tests.factories import constant, profile, scenario

CHAT = {"kind": "chat", "prompt_tokens": constant(8), "output_tokens": constant(5)}
EMBED = {"kind": "embedding", "text_tokens": constant(8)}
AT_ONCE = {"process": "constant", "rate": 1.0}


def test_who_gives_up_on_the_way_to_the_control_plane_never_waited_there() -> None:
    document = scenario(
        duration_s=0.9,
        streams={"asked": CHAT | {"arrivals": AT_ONCE, "timeout_ms": 0.5}},
        control_plane={"hop_latency_ms": 1.0},
    )
    result = simulate(document, {"test": profile()}, 0, Path())
    (request,) = result.requests
    assert (request.outcome, request.finished) == (Outcome.TIMED_OUT, 0.0005)
    assert isnan(request.submitted)
    assert result.control_planes[0].waiting_mean == 0.0


def test_who_gives_up_at_the_control_plane_waits_no_more() -> None:
    """The first has the one place until 50; the second waits for it until 20."""
    streams = {
        "first": CHAT | {"arrivals": AT_ONCE},
        "second": CHAT | {"arrivals": AT_ONCE, "timeout_ms": 20.0},
    }
    document = scenario(duration_s=0.9, streams=streams, control_plane={"max_in_flight": 1})
    result = simulate(document, {"test": profile()}, 0, Path())
    assert [request.outcome for request in result.requests] == [Outcome.COMPLETED, Outcome.TIMED_OUT]
    assert result.control_planes[0].waiting_mean * 0.9 == pytest.approx(0.02)


def test_who_gave_up_never_saw_a_token_that_was_on_its_way() -> None:
    """The first token leaves the backend at 12 ms, and is with the client at 14."""
    for timeout, seen in ((13.0, False), (15.0, True)):
        document = scenario(
            duration_s=0.9,
            streams={"asked": CHAT | {"arrivals": AT_ONCE, "timeout_ms": timeout}},
            control_plane={"hop_latency_ms": 1.0},
        )
        (request,) = simulate(document, {"test": profile()}, 0, Path()).requests
        assert (request.outcome, isnan(request.first_token)) == (Outcome.TIMED_OUT, not seen)


@pytest.mark.parametrize(
    "ending",
    [
        {"streams": {"asked": EMBED | {"arrivals": AT_ONCE, "timeout_ms": 5.0}}},
        {
            "streams": {"asked": EMBED | {"arrivals": AT_ONCE}},
            "faults": {"control_plane": [{"at_s": 0.005, "for_s": 0.1}]},
        },
    ],
    ids=["given up", "control plane restarted"],
)
def test_a_request_is_told_of_once_nothing_about_it_changes_any_more(ending: dict[str, object]) -> None:
    """It ends at 5; its batch goes on until 10, and only then is known what others cost it."""
    told: list[tuple[Request, float]] = []
    simulate(
        scenario(duration_s=0.9, **ending),
        {"test": profile()},
        0,
        Path(),
        ended=lambda request: told.append((request, request.interference)),
    )
    ((request, interference),) = told
    assert request.finished == 0.005
    assert interference == request.interference == 0.0
