"""replay: one replication of a scenario, sent for real."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from pathlib import Path

import aiohttp

from calibration.backends.connections import unlimited
from simcore.clients.sender import Sender
from simcore.clients.start import start_clients, timeouts
from simcore.profile.use import Profiles, block_size_of
from simcore.request import Request, Service
from simcore.scenario.cluster import RetrieverBackends
from simcore.scenario.document import ScenarioDocument
from simcore.scenario.workload import Distribution
from simcore.workload.distributions import draw_floats
from simcore.workload.randomness import Streams
from validate.pace import Pace, Steps
from validate.replay.carrier import HttpCarrier
from validate.replay.exchange import Exchange
from validate.replay.paced import PacedEnvironment
from validate.replay.prompts import Prompts, TextMaker
from validate.replay.retrieval import Retrieval, Searching, Waiting
from validate.watch import Incident, Watch, Watched

LOOK = 0.05
"""Seconds between two looks whether all is answered."""


@dataclass(frozen=True, slots=True)
class Replayed:
    """What became of each request, in seconds since the replay began.

    ``lags``: after the warm-up, from each intended time of sending to the real one. ``faults``: what went
    wrong, how often. ``incidents``: what happened to the servers, ``lost``: those that were gone at the end.
    ``cores``: the shares of a core that clients and, where it was started here, gateway took. ``paces``: how
    long the steps of engines that were started here lasted, ``steps`` their own logs of them by backend,
    whose times count from the same start if ``aligned``. ``began`` is the start on the monotonic clock, and
    ``epoch_start`` since the epoch; ``seconds`` is how long it all took.
    """

    requests: list[Request]
    lags: list[float]
    faults: dict[str, int]
    incidents: list[Incident] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    cores: dict[str, float] = field(default_factory=dict)
    paces: list[Pace] = field(default_factory=list)
    steps: dict[str, Steps] = field(default_factory=dict)
    began: float = 0.0
    epoch_start: float = 0.0
    seconds: float = 0.0
    aligned: bool = True


@dataclass(frozen=True, slots=True)
class Front:
    """Where clients send to and what models they ask for, by service; ``words`` makes texts to embed.

    ``indexes`` are the URLs of the retrievers, if the scenario's are on a profile; ``watched`` are servers.
    """

    urls: Mapping[Service, str]
    models: Mapping[Service, str]
    words: TextMaker | None = None
    indexes: Sequence[str] = ()
    watched: Sequence[Watched] = ()


async def replay(
    scenario: ScenarioDocument, profiles: Profiles, replication: int, base: Path, front: Front
) -> Replayed:
    """Send what `simcore.simulation.simulate` would simulate, at the same times, and wait as long as it.

    The clients are the simulator's own, on the wall clock. No cap on connections, no timeout that the
    scenario does not set. The scenario has to be one that `check_replayable` lets pass.
    """
    env, streams = PacedEnvironment(), Streams(scenario.seed, replication)
    block_size = block_size_of(scenario, profiles)
    patience = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(
        connector=unlimited(), timeout=patience, read_bufsize=1 << 20
    ) as session:
        # Never the prompts of another replay: a prefix cache would know them.
        prompts = Prompts(scenario.seed + time.time_ns(), block_size, front.words)
        exchange = Exchange(session, dict(front.urls), dict(front.models), prompts)
        retrieval = _retrieval(scenario, streams, session, front.indexes)
        requests: list[Request] = []
        carrier = HttpCarrier(env, exchange, retrieval, scenario.warmup_s, requests.append)
        sender = Sender(env, carrier, timeouts(scenario), requests.append)
        open_loop = start_clients(env, scenario, sender, streams, base, block_size)
        processor = time.process_time()
        env.begin()
        epoch_start = time.time()
        async with Watch(front.watched, env.clock, session) as watch:
            await _until(
                env,
                scenario.duration_s,
                scenario.duration_s + scenario.drain_s,
                lambda: not sender.outstanding and not open_loop.unsent,
            )
            sender.stop()
            env.stop()
    cores = {"clients": (time.process_time() - processor) / env.now}
    _check_integrity(sender, carrier, requests)
    requests.sort(key=attrgetter("id"))
    return Replayed(
        requests,
        carrier.lags,
        carrier.faults,
        watch.incidents,
        watch.lost,
        cores,
        began=env.clock.start,
        epoch_start=epoch_start,
        seconds=env.now,
    )


def _check_integrity(sender: Sender, carrier: HttpCarrier, requests: Sequence[Request]) -> None:
    """Raise AssertionError unless each request was sent once and has its outcome."""
    carrier.check_integrity()
    assert not sender.outstanding
    assert len({request.id for request in requests}) == len(requests) == sender.sent
    assert all(request.outcome is not None for request in requests)


async def _until(env: PacedEnvironment, least: float, most: float, done: Callable[[], bool]) -> None:
    while env.clock.now() < least or not (done() or env.clock.now() >= most):
        await asyncio.sleep(LOOK)
    env.catch_up()


def _retrieval(
    scenario: ScenarioDocument, streams: Streams, session: aiohttp.ClientSession, indexes: Sequence[str]
) -> Retrieval | None:
    for name, spec in scenario.backends.items():
        if not isinstance(spec, RetrieverBackends):
            continue
        if spec.service_time_ms is not None:
            return Waiting(spec.concurrency * spec.count, _times(name, spec.service_time_ms, streams))
        assert spec.k is not None
        return Searching(session, indexes, spec.k)
    return None


def _times(name: str, given: Distribution, streams: Streams) -> Callable[[], float]:
    draws = streams.generator(name, "service time")
    return lambda: float(draw_floats(given, 1, draws)[0]) / 1e3
