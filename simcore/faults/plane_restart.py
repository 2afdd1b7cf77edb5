"""Restarts of the control plane: what it holds is lost, and it comes back knowing nothing of it."""

from __future__ import annotations

from collections.abc import Callable

from simpy import Environment

from simcore.control.plane import ControlPlane
from simcore.driver import Driver
from simcore.request import Outcome, Request
from simcore.scenario.faults import ControlPlaneRestart
from simcore.timer import after


class Refusing(ControlPlane):
    """Stands where a control plane is being started: takes no connection, and lets it be told of backends."""

    def __init__(self, coming: ControlPlane) -> None:
        super().__init__([])
        self._coming = coming

    def submit(self, request: Request, now: float) -> Outcome | None:
        """The client's connection is refused."""
        return Outcome.FAILED

    def mark(self, backend: int, healthy: bool) -> None:
        """What is known once it is there."""
        self._coming.mark(backend, healthy)


class PlaneRestarts:
    """Lets control planes that ``make`` makes take over from each other; ``plane`` is the one that counts."""

    def __init__(self, env: Environment, driver: Driver, make: Callable[[], ControlPlane]) -> None:
        self.plane = make()
        self._env = env
        self._driver = driver
        self._make = make
        self._down = 0

    def plan(self, restart: ControlPlaneRestart) -> None:
        """Let it happen at its time."""
        after(self._env, restart.at_s, self._stop, restart.for_s)

    def _stop(self, seconds: float) -> None:
        self._down += 1
        self.plane = _heir(self.plane, self._make())
        self._driver.replace(Refusing(self.plane))
        after(self._env, seconds, self._start)

    def _start(self) -> None:
        self._down -= 1
        if not self._down:
            self._driver.replace(self.plane)


def _heir(old: ControlPlane, new: ControlPlane) -> ControlPlane:
    """The new one, which knows of the old one's backends whether they answer."""
    for mine, theirs in zip(new.dispatchers, old.dispatchers, strict=True):
        for lane in theirs.lanes.values():
            for backend in lane.pool.backends:
                mine.mark(backend.index, backend.healthy)
    return new
