"""A slower machine: everything takes longer by one factor, and nothing else changes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from simcore.profile.document import ProfileDocument
from simcore.profile.load import load_profile
from simcore.profile.slowed import slowed
from simcore.request import Request
from simcore.simulation import simulate
from tests.factories import constant, scenario

FACTOR = 1.25
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
    usual, slower = played(profile, 1.0), played(slowed(profile, FACTOR), FACTOR)
    assert len(usual) == len(slower) > 300
    for fast, slow in zip(usual, slower, strict=True):
        assert (fast.stream, fast.stage, fast.prompt_tokens, fast.outcome) == (
            slow.stream,
            slow.stage,
            slow.prompt_tokens,
            slow.outcome,
        )
        assert slow.finished == pytest.approx(FACTOR * fast.finished, rel=1e-9)


def test_turns_take_longer_and_slowdowns_stay() -> None:
    profile = load_profile("cpu-qwen2-40m", Path())
    assert profile.colocation is not None
    measured = profile.colocation.model_copy(update={"turn": 0.004})
    found = slowed(profile.model_copy(update={"colocation": measured}), FACTOR).colocation
    assert found == measured.model_copy(update={"turn": 0.005})
