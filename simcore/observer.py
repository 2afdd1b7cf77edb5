"""Observer: what sees the backends of one replication at work."""

from __future__ import annotations

from simpy import Environment

from simcore.backend import BackendEvents
from simcore.embedding_usage import EmbeddingUsage
from simcore.llm.usage import ReplicaUsage


class Observer:
    """Makes what backends report to, once, as they are built; this one notes nothing beside their totals.

    One that notes more gives subclasses, so that a run that nobody observes pays nothing for it.
    """

    def replica_usage(self, backend: str, start: float, end: float, blocks: int) -> ReplicaUsage:
        """What a replica of ``blocks`` KV blocks reports its steps to; totals are of ``start`` to ``end``."""
        return ReplicaUsage(start, end, blocks)

    def embedding_usage(self, backend: str, start: float, end: float) -> EmbeddingUsage:
        """What an embedding server reports its batches to."""
        return EmbeddingUsage(start, end)

    def events(self, env: Environment, events: BackendEvents) -> BackendEvents:
        """Whom all backends tell of requests; ``events`` have to be told what they would be told."""
        return events
