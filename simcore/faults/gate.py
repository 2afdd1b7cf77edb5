"""Gate: stands between a backend and its device, so that faults can stop its work."""

from __future__ import annotations

from simcore.device import CoordinatedDevice, Device, Job


class Gate:
    """A device to the one backend behind it. While it is closed no step or batch begins."""

    def __init__(self, device: Device | CoordinatedDevice) -> None:
        self.name = device.name
        self.alone = False
        self._device = device
        self._closed = False
        self._job: Job | None = None
        """The latest, which may have ended."""
        self._held: Job | None = None

    def start(self, job: Job) -> None:
        """Begin work on ``job``, as soon as the gate is open."""
        self._job = job
        if self._closed:
            self._held = job
        else:
            self._device.start(job)

    def shorten(self, job: Job, work: float) -> None:
        """Let ``job`` be only ``work`` seconds long."""
        if job is self._held:
            job.work = work
        else:
            self._device.shorten(job, work)

    def close(self) -> None:
        """Let nothing begin any more; the step or batch under way still ends."""
        self._closed = True
        job = self._job
        if job is None:
            return
        if job.on_contention is not None:
            job.on_contention()
        if self._device.take_back(job):
            self._held = job

    def open(self) -> None:
        """Let work begin again."""
        self._closed = False
        if (held := self._held) is not None:
            self._held = None
            self._device.start(held)

    def drop(self) -> None:
        """Give up all work, at once; the gate is open then."""
        if self._job is not None:
            self._device.withdraw(self._job)
        self._job = self._held = None
        self._closed = False
