"""Relay: one process that passes requests and streams on, such as a gateway, and has a capacity."""

from __future__ import annotations


class Relay:
    """First come, first served: each request takes ``request`` seconds of it, each message ``message``.

    Nothing of it is an event: as work comes in the order of its times, when each piece is through follows
    from when the piece before was.
    """

    def __init__(self, request: float, message: float) -> None:
        self._request = request
        self._message = message
        self._free = 0.0
        self.busy = 0.0
        """Seconds that it has been at work, what it has taken on included."""

    def pass_request(self, now: float) -> float:
        """Take on a request that comes ``now``; seconds until it is through."""
        if not self._request:
            return 0.0
        self.busy += self._request
        self._free = max(self._free, now) + self._request
        return self._free - now

    def pass_messages(self, messages: float, now: float, seconds: float) -> float:
        """Take on messages that come evenly over ``seconds``; seconds until the last is through."""
        if not self._message or not messages:
            return seconds
        work = messages * self._message
        self.busy += work
        self._free = max(max(self._free, now) + work, now + seconds + self._message)
        return self._free - now
