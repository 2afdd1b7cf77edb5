"""Token bucket, after Turner, "New Directions in Communications", IEEE Communications Magazine 1986."""

from __future__ import annotations

from simcore.policies.base import Admission, PolicySettings
from simcore.request import Request

ROUNDING = 1e-9
"""Requests that a bucket may lack: a client exactly at the rate is not turned away by a rounding error."""


class TokenBucket(Admission):
    """Each tenant's bucket holds ``burst`` requests, starts full and gains ``rate`` a second.

    ValueError without a rate, or with a burst below the one request that a bucket has to hold.
    """

    def __init__(self, settings: PolicySettings) -> None:
        super().__init__(settings)
        if settings.rate is None or settings.burst is None or settings.burst < 1:
            raise ValueError("token_bucket needs a rate, and a burst of at least 1")
        self._rate, self._burst = settings.rate, settings.burst
        self._buckets: dict[str, tuple[float, float]] = {}

    def admits(self, request: Request, waiting: int, now: float) -> bool:
        level, filled = self._buckets.get(request.tenant, (self._burst, now))
        level = min(self._burst, level + self._rate * (now - filled))
        admitted = level >= 1 - ROUNDING
        self._buckets[request.tenant] = (level - admitted, now)
        return admitted
