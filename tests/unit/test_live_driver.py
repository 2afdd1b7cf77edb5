"""The live driver: the plane decides as in the simulator, and every request ends exactly once."""

from __future__ import annotations

import asyncio
import random
from collections import deque

import numpy as np
import pytest
from simpy import Environment

from simcore.control.build import build_control_plane
from simcore.control.plane import ControlPlane
from simcore.control.pool import BackendState
from simcore.driver import Driver
from simcore.policies.registry import ORDERINGS, ROUTINGS
from simcore.request import Kind, Outcome, Priority, Request, Service
from simcore.scenario.cluster import ControlPlaneSpec
from simcore.timer import after
from tests.unit.gateway_support import run
from tests.unit.steady_loop import stall
from validate.live.clock import Clock
from validate.live.driver import LiveDriver, Rejected


def states(llm=2, embedding=1, limit=None):
    services = [Service.LLM] * llm + [Service.EMBEDDING] * embedding
    return [BackendState(index, service, limit) for index, service in enumerate(services)]


def plane_of(backends=None, **spec) -> ControlPlane:
    made = ControlPlaneSpec.model_validate(spec)
    return build_control_plane(made, backends or states(), lambda name: np.random.default_rng(0))


def requests(count=40) -> list[Request]:
    draw = random.Random(1)
    return [
        Request(
            number,
            "s",
            draw.choice([Kind.LLM_CHAT, Kind.LLM_GENERATE, Kind.EMBEDDING]),
            0.0,
            draw.randint(1, 900),
            draw.randint(1, 90),
            draw.choice(list(Priority)),
            draw.choice("abc"),
            deadline=draw.choice([None, 0.5, 5.0, 50.0]),
            text_tokens=(1,) * draw.randint(1, 9),
            prefix_group=draw.randint(-1, 3),
        )
        for number in range(count)
    ]


class Instant:
    """A backend of the simulator that answers after a second."""

    def __init__(self, env, events, dispatched) -> None:
        self.env, self.events, self.dispatched = env, events, dispatched

    def submit(self, request: Request) -> None:
        self.dispatched.append((request.id, request.backend))
        after(self.env, 1.0, self.events.finished, request, 0.0)


def simulated(spec, limit) -> list[tuple[int, int]]:
    """Dispatches, in order, of requests that all come at once."""
    env, dispatched = Environment(), []
    driver = Driver(env, 0.0, (0.0, 1e9), lambda request: None)
    backends = states(limit=limit)
    driver.connect(plane_of(backends, **spec), [Instant(env, driver.events, dispatched) for _ in backends])
    for request in requests():
        driver.send(request, lambda request: None)
    env.run()
    return dispatched


class ByHand(Clock):
    """Shows the time that it is set to."""

    at = 0.0

    def now(self) -> float:
        return self.at


async def lived(spec, limit) -> list[tuple[int, int]]:
    """The same through the live driver: each is answered a second after its dispatch."""
    clock, dispatched, under_way = ByHand(), [], deque()
    driver = LiveDriver(plane_of(states(limit=limit), **spec), clock)
    for request in requests():
        driver.submit(request).add_done_callback(
            lambda turn, r=request: under_way.append(r) or dispatched.append((r.id, turn.result()))
        )
    await asyncio.sleep(0)
    while under_way:
        request = under_way.popleft()
        clock.at = request.dispatched + 1.0
        driver.end(request, Outcome.COMPLETED)
        await asyncio.sleep(0)
    driver.check_integrity()
    assert driver.outcomes == {Outcome.COMPLETED: 40}
    return dispatched


@pytest.mark.parametrize("kind", ["unified", "separate"])
@pytest.mark.parametrize("ordering", ORDERINGS)
def test_requests_leave_in_the_order_of_the_simulator(kind: str, ordering: str):
    spec = {"kind": kind, "ordering": ordering}
    assert asyncio.run(lived(spec, 1)) == simulated(spec, 1)


@pytest.mark.parametrize("routing", ROUTINGS)
def test_requests_go_where_the_simulator_sends_them(routing: str):
    spec = {"ordering": "priority", "routing": routing}
    assert asyncio.run(lived(spec, None)) == simulated(spec, None)


def test_a_dispatch_period_decides_at_its_multiples_and_misses_none():
    async def test() -> None:
        driver = LiveDriver(plane_of(dispatch_period_ms=50.0), Clock())
        sent = requests(12)
        for request in sent:
            driver.submit(request)
            await asyncio.sleep(0.011)
        await asyncio.sleep(0.06)
        for request in sent:
            assert request.dispatched - request.submitted < 0.05 + 0.03
            assert request.dispatched % 0.05 < 0.03
            driver.end(request, Outcome.COMPLETED)
        driver.check_integrity()

    run(test())


