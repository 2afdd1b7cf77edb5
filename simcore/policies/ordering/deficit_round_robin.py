"""Shreedhar & Varghese, "Efficient Fair Queueing using Deficit Round Robin", SIGCOMM 1995."""

from __future__ import annotations

from collections import deque

from simcore.policies.base import Ordering, PolicySettings
from simcore.policies.ordering.tenant_queues import TenantQueues
from simcore.request import Request


def cost(request: Request) -> int:
    """Prompt and output tokens, in the place of the paper's bytes."""
    return request.prompt_tokens + request.output_tokens


class DeficitRoundRobin(Ordering):
    """Tenants in turn; each visit adds ``quantum`` tokens to a tenant's deficit, which its requests use up.

    Over any time in which two tenants wait throughout, what they are served differs by at most
    quantum + 2 x the largest cost (the paper's fairness measure). Rounds in which no one can afford its next
    request are added up at once: O(tenants) however small the quantum.
    """

    def __init__(self, settings: PolicySettings) -> None:
        super().__init__(settings)
        self._waiting = TenantQueues()
        self._active: deque[str] = deque()
        self._deficit: dict[str, int] = {}
        self._visiting = False

    def push(self, request: Request, now: float) -> None:
        if request.tenant not in self._waiting.tenants:
            self._active.append(request.tenant)
            self._deficit[request.tenant] = 0
        self._waiting.push(request)

    def peek(self, now: float) -> Request:
        self._advance()
        return self._waiting.head(self._active[0])

    def pop(self, now: float) -> Request:
        request = self.peek(now)
        self._deficit[request.tenant] -= cost(request)
        self.discard(request)
        return request

    def discard(self, request: Request) -> None:
        if self._waiting.remove(request):
            self._visiting = self._visiting and self._active[0] != request.tenant
            self._active.remove(request.tenant)
            del self._deficit[request.tenant]

    def __len__(self) -> int:
        return len(self._waiting)

    def _advance(self) -> None:
        """Visit tenants until the visited one, at the front, can afford its next request."""
        active, deficit, quantum = self._active, self._deficit, self.settings.quantum
        if not active:
            raise IndexError("no request waits")
        if self._visiting:
            if self._lacks(active[0]) <= 0:
                return
            active.rotate(-1)
        visits = [max(1, -(-self._lacks(tenant) // quantum)) for tenant in active]
        fewest = min(visits)
        turn = visits.index(fewest)
        for position, tenant in enumerate(active):
            deficit[tenant] += quantum * (fewest - (position > turn))
        active.rotate(-turn)
        self._visiting = True

    def _lacks(self, tenant: str) -> int:
        return cost(self._waiting.head(tenant)) - self._deficit[tenant]
