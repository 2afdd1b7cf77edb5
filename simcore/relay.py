"""Relay: one process that passes streams on, such as a gateway, and has a capacity."""

from __future__ import annotations


class Relay:
    """First come, first served; each message of a stream takes ``message`` seconds of it.

    Nothing of it is an event: as work comes in the order of its times, when each piece is through follows
    from when the piece before was.
    """

    def __init__(self, message: float) -> None:
        self._message = message
        self._free = 0.0
        self.busy = 0.0
        """Seconds that it has been at work, what it has taken on included."""

    @property
    def takes_time(self) -> bool:
        """Whether passing a message on takes any time."""
        return self._message > 0.0

    def pass_messages(self, messages: float, now: float, seconds: float) -> tuple[float, float]:
        """Take on messages that come evenly over ``seconds`` from ``now`` on; ``now`` never goes back.

        Seconds until it begins with the first and until the last is through.
        """
        if not self._message or not messages:
            return 0.0, seconds
        work = messages * self._message
        self.busy += work
        begin = max(self._free, now)
        self._free = max(begin + work, now + seconds + self._message)
        return begin - now, self._free - now
