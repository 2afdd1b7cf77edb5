"""SAGE's ``slo_aware``: the request that has used up most of its deadline first."""

from __future__ import annotations

from simcore.policies.base import Ordering, PolicySettings
from simcore.policies.ordering.heap_queue import HeapQueue
from simcore.policies.urgency import urgency
from simcore.request import Request


class SloAware(Ordering):
    """By urgency, descending, then arrival.

    Urgency changes as time passes, but among requests of one relative deadline it is the order of arrival
    at all times. So there is one queue for each distinct deadline and only their heads are compared:
    O(distinct deadlines + log waiting). A missed deadline is as urgent as it gets, so under overload this
    is first come, first served.
    """

    def __init__(self, settings: PolicySettings) -> None:
        super().__init__(settings)
        self._by_deadline: dict[float | None, HeapQueue] = {}

    def push(self, request: Request, now: float) -> None:
        queue = self._by_deadline.setdefault(request.deadline, HeapQueue())
        queue.push(request, (request.arrival, request.id))

    def peek(self, now: float) -> Request:
        if not self._by_deadline:
            raise IndexError("no request waits")
        heads = (queue.head()[1] for queue in self._by_deadline.values())
        return min(heads, key=lambda request: self.key(request, now))

    def pop(self, now: float) -> Request:
        request = self.peek(now)
        self.discard(request)
        return request

    def discard(self, request: Request) -> None:
        queue = self._by_deadline[request.deadline]
        queue.discard(request)
        if not queue:
            del self._by_deadline[request.deadline]

    def __len__(self) -> int:
        return sum(map(len, self._by_deadline.values()))

    def key(self, request: Request, now: float) -> tuple[float, ...]:
        """Urgency negated, then arrival in seconds; the id settles ties alike within and among queues."""
        return (-urgency(request, now), request.arrival, request.id)
