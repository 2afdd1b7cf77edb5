"""Faults as a scenario says them: what is refused, and what chance makes of the random ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from simcore.faults.drawn import with_drawn_faults
from simcore.scenario.check import Checker
from simcore.scenario.faults import Faults, RandomFault
from simcore.scenario.finding import dotted
from simcore.workload.randomness import Streams
from tests.factories import constant, scenario
from tests.unit.test_faults import CHAT, crash


@pytest.mark.parametrize(
    ("event", "key", "found"),
    [
        (crash(0.5, backend="lm"), "backend", "'lm'"),
        (crash(0.5, backend="index"), "backend", "'index'"),
        (crash(0.5, index=1), "index", "1"),
        (crash(5.0), "at_s", "5.0"),
    ],
)
def test_what_cannot_fail_is_refused(event: dict[str, Any], key: str, found: str) -> None:
    index = {"kind": "retriever", "service_time_ms": constant(1)}
    document = scenario(
        duration_s=2.0,
        streams={"asked": CHAT | {"arrivals": {"process": "constant", "rate": 1.0}}},
        backends={"llm": {"kind": "llm", "profile": "test"}, "index": index},
        faults={"events": [event]},
    )
    (finding,) = Checker(document, Path()).findings()
    assert finding[:2] == (("faults", "events", 0, key), found)


def test_random_faults_are_the_same_in_every_variant_and_differ_between_backends_and_replications() -> None:
    chance = {"kind": "crash", "backend": "llm", "mtbf_s": 10.0, "mttr_s": 2.0}
    document = scenario(
        duration_s=1000.0,
        streams={"asked": CHAT | {"arrivals": {"process": "constant", "rate": 1.0}}},
        backends={"llm": {"kind": "llm", "profile": "test", "count": 2}},
        faults={"random": [chance]},
    )
    other = document.model_copy(update={"seed": document.seed, "streams": {}})
    first, again, later = (
        with_drawn_faults(one, Streams(document.seed, replication)).faults.events
        for one, replication in ((document, 0), (other, 0), (document, 1))
    )
    assert first == again != later
    hangs = document.model_copy(update={"faults": Faults(random=[RandomFault(**chance | {"kind": "hang"})])})
    drawn = with_drawn_faults(hangs, Streams(document.seed, 0)).faults.events
    assert {event.at_s for event in drawn}.isdisjoint(event.at_s for event in first), (
        "kinds draw on their own"
    )
    at = [[event.at_s for event in first if event.index == i] for i in (0, 1)]
    assert at[0] == sorted(at[0]) != at[1]


def test_random_faults_come_mtbf_after_the_last_was_over_and_last_mttr() -> None:
    """Four standard errors of means of over 8,000 exponential times are 4.4%."""
    chance = {"kind": "hang", "backend": "llm", "mtbf_s": 10.0, "mttr_s": 2.0}
    document = scenario(
        duration_s=100_000.0,
        streams={"asked": CHAT | {"arrivals": {"process": "constant", "rate": 1.0}}},
        backends={"llm": {"kind": "llm", "profile": "test"}},
        faults={"random": [chance]},
    )
    events = with_drawn_faults(document, Streams(1, 0)).faults.events
    lasts = [event.for_s or 0.0 for event in events]
    gaps = [later.at_s - one.at_s - long for one, later, long in zip(events, events[1:], lasts, strict=False)]
    assert min(gaps) >= 0.0
    assert sum(gaps) / len(gaps) == pytest.approx(10.0, rel=0.045)
    assert sum(lasts) / len(lasts) == pytest.approx(2.0, rel=0.045)


@pytest.mark.parametrize(
    ("parts", "key", "found"),
    [
        (
            {"faults": {"random": [{"kind": "hang", "backend": "llm", "mtbf_s": 1e-300, "mttr_s": 1e-300}]}},
            "faults.random.0",
            "about 1e+300 faults",
        ),
        (
            {"faults": {"events": [crash(0.5)], "recovery": {"health_period_s": 1e-9}}},
            "faults.recovery.health_period_s",
            "6.2e+10 checks of each backend",
        ),
        ({"control_plane": {"dispatch_period_ms": 1e-9}}, "control_plane.dispatch_period_ms", "1e-09"),
    ],
)
def test_what_would_happen_without_end_is_refused(parts: dict[str, Any], key: str, found: str) -> None:
    streams = {"asked": CHAT | {"arrivals": {"process": "constant", "rate": 1.0}}}
    document = scenario(
        duration_s=2.0, streams=streams, backends={"llm": {"kind": "llm", "profile": "test"}}, **parts
    )
    (finding,) = Checker(document, Path()).findings()
    assert (dotted(finding.path), finding.found) == (key, found)
