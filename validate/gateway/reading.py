"""Reading a client's HTTP request into the request that the control plane is given."""

from __future__ import annotations

import asyncio
from itertools import count
from typing import Any

from aiohttp import StreamReader, web

from simcore.request import Kind, Request
from validate.gateway.errors import STOPPING, BadRequest, Overloaded
from validate.gateway.gateway import Gateway
from validate.gateway.held import Share
from validate.gateway.metadata import Metadata, read_metadata
from validate.gateway.tokens import CHAT_TOKENS, COMPLETION_TOKENS, chat_length, lengths_of, whole_number

JSON = "application/json"
"""A page of another site cannot post it unless it is allowed to, which nothing here answers."""

_numbers = count()


async def read_body(http: web.Request, gateway: Gateway, share: Share) -> bytes:
    """What was posted, if it comes in time and there is room. Raises BadRequest."""
    if http.content_type != JSON:
        raise BadRequest(f"the body's Content-Type has to be {JSON}", 415)
    settings = gateway.settings
    try:
        async with gateway.ending.limited(asyncio.get_running_loop().time() + settings.receive_timeout):
            return await _received(http.content, settings.max_request, share)
    except TimeoutError:
        if gateway.ending.begun:
            raise Overloaded(STOPPING) from None
        raise BadRequest("the request's body did not come in time", 408) from None
    except web.RequestPayloadError:
        raise BadRequest("the body is not what its headers say") from None


async def _received(content: StreamReader, limit: int, share: Share) -> bytes:
    parts: list[bytes] = []
    async for part in content.iter_any():
        share.take(len(part))
        if share.size > limit:
            raise BadRequest("the request is too large", 413)
        parts.append(part)
    return b"".join(parts)


def read_completion(http: web.Request, body: dict[str, Any], arrival: float) -> Request:
    """A request of ``/v1/completions``."""
    prompts = lengths_of(body.get("prompt"), "prompt")
    most = whole_number(body, "max_tokens") or COMPLETION_TOKENS
    output = most * len(prompts) * (whole_number(body, "n") or 1)
    about = read_metadata(http.headers, body, Kind.LLM_GENERATE)
    return _request(about, arrival, sum(prompts), output)


def read_chat(http: web.Request, body: dict[str, Any], arrival: float) -> Request:
    """A request of ``/v1/chat/completions``."""
    most = whole_number(body, "max_completion_tokens") or whole_number(body, "max_tokens") or CHAT_TOKENS
    about = read_metadata(http.headers, body, Kind.LLM_CHAT)
    output = most * (whole_number(body, "n") or 1)
    return _request(about, arrival, chat_length(body.get("messages")), output)


def read_embedding(http: web.Request, body: dict[str, Any], arrival: float) -> Request:
    """A request of ``/v1/embeddings``."""
    texts = lengths_of(body.get("input"), "input")
    about = read_metadata(http.headers, body, Kind.EMBEDDING)
    return _request(about, arrival, sum(texts), 0, texts)


def _request(
    about: Metadata, arrival: float, prompt: int, output: int, texts: tuple[int, ...] = ()
) -> Request:
    return Request(
        id=next(_numbers),
        stream=about.stream,
        kind=about.kind,
        arrival=arrival,
        prompt_tokens=prompt,
        output_tokens=output,
        priority=about.priority,
        tenant=about.tenant,
        deadline=about.deadline,
        cost_budget=about.cost_budget,
        text_tokens=texts,
        prefix_group=about.prefix_group,
    )
