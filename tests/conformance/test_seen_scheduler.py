"""The scheduler that calibration plugs into vLLM tells each step once, in order, also when it runs ahead."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from calibration.backends.server import LOG_VARIABLE
from tests.conformance.driver import drive
from tests.conformance.workload import draw_config, draw_loads

pytest.importorskip("vllm", reason="vLLM is not installed: pip install simsage[cpu]")
seen_scheduler = pytest.importorskip("calibration.backends.seen_scheduler")
vllm_driver = pytest.importorskip("tests.conformance.vllm_driver")

MOMENTS = ("admitted", "first", "finished")


@pytest.mark.parametrize("ahead", [0, 1])
def test_every_update_is_paired_with_its_own_decision(
    ahead: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "steps.jsonl"
    monkeypatch.setenv(LOG_VARIABLE, str(log))
    monkeypatch.setattr(vllm_driver, "Scheduler", seen_scheduler.SeenScheduler)
    monkeypatch.setattr(vllm_driver, "AsyncScheduler", seen_scheduler.SeenAsyncScheduler)
    rng = np.random.default_rng(7)
    config = draw_config(rng, async_scheduling=bool(ahead))
    loads = draw_loads(rng, 60, config.block_size)
    decisions = list(drive(vllm_driver.VllmDriver(config), loads, ahead=ahead))
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    told = [(line["step"]["decodes"] + line["step"]["prefill_tokens"]) for line in lines]
    made = [sum(decision.tokens.values()) for decision in decisions if decision.tokens]
    assert told == made
    assert all(line["scheduled"] <= line["updated"] for line in lines)
    overlaps = [a["updated"] > b["scheduled"] for a, b in pairwise(lines)]
    assert any(overlaps) == bool(ahead)
    _each_once(lines, len(loads))


def _each_once(lines: list[dict[str, Any]], most: int) -> None:
    """Every request is named when first scheduled, at its first token and at its last, in that order."""
    places: dict[str, list[tuple[str, int]]] = {}
    for number, line in enumerate(lines):
        for name, received, had in line["admitted"]:
            assert received <= had <= line["scheduled"]
            places.setdefault(name, []).append(("admitted", number))
        for moment in ("first", "finished"):
            for name in line[moment]:
                places[name].append((moment, number))
    whole = [seen for seen in places.values() if len(seen) == len(MOMENTS)]
    assert most / 2 < len(whole) <= len(places) <= most
    for seen in whole:
        assert tuple(moment for moment, _ in seen) == MOMENTS
        assert [number for _, number in seen] == sorted(number for _, number in seen)
    assert all(len(seen) <= len(MOMENTS) for seen in places.values())
