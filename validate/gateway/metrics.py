"""Metrics: the gateway's counters in Prometheus' text format, under vLLM's names where it has one.

What vLLM counts of its engine is counted here of the whole cluster: waiting is at the control plane, running
is on a backend and not yet answered, times are the client's.
"""

from __future__ import annotations

from collections.abc import Sequence, Sized
from functools import partial
from math import isnan

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from simcore.request import Outcome, Request, Service
from validate.live.backend import LiveBackend
from validate.live.driver import LiveDriver

BUCKETS = (
    *(0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75),
    *(1.0, 2.5, 5.0, 7.5, 10.0, 20.0, 40.0, 80.0, 160.0, 640.0, 2560.0),
)
"""vLLM's for the time to first token, seconds."""
LABELS = ("model_name",)


class Metrics:
    """One registry a gateway. Labels are the scenario's own names, never a client's."""

    def __init__(self, driver: LiveDriver, backends: Sequence[LiveBackend], connections: Sized) -> None:
        self._driver = driver
        self._backends = backends
        self._model_of = {backend.service: backend.public for backend in reversed(backends)}
        self._registry = registry = CollectorRegistry()
        self._outcomes = Counter(
            "simsage:requests", "Ended requests by outcome.", (*LABELS, "outcome"), registry=registry
        )
        self._success = Counter("vllm:request_success", "Completed requests.", LABELS, registry=registry)
        self._ttft = _seconds("time_to_first_token", "From arrival to the first token written.", registry)
        self._e2el = _seconds("e2e_request_latency", "From arrival to the whole answer written.", registry)
        self._queue = _seconds("request_queue_time", "From submission to dispatch.", registry)
        ProcessCollector(registry=registry)
        self._gauges()
        held = Gauge("simsage:client_connections", "Open connections of clients.", registry=registry)
        held.set_function(lambda: len(connections))

    def observe(self, request: Request) -> None:
        """Count a request that has its outcome."""
        model = self._model_of[request.kind.service]
        assert request.outcome is not None
        self._outcomes.labels(model, request.outcome.value).inc()
        if not isnan(request.dispatched):
            self._queue.labels(model).observe(request.dispatched - request.submitted)
        if not isnan(request.first_token):
            self._ttft.labels(model).observe(request.first_token - request.arrival)
        if request.outcome is Outcome.COMPLETED:
            self._success.labels(model).inc()
            self._e2el.labels(model).observe(request.finished - request.arrival)

    def text(self) -> bytes:
        """All of them, as a scrape gets them."""
        return generate_latest(self._registry)

    def _gauges(self) -> None:
        running = Gauge("vllm:num_requests_running", "On a backend.", LABELS, registry=self._registry)
        waiting = Gauge("vllm:num_requests_waiting", "At the control plane.", LABELS, registry=self._registry)
        for service, model in self._model_of.items():
            running.labels(model).set_function(partial(self._running, service))
            waiting.labels(model).set_function(partial(self._waiting, service))
        names = ("backend",)
        healthy = Gauge("simsage:backend_healthy", "1 if it answers.", names, registry=self._registry)
        in_flight = Gauge("simsage:backend_in_flight", "Requests on it.", names, registry=self._registry)
        for backend in self._backends:
            healthy.labels(backend.name).set_function(partial(getattr, backend.state, "healthy"))
            in_flight.labels(backend.name).set_function(partial(getattr, backend.state, "in_flight"))

    def _running(self, service: Service) -> float:
        return sum(b.state.in_flight for b in self._backends if b.service is service)

    def _waiting(self, service: Service) -> float:
        lanes = (d.lanes[service] for d in self._driver.plane.dispatchers if service in d.lanes)
        return sum(len(lane.ordering) for lane in lanes)


def _seconds(name: str, meaning: str, registry: CollectorRegistry) -> Histogram:
    return Histogram(f"vllm:{name}_seconds", meaning, LABELS, buckets=BUCKETS, registry=registry)
