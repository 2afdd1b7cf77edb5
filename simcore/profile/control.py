"""The control-plane part of a profile: what passing a request on costs."""

from __future__ import annotations

from simcore.profile.base import How, Model, NonNegative


class ControlCosts(Model):
    """Seconds of one network hop, one way, and of the control plane's thread per decision."""

    how: How
    hop: NonNegative
    decision: NonNegative
    notes: list[str] = []
