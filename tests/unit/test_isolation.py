"""The isolation verdict has to follow from the model: priority acts only where requests are held."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from simcore.scenario.resolve import with_preset
from simcore.simulation import simulate
from tests.factories import constant, poisson, profile, scenario

PROFILES = {"test": profile({"constant": 0.01, "token": 2e-4, "decode": 5e-4}, engine={"max_num_seqs": 16})}


def interactive_ttft(control_plane: dict[str, Any]) -> np.ndarray:
    """TTFT of an urgent stream beside a flood that the replica can't keep up with for a while."""
    chat = {"kind": "chat", "prompt_tokens": constant(64), "output_tokens": constant(16)}
    flood = {"process": "bursts", "rate": 2, "burst_rate": 20, "burst_s": 5, "period_s": 20}
    document = scenario(
        drain_s=2000.0,
        streams={
            "interactive": chat | {"arrivals": poisson(1), "priority": "HIGH"},
            "batch": chat | {"arrivals": flood, "priority": "LOW", "output_tokens": constant(64)},
        },
        control_plane=control_plane,
    )
    result = simulate(document, PROFILES, 0, Path())
    return np.array([r.first_token - r.arrival for r in result.requests if r.stream == "interactive"])


def test_priority_without_a_limit_in_flight_changes_nothing() -> None:
    fifo = interactive_ttft({"ordering": "fifo"})
    priority = interactive_ttft({"ordering": "priority"})
    assert np.array_equal(fifo, priority)
    assert np.quantile(fifo, 0.99) > 1.0, "the flood does not hurt, so nothing was tested"


def test_priority_with_a_limit_in_flight_shields_the_urgent_stream() -> None:
    without = interactive_ttft({"ordering": "fifo", "max_in_flight": 8})
    isolated = interactive_ttft({"ordering": "priority", "max_in_flight": 8})
    assert np.quantile(isolated, 0.99) < 0.2 * np.quantile(without, 0.99)


def test_a_limit_alone_is_no_isolation() -> None:
    unlimited = interactive_ttft({"ordering": "fifo"})
    limited = interactive_ttft({"ordering": "fifo", "max_in_flight": 8})
    assert np.quantile(limited, 0.99) > 0.9 * np.quantile(unlimited, 0.99)


def test_sage_as_implemented_gives_priority_no_effect() -> None:
    """Its loop pairs decisions with requests in order of arrival, so high priority waits like the rest."""
    implemented = with_preset({"preset": "sage-implemented"})
    designed = {"ordering": "priority", "routing": "priority", "max_in_flight": 8}
    assert np.median(interactive_ttft(implemented)) > 10 * np.median(interactive_ttft(designed))
