"""What passes through the gateway, and what the control plane is told of it."""

from __future__ import annotations

import asyncio
from math import isnan

import pytest

from simcore.request import Kind, Priority
from tests.unit.gateway_support import DONE, USAGE, FakeBackend, event, live, polite, run, slow, stream_of


def test_a_stream_passes_unchanged_and_as_it_comes():
    async def test() -> None:
        goes_on = asyncio.Event()

        async def held(fake, http, body):
            response = await stream_of(http, event("a"))
            await goes_on.wait()
            for chunk in (event("b"), USAGE, DONE):
                await response.write(chunk)
            return response

        async with live([FakeBackend(held)]) as gateway:
            async with gateway.post(stream=True) as response:
                assert response.content_type == "text/event-stream"
                assert await response.content.readany() == event("a")
                goes_on.set()
                assert await response.read() == event("b") + USAGE + DONE
            await gateway.all_settled()
            (request,) = gateway.ended
            assert gateway.outcomes == ["completed"]
            assert (request.prompt_tokens, request.output_tokens) == (3, 2)
            times = [request.arrival, request.submitted, request.dispatched, request.first_token]
            assert [*times, request.finished] == sorted([*times, request.finished])

    run(test())


@pytest.mark.parametrize("stream", [True, False])
def test_a_named_request_keeps_its_name_and_learns_when_it_was_dispatched(stream: bool) -> None:
    async def test() -> None:
        names = []

        async def noting(fake, http, body):
            names.append(http.headers.get("X-Request-Id"))
            return await polite(fake, http, body)

        async with live([FakeBackend(noting)]) as gateway:
            now = asyncio.get_running_loop().time
            before = now()
            async with gateway.post(stream=stream, headers={"X-Request-Id": "one"}) as response:
                dispatched = float(response.headers["X-Simsage-Dispatched"])
            assert before - 1e-6 <= dispatched <= now() + 1e-6
            async with gateway.post(stream=stream) as response:
                assert "X-Simsage-Dispatched" not in response.headers
            assert names == ["one", None]

    run(test())


def test_a_token_cut_in_two_pieces_passes_unchanged():
    async def test() -> None:
        whole = event("ä") + DONE

        async def torn(fake, http, body):
            return await stream_of(http, whole[:9], whole[9:40], whole[40:], pause=0.01)

        async with live([FakeBackend(torn)]) as gateway:
            async with gateway.post(stream=True) as response:
                assert await response.read() == whole
            await gateway.all_settled()
            assert gateway.outcomes == ["completed"]

    run(test())


@pytest.mark.parametrize(
    ("route", "body", "kind"),
    [
        ("completions", {"prompt": [1, 2, 3]}, Kind.LLM_GENERATE),
        ("chat/completions", {"messages": [{"role": "user", "content": "hi"}]}, Kind.LLM_CHAT),
        ("embeddings", {"input": ["a", "b"]}, Kind.EMBEDDING),
    ],
)
def test_an_answer_in_one_piece(route: str, body: dict, kind: Kind):
    async def test() -> None:
        llm, embedding = FakeBackend(), FakeBackend()
        async with live([llm], [embedding]) as gateway:
            async with gateway.post(route, model="test", **body) as response:
                assert response.status == 200
                assert response.content_type == "application/json"
                assert "usage" in await response.json()
            await gateway.all_settled()
            (request,) = gateway.ended
            assert (request.kind, request.outcome.value) == (kind, "completed")
            assert isnan(request.first_token) == (kind is Kind.EMBEDDING)
            asked = embedding if kind is Kind.EMBEDDING else llm
            assert asked.bodies == [{**body, "model": "model"}]

    run(test())


@pytest.mark.parametrize(
    ("engine", "body", "headers", "sent", "known"),
    [
        ({}, {"priority": 1}, {}, None, Priority.HIGH),
        ({"scheduling_policy": "priority"}, {"priority": 1}, {}, 1, Priority.HIGH),
        ({"scheduling_policy": "priority"}, {}, {"X-Simsage-Priority": "low"}, 3, Priority.LOW),
        ({"scheduling_policy": "priority"}, {"priority": -7}, {}, 0, Priority.CRITICAL),
        ({"scheduling_policy": "priority"}, {}, {}, 2, Priority.NORMAL),
    ],
)
def test_priority_goes_on_where_the_backend_schedules_by_it(engine, body, headers, sent, known):
    async def test() -> None:
        fake = FakeBackend()
        async with live([fake], engine=engine) as gateway:
            async with gateway.post(**body, headers=headers) as response:
                assert response.status == 200
            assert fake.bodies[0].get("priority") == sent
            assert gateway.ended[0].priority is known

    run(test())


