"""Token bucket, after Turner, "New Directions in Communications", IEEE Communications Magazine 1986."""

from __future__ import annotations

from simcore.policies.base import Admission, PolicySettings
from simcore.request import Request

ROUNDING = 1e-9
"""Requests that a bucket may lack: a client exactly at the rate is not turned away by a rounding error."""
MOST_TENANTS = 1024
"""Buckets that are kept: whoever may name tenants could else name new ones without end."""
OTHERS = "\0"
"""The bucket of those for whom there is none."""


class TokenBucket(Admission):
    """Each tenant's bucket holds ``burst`` requests, starts full and gains ``rate`` a second.

    There are `MOST_TENANTS` buckets. For a new tenant that which was not used for longest is given up if it
    is full again, so that nothing is lost; until it is, all tenants without one share one more.

    ValueError without a rate, or with a burst below the one request that a bucket has to hold.
    """

    def __init__(self, settings: PolicySettings) -> None:
        super().__init__(settings)
        if settings.rate is None or settings.burst is None or settings.burst < 1:
            raise ValueError("token_bucket needs a rate, and a burst of at least 1")
        self._rate, self._burst = settings.rate, settings.burst
        self._buckets: dict[str, tuple[float, float]] = {}

    def admits(self, request: Request, waiting: int, now: float) -> bool:
        tenant = request.tenant if self._keeps(request.tenant, now) else OTHERS
        admitted = (level := self._level(tenant, now)) >= 1 - ROUNDING
        self._buckets.pop(tenant, None)
        self._buckets[tenant] = (level - admitted, now)
        return admitted

    def _level(self, tenant: str, now: float) -> float:
        level, filled = self._buckets.get(tenant, (self._burst, now))
        return min(self._burst, level + self._rate * (now - filled))

    def _keeps(self, tenant: str, now: float) -> bool:
        """Whether the tenant has a bucket or can have one."""
        if tenant in self._buckets or len(self._buckets) < MOST_TENANTS:
            return True
        longest = next(iter(self._buckets))
        if self._level(longest, now) < self._burst:
            return False
        del self._buckets[longest]
        return True
