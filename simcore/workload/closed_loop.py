"""ClosedLoopUser: a client who waits for the answer, thinks, and asks again."""

from __future__ import annotations

from simcore.request import NEVER, Request
from simcore.scenario.workload import ClosedLoop, StreamSpec
from simcore.workload.columns import Columns, draw_columns
from simcore.workload.distributions import draw_floats
from simcore.workload.generate import draw_priorities, make_requests
from simcore.workload.pipeline import PipelinePlan, StageDraws
from simcore.workload.prefix import PrefixKeys
from simcore.workload.randomness import Streams

BLOCK = 32
"""Requests drawn at once."""


class ClosedLoopUser:
    """User ``index`` of the closed-loop stream ``name``.

    The user's i-th request has the same lengths and the same think time before it whenever it is asked
    and whatever the other users do, because every user has generators of their own.
    """

    def __init__(self, name: str, spec: StreamSpec, index: int, streams: Streams, block_size: int) -> None:
        if not isinstance(spec.arrivals, ClosedLoop):
            raise TypeError(f"stream {name} is no closed loop")
        self.index = index
        self.name, self._spec, self._think_time = name, spec, spec.arrivals.think_time_s
        self._generator_of = streams.ongoing(name, f"user {index}/")
        self._keys = PrefixKeys(name, block_size)
        self._stage_draws = StageDraws(name, spec, block_size)
        self._thinks: list[float] = []
        self._row = BLOCK
        self._requests: list[Request]
        self._stage_columns: dict[str, Columns]

    def think(self) -> float:
        """Seconds until the user asks next, the first time too."""
        if not self._thinks:
            self._thinks = draw_floats(self._think_time, BLOCK, self._generator_of("think time")).tolist()
            self._thinks.reverse()
        return self._thinks.pop()

    def next_request(self, now: float) -> Request:
        """The user's next request, arriving now."""
        self._row += 1
        if self._row >= BLOCK:
            self._draw()
        request = self._requests[self._row]
        request.arrival = now
        return request

    def plan(self, request: Request) -> PipelinePlan:
        """The stages of the pipeline request that `next_request` gave last."""
        return self._stage_draws.plan(request, self._stage_columns, self._row)

    def _draw(self) -> None:
        self._row = 0
        columns = draw_columns(self._spec, BLOCK, self._generator_of, self._keys)
        priorities = draw_priorities(self._spec, BLOCK, self._generator_of)
        arrivals = [NEVER] * BLOCK
        self._requests = [*make_requests(self.name, self._spec, arrivals, columns, priorities, self.index)]
        self._stage_columns = self._stage_draws.columns(BLOCK, self._generator_of)
