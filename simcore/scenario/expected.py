"""How many requests a stream is to send."""

from __future__ import annotations

from simcore.scenario.workload import (
    Arrivals,
    Bursts,
    ClosedLoop,
    GammaArrivals,
    Poisson,
    Ramp,
    Steady,
    StreamSpec,
    Trace,
    WeibullArrivals,
)


def expected_requests(spec: StreamSpec, duration: float) -> float:
    """Mean number of requests in ``duration`` seconds, the stages of pipelines counted too."""
    return expected_arrivals(spec.arrivals, duration) * (1 + len(spec.stages or {}))


def expected_arrivals(arrivals: Arrivals, duration: float) -> float:
    """Mean number of arrivals in ``duration`` seconds: the integral of the rate.

    A closed loop counts one request a user and a trace what its ``limit`` or ``rate`` bounds it to,
    because more is not known before the run.
    """
    match arrivals:
        case Poisson() | Steady() | GammaArrivals() | WeibullArrivals():
            return arrivals.rate * duration
        case Bursts():
            return _burst_arrivals(arrivals, duration)
        case Ramp():
            return (arrivals.from_rate + arrivals.to_rate) / 2 * duration
        case ClosedLoop():
            return arrivals.users
        case Trace():
            known = [arrivals.limit, arrivals.rate and arrivals.rate * duration]
            return min((bound for bound in known if bound is not None), default=0)


def _burst_arrivals(spec: Bursts, duration: float) -> float:
    quiet = spec.period_s - spec.burst_s
    periods, rest = divmod(duration, spec.period_s)
    bursts = periods * spec.burst_s + max(0.0, rest - quiet)
    return spec.rate * (duration - bursts) + spec.burst_rate * bursts
