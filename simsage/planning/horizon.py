"""Horizon: how long a plan simulates, so that enough is seen and the answer comes in time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from simcore.scenario.document import ScenarioDocument
from simcore.scenario.workload import Bursts, StreamSpec
from simsage.planning.lab import Lab, Trial
from simsage.planning.load import rate_of, scaled, stream_rate
from simsage.planning.objective import Objective

WARMUP_SHARE = 0.2
WORK_S = 90.0
"""Seconds of one core that all simulations of a plan are to take; two cores are done in half of it."""
REQUEST_S = 40e-6
STEP_S = 20e-6
"""What simulating a request and an engine's step takes, on one core of a 2024 server."""
FEWEST = 1_000
"""Counted requests of a stream below which its p99 rests on fewer than ten."""
MOST = 100_000
RESIDENCES = 40
"""A window holds that many times the time that a request spends in an idle system."""
PILOT_LOAD = 0.1
PILOT_REQUESTS = 200
PILOT_LONGEST_S = 3_600.0


@dataclass(frozen=True, slots=True)
class Horizon:
    """``requests`` in one replication, but ``least_s`` seconds at least."""

    requests: int
    least_s: float

    def timed(self, document: ScenarioDocument, load: float) -> ScenarioDocument:
        """The scenario, which is at that load, with its times: the same number of requests at every load.

        Bursts get whole periods, in each third of the window the same number. Where a ramp, a trace or
        closed loops alone say how long they last, those are the scenario's own times, divided by the load.
        """
        rate = rate_of(document)
        if rate is None:
            own = {"warmup_s": document.warmup_s / load, "duration_s": document.duration_s / load}
            return document.model_copy(update=own)
        duration = max(self.requests / rate, self.least_s)
        warmup, window = duration * WARMUP_SHARE, duration * (1 - WARMUP_SHARE)
        if periods := [s.arrivals.period_s for s in _enabled(document) if isinstance(s.arrivals, Bursts)]:
            period = max(periods)
            warmup, window = ceil(warmup / period) * period, 3 * ceil(window / 3 / period) * period
        most = max(document.max_requests, ceil(2 * rate * (warmup + window)))
        times = {"warmup_s": warmup, "duration_s": warmup + window, "max_requests": most}
        return document.model_copy(update=times)


def horizon_of(
    lab: Lab,
    document: ScenarioDocument,
    objectives: Sequence[Objective],
    evaluations: int,
    requests: int | None = None,
) -> Horizon:
    """``requests`` if given, else as many as the work of ``evaluations`` allows and as are of use.

    A pilot at a tenth of the load tells steps per request and the time in an idle system. Both are counts of
    the simulation and no wall time, so that the same scenario gets the same horizon on every machine.
    """
    rate = rate_of(document)
    if rate is None:
        return Horizon(0, 0.0)
    pilot = scaled(document, PILOT_LOAD)
    duration = min(PILOT_REQUESTS / (rate * PILOT_LOAD), PILOT_LONGEST_S)
    pilot = pilot.model_copy(update={"duration_s": duration, "warmup_s": 0.0})
    seen = lab.observe([Trial(pilot, 0)])[0]
    cost = REQUEST_S + STEP_S * seen.steps / max(seen.arrivals, 1)
    affordable = int(WORK_S / (evaluations * lab.replications) / cost)
    requests = requests or max(FEWEST, min(affordable, MOST, _useful(document, objectives)))
    return Horizon(requests, RESIDENCES * seen.residence_s)


def counted_share(document: ScenarioDocument, objectives: Sequence[Objective]) -> float:
    """The share of all requests that the rarest stream under an objective has, among the counted ones."""
    total = rate_of(document) or 1.0
    names = {objective.stream.split("/")[0] for objective in objectives} & set(document.streams)
    streams = [document.streams[name] for name in names if document.streams[name].enabled]
    rates = [rate for stream in streams if (rate := stream_rate(stream.arrivals))]
    return (1 - WARMUP_SHARE) * min(rates, default=total) / total


def _useful(document: ScenarioDocument, objectives: Sequence[Objective]) -> int:
    """Ten times what a p99 needs at least."""
    return ceil(10 * FEWEST / counted_share(document, objectives))


def _enabled(document: ScenarioDocument) -> list[StreamSpec]:
    return [stream for stream in document.streams.values() if stream.enabled]
