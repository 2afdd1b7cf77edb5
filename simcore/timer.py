"""after: call something later in simulated time."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec

from simpy import Environment, Timeout

P = ParamSpec("P")


def after(env: Environment, delay: float, call: Callable[P, None], *args: P.args, **kwargs: P.kwargs) -> None:
    """Call ``call(*args, **kwargs)`` in ``delay`` seconds; at once if the delay is 0."""
    if delay <= 0:
        call(*args, **kwargs)
        return
    timer = Timeout(env, delay)
    assert timer.callbacks is not None
    timer.callbacks.append(lambda _: call(*args, **kwargs))
