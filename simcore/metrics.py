"""The formulas of the metrics, each stated once, for simulated and live requests alike (docs/metrics.md).

Names and formulas are those of ``vllm bench serve``. Arrays hold one request each; times are seconds, and
NaN is what a request does not have.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from simcore.scenario.document import ScenarioDocument
from simcore.scenario.workload import Slo

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

LATENCIES = ("ttft", "tpot", "e2el")
ROUNDING = 1e-9
"""A latency that is the limit but for rounding meets it."""


@dataclass(frozen=True, slots=True)
class Window:
    """Where metrics are taken, in seconds from the start of the run."""

    start: float
    end: float

    @property
    def span(self) -> float:
        """Its length in seconds."""
        return self.end - self.start

    def rate(self, amount: float) -> float:
        """``amount`` per second; NaN where the window has no length."""
        return amount / self.span if self.span > 0 else float("nan")

    def holds(self, times: Floats) -> Bools:
        """Which of ``times`` lie in it; NaN never does."""
        inside: Bools = (times >= self.start) & (times <= self.end)
        return inside


def traces_alone(document: ScenarioDocument) -> bool:
    """Whether all that is sent comes from traces, so that it ends by itself."""
    streams = [stream for stream in document.streams.values() if stream.enabled]
    return all(stream.arrivals.process == "trace" for stream in streams)


def window_of(document: ScenarioDocument, last_end: float) -> Window:
    """What all rates, shares of time and averages over time are of: from the end of the warm-up on.

    Traces alone end with the last answer, at ``last_end``, as the benchmark of ``vllm bench serve`` does. All
    else would go on for ever: the window is cut out of it at ``duration_s``.
    """
    end = last_end if traces_alone(document) else document.duration_s
    return Window(document.warmup_s, max(end, document.warmup_s))


def sending_of(document: ScenarioDocument, last_arrival: float) -> Window:
    """The part of the window in which requests arrive: where traces alone send, to their last."""
    end = min(document.duration_s, last_arrival) if traces_alone(document) else document.duration_s
    return Window(document.warmup_s, max(end, document.warmup_s))


def latencies(
    arrival: Floats, first_token: Floats, finished: Floats, output_tokens: Floats, completed: Bools
) -> dict[str, Floats]:
    """ttft, tpot and e2el in seconds, of completed requests only; tpot needs a second token."""
    gaps = np.where(output_tokens > 1, output_tokens - 1, np.nan)
    found = {
        "ttft": first_token - arrival,
        "tpot": (finished - first_token) / gaps,
        "e2el": finished - arrival,
    }
    return {name: np.where(completed, seconds, np.nan) for name, seconds in found.items()}


def limits(slo: Slo) -> dict[str, float]:
    """The latencies that the SLO limits, in milliseconds."""
    given = {metric: getattr(slo, f"{metric}_ms") for metric in LATENCIES}
    return {metric: limit for metric, limit in given.items() if limit is not None}


def late(seconds: Floats, limit_ms: float) -> Bools:
    """Which latencies exceed the limit; one that a request lacks does not."""
    over: Bools = seconds * 1000 > limit_ms * (1 + ROUNDING)
    return over
