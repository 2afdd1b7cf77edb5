"""DecodeRun: steps of a pipelined engine that only decode, passed without an event for each."""

from __future__ import annotations

from bisect import bisect_right

from simcore.llm.gpu import Launch
from simcore.llm.scheduler_output import SchedulerOutput


class DecodeRun:
    """Decisions of the engine's thread on like steps, each taken where the one before let it go on.

    ``ahead`` is the step under way when the first is decided on, with asynchronous scheduling; without, there
    is none. The GPU is ``free`` of earlier steps from then on. Each step is one graph, launched in ``launch``
    seconds, and needs the GPU for one of ``gpu``; ``update`` seconds take a result in, which then keeps the
    front end busy for ``front`` seconds, as what came before does until ``busy``.

    It goes on as far as ``gpu`` does, and as the front end is through with a step before the next.
    """

    __slots__ = ("_ahead", "_computed", "_context", "_gpu", "_launch", "decisions", "decodes")

    def __init__(
        self, decodes: int, context: int, gpu: list[float], launch: float, ahead: Launch | None
    ) -> None:
        self.decodes = decodes
        self._context = context
        """Cached tokens that the first step reads."""
        self._gpu = gpu
        self._launch = launch
        self._ahead = ahead
        self._computed: list[float] = []
        self.decisions: list[float] = []
        """When each is decided on; last, when the result is taken in that ends the run."""

    def follow(self, start: float, free: float, update: float, front: float, busy: float) -> int:
        """Pass the steps in mind, from a first decision at ``start``; how many there are."""
        ahead, launch = self._ahead is not None, self._launch
        done = 0.0 if self._ahead is None else self._ahead.done
        decisions, computed = self.decisions, self._computed
        decided = start
        decisions.append(decided)
        for gpu in self._gpu:
            launched = decided + launch
            free = (free if free > launched else launched) + gpu
            if not ahead:
                done = free
            decided = (launched if launched > done else done) + update
            computed.append(free)
            decisions.append(decided)
            if decided < busy:
                break
            done = free
            busy = decided + front
        return len(computed)

    def decided_by(self, now: float) -> int:
        """How many of the steps are decided on by then; the first always is."""
        return min(bisect_right(self.decisions, now), len(self._computed))

    @property
    def scheduled(self) -> float:
        """When the step was decided on whose result is taken in first."""
        return self.decisions[0] if self._ahead is None else self._ahead.scheduled

    def contexts(self, steps: int) -> tuple[int, int]:
        """Cached tokens that the first and the last of so many steps read, in the order of their results."""
        first = self._context if self._ahead is None else self._ahead.output.step.decode_context
        return first, first + (steps - 1) * self.decodes

    def under_way(self, decided: int) -> list[Launch]:
        """The steps under way, the oldest first, once so many are decided on."""
        newest = self._entry(decided - 1)
        if self._ahead is None:
            return [newest]
        return [self._ahead if decided == 1 else self._entry(decided - 2), newest]

    def _entry(self, index: int) -> Launch:
        output = SchedulerOutput.of_decodes(self.decodes, self._context + index * self.decodes)
        decided = self.decisions[index]
        launched = decided + self._launch
        entry = Launch(output, self._gpu[index], decided, launched, launched)
        entry.computed = self._computed[index]
        return entry
