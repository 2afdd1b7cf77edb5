"""A queue that has a known answer: one embedding server with a constant service time, an M/D/1 queue."""

from __future__ import annotations

from pathlib import Path

from tests.factories import profile

SERVICE_S = 0.1
RATE = 4.0
SCENARIO = f"""\
schema_version: 1
name: queue
duration_s: 10
replications: 3
drain_s: 1000
streams:
  search:
    kind: embedding
    arrivals: {{process: poisson, rate: {RATE}}}
    text_tokens: {{distribution: constant, value: 30}}
    slo: {{e2el_ms: 500}}
backends:
  embed: {{kind: embedding, profile: slow.json, batching: {{max_batch: 1}}}}
"""


def write_queue(folder: Path) -> Path:
    """The scenario's file, beside its profiles; ``fast.json`` takes a quarter of the time."""
    for name, seconds in (("slow", SERVICE_S), ("fast", SERVICE_S / 4)):
        text = profile(embed_time={"constant": seconds}).to_json()
        (folder / f"{name}.json").write_text(text)
    path = folder / "queue.yaml"
    path.write_text(SCENARIO)
    return path
