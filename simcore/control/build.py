"""Building a control plane from what a scenario says of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from simcore.control.dispatcher import Dispatcher, Lane
from simcore.control.plane import ControlPlane
from simcore.control.pool import BackendPool, BackendState
from simcore.policies.base import PolicySettings
from simcore.policies.registry import make_admission, make_ordering, make_routing
from simcore.request import Service
from simcore.scenario.cluster import ControlPlaneSpec


def build_control_plane(
    spec: ControlPlaneSpec,
    backends: Sequence[BackendState],
    rng_for: Callable[[str], np.random.Generator],
) -> ControlPlane:
    """Unified: one dispatcher over all services. Separate: one per service, which sees only that one.

    ``backends`` are all of the cluster; ``rng_for`` gives a policy its own random stream by name.
    """
    by_service = {
        service: [backend for backend in backends if backend.service is service]
        for service in Service
        if any(backend.service is service for backend in backends)
    }
    if spec.kind == "separate":
        for backend in backends:
            backend.neighbours = ()
    lanes = {service: _lane(spec, states, rng_for(service.name)) for service, states in by_service.items()}
    if spec.kind == "unified":
        return ControlPlane([_dispatcher(spec, "unified", lanes)])
    return ControlPlane(
        [_dispatcher(spec, service.name.lower(), {service: lane}) for service, lane in lanes.items()]
    )


def _dispatcher(spec: ControlPlaneSpec, name: str, lanes: dict[Service, Lane]) -> Dispatcher:
    return Dispatcher(
        name,
        lanes,
        period=spec.dispatch_period_ms / 1e3,
        decision_cost=spec.decision_cost_ms / 1e3,
        blocking_chat=spec.blocking_chat,
    )


def _lane(spec: ControlPlaneSpec, states: list[BackendState], rng: np.random.Generator) -> Lane:
    pool = BackendPool(states, spec.stale_load_ms / 1e3)
    settings = PolicySettings(
        pool,
        rng,
        ageing=spec.ageing_s,
        quantum=spec.quantum_tokens,
        rate=spec.admission.rate,
        burst=spec.admission.burst,
        threshold=spec.admission.threshold,
    )
    return Lane(
        pool,
        make_ordering(spec.ordering, settings),
        make_routing(spec.routing, settings),
        make_admission(spec.admission.policy, settings),
    )
