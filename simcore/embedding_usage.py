"""EmbeddingUsage: what an embedding server's batches add up to."""

from __future__ import annotations

from simcore.meter import Level, Meter
from simcore.profile.power import StepEnergy


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
        self.energy: StepEnergy | None = None
        """What batches take; None leaves ``joules`` at 0."""
        self.joules = 0.0
        """Energy of the batches in the window, without idle power."""

    def spent(self, tokens: int, since: float, until: float) -> None:
        """Count the energy of a batch of ``tokens`` that lasted from ``since`` to ``until``."""
        if self.energy is None:
            return
        inside = min(until, self.window.end) - max(since, self.window.start)
        if inside > 0.0:
            self.joules += self.energy(1, tokens, 0) * inside / (until - since)

    def worked(self, requests: int, texts: int, since: float, until: float, in_gap: bool) -> None:
        """Count a batch of that many requests and texts that lasted from ``since`` to ``until``."""
        self.batches += 1
        counted = self.window.add(1.0, since, until)
        self.texts += texts * counted
        if in_gap:
            self.in_gaps += counted
