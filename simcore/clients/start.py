"""start_clients: all clients of a scenario, on whichever clock."""

from __future__ import annotations

from collections.abc import Iterator
from heapq import merge
from operator import attrgetter
from pathlib import Path

from simpy import Environment

from simcore.clients.closed_loop import ClosedLoopClient
from simcore.clients.open_loop import OpenLoop
from simcore.clients.sender import Sender, Work
from simcore.scenario.document import ScenarioDocument
from simcore.scenario.workload import ClosedLoop
from simcore.workload.closed_loop import ClosedLoopUser
from simcore.workload.generate import open_loop_requests
from simcore.workload.pipeline import pipeline_plans
from simcore.workload.randomness import Streams


def start_clients(
    env: Environment,
    scenario: ScenarioDocument,
    sender: Sender,
    streams: Streams,
    base: Path,
    block_size: int,
) -> OpenLoop:
    """Let every enabled stream send from now on; the open loop that says what is still to be sent.

    Trace paths start from ``base``; ``block_size`` is that of the replicas' KV blocks.
    """
    open_loop = OpenLoop(env, sender, _open_loop_works(scenario, streams, base, block_size))
    _start_closed_loops(env, scenario, sender, streams, block_size)
    return open_loop


def timeouts(scenario: ScenarioDocument) -> dict[str, float]:
    """Seconds that the clients of a stream wait, for the streams that say so."""
    return {name: s.timeout_ms / 1e3 for name, s in scenario.streams.items() if s.timeout_ms is not None}


def _open_loop_works(
    scenario: ScenarioDocument, streams: Streams, base: Path, block_size: int
) -> Iterator[Work]:
    works: list[Iterator[Work]] = []
    for name, spec in scenario.streams.items():
        if not spec.enabled or isinstance(spec.arrivals, ClosedLoop):
            continue
        requests = open_loop_requests(name, spec, scenario.duration_s, streams, base, block_size)
        if spec.kind == "pipeline":
            works.append(pipeline_plans(name, spec, requests, streams, block_size))
        else:
            works.append(requests)
    return merge(*works, key=attrgetter("arrival"))


def _start_closed_loops(
    env: Environment, scenario: ScenarioDocument, sender: Sender, streams: Streams, block_size: int
) -> None:
    for name, spec in scenario.streams.items():
        if spec.enabled and isinstance(spec.arrivals, ClosedLoop):
            for index in range(spec.arrivals.users):
                user = ClosedLoopUser(name, spec, index, streams, block_size)
                ClosedLoopClient(env, sender, user, scenario.duration_s, scenario.max_requests)
