"""The API server's event loop, to the millisecond."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest

from simcore.llm.api_server import ApiServer
from simcore.llm.event_loop import EventLoop
from simcore.relay import Relay
from simcore.request import Request
from simcore.simulation import simulate
from simsage.environment import event_loop
from tests.factories import constant, profile, scenario

COSTS = {"request": 0.002, "turns": 2, "step": 0.001, "token": 0.001, "message": 0.003, "end": 0.005}


def answered(
    output: int, costs: dict[str, float], requests: int = 1, **engine: Any
) -> list[tuple[float, float, float]]:
    """Milliseconds of arrival at the engine, first token and end, of chats at 0; steps last 10 ms."""
    made = profile({"constant": 0.01}, frontend=COSTS | costs)
    chat = {
        "kind": "chat",
        "prompt_tokens": constant(3),
        "output_tokens": constant(output),
        "arrivals": {"process": "constant", "rate": 0.1},
    }
    document = scenario(
        duration_s=1.0,
        streams={f"chat{number}": chat for number in range(requests)},
        backends={"llm": {"kind": "llm", "profile": "test", "engine": engine}},
    )
    found = simulate(document, {"test": made}, 0, Path()).requests
    return [tuple(map(_ms, (one.backend_arrival, one.first_token, one.finished))) for one in found]  # type: ignore[misc]


def _ms(seconds: float) -> float:
    return round(1e3 * seconds, 6)


def test_a_request_and_its_tokens_pass_turns_of_the_loop() -> None:
    """In: two turns of 1 ms, midway in the second to the engine. Steps end at 11.5 and 21.5.

    Each is taken in for 2 ms, then a message takes 3. The last message and the end of the stream take 8 ms;
    the client has the answer at the end of that turn, or midway in it from a server that writes at once.
    """
    assert answered(2, {}) == [(1.5, 16.5, 31.5)]
    assert answered(2, {"writes_at_once": True}) == [(1.5, 16.5, 27.5)]


def test_an_answer_of_one_token_ends_with_it() -> None:
    assert answered(1, {}) == [(1.5, 21.5, 21.5)]


def test_tokens_that_wait_for_the_loop_leave_in_one_message() -> None:
    """Steps end at 11.5 and every 10 ms; the first message takes from 13.5 to 43.5, the other three are one.

    They are taken in from 43.5 to 49.5 and sent in 35 ms, end included.
    """
    assert answered(4, {"message": 0.03}) == [(1.5, 43.5, 84.5)]


def test_an_answer_that_leaves_in_one_message_ends_with_its_first_token() -> None:
    """Chats of one and of two tokens reach the engine at 3 and 8 ms; a message takes 30 ms.

    The first one's is on its way from 13 to 43. The other's tokens come at 23 and 33 and are one message, the
    only one from 43 to 73: a server that writes at once sends it then, as the newest stream's.
    """
    costs = {"message": 0.03, "writes_at_once": True}
    made = profile({"constant": 0.01}, overheads={"prompt_token": 0.001}, frontend=costs)
    streams = {
        f"chat{output}": {
            "kind": "chat",
            "prompt_tokens": constant(prompt),
            "output_tokens": constant(output),
            "arrivals": {"process": "constant", "rate": 0.1},
        }
        for prompt, output in ((3, 1), (8, 2))
    }
    backends = {"llm": {"kind": "llm", "profile": "test"}}
    document = scenario(duration_s=1.0, streams=streams, backends=backends)
    found = simulate(document, {"test": made}, 0, Path()).requests
    assert [(_ms(one.first_token), _ms(one.finished)) for one in found] == [(43.0, 43.0), (73.0, 73.0)]


def test_results_that_come_while_the_loop_is_busy_need_three_turns() -> None:
    """The second of two chats waits for turns of 20 ms, in which results of the first chat's steps are read.

    The first is in the engine after two turns of 20 and 40 ms at 40 ms, the second at 70 after another of 20.
    Steps end at 50 and, for the second, 80 ms. That of 50 ms is read in the turn from 60 to 80, detokenised
    in 2 ms and sent in 3. In it the other is detokenised; what is written leaves at its end or at once.
    """
    at_once, _ = answered(1, {"request": 0.04, "end": 0.0, "writes_at_once": True}, 2)
    assert at_once[1] == 85.0
    first, second = answered(1, {"request": 0.04, "end": 0.0}, 2)
    assert (first[0], second[0]) == (40.0, 70.0)
    assert first[1] == 87.0


def test_requests_that_come_at_once_share_the_turns() -> None:
    """The first has a turn of 1 ms alone, then one of 4 ms with the others, who need one of 3 ms more.

    Those that enter the engine in one turn lie evenly in it.
    """
    assert [arrived for arrived, _, _ in answered(1, {}, requests=4)] == [3.0, 5.75, 6.5, 7.25]


def test_processes_share_the_requests() -> None:
    """Two each. One process: a step from 2 to 12 and one to 22; two: from 1.5 to 11.5 and to 21.5."""
    assert [arrived for arrived, _, _ in answered(1, {}, 4, api_server_count=2)] == [2.0, 2.0, 3.5, 3.5]
    alone, both = answered(1, {"end": 0.0}, 2), answered(1, {"end": 0.0}, 2, api_server_count=2)
    assert [first for _, first, _ in alone] == [17.0, 27.0]
    assert [first for _, first, _ in both] == [16.5, 26.5]


def test_a_stream_interval_saves_messages_but_not_the_first() -> None:
    """Of the messages after the first, a fourth: 0.75 ms instead of 3 for the token at 21.5 ms."""
    ((_, first, end),) = answered(2, {"end": 0.0}, stream_interval=4)
    assert (first, end) == (16.5, 24.25)


def test_a_request_that_is_given_up_on_its_way_in_never_reaches_the_engine() -> None:
    made = profile({"constant": 0.01}, frontend=COSTS | {"request": 0.1})
    chat = {
        "kind": "chat",
        "prompt_tokens": constant(3),
        "output_tokens": constant(5),
        "arrivals": {"process": "constant", "rate": 0.1},
        "timeout_ms": 50.0,
    }
    document = scenario(
        duration_s=1.0, streams={"chat": chat}, backends={"llm": {"kind": "llm", "profile": "test"}}
    )
    result = simulate(document, {"test": made}, 0, Path())
    (request,) = result.requests
    assert isinstance(request, Request)
    assert request.outcome is not None
    assert request.outcome.value == "timed_out"
    assert result.backends[0].steps == 0


def test_a_request_that_does_not_fit_the_engine_is_forgotten() -> None:
    if event_loop() == "compiled":
        pytest.skip("no class of a compiled event loop can be taken apart")
    made: list[ApiServer] = []

    class Watched(ApiServer):
        def __init__(self, *given: Any) -> None:
            super().__init__(*given)
            made.append(self)

    with patch("simcore.llm.make.ApiServer", Watched):
        answered(5, {}, max_model_len=4)
    assert [len(server._loop_of) for server in made] == [0]


def test_turns_that_are_no_events_end_as_when_they_are_taken_one_by_one() -> None:
    """Chats that come at random, many while others are on their way in or tokens on their way out."""
    if event_loop() == "compiled":
        pytest.skip("no class of a compiled event loop can be taken apart")
    times_of_steps, delays = {"constant": 0.004, "decode": 0.0002}, {"request": 0.001}
    chat = {
        "kind": "chat",
        "prompt_tokens": {"distribution": "uniform", "low": 1, "high": 40},
        "output_tokens": {"distribution": "uniform", "low": 1, "high": 30},
        "arrivals": {"process": "poisson", "rate": 40.0},
    }
    document = scenario(
        duration_s=5.0, streams={"chat": chat}, backends={"llm": {"kind": "llm", "profile": "test"}}
    )

    def times(costs: dict[str, float]) -> np.ndarray:
        made = profile(times_of_steps, frontend=costs, overheads=delays)
        found = simulate(document, {"test": made}, 0, Path()).requests
        return np.array([(one.backend_arrival, one.first_token, one.finished) for one in found])

    slow, quick = COSTS | {"turns": 9}, {name: cost / 10 for name, cost in COSTS.items()} | {"turns": 9}
    at_once, tokens_at_once = times(slow), times(quick)
    with patch.object(EventLoop, "_turns_to_go", lambda self: 0):
        assert at_once == pytest.approx(times(slow), abs=1e-9)
    # Whoever passes messages on is told of each.
    with patch.object(Relay, "takes_time", True):
        assert (tokens_at_once == times(quick)).all()
    assert len(at_once) > 150
