"""What a policy is: three small interfaces. A policy is told the time; it never asks for it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np

from simcore.control.pool import BackendPool
from simcore.request import Request


@dataclass(slots=True)
class PolicySettings:
    """What a policy may be told beside its name; seconds, requests and tokens."""

    pool: BackendPool
    rng: np.random.Generator
    ageing: float = 10.0
    """Ageing priority: seconds of waiting worth one priority level."""
    quantum: int = 512
    """Deficit round robin: tokens a tenant gains per round."""
    rate: float | None = None
    """Token bucket: requests per second and tenant."""
    burst: float | None = None
    """Token bucket: depth in requests."""
    threshold: float | None = None
    """Saturation: outstanding requests per backend at which requests are rejected."""


class Ordering(ABC):
    """The waiting requests of one lane, and which of them is next."""

    def __init__(self, settings: PolicySettings) -> None:
        self.settings = settings

    @abstractmethod
    def push(self, request: Request, now: float) -> None:
        """Let ``request`` wait."""

    @abstractmethod
    def peek(self, now: float) -> Request:
        """The next request; IndexError if none waits."""

    @abstractmethod
    def pop(self, now: float) -> Request:
        """Remove the next request and return it; IndexError if none waits."""

    @abstractmethod
    def discard(self, request: Request) -> None:
        """Forget a waiting request, because its client gave up; KeyError if it does not wait."""

    @abstractmethod
    def __len__(self) -> int:
        """Requests waiting."""

    def key(self, request: Request, now: float) -> tuple[float, ...]:
        """What the heads of several lanes are compared by, smallest first: arrival unless overridden."""
        return (request.submitted,)

    def completed(self, request: Request, now: float) -> None:
        """Learn that ``request`` was answered, in ``generated_tokens``."""
        return

    def cancelled(self, request: Request, now: float) -> None:
        """Learn that a dispatched ``request`` ended after ``generated_tokens`` of its answer."""
        return


class Routing(ABC):
    """Which backend a request goes to."""

    def __init__(self, settings: PolicySettings) -> None:
        self.settings = settings

    @abstractmethod
    def choose(self, request: Request, now: float) -> int | None:
        """Index of an accepting backend of ``settings.pool``, or None to leave the request waiting."""

    def completed(self, request: Request, now: float) -> None:
        """Learn that ``request`` was answered."""
        return


class Admission(ABC):
    """Which requests are let in at all."""

    def __init__(self, settings: PolicySettings) -> None:
        self.settings = settings

    @abstractmethod
    def admits(self, request: Request, waiting: int, now: float) -> bool:
        """Whether ``request`` is let in while ``waiting`` others wait in its lane."""
