"""ReplicaUsage: what a replica's steps add up to."""

from __future__ import annotations

from simcore.extent import Extent
from simcore.meter import Level, Meter
from simcore.profile.power import StepEnergy
from simcore.step import Step


class ReplicaUsage:
    """Integrals over the counted window, and the extremes of the whole run.

    Every step comes here, and hardly any widens an extent: it is asked before it is called.
    """

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
        self.energy: StepEnergy | None = None
        """What steps take; None leaves ``joules`` at 0."""
        self.joules = 0.0
        """Energy of the steps in the window, without idle power."""
        self._blocks = blocks

    def stepped(self, step: Step, used_blocks: int, since: float, until: float) -> None:
        """Count one step that lasted from ``since`` to ``until``."""
        batch = step.decodes + step.prefills
        counted = self._count(1, batch, used_blocks, used_blocks, since, until)
        if self.energy is not None and counted:
            tokens = step.decodes + step.prefill_tokens
            self.joules += self.energy(1, tokens, step.decode_context) * counted / (until - since)
        chunks = self.chunks
        if step.prefills and not chunks.least <= step.prefill_tokens <= chunks.most:
            chunks.take(step.prefill_tokens)
        if step.decodes:
            self._read(step.decode_context / step.decodes)

    def ran(
        self,
        steps: int,
        decodes: int,
        contexts: tuple[int, int],
        blocks: tuple[int, int],
        since: float,
        until: float,
    ) -> None:
        """Count a run of pure decode steps of as many requests each, from ``since`` to ``until``.

        ``contexts`` are the cached tokens that the first and the last of them read, ``blocks`` the KV blocks
        used before it and at its end, between which their number is taken to rise evenly.
        """
        first, last = contexts
        counted = self._count(steps, decodes, *blocks, since, until)
        if self.energy is not None and counted:
            read = steps * (first + last) / 2
            self.joules += self.energy(steps, steps * decodes, read) * counted / (until - since)
        self._read(first / decodes)
        self._read(last / decodes)

    def _count(
        self, steps: int, batch: int, before: int, used_blocks: int, since: float, until: float
    ) -> float:
        """Returns the seconds that lie in the window."""
        self.steps += steps
        counted = self.window.add(1.0, since, until)
        self.batch += batch * counted
        self.kv += (before + used_blocks) / (2 * self._blocks) * counted
        if used_blocks > self.kv_peak:
            self.kv_peak = used_blocks
        batches = self.batches
        if not batches.least <= batch <= batches.most:
            batches.take(batch)
        return counted

    def _read(self, context: float) -> None:
        contexts = self.contexts
        if not contexts.least <= context <= contexts.most:
            contexts.take(context)
