"""Throughput in the verdict: told with its error, never judged."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from simcore.request import Outcome, Request
from tests.unit.compare_support import EMBED, document, embeddings
from validate.compare.case import Case
from validate.compare.latencies import measure
from validate.compare.throughputs import throughputs_of

RESOLVED = document(duration_s=100, warmup_s=20)


def steady(per_second: float) -> list[Request]:
    return embeddings(np.full(round(100 * per_second), 0.05), gap=1 / per_second)


def case(live: list[list[Request]], simulated: list[list[Request]]) -> Case:
    return Case("default", 2.0, RESOLVED, live, simulated, np.zeros(1))


def test_it_is_the_mean_over_repetitions_and_the_error_is_over_the_live_one():
    (found,) = throughputs_of(measure(case([steady(4), steady(6)], [steady(4.5)] * 2)))
    assert (found.variant, found.point, found.stream) == ("default", 2.0, "embed")
    assert found.live_per_s == pytest.approx(5, rel=0.01)
    assert found.simulated_per_s == pytest.approx(4.5, rel=0.01)
    assert found.error == pytest.approx(-0.1, abs=0.01)
    assert "10% less" in found.sentence


def test_there_is_no_error_over_a_machine_that_completed_nothing():
    failed = steady(4)
    for request in failed:
        request.outcome = Outcome.FAILED
    (found,) = throughputs_of(measure(case([failed], [steady(4)])))
    assert (found.live_per_s, found.error) == (0.0, None)
    assert found.sentence.endswith("4 in the simulator.")


def test_stages_that_come_late_do_not_lengthen_the_window_of_a_trace():
    trace = {"process": "trace", "format": "azure", "path": "t.csv"}
    resolved = document(streams={"embed": EMBED | {"arrivals": trace}}, duration_s=100)
    requests = embeddings(np.full(40, 0.05), gap=0.25)
    stage = replace(requests[0], id=40, arrival=90.0, parent=requests[0])
    (found,) = throughputs_of(
        measure(Case("default", None, resolved, [[*requests, stage]], [requests], np.zeros(1)))
    )
    assert found.live_per_s == pytest.approx(4, rel=0.05)
