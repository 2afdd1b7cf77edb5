"""Retrievers on a profile in a live run: the service, the client, and what they need. Without faiss."""

from __future__ import annotations

import asyncio
import threading
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from calibration.errors import BackendMissing
from calibration.fits.retrieval import fit_retrieval
from calibration.probes.retrieval import IndexDesign, design_of
from simcore.errors import BadInput
from simcore.request import Outcome
from simcore.scenario.document import ScenarioDocument
from tests.factories import constant, poisson, profile, scenario
from tests.unit.gateway_support import STREAMS, run
from tests.unit.steady_loop import run_steadily
from tests.unit.test_calibration_retrieval import records
from tests.unit.test_retrieval_profile import index
from validate.backends import possible
from validate.backends.possible import Backends, check_possible
from validate.backends.retrieval_service import application
from validate.gateway.serve import listening, url_of
from validate.live.plane import index_places, live_places
from validate.replay.replay import Front, Replayed, replay
from validate.replayable import check_replayable

INDEX = {"kind": "retriever", "profile": "index", "k": 7, "concurrency": 2}
LOOK_UPS = {"look": {"kind": "retrieval", "arrivals": poisson(30.0)}}
PROFILES = {"test": profile(), "index": index()}


def looking_up(**more: Any) -> ScenarioDocument:
    backends = {"llm": {"kind": "llm", "profile": "test"}, "index": INDEX | more}
    return scenario(streams=LOOK_UPS, backends=backends, duration_s=1.0, drain_s=2.0)


async def started(app: web.Application, stack: AsyncExitStack) -> str:
    runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    bound = listening("127.0.0.1", 0)
    await web.SockSite(runner, bound).start()
    return url_of(bound)


class Index:
    """Keeps look-ups until it is let go, and remembers them in the order in which they began."""

    def __init__(self) -> None:
        self.begun: list[tuple[int, int]] = []
        self.go = threading.Event()

    def search(self, k: int, queries: int) -> list[tuple[float, float]]:
        self.begun.append((k, queries))
        assert self.go.wait(5)
        return [(0.25, 0.125)] * queries


def test_look_ups_are_served_in_order_by_as_many_as_there_are_servers() -> None:
    async def test() -> None:
        index = Index()
        async with AsyncExitStack() as stack, aiohttp.ClientSession() as client:
            url = await started(application(index.search, 2), stack)

            async def look_up(k: int, queries: int) -> Any:
                async with client.post(f"{url}/search", json={"queries": queries, "k": k}) as answer:
                    return await answer.json()

            asked = []
            for k, queries in ((1, 1), (2, 3), (3, 1), (4, 1)):
                asked.append(asyncio.create_task(look_up(k, queries)))
                await asyncio.sleep(0.05)
            assert index.begun == [(1, 1), (2, 3)]
            asked.pop(2).cancel()
            await asyncio.sleep(0.05)
            index.go.set()
            answers = await asyncio.gather(*asked)
        assert [len(answer["timings"]) for answer in answers] == [1, 3, 1]
        # The one that was given up while it waited was never looked up.
        assert index.begun == [(1, 1), (2, 3), (4, 1)]

    run(test())


@pytest.mark.parametrize(
    "body", [b"{", b"[]", b"{}", b'{"k": 1, "queries": 0}', b'{"k": true, "queries": 1}']
)
def test_what_is_no_look_up_is_refused(body: bytes) -> None:
    async def test() -> None:
        index = Index()
        async with AsyncExitStack() as stack, aiohttp.ClientSession() as client:
            url = await started(application(index.search, 1), stack)
            async with client.post(f"{url}/search", data=body) as answer:
                assert answer.status == 400
        assert not index.begun

    run(test())


def replayed(document: ScenarioDocument, statuses: list[int]) -> tuple[Replayed, list[list[Any]]]:
    """The scenario against one index for each status, and what each was asked."""
    seen: list[list[Any]] = [[] for _ in statuses]

    def answering(number: int) -> web.Application:
        async def answer(http: web.Request) -> web.Response:
            seen[number].append(await http.json())
            await asyncio.sleep(0.05)
            return web.json_response({}, status=statuses[number])

        app = web.Application()
        app.router.add_post("/search", answer)
        return app

    async def work() -> Replayed:
        async with AsyncExitStack() as stack:
            urls = [await started(answering(number), stack) for number in range(len(statuses))]
            return await replay(document, PROFILES, 0, Path(), Front({}, {}, indexes=urls))

    return run_steadily(work()), seen


def test_every_look_up_is_posted_and_the_least_busy_index_gets_it() -> None:
    found, (one, other) = replayed(looking_up(count=2), [200, 200])
    assert {request.outcome for request in found.requests} == {Outcome.COMPLETED}
    assert len(one) + len(other) == len(found.requests) > 10
    assert [*one, *other] == [{"queries": 1, "k": 7}] * len(found.requests)
    # The first gets those that come while both are idle, the second those that find it at work.
    assert len(one) > len(other) > 0
    assert all(request.finished - request.arrival >= 0.05 for request in found.requests)


def test_an_index_that_fails_is_named_among_the_faults() -> None:
    found, _ = replayed(looking_up(), [500])
    assert {request.outcome for request in found.requests} == {Outcome.FAILED}
    assert found.faults == {"HTTP 500": len(found.requests)}


def test_the_index_is_the_one_that_was_measured() -> None:
    design = IndexDesign("IVF16,Flat", "nprobe=4", vectors=1000, dimension=8)
    assert design_of(fit_retrieval(records())) == design
    flat = index().retrieval
    assert flat is not None
    assert design_of(flat) == IndexDesign("Flat", "", 1000, 8)


def test_indexes_are_the_clients_and_not_the_gateways() -> None:
    document = looking_up(count=2)
    assert [place.name for place in index_places(document)] == ["index-0", "index-1"]
    assert [place.name for place in live_places(document)] == ["llm"]
    given = {"index": {"kind": "retriever", "service_time_ms": constant(1)}}
    assert not index_places(scenario(streams=LOOK_UPS, backends=given))


def test_several_groups_of_retrievers_are_refused() -> None:
    check_replayable([looking_up()])
    given = {"kind": "retriever", "service_time_ms": constant(1)}
    two = scenario(streams=STREAMS | LOOK_UPS, backends={"one": INDEX, "two": given})
    with pytest.raises(BadInput, match="one, two; allowed: one group of retrievers"):
        check_replayable([two])


def test_without_faiss_an_index_cannot_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = index_places(looking_up())
    monkeypatch.setattr(possible, "find_spec", lambda name: None)
    with pytest.raises(
        BackendMissing, match=r"index cannot be started here: .*faiss; .*simsage\[retrieval\]"
    ):
        check_possible(missing, PROFILES, Backends({}))
    monkeypatch.setattr(possible, "find_spec", lambda name: name == "faiss" or None)
    check_possible(missing, PROFILES, Backends({}))
