"""EmbeddingHost: what an embedding server does on its host beside the batches, one thing after another."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from simpy import Environment

from simcore.request import Request
from simcore.serving_queue import ServingQueue


@dataclass(frozen=True, slots=True)
class HostWork:
    """Seconds for each request, token and vector."""

    request: float = 0.0
    token: float = 0.0
    vector: float = 0.0

    def of_requests(self, requests: int, tokens: int, vectors: int) -> float:
        """Seconds for so much in all."""
        return self.request * requests + self.token * tokens + self.vector * vectors


class EmbeddingHost:
    """The event loop that takes requests in and hands vectors out, first come, first served."""

    __slots__ = ("_env", "_queue", "_work")

    def __init__(self, env: Environment, work: HostWork) -> None:
        self._env = env
        self._work = work
        self._queue = ServingQueue(env)

    def take_in(self, request: Request, arrive: Callable[[Request], None]) -> None:
        """Call ``arrive`` with the request once it has been read and its tokens counted."""
        self._queue.submit(self._work.of_requests(1, request.prompt_tokens, 0), arrive, request)

    def hand_out(self, request: Request) -> float:
        """Begin to write a request's vectors; the seconds until they are written."""
        return self._queue.book(self._work.vector * len(request.text_tokens))

    def crash(self) -> None:
        """Lose what was to be done."""
        self._queue = ServingQueue(self._env)
