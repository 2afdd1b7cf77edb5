"""A slower machine: everything takes longer by one factor, and nothing else changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from simcore.profile.document import ProfileDocument
from simcore.profile.load import load_profile
from simcore.profile.slowed import Slowdown, slowed
from simcore.profile.use import llm_profile, step_time
from simcore.request import Request
from simcore.simulation import simulate
from simcore.step import Step
from tests.factories import constant, scenario
from validate.anchor import at_pace, slowdown_of
from validate.pace import Pace

FACTOR = 1.25
BY = Slowdown(FACTOR, FACTOR)
SHARED = {"mode": "uncoordinated"}


def played(profile: ProfileDocument, clock: float) -> list[Request]:
    """The same requests on a clock that runs ``clock`` times as slowly."""
    arrivals = {"process": "poisson", "rate": 4.0 / clock}
    chat: dict[str, Any] = {
        "kind": "chat",
        "arrivals": arrivals,
        "prompt_tokens": constant(200),
        "output_tokens": {"distribution": "uniform", "low": 2, "high": 60},
    }
    embed = {"kind": "embedding", "arrivals": arrivals, "text_tokens": constant(40)}
    backends = {
        "llm": {"kind": "llm", "profile": "test", "device": "core"},
        "embedding": {"kind": "embedding", "profile": "test", "device": "core"},
        "index": {"kind": "retriever", "profile": "test", "k": 10},
    }
    stages = {"find": {"kind": "retrieval"}, "say": {**chat, "after": ["find"]}}
    stages["say"].pop("arrivals")
    document = scenario(
        duration_s=30.0 * clock,
        drain_s=60.0 * clock,
        streams={
            "chat": chat,
            "embed": embed,
            "rag": {"kind": "pipeline", "arrivals": arrivals, "stages": stages},
        },
        devices={"core": SHARED},
        backends=backends,
        control_plane={"costs_profile": "test"},
    )
    return simulate(document, {"test": profile}, 0, Path()).requests


def test_all_times_of_a_slower_machine_are_longer_by_its_factor() -> None:
    profile = load_profile("cpu-qwen2-40m", Path())
    usual, slower = played(profile, 1.0), played(slowed(profile, BY), FACTOR)
    assert len(usual) == len(slower) > 300
    for fast, slow in zip(usual, slower, strict=True):
        assert (fast.stream, fast.stage, fast.prompt_tokens, fast.outcome) == (
            slow.stream,
            slow.stage,
            slow.prompt_tokens,
            slow.outcome,
        )
        assert slow.finished == pytest.approx(FACTOR * fast.finished, rel=1e-9)


def test_a_step_of_many_tokens_need_not_be_as_slow_as_one_of_few() -> None:
    profile = load_profile("cpu-qwen2-40m", Path())
    assert profile.llm is not None
    usual, slower = (
        step_time(llm_profile({"test": one}, "test"))
        for one in (profile, slowed(profile, Slowdown(1.2, 1.0)))
    )
    for step in (
        Step(decodes=1, decode_context=50),
        Step(prefills=4, prefill_tokens=2000, prefill_attention=1e6),
    ):
        kind = usual.decode_correction(1) if step.decodes else usual.prefill_correction(2000)
        assert slower(step) - usual(step) == pytest.approx(0.2 * usual.constant * kind)


def test_what_two_loads_took_tells_both_paces() -> None:
    """The first is mostly what every step takes, the second mostly what grows; a server each for half."""
    narrow = [Pace("a", 10, 0.6 * 1.2 + 0.4 * 1.05, 1.0, 0.6)] * 2
    wide = [Pace("a", 10, 0.1 * 1.2 + 1.9 * 1.05, 2.0, 0.1)] * 2
    assert slowdown_of([narrow, wide]) == pytest.approx((1.2, 1.05), rel=1e-4)


def test_what_loads_leave_open_stays_near_to_the_profile() -> None:
    alike = [Pace("a", 10, 1.1, 1.0, 0.5)]
    assert slowdown_of([alike, alike]) == pytest.approx((1.1, 1.1), rel=1e-4)


def test_a_moments_noise_in_one_load_makes_no_time_negative() -> None:
    narrow, wide = [Pace("a", 10, 0.5, 1.0, 0.6)], [Pace("a", 10, 4.5, 2.0, 0.1)]
    assert slowdown_of([narrow, wide]) == pytest.approx((0.5, 2.0))


def test_turns_take_longer_and_slowdowns_stay() -> None:
    profile = load_profile("cpu-qwen2-40m", Path())
    assert profile.colocation is not None
    measured = profile.colocation.model_copy(update={"turn": 0.004})
    found = slowed(profile.model_copy(update={"colocation": measured}), BY).colocation
    assert found == measured.model_copy(update={"turn": 0.005})


def test_only_a_cpu_has_a_pace() -> None:
    profiles = {name: load_profile(name, Path()) for name in ("cpu-qwen2-40m", "a100-llama-2-7b")}
    paced = at_pace(profiles, BY)
    assert paced["a100-llama-2-7b"] is profiles["a100-llama-2-7b"]
    assert paced["cpu-qwen2-40m"] != profiles["cpu-qwen2-40m"]
    assert at_pace(profiles, None) == profiles
