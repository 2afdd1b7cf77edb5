"""Launch, a step that the GPU is given; OwnGpu and SharedGpu, what computes such steps one after another."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from math import inf
from typing import Protocol

from simpy import Environment

from simcore.device import Job, Workplace
from simcore.llm.scheduler_output import SchedulerOutput
from simcore.request import Service
from simcore.timer import Timer, at


class Launch:
    """A step that was decided on, from its launch to its result. All times are of the simulation's clock."""

    __slots__ = ("computed", "given", "gpu", "launched", "output", "scheduled")

    def __init__(
        self, output: SchedulerOutput, gpu: float, scheduled: float, given: float, launched: float
    ) -> None:
        self.output = output
        self.gpu = gpu
        """Seconds that the GPU needs for it."""
        self.scheduled = scheduled
        """When it was decided on."""
        self.given = given
        """When the GPU has the first kernels of it."""
        self.launched = launched
        """When the thread is through with its launch."""
        self.computed = inf
        """When the GPU has computed it; infinite while that is not known."""

    @property
    def done(self) -> float:
        """When its result is there: no earlier than all of it is launched."""
        return max(self.launched, self.computed)


class Gpu(Protocol):
    """Computes steps in the order in which it is given them, each as soon as it has kernels of it."""

    def give(self, entry: Launch) -> None:
        """Let a step be computed; its kernels come at ``entry.given``, which is not past."""

    def stop(self) -> None:
        """Forget all that it was given; the device is told by who stops it."""


class OwnGpu:
    """A GPU that nobody else works on: when a step is computed follows from when those before it are."""

    def __init__(self) -> None:
        self.free = 0.0
        """When it is through with all that it was given."""

    def give(self, entry: Launch) -> None:
        """Let a step be computed; its kernels come at ``entry.given``, which is not past."""
        self.free = entry.computed = max(self.free, entry.given) + entry.gpu

    def stop(self) -> None:
        """Forget all that it was given."""
        self.free = 0.0


class SharedGpu:
    """A GPU whose device others may work on, or that may be stopped: a step's end is known when it comes.

    ``computed`` is told of each step then, and of the seconds that others cost it.
    """

    def __init__(
        self, env: Environment, device: Workplace, computed: Callable[[Launch, float], None]
    ) -> None:
        self.env = env
        self._device = device
        self._on_computed = computed
        self._queue: deque[Launch] = deque()
        self._computing: Launch | None = None
        self._job = Job(Service.LLM, 0.0, self._ended)
        self._timer: Timer | None = None

    def give(self, entry: Launch) -> None:
        """Let a step be computed; its kernels come at ``entry.given``, which is not past."""
        self._queue.append(entry)
        if self._computing is None and len(self._queue) == 1:
            self._take_up()

    def stop(self) -> None:
        """Forget all that it was given; the device is told by who stops it."""
        self._queue.clear()
        self._computing = None
        if self._timer is not None:
            self._timer.cancel()

    def _take_up(self) -> None:
        given = self._queue[0].given
        if given > self.env.now:
            self._timer = at(self.env, given, self._compute)
        else:
            self._compute()

    def _compute(self) -> None:
        entry = self._queue.popleft()
        self._computing = entry
        self._job.again(entry.gpu, urgent=entry.output.step.prefills > 0)
        self._device.start(self._job)

    def _ended(self, job: Job) -> None:
        entry = self._computing
        assert entry is not None
        lost = job.lost(self.env.now)
        self._computing = None
        entry.computed = self.env.now
        if self._queue:
            self._take_up()
        self._on_computed(entry, lost)
