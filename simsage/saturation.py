"""Saturation: whether more is asked than is served, judged alike in a run, a plan and a paper."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from enum import StrEnum
from math import inf, sqrt
from statistics import fmean
from typing import Protocol

import numpy as np

from simcore.metrics import Floats, Window

LOST_SHARE = 0.02
GROWN_BY = 5.0
NOISE_SIGMAS = 3.0


class State(StrEnum):
    """What can be said of a system from one window."""

    STABLE = "stable"
    SATURATED = "saturated"
    TOO_SHORT = "too short to say"


@dataclass(frozen=True, slots=True)
class Pile:
    """Numbers of requests: at the ends of the time in which requests are sent, and means over its thirds."""

    start: float = 0.0
    first: float = 0.0
    middle: float = 0.0
    last: float = 0.0
    end: float = 0.0


@dataclass(frozen=True, slots=True)
class Backlog:
    """Open-loop requests of one replication while they are sent, which lasts for ``window`` seconds."""

    window: float = 0.0
    service: float = 0.0
    """Mean seconds that backends worked at a request, waits left out."""
    sent: int = 0
    waiting: Pile = Pile()
    """Those that nobody works at yet."""
    present: Pile = Pile()
    """All that are in the system."""
    expected: Pile = Pile()
    """All that would be if each took as long as those of the middle third."""
    cut: int = 0
    """Requests of the last third that the end of the run left unfinished."""


@dataclass(frozen=True, slots=True)
class Stays:
    """When each request came, when it left, infinity where it never did, and what of it backends worked."""

    arrived: Floats
    left: Floats
    service: Floats
    """Seconds; NaN where no backend took it up."""

    def during(self, window: Window) -> Stays:
        """Those that came in ``window``, its end left out."""
        inside = (self.arrived >= window.start) & (self.arrived < window.end)
        return Stays(self.arrived[inside], self.left[inside], self.service[inside])

    @property
    def mean_service(self) -> float:
        """0 where nothing was worked."""
        return float(np.nanmean(self.service)) if (~np.isnan(self.service)).any() else 0.0


class Judged(Protocol):
    """What saturation is judged by, of one replication."""

    @property
    def arrivals(self) -> int:
        """Counted requests."""

    @property
    def outcomes(self) -> dict[str, int]:
        """How they ended."""

    @property
    def backlog(self) -> Backlog:
        """What piled up."""


def backlog_of(stays: Stays, sending: Window, cut: int) -> Backlog:
    """What piled up of the open-loop requests, ``cut`` of which are those that the end left unfinished."""
    third, counted = sending.span / 3, stays.during(Window(sending.start, inf))
    if not third:
        return Backlog(service=counted.mean_service, cut=cut)
    came = stays.during(Window(sending.start + third, sending.end - third))
    begun = stays.left - np.nan_to_num(stays.service)
    waiting = _pile(stays.arrived, begun, sending)
    # By Little's law, from what happened in the middle third; nothing is known where none came.
    wait = waiting.middle * third / came.arrived.size if came.arrived.size else inf
    return Backlog(
        window=sending.span,
        service=counted.mean_service,
        sent=counted.arrived.size,
        waiting=waiting,
        present=_pile(stays.arrived, stays.left, sending),
        expected=_pile(stays.arrived, stays.arrived + wait + came.mean_service, sending),
        cut=cut,
    )


def _pile(arrived: Floats, left: Floats, sending: Window) -> Pile:
    start, end, third = sending.start, sending.end, sending.span / 3
    edges = [start, start + third, end - third, end]
    first, middle, last = (mean_in_system(arrived, left, Window(*one)) for one in itertools.pairwise(edges))
    return Pile(_there(arrived, left, start), first, middle, last, _there(arrived, left, end))


def _there(arrived: Floats, left: Floats, at: float) -> float:
    return float(((arrived <= at) & (left > at)).sum())


def mean_in_system(arrived: Floats, left: Floats, window: Window) -> float:
    """The time average of those that are there; 0 over no time."""
    inside = np.minimum(left, window.end) - np.maximum(arrived, window.start)
    return float(np.clip(inside, 0, None).sum() / window.span) if window.span else 0.0


def state_of(replications: Sequence[Judged]) -> State:
    """Saturated by one of three signs, on the mean of the replications, all of which are beyond chance.

    More than 2% of the arrivals do not complete; those of the last third that the run's end cut off are not
    lost. Or what waits grows by more than 2% of the arrivals: it is what a system falls behind by, and an
    empty start and a last request, which are worked at, are no part of it. Or more is in the system than if
    each request took as long as those of the middle third did, as where all share a machine that slows.
    More arrivals than before are no sign, and closed loops ask for no more than is served.

    Chance: numbers in a stable system of many servers are about Poisson, so the difference of two is within
    three times sqrt(2 n), and five requests are nothing. Where backends work at a request for longer than a
    third of the time in which requests are sent, what is there at the end says nothing.
    """
    arrivals = sum(one.arrivals for one in replications)
    lost = sum(one.arrivals - one.outcomes["completed"] - one.backlog.cut for one in replications)
    if not arrivals:
        return State.STABLE
    if lost > LOST_SHARE * arrivals:
        return State.SATURATED
    seen = [one.backlog for one in replications]
    if all(one.service >= one.window / 3 for one in seen):
        return State.TOO_SHORT
    share = LOST_SHARE * fmean(one.sent for one in seen)
    return State.SATURATED if _waits_grow(seen, share) or _stays_grow(seen, share / 3) else State.STABLE


def _waits_grow(seen: Sequence[Backlog], share: float) -> bool:
    """By the ends and by the thirds, which would say the same of an even growth: a burst is in one alone."""
    pile = _mean([one.waiting for one in seen])
    grown = min(pile.end - pile.start, 1.5 * (pile.last - pile.first))
    return pile.last > pile.middle and grown > _beyond(pile.first, share)


def _stays_grow(seen: Sequence[Backlog], share: float) -> bool:
    """From the middle third to the last, whose middles are a third of the time apart."""
    found, expected = _mean([one.present for one in seen]), _mean([one.expected for one in seen])
    grown = min(found.last - expected.last, found.end - expected.end)
    return grown > _beyond(expected.last, share)


def _beyond(number: float, share: float) -> float:
    return max(share, NOISE_SIGMAS * sqrt(2 * number), GROWN_BY)


def _mean(piles: Sequence[Pile]) -> Pile:
    return Pile(*(fmean(values) for values in zip(*map(astuple, piles), strict=True)))
