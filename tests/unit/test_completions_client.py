"""The client that streams a load: in which order requests are sent, and what is kept of each stream."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any

from aiohttp import web

from calibration.backends.completions_client import play
from tests.unit.blackbox_server import serving

CHUNK = b'data: {"choices":[{"text":"a"}],"usage":null}\n\n'
before: dict[str, int] = {}
"""By prompt, how many chunks ``h one`` had been sent when it came in."""
MERGED = 2
"""Tokens that the server puts into each chunk."""


def usage(prompt: int, output: int) -> bytes:
    counts = f'{{"prompt_tokens":{prompt},"completion_tokens":{output}}}'
    return f'data: {{"choices":[],"usage":{counts}}}\n\ndata: [DONE]\n\n'.encode()


def run(held: list[tuple[str, int]], then: list[list[tuple[str, int]]], gap: int) -> tuple[Any, list[str]]:
    """The streams, and the order in which prompts came in, held ones ended (``held done``) among them."""
    order: list[str] = []
    before.clear()
    written = Counter[str]()

    async def answer(request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        order.append(body["prompt"])
        before[body["prompt"]] = written["h one"]
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(body["max_tokens"] // MERGED or 1):
            written[body["prompt"]] += 1
            await response.write(CHUNK)
            await asyncio.sleep(0.005)
        order.append(f"{body['prompt']} done")
        await response.write(usage(len(body["prompt"].split()), body["max_tokens"]))
        return response

    with serving(answer) as url:
        return asyncio.run(play(url.removesuffix("/v1"), held, then, gap)), order


def test_groups_follow_one_another_beside_what_is_held() -> None:
    streams, order = run([("h one", 60), ("i", 60)], [[("x", 1)], [("y", 1), ("z", 1)]], gap=3)
    assert [stream["turn"] for stream in streams] == [0, 0, 1, 2, 2]
    assert set(order[:2]) == {"h one", "i"}
    assert order.index("x done") < min(order.index("y"), order.index("z"))
    assert max(map(order.index, ("y done", "z done"))) < min(map(order.index, ("h one done", "i done")))
    held, _, first, second, _ = streams
    assert before["x"] >= 1 + 3
    assert before["y"] >= before["x"] + 3
    assert held["first"] < first["sent"]
    assert second["sent"] >= first["finished"]


def test_a_stream_counts_its_chunks_and_takes_tokens_from_usage() -> None:
    (stream,), _ = run([("a b c", 10)], [], gap=0)
    assert (stream["prompt_tokens"], stream["output_tokens"], stream["chunks"]) == (3, 10, 5)
    assert stream["sent"] < stream["first"] < stream["last"] <= stream["finished"]


def test_prompts_alone_wait_for_each_other_and_not_for_more_tokens_than_a_held_stream_has() -> None:
    streams, order = run([], [[("x", 1)], [("y", 1)]], gap=5)
    assert order == ["x", "x done", "y", "y done"]
    assert len(streams) == 2
    streams, order = run([("h", 2)], [[("x", 1)]], gap=50)
    assert order == ["h", "h done", "x", "x done"]
