"""SimulationResult: all that one simulated replication leaves behind."""

from __future__ import annotations

from dataclasses import dataclass, field

from simcore.request import Request, Service


@dataclass(slots=True)
class BackendUsage:
    """What one backend did between the end of the warm-up and the last arrival, in seconds and units.

    ``batch_mean`` is the mean number of requests in a step (or texts in an embedding batch, or busy
    servers of a retriever), weighted by time worked; ``kv_*`` is the used share of the KV blocks,
    weighted by time; ``waiting_mean`` the time average of requests in the backend's own queue.
    """

    name: str
    service: Service
    device: str
    profile: str
    span: float
    busy: float
    steps: int
    batch_mean: float
    waiting_mean: float
    kv_mean: float = 0.0
    kv_peak: float = 0.0
    preemptions: int = 0
    price_per_hour: float = 0.0

    @property
    def utilisation(self) -> float:
        """Share of the span that the backend worked."""
        return self.busy / self.span if self.span > 0 else 0.0


@dataclass(slots=True)
class ControlPlaneUsage:
    """What one control plane did over the same span; for Separate there is one per service."""

    name: str
    dispatches: int
    waiting_mean: float
    decision_busy: float


@dataclass(slots=True)
class SimulationResult:
    """One replication of one variant at one sweep point.

    ``requests`` holds every request that arrived, stages of pipelines included (their ``parent`` is set),
    each with exactly one outcome. ``warnings`` are sentences for people, such as a profile left behind
    its measured range, each given once and with its numbers.
    """

    requests: list[Request]
    backends: list[BackendUsage]
    control_planes: list[ControlPlaneUsage]
    horizon: float
    """Simulated seconds until the last event."""
    events: int
    """Engine steps and batches, jumped ones counted one by one."""
    warnings: list[str] = field(default_factory=list)
