"""pipeline: how long stretches of served steps last, by what GPU and engine thread need for each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from calibration.fits.linear import Array
from calibration.fits.served_steps import LEAD, ServedSteps


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds of each step: of the GPU, of the launch, until its first kernel; ``update`` of each result."""

    gpu: Array
    launch: Array
    first_kernel: Array
    one_graph: NDArray[np.bool_]
    update: float


def stretch_seconds(served: ServedSteps, times: Times, first: int, past: int) -> float:
    """From the end of the step before the stretch to the end of its last one, under asynchronous scheduling.

    The same recursion as `simcore.llm.pipelined`: a result is taken in when it is there and the next step is
    launched. The decisions on the first two steps are the log's, since the thread made them before the
    stretch begins; when the GPU was done with what came before follows from the decisions on those.
    """
    start = float(served.updated[first - 1])
    early = first - LEAD
    computed = float(served.updated[early - 1])
    for step in range(early, first + 1):
        computed = _computed(times, step, float(served.scheduled[step]), computed)
        if step < first:
            # Its result was taken in by then.
            computed = min(computed, float(served.updated[step]) - times.update)
    ended = start
    for step in range(first, past):
        decided = float(served.scheduled[step + 1]) if step == first else ended
        launched = decided + times.launch[step + 1]
        after = _computed(times, step + 1, decided, computed)
        ended = max(computed, launched) + times.update
        computed = after
    return ended - start


def _computed(times: Times, step: int, decided: float, free: float) -> float:
    """When the GPU, free from ``free`` on, is done with a step that was decided on at ``decided``."""
    done = float(max(free, decided + times.first_kernel[step]) + times.gpu[step])
    return done if times.one_graph[step] else max(done, float(decided + times.launch[step]))
