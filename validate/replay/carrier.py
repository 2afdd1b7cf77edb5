"""HttpCarrier: brings requests to an OpenAI-compatible URL, and their answers back to the clients."""

from __future__ import annotations

import asyncio
from collections import Counter

from simcore.clients.sender import Answered, Ended
from simcore.request import Outcome, Request, Service
from validate.replay.exchange import Exchange, Refused
from validate.replay.paced import PacedEnvironment
from validate.replay.retrieval import Retrieval

OUTCOMES = {429: Outcome.REJECTED, 504: Outcome.TIMED_OUT}
"""What an HTTP status of the gateway says of a request; any other error is a failure."""


class HttpCarrier:
    """The live twin of `simcore.driver.Driver`: what clients send through.

    ``lags`` are the seconds from each intended time of sending, from ``counted_from`` on, to the real one.
    Every request ends in exactly one outcome, and ``ended`` is told; what went wrong is counted by its words
    in ``faults``.
    """

    def __init__(
        self,
        env: PacedEnvironment,
        exchange: Exchange,
        retrieval: Retrieval | None,
        counted_from: float,
        ended: Ended,
    ) -> None:
        self._env = env
        self._exchange = exchange
        self._retrieval = retrieval
        self._counted_from = counted_from
        self._ended = ended
        self._answered: dict[Request, Answered] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._sent = 0
        self._outcomes: Counter[Outcome] = Counter()
        self.lags: list[float] = []
        self.faults: dict[str, int] = {}

    @property
    def outstanding(self) -> int:
        """Requests sent that have no outcome yet."""
        return len(self._answered)

    def send(self, request: Request, answered: Answered, timeout: float | None = None) -> None:
        """Send ``request`` at the environment's time; ``answered`` is called once it has its outcome."""
        self._sent += 1
        self._answered[request] = answered
        task = asyncio.get_running_loop().create_task(self._carry(request, self._env.now, timeout))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def stop(self) -> None:
        """End all requests that still have no outcome as unfinished, and their connections."""
        for request in list(self._answered):
            self._note("no answer by the end of the run")
            self._end(request, Outcome.UNFINISHED)
        for task in self._tasks:
            task.cancel()

    def check_integrity(self) -> None:
        """Raise AssertionError unless every request that was sent is outstanding or has one outcome."""
        assert self._sent == self.outstanding + self._outcomes.total()
        assert all(request.outcome is None for request in self._answered)

    async def _carry(self, request: Request, intended: float, timeout: float | None) -> None:
        if intended >= self._counted_from:
            self.lags.append(self._env.clock.now() - intended)
        outcome = Outcome.FAILED
        try:
            async with asyncio.timeout_at(
                None if timeout is None else self._env.clock.on_loop(intended + timeout)
            ):
                await self._work(request)
            outcome = Outcome.COMPLETED
        except TimeoutError:
            outcome = Outcome.TIMED_OUT
            self._note("no answer within the client's timeout")
        except Refused as refusal:
            outcome = OUTCOMES.get(refusal.status, Outcome.FAILED)
            self._note(str(refusal))
        # Of an answer that is none whatever may be raised: a line that is too long is aiohttp's ValueError.
        except Exception as error:
            self._note(type(error).__name__)
        self._env.catch_up()
        self._end(request, outcome)
        self._env.catch_up()

    async def _work(self, request: Request) -> None:
        if request.kind.service is Service.RETRIEVER:
            assert self._retrieval is not None
            await self._retrieval.look_up(request)
        else:
            await self._exchange.ask(request, self._env.clock)

    def _note(self, fault: str) -> None:
        self.faults[fault] = self.faults.get(fault, 0) + 1

    def _end(self, request: Request, outcome: Outcome) -> None:
        if request.outcome is None:
            request.outcome = outcome
            request.finished = self._env.now
            self._outcomes[outcome] += 1
            self._ended(request)
            self._answered.pop(request)(request)
