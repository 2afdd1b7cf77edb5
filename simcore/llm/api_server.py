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
        Timer(self.env, self._delay(request), self._take_in, loop, request)

    def _take_in(self, loop: EventLoop, request: Request) -> None:
        self.before_receiving()
        loop.receive(request)

    def hand_out(self, tokens: int, first: list[Request], finished: list[Request]) -> None:
        """Take in the results of one engine step; each process gets those of its own streams."""
        loops = self._loops
        if len(loops) == 1:
            loops[0].hand_out(tokens, first, finished)
        else:
            self._spread(tokens, first, finished)
        for request in finished:
            self._loop_of.pop(request, None)

    @property
    def busy_until(self) -> float:
        """From when on it has nothing to do; infinite if nobody can say."""
        return max([loop.busy_until for loop in self._loops])

    def seconds(self, tokens: int) -> float:
        """How long it is busy with a step's results if they are tokens alone, none a first or a last one."""
        return max([loop.seconds(own) for loop, own in self._shares(tokens)])

    def passed(self, tokens: int, last: float) -> None:
        """Have taken in the results of some steps of ``tokens`` tokens each, the latest at ``last``.

        They were tokens alone, and it was through with each before the next.
        """
        for loop, own in self._shares(tokens):
            if own:
                loop.passed(own, last)

    def _spread(self, tokens: int, first: list[Request], finished: list[Request]) -> None:
        for loop, own in self._shares(tokens - len(first)):
            begun = [request for request in first if self._loop_of.get(request) is loop]
            ended = [request for request in finished if self._loop_of.get(request) is loop]
            if own or begun or ended:
                loop.hand_out(own + len(begun), begun, ended)

    def _shares(self, tokens: int) -> list[tuple[EventLoop, float]]:
        """Each process with its own of so many tokens of streams that have begun."""
        loops = self._loops
        if len(loops) == 1:
            return [(loops[0], float(tokens))]
        streams = sum(loop.streams for loop in loops)
        return [(loop, tokens * loop.streams / streams if streams else 0.0) for loop in loops]

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
