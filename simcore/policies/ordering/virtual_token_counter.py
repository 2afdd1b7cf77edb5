"""Virtual token counter: Sheng et al., "Fairness in Serving Large Language Models", OSDI 2024."""

from __future__ import annotations

from collections import defaultdict

from simcore.policies.base import Ordering, PolicySettings
from simcore.policies.ordering.tenant_queues import TenantQueues
from simcore.request import Request

INPUT_WEIGHT = 1
"""The paper's w_p: service that one prompt token counts for."""
OUTPUT_WEIGHT = 2
"""The paper's w_q: service that one generated token counts for."""
MOST_TENANTS = 1024
"""Counters that are kept of tenants that do not wait."""


class VirtualTokenCounter(Ordering):
    """The tenant that was served least goes next, by a counter of weighted tokens each. O(tenants).

    Prompt tokens are charged at dispatch. The paper charges an output token when it is generated; here they
    are charged together when the answer ends, those of one that breaks off too. The paper's bound stands:
    the counters of two tenants that wait throughout differ by at most max(w_p L, w_q M), where L is the
    longest prompt and M the most tokens, prompt and output, in flight. For at a tenant's last dispatch its
    counter was the least, and what it was charged since is that prompt and what it had in flight.

    Of tenants that do not wait the last `MOST_TENANTS` to begin to are remembered: one that was forgotten
    begins again as a new one does, at the least counter of those waiting.
    """

    def __init__(self, settings: PolicySettings) -> None:
        super().__init__(settings)
        self.counters: defaultdict[str, float] = defaultdict(float)
        self._waiting = TenantQueues()
        self._last_left: tuple[str, ...] = ()

    def push(self, request: Request, now: float) -> None:
        if request.tenant not in self._waiting.tenants:
            self._lift(request.tenant)
        self._waiting.push(request)

    def peek(self, now: float) -> Request:
        if not self._waiting:
            raise IndexError("no request waits")
        return self._waiting.head(min(self._waiting.tenants, key=self.counters.__getitem__))

    def pop(self, now: float) -> Request:
        request = self.peek(now)
        self.discard(request)
        self.counters[request.tenant] += INPUT_WEIGHT * request.prompt_tokens
        return request

    def discard(self, request: Request) -> None:
        if self._waiting.remove(request):
            self._last_left = (request.tenant,)

    def __len__(self) -> int:
        return len(self._waiting)

    def completed(self, request: Request, now: float) -> None:
        self._charge(request)

    def cancelled(self, request: Request, now: float) -> None:
        self._charge(request)

    def _charge(self, request: Request) -> None:
        if request.tenant in self.counters:
            self.counters[request.tenant] += OUTPUT_WEIGHT * request.generated_tokens

    def _lift(self, tenant: str) -> None:
        """Idle time earns no credit: begin at the least counter of those waiting, else the last to wait."""
        others = self._waiting.tenants or self._last_left
        floor = min((self.counters[other] for other in others), default=0.0)
        lifted = max(self.counters.pop(tenant, 0.0), floor)
        self._forget()
        self.counters[tenant] = lifted

    def _forget(self) -> None:
        """Make room for one counter, of those kept for longest first; those that still count stay."""
        if len(self.counters) < MOST_TENANTS + len(self._waiting.tenants):
            return
        longest = next(
            tenant
            for tenant in self.counters
            if tenant not in self._waiting.tenants and tenant not in self._last_left
        )
        del self.counters[longest]
