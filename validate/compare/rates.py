"""Throughputs and goodput as series over time, so that they have intervals like latencies."""

from __future__ import annotations

import numpy as np

from simcore.metrics import Bools, Floats, late, limits, window_of
from simcore.scenario.document import ScenarioDocument
from validate.compare.columns import Columns

BINS = 100
"""Equal parts of the window; enough for a block bootstrap, and each many requests long."""
RATES = ("request_throughput", "output_throughput", "request_goodput")


def rate_series(columns: Columns, document: ScenarioDocument, stream: str, metric: str) -> Floats:
    """One of ``RATES`` in each part of the window, per second; its mean is the metric of docs/metrics.md."""
    if not columns.arrival.size:
        return np.zeros(BINS)
    window = window_of(document, float(np.nanmax(columns.finished[columns.root], initial=0.0)))
    if not window.span:
        return np.zeros(BINS)
    times, weights = _events(columns, document, stream, metric)
    inside = window.holds(times)
    counts, _ = np.histogram(times[inside], BINS, (window.start, window.end), weights=weights[inside])
    return np.asarray(counts * BINS / window.span, dtype=float)


def _events(columns: Columns, document: ScenarioDocument, stream: str, metric: str) -> tuple[Floats, Floats]:
    """When what is counted happened, and how much each time."""
    done = columns.of(stream) & columns.completed
    if metric == "output_throughput":
        return columns.finished[done], columns.output_tokens[done]
    rows = done & columns.root
    if metric == "request_goodput":
        rows &= _good(columns, document)
    return columns.finished[rows], np.ones(int(rows.sum()))


def _good(columns: Columns, document: ScenarioDocument) -> Bools:
    """Within every limit of the stream's SLO."""
    good: Bools = np.full(columns.arrival.size, True)
    for name, stream in document.streams.items():
        for metric, limit in limits(stream.slo).items():
            good &= ~(columns.of(name) & late(columns.latencies[metric], limit))
    return good
