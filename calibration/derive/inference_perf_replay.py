"""What the simulator says of an inference-perf stage."""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil
from pathlib import Path

import numpy as np

from calibration.derive.inference_perf import Stage
from calibration.fits.linear import Array
from simcore.profile.document import ProfileDocument
from simcore.request import Outcome, Request
from simcore.scenario.document import ScenarioDocument
from simcore.scenario.workload import Poisson
from simcore.simulation import simulate
from simcore.workload.arrivals import arrival_times
from simcore.workload.randomness import Streams

SEED = 42
ENOUGH = 2000
"""Requests, at least, that a prediction is taken over: short stages are replayed more often."""
STREAM = "load"
UNIT = Poisson(process="poisson", rate=1.0)


def predict(profile: ProfileDocument, stage: Stage) -> Array:
    """What the simulator says of ``stage.measured``."""
    replays = range(ceil(ENOUGH / stage.requests))
    return figures([request for number in replays for request in replay(profile, stage, number)])


def replay(profile: ProfileDocument, stage: Stage, number: int) -> list[Request]:
    """The requests of replication ``number``. Raises ValueError if some were not answered."""
    requests = simulate(scenario_of(stage, number), {"profile": profile}, number, Path()).requests
    if not all(request.outcome is Outcome.COMPLETED for request in requests):
        raise ValueError("the simulated engine did not answer all requests")
    return requests


def figures(requests: Iterable[Request]) -> Array:
    """In the order of `Stage.measured`, seconds."""
    times = np.array([(r.first_token - r.arrival, r.finished - r.arrival) for r in requests])
    return np.vstack([times.mean(axis=0), *np.quantile(times, (0.5, 0.9), axis=0)]).T.ravel()


def scenario_of(stage: Stage, number: int) -> ScenarioDocument:
    """The load of replication ``number``, on the engine as its profile describes it.

    What the tool calls a constant load has exponential gaps, scaled so that the given number of requests
    fills the duration (inference_perf/loadgen/load_timer.py). A Poisson process of another rate stretches
    the same draws, so the rate that does it is known beforehand.
    """
    draws = Streams(SEED, number).generator(STREAM, "arrivals")
    unit = arrival_times(UNIT, 2.0 * stage.requests + 100, draws)[: stage.requests]
    rate = float(unit[-1] - unit[0]) / stage.duration
    load = {
        "kind": "generate",
        "arrivals": {"process": "poisson", "rate": rate},
        "prompt_tokens": {"distribution": "empirical", "values": stage.prompt_tokens},
        "output_tokens": {"distribution": "constant", "value": stage.output_tokens},
    }
    return ScenarioDocument.model_validate(
        {
            "schema_version": 1,
            "name": "stage",
            "seed": SEED,
            "duration_s": float(unit[-1]) / rate * (1 + 1e-9),
            "streams": {STREAM: load},
            "backends": {"llm": {"kind": "llm", "profile": "profile"}},
        }
    )
