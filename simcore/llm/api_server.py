"""ApiServer: vLLM's API server, one event loop or several."""

from __future__ import annotations

from collections.abc import Callable
from math import isnan

from simpy import Environment

from simcore.backend import BackendEvents
from simcore.llm.event_loop import EventLoop
from simcore.llm.front_end import FrontEnd
from simcore.profile.base import Overheads
from simcore.profile.frontend import FrontEndCosts
from simcore.relay import Relay
from simcore.request import Request
from simcore.timer import Timer


class ApiServer(FrontEnd):
    """The API server processes of one replica; requests go to them in turn, as the kernel spreads them.

    ``overheads`` delay requests and results beside what the processes spend on them: network and client.
    """

    every_step = True

    def __init__(
        self,
        env: Environment,
        costs: FrontEndCosts,
        overheads: Overheads,
        arrive: Callable[[Request], None],
        events: BackendEvents,
        relay: Relay | None = None,
    ) -> None:
        super().__init__(env, overheads, arrive, events)
        self._relay = relay
        self._costs = costs
        self._loops = self._started()
        self._loop_of: dict[Request, EventLoop] = {}
        self._received = 0

    def receive(self, request: Request) -> None:
        """Take a request in."""
        loop = self._loops[self._received % len(self._loops)]
        self._received += 1
        self._loop_of[request] = loop
        Timer(self.env, self._delay(request), loop.receive, request)

    def hand_out(self, tokens: int, first: list[Request], finished: list[Request]) -> None:
        """Take in the results of one engine step; each process gets those of its own streams."""
        loops = self._loops
        if len(loops) == 1:
            loops[0].hand_out(tokens, first, finished)
        else:
            self._spread(tokens, first, finished)
        for request in finished:
            self._loop_of.pop(request, None)

    def _spread(self, tokens: int, first: list[Request], finished: list[Request]) -> None:
        going_on = tokens - len(first)
        streams = sum(loop.streams for loop in self._loops)
        for loop in self._loops:
            begun = [request for request in first if self._loop_of.get(request) is loop]
            ended = [request for request in finished if self._loop_of.get(request) is loop]
            own = going_on * loop.streams / streams if streams else 0.0
            if own or begun or ended:
                loop.hand_out(own + len(begun), begun, ended)

    def forget(self, request: Request) -> None:
        """Let go of a request that was given up."""
        loop = self._loop_of.pop(request, None)
        if loop is not None and not isnan(request.engine_first_token):
            loop.streams -= 1

    def crash(self) -> None:
        """Lose all that is under way, and start the processes anew."""
        for loop in self._loops:
            loop.lose()
        self._loop_of.clear()
        self._loops = self._started()

    def _started(self) -> list[EventLoop]:
        return [
            EventLoop(self.env, self._costs, self._overheads.output, self._arrive, self._events, self._relay)
            for _ in range(self._costs.processes)
        ]
