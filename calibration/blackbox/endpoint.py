"""Endpoint: an OpenAI-compatible server, of which nothing is known but its URL. Needs aiohttp."""

from __future__ import annotations

import time
from dataclasses import dataclass

import aiohttp
from aiohttp.http_exceptions import HttpProcessingError
from yarl import URL

from calibration.backends.connections import unlimited
from calibration.blackbox.events import excerpt, read_event
from calibration.errors import BackendFailed

CONNECT_LIMIT = 10.0
"""Seconds within which a connection must come about."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What a client saw of one request: seconds of the monotonic clock, and tokens by the usage."""

    first: float
    last: float
    prompt_tokens: int
    output_tokens: int


class Endpoint:
    """``/v1/completions`` under a base URL, with or without the ``/v1``; a context manager, asynchronous.

    As many connections as there are requests. Credentials in the URL are used and never shown. Raises
    ``ValueError`` for what is no http URL.
    """

    def __init__(self, url: str, model: str, api_key: str | None, timeout: float) -> None:
        base = URL(url)
        if base.scheme not in ("http", "https") or not base.host:
            raise ValueError("the endpoint must be a URL like http://host:8000")
        path = base.path.rstrip("/").removesuffix("/v1")
        self._completions = base.with_path(f"{path}/v1/completions").with_query(None).with_fragment(None)
        self.shown = str(self._completions.with_user(None))
        self._model = model
        self._timeout = timeout
        self._secrets = [s for s in (api_key, base.password) if s]
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}

    async def __aenter__(self) -> Endpoint:
        self._session = aiohttp.ClientSession(
            connector=unlimited(),
            timeout=aiohttp.ClientTimeout(total=self._timeout, sock_connect=CONNECT_LIMIT),
            headers=self._headers,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    async def complete(self, prompt: str, tokens: int) -> Answered:
        """Stream a completion of ``tokens`` tokens; `BackendFailed` where that fails in whatever way."""
        try:
            return await self._stream(prompt, tokens)
        except BackendFailed as fault:
            raise self._failure(str(fault)) from None
        except TimeoutError:
            raise self._failure(f"no whole answer within {self._timeout:g} s") from None
        except (aiohttp.ClientError, HttpProcessingError, OSError, ValueError) as fault:
            raise self._failure(f"{type(fault).__name__}: {excerpt(str(fault).encode())}") from None

    async def _stream(self, prompt: str, tokens: int) -> Answered:
        body = {
            "model": self._model,
            "prompt": prompt,
            "max_tokens": tokens,
            "ignore_eos": True,
            "temperature": 0.0,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        first = last = 0.0
        usage = None
        async with self._session.post(self._completions, json=body, allow_redirects=False) as response:
            if response.status != 200:
                raise BackendFailed(f"HTTP {response.status}: {excerpt(await response.content.read(300))}")
            async for line in response.content:
                event = read_event(line)
                if event is None:
                    continue
                if event.output:
                    last = time.monotonic()
                    first = first or last
                usage = event.usage or usage
        if usage is None:
            raise BackendFailed("the stream told no usage; it must understand stream_options.include_usage")
        if not first or not 1 <= usage[1] <= tokens or not usage[0]:
            raise BackendFailed(f"of {tokens} tokens asked for, the usage tells {usage[1]} for {usage[0]}")
        return Answered(first, last, *usage)

    def _failure(self, what: str) -> BackendFailed:
        for secret in self._secrets:
            what = what.replace(secret, "***")
        return BackendFailed(f"{self.shown}: {what}; the points measured so far are kept")
