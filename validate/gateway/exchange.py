"""Exchange: one client's request, from its arrival to its outcome."""

from __future__ import annotations

import asyncio
from math import isnan
from typing import NamedTuple

import aiohttp
from aiohttp import web

from simcore.request import Kind, Outcome, Request
from validate.gateway.answers import Usage, checked, parsed
from validate.gateway.body import payload_for
from validate.gateway.errors import (
    STOPPING,
    BackendFault,
    ClientGone,
    Overloaded,
    error_body,
    error_event,
    error_response,
)
from validate.gateway.events import LONGEST_LINE, EventWatch
from validate.gateway.gateway import Gateway
from validate.gateway.held import Share
from validate.gateway.metadata import DISPATCHED, REQUEST_ID
from validate.gateway.reply import Reply
from validate.gateway.upstream import posted, whole
from validate.live.backend import LiveBackend
from validate.live.driver import Rejected

LONGEST_ERROR = 1 << 16
PASSED_ON = ("Authorization", REQUEST_ID)
"""What the backend is told as the client said it."""


class Asked(NamedTuple):
    """What a client asks: the control plane's request, its body as `rest_of` has it, and what it may hold."""

    request: Request
    rest: bytes
    streams: bool
    share: Share


class Exchange:
    """Waits for the control plane's decision, asks that backend, and passes its answer on as it comes."""

    def __init__(self, gateway: Gateway, http: web.Request, asked: Asked) -> None:
        self._gateway = gateway
        self._http = http
        self._request = request = asked.request
        self._asked = asked
        self._driver = gateway.driver
        self._reply = Reply(http)
        self._streams = asked.streams and request.kind is not Kind.EMBEDDING

    async def run(self) -> web.StreamResponse:
        """The answer, whatever became of it; the request has its one outcome then."""
        request = self._request
        limit = request.arrival + self._gateway.settings.timeout_of(request.stream)
        try:
            async with self._gateway.ending.limited(self._driver.clock.on_loop(limit)):
                return await self._carry()
        except Rejected:
            return error_response(429, "the control plane admits no more requests now")
        except TimeoutError:
            if self._gateway.ending.begun:
                return await self._give_up(Outcome.UNFINISHED, 503, STOPPING)
            return await self._give_up(Outcome.TIMED_OUT, 504, "there was no whole answer in time")
        except Overloaded as full:
            return await self._give_up(Outcome.FAILED, full.status, str(full))
        except BackendFault as fault:
            return await self._give_up(Outcome.FAILED, 502, f"the backend failed: {fault}")
        except ClientGone:
            self._driver.end(request, Outcome.CANCELLED)
            return self._reply.begun or web.Response()
        except asyncio.CancelledError:
            self._driver.end(request, Outcome.CANCELLED)
            raise
        finally:
            self._driver.end(request, Outcome.FAILED)
            self._gateway.metrics.observe(request)

    async def _carry(self) -> web.StreamResponse:
        """Ask one backend after the other until one answers; after the first byte there is no other."""
        turn = self._driver.submit(self._request)
        left = self._gateway.settings.retries
        while True:
            backend = self._gateway.backends[await turn]
            try:
                return await self._ask(backend)
            except BackendFault:
                self._gateway.health.doubt(backend)
                if self._reply.begun is not None or not left:
                    raise
            left -= 1
            turn = self._driver.requeue(self._request)

    async def _ask(self, backend: LiveBackend) -> web.StreamResponse:
        payload = payload_for(backend, self._request, self._asked.rest)
        sent = self._http.headers
        passed_on = {name: sent[name] for name in PASSED_ON if name in sent}
        if "@" in backend.url:
            # It has credentials of its own, and these are the gateway's.
            passed_on.pop("Authorization", None)
        if REQUEST_ID in sent:
            at = self._driver.clock.on_loop(self._request.dispatched)
            self._reply.headers[DISPATCHED] = f"{at:.6f}"
        async with posted(self._gateway.session, backend.url + self._http.path, payload, passed_on) as answer:
            if answer.status >= 400:
                return await self._refusal(answer)
            asked = "text/event-stream" if self._streams else "application/json"
            if answer.content_type != asked:
                raise BackendFault(f"it answered something other than {asked}")
            return await (self._stream(answer) if self._streams else self._whole(answer))

    async def _stream(self, answer: aiohttp.ClientResponse) -> web.StreamResponse:
        """Every piece goes on as it comes, from the first event on."""
        watch, reply, before = EventWatch(), self._reply, b""
        async for chunk in answer.content.iter_any():
            watch.feed(chunk)
            if reply.begun is None:
                before += chunk
                if watch.fault or len(before) > LONGEST_LINE:
                    break
                if not watch.begun:
                    continue
            await reply.pass_on(before or chunk)
            before = b""
            if watch.tokens:
                self._first_token()
                self._request.generated_tokens = watch.tokens
            if watch.done and not watch.fault:
                # Clients hang up at the end mark, some before the connection's own end.
                self._complete(watch.usage)
        if watch.fault:
            raise BackendFault(watch.fault)
        if reply.begun is None or not watch.done:
            raise BackendFault("its stream broke off")
        await reply.end()
        return reply.begun

    async def _whole(self, answer: aiohttp.ClientResponse) -> web.StreamResponse:
        content = await whole(answer, self._gateway.settings.max_answer, self._asked.share)
        usage = checked(content, self._request)
        response = await self._reply.send(content)
        if self._request.kind is Kind.EMBEDDING:
            self._complete(None)
        else:
            self._first_token()
            self._complete(usage)
        return response

    async def _refusal(self, answer: aiohttp.ClientResponse) -> web.Response:
        """The backend says what is wrong with the request: in its own words if they are a JSON object."""
        try:
            said = parsed(await whole(answer, LONGEST_ERROR, self._asked.share))
        except BackendFault:
            # Long words about a request that is wrong are no fault of the backend's.
            said = None
        self._driver.end(self._request, Outcome.FAILED)
        if not isinstance(said, dict):
            said = error_body(answer.status, "the backend refused the request")
        return web.json_response(said, status=answer.status)

    def _first_token(self) -> None:
        if isnan(self._request.first_token):
            self._request.first_token = self._driver.clock.now()

    def _complete(self, usage: Usage | None) -> None:
        """The client has it all. What was estimated is put right by what the backend counted."""
        request = self._request
        if usage is not None:
            request.generated_tokens = usage.output
        elif not request.generated_tokens:
            request.generated_tokens = request.output_tokens
        self._driver.end(request, Outcome.COMPLETED)
        if usage is not None and request.outcome is Outcome.COMPLETED:
            request.prompt_tokens, request.output_tokens = usage

    async def _give_up(self, outcome: Outcome, status: int, message: str) -> web.StreamResponse:
        self._driver.end(self._request, outcome)
        if (begun := self._reply.begun) is None:
            return error_response(status, message)
        if self._request.outcome is not Outcome.COMPLETED:
            await self._reply.break_off(error_event(status, message))
        elif outcome is not Outcome.FAILED:
            self._reply.hang_up()
        return begun
