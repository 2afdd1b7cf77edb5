"""What vLLM 0.32's own scheduler decided on made-up loads, written down for where there is no vLLM.

``python -m tests.golden.test_decisions`` asks vLLM, where it is installed, and writes the file anew.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path

import numpy as np
import pytest

from simcore.llm.config import SchedulerConfig
from tests.conformance.driver import Decision, Driver, drive
from tests.conformance.our_driver import OurDriver
from tests.conformance.workload import draw_config, draw_loads

GOLDEN = Path(__file__).with_name("decisions.json")
SEEDS = (*range(31), 42, 54, 59, 87, 95, 96, 125, 126, 128)
"""The last nine are rare: one is preempted with its tokens of the step, or with one that has no hash yet."""
REQUESTS = 100
WAYS = {"sync": False, "async": True}


def digest(seed: int, way: str, driver: Callable[[SchedulerConfig], Driver]) -> str:
    """Of all steps that a scheduler takes with the engine and the load of that seed."""
    rng = np.random.default_rng(seed)
    config = draw_config(rng, async_scheduling=WAYS[way])
    loads = draw_loads(rng, REQUESTS, config.block_size)
    found = blake2b(digest_size=8)
    for decision in drive(driver(config), loads, ahead=int(WAYS[way])):
        found.update(written(decision).encode())
    return found.hexdigest()


def written(decision: Decision) -> str:
    """One step as text, the same from both schedulers."""
    tokens, hits = (sorted(one.items()) for one in (decision.tokens, decision.cache_hits))
    blocks = decision.used_blocks, decision.used_blocks_after
    return f"{decision.step} {tokens} {decision.preempted} {hits} {blocks} {decision.finished}\n"


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("seed", SEEDS)
def test_the_scheduler_decides_as_vllms_did(seed: int, way: str) -> None:
    assert digest(seed, way, OurDriver) == json.loads(GOLDEN.read_text(encoding="utf-8"))[way][str(seed)]


if __name__ == "__main__":
    from tests.conformance.vllm_driver import VllmDriver

    asked = {way: {seed: digest(seed, way, VllmDriver) for seed in SEEDS} for way in WAYS}
    GOLDEN.write_text(json.dumps(asked, indent=1) + "\n", encoding="utf-8")
