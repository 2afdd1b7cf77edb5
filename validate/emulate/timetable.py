"""Timetable: when the steps of an emulated engine end."""

from __future__ import annotations

from collections.abc import Callable, Collection

from simcore.step import Step


class Timetable:
    """One step after the other, each as long as the profile says. Times are seconds of one clock.

    A profile's step time is that of an engine under load, from the end of one step to the end of the next,
    so scheduling and sending are in it. While requests of the last step go on, a step therefore counts from
    the end of the last one, not from when the engine came round to asking for it; a late wake-up does not
    add up either. An engine that had nothing left to do starts when it asks.
    """

    def __init__(self, seconds: Callable[[Step, int], float]) -> None:
        """``seconds`` gives those of a step, and of its number."""
        self._seconds = seconds
        self._number = 0
        self._end = 0.0
        self._last: set[str] = set()

    def end_of(self, step: Step, requests: Collection[str], finished: Collection[str], now: float) -> float:
        """When the step of these requests ends that is asked for ``now``.

        ``finished`` are the requests done since the last. Never before ``now``: what the engine itself takes
        longer than the step is lost.
        """
        self._last.difference_update(finished)
        if not step.batch:
            return now
        begin = self._end if self._last else max(self._end, now)
        self._end = max(now, begin + self._seconds(step, self._number))
        self._number += 1
        self._last = set(requests)
        return self._end
