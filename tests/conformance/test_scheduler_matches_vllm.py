"""simcore's scheduler takes vLLM 0.32's decisions, step by step.

``SIMSAGE_CONFORMANCE_EXAMPLES`` sets how many engines and loads are compared (default 60 each way).
"""

from __future__ import annotations

import os
from itertools import zip_longest

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

pytest.importorskip("vllm", reason="vLLM is not installed: pip install simsage[cpu]")
try:
    from tests.conformance.vllm_driver import VllmDriver
except ImportError as error:
    pytest.skip(f"this vLLM has another scheduler interface: {error}", allow_module_level=True)

from tests.conformance.driver import drive
from tests.conformance.our_driver import OurDriver
from tests.conformance.workload import draw_config, draw_loads

EXAMPLES = int(os.environ.get("SIMSAGE_CONFORMANCE_EXAMPLES", "60"))
SETTINGS = settings(
    max_examples=EXAMPLES,
    suppress_health_check=list(HealthCheck),
    phases=(Phase.generate,),  # a smaller seed is no simpler load, so shrinking would only take time
)


def _compare(seed: int, count: int, *, async_scheduling: bool) -> None:
    rng = np.random.default_rng(seed)
    config = draw_config(rng, async_scheduling=async_scheduling)
    loads = draw_loads(rng, count, config.block_size)
    ahead = int(async_scheduling)
    theirs = drive(VllmDriver(config), loads, ahead=ahead)
    ours = drive(OurDriver(config), loads, ahead=ahead)
    for expected, actual in zip_longest(theirs, ours):
        assert actual == expected, config


@SETTINGS
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(50, 300))
def test_takes_the_decisions_of_vllms_scheduler(seed: int, count: int) -> None:
    _compare(seed, count, async_scheduling=False)


@SETTINGS
@given(seed=st.integers(0, 2**32 - 1), count=st.integers(50, 300))
def test_takes_the_decisions_of_vllms_async_scheduler(seed: int, count: int) -> None:
    _compare(seed, count, async_scheduling=True)


def test_made_up_loads_preempt_hit_the_cache_and_abort() -> None:
    preempted = hits = aborted = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        config = draw_config(rng)
        loads = draw_loads(rng, 150, config.block_size)
        decisions = list(drive(OurDriver(config), loads))
        preempted += sum(len(decision.preempted) for decision in decisions)
        hits += sum(sum(decision.cache_hits.values()) for decision in decisions)
        aborted += len(loads) - sum(len(decision.finished) for decision in decisions)
    assert min(preempted, hits, aborted) > 100
