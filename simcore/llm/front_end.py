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
        self.before_receiving: Callable[[], None] = _nothing
        """Called before it takes a request in, so that all results before have been handed out by then."""

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

    @property
    def busy_until(self) -> float:
        """From when on it has nothing to do; infinite if nobody can say."""
        return 0.0

    def seconds(self, tokens: int) -> float:
        """How long it is busy with a step's results if they are tokens alone, none a first or a last one."""
        return 0.0

    def passed(self, tokens: int, last: float) -> None:
        """Have taken in the results of some steps of ``tokens`` tokens each, the latest at ``last``.

        They were tokens alone, and it was through with each before the next.
        """

    def forget(self, request: Request) -> None:
        """Let go of a request that was given up."""

    def crash(self) -> None:
        """Lose all that is under way."""

    def _delay(self, request: Request) -> float:
        return self._overheads.request + self._overheads.prompt_token * request.prompt_tokens


def _nothing() -> None:
    pass
