"""Held: the bytes of bodies and answers that a gateway holds at once."""

from __future__ import annotations

from types import TracebackType

from validate.gateway.errors import Overloaded


class Held:
    """At most ``limit`` bytes of all requests together."""

    def __init__(self, limit: int) -> None:
        self.size = 0
        self._limit = limit

    def take(self, size: int) -> None:
        """Hold that many more. Raises Overloaded."""
        if self.size + size > self._limit:
            raise Overloaded("the gateway holds as much of other requests as it may")
        self.size += size

    def give_back(self, size: int) -> None:
        """Hold that many less."""
        self.size -= size


class Share:
    """What one request holds, until the end of the context."""

    def __init__(self, held: Held) -> None:
        self._held = held
        self.size = 0

    def take(self, size: int) -> None:
        """Hold that many bytes more for it. Raises Overloaded."""
        self._held.take(size)
        self.size += size

    def give_back(self, size: int) -> None:
        """Hold that many bytes less."""
        self._held.give_back(size)
        self.size -= size

    def __enter__(self) -> Share:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.give_back(self.size)
