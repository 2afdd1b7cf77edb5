"""The window of a trace: its figures from a queue that is worked out by hand, whatever the trace."""

from __future__ import annotations

import tempfile
from heapq import heapreplace
from math import isnan
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simsage.replication import Cell, replicate
from tests.factories import constant, scenario
from tests.property.wide_scenarios import SETTINGS

TRACE = "trace.csv"
TICK = 0.125
SERVICE = 0.75
LIMIT = 2.0


def ends(arrivals: list[float], servers: int) -> list[float]:
    """When each leaves a queue of ``servers`` that serve for `SERVICE` seconds, first come first served."""
    free = [0.0] * servers
    found = []
    for arrival in arrivals:
        end = max(arrival, free[0]) + SERVICE
        heapreplace(free, end)
        found.append(end)
    return found


@SETTINGS
@given(st.lists(st.integers(0, 60), min_size=1, max_size=40), st.integers(1, 3), st.sampled_from([0.0, 2.0]))
def test_all_figures_of_a_trace_are_of_one_window(ticks: list[int], servers: int, warmup: float) -> None:
    """Bursts, ties and a single row; the duration is far beyond the last row, and plays no part."""
    arrivals = sorted(TICK * (tick - min(ticks)) for tick in ticks)
    left = ends(arrivals, servers)
    start, end = warmup, max(warmup, *left)
    with tempfile.TemporaryDirectory() as folder:
        rows = "".join(f"{arrival},1,1\n" for arrival in arrivals)
        Path(folder, TRACE).write_text("Timestamp,Request tokens,Response tokens\n" + rows)
        measured, _ = replicate(Cell("v", None, 0, of(servers, warmup)), {}, Path(folder))
    values, usage = measured.samples[0].values, measured.backends[0]
    span = end - start
    assert usage.span == pytest.approx(span)
    if not span:
        assert isnan(values["request_throughput"]), "no length, no rate"
        return
    inside = [one for one in left if one >= start]
    good = [e for a, e in zip(arrivals, left, strict=True) if e >= start and e - a <= LIMIT + 1e-9]
    busy = sum(max(0.0, one - max(start, one - SERVICE)) for one in left)
    waited = sum(
        max(0.0, one - SERVICE - max(start, arrival)) for arrival, one in zip(arrivals, left, strict=True)
    )
    assert values["request_throughput"] == pytest.approx(len(inside) / span)
    assert values["request_goodput"] == pytest.approx(len(good) / span)
    assert len(inside) <= servers * (span / SERVICE + 1), "no more than the servers can"
    assert usage.utilisation == pytest.approx(busy / span / servers)
    assert usage.waiting_mean == pytest.approx(waited / span, abs=1e-9)
    assert measured.control_planes[0].waiting_mean == 0


def of(servers: int, warmup: float):
    """Look-ups of a trace, on a retriever that serves ``servers`` at a time."""
    return scenario(
        duration_s=1_000,
        warmup_s=warmup,
        streams={
            "look": {
                "kind": "retrieval",
                "arrivals": {"process": "trace", "format": "burstgpt", "path": TRACE},
                "slo": {"e2el_ms": 1000 * LIMIT},
            }
        },
        backends={
            "index": {
                "kind": "retriever",
                "service_time_ms": constant(1000 * SERVICE),
                "concurrency": servers,
            }
        },
    )
