"""GatewaySettings: what the gateway waits for and takes at most."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class GatewaySettings:
    """Seconds and bytes, unless said. Timeout and health checks are SAGE's unless told otherwise."""

    timeout: float = 300.0
    """From a request's arrival to its whole answer."""
    stream_timeouts: Mapping[str, float] = field(default_factory=dict)
    """The same for the scenario's streams that say it."""
    hosts: tuple[str, ...] = ()
    """Names and addresses beside loopback ones under which clients may ask."""
    receive_timeout: float = 30.0
    """For a request's body to come in, so that slow clients hold nothing."""
    idle_timeout: float = 60.0
    """For the next request of a connection to come, with all its headers."""
    send_timeout: float = 60.0
    """For a client to take something of what waits for it: who reads nothing is hung up on."""
    connect_timeout: float = 5.0
    max_connections: int | None = None
    """Of clients at once; None is what the limit on open files leaves room for."""
    linger: float = 1.0
    """For answers under way, once the end was asked for."""
    retries: int = 3
    """How often a request is sent again whose backend failed before the client saw a byte."""
    health_period: float = 10.0
    health_timeout: float = 5.0
    max_request: int = 16 << 20
    max_answer: int = 64 << 20
    """Of an answer that comes in one piece."""
    max_held: int = 256 << 20
    """Of the bodies and whole answers of all requests together."""
    keep: int | None = 100_000
    """Ended requests that are remembered; None keeps all."""

    def timeout_of(self, stream: str) -> float:
        """Seconds that a request of that stream may take."""
        return self.stream_timeouts.get(stream, self.timeout)
