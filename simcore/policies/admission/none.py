"""No admission control."""

from __future__ import annotations

from simcore.policies.base import Admission
from simcore.request import Request


class AdmitAll(Admission):
    """Every request is let in."""

    def admits(self, request: Request, waiting: int, now: float) -> bool:
        return True
