"""What a crash does to the usage of the backend that it befalls."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from simcore.result import BackendUsage
from simcore.simulation import simulate
from tests.factories import constant, profile, scenario

KINDS: dict[str, dict[str, Any]] = {
    "llm": {"kind": "chat", "prompt_tokens": constant(8), "output_tokens": constant(5)},
    "embedding": {"kind": "embedding", "text_tokens": constant(8)},
}
ONE_AT_A_TIME = {"llm": {"engine": {"max_num_seqs": 1}}, "embedding": {"batching": {"serial": True}}}
SERVED = {"llm": 20.0, "embedding": 100.0}
"""Requests a second."""
CRASH, END = 0.5, 3.0


@pytest.mark.parametrize("kind", KINDS)
def test_nobody_waits_any_more_in_a_queue_that_a_crash_has_emptied(kind: str) -> None:
    """Twice as many come as can be served, so that those served by then wait when it crashes."""
    served = SERVED[kind]
    document = scenario(
        duration_s=END,
        streams={"asked": KINDS[kind] | {"arrivals": {"process": "constant", "rate": 2 * served}}},
        backends={kind: {"kind": kind, "profile": "test", **ONE_AT_A_TIME[kind]}},
        faults={
            "events": [{"kind": "crash", "backend": kind, "at_s": CRASH, "for_s": None}],
            "recovery": {"health_period_s": 1000.0, "restart_after": None},
        },
    )
    (usage,) = simulate(document, {"test": profile()}, 0, Path()).backends
    triangle = served * CRASH * CRASH / 2 / END
    assert usage.waiting_mean == pytest.approx(triangle, rel=0.25)


LENGTHS = {"llm": {"output_tokens": constant(900)}, "embedding": {"texts": constant(4)}}
"""Of requests that take longer than anybody looks."""


def worked(kind: str, **faults: Any) -> BackendUsage:
    """What a backend did in two seconds for a request that comes at once."""
    document = scenario(
        duration_s=2.0,
        drain_s=0.0,
        streams={"asked": KINDS[kind] | {"arrivals": {"process": "constant", "rate": 0.4}} | LENGTHS[kind]},
        backends={kind: {"kind": kind, "profile": "test"}},
        faults=faults,
    )
    (usage,) = simulate(document, {"test": profile(embed_time={"constant": 9.0})}, 0, Path()).backends
    return usage


def cut_short(kind: str, crash: bool) -> BackendUsage:
    """What it did before a crash at 1.005 s, or else before the end."""
    events = [{"kind": "crash", "backend": kind, "at_s": 1.005, "for_s": None}] if crash else []
    return worked(kind, events=events, recovery={"health_period_s": 1000.0, "restart_after": None})


@pytest.mark.parametrize(("crash", "end"), [(True, 1.005), (False, 2.0)])
def test_a_run_of_steps_that_never_ends_was_work_until_then(crash: bool, end: float) -> None:
    """One request decodes alone, in steps of 10 ms."""
    usage = cut_short("llm", crash)
    assert usage.busy == pytest.approx(end)
    assert usage.steps == pytest.approx(end / 0.01, abs=1)
    assert usage.batch_mean == pytest.approx(1.0)
    assert usage.kv_peak == pytest.approx((8 + usage.steps) / 16 / 10_000, rel=0.2)
    assert usage.kv_mean == pytest.approx(usage.kv_peak / 2 * end / 2.0, rel=0.2)


@pytest.mark.parametrize(("crash", "end"), [(True, 1.005), (False, 2.0)])
def test_a_batch_that_never_ends_was_work_until_then(crash: bool, end: float) -> None:
    usage = cut_short("embedding", crash)
    assert usage.busy == pytest.approx(end)
    assert usage.steps == 1
    assert usage.batch_mean == pytest.approx(4.0)


@pytest.mark.parametrize(("kind", "busy", "steps"), [("llm", 1.01, 101), ("embedding", 2.0, 1)])
def test_a_restart_of_the_control_plane_counts_nothing_twice(kind: str, busy: float, steps: int) -> None:
    """As the request is given up, a replica ends the step that it is in, and a batch goes on."""
    usage = worked(kind, control_plane=[{"at_s": 1.005, "for_s": 0.1}])
    assert usage.busy == pytest.approx(busy)
    assert usage.steps == steps
