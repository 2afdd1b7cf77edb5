"""Endpoint: counts come from the usage, and every breach of the protocol is one clear error."""

from __future__ import annotations

import asyncio
import time

import pytest
from aiohttp import web

from calibration.blackbox.endpoint import Answered, Endpoint
from calibration.errors import BackendFailed
from tests.unit.blackbox_server import TOKEN, Answer, event, saying, serving, usage


def complete(url: str, tokens: int = 8, timeout: float = 5.0, api_key: str | None = None) -> Answered:
    async def ask() -> Answered:
        async with Endpoint(url, "m", api_key, timeout) as endpoint:
            return await endpoint.complete("ba be bi", tokens)

    return asyncio.run(ask())


def test_tokens_are_counted_by_the_usage_not_by_chunks() -> None:
    with serving(saying(b": hello", TOKEN, TOKEN, usage(3, 8), b"data: [DONE]", pause=0.05)) as url:
        before = time.monotonic()
        answered = complete(url)
    assert (answered.prompt_tokens, answered.output_tokens) == (3, 8)
    assert before < answered.first <= answered.last <= time.monotonic()


def test_the_last_token_is_timed_when_it_comes_not_when_the_stream_ends() -> None:
    with serving(saying(TOKEN, usage(3, 1), pause=0.3)) as url:
        answered = complete(url)
        assert time.monotonic() - answered.last > 0.25


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ([TOKEN, b"data: [DONE]"], "told no usage"),
        ([TOKEN, b'data: {"choices": ['], "not JSON"),
        ([b"data: " + b"[" * 100_000], "not JSON|too"),
        ([TOKEN, b"data: 17"], "not a completion: 17"),
        ([b'data: {"error": {"message": "out of memory"}}'], "not a completion: .*out of memory"),
        ([TOKEN, usage("3", 8)], "not two token counts"),
        ([TOKEN, usage(3, True)], "not two token counts"),
        ([TOKEN, usage(3, 10**12)], "not two token counts"),
        ([TOKEN, event(usage=[3, 8])], "not two token counts"),
        ([TOKEN, usage(3, 9)], "of 8 tokens asked for, the usage tells 9"),
        ([TOKEN, usage(3, 0)], "the usage tells 0"),
        ([usage(3, 8)], "of 8 tokens asked for"),
        ([TOKEN, b"data: " + b"x" * (1 << 20)], "LineTooLong"),
        ([b"<html>"], "told no usage"),
    ],
)
def test_breaches_of_the_protocol_are_refused(lines: list[bytes], told: str) -> None:
    with serving(saying(*lines)) as url, pytest.raises(BackendFailed, match=told) as caught:
        complete(url)
    assert "points measured so far are kept" in str(caught.value)
    assert len(str(caught.value)) < 600


def answering(status: int, text: str, **headers: str) -> Answer:
    async def answer(request: web.Request, body: dict[str, object]) -> web.Response:
        return web.Response(status=status, text=text, headers=headers)

    return answer


def test_an_http_error_is_told_with_the_servers_own_words() -> None:
    with serving(answering(404, "no model\x1b[31m m")) as url, pytest.raises(BackendFailed) as caught:
        complete(url)
    assert "HTTP 404: no model [31m m" in str(caught.value)


def test_a_redirect_is_not_followed_since_it_would_take_the_key_along() -> None:
    with (
        serving(answering(307, "", Location="http://127.0.0.1:1/")) as url,
        pytest.raises(BackendFailed, match="HTTP 307"),
    ):
        complete(url, api_key="key")


def test_the_key_is_sent_and_never_shown() -> None:
    seen = []

    async def answer(request: web.Request, body: dict[str, object]) -> web.Response:
        seen.append((request.headers["Authorization"], body["ignore_eos"], body["stream_options"]))
        return web.Response(status=401, text="wrong key: s3cret")

    with serving(answer) as url, pytest.raises(BackendFailed) as caught:
        complete(url, api_key="s3cret")
    assert seen == [("Bearer s3cret", True, {"include_usage": True})]
    assert "s3cret" not in str(caught.value)


def test_a_hanging_endpoint_ends_at_the_time_limit() -> None:
    with (
        serving(saying(TOKEN, usage(3, 8), pause=3.0)) as url,
        pytest.raises(BackendFailed, match=r"no whole answer within 0\.3 s"),
    ):
        complete(url, timeout=0.3)


def test_a_dead_endpoint_is_told() -> None:
    with pytest.raises(BackendFailed, match="Cannot connect"):
        complete("http://127.0.0.1:1")


def test_a_stream_cut_short_is_told() -> None:
    async def answer(request: web.Request, body: dict[str, object]) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(TOKEN + b"\n\n")
        assert request.transport is not None
        request.transport.abort()
        return response

    with serving(answer) as url, pytest.raises(BackendFailed, match=r"ClientPayloadError|ClientOSError"):
        complete(url)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://host:8000", "http://host:8000/v1/completions"),
        ("http://host:8000/v1/", "http://host:8000/v1/completions"),
        ("https://me:s3cret@host/llm/v1?key=s3cret#x", "https://host/llm/v1/completions"),
    ],
)
def test_the_address_is_completed_and_shown_without_credentials(url: str, shown: str) -> None:
    assert Endpoint(url, "m", None, 1.0).shown == shown


@pytest.mark.parametrize("url", ["host:8000", "ftp://host", "http://", ""])
def test_what_is_no_http_url_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="must be a URL"):
        Endpoint(url, "m", None, 1.0)
