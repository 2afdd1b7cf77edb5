"""What a calibration leaves open, against queueing theory."""

from __future__ import annotations

from pathlib import Path

import pytest
from scipy import stats

from simsage.doubt import Doubted
from simsage.run import Options, run
from tests.factories import profile

RATE = 0.6
TIMES = tuple(1 + 0.02 * stats.norm.ppf((i + 0.5) / 10) for i in range(10))
"""Seconds of a text by ten equally good fits; the best fit says 1 s."""
QUEUE = f"""\
schema_version: 1
name: md1
duration_s: 10000
warmup_s: 500
drain_s: 1000
replications: 5
streams:
  texts:
    kind: embedding
    arrivals: {{process: poisson, rate: {RATE}}}
    text_tokens: {{distribution: constant, value: 10}}
backends:
  embedding: {{kind: embedding, profile: server.json, batching: {{serial: true}}}}
control_plane: {{max_in_flight_embedding: 1}}
"""


def time_in_md1(service: float) -> float:
    """Mean seconds in the system by Pollaczek and Khinchine."""
    return service + RATE * service**2 / (2 * (1 - RATE * service))


def test_the_interval_is_that_of_the_formula(tmp_path: Path) -> None:
    """At a load of 0.6 a service time that is 1% longer makes the time in the system 2.4% longer."""
    document = profile(embed_time={"constant": 1.0}).model_copy(
        update={"ensemble": [{"embedding": {"embed_time": {"constant": time}}} for time in TIMES]}
    )
    (tmp_path / "server.json").write_text(document.to_json(), encoding="utf-8")
    (tmp_path / "md1.yaml").write_text(QUEUE, encoding="utf-8")
    summary = run(tmp_path / "md1.yaml", tmp_path / "out", options=Options(jobs=1, figures=False))
    row = summary.find(summary.variants[0] if summary.variants else "", None)
    assert row is not None
    found = row.metric("mean_e2el_ms")
    assert isinstance(found, Doubted)
    spread = (sum((time_in_md1(time) - time_in_md1(1.0)) ** 2 for time in TIMES) / 10) ** 0.5
    assert found.calibration == pytest.approx(1000 * stats.t.ppf(0.975, 10) * spread, rel=0.1)
    assert found.combined is not None
    assert found.combined[0] < 1000 * time_in_md1(1.0) < found.combined[1]
