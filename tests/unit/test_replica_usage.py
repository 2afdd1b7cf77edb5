"""What a replica's steps add up to."""

from __future__ import annotations

import pytest

from simcore.llm.usage import ReplicaUsage
from simcore.step import Step


def used() -> ReplicaUsage:
    """Three decode steps, two thirds of them before the window; a mixed step; one that leaves the window."""
    usage = ReplicaUsage(10.0, 20.0, blocks=100)
    usage.ran(3, 4, (400, 408), (48, 52), 8.0, 11.0)
    usage.stepped(Step(decodes=2, decode_context=60, prefills=1, prefill_tokens=700), 80, 12.0, 14.0)
    usage.stepped(Step(prefills=1, prefill_tokens=90), 20, 19.0, 23.0)
    return usage


def test_steps_are_counted_and_what_they_hold_is_weighted_by_time_in_the_window() -> None:
    usage = used()
    assert usage.steps == 5
    assert usage.window.total == pytest.approx(1.0 + 2.0 + 1.0)
    assert usage.batch == pytest.approx(4 * 1.0 + 3 * 2.0 + 1 * 1.0)
    assert usage.kv == pytest.approx(0.5 * 1.0 + 0.8 * 2.0 + 0.2 * 1.0)
    assert usage.kv_peak == 80


def test_extents_are_of_the_whole_run() -> None:
    usage = used()
    assert (usage.batches.least, usage.batches.most) == (1, 4)
    assert (usage.contexts.least, usage.contexts.most) == (30, 102)
    assert (usage.chunks.least, usage.chunks.most) == (90, 700)
