"""Backend: what answers requests, as the rest of the cluster sees it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from simcore.request import Request
from simcore.result import BackendUsage


@dataclass(frozen=True, slots=True)
class BackendName:
    """What a report calls a backend, the profile that its times come from, and its price in dollars."""

    name: str
    profile: str
    price_per_hour: float = 0.0


class Backend(Protocol):
    """An LLM replica, an embedding server or a retriever."""

    @property
    def device(self) -> str:
        """The name of the device that it works on."""

    def submit(self, request: Request) -> None:
        """Receive a request."""

    def cancel(self, request: Request) -> None:
        """Give up a request that was received; nothing more is heard of it."""

    def finish(self) -> BackendUsage:
        """End with the simulation; what it did, with what is still under way."""


class Breakable(Backend, Protocol):
    """A backend that can lose everything or become slow."""

    def crash(self) -> None:
        """Lose all requests and caches; what is received from now on is served as by a new process."""

    def slow(self, factor: float) -> None:
        """Let steps and batches that begin from now on take ``factor`` times as long."""


@dataclass(frozen=True, slots=True)
class BackendEvents:
    """Whom a backend tells; ``delay`` is how long the news takes to leave the backend, seconds."""

    first_token: Callable[[Request, float], None]
    finished: Callable[[Request, float], None]
    failed: Callable[[Request], None]
    """The backend refuses the request, as vLLM's API server does with one that is too long."""
