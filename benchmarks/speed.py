"""Requests simulated per CPU second on one core, with peak memory, beside the last figures.

The load is the one that published figures of other simulators are for: 512 prompt and 128 output tokens,
Poisson, near 65% of what a replica serves; 10,000 requests on one replica, and 80,000 over eight. Two more
are on an engine whose thread and GPU are told apart, behind an API server. A figure is the median of some
tries, after one that is not counted: it has to find memory and to load what is loaded once.

``python benchmarks/speed.py [--keep]``; ``--keep`` makes what is found the last figures.
"""

from __future__ import annotations

import resource
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any

from last import compare

from simcore.profile.document import ProfileDocument
from simcore.profile.load import load_profile
from simcore.scenario.document import ScenarioDocument
from simcore.simulation import simulate

PROFILE = "h100-llama-3.1-8b-published"
PIPELINED = "h100-llama-3.1-8b"
"""One whose engine thread, GPU and API server are told apart."""
RATE = 30.0
"""Requests per second and replica."""
TRIES = 5


@dataclass(frozen=True)
class Case:
    """A load and a cluster."""

    name: str
    replicas: int
    engine: dict[str, Any]
    residuals: bool = False
    routing: str = "least_outstanding"
    requests: int | None = None
    """Expected; None for 10,000 a replica."""
    profile: str = PROFILE
    rate: float = RATE
    output: float = 128.0


CASES = (
    Case("1 replica, 10,000 requests", 1, {}),
    Case("8 replicas, 80,000 requests", 8, {}),
    Case("1 replica, prefix caching", 1, {"enable_prefix_caching": True}),
    Case("1 replica, priority scheduling", 1, {"scheduling_policy": "priority"}),
    Case("1 replica, residuals drawn", 1, {}, residuals=True),
    Case("pipelined, API server near its limit", 1, {}, True, profile=PIPELINED, rate=35.0),
    Case(
        "pipelined, output of 4,000 tokens, light load",
        *(1, {"max_model_len": 8192}, True),
        requests=300,
        profile=PIPELINED,
        rate=0.05,
        output=4000.0,
    ),
)


def scenario(case: Case) -> ScenarioDocument:
    """The case's load on the case's cluster."""
    rate = case.rate * case.replicas
    engine = {"max_model_len": 4096, "max_num_seqs": 256, "enable_chunked_prefill": True} | case.engine
    return ScenarioDocument.model_validate(
        {
            "schema_version": 1,
            "name": "speed",
            "duration_s": (case.requests or 10_000 * case.replicas) / rate,
            "drain_s": 1000.0,
            "replications": 1,
            "streams": {
                "load": {
                    "kind": "chat",
                    "arrivals": {"process": "poisson", "rate": rate},
                    "prompt_tokens": {"distribution": "constant", "value": 512.0},
                    "output_tokens": {"distribution": "constant", "value": case.output},
                }
            },
            "backends": {
                "llm": {
                    "kind": "llm",
                    "profile": case.profile,
                    "count": case.replicas,
                    "engine": engine,
                    "sample_residuals": case.residuals,
                }
            },
            "control_plane": {"routing": case.routing},
        }
    )


def profiles() -> dict[str, ProfileDocument]:
    """The shipped profiles, with residuals where they lack them."""
    loaded = {name: load_profile(name, Path()).model_copy(deep=True) for name in (PROFILE, PIPELINED)}
    assert loaded[PROFILE].llm is not None
    loaded[PROFILE].llm.residuals = [0.85 + 0.3 * i / 40 for i in range(41)]
    return loaded


def figures(case: Case, served: dict[str, ProfileDocument]) -> dict[str, float]:
    """What the case says, by name."""
    document, rates = scenario(case), []
    for _ in range(1 + TRIES):
        begun = process_time()
        result = simulate(document, served, 0, Path())
        rates.append(len(result.requests) / (process_time() - begun))
    requests = len(result.requests)
    busy = sum(usage.utilisation for usage in result.backends) / len(result.backends)
    return {
        f"{case.name}: requests per CPU s": median(rates[1:]),
        f"{case.name}: engine steps a request": result.events / requests,
        f"{case.name}: utilisation": busy,
    }


def main() -> None:
    """Print the table."""
    served, found = profiles(), dict[str, float]()
    for case in CASES:
        found |= figures(case, served)
    found["all of them: peak MB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    compare(__file__, found)


if __name__ == "__main__":
    main()
