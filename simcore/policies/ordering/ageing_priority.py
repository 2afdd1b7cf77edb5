"""Priority with ageing, the cure of starvation in Silberschatz et al., "Operating System Concepts"."""

from __future__ import annotations

from simcore.policies.ordering.heap_ordering import HeapOrdering
from simcore.request import Request


class AgeingPriority(HeapOrdering):
    """Effective priority = priority - waited / ``ageing``, smallest first.

    At any moment all requests share ``now``, so comparing priority - (now - submitted) / ageing is
    comparing submitted + priority x ageing, which does not change while a request waits: a heap will do.
    A request is therefore overtaken only by those that come within priority x ageing seconds after it.
    """

    def key(self, request: Request, now: float) -> tuple[float, ...]:
        """The moment, in seconds, at which a request of priority 0 would have to come to be its equal."""
        return (request.submitted + request.priority * self.settings.ageing,)
