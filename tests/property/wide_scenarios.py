"""Random scenarios of all that the schema knows: kinds, arrivals, policies, control planes, engines, devices.

``SIMSAGE_PROPERTY_EXAMPLES`` sets how many each property is checked on (default 25).
"""

from __future__ import annotations

import os
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from simcore.policies.registry import ORDERINGS, ROUTINGS
from simcore.scenario.document import ScenarioDocument
from simcore.scenario.resolve import resolve
from tests.factories import constant, lognormal_quantiles, profile, scenario

EXAMPLES = int(os.environ.get("SIMSAGE_PROPERTY_EXAMPLES", "25"))
SETTINGS = settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
DURATION = 6.0
DRAINED = 1e5
"""Seconds after which whatever can be answered has been."""
TIMES = {"constant": 0.004, "token": 1e-4, "decode": 2e-4, "context": 2e-6, "attention": 1e-8}
BATCHES = {"constant": 0.005, "padded": 1e-4}
DELAYS = {"request": 0.002, "output": 0.001}
HOST = {"graph": 0.001, "piecewise": 0.004, "eager": 0.012, "request": 1e-4, "prepare": 0.002, "update": 2e-4}
FRONT = {"request": 0.002, "step": 2e-4, "token": 1e-4, "message": 2e-4, "end": 1e-3, "turns": 5}
PROFILES = {
    "test": profile(TIMES, BATCHES, sigma=0.1, overheads=DELAYS),
    "served": profile(
        TIMES,
        BATCHES,
        sigma=0.1,
        overheads=DELAYS,
        engine={"cudagraph_capture_sizes": [1, 4, 32]},
        host_time=HOST | {"residuals": lognormal_quantiles(0.3)},
        frontend=FRONT,
    ),
}
"""One whose engine is a step time alone, and one whose thread, GPU and API server are told apart."""
PRIORITIES = ["CRITICAL", "HIGH", "NORMAL", "LOW", "BACKGROUND"]


def uniform(low: int, high: int) -> dict[str, Any]:
    return {"distribution": "uniform", "low": low, "high": high}


LENGTHS = st.sampled_from(
    [
        constant(1),
        uniform(1, 90),
        {"distribution": "exponential", "mean": 40},
        {"distribution": "lognormal", "median": 30, "sigma": 1.0, "high": 150},
        {"distribution": "gamma", "mean": 40, "cv": 2.0},
        {"distribution": "empirical", "values": [1, 17, 120], "weights": [1, 4, 2]},
    ]
)
RATES = st.sampled_from([0.5, 4.0, 15.0])
ARRIVALS = st.one_of(
    st.fixed_dictionaries({"process": st.sampled_from(["poisson", "constant"]), "rate": RATES}),
    st.fixed_dictionaries({"process": st.just("gamma"), "rate": RATES, "cv": st.sampled_from([0.3, 3.0])}),
    st.fixed_dictionaries(
        {"process": st.just("weibull"), "rate": RATES, "shape": st.sampled_from([0.6, 2.0])}
    ),
    st.fixed_dictionaries({"process": st.just("ramp"), "from_rate": st.just(0.0), "to_rate": RATES}),
    st.just({"process": "bursts", "rate": 1.0, "burst_rate": 30.0, "burst_s": 0.5, "period_s": 2.0}),
    st.fixed_dictionaries(
        {
            "process": st.just("closed_loop"),
            "users": st.integers(1, 5),
            "think_time_s": st.sampled_from([constant(0.2), {"distribution": "exponential", "mean": 0.4}]),
        }
    ),
)


@st.composite
def parts(draw: st.DrawFn, kind: str) -> dict[str, Any]:
    """A stream's or stage's kind with its lengths."""
    part: dict[str, Any] = {"kind": kind}
    if kind in ("chat", "generate"):
        part |= {"prompt_tokens": draw(LENGTHS), "output_tokens": draw(LENGTHS)}
        part["prefix"] = draw(st.sampled_from([None, {"groups": 2, "tokens": 48}]))
    if kind == "embedding":
        part |= {"text_tokens": draw(LENGTHS), "texts": draw(st.sampled_from([None, uniform(1, 5)]))}
    return part


