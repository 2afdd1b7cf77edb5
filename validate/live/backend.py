"""LiveBackend: a real server that requests are forwarded to."""

from __future__ import annotations

from dataclasses import dataclass

from simcore.control.pool import BackendState
from simcore.request import Service


@dataclass(frozen=True, slots=True, eq=False)
class LiveBackend:
    """Its address, and what the control plane knows of it.

    ``model`` is the name that it serves its model under, ``public`` the one that clients use. With
    ``by_priority`` it orders its own queue by the ``priority`` of a request; others refuse the field.
    """

    name: str
    url: str
    model: str
    public: str
    device: str
    by_priority: bool
    state: BackendState

    @property
    def index(self) -> int:
        """Its position among the backends, by which the control plane calls it."""
        return self.state.index

    @property
    def service(self) -> Service:
        """What it answers."""
        return self.state.service

    @property
    def healthy(self) -> bool:
        """Whether it answered when it was last asked."""
        return self.state.healthy
