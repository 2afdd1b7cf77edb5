"""ServedSteps: an engine's own log of its steps while it served, as arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from calibration.fits.linear import Array
from simcore.step import Step

AT_ONCE = 1e-4
"""Seconds after an update within which the next decision follows it without a pause."""

LEAD = 6
"""Steps before a stretch, from which follows when the GPU was free at its begin."""


@dataclass(frozen=True, slots=True)
class ServedSteps:
    """Steps in the order of their decisions; times are seconds on one clock.

    ``scheduled`` is when the engine's thread decided on a step, ``updated`` when it had taken its result in,
    ``busy`` whether it had work left then. ``disturbed`` are stretches ``(start, end)`` of the clock in which
    something else worked on the device.
    """

    steps: Sequence[Step]
    scheduled: Array
    updated: Array
    busy: NDArray[np.bool_]
    disturbed: Sequence[tuple[float, float]] = ()

    def stretches(self, length: int) -> list[tuple[int, int]]:
        """Ranges ``(first, past)`` of ``length`` steps in a row without a pause nor anything beside them.

        The step before a stretch is no part of it: its end is where the stretch is timed from. At least
        `LEAD` steps lie before that.
        """
        found, first = [], LEAD + 1
        while first + length < len(self.steps):
            if self._whole(first, first + length):
                found.append((first, first + length))
                first += length
            else:
                first += 1
        return found

    def seconds(self, first: int, past: int) -> float:
        """From the end of the step before a stretch to the end of its last step."""
        return float(self.updated[past - 1] - self.updated[first - 1])

    def _whole(self, first: int, past: int) -> bool:
        """Whether the engine had work all along, from the step before to the one after."""
        within = slice(first - 1, past)
        follows = self.scheduled[first : past + 1] < self.updated[within] + AT_ONCE
        start, end = self.updated[first - 1], self.updated[past - 1]
        undisturbed = not any(since < end and until > start for since, until in self.disturbed)
        return bool(self.busy[within].all() and follows.all() and undisturbed)


def served_steps(
    rows: Sequence[Mapping[str, Any]], disturbed: Sequence[tuple[float, float]] = ()
) -> ServedSteps:
    """Of the lines of a step log: ``{scheduled, updated, busy, step}``."""
    return ServedSteps(
        steps=[Step(**row["step"]) for row in rows],
        scheduled=np.array([row["scheduled"] for row in rows], dtype=np.float64),
        updated=np.array([row["updated"] for row in rows], dtype=np.float64),
        busy=np.array([row["busy"] for row in rows], dtype=np.bool_),
        disturbed=disturbed,
    )