@st.composite
def streams(draw: st.DrawFn, kind: str) -> dict[str, Any]:
    stream = draw(parts(kind)) | {
        "arrivals": draw(ARRIVALS),
        "tenant": draw(st.sampled_from(["a", "b"])),
        "priority": draw(st.sampled_from(PRIORITIES)),
        "high_priority_share": draw(st.sampled_from([None, 0.3])),
        "timeout_ms": draw(st.sampled_from([None, None, 150.0, 2000.0])),
        "deadline_ms": draw(st.sampled_from([None, 500.0])),
        "cost_budget": draw(st.sampled_from([None, 1.0])),
        "slo": draw(st.sampled_from([{}, {"e2el_ms": 300.0}, {"ttft_ms": 100.0, "tpot_ms": 10.0}])),
    }
    if kind == "pipeline":
        stages = {name: draw(parts(name)) for name in ("embedding", "retrieval", "chat")}
        stages["generate"] = draw(parts("generate")) | {
            "after": draw(st.sampled_from([["chat"], ["embedding"], []]))
        }
        stream["stages"] = stages
    return stream


@st.composite
def engines(draw: st.DrawFn) -> dict[str, Any]:
    """From roomy to so tight that it preempts, and that the longest requests do not fit."""
    budget = draw(st.sampled_from([32, 128, 1024]))
    return {
        "max_num_seqs": draw(st.sampled_from([1, 4, 32])),
        "max_num_batched_tokens": budget,
        "max_model_len": draw(st.sampled_from([256, 1024])),
        "num_gpu_blocks": draw(st.sampled_from([18, 40, 2000])),
        "block_size": 16,
        "enable_prefix_caching": draw(st.booleans()),
        "scheduling_policy": draw(st.sampled_from(["fcfs", "priority"])),
        "async_scheduling": draw(st.booleans()),
        "long_prefill_token_threshold": draw(st.sampled_from([0, 24])),
        "watermark": draw(st.sampled_from([0.0, 0.1])),
        "scheduler_reserve_full_isl": draw(st.booleans()),
        "api_server_count": draw(st.sampled_from([None, 2])),
        "stream_interval": draw(st.sampled_from([None, 5])),
    }


@st.composite
def control_planes(draw: st.DrawFn) -> dict[str, Any]:
    if preset := draw(st.sampled_from([None, None, None, "sage-designed", "sage-implemented"])):
        return {"preset": preset}
    return {
        "kind": draw(st.sampled_from(["unified", "separate"])),
        "ordering": draw(st.sampled_from(sorted(ORDERINGS))),
        "routing": draw(st.sampled_from(sorted(ROUTINGS))),
        "admission": draw(
            st.sampled_from(
                [
                    {},
                    {"policy": "token_bucket", "rate": 5.0, "burst": 3.0},
                    {"policy": "saturation", "threshold": 4.0},
                ]
            )
        ),
        "max_in_flight": draw(st.sampled_from([None, 1, 6])),
        "max_in_flight_embedding": draw(st.sampled_from([None, 1, 3])),
        "dispatch_period_ms": draw(st.sampled_from([0.0, 0.0, 50.0])),
        "decision_cost_ms": draw(st.sampled_from([0.0, 0.0, 3.0])),
        "hop_latency_ms": draw(st.sampled_from([0.0, 1.0, 1.0])),
        "message_cost_ms": draw(st.sampled_from([0.0, 0.5])),
        "stale_load_ms": draw(st.sampled_from([0.0, 100.0])),
        "blocking_chat": draw(st.booleans()),
        "quantum_tokens": draw(st.sampled_from([16, 512])),
    }


