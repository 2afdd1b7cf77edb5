"""The control-plane part of a profile: what passing a request on costs."""

from __future__ import annotations

from simcore.profile.base import How, Model, NonNegative


class ControlCosts(Model):
    """Seconds of one network hop, one way, of the control plane's thread per decision, and of its gateway."""

    how: How
    hop: NonNegative
    decision: NonNegative
    message: NonNegative = 0.0
    """The gateway's process, for each message of a stream that it passes on."""
    notes: list[str] = []
