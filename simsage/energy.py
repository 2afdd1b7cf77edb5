"""What the backends of one replication draw together, and what an output token takes of it."""

from __future__ import annotations

from collections.abc import Sequence

from simcore.request import Service
from simcore.result import BackendUsage

WATTS = "mean_watts"
PER_OUTPUT = "joules_per_token"


def energy_of(usages: Sequence[BackendUsage], output_throughput: float) -> dict[str, float]:
    """Mean watts of all backends, and joules per output token where any came out; retrievers are left out.

    Nothing where a backend's profile has no power. ``output_throughput`` is tokens per second over the same
    window.
    """
    counted = [usage.watts for usage in usages if usage.service is not Service.RETRIEVER]
    known = [watts for watts in counted if watts is not None]
    if not known or len(known) < len(counted):
        return {}
    watts = sum(known)
    return {WATTS: watts} | ({PER_OUTPUT: watts / output_throughput} if output_throughput > 0 else {})
