"""TenantQueues: the waiting requests of each tenant, first come first served."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import KeysView
from itertools import takewhile

from simcore.request import Request


class TenantQueues:
    """A queue for each tenant that waits, in the order in which they began to. Every operation is O(1)."""

    def __init__(self) -> None:
        self._queues: dict[str, OrderedDict[Request, None]] = {}
        self._waiting = 0

    def __len__(self) -> int:
        """Requests waiting."""
        return self._waiting

    @property
    def tenants(self) -> KeysView[str]:
        """Tenants with a waiting request."""
        return self._queues.keys()

    def push(self, request: Request) -> None:
        """Let ``request`` wait behind those of its tenant that were submitted no later.

        O(1) for one that comes, O(those behind it) for one that is requeued.
        """
        queue = self._queues.setdefault(request.tenant, OrderedDict())
        behind = list(takewhile(lambda other: other.submitted > request.submitted, reversed(queue)))
        queue[request] = None
        for other in reversed(behind):
            queue.move_to_end(other)
        self._waiting += 1

    def head(self, tenant: str) -> Request:
        """The tenant's next request."""
        return next(iter(self._queues[tenant]))

    def remove(self, request: Request) -> bool:
        """Take ``request`` out, and say whether its tenant waits no more; KeyError if it does not wait."""
        queue = self._queues[request.tenant]
        del queue[request]
        self._waiting -= 1
        if not queue:
            del self._queues[request.tenant]
        return not queue
