"""Exchange: one request over HTTP and its answer, measured at the client."""

from __future__ import annotations

import json
from typing import Any

import aiohttp

from simcore.request import Request, Service
from validate.gateway.metadata import DISPATCHED, REQUEST_ID
from validate.live.clock import Clock
from validate.replay.engine_log import name_of, new_prefix
from validate.replay.prompts import Prompts


class Refused(Exception):
    """The answer is an error, or none: what was found in words, and the HTTP status (0 if it was 200)."""

    def __init__(self, found: str, status: int = 0) -> None:
        super().__init__(found)
        self.status = status


class Exchange:
    """Asks the servers below ``urls`` for what they serve as ``models``, both by service."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        urls: dict[Service, str],
        models: dict[Service, str],
        prompts: Prompts,
    ) -> None:
        self._session = session
        self._urls = urls
        self._models = models
        self._prompts = prompts
        self._prefix = new_prefix()

    async def ask(self, request: Request, clock: Clock) -> None:
        """Return once the answer is whole, its first token's time noted.

        Raises `Refused` for an error, a cut-off stream or a wrong number of tokens, aiohttp's errors for
        a broken connection.
        """
        if request.kind.service is Service.LLM:
            await self._complete(request, clock)
        else:
            await self._embed(request, clock)

    async def _complete(self, request: Request, clock: Clock) -> None:
        body = {
            "model": self._models[Service.LLM],
            "prompt": self._prompts.of(request),
            "max_tokens": request.output_tokens,
            "ignore_eos": True,
            "temperature": 0.0,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        url = f"{self._urls[Service.LLM]}/v1/completions"
        usage: dict[str, Any] = {}
        first = None
        async with self._session.post(url, json=body, headers=self._headers(request)) as response:
            await checked(response)
            _note_dispatched(request, response, clock)
            async for line in response.content:
                event = _event(line)
                if event.get("choices") and first is None:
                    first = clock.now()
                usage = event.get("usage") or usage
        counted = usage.get("completion_tokens")
        if first is None or counted != request.output_tokens:
            told = counted if isinstance(counted, int) else "unknown"
            raise Refused(f"{told} tokens of {request.output_tokens}")
        request.first_token = first

    async def _embed(self, request: Request, clock: Clock) -> None:
        body = {
            "model": self._models[Service.EMBEDDING],
            "input": self._prompts.texts(request),
            "encoding_format": "float",
        }
        url = f"{self._urls[Service.EMBEDDING]}/v1/embeddings"
        async with self._session.post(url, json=body, headers=self._headers(request)) as response:
            await checked(response)
            _note_dispatched(request, response, clock)
            vectors = _vectors(await response.read())
        if vectors != len(request.text_tokens):
            raise Refused(f"{vectors} vectors of {len(request.text_tokens)}")

    def _headers(self, request: Request) -> dict[str, str]:
        return headers_of(request) | {REQUEST_ID: name_of(self._prefix, request.id)}


def headers_of(request: Request) -> dict[str, str]:
    """What the control plane is told beside the body."""
    said = {
        "Stream": request.stream,
        "Tenant": request.tenant,
        "Kind": request.kind.name.removeprefix("LLM_").lower(),
        "Priority": request.priority.name,
    }
    if request.deadline is not None:
        said["Deadline-Ms"] = f"{request.deadline * 1e3:.6g}"
    if request.cost_budget is not None:
        said["Cost-Budget"] = f"{request.cost_budget:.6g}"
    if request.prefix_group >= 0:
        said["Prefix-Group"] = str(request.prefix_group)
    return {f"X-Simsage-{name}": value for name, value in said.items()}


def _note_dispatched(request: Request, response: aiohttp.ClientResponse, clock: Clock) -> None:
    """Note when the control plane let go of the request, if it is on this machine and says so."""
    try:
        at = float(response.headers.get(DISPATCHED, "nan")) - clock.start
    except ValueError:
        return
    # The monotonic clock of another machine counts from elsewhere.
    if request.arrival <= at <= clock.now():
        request.dispatched = at


def _vectors(answer: bytes) -> int:
    try:
        return len(json.loads(answer)["data"])
    except (ValueError, RecursionError, KeyError, TypeError):
        raise Refused("an answer without vectors") from None


async def checked(response: aiohttp.ClientResponse) -> None:
    """Raise `Refused` unless the status is 200."""
    if response.status != 200:
        await response.read()
        raise Refused(f"HTTP {response.status}", response.status)


def _event(line: bytes) -> dict[str, Any]:
    """A line of a stream; an error in it raises `Refused`."""
    if not line.startswith(b"data: {"):
        return {}
    try:
        event = json.loads(line[6:])
    except (ValueError, RecursionError):
        raise Refused("an event that is no JSON") from None
    if "error" in event:
        code = event["error"].get("code") if isinstance(event["error"], dict) else None
        raise Refused("an error in the stream", code if isinstance(code, int) else 0)
    return dict(event)
