"""How routing policies name the backend they choose."""

from __future__ import annotations

from collections.abc import Callable

from simcore.control.pool import BackendPool, BackendState


def index_of(backend: BackendState | None) -> int | None:
    """The backend's position in the cluster, None for none."""
    return None if backend is None else backend.index


def lowest(
    pool: BackendPool, key: Callable[[BackendState], float | tuple[float, ...]]
) -> BackendState | None:
    """The accepting backend with the lowest ``key``, the first registered of equals. O(backends)."""
    return min(pool.accepting(), key=key, default=None)


def quickest(pool: BackendPool) -> BackendState | None:
    """The accepting backend with the lowest average latency, as SAGE chooses for what is urgent.

    The average starts at 0, so a backend that has answered nothing yet wins.
    """
    return lowest(pool, lambda backend: backend.average_latency)
