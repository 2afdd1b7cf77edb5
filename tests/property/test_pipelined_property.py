"""Runs of steps that a pipelined replica passes at once, against the same steps taken one by one."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simcore.llm.scheduler import Scheduler
from simcore.result import SimulationResult
from simcore.simulation import simulate
from tests.factories import lognormal_quantiles, poisson, profile, scenario, times
from tests.property.wide_scenarios import DELAYS, FRONT, HOST, TIMES, uniform

PACES = {
    "the GPU": TIMES,
    "the thread": TIMES | {"constant": 0.0005},
    "one, then the other": TIMES | {"constant": 0.0011},
}
"""Step times of engines in which a decode step waits for that."""


@st.composite
def profiles(draw: st.DrawFn) -> Any:
    spread = lognormal_quantiles(draw(st.sampled_from([0.0, 0.05, 0.4])))
    share = draw(st.sampled_from([0.0, 0.05, 1.0, 3.0]))
    front = {name: cost * share for name, cost in FRONT.items()} | {"turns": 5}
    host = HOST | {"update": draw(st.sampled_from([2e-4, 1e-3]))}
    served: dict[str, Any] = {"frontend": front} if share else {}
    return profile(
        PACES[draw(st.sampled_from(sorted(PACES)))],
        overheads=DELAYS,
        engine={"cudagraph_capture_sizes": draw(st.sampled_from([[1, 4, 32], [1, 2]]))},
        residuals=spread,
        host_time=host | {"residuals": spread},
        **served,
    )


@st.composite
def scenarios(draw: st.DrawFn) -> Any:
    """Few requests with long answers, some of which nobody waits for."""
    chat = {
        "kind": "chat",
        "prompt_tokens": uniform(1, 180),
        "output_tokens": uniform(1, draw(st.sampled_from([40, 400]))),
        "arrivals": poisson(draw(st.sampled_from([0.5, 4, 12]))),
    }
    return scenario(
        seed=draw(st.integers(0, 2**32)),
        duration_s=draw(st.sampled_from([4.0, 8.0])),
        drain_s=draw(st.sampled_from([0.5, 100.0])),
        streams={"patient": chat, "hasty": chat | {"timeout_ms": draw(st.sampled_from([300.0, 1000.0]))}},
        backends={
            "llm": {
                "kind": "llm",
                "profile": "test",
                "count": draw(st.integers(1, 2)),
                "engine": {
                    "max_num_seqs": draw(st.sampled_from([2, 32])),
                    "max_num_batched_tokens": draw(st.sampled_from([32, 1024])),
                    "num_gpu_blocks": draw(st.sampled_from([60, 2000])),
                    "enable_prefix_caching": draw(st.booleans()),
                    "async_scheduling": draw(st.booleans()),
                    "api_server_count": draw(st.sampled_from([None, 2])),
                    "stream_interval": draw(st.sampled_from([None, 5])),
                },
            }
        },
        control_plane={"message_cost_ms": draw(st.sampled_from([0.0, 0.0, 0.5]))},
    )


def run(document: Any, made: Any) -> SimulationResult:
    return simulate(document, {"test": made}, 0, Path())


@settings(max_examples=60)
@given(scenarios(), profiles())
def test_runs_of_steps_equal_single_steps_to_the_last_bit(document: Any, made: Any) -> None:
    at_once = run(document, made)
    with patch.object(Scheduler, "uneventful_steps", lambda self: 0):
        one_by_one = run(document, made)
    for one, other in zip(at_once.requests, one_by_one.requests, strict=True):
        assert (one.outcome, one.generated_tokens, one.preemptions) == (
            other.outcome,
            other.generated_tokens,
            other.preemptions,
        )
        assert times(one) == times(other)
    blocks = document.backends["llm"].engine.num_gpu_blocks
    for backend, same in zip(at_once.backends, one_by_one.backends, strict=True):
        assert (backend.steps, backend.kv_peak) == (same.steps, same.kv_peak)
        assert backend.busy == pytest.approx(same.busy, rel=1e-9)
        assert backend.batch_mean == pytest.approx(same.batch_mean, rel=1e-9)
        # Within a run blocks are taken to be filled evenly: at most one is wrong.
        assert backend.kv_mean == pytest.approx(same.kv_mean, rel=0.05, abs=1 / blocks)
