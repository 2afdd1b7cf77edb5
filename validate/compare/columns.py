"""Columns: the requests of one repetition as arrays, in order of arrival."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simcore.metrics import Bools, Floats, latencies
from simcore.request import Kind, Outcome, Request

ALL = "all"
"""The name of all streams together."""
_LLM = (Kind.LLM_CHAT, Kind.LLM_GENERATE)


@dataclass(frozen=True, slots=True)
class Columns:
    """Times and ``latencies`` in seconds. ``counted`` are root requests from the end of the warm-up on."""

    stream: NDArray[np.str_]
    arrival: Floats
    finished: Floats
    output_tokens: Floats
    root: Bools
    counted: Bools
    completed: Bools
    latencies: dict[str, Floats]

    def of(self, stream: str) -> Bools:
        """The rows of ``stream``, stages included."""
        rows: Bools = np.full(self.arrival.size, True) if stream == ALL else self.stream == stream
        return rows

    def latency(self, stream: str, metric: str) -> Floats:
        """Seconds of the stream's counted requests that have that latency."""
        seconds = self.latencies[metric][self.of(stream) & self.counted]
        return seconds[~np.isnan(seconds)]

    def completed_share(self, stream: str) -> float:
        """Of the stream's counted requests; NaN without any."""
        ended = self.completed[self.of(stream) & self.counted]
        return float(ended.mean()) if ended.size else float("nan")


def columns_of(requests: Sequence[Request], warmup: float) -> Columns:
    """The columns; ``output_tokens`` is 0 for what no LLM answered."""
    rows = sorted(requests, key=lambda one: (one.arrival, one.id))
    arrival, first_token, finished = (
        np.array([getattr(one, name) for one in rows], dtype=float)
        for name in ("arrival", "first_token", "finished")
    )
    tokens = np.array([one.output_tokens if one.kind in _LLM else 0 for one in rows], dtype=float)
    completed = np.array([one.outcome is Outcome.COMPLETED for one in rows], dtype=bool)
    root = np.array([one.parent is None for one in rows], dtype=bool)
    return Columns(
        stream=np.array([one.stream for one in rows], dtype=np.str_),
        arrival=arrival,
        finished=finished,
        output_tokens=tokens,
        root=root,
        counted=root & (arrival >= warmup),
        completed=completed,
        latencies=latencies(arrival, first_token, finished, tokens, completed),
    )
