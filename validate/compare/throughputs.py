"""Throughput of each stream, on the machine and in the simulator."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from validate.compare.columns import Columns
from validate.compare.latencies import Measured, streams_of
from validate.compare.rates import rate_series
from validate.compare.verdict import Throughput
from validate.compare.wording import percent

METRIC = "request_throughput"


def throughputs_of(measured: Measured) -> list[Throughput]:
    """That of every stream that sends; told, not judged, for in an open loop the load decides it."""
    return [_throughput(measured, stream) for stream in streams_of(measured.case)]


def _throughput(measured: Measured, stream: str) -> Throughput:
    live, simulated = (_mean(measured, side, stream) for side in (measured.live, measured.simulated))
    error = (simulated - live) / live if live else None
    apart = "" if error is None else f", {percent(abs(error))} {'less' if error < 0 else 'more'}"
    return Throughput(
        variant=measured.case.variant,
        point=measured.case.point,
        stream=stream,
        live_per_s=live,
        simulated_per_s=simulated,
        error=error,
        sentence=(
            f"Of {stream} with {measured.case.label}, {live:.3g} requests a second completed on the machine "
            f"and {simulated:.3g} in the simulator{apart}."
        ),
    )


def _mean(measured: Measured, side: Sequence[Columns], stream: str) -> float:
    """Over the repetitions; 0 without any."""
    rates = [rate_series(columns, measured.case.document, stream, METRIC).mean() for columns in side]
    return float(np.mean(rates)) if rates else 0.0
