"""ReplicaUsage: what a replica's steps add up to."""

from __future__ import annotations

from simcore.extent import Extent
from simcore.meter import Level, Meter
from simcore.step import Step


class ReplicaUsage:
    """Integrals over the counted window, and the extremes of the whole run."""

    def __init__(self, start: float, end: float, blocks: int) -> None:
        self.waiting = Level(start, end)
        self.window = Meter(start, end)
        self.batch = 0.0
        """Integral of the requests in a step over the time worked; ``window.total`` is that time."""
        self.kv = 0.0
        """Integral of the used share of the KV blocks over the time worked."""
        self.kv_peak = 0
        self.steps = 0
        self.preemptions = 0
        self.batches = Extent()
        """Requests in a step."""
        self.contexts = Extent()
        """Cached tokens per decoding request."""
        self.chunks = Extent()
        """Prompt tokens in a step that has any."""
        self._blocks = blocks

    def worked(self, step: Step, steps: int, used_blocks: int, since: float, until: float) -> None:
        """Count ``steps`` steps like ``step`` that together lasted from ``since`` to ``until``."""
        batch = step.decodes + step.prefills
        self.steps += steps
        counted = self.window.add(1.0, since, until)
        self.batch += batch * counted
        self.kv += used_blocks / self._blocks * counted
        if used_blocks > self.kv_peak:
            self.kv_peak = used_blocks
        # Every step comes here, and hardly any widens an extent: it is asked before it is called.
        batches, chunks, contexts = self.batches, self.chunks, self.contexts
        if not batches.least <= batch <= batches.most:
            batches.take(batch)
        if step.prefills and not chunks.least <= step.prefill_tokens <= chunks.most:
            chunks.take(step.prefill_tokens)
        if step.decodes:
            context = step.decode_context / step.decodes
            if not contexts.least <= context <= contexts.most:
                contexts.take(context)
