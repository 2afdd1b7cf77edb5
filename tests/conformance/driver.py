"""The one interface behind which both schedulers are driven, and the loop that drives them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from tests.conformance.workload import Load


@dataclass
class Decision:
    """What a scheduler decided in one step; ``used_blocks`` after scheduling and after the update."""

    step: int
    tokens: dict[int, int]
    preempted: list[int]
    cache_hits: dict[int, int]
    """Prefix-cache hit tokens of the requests that are scheduled for the first time."""
    used_blocks: int
    finished: list[int] = field(default_factory=list)
    used_blocks_after: int = 0


STALLED = 2000
"""Steps without an end after which a run is given up: no request here takes so long alone, but vLLM itself
can preempt in circles where prompts need not fit as a whole (``scheduler_reserve_full_isl`` off)."""


class Driver(Protocol):
    """A scheduler that can be fed and asked."""

    used_blocks: int
    has_requests: bool

    def add(self, load: Load) -> None:
        """Let a request wait."""

    def abort(self, name: int) -> None:
        """Abort a request unless it has ended."""

    def schedule(self, step: int) -> Decision:
        """Decide a step."""

    def update(self) -> list[int]:
        """Report the oldest step that is not reported; returns the requests it finished."""


def drive(driver: Driver, loads: list[Load], *, ahead: int = 0) -> Iterator[Decision]:
    """All decisions until every request has ended, or none does any more.

    ``ahead`` = 1 schedules each step before the one before it is reported, as async scheduling does.
    """
    coming = deque(sorted(loads, key=lambda load: load.step))
    aborts = deque(sorted((load.step + load.abort_after, load.name) for load in loads if load.abort_after))
    unreported: deque[Decision] = deque()
    step = progress = 0
    while (coming or unreported or driver.has_requests) and step - progress < STALLED:
        if not unreported and not driver.has_requests:
            step = progress = max(step, coming[0].step)
        while coming and coming[0].step <= step:
            driver.add(coming.popleft())
        while aborts and aborts[0][0] < step:
            driver.abort(aborts.popleft()[1])
        if driver.has_requests:
            unreported.append(driver.schedule(step))
        if unreported and (len(unreported) > ahead or not driver.has_requests):
            decision = _report(driver, unreported.popleft())
            progress = step if decision.finished else progress
            yield decision
        step += 1


def _report(driver: Driver, decision: Decision) -> Decision:
    decision.finished = driver.update()
    decision.used_blocks_after = driver.used_blocks
    return decision
