"""Urgency: how much of its deadline a request has used up, and what counts as urgent in SAGE."""

from __future__ import annotations

from typing import Literal

from simcore.request import Priority, Request

IDLE_LOAD = 0.3
"""Mean load below which SAGE's adaptive policy saves money."""


def urgency(request: Request, now: float) -> float:
    """SAGE's urgency, in [0, 1]: elapsed / deadline, 1 once missed, 0 without a deadline."""
    if request.deadline is None:
        return 0.0
    elapsed = now - request.arrival
    return 1.0 if elapsed >= request.deadline else elapsed / request.deadline


def is_urgent(request: Request) -> bool:
    """Whether SAGE's policies hurry it: its priority is CRITICAL or HIGH."""
    return request.priority <= Priority.HIGH


def adaptive_choice(urgent: bool, mean_load: float) -> Literal["priority", "cost_optimized", "slo_aware"]:
    """The policy that SAGE's ``adaptive`` follows while an urgent request waits, or none, at that mean load.

    SAGE asks in between whether the mean load is above 0.8 and a request has a deadline; it then follows
    ``slo_aware``, as it does anyway unless the load is low, so that question decides nothing.
    """
    if urgent:
        return "priority"
    return "cost_optimized" if mean_load < IDLE_LOAD else "slo_aware"