def test_headers_tell_what_policies_need():
    async def test() -> None:
        async with live([FakeBackend()]) as gateway:
            said = {
                "Stream": "batch",
                "Tenant": "bulk",
                "Kind": "chat",
                "Deadline-Ms": 250,
                "Prefix-Group": 5,
            }
            said |= {"Priority": 4, "Cost-Budget": 0.5}
            headers = {f"X-Simsage-{name}": value for name, value in said.items()}
            async with gateway.post(max_tokens=7, prompt=[[1, 2], [3]], n=2, headers=headers) as response:
                assert response.status == 200
            (request,) = gateway.ended
            assert (request.stream, request.tenant, request.kind) == ("batch", "bulk", Kind.LLM_CHAT)
            assert (request.deadline, request.prefix_group, request.cost_budget) == (0.25, 5, 0.5)
            assert request.priority is Priority.BACKGROUND

    run(test())


def test_models_health_and_metrics():
    async def test() -> None:
        async with live([FakeBackend()]) as gateway:
            for _ in range(3):
                async with gateway.post(stream=True) as response:
                    await response.read()
            await gateway.all_settled()
            async with gateway.client.get(f"{gateway.url}/v1/models") as response:
                assert [model["id"] for model in (await response.json())["data"]] == ["test"]
            async with gateway.client.get(f"{gateway.url}/health") as response:
                assert (response.status, await response.json()) == (
                    200,
                    {"backends": {"llm": True, "embedding": True}},
                )
            async with gateway.client.get(f"{gateway.url}/metrics") as response:
                lines = (await response.text()).splitlines()
            for line in (
                'vllm:request_success_total{model_name="test"} 3.0',
                'vllm:num_requests_running{model_name="test"} 0.0',
                'vllm:num_requests_waiting{model_name="test"} 0.0',
                'vllm:time_to_first_token_seconds_count{model_name="test"} 3.0',
                'vllm:e2e_request_latency_seconds_count{model_name="test"} 3.0',
                'simsage:requests_total{model_name="test",outcome="completed"} 3.0',
                'simsage:backend_healthy{backend="llm"} 1.0',
            ):
                assert line in lines

    run(test())


def test_two_hundred_streams_at_once():
    async def test() -> None:
        async with live([FakeBackend(slow), FakeBackend(slow)]) as gateway:

            async def one() -> bytes:
                async with gateway.post(stream=True) as response:
                    return await response.read()

            answers = await asyncio.gather(*(one() for _ in range(200)))
            assert set(answers) == {event("a") * 4 + DONE}
            await gateway.all_settled()
            assert gateway.outcomes == ["completed"] * 200
            assert {request.backend for request in gateway.ended} == {0, 1}

    run(test())


def test_a_limit_on_what_is_in_flight_holds_the_rest_back_in_order_of_priority():
    async def test() -> None:
        fake = FakeBackend(slow)
        async with live([fake], ordering="priority", max_in_flight=1) as gateway:

            async def one(priority: Priority) -> None:
                async with gateway.post(stream=True, user=priority.name, priority=int(priority)) as response:
                    await response.read()

            tasks = []
            for priority in (Priority.NORMAL, Priority.LOW, Priority.HIGH, Priority.CRITICAL, Priority.HIGH):
                tasks.append(asyncio.create_task(one(priority)))
                await asyncio.sleep(0.02)
            await asyncio.gather(*tasks)
            assert [body["user"] for body in fake.bodies] == ["NORMAL", "CRITICAL", "HIGH", "HIGH", "LOW"]
            await gateway.all_settled()

    run(test())


@pytest.mark.parametrize("kind", ["unified", "separate"])
def test_either_control_plane_sends_each_request_to_its_service(kind: str):
    async def test() -> None:
        llm, embedding = [FakeBackend(), FakeBackend()], [FakeBackend()]
        async with live(llm, embedding, kind=kind) as gateway:
            assert len(gateway.gateway.driver.plane.dispatchers) == (1 if kind == "unified" else 2)
            for _ in range(4):
                async with gateway.post() as response:
                    assert response.status == 200
                async with gateway.post("embeddings", input="hi") as response:
                    assert response.status == 200
            assert sum(len(fake.bodies) for fake in llm) == len(embedding[0].bodies) == 4
            await gateway.all_settled()

    run(test())
