"""Settings of an API server that no profile models are faults, each with its key."""

from __future__ import annotations

from typing import Any

from simcore.scenario.check_models import check_front_ends
from tests.factories import constant, poisson, profile, scenario

PROFILES = {"test": profile(), "served": profile(frontend={"message": 1e-4})}
CHAT = {
    "kind": "chat",
    "prompt_tokens": constant(10),
    "output_tokens": constant(2),
    "arrivals": poisson(1.0),
}


def faulty(name: str, engine: dict[str, Any], plane: dict[str, Any]) -> list[tuple[object, ...]]:
    """The keys at fault where the LLM is on the profile of that name."""
    backends = {"llm": {"kind": "llm", "profile": name, "engine": engine}}
    document = scenario(streams={"chat": CHAT}, backends=backends, control_plane=plane)
    return [tuple(finding.path) for finding in check_front_ends(document, PROFILES)]


def test_a_profile_without_an_api_server_takes_no_setting_of_one() -> None:
    engine, plane = {"api_server_count": 2, "stream_interval": 4}, {"message_cost_ms": 0.1}
    assert faulty("test", engine, plane) == [
        ("backends", "llm", "engine", "api_server_count"),
        ("backends", "llm", "engine", "stream_interval"),
        ("control_plane", "message_cost_ms"),
    ]
    assert faulty("served", engine, plane) == []
    assert faulty("test", {}, {}) == []
