"""Simulations make no garbage in cycles, which nobody would take away while they run."""

from __future__ import annotations

import gc
from pathlib import Path

import pytest

from simcore.simulation import simulate
from simcore.uncollected import uncollected
from tests.factories import constant, profile, scenario


def left_in_cycles(seconds: int) -> int:
    chat = {"kind": "chat", "prompt_tokens": constant(64), "output_tokens": constant(20)}
    embed = {"kind": "embedding", "text_tokens": constant(8)}
    arrivals = {"arrivals": {"process": "poisson", "rate": 10.0}}
    document = scenario(streams={"chat": chat | arrivals, "embed": embed | arrivals}, duration_s=seconds)
    made = profile(overheads={"request": 1e-3})
    gc.collect()
    with uncollected():
        simulate(document, {"test": made}, 0, Path())
        return gc.collect()


def test_what_a_simulation_leaves_in_cycles_does_not_grow_with_its_requests() -> None:
    left_in_cycles(1)
    assert left_in_cycles(100) < left_in_cycles(20) + 100


@pytest.mark.parametrize("enabled", [True, False])
def test_the_collector_is_afterwards_as_before(enabled: bool) -> None:
    before = gc.isenabled()
    try:
        (gc.enable if enabled else gc.disable)()
        with uncollected():
            assert not gc.isenabled()
        assert gc.isenabled() is enabled
    finally:
        (gc.enable if before else gc.disable)()