def test_a_late_event_loop_does_not_lose_a_tick():
    async def test() -> None:
        driver = LiveDriver(plane_of(dispatch_period_ms=20.0), Clock())
        first, second = requests(2)
        driver.submit(first)
        stall(0.05)
        driver.submit(second)
        assert first.backend >= 0
        assert second.backend < 0
        await asyncio.sleep(0.03)
        assert second.backend >= 0

    run(test())


def test_each_request_has_one_outcome_whatever_happens():
    async def test() -> None:
        draw = random.Random(7)
        driver = LiveDriver(plane_of(states(limit=2), ordering="ageing_priority"), Clock())
        open_requests: list[Request] = []
        for request in requests(400):
            driver.submit(request)
            open_requests.append(request)
            for _ in range(draw.randint(0, 2)):
                one = open_requests.pop(draw.randrange(len(open_requests))) if open_requests else None
                if one is None:
                    continue
                if one.backend >= 0 and draw.random() < 0.3:
                    driver.mark(one.backend, False)
                    driver.requeue(one)
                    open_requests.append(one)
                elif one.backend >= 0 and draw.random() < 0.8:
                    driver.end(one, Outcome.COMPLETED)
                else:
                    driver.end(one, draw.choice([Outcome.CANCELLED, Outcome.TIMED_OUT]))
                driver.end(one, Outcome.FAILED) if one.outcome else None
            driver.mark(draw.randrange(3), draw.random() < 0.7)
            driver.check_integrity()
        driver.stop()
        driver.check_integrity()
        assert driver.outcomes.total() == driver.arrived == 400
        assert driver.outcomes[Outcome.FAILED] == 0
        assert len(driver.ended) == 400

    run(test())


def test_a_request_that_is_not_admitted_is_rejected_once():
    async def test() -> None:
        admission = {"policy": "saturation", "threshold": 1}
        driver = LiveDriver(plane_of(states(1, 0), admission=admission), Clock())
        one, other = (Request(n, "s", Kind.LLM_CHAT, 0.0, 1, 1) for n in range(2))
        driver.submit(one)
        with pytest.raises(Rejected):
            driver.submit(other)
        assert other.outcome is Outcome.REJECTED
        assert driver.outcomes == {Outcome.REJECTED: 1}

    run(test())


@pytest.mark.parametrize("routing", ROUTINGS)
def test_nothing_goes_to_a_backend_that_does_not_answer(routing: str):
    async def test() -> None:
        driver = LiveDriver(plane_of(states(2, 0), routing=routing), Clock())
        driver.mark(0, False)
        sent = [Request(n, "s", Kind.LLM_CHAT, 0.0, 1, 1, prefix_group=n) for n in range(6)]
        turns = [driver.submit(request) for request in sent[:4]]
        assert [turn.result() for turn in turns] == [1] * 4
        driver.mark(1, False)
        waiting = [driver.submit(request) for request in sent[4:]]
        assert not any(turn.done() for turn in waiting)
        driver.mark(0, True)
        assert [turn.result() for turn in waiting] == [0, 0]
        for request in sent:
            driver.end(request, Outcome.COMPLETED)
        driver.check_integrity()

    run(test())


def test_a_requeued_request_keeps_its_place():
    async def test() -> None:
        driver = LiveDriver(plane_of(states(1, 0, limit=1)), Clock())
        first, second, third = (Request(n, "s", Kind.LLM_CHAT, 0.0, 1, 1) for n in range(3))
        for request in (first, second, third):
            driver.submit(request)
            stall(0.001)
        driver.mark(0, False)
        turn = driver.requeue(first)
        assert (first.backend, driver.plane.waiting) == (-1, 3)
        driver.mark(0, True)
        assert turn.result() == 0
        assert driver.plane.waiting == 2

    run(test())


def test_blocking_chat_holds_embeddings_back_only_in_the_unified_plane():
    async def backend_of_embedding(kind: str) -> int:
        driver = LiveDriver(plane_of(kind=kind, blocking_chat=True), Clock())
        driver.submit(Request(0, "s", Kind.LLM_CHAT, 0.0, 1, 1))
        embedding = Request(1, "s", Kind.EMBEDDING, 0.0, 1, text_tokens=(1,))
        driver.submit(embedding)
        return embedding.backend

    assert asyncio.run(backend_of_embedding("unified")) == -1
    assert asyncio.run(backend_of_embedding("separate")) == 2


def test_stopping_leaves_the_rest_unfinished():
    async def test() -> None:
        driver = LiveDriver(plane_of(states(1, 0, limit=1)), Clock())
        sent = [Request(n, "s", Kind.LLM_CHAT, 0.0, 1, 1) for n in range(3)]
        turns = [driver.submit(request) for request in sent]
        driver.stop()
        driver.end(sent[0], Outcome.COMPLETED)
        assert driver.outcomes == {Outcome.UNFINISHED: 3}
        await asyncio.sleep(0)
        assert [turn.cancelled() for turn in turns] == [False, True, True]

    run(test())
