"""simulate: one replication of a resolved scenario, from its clients to its result."""

from __future__ import annotations

from functools import partial
from math import inf
from operator import attrgetter
from pathlib import Path

from simpy import Environment

from simcore.clients.open_loop import OpenLoop
from simcore.clients.sender import Ended, Sender
from simcore.clients.start import start_clients, timeouts
from simcore.cluster import Cluster
from simcore.control.build import build_control_plane
from simcore.control.plane import ControlPlane
from simcore.control.usage import LaneUsage
from simcore.driver import Driver
from simcore.faults.drawn import with_drawn_faults
from simcore.faults.plane_restart import PlaneRestarts
from simcore.faults.schedule import start_faults
from simcore.metrics import traces_alone, window_of
from simcore.observer import Observer
from simcore.profile.use import Profiles, block_size_of, with_control_costs
from simcore.relay import Relay
from simcore.request import Request
from simcore.result import ControlPlaneUsage, SimulationResult
from simcore.scenario.document import ScenarioDocument
from simcore.uncollected import uncollected
from simcore.workload.randomness import Streams


def simulate(
    scenario: ScenarioDocument,
    profiles: Profiles,
    replication: int,
    base: Path,
    observer: Observer | None = None,
    ended: Ended | None = None,
) -> SimulationResult:
    """Run replication number ``replication`` of a resolved scenario; the same in every process.

    ``profiles`` has every profile that backends and control plane name; trace paths start from ``base``.
    ``observer`` sees the backends at work, and changes nothing of it. ``ended`` is told of each request once
    nothing about it changes any more; the result then holds none, so that they need not all fit into memory.
    Arrivals stop at the scenario's duration, or where traces alone send with their last row; the run when all
    is answered after that or the drain time is over.
    """
    env = Environment()
    streams = Streams(scenario.seed, replication)
    scenario = with_drawn_faults(with_control_costs(scenario, profiles), streams)
    kept: list[Request] = []
    ended = ended or kept.append
    hop, decision = scenario.control_plane.hop_latency_ms / 1e3, scenario.control_plane.decision_cost_ms / 1e3
    relay = Relay(scenario.control_plane.message_cost_ms / 1e3)
    window = window_of(scenario, inf)
    counted = (window.start, window.end)
    driver = Driver(env, hop, counted, ended, decision)
    cluster = Cluster(env, scenario, profiles, streams, driver.events, relay, observer or Observer(), counted)
    planes = PlaneRestarts(env, driver, partial(_control_plane, scenario, cluster, streams))
    driver.connect(planes.plane, cluster.backends)
    for restart in scenario.faults.control_plane:
        planes.plan(restart)
    if cluster.fallible:
        start_faults(env, scenario, driver, cluster.fallible)
    sender = Sender(env, driver, timeouts(scenario), ended)
    open_loop = start_clients(env, scenario, sender, streams, base, block_size_of(scenario, profiles))
    with uncollected():
        _run(env, scenario, sender, open_loop)
    requests = sorted(kept, key=attrgetter("id"))
    # The driver, which is in a cycle, still holds this list.
    kept.clear()
    return _result(env, requests, cluster, driver, planes.plane)


def _run(env: Environment, scenario: ScenarioDocument, sender: Sender, open_loop: OpenLoop) -> None:
    if not traces_alone(scenario):
        env.run(until=scenario.duration_s)
    deadline = scenario.duration_s + scenario.drain_s
    while (sender.outstanding or open_loop.unsent) and env.peek() <= deadline:
        env.step()
    if sender.outstanding and env.now < deadline:
        env.run(until=deadline)
    sender.stop()


def _control_plane(scenario: ScenarioDocument, cluster: Cluster, streams: Streams) -> ControlPlane:
    return build_control_plane(
        scenario.control_plane,
        cluster.states(scenario.control_plane),
        lambda service: streams.generator("control plane", service),
    )


def _result(
    env: Environment, requests: list[Request], cluster: Cluster, driver: Driver, plane: ControlPlane
) -> SimulationResult:
    usages = cluster.finish()
    return SimulationResult(
        requests=requests,
        backends=usages,
        control_planes=[
            _usage(dispatcher.name, [driver.usage[service] for service in dispatcher.lanes], env.now)
            for dispatcher in plane.dispatchers
        ],
        horizon=env.now,
        events=sum(usage.steps for usage in usages),
        range_excesses=cluster.range_excesses(),
        assumptions=cluster.assumptions,
    )


def _usage(name: str, lanes: list[LaneUsage], now: float) -> ControlPlaneUsage:
    return ControlPlaneUsage(
        name,
        sum(lane.dispatches for lane in lanes),
        sum(lane.waiting.mean(now) for lane in lanes),
        sum(lane.deciding.total for lane in lanes),
    )
