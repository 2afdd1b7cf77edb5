"""after: call something later in simulated time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVarTuple, Unpack

from simpy import Environment, Timeout

Args = TypeVarTuple("Args")


def after(env: Environment, delay: float, call: Callable[[Unpack[Args]], None], *args: *Args) -> None:
    """Call ``call(*args)`` in ``delay`` seconds; at once if the delay is 0."""
    if delay <= 0:
        call(*args)
        return
    timer = Timeout(env, delay)
    timer.callbacks.append(lambda _: call(*args))
