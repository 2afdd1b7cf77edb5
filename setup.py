"""Compiles the event loop with mypyc if SIMSAGE_COMPILE is set; else the same sources are interpreted."""

from __future__ import annotations

import os

from setuptools import setup

LOOP = (
    "simcore/batch_queue.py",
    "simcore/clients/open_loop.py",
    "simcore/clients/sender.py",
    "simcore/control/dispatcher.py",
    "simcore/control/plane.py",
    "simcore/control/pool.py",
    "simcore/control/usage.py",
    "simcore/device.py",
    "simcore/driver.py",
    "simcore/embedding_host.py",
    "simcore/embedding_server.py",
    "simcore/embedding_usage.py",
    "simcore/extent.py",
    "simcore/faults/plane_restart.py",
    "simcore/llm/api_server.py",
    "simcore/llm/block_pool.py",
    "simcore/llm/contention.py",
    "simcore/llm/decode_batch.py",
    "simcore/llm/decode_run.py",
    "simcore/llm/durations.py",
    "simcore/llm/event_loop.py",
    "simcore/llm/front_end.py",
    "simcore/llm/gpu.py",
    "simcore/llm/kv_cache_manager.py",
    "simcore/llm/pipelined.py",
    "simcore/llm/replica.py",
    "simcore/llm/scheduler.py",
    "simcore/llm/scheduler_output.py",
    "simcore/llm/sequence.py",
    "simcore/llm/stepping.py",
    "simcore/llm/usage.py",
    "simcore/meter.py",
    "simcore/policies/ordering/heap_queue.py",
    "simcore/profile/correction.py",
    "simcore/profile/steptime.py",
    "simcore/relay.py",
    "simcore/request.py",
    "simcore/serving_queue.py",
    "simcore/step.py",
    "simcore/timer.py",
    "simsage/trace/recorder.py",
)
"""What runs for every request or step, and what subclasses it, which nothing interpreted can.

Policies are not of it, since users write some of their own.
"""


def extensions() -> list[object]:
    """None unless asked for: a machine without a compiler gets the same simulator, at half the speed."""
    if not os.environ.get("SIMSAGE_COMPILE"):
        return []
    # Only needed here, and by nobody who does not compile.
    from mypyc.build import mypycify

    found: list[object] = mypycify(list(LOOP), opt_level="3", group_name="simcore")
    return found


setup(ext_modules=extensions())
