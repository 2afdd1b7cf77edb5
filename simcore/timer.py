"""Timer: what is to be done later in simulated time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import inf, nextafter
from typing import Any, TypeVarTuple, Unpack

from simpy import Environment
from simpy.events import NORMAL

Args = TypeVarTuple("Args")


class Timer:
    """Calls ``call(*args)`` in ``delay`` seconds, unless it is cancelled before.

    To SimPy it is an event that has been triggered. A `Timeout` is one too, but for most of what happens here
    it would be a third of all work: it has a list of callbacks to itself, and waits for processes to join it.
    """

    __slots__ = ("_args", "_call", "_ok", "callbacks")

    def __init__(self, env: Environment, delay: float, call: Callable[..., None], *args: Any) -> None:
        self.callbacks: Sequence[Callable[[Timer], None]] | None = _HAPPEN
        self._ok = True
        self._call = call
        self._args = args
        event: Any = self
        env.schedule(event, NORMAL, delay)

    def cancel(self) -> None:
        """Let it not happen, if it has not yet."""
        self.callbacks = ()

    def happen(self) -> None:
        """Make the call."""
        self._call(*self._args)


_HAPPEN = (Timer.happen,)


def after(env: Environment, delay: float, call: Callable[[Unpack[Args]], None], *args: *Args) -> None:
    """Call ``call(*args)`` in ``delay`` seconds; at once if the delay is 0."""
    if delay <= 0:
        call(*args)
    else:
        Timer(env, delay, call, *args)


def at(env: Environment, time: float, call: Callable[..., None], *args: Any) -> Timer:
    """Call ``call(*args)`` at ``time``, not before now, to the last bit: `Timer` adds a delay to now."""
    now = env.now
    delay = time - now
    if now + delay != time:
        delay = nextafter(delay, inf if now + delay < time else -inf)
    return Timer(env, delay, call, *args)
