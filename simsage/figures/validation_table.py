"""The tables of the validation page: every figure of the verdict, and every distance, as people read them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from simsage.formats import NONE, percent, plain, point_label
from validate.compare.verdict import Comparison, Figure, Interval, Verdict


@dataclass(frozen=True, slots=True)
class ErrorRow:
    """One statistic of one latency; errors are simulated - live, with a sign."""

    variant: str
    point: str
    stream: str
    metric: str
    statistic: str
    live_ms: str
    simulated_ms: str
    error: str
    error_ms: str
    interval_ms: str
    floor_ms: str
    tolerance: str
    state: str


@dataclass(frozen=True, slots=True)
class DistanceRow:
    """The distances of one latency, each with its interval and floor."""

    variant: str
    point: str
    stream: str
    metric: str
    kolmogorov_smirnov: str
    kolmogorov_smirnov_interval: str
    kolmogorov_smirnov_floor: str
    wasserstein_ms: str
    wasserstein_interval: str
    wasserstein_floor: str


def error_rows(verdict: Verdict) -> Iterator[ErrorRow]:
    """One row a figure, in the verdict's order."""
    for one in verdict.comparisons:
        for figure in one.figures:
            yield _error_row(one, figure)


def distance_rows(verdict: Verdict) -> Iterator[DistanceRow]:
    """One row a stream and metric, in the verdict's order."""
    for one in verdict.comparisons:
        yield DistanceRow(
            variant=one.variant,
            point=point_label(one.point),
            stream=one.stream,
            metric=one.metric.upper(),
            kolmogorov_smirnov=plain(one.kolmogorov_smirnov),
            kolmogorov_smirnov_interval=_span(one.kolmogorov_smirnov_ci95),
            kolmogorov_smirnov_floor=plain(one.kolmogorov_smirnov_floor),
            wasserstein_ms=plain(one.wasserstein_ms),
            wasserstein_interval=_span(one.wasserstein_ms_ci95),
            wasserstein_floor=plain(one.wasserstein_ms_floor),
        )


def _error_row(one: Comparison, figure: Figure) -> ErrorRow:
    return ErrorRow(
        variant=one.variant,
        point=point_label(one.point),
        stream=one.stream,
        metric=one.metric.upper(),
        statistic=figure.statistic,
        live_ms=plain(figure.live_ms),
        simulated_ms=plain(figure.simulated_ms),
        error=NONE if figure.error is None else f"{_sign(figure.error)}{percent(abs(figure.error))}",
        error_ms=f"{_sign(figure.error_ms)}{plain(abs(figure.error_ms))}",
        interval_ms=_span(figure.error_ms_ci95),
        floor_ms=plain(figure.floor_ms),
        tolerance=f"{100 * figure.tolerance:g}%",
        state=figure.state,
    )


def _sign(value: float) -> str:
    return "−" if value < 0 else "+" if value > 0 else ""


def _span(interval: Interval) -> str:
    low, high = (f"{_sign(end)[: end < 0]}{plain(abs(end))}" for end in interval)
    return f"{low} to {high}"
