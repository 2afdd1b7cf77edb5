"""Energy of simulated backends against schedules worked out by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simcore.energy import add_idle
from simcore.llm.usage import ReplicaUsage
from simcore.profile.document import ProfileDocument
from simcore.profile.power import Power, StepEnergy
from simcore.request import Service
from simcore.result import BackendUsage, SimulationResult
from simcore.simulation import simulate
from simcore.step import Step
from tests.factories import profile, scenario

POWER: dict[str, Any] = {
    "how": "estimated",
    "source": "made up",
    "idle_watts": 100.0,
    "limit_watts": 700.0,
    "joules_per_step": 1.0,
    "joules_per_token": 0.01,
    "joules_per_kv_token": 0.001,
}
ENERGY = StepEnergy(1.0, 0.01, 0.001)


def powered(llm: dict[str, Any] | None = None, embedding: dict[str, Any] | None = None) -> ProfileDocument:
    found = profile({"constant": 0.01}, {"constant": 0.01})
    for part, changes in ((found.llm, llm), (found.embedding, embedding)):
        if part is not None and changes is not None:
            part.power = Power.model_validate(POWER | changes)
    return found


def run(document: ProfileDocument, **parts: Any) -> SimulationResult:
    return simulate(scenario(**parts), {"test": document}, 0, Path())


def chats(output: int, arrivals: list[float]) -> dict[str, Any]:
    return {
        "chat": {
            "kind": "chat",
            "arrivals": {"process": "constant", "rate": 1 / (arrivals[1] - arrivals[0])},
            "prompt_tokens": {"distribution": "constant", "value": 30},
            "output_tokens": {"distribution": "constant", "value": output},
        }
    }


def test_a_prefill_and_four_decodes_to_the_joule() -> None:
    usage = ReplicaUsage(0.0, 10.0, 100)
    usage.energy = ENERGY
    usage.stepped(Step(prefills=1, prefill_tokens=30, prefill_attention=450.0), 2, 0.0, 0.1)
    usage.ran(4, 1, (31, 34), (2, 3), 0.1, 0.2)
    # 5 steps, 30 + 4 tokens, 31 + 32 + 33 + 34 cached ones read.
    assert usage.joules == pytest.approx(5 + 0.34 + 0.130)


@given(st.integers(2, 50), st.integers(1, 64), st.integers(1, 100_000), st.floats(0.02, 1.0))
def test_a_run_takes_what_its_steps_take(steps: int, decodes: int, context: int, seconds: float) -> None:
    whole, single = ReplicaUsage(0.0, 1e3, 100), ReplicaUsage(0.0, 1e3, 100)
    whole.energy = single.energy = ENERGY
    last = context + decodes * (steps - 1)
    whole.ran(steps, decodes, (context, last), (1, 1), 0.0, steps * seconds)
    for i in range(steps):
        step = Step(decodes=decodes, decode_context=context + i * decodes)
        single.stepped(step, 1, i * seconds, (i + 1) * seconds)
    assert whole.joules == pytest.approx(single.joules)


def test_only_the_part_in_the_window_counts() -> None:
    usage = ReplicaUsage(1.0, 2.0, 100)
    usage.energy = ENERGY
    usage.stepped(Step(decodes=1, decode_context=100), 1, 0.75, 1.25)
    assert usage.joules == pytest.approx((1 + 0.01 + 0.1) / 2)


def test_an_embedding_servers_batches_to_the_joule() -> None:
    stream = {
        "kind": "embedding",
        "arrivals": {"process": "constant", "rate": 1.0},
        "text_tokens": {"distribution": "constant", "value": 20},
    }
    document = powered(embedding={})
    backends = {"embedding": {"kind": "embedding", "profile": "test"}}
    result = run(document, streams={"s": stream}, backends=backends, duration_s=10.0)
    (usage,) = result.backends
    assert usage.steps == 10
    assert usage.joules == pytest.approx(100.0 * 10.0 + 10 * (1 + 0.2))


def usage_of(device: str, joules: float | None, busy: float = 10.0) -> BackendUsage:
    return BackendUsage("b", Service.LLM, device, "p", 10.0, busy, 1, 1.0, 0.0, joules=joules)


def test_a_shared_device_is_idle_once() -> None:
    power = Power.model_validate(POWER)
    usages = [usage_of("gpu", 300.0), usage_of("gpu", 100.0), usage_of("other", 50.0)]
    add_idle(usages, [power] * 3)
    assert [usage.joules for usage in usages] == [300.0 + 500.0, 100.0 + 500.0, 50.0 + 1000.0]


def test_a_shared_device_draws_no_more_than_its_limit() -> None:
    usages = [usage_of("gpu", 6000.0), usage_of("gpu", 3000.0)]
    add_idle(usages, [Power.model_validate(POWER)] * 2)
    assert [usage.joules for usage in usages] == [4000.0 + 500.0, 2000.0 + 500.0]


def test_a_backend_draws_no_more_than_the_limit_while_it_works() -> None:
    usages = [usage_of("gpu", 6000.0, busy=2.0)]
    add_idle(usages, [Power.model_validate(POWER)])
    assert usages[0].joules == 600.0 * 2.0 + 100.0 * 10.0


def test_nothing_is_known_of_a_device_beside_a_backend_without_power() -> None:
    usages = [usage_of("gpu", 6.0), usage_of("gpu", None), usage_of("other", 6.0)]
    add_idle(usages, [Power.model_validate(POWER), None, Power.model_validate(POWER)])
    assert [usage.joules for usage in usages] == [None, None, 1006.0]


@pytest.mark.parametrize("limit", [120.0, 180.0, 700.0])
@pytest.mark.parametrize("mode", ["uncoordinated", "coordinated"])
def test_power_lies_between_idle_and_the_limit(limit: float, mode: str) -> None:
    streams = {
        "chat": {
            "kind": "chat",
            "arrivals": {"process": "poisson", "rate": 8.0},
            "prompt_tokens": {"distribution": "constant", "value": 200},
            "output_tokens": {"distribution": "constant", "value": 50},
        },
        "embed": {
            "kind": "embedding",
            "arrivals": {"process": "poisson", "rate": 20.0},
            "text_tokens": {"distribution": "constant", "value": 50},
        },
    }
    backends = {
        "llm": {"kind": "llm", "profile": "test", "device": "gpu"},
        "embedding": {"kind": "embedding", "profile": "test", "device": "gpu"},
    }
    result = run(
        powered({"limit_watts": limit}, {"limit_watts": limit}),
        streams=streams,
        backends=backends,
        devices={"gpu": {"mode": mode}},
        duration_s=20.0,
    )
    joules = sum(usage.joules or 0.0 for usage in result.backends)
    span = result.backends[0].span
    assert 100.0 * span < joules <= limit * span * (1 + 1e-12)


def test_a_profile_without_power_has_no_joules() -> None:
    result = run(profile(), streams=chats(5, [0.0, 1.0]), duration_s=3.0)
    assert [usage.joules for usage in result.backends] == [None, None]


def test_idle_power_is_below_the_limit() -> None:
    with pytest.raises(ValueError, match="limit_watts must be above idle_watts"):
        Power.model_validate(POWER | {"limit_watts": 100.0})
