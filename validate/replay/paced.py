"""PacedEnvironment: a SimPy environment whose time is the wall's, stepped by an asyncio loop."""

from __future__ import annotations

from asyncio import TimerHandle
from math import inf

from simpy import Environment

from validate.live.clock import Clock


class PacedEnvironment(Environment):
    """Lets what was written for simulated time happen at its times, from `begin` on.

    ``now`` is the time for which an event was planned while it happens, however late the loop gets to it:
    what is sent then counts from its intended time (no coordinated omission).
    """

    clock: Clock

    def __init__(self) -> None:
        super().__init__()
        self._timer: TimerHandle | None = None

    def begin(self) -> None:
        """Let time begin: until then it is 0, and all is prepared."""
        self.clock = Clock()
        self.catch_up()

    def catch_up(self) -> None:
        """Let everything happen that is due; ``now`` is the wall's time afterwards.

        To be called when something from outside has happened, before and after it is dealt with.
        """
        if (wall := self.clock.now()) > self.now:
            self.run(until=wall)
        # SimPy puts the event that stopped it back into the queue; it would set the timer off at once.
        while self.peek() <= self.now:
            self.step()
        self._set_timer()

    def stop(self) -> None:
        """Let nothing more happen by itself."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _set_timer(self) -> None:
        self.stop()
        if (due := self.peek()) < inf:
            self._timer = self.clock.call_at(due, self.catch_up)
