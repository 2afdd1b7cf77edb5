"""Saturation: load shedding by a limit on outstanding requests (the M/M/c/K queue's finite room)."""

from __future__ import annotations

from simcore.policies.base import Admission, PolicySettings
from simcore.request import Request


class Saturation(Admission):
    """Requests are turned away while (in flight + waiting) / backends is at or above ``threshold``.

    ValueError without a threshold.
    """

    def __init__(self, settings: PolicySettings) -> None:
        super().__init__(settings)
        if settings.threshold is None:
            raise ValueError("saturation needs a threshold")
        self._threshold = settings.threshold

    def admits(self, request: Request, waiting: int, now: float) -> bool:
        pool = self.settings.pool
        return (waiting + pool.in_flight) / len(pool.backends) < self._threshold
