"""What a request that ends before its answer has cost: the tokens that its backend had made for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from simcore.request import Outcome
from simcore.result import SimulationResult
from simcore.simulation import simulate
from tests.factories import constant, profile, scenario
from tests.unit.test_faults import NO_CHECKS, crash

LONG = {"kind": "generate", "prompt_tokens": constant(8), "output_tokens": constant(1000)}
ONE = {"process": "constant", "rate": 1.0}


def run(stream: dict[str, Any], engine: dict[str, Any] | None = None, **parts: Any) -> SimulationResult:
    return simulate(
        scenario(**{"duration_s": 0.9, "streams": {"s": stream}} | parts),
        {"test": profile(engine=engine)},
        0,
        Path(),
    )


@pytest.mark.parametrize(("timeout", "tokens"), [(5.0, 1), (15.0, 2), (255.0, 26)])
def test_a_client_that_gives_up_had_the_tokens_until_the_end_of_the_step(timeout: float, tokens: int) -> None:
    (request,) = run(LONG | {"timeout_ms": timeout, "arrivals": ONE}).requests
    assert (request.outcome, request.generated_tokens) == (Outcome.TIMED_OUT, tokens)


def test_one_that_waits_in_the_engines_queue_has_none() -> None:
    """They come at 0, 1 and 2, and give up within the second step of the first, who alone fits."""
    arrivals = {"process": "constant", "rate": 1000.0}
    found = run(LONG | {"timeout_ms": 15.0, "arrivals": arrivals}, {"max_num_seqs": 1}, duration_s=0.0025)
    assert [one.generated_tokens for one in found.requests] == [2, 0, 0]


def test_a_crash_in_mid_answer_leaves_what_was_made() -> None:
    faults = {"events": [crash(0.025)], "recovery": NO_CHECKS}
    (request,) = run(LONG | {"arrivals": ONE}, faults=faults).requests
    assert (request.outcome, request.generated_tokens) == (Outcome.FAILED, 3)


def test_a_whole_answer_that_the_client_did_not_wait_for_counts_whole() -> None:
    """Five tokens, made at 50; the answer is 3 on its way, the client waits 52."""
    short = LONG | {"output_tokens": constant(5), "timeout_ms": 52.0, "arrivals": ONE}
    (request,) = run(short, control_plane={"hop_latency_ms": 1.0}).requests
    assert (request.outcome, request.generated_tokens) == (Outcome.TIMED_OUT, 5)


@pytest.mark.parametrize("slots", [1, 4])
def test_tenants_get_equal_shares_though_one_never_waits_for_the_end(slots: int) -> None:
    """Answers of a thousand tokens that are given up after two seconds, beside answers of forty."""
    asked = [("a", 1000, 2 * slots, {"timeout_ms": 2000.0}), ("b", 40, 4 * slots, {})]
    streams = {
        tenant: {
            "kind": "generate",
            "tenant": tenant,
            "prompt_tokens": constant(1),
            "output_tokens": constant(output),
            "arrivals": {"process": "closed_loop", "users": users, "think_time_s": constant(0)},
        }
        | more
        for tenant, output, users, more in asked
    }
    plane = {"max_in_flight": slots, "ordering": "virtual_token_counter"}
    document = scenario(duration_s=60.0, drain_s=0.0, streams=streams, control_plane=plane)
    requests = simulate(document, {"test": profile()}, 0, Path()).requests
    share = {name: sum(r.generated_tokens for r in requests if r.tenant == name) for name in "ab"}
    assert share["a"] == pytest.approx(share["b"], abs=slots * 1000)
    assert sum(share.values()) == pytest.approx(6000 * slots, rel=0.05)
