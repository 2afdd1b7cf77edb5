"""Load: all open-loop streams of a scenario, sped up by one factor."""

from __future__ import annotations

from simcore.errors import Fault
from simcore.scenario.document import ScenarioDocument
from simcore.scenario.expected import expected_arrivals
from simcore.scenario.workload import Arrivals, Bursts, ClosedLoop, Ramp, StreamSpec, Trace

OPEN = "poisson, constant, gamma, weibull, bursts or trace arrivals"


def scaled(document: ScenarioDocument, load: float) -> ScenarioDocument:
    """The same with the rates of its open-loop streams times ``load``; closed loops stay as they are.

    A trace is replayed that much faster. The lengths of the requests and, as gaps are drawn at rate 1 and
    stretched, their order stay: one replication is the same requests at every load.
    """
    streams = {name: _faster(stream, load) for name, stream in document.streams.items()}
    return document.model_copy(update={"streams": streams})


def scaling_faults(document: ScenarioDocument) -> list[Fault]:
    """What keeps the load from being scaled: no rate at all, or one that never is steady."""
    arrivals = {name: stream.arrivals for name, stream in document.streams.items() if stream.enabled}
    faults = [
        _fault(document, f"streams.{name}.arrivals", "a ramp, whose load is never steady")
        for name, one in arrivals.items()
        if isinstance(one, Ramp)
    ]
    if all(isinstance(one, ClosedLoop) for one in arrivals.values()):
        faults.append(_fault(document, "streams", "closed loops only, which have no rate to scale"))
    return faults


def rate_of(document: ScenarioDocument) -> float | None:
    """Requests per second of all open-loop streams; None where a trace or a ramp leaves it open."""
    arrivals = [stream.arrivals for stream in document.streams.values() if stream.enabled]
    if any(isinstance(one, Ramp | Trace) for one in arrivals):
        return None
    return sum(stream_rate(one) for one in arrivals) or None


def stream_rate(arrivals: Arrivals) -> float:
    """Mean requests per second of one steady stream, 0 of a closed loop."""
    if isinstance(arrivals, ClosedLoop):
        return 0.0
    span = arrivals.period_s if isinstance(arrivals, Bursts) else 1.0
    return expected_arrivals(arrivals, span) / span


def _faster(stream: StreamSpec, load: float) -> StreamSpec:
    keys = [key for key in ("rate", "burst_rate", "speed") if getattr(stream.arrivals, key, None) is not None]
    changed = {key: getattr(stream.arrivals, key) * load for key in keys}
    return stream.model_copy(update={"arrivals": stream.arrivals.model_copy(update=changed)})


def _fault(document: ScenarioDocument, key: str, found: str) -> Fault:
    return Fault(document.name, 0, key, found, OPEN)
