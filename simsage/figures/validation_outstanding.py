"""Requests outstanding over time, as the validation timeline draws them: sent and not yet answered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simcore.metrics import Floats
from simcore.request import NEVER, Kind, Outcome, Request, Service


@dataclass(frozen=True, slots=True)
class Steps:
    """``counts[i]`` requests are outstanding from ``times[i]`` (seconds) until the next time."""

    times: Floats
    counts: NDArray[np.int64]


def steps_of(sent: Floats, finished: Floats) -> Steps:
    """The step function of sending and ending times; one that is NaN in ``finished`` never ends."""
    ended = finished[~np.isnan(finished)]
    times, places = np.unique(np.concatenate([sent, ended]), return_inverse=True)
    changes = np.zeros(times.size, dtype=np.int64)
    np.add.at(changes, places, np.repeat([1, -1], [sent.size, ended.size]))
    return Steps(times, np.cumsum(changes))


def averages(steps: Steps, edges: Floats) -> Floats:
    """The time average between each two ``edges``; the last is not before the last step."""
    knots = np.append(steps.times, edges[-1])
    area = np.concatenate([[0.0], np.cumsum(steps.counts * np.diff(knots))])
    means: Floats = np.diff(np.interp(edges, knots, area)) / np.diff(edges)
    return means


def outstanding(requests: Iterable[Request], service: Service) -> Steps:
    """The requests to ``service``, stages of pipelines included, from their intended time of sending on.

    What was unfinished when the run ended stays.
    """
    asked = [one for one in requests if one.kind is not Kind.PIPELINE and one.kind.service is service]
    sent = np.array([one.arrival for one in asked], dtype=float)
    ends = [NEVER if one.outcome is Outcome.UNFINISHED else one.finished for one in asked]
    return steps_of(sent, np.array(ends, dtype=float))


def services_of(sides: Iterable[Sequence[Request]]) -> list[Service]:
    """The services that any of the requests asks, in their order."""
    kinds = {one.kind for requests in sides for one in requests} - {Kind.PIPELINE}
    return sorted({kind.service for kind in kinds})
