"""Faults, as the document says them: what befalls backends and the control plane, and how it recovers."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from simcore.scenario.base import Count, Key, NonNegative, Part, Positive


class Crash(Part):
    """The process ends: connections break, what it held and its caches are lost."""

    kind: Literal["crash"]
    backend: Key
    """The group, of LLM or embedding backends."""
    index: Annotated[int, Field(ge=0)] = 0
    """Which of the group."""
    at_s: NonNegative
    for_s: NonNegative | None = None
    """Until it is started again, and then loads; absent: until the control plane starts it."""


class Hang(Part):
    """It takes requests in and answers nothing, checks included; then it goes on where it was."""

    kind: Literal["hang"]
    backend: Key
    index: Annotated[int, Field(ge=0)] = 0
    at_s: NonNegative
    for_s: Positive


class SlowDown(Part):
    """Its steps and batches take ``factor`` times as long."""

    kind: Literal["slow_down"]
    backend: Key
    index: Annotated[int, Field(ge=0)] = 0
    at_s: NonNegative
    for_s: Positive
    factor: Annotated[float, Field(ge=1, le=1000)]


class Unreachable(Part):
    """It works on, but nothing gets to it or from it until the network is back."""

    kind: Literal["unreachable"]
    backend: Key
    index: Annotated[int, Field(ge=0)] = 0
    at_s: NonNegative
    for_s: Positive


BackendFault = Annotated[Crash | Hang | SlowDown | Unreachable, Field(discriminator="kind")]


class RandomFault(Part):
    """Each backend of a group fails again and again, by chance and on its own: exponential times."""

    kind: Literal["crash", "hang", "unreachable"]
    backend: Key
    mtbf_s: Positive
    """Mean time from the end of one to the next."""
    mttr_s: Positive
    """Mean of how long it lasts: what ``for_s`` is to one at a given time."""


class ControlPlaneRestart(Part):
    """The control plane ends and is started again: connections break, and are refused until it is there."""

    at_s: NonNegative
    for_s: Positive
    """Until it takes connections again."""


class Recovery(Part):
    """What the control plane does about backends that fail; what is not said is SAGE's."""

    health_period_s: Positive = 10.0
    """From the end of a health check to the next."""
    health_timeout_s: Positive = 5.0
    """How long a check, or the opening of a connection, may take."""
    failed_after: Count = 3
    """Failed checks in a row after which the requests that the backend holds are taken from it."""
    retries: Annotated[int, Field(ge=0, le=1000)] = 3
    """How often a request is sent again whose backend failed before it answered anything."""
    restart_after: Count | None = 2
    """Failed checks in a row after which the backend is started anew; null: never."""
    restart_backoff_s: Annotated[list[NonNegative], Field(min_length=1)] = [1.0, 2.0, 4.0]
    """Pauses before the first, second, ... start without a check answered between; the last one repeats."""


class Faults(Part):
    """What befalls backends, at given times and by chance, and the control plane; without, nothing fails."""

    events: list[BackendFault] = []
    random: list[RandomFault] = []
    control_plane: list[ControlPlaneRestart] = []
    recovery: Recovery = Recovery()

    @property
    def any(self) -> bool:
        """Whether anything may fail."""
        return bool(self.events or self.random or self.control_plane)
