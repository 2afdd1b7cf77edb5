"""Seen: notes from within vLLM's API server. An ASGI middleware (``--middleware``); needs vLLM 0.32."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import asdict, dataclass, field
from typing import Any

from vllm.v1.engine.core_client import AsyncMPClient, MsgpackDecoder
from vllm.v1.engine.output_processor import OutputProcessor
from vllm.v1.metrics.loggers import StatLoggerManager

PATH = "/seen"

Message = dict[str, Any]
Send = Callable[[Message], Awaitable[None]]


@dataclass(slots=True)
class Entered:
    """A request: the turns in which the application got it, sent it to the engine, and sent its messages."""

    received: int
    added: int = 0
    messages: list[int] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Result:
    """A step's result as it is about to be detokenised.

    ``made`` is when the engine made it, monotonic; ``read`` and ``detokenised`` are turns. The rest is what
    the loop's thread has done before: CPU seconds, those of them in detokenising and statistics, and messages
    sent.
    """

    made: float
    read: int
    detokenised: int
    tokens: int
    busy: float
    detokenising: float
    statistics: float
    messages: int


class Notes:
    """What was seen since ``begin``.

    While turns of the loop are drawn out, its thread sleeps in each of them, and ``turns`` has when each
    began, monotonic; the first is number 1.
    """

    def __init__(self) -> None:
        self.turns: list[float] = []
        self.requests: list[Entered] = []
        self.results: list[Result] = []
        self.read: dict[float, int] = {}
        """The turns in which results were read, by when the engine made them."""
        self.detokenising = 0.0
        self.statistics = 0.0
        self.messages = 0

    @property
    def turn(self) -> int:
        """The number of the turn under way."""
        return len(self.turns)

    def begin(self, length: float) -> None:
        """Forget what was seen, and draw out turns by ``length`` seconds, unless that is 0."""
        self.turns, self.requests, self.results, self.read = [], [], [], {}
        if length:
            self._draw_out(self.turns, length)

    def _draw_out(self, turns: list[float], length: float) -> None:
        """This turn and the next ones, until something else begins."""
        if turns is self.turns:
            turns.append(time.monotonic())
            time.sleep(length)
            asyncio.get_running_loop().call_soon(self._draw_out, turns, length)

    def told(self) -> bytes:
        """As JSON."""
        found = {
            "turns": self.turns,
            "requests": [asdict(one) for one in self.requests],
            "results": [asdict(one) for one in self.results],
        }
        return json.dumps(found).encode()


ENTERED: ContextVar[Entered] = ContextVar("entered")


class Seen:
    """Answers GET /seen?SECONDS with the notes until then, and draws out turns by SECONDS from then on."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._notes = Notes()
        for note in (note_requests, note_reading, note_detokenising, note_statistics):
            note(self._notes)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """As ASGI has it."""
        if scope["type"] == "http" and scope["path"] == PATH:
            told = self._notes.told()
            self._notes.begin(float(scope["query_string"]))
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": told})
        elif scope["type"] == "http" and scope["path"].startswith("/v1/"):
            entered = Entered(self._notes.turn)
            self._notes.requests.append(entered)
            ENTERED.set(entered)
            await self._app(scope, receive, self._noting(entered, send))
        else:
            await self._app(scope, receive, send)

    def _noting(self, entered: Entered, send: Send) -> Send:
        """``send``, and what a message costs without another coroutine around it."""
        notes = self._notes

        def noted(message: Message) -> Awaitable[None]:
            if message.get("body"):
                entered.messages.append(notes.turn)
                notes.messages += 1
            return send(message)

        return noted


def note_requests(notes: Notes) -> None:
    """The turn in which each request is sent to the engine."""
    add = AsyncMPClient.add_request_async

    def noted(self: Any, request: Any) -> Any:
        if entered := ENTERED.get(None):
            entered.added = notes.turn
        return add(self, request)

    AsyncMPClient.add_request_async = noted


def note_reading(notes: Notes) -> None:
    """The turn in which each result is read."""
    decode = MsgpackDecoder.decode

    def noted(self: Any, *args: Any) -> Any:
        found = decode(self, *args)
        if getattr(found, "outputs", None):
            notes.read[found.timestamp] = notes.turn
        return found

    MsgpackDecoder.decode = noted


def note_detokenising(notes: Notes) -> None:
    """Each result, and the seconds of its detokenising."""
    process = OutputProcessor.process_outputs

    def noted(self: Any, outputs: Any, made: float, *args: Any, **kwargs: Any) -> Any:
        busy = time.thread_time()
        turns = notes.read[made], notes.turn
        tokens = sum(len(one.new_token_ids) for one in outputs)
        parts = notes.detokenising, notes.statistics
        notes.results.append(Result(made, *turns, tokens, busy, *parts, notes.messages))
        begin = time.thread_time()
        found = process(self, outputs, made, *args, **kwargs)
        notes.detokenising += time.thread_time() - begin
        return found

    OutputProcessor.process_outputs = noted


def note_statistics(notes: Notes) -> None:
    """The seconds of each step's statistics."""
    record = StatLoggerManager.record

    def noted(self: Any, *args: Any, **kwargs: Any) -> None:
        begin = time.thread_time()
        record(self, *args, **kwargs)
        notes.statistics += time.thread_time() - begin

    StatLoggerManager.record = noted
