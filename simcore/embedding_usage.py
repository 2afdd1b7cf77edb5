"""EmbeddingUsage: what an embedding server's batches add up to."""

from __future__ import annotations

from simcore.meter import Level, Meter


class EmbeddingUsage:
    """Integrals over the counted window, ``start`` to ``end`` seconds, and the batches of the whole run."""

    def __init__(self, start: float, end: float) -> None:
        self.waiting = Level(start, end)
        self.window = Meter(start, end)
        self.texts = 0.0
        """Integral of the texts in a batch over the time worked; ``window.total`` is that time."""
        self.in_gaps = 0.0
        """The part of that time in which an LLM step waited for the batch to end."""
        self.batches = 0

    def worked(self, requests: int, texts: int, since: float, until: float, in_gap: bool) -> None:
        """Count a batch of that many requests and texts that lasted from ``since`` to ``until``."""
        self.batches += 1
        counted = self.window.add(1.0, since, until)
        self.texts += texts * counted
        if in_gap:
            self.in_gaps += counted
