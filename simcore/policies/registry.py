"""Policies by name, ours and installed ones. A policy's module is imported when it is first asked for."""

from __future__ import annotations

from importlib import import_module

from simcore.errors import one_of
from simcore.policies.base import Admission, Ordering, PolicySettings, Routing
from simcore.policies.installed import installed, load_installed

ORDERINGS = {
    "fifo": "Fifo",
    "priority": "PriorityOrdering",
    "slo_aware": "SloAware",
    "cost_optimized": "CostOptimized",
    "adaptive": "Adaptive",
    "hybrid": "Hybrid",
    "aegaeon": "Aegaeon",
    "ageing_priority": "AgeingPriority",
    "earliest_deadline": "EarliestDeadline",
    "virtual_token_counter": "VirtualTokenCounter",
    "deficit_round_robin": "DeficitRoundRobin",
}
ROUTINGS = {
    "fifo": "SageFifo",
    "priority": "SagePriority",
    "slo_aware": "SageSloAware",
    "cost_optimized": "SageCostOptimized",
    "adaptive": "SageAdaptive",
    "hybrid": "SageHybrid",
    "aegaeon": "SageAegaeon",
    "first_acceptable": "FirstAcceptable",
    "random": "RandomRouting",
    "round_robin": "RoundRobin",
    "least_outstanding": "LeastOutstanding",
    "power_of_two": "PowerOfTwo",
    "least_kv": "LeastKv",
    "device_aware": "DeviceAware",
    "prefix_affinity": "PrefixAffinity",
}
ADMISSIONS = {
    "none": "AdmitAll",
    "token_bucket": "TokenBucket",
    "saturation": "Saturation",
}
SAGE_POLICIES = ("fifo", "priority", "slo_aware", "cost_optimized", "adaptive", "hybrid", "aegaeon")
"""The policies of SAGE's control plane: each is an ordering and a routing of the same name."""


def ordering_names() -> list[str]:
    """What a scenario may name as ``ordering``."""
    return [*(ORDERINGS | installed("ordering"))]


def routing_names() -> list[str]:
    """What a scenario may name as ``routing``."""
    return [*(ROUTINGS | installed("routing"))]


def admission_names() -> list[str]:
    """What a scenario may name as an admission's ``policy``."""
    return [*(ADMISSIONS | installed("admission"))]


def make_ordering(name: str, settings: PolicySettings) -> Ordering:
    """The ordering called ``name``; ValueError with the known names if there is none."""
    made = _find("ordering", ORDERINGS, name, Ordering)(settings)
    assert isinstance(made, Ordering)
    return made


def make_routing(name: str, settings: PolicySettings) -> Routing:
    """The routing called ``name``; ValueError with the known names if there is none."""
    made = _find("routing", ROUTINGS, name, Routing)(settings)
    assert isinstance(made, Routing)
    return made


def make_admission(name: str, settings: PolicySettings) -> Admission:
    """The admission called ``name``; ValueError with the known names if there is none."""
    made = _find("admission", ADMISSIONS, name, Admission)(settings)
    assert isinstance(made, Admission)
    return made


def _find(kind: str, ours: dict[str, str], name: str, base: type) -> type:
    """The policy's class. A name of ours is ours, whatever is installed under it."""
    if name in ours:
        found = getattr(import_module(f"simcore.policies.{kind}.{name}"), ours[name])
        assert isinstance(found, type)
        return found
    if name in installed(kind):
        return load_installed(kind, name, base)
    raise ValueError(f"unknown {kind} policy {name!r}: {one_of(ours | installed(kind), name)}")
