"""Saturation, as a plan judges it in one replication: what is asked is no longer served."""

from __future__ import annotations

from math import sqrt

from simsage.metrics import ALL
from simsage.replication import Sampled
from simsage.summary import GROWN_BY, LOST_SHARE

NOISE_SIGMAS = 3.0


def falls_behind(run: Sampled) -> bool:
    """Whether more than 2% of the arrivals never complete, or the throughput stays 2% below them.

    The second means that work piles up: what does not leave in the window is still there at its end. It is
    the criterion of a work-conserving system, whose throughput is the offered rate below saturation and its
    greatest above. A run's summary asks for a backlog that grows by half, which many requests in flight hide
    in a short window. What chance does is no growth: numbers in a stable system of many servers are about
    Poisson, so the difference of two is within three times sqrt(2 n), and five requests are nothing.
    """
    whole = run.samples[0]
    assert whole.stream == ALL
    lost = whole.arrivals - whole.outcomes["completed"]
    offered, served = whole.values["offered_rate"], whole.values["request_throughput"]
    left = whole.arrivals * (1 - served / offered) if offered else 0.0
    chance = NOISE_SIGMAS * sqrt(2 * whole.values["in_system_first_third"])
    bound = LOST_SHARE * whole.arrivals
    return lost > bound or left > max(bound, chance, GROWN_BY)
