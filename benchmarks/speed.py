"""Requests simulated per CPU second on one core, with peak memory: one table.

The load is the one that published figures of other simulators are for: 512 prompt and 128 output tokens,
Poisson, near 65% of what a replica serves; 10,000 requests on one replica, and 80,000 over eight.
"""

from __future__ import annotations

import resource
import sys
from dataclasses import dataclass
from pathlib import Path
from time import process_time
from typing import Any

from simcore.profile.load import load_profile
from simcore.scenario.document import ScenarioDocument
from simcore.simulation import simulate

PROFILE = "h100-llama-3.1-8b"
RATE = 30.0
"""Requests per second and replica."""


@dataclass(frozen=True)
class Case:
    """One row of the table."""

    name: str
    replicas: int
    engine: dict[str, Any]
    residuals: bool = False
    routing: str = "least_outstanding"


CASES = (
    Case("1 replica, 10,000 requests", 1, {}),
    Case("8 replicas, 80,000 requests", 8, {}),
    Case("1 replica, prefix caching", 1, {"enable_prefix_caching": True}),
    Case("1 replica, priority scheduling", 1, {"scheduling_policy": "priority"}),
    Case("1 replica, residuals drawn", 1, {}, residuals=True),
)


def scenario(case: Case) -> ScenarioDocument:
    """The case's load on the case's cluster."""
    rate = RATE * case.replicas
    engine = {"max_model_len": 4096, "max_num_seqs": 256, "enable_chunked_prefill": True} | case.engine
    return ScenarioDocument.model_validate(
        {
            "schema_version": 1,
            "name": "speed",
            "duration_s": 10_000 * case.replicas / rate,
            "drain_s": 1000.0,
            "streams": {
                "load": {
                    "kind": "chat",
                    "arrivals": {"process": "poisson", "rate": rate},
                    "prompt_tokens": {"distribution": "constant", "value": 512.0},
                    "output_tokens": {"distribution": "constant", "value": 128.0},
                }
            },
            "backends": {
                "llm": {
                    "kind": "llm",
                    "profile": PROFILE,
                    "count": case.replicas,
                    "engine": engine,
                    "sample_residuals": case.residuals,
                }
            },
            "control_plane": {"routing": case.routing},
        }
    )


def main() -> None:
    """Print the table."""
    profile = load_profile(PROFILE, Path()).model_copy(deep=True)
    assert profile.llm is not None
    profile.llm.residuals = [0.85 + 0.3 * i / 40 for i in range(41)]
    columns = f"{'requests':>9} {'per CPU s':>10} {'steps each':>11} {'utilisation':>12} {'peak MB':>8}"
    print(f"{'case':34} {columns}")
    for case in CASES[: int(sys.argv[1]) if len(sys.argv) > 1 else None]:
        document = scenario(case)
        begun = process_time()
        result = simulate(document, {PROFILE: profile}, 0, Path())
        speed = len(result.requests) / (process_time() - begun)
        busy = sum(usage.utilisation for usage in result.backends) / len(result.backends)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(
            f"{case.name:34} {len(result.requests):9,} {speed:10,.0f} "
            f"{result.events / len(result.requests):11.2f} {busy:12.0%} {peak:8.0f}"
        )


if __name__ == "__main__":
    main()
