"""Fallible: a backend that faults can befall, around the one that works."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from math import prod

from simpy import Environment

from simcore.backend import BackendEvents, Breakable
from simcore.device import CoordinatedDevice, Device
from simcore.faults.gate import Gate
from simcore.request import Outcome, Request
from simcore.result import BackendUsage
from simcore.timer import after

NOTED = (
    "backend_arrival",
    "scheduled",
    "engine_first_token",
    "engine_finished",
    "prefill_interference",
    "interference",
    "generated_tokens",
    "cached_tokens",
    "preemptions",
)
"""What the working backend notes of a request."""


class Fallible:
    """Hands requests on to the backend within, as long as nothing is wrong.

    The one within works on an attempt, a copy of the request, so that nothing it does for a request that
    went elsewhere meanwhile touches that request. ``lost`` is told of each request whose connection broke;
    news takes ``hop`` seconds, a connection that nobody takes is given up after ``timeout``, and a process
    that is started answers ``load`` seconds later.
    """

    lost: Callable[[Request], None]

    def __init__(
        self,
        env: Environment,
        make: Callable[[BackendEvents, Gate], Breakable],
        device: Device | CoordinatedDevice,
        events: BackendEvents,
        hop: float,
        timeout: float,
        load: float,
    ) -> None:
        self.env = env
        self.up = True
        self.starting = False
        """Whether it was told to start and does not answer yet."""
        self._gate = Gate(device)
        self.within = make(BackendEvents(self._first_token, self._finished, self._failed), self._gate)
        self._events = events
        self._hop = hop
        self._timeout = timeout
        self._load = load
        self._hangs = 0
        self._cuts = 0
        self._factors: list[float] = []
        self._crashes = 0
        self._attempts: dict[Request, Request] = {}
        self._owners: dict[Request, Request] = {}
        self._unsent: dict[Request, Request] = {}
        self._unheard: list[Callable[[], None]] = []

    @property
    def answers(self) -> bool:
        """Whether a health check would be answered."""
        return self.up and not self.silent

    @property
    def silent(self) -> bool:
        """Whether nothing at all comes back, not even a refusal."""
        return self._cuts > 0 or self._hangs > 0

    @property
    def device(self) -> str:
        """The name of the device that it works on."""
        return self.within.device

    def submit(self, request: Request) -> None:
        """Receive a request, or refuse the connection."""
        if not self.up and not self._cuts:
            after(self.env, self._hop, self.lost, request)
            return
        attempt = replace(request)
        self._attempts[request] = attempt
        self._owners[attempt] = request
        if self._cuts:
            self._unsent[request] = attempt
            after(self.env, self._timeout, self._unconnected, request, attempt)
        else:
            self.within.submit(attempt)

    def cancel(self, request: Request) -> None:
        """Give up a request, if it is there; one cut off learns of it when the network is back."""
        attempt = self._attempts.pop(request, None)
        if attempt is None:
            return
        del self._owners[attempt]
        if self._unsent.pop(request, None) is not None:
            attempt.outcome = Outcome.CANCELLED
        elif self._cuts:
            self._unheard.append(lambda: self._drop(attempt))
        else:
            self._drop(attempt)
            request.generated_tokens = attempt.generated_tokens

    def give_up(self) -> None:
        """Close all connections: the requests are lost to it."""
        for request in list(self._attempts):
            self.cancel(request)
            self.lost(request)

    def finish(self) -> BackendUsage:
        """End with the simulation; what it did."""
        return self.within.finish()

    def crash(self, seconds: float | None) -> None:
        """End, and be started again after ``seconds`` if they are given. One that is down stays as it is."""
        if not self.up:
            return
        self.up = False
        self._crashes += 1
        self._hangs = 0
        self._gate.drop()
        self.within.crash()
        if seconds is not None:
            self.starting = True
            after(self.env, seconds + self._load, self._started)
        broken = [pair for pair in self._attempts.items() if pair[0] not in self._unsent]
        for _, attempt in broken:
            attempt.outcome = Outcome.FAILED
        if self._cuts:
            self._unheard.append(lambda: self._break(broken))
        else:
            self._break(broken)

    def restart(self) -> bool:
        """Start it anew, ending it if it hangs, and say whether it was.

        It is not where it answers, starts already or is cut off.
        """
        if self.answers or self.starting or self._cuts:
            return False
        self.crash(None)
        self.starting = True
        after(self.env, self._load, self._started)
        return True

    def hang(self, seconds: float) -> None:
        """Begin nothing and answer nothing for so long; one that is down does not hang."""
        if self.up:
            self._hangs += 1
            self._gate.close()
            after(self.env, seconds, self._awake, self._crashes)

    def slow_down(self, factor: float, seconds: float) -> None:
        """Take longer for so long; factors of slow-downs at once are multiplied."""
        self._factors.append(factor)
        self.within.slow(prod(self._factors))
        after(self.env, seconds, self._normal, factor)

    def cut_off(self, seconds: float) -> None:
        """Be unreachable for so long; answers that are ready meanwhile, and crashes, are heard of then."""
        self._cuts += 1
        after(self.env, seconds, self._connected)

    def _started(self) -> None:
        self.starting = False
        self.up = True

    def _awake(self, crashes: int) -> None:
        if crashes != self._crashes:
            return
        self._hangs -= 1
        if not self._hangs:
            self._gate.open()

    def _normal(self, factor: float) -> None:
        self._factors.remove(factor)
        self.within.slow(prod(self._factors))

    def _connected(self) -> None:
        self._cuts -= 1
        if self._cuts:
            return
        unheard, self._unheard = self._unheard, []
        for tell in unheard:
            tell()
        unsent, self._unsent = self._unsent, {}
        for request, attempt in unsent.items():
            if self._attempts.get(request) is not attempt:
                # The loss of another had this one given up.
                continue
            if self.up:
                self.within.submit(attempt)
            else:
                self.cancel(request)
                after(self.env, self._hop, self.lost, request)

    def _drop(self, attempt: Request) -> None:
        attempt.outcome = Outcome.CANCELLED
        self.within.cancel(attempt)

    def _break(self, connections: Iterable[tuple[Request, Request]]) -> None:
        """Let those of these connections be lost that nobody has closed meanwhile."""
        for request, attempt in connections:
            if self._attempts.get(request) is attempt:
                del self._attempts[request], self._owners[attempt]
                request.generated_tokens = attempt.generated_tokens
                after(self.env, self._hop, self.lost, request)

    def _unconnected(self, request: Request, attempt: Request) -> None:
        if self._unsent.get(request) is attempt:
            self.cancel(request)
            self.lost(request)

    def _first_token(self, attempt: Request, delay: float) -> None:
        if self._cuts:
            self._unheard.append(lambda: self._first_token(attempt, delay))
        elif (request := self._owners.get(attempt)) is not None:
            _note(attempt, request)
            self._events.first_token(request, delay)

    def _finished(self, attempt: Request, delay: float) -> None:
        if self._cuts:
            self._unheard.append(lambda: self._finished(attempt, delay))
        elif (request := self._owners.pop(attempt, None)) is not None:
            del self._attempts[request]
            _note(attempt, request)
            self._events.finished(request, delay)

    def _failed(self, attempt: Request) -> None:
        if self._cuts:
            self._unheard.append(lambda: self._failed(attempt))
        elif (request := self._owners.pop(attempt, None)) is not None:
            del self._attempts[request]
            self._events.failed(request)


def _note(attempt: Request, request: Request) -> None:
    for name in NOTED:
        setattr(request, name, getattr(attempt, name))
