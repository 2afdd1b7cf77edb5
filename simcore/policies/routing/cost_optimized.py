"""SAGE's ``cost_optimized``: the backend on which the answer costs least."""

from __future__ import annotations

from simcore.control.pool import BackendState
from simcore.policies.base import Routing
from simcore.policies.routing.choice import index_of, lowest
from simcore.request import Request

ASSUMED_TOKENS = 100
"""Output tokens that SAGE assumes where a request names no maximum."""


def cost(request: Request, backend: BackendState) -> float:
    """SAGE's estimate in dollars: price per hour / 3600 x tokens / tokens per second.

    The price is that of the whole backend, so SAGE's factor of GPUs is in it.
    """
    tokens = request.output_tokens or ASSUMED_TOKENS
    return backend.price_per_hour / 3600 * tokens / backend.tokens_per_second


class SageCostOptimized(Routing):
    """The cheapest accepting backend; among equal prices always the first registered, however loaded."""

    def choose(self, request: Request, now: float) -> int | None:
        return index_of(lowest(self.settings.pool, lambda backend: cost(request, backend)))