@st.composite
def faults(draw: st.DrawFn, count: int, hop: float) -> dict[str, Any]:
    """None at all, or up to four that may fall together; a backend always comes back in the end.

    Without a ``hop`` the control plane is not restarted: one who thinks no time would be refused for ever.
    """
    events = []
    for kind in draw(st.lists(st.sampled_from(["crash", "hang", "slow_down", "unreachable"]), max_size=4)):
        event = {
            "kind": kind,
            "backend": draw(st.sampled_from(["llm", "embedding"])),
            "index": draw(st.integers(0, count - 1)),
            "at_s": draw(st.sampled_from([0.0, 0.7, 0.75, 2.0, 5.0])),
            "for_s": draw(st.sampled_from([0.01, 1.0, 8.0])),
        }
        if kind == "slow_down":
            event["factor"] = draw(st.sampled_from([1.5, 4.0]))
        if kind == "crash" and draw(st.booleans()):
            event["for_s"] = None
        events.append(event)
    recovery = {
        "health_period_s": draw(st.sampled_from([0.3, 10.0])),
        "health_timeout_s": draw(st.sampled_from([0.1, 5.0])),
        "failed_after": draw(st.sampled_from([1, 3])),
        "retries": draw(st.sampled_from([0, 1, 3])),
        "restart_after": draw(st.sampled_from([1, 2])),
    }
    chance = {"kind": "crash", "backend": "embedding", "mtbf_s": 2.0, "mttr_s": 0.2}
    one = {"at_s": draw(st.sampled_from([0.0, 0.7, 2.0])), "for_s": draw(st.sampled_from([0.01, 1.0]))}
    two = [one, {"at_s": 2.005, "for_s": 0.5}]
    return {
        "events": events,
        "random": draw(st.sampled_from([[], [chance]])),
        "control_plane": draw(st.sampled_from([[], [one], two])) if hop else [],
        "recovery": recovery,
    }


@st.composite
def wide_scenarios(draw: st.DrawFn) -> ScenarioDocument:
    """A resolved scenario of one to four streams, on one or two backends of each kind."""
    kinds = ["chat", "generate", "embedding", "retrieval", "pipeline"]
    chosen = draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=4))
    plane = draw(control_planes())
    modes = ["uncoordinated"] if plane.get("kind") == "separate" else ["uncoordinated", "coordinated"]
    count = draw(st.integers(1, 2))
    shared = draw(st.sampled_from([None, "gpu"]))
    batching = {
        "max_batch": draw(st.sampled_from([1, 8])),
        "max_wait_ms": draw(st.sampled_from([0.0, 5.0])),
        "serial": draw(st.booleans()),
    }
    document = scenario(
        seed=draw(st.integers(0, 2**32)),
        duration_s=DURATION,
        warmup_s=draw(st.sampled_from([0.0, 1.0])),
        drain_s=draw(st.sampled_from([0.5, DRAINED])),
        streams={f"s{i}": draw(streams(kind)) for i, kind in enumerate(chosen)},
        devices={"gpu": {"mode": draw(st.sampled_from(modes))}},
        backends={
            "llm": {
                "kind": "llm",
                "profile": draw(st.sampled_from(["test", "served"])),
                "count": count,
                "device": shared,
                "engine": draw(engines()),
                "load_s": draw(st.sampled_from([0.0, 2.0])),
                "sample_residuals": draw(st.booleans()),
            },
            "embedding": {
                "kind": "embedding",
                "profile": "test",
                "count": count,
                "device": shared,
                "batching": batching,
            },
            "index": {
                "kind": "retriever",
                "service_time_ms": {"distribution": "exponential", "mean": 20},
                "concurrency": draw(st.sampled_from([1, 16])),
            },
        },
        control_plane=plane,
        faults=draw(faults(count, plane.get("hop_latency_ms", 0.0))),
    )
    return resolve(document, document.variants[0], None)
