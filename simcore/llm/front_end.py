"""FrontEnd: what stands between the clients of a replica and its engine, as a delay."""

from __future__ import annotations

from collections.abc import Callable

from simpy import Environment

from simcore.backend import BackendEvents
from simcore.profile.base import Overheads
from simcore.request import Request
from simcore.timer import after


class FrontEnd:
    """An API server that delays each request by ``overheads`` and is never busy.

    ``arrive`` is called with each request once the engine has it.
    """

    every_step = False
    """Whether the front end has work with every step, so that none may be jumped over."""

    def __init__(
        self, env: Environment, overheads: Overheads, arrive: Callable[[Request], None], events: BackendEvents
    ) -> None:
        self.env = env
        self._overheads = overheads
        self._arrive = arrive
        self._events = events

    def receive(self, request: Request) -> None:
        """Take a request in."""
        after(self.env, self._delay(request), self._arrive, request)

    def hand_out(self, tokens: int, first: list[Request], finished: list[Request]) -> None:
        """Take in the results of one engine step: ``tokens`` tokens, one a stream.

        ``first`` are the requests that got their first token with it, ``finished`` those that got their last.
        """
        for request in first:
            self._events.first_token(request, self._overheads.output)
        for request in finished:
            self._events.finished(request, self._overheads.output)

    def forget(self, request: Request) -> None:
        """Let go of a request that was given up."""

    def crash(self) -> None:
        """Lose all that is under way."""

    def _delay(self, request: Request) -> float:
        return self._overheads.request + self._overheads.prompt_token * request.prompt_tokens
