"""Recorder: notes every step, batch and answer of one replication."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import NamedTuple

from simpy import Environment

from simcore.backend import BackendEvents
from simcore.embedding_usage import EmbeddingUsage
from simcore.llm.usage import ReplicaUsage
from simcore.meter import Level
from simcore.observer import Observer
from simcore.request import Request
from simcore.step import Step


class Steps(NamedTuple):
    """``steps`` engine steps like ``step`` that together lasted from ``since`` to ``until``, seconds."""

    step: Step
    steps: int
    used_blocks: int
    since: float
    until: float


class Batch(NamedTuple):
    """One embedding batch."""

    requests: int
    texts: int
    since: float
    until: float


Change = tuple[float, int]
"""A time in seconds and what a quantity is from then on."""


class Recorder(Observer):
    """What happened, by backend name and by request, in the order in which it happened."""

    def __init__(self) -> None:
        self.steps: defaultdict[str, list[Steps]] = defaultdict(list)
        self.batches: defaultdict[str, list[Batch]] = defaultdict(list)
        self.waiting: defaultdict[str, list[Change]] = defaultdict(list)
        """Requests in the backend's own queue; the retrievers' are left out."""
        self.first_tokens: dict[Request, float] = {}
        """When the backend had the first token."""
        self.answered: dict[Request, float] = {}
        """When the backend had the whole answer, even if nobody waited for it any more."""

    def replica_usage(self, backend: str, start: float, end: float, blocks: int) -> ReplicaUsage:
        """The same, with a note of every step."""
        return _ReplicaUsage(self.steps[backend], self.waiting[backend], start, end, blocks)

    def embedding_usage(self, backend: str, start: float, end: float) -> EmbeddingUsage:
        """The same, with a note of every batch."""
        return _EmbeddingUsage(self.batches[backend], self.waiting[backend], start, end)

    def events(self, env: Environment, events: BackendEvents) -> BackendEvents:
        """The same, with a note of every first token and answer."""

        def first_token(request: Request, delay: float) -> None:
            self.first_tokens[request] = env.now
            events.first_token(request, delay)

        def finished(request: Request, delay: float) -> None:
            self.answered[request] = env.now
            events.finished(request, delay)

        return replace(events, first_token=first_token, finished=finished)


class _Level(Level):
    __slots__ = ("_changes",)

    def __init__(self, changes: list[Change], start: float, end: float) -> None:
        super().__init__(start, end)
        self._changes = changes

    def change(self, by: int, now: float) -> None:
        super().change(by, now)
        self._changes.append((now, self.value))


class _ReplicaUsage(ReplicaUsage):
    def __init__(
        self, notes: list[Steps], waiting: list[Change], start: float, end: float, blocks: int
    ) -> None:
        super().__init__(start, end, blocks)
        self.waiting = _Level(waiting, start, end)
        self._notes = notes

    def stepped(self, step: Step, used_blocks: int, since: float, until: float) -> None:
        super().stepped(step, used_blocks, since, until)
        self._notes.append(Steps(step, 1, used_blocks, since, until))

    def ran(
        self,
        steps: int,
        decodes: int,
        contexts: tuple[int, int],
        blocks: tuple[int, int],
        since: float,
        until: float,
    ) -> None:
        super().ran(steps, decodes, contexts, blocks, since, until)
        mean = Step(decodes=decodes, decode_context=sum(contexts) // 2)
        self._notes.append(Steps(mean, steps, blocks[1], since, until))


class _EmbeddingUsage(EmbeddingUsage):
    def __init__(self, notes: list[Batch], waiting: list[Change], start: float, end: float) -> None:
        super().__init__(start, end)
        self.waiting = _Level(waiting, start, end)
        self._notes = notes

    def worked(self, requests: int, texts: int, since: float, until: float, in_gap: bool) -> None:
        super().worked(requests, texts, since, until, in_gap)
        self._notes.append(Batch(requests, texts, since, until))
