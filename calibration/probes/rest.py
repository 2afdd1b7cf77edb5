"""rest: how long a backend rests before a piece of work is timed."""

from __future__ import annotations

from calibration.cores import Device

REST: dict[Device, float] = {"cpu": 0.1, "gpu": 0.0}
"""Seconds. A server's work seldom follows other work of its own at once, and then on a CPU it finds its
weights gone from caches that are shared: a text of 40 tokens takes 18.8 ms to embed instead of 15.0."""
