"""An engine's thread and its GPU, to the millisecond: what overlaps and what does not."""

from __future__ import annotations

from math import isnan
from pathlib import Path
from typing import Any

import pytest

from simcore.profile.hosttime import HostTime
from simcore.request import Request
from simcore.result import SimulationResult
from simcore.simulation import simulate
from simcore.step import Step
from tests.factories import constant, profile, scenario

HOST = {"graph": 0.002, "piecewise": 0.004, "eager": 0.03, "prepare": 0.001, "update": 0.001}


def run(prompt: int, output: int, gpu: float = 0.01, **engine: Any) -> SimulationResult:
    """One chat at 0; the GPU needs 10 ms for each step, or ``gpu`` s, and has graphs of up to 64 tokens."""
    made = profile({"constant": gpu}, engine={"cudagraph_capture_sizes": [1, 64]}, host_time=HOST)
    document = scenario(
        duration_s=0.5,
        streams={
            "chat": {
                "kind": "chat",
                "prompt_tokens": constant(prompt),
                "output_tokens": constant(output),
                "arrivals": {"process": "constant", "rate": 1.0},
            }
        },
        backends={"llm": {"kind": "llm", "profile": "test", "engine": engine}},
    )
    return simulate(document, {"test": made}, 0, Path())


def times(request: Request) -> tuple[float, float]:
    """Milliseconds of the engine's first and last token."""
    return round(1e3 * request.engine_first_token, 6), round(1e3 * request.engine_finished, 6)


def test_without_asynchronous_scheduling_the_thread_and_the_gpu_wait_for_each_other() -> None:
    """Prompt: GPU from 1 to 11, update to 12. Each decode: 2 launch + 10 GPU + 1 update."""
    (request,) = run(3, 3).requests
    assert times(request) == (12.0, 38.0)


def test_with_asynchronous_scheduling_the_next_step_is_launched_before_a_result_is_taken_in() -> None:
    """The GPU works from 1 to 31 without a pause; each update comes 1 ms after a result."""
    (request,) = run(3, 3, async_scheduling=True).requests
    assert times(request) == (12.0, 32.0)


def test_the_next_step_is_launched_before_a_result_is_taken_in_that_is_there_already() -> None:
    """The GPU is done with the prompt at 2 and has all of it at 4; the first decode is launched from 4 to 6.

    Only then is the prompt's result taken in, until 7. The second decode is launched from 7 to 9, the first
    one's result taken in from 9 to 10; by then the second is computed, and nothing is left to launch.
    """
    (request,) = run(3, 3, gpu=0.001, async_scheduling=True).requests
    assert times(request) == (7.0, 11.0)


def test_a_result_waits_for_the_thread_that_launches_a_long_step_kernel_by_kernel() -> None:
    """A prompt of 3 reaches the engine at 0.15 ms, one of 100 at 5 ms; the short one's answer has two tokens.

    Its decode is launched from 4.15 to 6.15 and computed at 21.15. The thread launches the long step from
    12.15 to 42.15, and takes the decode's result in only then; the GPU is done with the long one at 31.15.
    """
    delays = {"prompt_token": 0.00005}
    made = profile(engine={"cudagraph_capture_sizes": [1, 64]}, host_time=HOST, overheads=delays)
    chat = {"kind": "chat", "arrivals": {"process": "constant", "rate": 1.0}}
    streams = {
        "short": chat | {"prompt_tokens": constant(3), "output_tokens": constant(2)},
        "long": chat | {"prompt_tokens": constant(100), "output_tokens": constant(1)},
    }
    backends = {"llm": {"kind": "llm", "profile": "test", "engine": {"async_scheduling": True}}}
    document = scenario(duration_s=0.5, streams=streams, backends=backends)
    short, long = sorted(
        simulate(document, {"test": made}, 0, Path()).requests, key=lambda one: one.prompt_tokens
    )
    assert times(short) == (12.15, 43.15)
    assert times(long) == (44.15, 44.15)


def test_who_is_given_up_while_the_thread_launches_a_step_is_in_none() -> None:
    """The long prompt comes at 2 ms and is given up at 3; the first one's step is launched from 1 to 5.

    What comes then is as if it had not come: GPU from 2 to 32, each update 1 ms after a result.
    """
    asked = {"kind": "chat", "output_tokens": constant(3), "arrivals": {"process": "constant", "rate": 1.0}}
    streams = {
        "first": asked | {"prompt_tokens": constant(3)},
        "long": asked | {"prompt_tokens": constant(100), "timeout_ms": 3.0},
    }
    delays = {"request": 0.001 - 3e-5, "prompt_token": 1e-5}
    made = profile(engine={"cudagraph_capture_sizes": [1, 64]}, host_time=HOST, overheads=delays)
    backends = {"llm": {"kind": "llm", "profile": "test", "engine": {"async_scheduling": True}}}
    document = scenario(duration_s=0.5, streams=streams, backends=backends)
    first, long = simulate(document, {"test": made}, 0, Path()).requests
    assert (long.backend_arrival, long.finished) == (pytest.approx(0.00197), 0.003)
    assert isnan(long.scheduled)
    assert times(first) == (13.0, 33.0)


def test_how_a_step_is_launched_depends_on_its_prompts_and_on_the_largest_graph() -> None:
    host = HostTime(**HOST, request=0.0001, largest_graph=64)
    graph, piecewise = Step(decodes=10), Step(decodes=10, prefills=1, prefill_tokens=54)
    assert host.launch(graph) == host.first_kernel(graph) == pytest.approx(0.003)
    assert host.launch(piecewise) == pytest.approx(0.0051)
    assert host.first_kernel(piecewise) == pytest.approx(0.0021)
    assert host.launch(Step(decodes=11, prefills=1, prefill_tokens=54)) == pytest.approx(0.0312)
    assert host.launch(Step(decodes=65)) == pytest.approx(0.0365)
    assert not host.one_graph(Step(decodes=65))


@pytest.mark.parametrize("ahead", [False, True])
def test_the_engine_is_as_busy_as_its_steps_are_long_and_counts_each_of_them(ahead: bool) -> None:
    (usage,) = run(3, 20, async_scheduling=ahead).backends
    assert usage.steps == 20
    busy = 0.001 * (202.0 if ahead else 12 + 19 * 13)
    assert usage.busy == pytest.approx(busy)
