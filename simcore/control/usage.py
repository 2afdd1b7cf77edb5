"""LaneUsage: what a control plane did for the requests of one service."""

from __future__ import annotations

from simcore.meter import Level, Meter


class LaneUsage:
    """Integrals over the counted window; ``cost`` is what a decision takes of the thread that decides."""

    __slots__ = ("_cost", "deciding", "dispatches", "waiting")

    def __init__(self, counted: tuple[float, float], cost: float) -> None:
        self.waiting = Level(*counted)
        """Requests at the control plane."""
        self.deciding = Meter(*counted)
        """Decisions under way, one at a time for a thread."""
        self.dispatches = 0
        """Of the whole run."""
        self._cost = cost

    def dispatched(self, at: float, now: float) -> None:
        """A request was chosen ``now``, and the decision is over ``at``."""
        self.waiting.change(-1, now)
        self.dispatches += 1
        if self._cost:
            self.deciding.add(1.0, at - self._cost, at)
