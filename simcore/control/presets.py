"""Presets: control planes by name, as values of ControlPlaneSpec that a scenario need not say."""

from __future__ import annotations

from typing import Any

PRESETS: dict[str, dict[str, Any]] = {
    # SAGE as its papers and docs describe it.
    "sage-designed": {
        # One control plane for both services that sees all state.
        "kind": "unified",
        # Its default policy.
        "policy": "adaptive",
        # Decisions are taken as requests arrive and end, on the load of that moment.
        "dispatch_period_ms": 0.0,
        "stale_load_ms": 0.0,
        # An instance takes at most 100 requests and accepts while it is less than 95% full.
        "max_in_flight": 95,
        "max_in_flight_embedding": 95,
        "blocking_chat": False,
    },
    # SAGE as its code behaves.
    "sage-implemented": {
        "kind": "unified",
        # The i-th decision is paired with the i-th request of the queue: the policy's order is not applied.
        "ordering": "fifo",
        # Prefill/decode routing is on by default and takes the first instance that accepts.
        "routing": "first_acceptable",
        # The global queue is popped every 100 ms.
        "dispatch_period_ms": 100.0,
        # Load is updated when a dispatched task starts: a whole tick sees the load of its beginning.
        "stale_load_ms": 100.0,
        "max_in_flight": 95,
        # The gateway waits for a chat inside an async handler, so one chat runs at a time.
        "blocking_chat": True,
    },
}
